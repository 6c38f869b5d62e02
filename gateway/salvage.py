"""What a damaged database still holds that its backup does not: read row by row, checked, stored.

Events go through the journal and the history like new ones, so they are stored once and their
series and sums are kept; the rules judge them at the next start. Audit rows continue their chain.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import msgspec

from gateway import audit, store
from gateway.events import Event, Refused, Unknown, decode
from gateway.history import last
from gateway.history.hot import Hot
from gateway.history.times import resolve
from gateway.journal import Journal, checksum

_BATCH = 512
_EVENT = "SELECT crc,device,log,seq,boot,up,t,at,t_at,kind,payload FROM event WHERE id=?"
_ALIKE = (
    "permit",
    "entry",
    "account",
    "gap",
    "opinion",
    "roster",
    "visit_count",
)  # rows that stand by their key alone


def run(damaged: Path, db: sqlite3.Connection) -> list[str]:
    """Take over what came after the backup that is now in `db`. What was taken, a line each."""
    said = []
    try:
        with closing(store.open_file(damaged)) as old:
            for table in _ALIKE:
                _rows(old, db, table)
            taken, unread = _events(old, db)
            said.append(f"took over {taken} later events from it")
            if unread:
                said.append(f"{unread} of its rows cannot be read or are not as they were stored")
            said.append(f"took over {_audit(old, db)} later rows of the audit")
    except (sqlite3.DatabaseError, OSError) as fault:
        said.append(f"no more can be read from it ({fault})")
    return said


def _events(old: sqlite3.Connection, db: sqlite3.Connection) -> tuple[int, int]:
    """(events stored, rows that could not be)."""
    begin = db.execute("SELECT coalesce(max(id), 0) FROM event").fetchone()[0]
    zone = _zone(db)
    journal, hot, unread, taken = Journal(), Hot(zone), 0, 0
    journal.load(db)
    hot.load(db)
    pending = 0
    db.execute("BEGIN IMMEDIATE")

    def flush() -> int:
        stored, _ = journal.write(db)
        said = resolve(db, stored)
        last.keep(db, said)
        hot.keep(db, said)
        return sum(one.new for one in stored)

    for row in _each(old, begin):
        if row is None or checksum(*row[1:]) != row[0]:
            unread += 1
            continue
        _, device, _, _, _, _, t, at, t_at, _, payload = row
        raw = payload.encode()
        for part, event in decode(raw):
            if isinstance(event, Refused):
                unread += 1
                continue
            if t is None or t_at == at:
                journal.accept(db, device, part, _at(event, t), at)
            else:  # the copy that gave the time came later
                journal.accept(db, device, part, _at(event, None), at)
                journal.accept(db, device, part, _at(event, t), t_at)
        pending += 1
        if pending >= _BATCH:
            taken, pending = taken + flush(), 0
    taken += flush()
    db.execute("COMMIT")
    return taken, unread


def _at(event: Event | Unknown, t: int | None) -> Event | Unknown:
    """The event with the time that the journal believed."""
    if isinstance(event, Unknown):
        return msgspec.structs.replace(event, t=t)
    changed: Event = msgspec.structs.replace(event, t=t)
    return changed


def _each(old: sqlite3.Connection, after: int) -> Iterator[Any]:
    """Event rows after an id; None for one on a damaged page."""
    for number in range(after + 1, _top(old) + 1):
        try:
            row = old.execute(_EVENT, (number,)).fetchone()
        except sqlite3.DatabaseError:
            yield None
            continue
        if row is not None:
            yield row


def _top(old: sqlite3.Connection) -> int:
    """The highest id an event may have. The newest page may be the damaged one: then there are no
    more ids than events were ever stored."""
    try:
        return int(old.execute("SELECT max(id) FROM event").fetchone()[0] or 0)
    except sqlite3.DatabaseError:
        return int(old.execute("SELECT sum(stored) FROM log").fetchone()[0] or 0)


def _audit(old: sqlite3.Connection, db: sqlite3.Connection) -> int:
    """Rows that follow, by their hash, from the backup's last one."""
    found = db.execute("SELECT id, hash FROM audit ORDER BY id DESC LIMIT 1").fetchone()
    number, before = found if found else (0, audit.START)
    taken = 0
    db.execute("BEGIN IMMEDIATE")
    try:
        for row in old.execute(
            "SELECT id, at, who, what, about, hash FROM audit WHERE id > ? ORDER BY id", (number,)
        ):
            if row[0] != number + 1 or row[5] != audit.link(before, *row[:5]):
                break
            db.execute(
                "INSERT INTO audit (id, at, who, what, about, hash) VALUES (?,?,?,?,?,?)", row
            )
            number, before, taken = row[0], row[5], taken + 1
    except sqlite3.DatabaseError:  # the rest is on a damaged page
        pass
    db.execute("COMMIT")
    return taken


def _rows(old: sqlite3.Connection, db: sqlite3.Connection, table: str) -> None:
    """All rows of a small table that the backup does not have."""
    here = [row[1] for row in db.execute(f"PRAGMA table_info({table})")]
    there = {row[1] for row in old.execute(f"PRAGMA table_info({table})")}
    columns = ",".join(f'"{name}"' for name in here if name in there)
    marks = ",".join("?" for name in here if name in there)
    db.execute("BEGIN IMMEDIATE")
    try:
        for row in old.execute(f"SELECT {columns} FROM {table}"):
            db.execute(f"INSERT OR IGNORE INTO {table} ({columns}) VALUES ({marks})", row)
    except sqlite3.DatabaseError:  # the rest is on a damaged page
        pass
    db.execute("COMMIT")


def _zone(db: sqlite3.Connection) -> ZoneInfo:
    """The hall's time zone, as its last gateway noted it."""
    row = db.execute("SELECT value FROM meta WHERE key='timezone'").fetchone()
    return ZoneInfo(row[0] if row else "Asia/Shanghai")
