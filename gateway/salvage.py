"""What a damaged database still holds that its backup does not: read row by row, checked, stored.

Events go through the journal and the history like new ones, so they are stored once and their
series and sums are kept; the rules judge them at the next start. Audit rows continue their chain.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing, suppress
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import msgspec

from gateway import audit, store
from gateway.events import Event, Refused, Unknown, decode
from gateway.history import last
from gateway.history.hot import Hot
from gateway.history.times import lanes, resolve
from gateway.journal import Journal, checksum

_BATCH = 512
_EVENT = "SELECT crc,device,log,seq,boot,up,t,at,t_at,kind,payload FROM event WHERE id=?"
# What people told, each table after those it refers to. Findings, alerts and commands are not here:
# the rules judge anew, and a finding's id follows from what it is.
TOLD = (
    *("account", "permit", "entry", "gap", "opinion", "roster", "visit_count"),
    *("register_entry", "register_strike", "appointment", "appointment_event"),
    *("attendance_import", "attendance_punch", "case_file", "case_event", "case_now", "contact"),
    *("shift", "closing_check", "patrol_signature", "electrician_check", "sheet_field"),
    "episode_decision",
)


def run(damaged: Path, db: sqlite3.Connection) -> list[str]:
    """Take over what came after the backup that is now in `db`. What was taken, a line each.
    Raises sqlite3.DatabaseError where `db` cannot be written."""
    with closing(store.open_file(damaged)) as old:
        try:
            old.execute("SELECT count(*) FROM sqlite_master").fetchone()
        except sqlite3.DatabaseError as fault:
            return [f"nothing can be read from it ({fault})"]
        rows, refused = 0, 0
        for table in TOLD:
            new, wrong = _rows(old, db, table)
            rows, refused = rows + new, refused + wrong
        taken, unread = _events(old, db)
        said = [f"took over {taken} later events from it"]
        if unread + refused:
            said.append(
                f"{unread + refused} of its rows cannot be read or are not as they were stored"
            )
        said.append(f"took over {_audit(old, db)} later rows of the audit")
        said.append(f"took over {rows} other rows: permits, entries, accounts, cases, registers")
    return said


def _read(old: sqlite3.Connection, sql: str, args: tuple[object, ...] = ()) -> Iterator[Any]:
    """Rows up to the first that lies on a damaged page."""
    with suppress(sqlite3.DatabaseError):
        yield from old.execute(sql, args)


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
        by_channel = lanes(resolve(db, stored))
        last.keep(db, by_channel)
        hot.keep(db, by_channel)
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
    for row in _read(
        old, "SELECT id, at, who, what, about, hash FROM audit WHERE id > ? ORDER BY id", (number,)
    ):
        if row[0] != number + 1 or row[5] != audit.link(before, *row[:5]):
            break
        db.execute("INSERT INTO audit (id, at, who, what, about, hash) VALUES (?,?,?,?,?,?)", row)
        number, before, taken = row[0], row[5], taken + 1
    db.execute("COMMIT")
    return taken


def _rows(old: sqlite3.Connection, db: sqlite3.Connection, table: str) -> tuple[int, int]:
    """Take over the rows of a table that the backup does not have or has in an earlier state.
    (rows taken, rows that the schema refuses)."""
    info = db.execute(f"PRAGMA table_info({table})").fetchall()
    there = {row[1] for row in _read(old, f"PRAGMA table_info({table})")}
    names = [row[1] for row in info if row[1] in there]
    keys = [row[1] for row in info if row[5]]
    if not there.issuperset(keys):
        return 0, 0
    columns = ",".join(f'"{name}"' for name in names)
    where = " AND ".join(f'"{name}"=?' for name in keys)
    taken = refused = 0
    db.execute("BEGIN IMMEDIATE")
    for row in _read(old, f"SELECT {columns} FROM {table}"):
        said = dict(zip(names, row, strict=True))
        key = [said[name] for name in keys]
        have = db.execute(f"SELECT {columns} FROM {table} WHERE {where}", key).fetchone()
        try:
            if have is None:
                marks = ",".join("?" * len(names))
                db.execute(f"INSERT INTO {table} ({columns}) VALUES ({marks})", row)
            elif have != row:
                changed = [n for n, a, b in zip(names, have, row, strict=True) if a != b]
                to = ",".join(f'"{name}"=?' for name in changed)
                db.execute(
                    f"UPDATE {table} SET {to} WHERE {where}", [said[n] for n in changed] + key
                )
            else:
                continue
        except sqlite3.IntegrityError:
            refused += 1
        else:
            taken += 1
    db.execute("COMMIT")
    return taken, refused


def _zone(db: sqlite3.Connection) -> ZoneInfo:
    """The hall's time zone, as its last gateway noted it."""
    row = db.execute("SELECT value FROM meta WHERE key='timezone'").fetchone()
    return ZoneInfo(row[0] if row else "Asia/Shanghai")
