"""The pipeline's step that keeps last values, series and energy in the turn's transaction."""

from __future__ import annotations

import sqlite3
from typing import TYPE_CHECKING, Any

import msgspec

from gateway.clock import iso
from gateway.history import last
from gateway.history.times import Heard, Said, resolve

if TYPE_CHECKING:
    from gateway.journal import StoredEvent
    from gateway.turns import Changes, Turn


class History:
    """The stage. `timezone` is the site's: days begin at its midnights."""

    name = "history"

    def __init__(self, timezone: str) -> None:
        self._timezone = timezone
        self._changed: list[Said] = []

    def load(self, db: sqlite3.Connection, now: int) -> None:  # noqa: ARG002
        """Nothing is kept in memory between turns but what `turn` reads back."""
        self._changed = []

    def turn(self, db: sqlite3.Connection, turn: Turn) -> None:
        """Place what was stored, and keep it."""
        self._changed = []
        if turn.stored:
            said = resolve(db, (heard(event) for event in turn.stored))
            self._changed = last.keep(db, said)

    def committed(self, turn: Turn) -> Changes:  # noqa: ARG002
        """Every channel that has a new last value."""
        return [("channel", self._told(event)) for event in self._changed if _shown(event)]

    def _told(self, event: Said) -> dict[str, Any]:
        return last.told(event, iso(event.time, self._timezone))


def _shown(event: Said) -> bool:
    return event.kind != "health"


def heard(stored: StoredEvent) -> Heard:
    """A journal's event as the history reads it."""
    payload: dict[str, Any] = msgspec.to_builtins(stored.event)
    return Heard(
        *(stored.device, stored.log, stored.seq, stored.boot, stored.up, stored.t, stored.at),
        *(payload["kind"], payload, stored.new),
    )
