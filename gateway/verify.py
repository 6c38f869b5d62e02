"""`hallkeeper verify`: whether the store is whole, beside a running gateway or without one."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from pathlib import Path

from gateway import audit, store
from gateway.errors import InputFault
from gateway.intervals import Intervals
from gateway.journal import damaged


def run(data: Path) -> None:
    """Print one line a check. Raises InputFault where something is wrong, naming it."""
    db = store.open_reader(data)
    try:
        faults = list(_checks(db))
    except sqlite3.DatabaseError as fault:
        raise InputFault(f"{data}: the database is damaged ({fault}); restore a backup") from fault
    finally:
        db.close()
    for text in faults:
        print(f"✗ {text}")
    if faults:
        raise InputFault(f"{data}: {len(faults)} of the checks failed")


def _checks(db: sqlite3.Connection) -> Iterator[str]:
    found = [row[0] for row in db.execute("PRAGMA integrity_check")]
    if found == ["ok"]:
        print("✓ structure of the database")
    else:
        yield f"structure of the database: {found[0]}"
    wrong = list(damaged(db))
    events = db.execute("SELECT count(*) FROM event").fetchone()[0]
    if wrong:
        yield f"checksums: {len(wrong)} of {events} events changed, the first is row {wrong[0]}"
    else:
        print(f"✓ checksums of {events} events")
    broken = audit.check(db)
    if broken is not None:
        yield f"audit chain: broken at row {broken}"
    else:
        rows = db.execute("SELECT count(*) FROM audit").fetchone()[0]
        print(f"✓ audit chain of {rows} rows")
    short = 0
    for device, log, acked, top in db.execute("SELECT device, log, acked, top FROM log"):
        have = _received(db, device, log)
        if have.head < acked:
            short += 1
            yield f"gaps: {device}/{log} is acknowledged to {acked}, but has 1 to {have.head} only"
        for first, last in have.missing(1, top):
            print(f"· {device}/{log}: {first}–{last} not yet received")
    if not short:
        print("✓ every acknowledged number is there")


def _received(db: sqlite3.Connection, device: str, log: str) -> Intervals:
    have = Intervals()
    for (seq,) in db.execute(
        "SELECT seq FROM event WHERE device=? AND log=? ORDER BY seq", (device, log)
    ):
        have.add(seq)
    for first, last in db.execute(
        "SELECT first, last FROM gap WHERE device=? AND log=?", (device, log)
    ):
        have.add(first, last)
    return have
