"""Whatever order, repeats, restarts, packing and late times: what is kept is a recount."""

from __future__ import annotations

import random
import sqlite3
import tempfile
from collections import defaultdict
from functools import lru_cache
from itertools import pairwise
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway import store
from gateway.history import buckets, chunks
from gateway.history.buckets import DAY, HOUR, Reading
from gateway.history.hot import Hot
from gateway.history.times import Said, lanes

ZONE = ZoneInfo("Asia/Shanghai")
BEGIN = 1_782_835_200_000  # 2026-07-01 00:00 in Shanghai
DAYS = 9

Row = tuple[int, int, int, int | None]  # t, seq, mW, mWh


def said(ch: str, row: Row, t: int, *, estimated: bool, new: bool) -> Said:
    _, seq, w, wh = row
    payload: dict[str, Any] = {"ch": ch, "w": w / 1000}
    if wh is not None:
        payload["wh"] = wh / 1000
    return Said("pm-01", "9f3a1c22", seq, 1, t, estimated, False, "power", payload, new)


@lru_cache
def _empty() -> bytes:
    with tempfile.TemporaryDirectory() as folder:
        db = store.open_writer(Path(folder))
        db.execute("PRAGMA journal_mode=DELETE")
        found = db.serialize()
        db.close()
    return found


def fresh() -> sqlite3.Connection:
    """A new database in memory, for tests that need hundreds."""
    db = sqlite3.connect(":memory:", isolation_level=None)
    db.deserialize(_empty())
    return db


rows = st.lists(
    st.tuples(
        st.one_of(
            st.integers(0, DAYS * DAY - 1), st.integers(0, DAYS * 24 - 1).map(lambda h: h * 3600000)
        ),
        st.integers(0, 2_000_000),
        st.one_of(st.none(), st.integers(0, 5_000_000)),
    ),
    min_size=2,
    max_size=14,
).map(lambda found: [(BEGIN + t, seq, w, wh) for seq, (t, w, wh) in enumerate(found, 1)])


def recount(channel: int, rows: list[Row]) -> tuple[set[Any], dict[tuple[int, int], int]]:
    """Rollups of watts, and energy by (channel, hour), of all rows at once."""
    at: dict[tuple[int, int], list[Row]] = defaultdict(list)
    rows = sorted(rows)
    for row in rows:
        for step in buckets.STEPS:
            at[step, buckets.begin(step, row[0], ZONE)].append(row)
    rolled = set()
    for (step, t), some in at.items():
        watts = [row[2] for row in some]
        counted = len(watts), min(watts), max(watts), sum(watts), watts[-1]
        rolled.add((channel, 1, step, t, *counted))
    energy: dict[tuple[int, int], int] = defaultdict(int)
    for a, b in pairwise(rows):
        for hour, uwh in buckets.spent(Reading(a[0], a[2], a[3]), Reading(b[0], b[2], b[3])):
            energy[channel, hour] += uwh
    return rolled, dict(energy)


def held(db: sqlite3.Connection) -> set[Any]:
    found = {tuple(r) for r in db.execute("SELECT channel, t, seq, f1, f5 FROM sample")}
    for channel, data in db.execute("SELECT channel, data FROM chunk"):
        for t, _, seq, _, w, _, _, _, wh in chunks.unpack(data):
            assert (channel, t, seq, w, wh) not in found, "both hot and packed"
            found.add((channel, t, seq, w, wh))
    return found


