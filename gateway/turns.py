"""A turn of the pipeline, and what a stage of it looks like."""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

from gateway.ingest import State
from gateway.journal import LostRange, StoredEvent


@dataclass(frozen=True, slots=True)
class DeviceState:
    """A device's word on its `state` topic; `retained` where it was said before we listened."""

    device: str
    state: State
    at: int
    retained: bool


@dataclass(frozen=True, slots=True)
class Turn:
    """What came since the turn before; all empty in a turn that is a mere tick.

    `now` is the house's clock in Unix ms, `mono` real seconds that only go forward. `full`: more
    had come than a turn takes, so the gateway itself is behind. `fresh`: by kind, what was stored
    for the first time; a stage that wants few kinds need not look at all the readings.
    """

    now: int
    mono: float
    stored: Sequence[StoredEvent] = ()
    lost: Sequence[LostRange] = ()
    states: Sequence[DeviceState] = ()
    full: bool = False
    fresh: Mapping[str, Sequence[StoredEvent]] = field(init=False)

    def __post_init__(self) -> None:
        fresh: dict[str, list[StoredEvent]] = {}
        for one in self.stored:
            if one.new:
                kind = one.event.kind
                if kind in fresh:
                    fresh[kind].append(one)
                else:
                    fresh[kind] = [one]
        object.__setattr__(self, "fresh", fresh)

    def new(self, kind: str) -> Sequence[StoredEvent]:
        """What was stored for the first time, of this kind."""
        return self.fresh.get(kind, ())


Changes = list[tuple[str, dict[str, Any]]]


class Stage(Protocol):
    """One step of the pipeline, on the writer's thread, inside the turn's one transaction.

    The pipeline calls `load` before the first turn and again after a transaction that failed:
    what a stage keeps in memory must then match the database. `turn` is called at least every
    200 ms. What `turn` raises undoes what that stage wrote in it, and the stage is loaded again.
    """

    name: str

    def load(self, db: sqlite3.Connection, now: int) -> None: ...

    def turn(self, db: sqlite3.Connection, turn: Turn) -> None: ...

    def committed(self, turn: Turn) -> Changes:
        """After the commit: tell the outside; what is returned goes to the live feed."""
        ...
