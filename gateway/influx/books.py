"""What is owed to an InfluxDB, in SQL: read anywhere, booked in the writer's transaction."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass

from gateway.history.times import COLUMNS, read
from gateway.influx.points import Places, line
from gateway.influx.ties import Row, more_tags

SETTLE_MS = 10 * 60_000  # an event without a time of its own waits so long for a better one


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
    db: sqlite3.Connection,
    target: str,
    places: Places,
    now: int,
    most: int,
    head: int | None = None,
    flying: Collection[int] = (),
) -> Batch | None:
    """None where nothing is owed now. `head`, `flying`: how far the journal is sent, and what of
    influx_again is, although that is not booked yet."""
    due = db.execute(
        f"SELECT e.id, {_of('e')}, e.t_at FROM influx_again a JOIN event e ON e.id = a.event"
        " WHERE a.target = ? AND a.due <= ? AND a.event NOT IN (SELECT value FROM json_each(?))"
        " ORDER BY a.due, a.event LIMIT ?",
        (target, now, json.dumps(sorted(flying)), most),
    ).fetchall()
    if due:
        return Batch(points(db, [tuple(row) for row in due], places))
    if head is None:
        (head,) = db.execute("SELECT sent FROM influx WHERE target = ?", (target,)).fetchone()
    return _batch(db, after(db, head, most), places, now)


def next_old(
    db: sqlite3.Connection,
    target: str,
    places: Places,
    now: int,
    most: int,
    head: int | None = None,
) -> Batch | None:
    """The next of what was stored before the target was attached; None where all is there. `head`:
    how far it is sent, although that is not booked yet."""
    filled, attached = db.execute(
        "SELECT filled, attached FROM influx WHERE target = ?", (target,)
    ).fetchone()
    return _batch(db, after(db, filled if head is None else head, most, attached), places, now)


def _batch(db: sqlite3.Connection, rows: Sequence[Row], places: Places, now: int) -> Batch | None:
    if not rows:
        return None
    later = tuple((row[0], row[7] + SETTLE_MS) for row in rows if _unsettled(row, now))
    ready = [row for row in rows if not _unsettled(row, now)]
    return Batch(points(db, ready, places), rows[-1][0], later)


def after(db: sqlite3.Connection, event: int, most: int, upto: int | None = None) -> list[Row]:
    """Rows of the journal in the order of storing."""
    return [
        tuple(row)
        for row in db.execute(
            f"SELECT id, {COLUMNS}, t_at FROM event WHERE id > ? AND (? IS NULL OR id <= ?)"
            " ORDER BY id LIMIT ?",
            (event, upto, upto, most),
        )
    ]


def _row(db: sqlite3.Connection, event: int) -> Row | None:
    row = db.execute(f"SELECT id, {COLUMNS}, t_at FROM event WHERE id = ?", (event,)).fetchone()
    return None if row is None else tuple(row)


def points(db: sqlite3.Connection, rows: Sequence[Row], places: Places) -> tuple[Owed, ...]:
    """Rows of the journal as points."""
    said = read(db, [row[1:-1] for row in rows])
    return tuple(
        Owed(row[0], line(event, places, more))
        for row, event, more in zip(rows, said, more_tags(db, rows, said), strict=True)
    )


def book(
    db: sqlite3.Connection,
    target: str,
    places: Places,
    batch: Batch,
    refused: Iterable[Refused],
    now: int,
) -> None:
    """The batch is done with: its points are there, or set aside."""
    _set_aside(db, target, refused, now)
    well(db, target)
    if batch.upto is None:  # what has moved once more since it was read stays owed
        found = (_row(db, one.event) for one in batch.owed)
        stands = set(points(db, [row for row in found if row], places))
        db.executemany(
            "DELETE FROM influx_again WHERE target = ? AND event = ?",
            [(target, one.event) for one in batch.owed if one in stands],
        )
    else:
        _put_off(db, target, batch.later)
        db.execute("UPDATE influx SET sent = max(sent, ?) WHERE target = ?", (batch.upto, target))


def well(db: sqlite3.Connection, target: str) -> None:
    """The last try succeeded."""
    db.execute("UPDATE influx SET fault = NULL, fault_at = NULL WHERE target = ?", (target,))


def fill(
    db: sqlite3.Connection, target: str, batch: Batch, refused: Iterable[Refused], now: int
) -> None:
    """A batch of the backfill is done with."""
    _set_aside(db, target, refused, now)
    _put_off(db, target, batch.later)
    db.execute("UPDATE influx SET filled = max(filled, ?) WHERE target = ?", (batch.upto, target))


def _set_aside(db: sqlite3.Connection, target: str, refused: Iterable[Refused], now: int) -> None:
    db.executemany(
        "INSERT OR REPLACE INTO influx_refused VALUES (?, ?, ?, ?, ?)",
        [(target, r.event, now, r.why, r.line[:4096]) for r in refused],
    )


def _put_off(db: sqlite3.Connection, target: str, later: Iterable[tuple[int, int]]) -> None:
    db.executemany(
        "INSERT OR IGNORE INTO influx_again VALUES (?, ?, ?)",
        [(target, event, due) for event, due in later],
    )


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


def _unsettled(row: Row, now: int) -> bool:
    t, at = row[6], row[7]
    return t is None and now - at < SETTLE_MS
