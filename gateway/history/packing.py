"""Days that are over: packed one channel's day at a time, thawed where a late row comes into them.

What is too old is dropped: rows, chunks, minutes. Hours, days and energy stay for ever.
"""

from __future__ import annotations

import sqlite3
from zoneinfo import ZoneInfo

from gateway.history import buckets, chunks
from gateway.history.chunks import Row
from gateway.history.mending import unpacked

PUT = (
    "INSERT OR IGNORE INTO sample (channel, t, boot, seq, log, f1, f2, f3, f4, f5)"
    " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"
)
PUTS = [
    f"INSERT OR IGNORE INTO sample (channel, t, boot, seq, log{columns})"
    f" VALUES (?, ?, ?, ?, ?{', ?' * columns.count('f')})"
    for columns in ("", ", f1", ", f1, f2", ", f1, f2, f3", ", f1, f2, f3, f4")
] + [PUT]
"""By how many values there are: to hand None to SQLite costs more than all the rest of a row."""
AT_ONCE = 8  # rows of one statement: what a statement costs is as much as half a row
MANY = [f"{put}{(', ' + put[put.index('VALUES') + 7 :]) * (AT_ONCE - 1)}" for put in PUTS]
MINUTES_FROM = "minutes_from"
"""meta: before this instant (Unix ms) there may be no minutes any more, only hours and days."""
_PIECE = 7 * buckets.DAY  # of a channel's minutes, dropped at once


