"""Days that are over: their energy is the sum of their hours, and a packed state still stands."""

from __future__ import annotations

import random
import tempfile
from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.history import series
from gateway.history.hot import Hot
from gateway.history.times import Said, lanes
from tests.gateway.history.test_hot import DAY, ZONE, kept, reading

MS = 86_400_000
spread = st.lists(
    st.tuples(st.integers(0, 4 * MS), st.integers(0, 2_000_000)), min_size=1, max_size=30
).map(lambda rows: [reading(n, DAY + t, w / 1000, None) for n, (t, w) in enumerate(rows, 1)])


@settings(max_examples=40, deadline=None)
@given(spread, st.integers(-MS, 5 * MS), st.integers(0, 6 * MS), st.randoms(use_true_random=False))
def test_sealed_days_are_the_sum_of_their_hours(
    said: list[Said], begin: int, length: int, dice: random.Random
) -> None:
    """Whenever days are sealed between the readings, and however late these come."""
    dice.shuffle(said)
    with tempfile.TemporaryDirectory() as folder:
        db = kept(Path(folder), [])
        hot = Hot(ZONE)
        hot.load(db)
        for one in said:
            hot.keep(db, lanes([one]))
            while dice.random() < 0.5 and hot.settle(db, DAY + dice.randint(0, 8 * MS), 99 * MS):
                pass
        first, last = DAY + begin, DAY + begin + length
        by_hour = {}
        for *meter, _, kwh in series.energy(db, first, last):
            by_hour[tuple(meter)] = by_hour.get(tuple(meter), 0.0) + kwh
        by_day = {}
        for *meter, _, kwh in series.energy(db, first, last, ZONE):
            by_day[tuple(meter)] = by_day.get(tuple(meter), 0.0) + kwh
        assert {m: round(kwh, 9) for m, kwh in by_hour.items() if round(kwh, 9)} == {
            m: round(kwh, 9) for m, kwh in by_day.items() if round(kwh, 9)
        }
        db.close()


def test_many_meters_over_a_season_each_have_their_own(tmp_path: Path) -> None:
    """They are read some at a time."""
    db = kept(tmp_path, [])
    numbers = {f"m-{n}": 7 * n + 1 for n in range(40)}
    db.executemany(
        "INSERT INTO channel (id, device, ch, kind) VALUES (?, ?, 'c1', 'power')",
        [(number, device) for device, number in numbers.items()],
    )
    hours = range(DAY, DAY + 60 * MS, 3_600_000)
    rows = [(number, t, number * 10**9 + t % 1009) for number in numbers.values() for t in hours]
    db.executemany("INSERT INTO energy VALUES (?, ?, ?)", rows)
    found = {(device, t): kwh for device, _, t, kwh in series.energy(db, hours[0], hours[-1])}
    assert found == {
        (device, t): (number * 10**9 + t % 1009) / 1e9
        for device, number in numbers.items()
        for t in hours[:-1]
    }
    db.close()


def test_a_state_of_a_packed_day_still_stands(tmp_path: Path) -> None:
    def door(seq: int, t: int, is_open: bool) -> Said:
        said = {"ch": "c1", "open": is_open}
        return Said("d-1", "9f3a1c22", seq, 1, t, False, False, "contact", said)

    db = kept(tmp_path, [[door(1, DAY + 60_000, True), door(2, DAY + 3 * 60_000, False)]])
    found = series.find(db, "d-1/c1", "open")
    assert found is not None
    ask = (found, DAY, DAY + 600_000, 60_000, ZONE, 300_000)
    hot_rows = series.series(db, *ask)
    assert [step.mean for step in hot_rows] == [None, 1, 1, 0, 0, 0, 0, 0, 0, None]
    hot = Hot(ZONE)
    hot.load(db)
    assert hot.packing.compact(db, DAY + 2 * MS)
    assert series.series(db, *ask) == hot_rows
    later = series.series(db, found, DAY + 240_000, DAY + 420_000, 60_000, ZONE, 300_000)
    assert [step.mean for step in later] == [0, 0, 0]
    db.close()
