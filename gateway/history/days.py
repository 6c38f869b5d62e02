"""Energy of whole local days, so that a season's plot reads days and not hours.

A day is sealed once it is over: its hours are added up, once. What comes late to a sealed day is
added to it as it is to its hour, so the two never differ; until then its hours are read.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping
from zoneinfo import ZoneInfo

from gateway.history import buckets

AFTER_MS = buckets.HOUR  # most of what is late has come by then
_KEY = "energy_days"  # meta: where the sealed days end, Unix ms
_ADD = (
    "INSERT INTO energy_day (channel, day, uwh) VALUES (?, ?, ?)"
    " ON CONFLICT (channel, day) DO UPDATE SET uwh = uwh + excluded.uwh"
)


class Days:
    """The writer's side; `sealed_to` gives a reader theirs."""

    def __init__(self, zone: ZoneInfo) -> None:
        self._zone = zone
        self._end: int | None = None

    def load(self, db: sqlite3.Connection) -> None:
        self._end = sealed_to(db)

    def add(self, db: sqlite3.Connection, energy: Mapping[tuple[int, int], int]) -> None:
        """{(channel, hour's begin): µWh} that the hours have just been given."""
        end = self._end
        if end is None:
            return
        late = [
            (channel, buckets.begin(buckets.DAY, hour, self._zone), uwh)
            for (channel, hour), uwh in energy.items()
            if uwh and hour < end
        ]
        db.executemany(_ADD, late)

    def seal(self, db: sqlite3.Connection, now: int) -> bool:
        """Add up the next day that is over; False where none is."""
        begin = self._end
        if begin is None:
            first = db.execute(
                "SELECT min((SELECT t FROM energy WHERE channel = channel.id ORDER BY t LIMIT 1))"
                " FROM channel"
            ).fetchone()[0]
            if first is None:
                return False
            begin = buckets.begin(buckets.DAY, first, self._zone)
        end = buckets.next_day(begin, self._zone)
        if end + AFTER_MS > now:
            return False
        db.execute(
            "INSERT INTO energy_day (channel, day, uwh) SELECT channel.id, ?1, (SELECT sum(uwh)"
            " FROM energy WHERE channel = channel.id AND t >= ?1 AND t < ?2) AS uwh"
            " FROM channel WHERE uwh IS NOT NULL",
            (begin, end),
        )
        db.execute("INSERT OR REPLACE INTO meta (key, value) VALUES (?, ?)", (_KEY, str(end)))
        self._end = end
        return True


def sealed_to(db: sqlite3.Connection) -> int | None:
    """Where the sealed days end (Unix ms); None before the first."""
    found = db.execute("SELECT value FROM meta WHERE key = ?", (_KEY,)).fetchone()
    return None if found is None else int(found[0])
