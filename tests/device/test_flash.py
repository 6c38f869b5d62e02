"""The log over a real littlefs: cut at every write, worn, filled."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent
ROOT = HERE.parents[1]


def _cuts(what: str, script: str = "cuts.py") -> dict[str, Any]:
    run = subprocess.run(
        [
            sys.executable,
            "-m",
            "micropython_unix",
            "-X",
            "heapsize=16m" if script == "offline.py" else "heapsize=8m",
            str(HERE / script),
            what,
        ],
        env=dict(os.environ, MICROPYPATH=f".frozen:{ROOT}"),
        capture_output=True,
        text=True,
        timeout=600,
        check=False,
    )
    assert run.returncode == 0, run.stdout[-2000:] + run.stderr[-2000:]
    found: dict[str, Any] = json.loads(run.stdout.splitlines()[-1])
    return found


def test_cut_at_every_write_loses_nothing_that_was_acknowledged() -> None:
    found = _cuts("cuts")
    print(found)
    assert found["cuts"] > 400
    assert (found["lost"], found["unmountable"], found["repeated"]) == (0, 0, 0)


def test_the_harness_sees_a_log_that_answers_too_early() -> None:
    assert _cuts("forget")["lost"] > 0


def test_erases_per_500_events() -> None:
    found = _cuts("erases")
    for kind, (acked, offline) in sorted(found.items()):
        print(f"{kind:10} acked {acked:3} offline {offline:3}")
        assert max(acked, offline) <= 45, kind


def test_a_worn_block_is_left_and_nothing_is_lost() -> None:
    found = _cuts("worn", "worn.py")
    assert found["hit"] > 0
    assert (found["lost"], found["unmountable"], found["refused"]) == (0, 0, 0)


def test_a_driver_that_answers_eio_loses_nothing_that_was_taken() -> None:
    found = _cuts("eio", "worn.py")
    assert found["refused"] > 0
    assert (found["lost"], found["unmountable"]) == (0, 0)


def test_full_after_72_hours_offline_keeps_what_counts_and_tells_of_the_rest() -> None:
    found = _cuts("", "offline.py")
    print(found)
    assert found["full"]
    assert found["lost"] > 0
    assert found["thinned"] > found["samples"] > 0
    assert found["urgent"] > 1000
    assert (found["urgent_missing"], found["missing"], found["both"]) == (0, 0, 0)
    assert found["numbers"] == found["stored"] + found["lost"]
    assert found["dropped"] == found["lost"]
