"""A snapshot is read as it was written, and anything else is refused without running it."""

from __future__ import annotations

import pickle
import zlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.findings import Finding
from gateway.patrols import Memory, Round
from gateway.rules.model import Severity
from gateway.snapshots import SnapshotFault, frozen, thawed

STATE = (
    1_782_896_400_000,
    [1, None, "open", 0.5, (3, "a")],
    Memory((Round(1, 2, frozenset({"t-1"})),), 9),
    [Severity.CRITICAL],
)


def test_what_was_frozen_comes_back() -> None:
    assert thawed(frozen(STATE)) == STATE
    assert {Finding, Memory, Round, Severity} >= {type(STATE[2])}


@given(st.data())
def test_a_flipped_bit_is_refused(data: st.DataObject) -> None:
    good = bytearray(frozen(STATE))
    at = data.draw(st.integers(0, len(good) * 8 - 1))
    good[at // 8] ^= 1 << at % 8
    with pytest.raises(SnapshotFault):
        thawed(bytes(good))


def test_what_is_no_state_is_refused() -> None:
    for body in (b"", b"\x80\x05", pickle.dumps([1, 2])):
        with pytest.raises(SnapshotFault):
            thawed(zlib.crc32(body).to_bytes(4, "big") + body)


class _Evil:
    ran = False

    def __reduce__(self) -> tuple[object, ...]:
        return setattr, (_Evil, "ran", True)


def test_a_stranger_s_snapshot_runs_nothing() -> None:
    body = pickle.dumps((_Evil(),))
    with pytest.raises(SnapshotFault, match="setattr"):
        thawed(zlib.crc32(body).to_bytes(4, "big") + body)
    assert not _Evil.ran
    pickle.loads(body)
    assert _Evil.ran  # the same bytes, read without the guard, do run
