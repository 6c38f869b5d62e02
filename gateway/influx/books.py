"""What is owed to an InfluxDB, in SQL: read anywhere, booked in the writer's transaction."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from gateway.history.times import COLUMNS, Said, read
from gateway.influx.points import Places, line, series

SETTLE_MS = 10 * 60_000  # an event without a time of its own waits so long for a better one
NEAR = 512  # numbers of a log among which two may share an instant


@dataclass(frozen=True, slots=True)
class Owed:
    """A row of the journal as a point to be sent."""

    event: int
    line: str


@dataclass(frozen=True, slots=True)
class Batch:
    """What to send next, oldest first. `upto`: the cursor once all is booked, None for a batch of
    influx_again; `later`: rows that the cursor passes although they are not sent yet, and when
    they are due."""

    owed: tuple[Owed, ...] = ()
    upto: int | None = None
    later: tuple[tuple[int, int], ...] = ()


@dataclass(frozen=True, slots=True)
class Refused:
    """A point that the server would not have."""

    event: int
    why: str
    line: str


def attach(db: sqlite3.Connection, target: str) -> None:
    """Begin the books of a target: from now on it is owed what is stored."""
    db.execute(
        "INSERT OR IGNORE INTO influx (target, sent, attached)"
        " SELECT ?, coalesce(max(id), 0), coalesce(max(id), 0) FROM event",
        (target,),
    )


def next_batch(
    db: sqlite3.Connection, target: str, places: Places, now: int, most: int
) -> Batch | None:
    """None where nothing is owed now."""
    due = db.execute(
        f"SELECT e.id, {_of('e')} FROM influx_again a JOIN event e ON e.id = a.event"
        " WHERE a.target = ? AND a.due <= ? ORDER BY a.due, a.event LIMIT ?",
        (target, now, most),
    ).fetchall()
    if due:
        return Batch(points(db, due, places))
    sent = db.execute("SELECT sent FROM influx WHERE target = ?", (target,)).fetchone()[0]
    rows = after(db, sent, most)
    if not rows:
        return None
    later = tuple((row[0], row[7] + SETTLE_MS) for row in rows if _unsettled(row, now))
    ready = [row for row in rows if not _unsettled(row, now)]
    return Batch(points(db, ready, places), rows[-1][0], later)


def after(
    db: sqlite3.Connection, event: int, most: int, upto: int | None = None
) -> list[tuple[Any, ...]]:
    """Rows of the journal in the order of storing."""
    return [
        tuple(row)
        for row in db.execute(
            f"SELECT id, {COLUMNS} FROM event WHERE id > ? AND (? IS NULL OR id <= ?)"
            " ORDER BY id LIMIT ?",
            (event, upto, upto, most),
        )
    ]


def points(
    db: sqlite3.Connection, rows: Sequence[Sequence[Any]], places: Places
) -> tuple[Owed, ...]:
    """Rows (id and COLUMNS) as points."""
    made = []
    for row, event in zip(rows, read(db, [tuple(row)[1:] for row in rows]), strict=True):
        own = row[6] is not None
        made.append(Owed(row[0], line(event, places, _beside(db, row[0], event, row[5], own))))
    return tuple(made)


def book(
    db: sqlite3.Connection, target: str, batch: Batch, refused: Iterable[Refused], now: int
) -> None:
    """The batch is done with: its points are there, or set aside."""
    db.executemany(
        "INSERT OR REPLACE INTO influx_refused VALUES (?, ?, ?, ?, ?)",
        [(target, r.event, now, r.why, r.line[:4096]) for r in refused],
    )
    if batch.upto is None:
        db.executemany(
            "DELETE FROM influx_again WHERE target = ? AND event = ? AND due <= ?",
            [(target, one.event, now) for one in batch.owed],
        )
    else:
        db.executemany(
            "INSERT OR IGNORE INTO influx_again VALUES (?, ?, ?)",
            [(target, event, due) for event, due in batch.later],
        )
        db.execute("UPDATE influx SET sent = max(sent, ?) WHERE target = ?", (batch.upto, target))
    db.execute("UPDATE influx SET fault = NULL, fault_at = NULL WHERE target = ?", (target,))


def fail(db: sqlite3.Connection, target: str, why: str, now: int) -> None:
    """The last try came to nothing."""
    db.execute("UPDATE influx SET fault = ?, fault_at = ? WHERE target = ?", (why, now, target))


def again(
    db: sqlite3.Connection, target: str, moved: Iterable[tuple[str, str, int]], now: int
) -> None:
    """Stored events (device, log, seq) that are better known now are owed once more."""
    db.executemany(
        "INSERT INTO influx_again (target, event, due)"
        " SELECT ?, id, ? FROM event WHERE device = ? AND log = ? AND seq = ?"
        " ON CONFLICT (target, event) DO UPDATE SET due = min(due, excluded.due)",
        [(target, now, *key) for key in moved],
    )


@dataclass(frozen=True, slots=True)
class Standing:
    """How a target is served; `oldest`: arrival of the oldest row it is owed, Unix ms."""

    waiting: int
    oldest: int | None
    refused: int
    last_refused: str | None
    fault: str | None
    fault_at: int | None


def standing(db: sqlite3.Connection, target: str) -> Standing | None:
    """None before the gateway has begun its books."""
    row = db.execute(
        "SELECT sent, fault, fault_at FROM influx WHERE target = ?", (target,)
    ).fetchone()
    if row is None:
        return None
    sent, fault, fault_at = row
    top = db.execute("SELECT coalesce(max(id), 0) FROM event").fetchone()[0]
    apart = db.execute("SELECT count(*) FROM influx_again WHERE target = ?", (target,)).fetchone()
    first = db.execute("SELECT at FROM event WHERE id > ? ORDER BY id LIMIT 1", (sent,)).fetchone()
    refused = db.execute(
        "SELECT count(*) FROM influx_refused WHERE target = ?", (target,)
    ).fetchone()[0]
    last = db.execute(
        "SELECT e.device || '/' || e.log || '/' || e.seq || ': ' || r.why FROM influx_refused r"
        " JOIN event e ON e.id = r.event WHERE r.target = ? ORDER BY r.event DESC LIMIT 1",
        (target,),
    ).fetchone()
    return Standing(
        *(max(0, top - sent) + apart[0], first[0] if first else None, refused),
        *(last[0] if last else None, fault, fault_at),
    )


def _of(table: str) -> str:
    return ", ".join(f"{table}.{name.strip()}" for name in COLUMNS.split(","))


def _unsettled(row: Sequence[Any], now: int) -> bool:
    t, at = row[6], row[7]
    return t is None and now - at < SETTLE_MS


def _beside(db: sqlite3.Connection, number: int, event: Said, up: int, own: bool) -> bool:
    """Whether an event of the same log and series that was stored earlier has the same instant."""
    near = (event.device, event.log, event.seq - NEAR, event.seq + NEAR, event.kind, number)
    where = "device = ? AND log = ? AND seq BETWEEN ? AND ? AND kind = ? AND id < ?"
    rows = db.execute(
        f"SELECT {COLUMNS} FROM event WHERE {where} AND t = ?", (*near, event.time)
    ).fetchall()
    # of those without a time of their own, only a guess can fall on the same instant
    more = "" if own else " AND (up = ? OR at = ?)"
    rows += db.execute(
        f"SELECT {COLUMNS} FROM event WHERE {where} AND boot = ? AND t IS NULL{more}",
        (*near, event.boot, *(() if own else (up, event.time))),
    ).fetchall()
    if not rows:
        return False
    mine = series(event)
    return any(e.time == event.time and series(e) == mine for e in read(db, map(tuple, rows)))
