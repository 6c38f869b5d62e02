"""Ratings: which presses count, and that nobody can change one."""

from __future__ import annotations

import random
import sqlite3
from datetime import date
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway import ratings
from gateway.clock import parse_instant
from gateway.ratings import Press, Tally
from tests.gateway.api.house import NOON, House

ZONE = ZoneInfo("Asia/Shanghai")


def press(
    time: int, level: int = 5, visit: str | None = None, seq: int = 0, pad: str = "p"
) -> Press:
    return Press(time, 1, seq or time, "0a", pad, level, visit)


def counted(*presses: Press) -> list[bool]:
    return [counts for _, counts in ratings.judged(presses, ZONE)]


def test_dwell_is_ten_seconds_and_half_open() -> None:
    assert counted(press(1000), press(10_999), press(11_000), press(20_999), press(21_000)) == [
        *(True, False, True, False, True)
    ]


def test_a_duplicate_does_not_lengthen_the_dwell() -> None:
    assert counted(press(1), press(9_000), press(10_001), press(15_000)) == [
        *(True, False, True, False)
    ]


def test_a_visit_counts_once_however_late() -> None:
    a, b = press(1000, visit="A1"), press(500_000, visit="A1")
    assert counted(b, a) == [True, False]
    assert counted(press(1, visit="A1"), press(2, visit="A2"), press(3)) == [True] * 3


def test_queue_numbers_come_again_the_next_day() -> None:
    assert counted(press(NOON, visit="A1"), press(NOON + 86_400_000, visit="A1")) == [True, True]


def test_pads_do_not_touch_each_other() -> None:
    assert counted(press(1, pad="a"), press(2, pad="b"), press(3, pad="a")) == [True, True, False]


def test_points() -> None:
    assert Tally((1, 1, 1, 1, 1)).mean == pytest.approx(3.8)
    assert Tally().mean is None
    assert ratings.shown(Tally((0, 0, 0, 0, 4)))["levels"] is None
    assert ratings.shown(Tally((0, 0, 0, 0, 5)))["mean"] == 10


def brute(presses: list[Press]) -> int:
    """Counted presses, by the words of the rulebook and nothing else."""
    n = 0
    for pad in {p.pad for p in presses}:
        mine = sorted({(p.time, p.seq, p.visit) for p in presses if p.pad == pad})
        n += len({visit for _, _, visit in mine if visit})
        opened = None
        for time, _, visit in mine:
            if visit is None and (opened is None or time - opened >= 10_000):
                opened, n = time, n + 1
    return n


some_presses = st.lists(
    st.builds(
        lambda time, level, visit, pad: (time, level, visit, pad),
        st.integers(0, 60_000),
        st.integers(1, 5),
        st.sampled_from([None, None, "A1", "A2"]),
        st.sampled_from(["a", "b"]),
    ),
    max_size=40,
)


