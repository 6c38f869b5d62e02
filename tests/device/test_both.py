"""Every module of `cases/` under CPython and under MicroPython."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from tests import upython

HERE = Path(__file__).parent
CASES = sorted(p.stem for p in (HERE / "cases").glob("*.py") if p.stem != "__init__")
MINI = HERE / "mini.py"


@pytest.mark.parametrize("runtime", ["cpython", "micropython"])
@pytest.mark.parametrize("name", CASES)
def test_cases(name: str, runtime: str, tmp_path: Path) -> None:
    told = [str(MINI), name, str(tmp_path)]
    command = [sys.executable, *told] if runtime == "cpython" else upython.command(*told, heap="4m")
    print(upython.ran(command, 300))
    assert any(tmp_path.iterdir())


def test_the_runner_sees_a_case_that_fails(tmp_path: Path) -> None:
    script = tmp_path / "bad.py"
    script.write_text("raise ValueError('seen')\n")
    with pytest.raises(AssertionError, match="seen"):
        upython.ran(upython.command(script))