@settings(max_examples=60, deadline=None)
@given(rows, rows, st.randoms(use_true_random=False))
def test_what_is_kept_is_a_recount(one: list[Row], two: list[Row], dice: random.Random) -> None:
    """Turns of any size in any order, some rows twice, some first at a guessed time; between them
    days are packed and sealed and the gateway is started anew."""
    first: list[Said] = []
    for ch, every in (("c1", one), ("c2", two)):
        for row in every:
            if dice.random() < 0.3:
                guess = BEGIN + dice.randrange(DAYS * DAY)
                first.append(said(ch, row, guess, estimated=True, new=True))
            else:
                first.append(said(ch, row, row[0], estimated=False, new=True))
    dice.shuffle(first)
    by_seq = {(ch, row[1]): row for ch, every in (("c1", one), ("c2", two)) for row in every}
    turns: list[list[Said]] = []
    while first:
        size = dice.randint(1, 5)
        turns.append(first[:size])
        first = first[size:]
    guessed = [(n, e) for n, turn in enumerate(turns) for e in turn if e.estimated]
    after: dict[int, list[Said]] = defaultdict(list)
    for n, e in guessed:  # its time is learnt in a later turn, perhaps at the end
        ch = str(e.payload["ch"])
        row = by_seq[ch, e.seq]
        after[dice.randint(n + 1, len(turns))].append(
            said(ch, row, row[0], estimated=False, new=False)
        )
    db = fresh()
    hot = Hot(ZONE)
    hot.load(db)
    for n in range(len(turns) + 1):
        turn = (turns[n] if n < len(turns) else []) + after[n]
        told = [e for t in turns[:n] for e in t if not e.estimated]
        turn += [dice.choice(told)] if told and dice.random() < 0.3 else []
        dice.shuffle(turn)
        hot.keep(db, lanes(turn))
        if dice.random() < 0.3:
            hot = Hot(ZONE)
            hot.load(db)
        now = BEGIN + dice.randrange((DAYS + 1) * DAY)
        for _ in range(dice.choice([0, 0, 1, 3, 40])):
            hot.settle(db, now, 2 * DAY)
    ids = dict(db.execute("SELECT ch, id FROM channel"))
    rolled: set[Any] = set()
    energy: dict[tuple[int, int], int] = {}
    for ch, every in (("c1", one), ("c2", two)):
        found = recount(ids[ch], every)
        rolled |= found[0]
        energy |= found[1]
    assert held(db) == {
        (ids[ch], t, seq, w, wh)
        for ch, every in (("c1", one), ("c2", two))
        for t, seq, w, wh in every
    }
    assert {tuple(r) for r in db.execute("SELECT * FROM rollup")} == rolled
    billed = {(c, t): uwh for c, t, uwh in db.execute("SELECT channel, t, uwh FROM energy") if uwh}
    assert billed == energy
    days: dict[tuple[int, int], int] = defaultdict(int)
    sealed = db.execute("SELECT value FROM meta WHERE key = 'energy_days'").fetchone()
    for (c, hour), uwh in energy.items():
        if sealed and hour < int(sealed[0]):
            days[c, buckets.begin(DAY, hour, ZONE)] += uwh
    assert {(c, t): uwh for c, t, uwh in db.execute("SELECT * FROM energy_day") if uwh} == days
    db.close()


KEPT = BEGIN + 15 * DAY  # what is older was dropped for its age


def aged(guessed: int) -> tuple[sqlite3.Connection, Hot, list[Row]]:
    """A counter read once in every hour of 20 days, the first 15 of which are dropped for their
    age; one row stands at a guessed time."""
    db = fresh()
    hot = Hot(ZONE)
    hot.load(db)
    hours = range(24 * 20)
    rows: list[Row] = [
        (BEGIN + n * HOUR + HOUR // 4, n, 1000 * n, 500_000 + n * 1000) for n in hours
    ]
    hot.keep(db, lanes([said("c1", r, r[0], estimated=r[1] == guessed, new=True) for r in rows]))
    while hot.settle(db, BEGIN + 20 * DAY, 0):
        pass
    at: int | None = 0
    while at is not None:
        at = hot.packing.prune(db, at, KEPT)
    return db, hot, rows


def sums(db: sqlite3.Connection) -> list[object]:
    return [
        db.execute("SELECT * FROM rollup WHERE step > 60000 ORDER BY 1, 2, 3, 4").fetchall(),
        db.execute("SELECT * FROM energy WHERE uwh <> 0 ORDER BY 1, 2").fetchall(),
        db.execute("SELECT * FROM energy_day WHERE uwh <> 0 ORDER BY 1, 2").fetchall(),
    ]


@pytest.mark.parametrize("anew", [False, True])
@pytest.mark.parametrize("before", [1, 1_800_000, DAY, 8 * DAY])
def test_what_comes_after_its_time_was_dropped_counts_nothing_twice(
    before: int, anew: bool
) -> None:
    """Its neighbours are gone, so that the counter's difference to them would be billed again."""
    db, hot, _ = aged(-1)
    counted = sums(db)
    if anew:
        hot = Hot(ZONE)
        hot.load(db)
    t = KEPT - before
    late = (t, 9000, 500, 500_000 + (t - BEGIN) * 1000 // HOUR)
    hot.keep(db, lanes([said("c1", late, t, estimated=False, new=True)]))
    assert sums(db) == counted
    db.close()


def test_a_row_that_was_dropped_stays_where_it_was_counted() -> None:
    """Its true time is learnt when its bucket could not be counted afresh any more."""
    db, hot, rows = aged(guessed=30)
    counted = sums(db)
    hot.keep(db, lanes([said("c1", rows[30], KEPT + DAY + 1, estimated=False, new=False)]))
    assert sums(db) == counted
    db.close()


def test_a_late_row_before_the_first_that_is_kept_is_not_billed_again() -> None:
    db, hot, _ = aged(-1)
    spent = sums(db)[1:]
    late = (KEPT + 1000, 9000, 500, 500_000 + 15 * 24 * 1000 - 900)
    hot.keep(db, lanes([said("c1", late, late[0], estimated=False, new=True)]))
    assert sums(db)[1:] == spent
    db.close()
