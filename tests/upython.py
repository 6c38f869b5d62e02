"""Scripts under MicroPython. `python -m micropython_unix` ends with 0 whatever happens; this does
not."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
_MAIN = "import sys; from micropython_run import run_main; sys.exit(run_main(sys.argv))"


def command(script: Path | str, *arguments: object, heap: str = "8m") -> list[str]:
    return [
        *(sys.executable, "-c", _MAIN, "-X", f"heapsize={heap}"),
        *(str(script), *map(str, arguments)),
    ]


def ran(told: list[str], timeout: float = 600) -> str:
    """stdout of a command that knows the firmware and the tests. AssertionError unless it ends
    with 0."""
    run = subprocess.run(
        told,
        env=dict(os.environ, PYTHONPATH=str(ROOT), MICROPYPATH=f".frozen:{ROOT}"),
        capture_output=True,
        text=True,
        timeout=timeout,
        check=False,
    )
    assert run.returncode == 0, f"exit {run.returncode}\n{run.stdout[-4000:]}{run.stderr[-4000:]}"
    return run.stdout


def told(script: Path | str, *arguments: object, heap: str = "8m") -> dict[str, Any]:
    """The JSON object that a script prints last."""
    lines = ran(command(script, *arguments, heap=heap)).splitlines()
    assert lines, f"{script} said nothing"
    found: dict[str, Any] = json.loads(lines[-1])
    return found
