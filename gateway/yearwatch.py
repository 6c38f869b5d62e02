"""The pipeline's step that sees a year's notice being imported: the house then reads all anew, so
that hours, rules and every deadline still open follow it."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from pathlib import Path

import structlog

from gateway import _years
from gateway.turns import Changes, Turn

log = structlog.get_logger()

EVERY_S = 1.0
Stamp = tuple[tuple[str, int, int], ...]


class YearWatch:
    """Stage `calendar`. `changed` is called once, on the writer's thread."""

    name = "calendar"

    def __init__(self, data: Path, changed: Callable[[], None]) -> None:
        self._folder = data / _years.FOLDER
        self._changed = changed
        self._stamp = _stamp(self._folder)
        self._next = 0.0
        self._seen = False

    def load(self, db: sqlite3.Connection, now: int) -> None:
        """Nothing is kept from the database."""

    def turn(self, db: sqlite3.Connection, turn: Turn) -> None:  # noqa: ARG002
        """Look at the folder once a second; nothing is written."""
        if turn.mono < self._next:
            return
        self._next = turn.mono + EVERY_S
        self._seen = self._seen or _stamp(self._folder) != self._stamp

    def committed(self, turn: Turn) -> Changes:  # noqa: ARG002
        if self._seen and self._next != float("inf"):
            self._next = float("inf")
            log.info("calendar.changed")
            self._changed()
        return []


def _stamp(folder: Path) -> Stamp:
    """(name, time, size) of the year files; empty where there is no folder."""
    try:
        return tuple(
            sorted((f.name, f.stat().st_mtime_ns, f.stat().st_size) for f in folder.glob("*.json"))
        )
    except OSError:
        return ()
