"""Every module of `cases/` under CPython and under MicroPython."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

HERE = Path(__file__).parent
ROOT = HERE.parents[1]
CASES = sorted(p.stem for p in (HERE / "cases").glob("*.py") if p.stem != "__init__")
RUNTIMES = {
    "cpython": [sys.executable],
    "micropython": [sys.executable, "-m", "micropython_unix", "-X", "heapsize=4m"],
}


@pytest.mark.parametrize("runtime", sorted(RUNTIMES))
@pytest.mark.parametrize("name", CASES)
def test_cases(name: str, runtime: str, tmp_path: Path) -> None:
    env = dict(os.environ, PYTHONPATH=str(ROOT), MICROPYPATH=f".frozen:{ROOT}")
    run = subprocess.run(
        [*RUNTIMES[runtime], str(HERE / "mini.py"), name, str(tmp_path)],
        env=env,
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    print(run.stdout)
    assert run.returncode == 0, run.stdout[-4000:] + run.stderr[-4000:]
    assert "ok test_" in run.stdout
    assert "FAILED" not in run.stdout  # the exit code of MicroPython's wrapper is 0 all the same
