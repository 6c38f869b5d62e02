"""The pipeline's step that keeps last values, series and energy in the turn's transaction."""

from __future__ import annotations

import sqlite3
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

from gateway.clock import iso
from gateway.history import last
from gateway.history.hot import Hot
from gateway.history.times import Boot, Channel, Said, lanes, resolve

if TYPE_CHECKING:
    from gateway.turns import Changes, Turn


KEEP_HOT_MS = 31 * 86_400_000  # older days are packed, one channel's day in a turn
QUIET = 64  # events in a turn that has time for more
SETTLE_S = 0.2


class History:
    """The stage. `timezone` is the site's: days begin at its midnights. `keep_ms`: how long
    readings are kept beside their rollups, None for ever."""

    name = "history"

    def __init__(self, timezone: str, keep_ms: int | None = None) -> None:
        self._timezone = timezone
        self._keep_ms = keep_ms
        self._prune_day, self._prune_at = 0, 0
        self._hot = Hot(ZoneInfo(timezone))
        self._changed: list[Said] = []
        self.placed: list[Said] = []  # what this turn stored or moved
        self._settled = float("-inf")
        self._anchored: dict[Boot, int] = {}
        self._orders: dict[Channel, last.Order] = {}

    def load(self, db: sqlite3.Connection, now: int) -> None:  # noqa: ARG002
        """Read back what is cached of the series."""
        self._changed, self._anchored, self._orders = [], {}, {}
        self._hot.load(db)

    def turn(self, db: sqlite3.Connection, turn: Turn) -> None:
        """Place what was stored, and keep it."""
        self._changed, self.placed = [], []
        if turn.stored:
            said = self.placed = resolve(db, turn.stored, self._anchored)
            by_channel = lanes(said)
            self._changed = last.keep(db, by_channel, self._orders)
            self._hot.keep(db, by_channel)
        if len(turn.stored) <= QUIET and turn.mono >= self._settled + SETTLE_S:
            self._settled = turn.mono
            if not self._hot.settle(db, turn.now, KEEP_HOT_MS):
                self._prune(db, turn.now)

    def _prune(self, db: sqlite3.Connection, now: int) -> None:
        """Once a day through all channels, one in a quiet turn."""
        day = now // 86_400_000
        if self._keep_ms is None or day == self._prune_day:
            return
        following = self._hot.packing.prune(db, self._prune_at, now - self._keep_ms)
        self._prune_at = following or 0
        if following is None:
            self._prune_day = day

    def committed(self, turn: Turn) -> Changes:  # noqa: ARG002
        """Every channel that has a new last value."""
        return [("channel", self._told(event)) for event in self._changed if _shown(event)]

    def _told(self, event: Said) -> dict[str, Any]:
        return last.told(event, iso(event.time, self._timezone))


def _shown(event: Said) -> bool:
    return event.kind != "health"