@given(some_presses, st.randoms())
def test_any_order_and_repetition(drawn: list, shuffler: random.Random) -> None:
    presses = [press(t, lv, v, seq, pad) for seq, (t, lv, v, pad) in enumerate(drawn, 1)]
    twice = presses + shuffler.sample(presses, len(presses) // 2)
    shuffler.shuffle(twice)
    told = ratings.tallies(twice, ZONE, 0, 10**9)
    assert told == ratings.tallies(presses, ZONE, 0, 10**9)
    assert sum(tally.n for tally in told.values()) == brute(presses)
    assert sum(tally.n + tally.duplicates for tally in told.values()) == len(presses)


mixed = st.lists(
    st.tuples(
        *(st.integers(0, 60_000), st.integers(1, 5), st.sampled_from([None, "A1", "A2"])),
        *(st.sampled_from(["a", "b"]), st.sampled_from(["pad", "pad", "qr", "paper"])),
    ),
    max_size=40,
)


@given(mixed, st.randoms())
def test_any_order_and_repetition_of_all_channels(drawn: list, shuffler: random.Random) -> None:
    """A visit counts once on all of them; only a pad without one has a dwell."""
    presses = [
        Press(t, 1, seq, "0a", pad, level, None if channel == "qr" else visit, channel)
        for seq, (t, level, visit, pad, channel) in enumerate(drawn, 1)
    ]
    again = presses + shuffler.choices(presses, k=len(presses)) if presses else []
    shuffler.shuffle(again)
    told = ratings.tallies(again, ZONE, 0, 10**9)
    assert told == ratings.tallies(presses, ZONE, 0, 10**9)
    bare = [p for p in presses if p.channel != "pad" and p.visit is None]
    rest = [p for p in presses if p not in bare]
    assert sum(tally.n for tally in told.values()) == brute(rest) + len(bare)
    assert sum(tally.n + tally.duplicates for tally in told.values()) == len(presses)


@pytest.fixture
def house(tmp_path: Path):
    made = House(tmp_path)
    yield made
    made.close()


def test_summary_from_the_store(house: House) -> None:
    day = date(2026, 7, 1)
    midnight = parse_instant("2026-07-02T00:00:00+08:00")
    for seq in range(1, 6):
        house.event("pad-w01", seq, "rating", NOON + seq * 20_000, level=6 - seq)
    house.event("pad-w01", 6, "rating", midnight - 3_000, level=5)
    house.event("pad-w01", 7, "rating", midnight + 3_000, level=5)  # within that dwell
    house.event("pad-w01", 8, "rating", None, at=NOON, level=5, visit="x")
    told = ratings.summary(house.reader(), house.context.site, day, day, "counter")
    assert told[0]["counter"] == "w01"
    assert (told[0]["n"], told[0]["duplicates"], told[0]["unrated"]) == (7, 0, None)
    assert told[0]["levels"] == {"5": 3, "4": 1, "3": 1, "2": 1, "1": 1}
    assert told[0]["mean"] == pytest.approx((30 + 8 + 6 + 0 - 5) / 7)
    after = ratings.summary(
        house.reader(), house.context.site, date(2026, 7, 2), date(2026, 7, 2), "department"
    )
    assert after[0]["department"] == "市场监督管理局"
    assert (after[0]["n"], after[0]["duplicates"], after[0]["levels"]) == (0, 1, None)


@pytest.mark.parametrize(
    "statement",
    [
        "DELETE FROM event WHERE kind = 'rating'",
        "DELETE FROM event",
        "UPDATE event SET payload = replace(payload, '\"level\":1', '\"level\":5')",
        "UPDATE event SET kind = 'button' WHERE kind = 'rating'",
        "UPDATE event SET kind = 'rating' WHERE kind = 'button'",
        "UPDATE event SET device = 'pad-w02' WHERE kind = 'rating'",
        "UPDATE event SET t = t - 86400000, t_at = t_at + 1 WHERE kind = 'rating'",
        "UPDATE event SET t = NULL, t_at = NULL WHERE kind = 'rating'",
        "REPLACE INTO event SELECT id, device, log, seq, boot, up, t, at, t_at, 'button', payload,"
        " crc FROM event WHERE kind = 'rating'",
        "REPLACE INTO event (device, log, seq, boot, up, t, at, t_at, kind, payload, crc)"
        " SELECT device, log, seq, boot, up, t, at, t_at, 'button', payload, crc FROM event"
        " WHERE kind = 'rating'",
    ],
)
def test_sql_cannot_change_a_rating(house: House, statement: str) -> None:
    house.event("pad-w01", 1, "rating", NOON, level=1)
    house.event("pad-w01", 2, "button", NOON, name="help")
    before = house.db.execute("SELECT * FROM event WHERE kind = 'rating'").fetchall()
    with pytest.raises(sqlite3.IntegrityError, match="rating cannot"):
        house.db.execute(statement)
    assert house.db.execute("SELECT * FROM event WHERE kind = 'rating'").fetchall() == before


def test_one_time_for_one_arrival(house: House) -> None:
    house.event("pad-w01", 1, "rating", NOON, level=1)
    house.db.execute("UPDATE event SET t = t - 86400000")
    assert house.db.execute("SELECT t FROM event").fetchone()[0] == NOON


def test_the_journal_may_learn_a_time(house: House) -> None:
    house.event("pad-w01", 1, "rating", None, at=NOON, level=1)
    house.db.execute("UPDATE event SET t = ?, at = ?, t_at = ?, crc = 1", (NOON - 5, NOON, NOON))
    house.db.execute(
        "UPDATE event SET t = ?, at = ?, t_at = ?, crc = 1", (NOON - 9, NOON - 8, NOON - 8)
    )
