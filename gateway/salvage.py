"""What a damaged database still holds that its backup does not: read row by row, checked, stored.

Events go through the journal and the history like new ones, so they are stored once and their
series and sums are kept; the rules judge them at the next start. Findings and alerts are taken over
as they stood, with what people did to them. Audit rows continue their chain.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import msgspec

from gateway import audit, legible, store
from gateway.alerts import alert_of
from gateway.events import Event, Refused, Unknown, decode
from gateway.history import last
from gateway.history.hot import Hot
from gateway.history.times import lanes, resolve
from gateway.journal import Journal, checksum
from gateway.legible import Row, Table
from gateway.timeline import is_stale
from gateway.verify import received

_BATCH = 512
_EVENT = "SELECT crc,device,log,seq,boot,up,t,at,t_at,kind,payload FROM event WHERE id=?"
# What people and devices told, and how far the gateway was with it, each table after those it
# refers to. The newer state of a row stands.
TOLD = (
    *("account", "permit", "entry", "gap", "opinion", "roster", "visit_count"),
    *("register_entry", "register_strike", "appointment", "appointment_event"),
    *("attendance_import", "attendance_punch", "case_file", "case_event", "case_now", "contact"),
    *("shift", "closing_check", "patrol_signature", "electrician_check", "sheet_field"),
    *("episode_decision", "maintenance", "device", "reject", "firmware_update"),
    *("command", "control", "pending_switch", "finding_history", "alert_history"),
    *("channel_health", "notification", "attempt"),
)
# Of one moment, so taken together.
PAIRED = ("finding", "alert")
# Each in a way of its own.
APART = ("event", "log", "meta", "audit")
# How the store's own sums stand; what the rules still have to judge again is reckoned here.
_META_OF_THE_STORE = ("energy_days", "minutes_from", "late_from")


@dataclass(slots=True)
class Taken:
    """What was taken over, and of what not everything could be."""

    rows: int = 0
    wrong: int = 0
    short: list[str] = field(default_factory=list)

    def missed(self, table: str) -> None:
        self.wrong += 1
        if table not in self.short:
            self.short.append(table)


def run(damaged: Path, db: sqlite3.Connection) -> list[str]:
    """Take over what came after the backup that is now in `db`. What was taken, a line each.
    Raises sqlite3.DatabaseError where `db` cannot be written."""
    with closing(store.open_file(damaged)) as old:
        try:
            old.execute("SELECT count(*) FROM sqlite_master").fetchone()
        except sqlite3.DatabaseError as fault:
            return [f"nothing can be read from it ({fault})"]
        taken = Taken()
        lifted, answered = _lifted(db), _answered(db)
        for table in TOLD:
            _rows(old, db, table, taken)
        _findings(old, db, taken)
        _agree(db)
        _meta(old, db)
        events, unread, earliest = _events(old, db)
        _logs(old, db)
        _judge_again(old, db, {*earliest, *(row[1] for row in _lifted(db) ^ lifted)})
        said = [f"took over {events} later events from it"]
        if unread + taken.wrong:
            said.append(
                f"{unread + taken.wrong} of its rows cannot be read or are not as they were stored"
            )
        if taken.short:
            said.append(f"not everything could be read of: {', '.join(taken.short)}")
        said.append(f"took over {_audit(old, db)} later rows of the audit")
        said.append(
            f"took over {taken.rows} other rows: permits, entries, accounts, cases, registers,"
            f" findings, alerts; {_answered(db) - answered} words of people on alerts"
        )
    return said


def _read(old: sqlite3.Connection, sql: str, args: tuple[object, ...] = ()) -> Iterator[Any]:
    """Rows up to the first that lies on a damaged page."""
    with suppress(sqlite3.DatabaseError):
        yield from old.execute(sql, args)


def _events(old: sqlite3.Connection, db: sqlite3.Connection) -> tuple[int, int, list[int]]:
    """(events stored, rows that could not be, the earliest time of those that rules go by)."""
    begin = db.execute("SELECT coalesce(max(id), 0) FROM event").fetchone()[0]
    zone = _zone(db)
    journal, hot, unread, taken = Journal(), Hot(zone), 0, 0
    journal.load(db)
    hot.load(db)
    pending = 0
    earliest: int | None = None
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
        said_at = at if t is None else t
        if not is_stale(said_at, at):
            earliest = said_at if earliest is None else min(earliest, said_at)
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
    return taken, unread, [] if earliest is None else [earliest]


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


def _rows(old: sqlite3.Connection, db: sqlite3.Connection, name: str, taken: Taken) -> None:
    """Take over the rows of a table that the backup does not have or has in an earlier state."""
    of = legible.table(old, db, name)
    if of is None:
        return
    db.execute("BEGIN IMMEDIATE")
    for row in legible.rows(old, of):
        if row is None:
            taken.missed(name)
        else:
            _put(db, of, row, taken)
    db.execute("COMMIT")


def _put(db: sqlite3.Connection, of: Table, row: Row, taken: Taken) -> None:
    """Make a row of `db` what it is in the damaged one; one that the schema refuses is counted."""
    have = legible.one(db, of, row[: of.keys])
    try:
        if have is None:
            marks = ",".join("?" * len(row))
            db.execute(f"INSERT INTO {of.name} ({of.columns}) VALUES ({marks})", row)
        elif have != row:
            changed = {n: b for n, a, b in zip(of.names, have, row, strict=True) if a != b}
            to = ",".join(f'"{name}"=?' for name in changed)
            values = (*changed.values(), *row[: of.keys])
            db.execute(f"UPDATE {of.name} SET {to} WHERE {of.where}", values)
        else:
            return
    except sqlite3.IntegrityError:
        taken.missed(of.name)
    else:
        taken.rows += 1


# --- findings and alerts ----------------------------------------------------------------------


def _findings(old: sqlite3.Connection, db: sqlite3.Connection, taken: Taken) -> None:
    """Findings and alerts with what people did to them. A finding and its alert are of one moment:
    where one of them cannot be read neither is taken, and the rules derive and tell it anew."""
    findings, alerts = legible.table(old, db, "finding"), legible.table(old, db, "alert")
    if findings is None or alerts is None or len(alerts.names) < _width(db, "alert"):
        return  # of a version that knew no such alerts
    db.execute("BEGIN IMMEDIATE")
    for row in legible.rows(old, findings):
        if row is None:
            taken.missed("finding")
            continue
        name = findings.value(row, "id")
        try:
            alert = legible.one(old, alerts, (alert_of(name),))
        except sqlite3.DatabaseError:
            alert = None
        if alert is not None:
            _put(db, findings, row, taken)
            _put(db, alerts, alert, taken)
        elif findings.value(row, "state") == "open" or _has_alert(db, name):
            taken.missed("alert")
        else:
            _put(db, findings, row, taken)  # it was over when it was learnt: no alert told of it
    for row in legible.rows(old, alerts):
        if row is None:
            taken.missed("alert")
        elif not alerts.value(row, "finding"):  # the gateway's of itself
            _put(db, alerts, row, taken)
    db.execute("COMMIT")


def _has_alert(db: sqlite3.Connection, finding: str) -> bool:
    return db.execute("SELECT 1 FROM alert WHERE id=?", (alert_of(finding),)).fetchone() is not None


def _width(db: sqlite3.Connection, table: str) -> int:
    return len(db.execute(f"PRAGMA table_info({table})").fetchall())


def _agree(db: sqlite3.Connection) -> None:
    """Rows that refer to what could not be read. A message of a round that its alert has not
    reached here would keep that round from being told; for a command that is not here nobody
    waits."""
    db.execute("BEGIN IMMEDIATE")
    db.execute(
        "DELETE FROM notification WHERE alert LIKE 'a-%' AND round > coalesce("
        "(SELECT round FROM alert WHERE alert.id = notification.alert), 0)"
    )
    db.execute("DELETE FROM attempt WHERE notification NOT IN (SELECT id FROM notification)")
    db.execute(
        "UPDATE control SET state='idle' WHERE state='asked'"
        " AND command NOT IN (SELECT id FROM command)"
    )
    db.execute("COMMIT")


def _answered(db: sqlite3.Connection) -> int:
    """How often people did something to alerts: acknowledged, shelved, closed, …"""
    found = db.execute("SELECT count(*) FROM alert_history WHERE who IS NOT NULL").fetchone()
    return int(found[0])


# --- how the gateway stood ---------------------------------------------------------------------


def _meta(old: sqlite3.Connection, db: sqlite3.Connection) -> None:
    """Keys, marks and the fencing number: of this one the higher."""
    db.execute("BEGIN IMMEDIATE")
    for key, value in _read(old, "SELECT key, value FROM meta"):
        if key in _META_OF_THE_STORE:
            continue
        have = db.execute("SELECT value FROM meta WHERE key=?", (key,)).fetchone()
        if not (key == "fence" and have and int(have[0]) > int(value)):
            db.execute("INSERT OR REPLACE INTO meta VALUES (?, ?)", (key, value))
    db.execute("COMMIT")


def _logs(old: sqlite3.Connection, db: sqlite3.Connection) -> None:
    """The highest number heard of, copies counted, and up to where readings had been dropped for
    their age when the database was damaged: those were stored once and are not missing."""
    db.execute("BEGIN IMMEDIATE")
    for device, log, top, duplicates, last_at, pruned in _read(
        old, "SELECT device,log,top,duplicates,last_at,pruned FROM log"
    ):
        have = received(db, device, log)
        have.add(1, pruned)
        db.execute(
            "INSERT INTO log (device,log,acked,top,duplicates,last_at,pruned)"
            " VALUES (?1,?2,?3,?4,?5,?6,?7) ON CONFLICT (device,log) DO UPDATE SET"
            " acked=max(acked,?3), top=max(top,?4), duplicates=max(duplicates,?5),"
            " last_at=max(last_at,?6), pruned=max(pruned,?7)",
            (device, log, have.head, top, duplicates, last_at, pruned),
        )
    db.execute("COMMIT")


def _lifted(db: sqlite3.Connection) -> set[tuple[Any, ...]]:
    """(id, its begin, …) of what people registered that the rules go by."""
    permits = db.execute('SELECT id, "from", "to", kind, zones, withdrawn_at FROM permit')
    return {*permits.fetchall(), *db.execute("SELECT id, at FROM entry").fetchall()}


def _judge_again(old: sqlite3.Connection, db: sqlite3.Connection, told: set[int]) -> None:
    """All that was taken over is late evidence to the rules, also where a part of it is missing:
    they go back to the first of it, and to the backup's last snapshot at least."""
    late = "SELECT CAST(value AS INTEGER) FROM meta WHERE key='late_from'"
    asked = ((db, late), (old, late), (db, "SELECT max(t) FROM engine_snapshot"))
    since = told | {at for where, sql in asked for (at,) in _read(where, sql) if at is not None}
    if since:
        db.execute("INSERT OR REPLACE INTO meta VALUES ('late_from', ?)", (str(min(since)),))


def _zone(db: sqlite3.Connection) -> ZoneInfo:
    """The hall's time zone, as its last gateway noted it."""
    row = db.execute("SELECT value FROM meta WHERE key='timezone'").fetchone()
    return ZoneInfo(row[0] if row else "Asia/Shanghai")