class Packing:
    """The writer's side. `horizon`: before it a day may be a chunk; `kept_from`: before it rows
    were dropped for their age, so none that comes now is added."""

    def __init__(self, zone: ZoneInfo) -> None:
        self._zone = zone
        self.horizon = self.kept_from = 0
        self._due: list[int] = []  # channels that may have a day to be packed
        self._looked: int | None = None  # before which day's end they were last looked for

    def load(self, db: sqlite3.Connection) -> None:
        """Read how far days are packed."""
        self._due, self._looked = [], None
        day = db.execute("SELECT max(day) FROM chunk").fetchone()[0]
        self.kept_from = minutes_from(db)
        self.horizon = max(self.kept_from, 0 if day is None else buckets.next_day(day, self._zone))

    def newest(self, db: sqlite3.Connection, channel: int, t: int, column: int) -> Row | None:
        """The newest row at or before `t` of the packed days that has a value in this column."""
        packed = db.execute(
            "SELECT day, data FROM chunk WHERE channel = ? AND day < ? ORDER BY day DESC LIMIT 1",
            (channel, t),
        ).fetchone()
        rows = self._unpacked(db, channel, *packed) if packed else []
        return next((r for r in reversed(rows) if r[0] <= t and r[column] is not None), None)

    def torn(self, db: sqlite3.Connection, channel: int, t: int) -> bool:
        """Whether the reading before `t`, where there is none any more, may have been dropped."""
        if t - buckets.FAR >= self.kept_from:
            return False
        found = db.execute(
            "SELECT 1 FROM rollup WHERE channel = ? AND field = 1 AND step = ? AND t >= ? AND t < ?"
            " LIMIT 1",
            (channel, buckets.HOUR, t - buckets.FAR - buckets.HOUR, self.kept_from),
        ).fetchone()
        return found is not None

    def thaw(self, db: sqlite3.Connection, channel: int, t: int) -> bool:
        """A row comes into or beside packed days: their rows are hot again first. Whether any."""
        if t >= self.horizon:
            return False
        day = buckets.begin(buckets.DAY, t, self._zone)
        found = db.execute(
            "SELECT day, data FROM chunk WHERE channel = ?1 AND (day = ?2"
            " OR day = (SELECT max(day) FROM chunk WHERE channel = ?1 AND day < ?2)"
            " OR day = (SELECT min(day) FROM chunk WHERE channel = ?1 AND day > ?2))",
            (channel, day),
        ).fetchall()
        for packed, data in found:
            rows = self._unpacked(db, channel, packed, data)
            db.executemany(PUT, [(channel, *row) for row in rows])
            db.execute("DELETE FROM chunk WHERE channel = ? AND day = ?", (channel, packed))
        return bool(found)

    def _unpacked(self, db: sqlite3.Connection, channel: int, day: int, data: bytes) -> list[Row]:
        return unpacked(db, channel, day, buckets.next_day(day, self._zone), data)

    def compact(self, db: sqlite3.Connection, before: int) -> bool:
        """Pack one channel's oldest day that ends by `before`; False if none is left.

        Which channels have such rows is asked once an hour: each is a look into a table that grows.
        """
        if not self._due and (self._looked is None or before >= self._looked + buckets.HOUR):
            self._looked = before
            self._due = [
                channel
                for channel, oldest in db.execute(
                    "SELECT channel.id,"
                    " (SELECT t FROM sample WHERE channel = channel.id ORDER BY t LIMIT 1)"
                    " FROM channel"
                )
                if oldest is not None and oldest < before
            ]
        while self._due:
            if self._pack(db, self._due[-1], before):
                return True
            self._due.pop()
        return False

    def _pack(self, db: sqlite3.Connection, channel: int, before: int) -> bool:
        found = db.execute(
            "SELECT t FROM sample WHERE channel = ? ORDER BY t LIMIT 1", (channel,)
        ).fetchone()
        if found is None:
            return False
        (t,) = found
        day = buckets.begin(buckets.DAY, t, self._zone)
        end = buckets.next_day(day, self._zone)
        if end > before:
            return False
        rows = db.execute(
            "SELECT t, boot, seq, log, f1, f2, f3, f4, f5 FROM sample"
            " WHERE channel = ? AND t >= ? AND t < ? ORDER BY t, boot, seq, log",
            (channel, day, end),
        ).fetchall()
        db.execute(
            "INSERT INTO chunk (channel, day, n, data) VALUES (?, ?, ?, ?)",
            (channel, day, len(rows), chunks.pack([tuple(r) for r in rows])),
        )
        db.execute("DELETE FROM sample WHERE channel = ? AND t >= ? AND t < ?", (channel, day, end))
        self.horizon = max(self.horizon, end)
        return True

    def prune(self, db: sqlite3.Connection, after: int, before: int) -> int | None:
        """Drop the chunks and the minutes of days before `before` of the channel that follows
        `after`, of the minutes a week at a time. Where to go on, or None after the last."""
        found = db.execute("SELECT min(id) FROM channel WHERE id > ?", (after,)).fetchone()[0]
        if found is None:
            return None
        day = buckets.begin(buckets.DAY, before, self._zone)
        if after == 0:
            db.execute(
                "INSERT INTO meta (key, value) VALUES (?1, ?2) ON CONFLICT (key) DO UPDATE SET"
                " value = max(CAST(value AS INTEGER), ?2)",
                (MINUTES_FROM, day),
            )
            self.kept_from = max(self.kept_from, day)
            self.horizon = max(self.horizon, day)
        db.execute("DELETE FROM chunk WHERE channel = ? AND day < ?", (found, day))
        return int(found) - 1 if self._drop_minutes(db, found, day) else int(found)

    def _drop_minutes(self, db: sqlite3.Connection, channel: int, before: int) -> bool:
        """Whether more are left."""
        more = False
        for field in range(1, 6):
            where = (channel, field, buckets.MINUTE)
            oldest = db.execute(
                "SELECT t FROM rollup WHERE channel = ? AND field = ? AND step = ?"
                " ORDER BY t LIMIT 1",
                where,
            ).fetchone()
            if oldest is None or oldest[0] >= before:
                continue
            end = min(before, oldest[0] + _PIECE)
            db.execute(
                "DELETE FROM rollup WHERE channel = ? AND field = ? AND step = ? AND t < ?",
                (*where, end),
            )
            more = more or end < before
        return more


def minutes_from(db: sqlite3.Connection) -> int:
    """From when on there are minutes (Unix ms); before that only hours and days are kept."""
    found = db.execute("SELECT value FROM meta WHERE key = ?", (MINUTES_FROM,)).fetchone()
    return 0 if found is None else int(found[0])
