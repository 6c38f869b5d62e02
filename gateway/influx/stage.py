"""The pipeline's step for a second copy: what was stored before and is better known now is owed
again, in the same transaction. New rows need no word: the journal is the outbox."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from gateway.history.times import Said
from gateway.influx import books

if TYPE_CHECKING:
    from gateway.turns import Changes, Turn


class Amended:
    """The stage. `placed()`: what the history has placed in this turn."""

    name = "influx"

    def __init__(self, target: str, placed: Callable[[], Sequence[Said]]) -> None:
        self._target = target
        self._placed = placed

    def load(self, db: sqlite3.Connection, now: int) -> None:
        """It keeps nothing."""

    def turn(self, db: sqlite3.Connection, turn: Turn) -> None:
        """Book what has moved."""
        if not turn.stored:
            return
        moved = [(e.device, e.log, e.seq) for e in self._placed() if not e.new]
        if moved:
            books.again(db, self._target, moved, turn.now)

    def committed(self, turn: Turn) -> Changes:  # noqa: ARG002
        """Nothing to show."""
        return []
