"""What of the history is not as it was written: found, and made again from the journal."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator

import structlog

from gateway.history import buckets, chunks
from gateway.history.chunks import Row
from gateway.history.days import sealed_to
from gateway.history.kinds import row
from gateway.history.last import name
from gateway.history.times import COLUMNS, read

log = structlog.get_logger()
_EARLY = buckets.MINUTE  # how far an event's time may lie ahead of its arrival


def unpacked(db: sqlite3.Connection, channel: int, day: int, end: int, data: bytes) -> list[Row]:
    """The rows of a channel's packed day [day, end); from the journal where it is damaged."""
    try:
        return chunks.unpack(data)
    except chunks.Damaged as fault:
        log.error("chunk.damaged", channel=channel, day=day, fault=str(fault))
        return journal_rows(db, channel, day, end)


def journal_rows(db: sqlite3.Connection, channel: int, begin: int, end: int) -> list[Row]:
    """A channel's rows in [begin, end), in order, as the journal's events give them."""
    where = db.execute(
        "SELECT device, kind, ch, what FROM channel WHERE id = ?", (channel,)
    ).fetchone()
    found = db.execute(
        f"SELECT {COLUMNS} FROM event WHERE device = ? AND kind = ? AND at >= ?"
        " AND (t IS NULL OR (t >= ? AND t < ?))",
        (where[0], where[1], begin - _EARLY, begin, end),
    )
    rows: list[Row] = []
    for said in read(db, found):
        if said.channel == tuple(where) and begin <= said.time < end:
            values = row(said.kind, said.told)
            f1, f2, f3, f4, f5 = [*values, None, None, None, None, None][:5]
            number = int(said.log, 16)
            rows.append((said.time, said.boot, said.seq, number, f1, f2, f3, f4, f5))
    return sorted(rows, key=lambda r: r[:4])


def damaged_days(db: sqlite3.Connection) -> Iterator[tuple[str, int]]:
    """(channel's name, begin of the day) of the packed days that are not as they were written."""
    for device, kind, ch, what, day, n, data in db.execute(
        "SELECT device, kind, ch, what, day, n, data FROM chunk JOIN channel ON channel = id"
    ):
        try:
            whole = chunks.count(data) == n
        except chunks.Damaged:
            whole = False
        if not whole:
            yield name(device, kind, ch, what), day


_TOTAL = (
    "SELECT sum(n), sum(sum), min(low), max(high) FROM rollup"
    " WHERE channel = ? AND field = ? AND step = ?"
)


def uneven(db: sqlite3.Connection) -> Iterator[str]:
    """Names of the channels whose hours do not add up to their days."""
    sealed = sealed_to(db) or 0
    for number, *where in db.execute("SELECT id, device, kind, ch, what FROM channel").fetchall():
        even = all(
            db.execute(_TOTAL, (number, field, buckets.HOUR)).fetchone()[:]
            == db.execute(_TOTAL, (number, field, buckets.DAY)).fetchone()[:]
            for field in range(1, 6)
        )
        hours, days = db.execute(
            "SELECT (SELECT coalesce(sum(uwh), 0) FROM energy WHERE channel = ?1 AND t < ?2),"
            " (SELECT coalesce(sum(uwh), 0) FROM energy_day WHERE channel = ?1)",
            (number, sealed),
        ).fetchone()
        if not even or hours != days:
            yield name(*where)
