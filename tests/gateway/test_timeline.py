"""Event time (contract, 1): the rules one by one, and the same times in any order of arrival."""

from __future__ import annotations

from collections import defaultdict
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from firmware import wire
from firmware.wire import FUTURE_MS, STALE_MS
from gateway import arrivals as arrivals_
from gateway.arrivals import Arrivals
from gateway.events import decode_one
from gateway.timeline import Copy, place

LOG = "9f3a1c22"
NOW = 1_782_896_400_000
NAMES = (("pm-01", wire.HEALTH, ""),)


def copy(seq: int, at: int, t: int | None = None, up: int = 0, boot: int = 1) -> Copy:
    """A copy whose value is its number; at and t relative to NOW."""
    return seq, NOW + at, boot, up, -1 if t is None else NOW + t, 0, seq


def times(copies: list[Copy]) -> dict[int, int]:
    """seq -> time relative to NOW, of what is not stale."""
    placed = [p for block in place(LOG, [sorted(copies)], NAMES) for p in block]
    assert len({p[2] for p in placed}) == len(placed)
    assert all(p[3] == LOG and p[5] == p[2] for p in placed)
    return {seq: t - NOW for t, _, seq, _, _, _ in placed}


@pytest.mark.parametrize(
    ("copies", "expected"),
    [
        pytest.param([copy(1, 200, 0)], {1: 0}, id="its own t"),
        pytest.param([copy(1, 0, FUTURE_MS)], {1: FUTURE_MS}, id="60 s ahead"),
        pytest.param([copy(1, 0, FUTURE_MS + 1)], {1: 0}, id="one ms more: the arrival"),
        pytest.param([copy(1, 500)], {1: 500}, id="no t, no anchor: the arrival"),
        pytest.param([copy(1, 500), copy(1, 100)], {1: 100}, id="the earliest arrival"),
        pytest.param([copy(1, 100), copy(1, 900, 50)], {1: 50}, id="a later copy knows t"),
        pytest.param(
            [copy(1, 100, 90), copy(1, 200, 80)], {1: 90}, id="the earliest-arrived believed t"
        ),
        pytest.param(
            [copy(1, 100, 200_000), copy(1, 300_000, 200_000)],
            {1: 200_000},
            id="not believed at first, later it is",
        ),
        pytest.param(
            [copy(1, 9000, up=100), copy(2, 9000, 5000, up=400)],
            {1: 4700, 2: 5000},
            id="moved from the anchor by the difference in up",
        ),
        pytest.param(
            [copy(2, 9000, 5000, up=400), copy(3, 9000, up=900)],
            {2: 5000, 3: 5500},
            id="an anchor before it",
        ),
        pytest.param(
            [copy(1, 9000, up=0), copy(2, 9000, 5000, up=100), copy(3, 9000, 7000, up=100)],
            {1: 4900, 2: 5000, 3: 7000},
            id="the lowest number is the anchor",
        ),
        pytest.param(
            [copy(1, 9000, up=0, boot=1), copy(2, 9000, 5000, up=100, boot=2)],
            {1: 9000, 2: 5000},
            id="another boot is no anchor",
        ),
        pytest.param(
            [copy(1, 0, up=FUTURE_MS + 100), copy(2, 0, 0, up=100)],
            {1: FUTURE_MS, 2: 0},
            id="estimated 60 s ahead",
        ),
        pytest.param(
            [copy(1, 0, up=FUTURE_MS + 101), copy(2, 0, 0, up=100)],
            {1: 0, 2: 0},
            id="estimated farther ahead: the arrival",
        ),
        pytest.param([copy(1, STALE_MS, 0)], {1: 0}, id="seven days late"),
        pytest.param([copy(1, STALE_MS + 1, 0)], {}, id="one ms more: stale"),
        pytest.param(
            [copy(1, STALE_MS + 1, 0, up=50), copy(2, STALE_MS + 1, up=60)],
            {2: STALE_MS + 1},
            id="a stale event is no anchor",
        ),
        pytest.param(
            [
                copy(1, STALE_MS + 1, 0, up=50),
                copy(2, STALE_MS + 1, STALE_MS, up=90),
                copy(3, STALE_MS + 1, up=60),
            ],
            {2: STALE_MS, 3: STALE_MS - 30},
            id="the next one is",
        ),
        pytest.param(
            [copy(1, STALE_MS + 1, up=0), copy(2, STALE_MS, 500, up=600)],
            {2: 500},
            id="an estimated one may be stale too",
        ),
        pytest.param(
            [copy(1, STALE_MS + 1, 0), copy(1, STALE_MS, 0)],
            {1: 0},
            id="stale is counted from the first arrival",
        ),
    ],
)
def test_rules(copies: list[Copy], expected: dict[int, int]) -> None:
    assert times(copies) == expected
    assert times(copies[::-1]) == expected


# --- any order ------------------------------------------------------------------------------

instants = st.sampled_from(
    [0, 1, 1000, FUTURE_MS - 1, FUTURE_MS, FUTURE_MS + 1, 3 * FUTURE_MS, STALE_MS, STALE_MS + 1]
)
events = st.fixed_dictionaries({"boot": st.integers(1, 2), "up": instants})
logs = st.dictionaries(st.integers(1, 6), events, min_size=1).flatmap(
    lambda made: st.tuples(
        st.just(made),
        st.lists(
            st.tuples(st.sampled_from(sorted(made)), instants, st.none() | instants),
            min_size=1,
            max_size=14,
        ),
    )
)


def by_definition(made: dict[int, Any], heard: list[tuple[int, int, int | None]]) -> dict[int, int]:
    """The contract's words, event by event."""
    arrived, known = {}, {}
    copies = defaultdict(list)
    for seq, at, t in heard:
        copies[seq].append((at, -1 if t is None else t))
    for seq, many in copies.items():
        arrived[seq] = min(at for at, _ in many)
        believed = [(at, t) for at, t in sorted(many) if 0 <= t <= at + FUTURE_MS]
        if believed:
            known[seq] = believed[0][1]
    found = {}
    for seq, at in arrived.items():
        t = known.get(seq)
        if t is None:
            anchors = [
                s
                for s in sorted(known)
                if made[s]["boot"] == made[seq]["boot"] and known[s] >= arrived[s] - STALE_MS
            ]
            t = at
            if anchors:
                moved = known[anchors[0]] + made[seq]["up"] - made[anchors[0]]["up"]
                t = moved if moved <= at + FUTURE_MS else at
        if t >= at - STALE_MS:
            found[seq] = t
    return found


@settings(max_examples=400, deadline=None)
@given(logs, st.data())
def test_any_order_any_repeats_any_memory(logs_: Any, data: st.DataObject) -> None:
    made, heard = logs_
    expected = by_definition(made, heard)
    limit = data.draw(st.sampled_from([2, 5, 1000]))
    for order in (heard, data.draw(st.permutations(heard)), heard + heard[:3]):
        held = Arrivals()
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(arrivals_, "_LIMIT", limit)  # spilled to disk in small runs
            for seq, at, t in order:
                raw = wire.encode(
                    LOG,
                    seq,
                    made[seq]["boot"],
                    made[seq]["up"],
                    None if t is None else NOW + t,
                    wire.HEALTH,
                    {},
                )
                held.add("pm-01", NOW + at, decode_one(raw.encode()))
        [log] = held.logs()
        placed = [p for block in place(LOG, held.copies(log), held.names) for p in block]
        assert {seq: t - NOW for t, _, seq, *_ in placed} == expected
        assert len(placed) == len(expected)
