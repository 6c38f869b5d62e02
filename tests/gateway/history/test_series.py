"""A series read from any level, hot or packed, is what its raw rows give."""

from __future__ import annotations

import random
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway import store
from gateway.history import series
from gateway.history.buckets import DAY, HOUR, MINUTE
from gateway.history.hot import Hot
from gateway.history.times import lanes
from tests.gateway.history.test_recount import BEGIN, DAYS, ZONE, Row, fresh, rows, said

STEPS = (1000, 7000, 90_000, MINUTE, 15 * MINUTE, HOUR, 90 * MINUTE, 6 * HOUR, DAY, 2 * DAY)


@settings(max_examples=80, deadline=None)
@given(
    *(rows, st.sampled_from(STEPS), st.integers(0, 2 * DAY), st.integers(1, 300)),
    *(st.booleans(), st.randoms(use_true_random=False)),
)
def test_every_step_is_what_its_rows_give(
    told: list[Row], step: int, shift: int, count: int, even: bool, dice: random.Random
) -> None:
    begin = series.aligned(BEGIN + shift, step, ZONE) if even else BEGIN + shift
    end = begin + count * step - dice.randrange(step)  # the last step is whole, too
    db = fresh()
    hot = Hot(ZONE)
    hot.load(db)
    hot.keep(db, lanes([said("c1", row, row[0], estimated=False, new=True) for row in told]))
    for _ in range(dice.choice([0, 3, 40])):
        hot.settle(db, BEGIN + dice.randrange((DAYS + 1) * DAY), 2 * DAY)
    found = series.find(db, "pm-01/c1", "w")
    assert found is not None
    read = series.series(db, found, begin, end, step, ZONE, 10 * MINUTE)
    db.close()
    plain: list[tuple[float | None, ...]] = []
    for t in range(begin, end, step):
        watts = [w for at, _, w, _ in told if t <= at < t + step]
        values = (min(watts), sum(watts) / len(watts), max(watts)) if watts else ()
        plain.append((t, *(v / 1000 for v in values)) if values else (t, None, None, None))
    assert [(s.t, s.low, s.mean, s.high) for s in read] == plain


@pytest.mark.parametrize(("zone", "hours"), [("Asia/Shanghai", 24), ("Europe/Berlin", 23)])
def test_days_are_read_ready_where_all_have_24_hours(tmp_path: Path, zone: str, hours: int) -> None:
    """The days of a hall with summer time are made of their hours, so none is counted twice."""
    local = ZoneInfo(zone)
    first = series.aligned(1_774_699_200_000, DAY, local)  # 2026-03-28; Berlin's 29th has 23 h
    db = store.open_writer(tmp_path)
    hot = Hot(local)
    hot.load(db)
    told = [(first + n * HOUR, n + 1, 1000 * n, None) for n in range(4 * 24)]
    hot.keep(db, lanes([said("c1", row, row[0], estimated=False, new=True) for row in told]))
    asked: list[str] = []
    db.set_trace_callback(asked.append)
    found = series.find(db, "pm-01/c1", "w")
    assert found is not None
    read = series.series(db, found, first, first + 3 * DAY, DAY, local, HOUR)
    assert any(f"step = {DAY}" in sql for sql in asked) is (hours == 24)
    assert [(s.low, s.high) for s in read] == [(0, 23), (24, 47), (48, 71)]
    db.close()


def test_a_field_that_is_not_rolled_up_is_read_from_its_rows() -> None:
    """Volts, a bare counter: whatever the step, hot or packed."""
    db = fresh()
    hot = Hot(ZONE)
    hot.load(db)
    told = [(BEGIN + n * HOUR, n + 1, 1000, 1000 * n) for n in range(96)]
    hot.keep(db, lanes([said("c1", row, row[0], estimated=False, new=True) for row in told]))
    for _ in range(3):
        hot.settle(db, BEGIN + 10 * DAY, 8 * DAY)
    found = series.find(db, "pm-01/c1", "wh")
    assert found is not None
    for step in (HOUR // 2, HOUR, DAY):
        read = series.series(db, found, BEGIN, BEGIN + 4 * DAY, step, ZONE, HOUR)
        per = max(1, step // HOUR)
        known = [(s.low, s.high) for s in read if s.mean is not None]
        assert known == [(n, n + per - 1) for n in range(0, 96, per)]
    db.close()
