"""A flipped bit in the history is found, and what it hit is made again from the journal."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from gateway import store, verify
from gateway.events import Refused, decode
from gateway.history import series
from gateway.history.buckets import DAY, MINUTE
from gateway.history.hot import Hot
from gateway.history.times import lanes, resolve
from gateway.journal import Journal
from tests.gateway.history.test_recount import ZONE
from tests.gateway.test_backup import DEVICE, START, store_events

STEP = 10_000
ROWS = "SELECT channel, t, boot, seq, log, f1 FROM sample ORDER BY 1, 2, 3, 4"


@pytest.fixture
def db(tmp_path: Path) -> Iterator[sqlite3.Connection]:
    """Forty readings, some without a time of their own, whose day is packed."""
    store_events(tmp_path, 1, 40)
    with closing(store.open_writer(tmp_path)) as made:
        hot = Hot(ZONE)
        hot.load(made)
        made.execute("CREATE TEMP TABLE plain AS " + ROWS)
        while hot.settle(made, START + 40 * DAY, DAY):
            pass
        assert made.execute("SELECT count(*) FROM sample").fetchone() == (0,)
        yield made


def flip(db: sqlite3.Connection) -> None:
    """One bit of the packed day."""
    (data,) = db.execute("SELECT data FROM chunk").fetchone()
    harmed = bytearray(data)
    harmed[len(data) // 2] ^= 4
    db.execute("UPDATE chunk SET data = ?", (bytes(harmed),))


def shown(db: sqlite3.Connection) -> list[series.Step]:
    found = series.find(db, f"{DEVICE}/c1", "w")
    assert found is not None
    return series.series(db, found, START, START + 41 * STEP, STEP, ZONE, MINUTE)


def test_a_damaged_day_reads_as_before(db: sqlite3.Connection) -> None:
    before = shown(db)
    flip(db)
    assert shown(db) == before


def test_a_late_row_into_a_damaged_day_finds_its_neighbours(db: sqlite3.Connection) -> None:
    """Neither is the turn's history given up, nor are the day's rows."""
    flip(db)
    journal, hot = Journal(), Hot(ZONE)
    journal.load(db)
    hot.load(db)
    late = '{"log":"9f3a1c22","seq":41,"boot":1,"up":5,"t":%d,"kind":"power","ch":"c1","w":5}'
    raw = (late % (START + 15_000)).encode()
    db.execute("BEGIN")
    for part, event in decode(raw):
        assert not isinstance(event, Refused)
        journal.accept(db, DEVICE, part, event, START + 10 * DAY)
    stored, _ = journal.write(db)
    hot.keep(db, lanes(resolve(db, stored)))
    db.execute("COMMIT")
    plain = db.execute("SELECT * FROM plain").fetchall()
    assert [row for row in db.execute(ROWS).fetchall() if row[3] != 41] == plain
    assert verify.check(db, lambda _: None) == []


@pytest.mark.parametrize(
    ("harm", "named"),
    [
        ("chunk", "packed days: 1 changed, the first is pm-01/c1 of 2026-07-01"),
        ("UPDATE rollup SET sum = sum + 4096 WHERE step = 3600000", "sums: hours do not add up"),
        ("UPDATE rollup SET high = high + 8192 WHERE step = 86400000", "sums: hours do not add up"),
        ("UPDATE energy_day SET uwh = uwh + 1", "sums: hours do not add up to days at pm-01/c1"),
        ("UPDATE chunk SET n = n - 1", "packed days: 1 changed"),
    ],
)
def test_what_is_not_as_it_was_written_is_found(
    db: sqlite3.Connection, harm: str, named: str
) -> None:
    said: list[str] = []
    assert verify.check(db, said.append) == []
    assert "✓ 1 packed days and the sums of 1 channels" in said
    if harm == "chunk":
        flip(db)
    else:
        db.execute(harm)
    (found,) = verify.check(db, lambda _: None)
    assert found.startswith(named)
