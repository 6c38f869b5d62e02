"""The log over a real littlefs: cut at every write, worn, filled."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from tests import upython

HERE = Path(__file__).parent


def _cuts(what: str, script: str = "cuts.py") -> dict[str, Any]:
    return upython.told(HERE / script, what, heap="16m" if script == "offline.py" else "8m")


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
