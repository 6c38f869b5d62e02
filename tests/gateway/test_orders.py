"""Small random evenings in a hall: any order, repeats, cuts into runs; the same bytes."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from firmware import wire
from gateway import kept, replay, rules
from gateway.arrivals import Arrivals
from gateway.clock import parse_instant
from gateway.events import decode_one
from gateway.findings import as_json
from tests.gateway.rules import hall

PROGRAM = rules.program(hall.SITE, hall.CALENDAR)
CLOSE = parse_instant("2026-07-01T18:00:00")
MINUTE = 60_000
END = CLOSE + 120 * MINUTE
ACTS = [
    *(hall.light(w) for w in (0, 412, 2500)),
    *(hall.hall(p) for p in (True, False)),
    *(hall.office(p) for p in (True, False)),
    *(hall.opening("main-door", o) for o in (True, False)),
    *(hall.opening("win-01", o) for o in (True, False)),
    *(hall.lock(x) for x in (True, False)),
    *(hall.ac(on, mode, 25) for on in (True, False) for mode in ("cool", "heat")),
    *(hall.detector(w, a) for w in ("smoke", "heat") for a in (True, False)),
    *(hall.tap(t) for t in (hall.PERSON, hall.POWER_ROOM, hall.EAST_EXIT, hall.ARCHIVE)),
    hall.tamper("pm-01", True),
    hall.lost("pm-01", 2, 5),
]
minutes = st.integers(-90, 90).map(lambda m: CLOSE + m * MINUTE)
near = st.sampled_from([0, 1, -1, 10_000, 300_000])
heard = st.tuples(
    st.sampled_from(ACTS),
    st.integers(1, 8),  # seq
    st.integers(1, 2),  # boot
    minutes,  # t
    near,
    st.integers(0, 60) | st.integers(0, 200),  # minutes late
    st.booleans(),  # knows the time
)
evenings = st.lists(heard, min_size=1, max_size=30, unique_by=lambda h: (h[0][0], h[1]))


def arrived(evening: list[Any]) -> list[tuple[str, int, Any]]:
    made = []
    for (device, kind, fields), seq, boot, minute, off, late, knows in evening:
        t = minute + off
        up = t - CLOSE + 10_000_000 * boot
        raw = wire.encode("9f3a1c22", seq, boot, up, t if knows else None, kind, fields)
        made.append((device, t + late * MINUTE, decode_one(raw.encode())))
    return made


def found(arrivals: Arrivals) -> bytes:
    return b"\n".join(map(as_json, replay.findings(PROGRAM, arrivals, {}, [], END)))


def in_one(copies: list[tuple[str, int, Any]]) -> Arrivals:
    arrivals = Arrivals()
    for device, at, event in copies:
        arrivals.add(device, at, event)
    return arrivals


@settings(max_examples=150, deadline=None)
@given(evenings, st.data())
def test_same_events_same_bytes(evening: list[Any], data: st.DataObject) -> None:
    copies = arrived(evening)
    expected = found(in_one(copies))
    late = data.draw(st.lists(st.sampled_from(copies), max_size=5))
    again = [(device, at + 7 * MINUTE, event) for device, at, event in late]
    shuffled = data.draw(st.permutations([*copies, *again]))
    assert found(in_one(shuffled)) == expected
    cuts = sorted(data.draw(st.lists(st.integers(0, len(shuffled)), max_size=4)))
    with tempfile.TemporaryDirectory() as folder:
        for first, last in zip([0, *cuts], [*cuts, len(shuffled)], strict=True):
            part = in_one(shuffled[first:last])
            with kept.opened(Path(folder)) as state:
                said = list(replay.carry_on(state, hall.SITE, PROGRAM, part, ([], []), END))
        assert b"\n".join(map(as_json, said)) == expected
