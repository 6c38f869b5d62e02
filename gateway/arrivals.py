"""What arrived, held by log until it can be put in order: for replay, spilling to disk."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from operator import attrgetter
from typing import Any

from firmware import wire
from gateway.events import STRUCTS, Event, Refused, Unknown
from gateway.intervals import Intervals
from gateway.spill import Spill, merge
from gateway.timeline import Copy, Name

_LIMIT = 200_000  # copies held in memory


def fact(event: Event | Unknown) -> tuple[str, str, Any]:
    """(kind, ch, value) of an event, as the engine takes it; () for a value that is unknown."""
    taken = _FACTS.get(type(event))
    return ("other", "", False) if taken is None else taken(event)


def _field(kind: str, name: str) -> Callable[[Any], tuple[str, str, Any]]:
    value = attrgetter(name)
    return lambda e: (kind, e.ch, value(e))


_FACTS: dict[type, Callable[[Any], tuple[str, str, Any]]] = {
    STRUCTS[kind]: taken
    for kind, taken in {
        wire.CONTACT: _field(wire.CONTACT, "open"),
        wire.LOCK: _field(wire.LOCK, "locked"),
        wire.PRESENCE: _field(wire.PRESENCE, "present"),
        wire.LUX: _field(wire.LUX, "lx"),
        wire.CLIMATE: _field(wire.CLIMATE, "c"),
        wire.RELAY: _field(wire.RELAY, "on"),
        wire.POWER: lambda e: (wire.POWER, e.ch, e.w),
        wire.AC: lambda e: (wire.AC, e.ch, () if e.src == "assumed" else (e.on, e.mode, e.set_)),
        wire.DETECTOR: lambda e: (wire.DETECTOR, f"{e.ch}:{e.what}", e.active),
        wire.TAP: lambda e: (wire.TAP, "", e.tag.lower()),
        wire.TAMPER: lambda e: (wire.TAMPER, "", e.moved),
        wire.LOST: lambda e: (wire.LOST, "", (e.from_, e.to, e.why)),
    }.items()
}


class Arrivals:
    """Copies of events by (device, log)."""

    def __init__(self) -> None:
        self.names: list[Name] = []
        self._name_of: dict[Name, int] = {}
        self._held: dict[tuple[str, str], list[Copy]] = {}
        self._count = 0
        self._runs: dict[tuple[str, str], list[tuple[Copy, list[int]]]] = {}
        self._spill: Spill | None = None
        self.refused: dict[tuple[str, str], Intervals] = {}
        self.refusals = 0

    def add(self, device: str, at: int, event: Event | Unknown) -> None:
        kind, ch, value = fact(event)
        name = (device, kind, ch)
        index = self._name_of.get(name)
        if index is None:
            index = self._name(name)
        t = event.t
        copy = (event.seq, at, event.boot, event.up, -1 if t is None else t, index, value)
        log = (device, event.log.lower())
        held = self._held.get(log)
        if held is None:
            self._held[log] = [copy]
        else:
            held.append(copy)
        self._count += 1
        if self._count > _LIMIT:
            self._put_down()

    def refuse(self, device: str | None, refused: Refused) -> None:
        """Count a refusal; its number, where known, counts as received."""
        self.refusals += 1
        if device is not None and refused.log is not None and refused.seq is not None:
            self.refused.setdefault((device, refused.log), Intervals()).add(refused.seq)

    def received(self, log: tuple[str, str]) -> Intervals:
        """The numbers of one log that came, refused ones among them."""
        came = Intervals()
        for block in self.copies(log):
            for copy in block:
                came.add(copy[0])
        for first, last in self.refused.get(log, ()):
            came.add(first, last)
        return came

    def logs(self) -> list[tuple[str, str]]:
        """(device, log) of all that arrived, sorted. What is put in order next needs the memory."""
        if self._spill is not None and self._held:
            self._put_down()
        return sorted({*self._held, *self._runs})

    def copies(self, log: tuple[str, str]) -> Iterator[list[Copy]]:
        """The copies of one log in blocks sorted by their numbers."""
        held = sorted(self._held.get(log, ()))
        places = self._runs.get(log)
        if not places or self._spill is None:
            return iter([held] if held else [])
        runs = [(first, self._spill.read(run)) for first, run in places]
        return merge([*runs, (held[0], iter([held]))] if held else runs)

    def _name(self, name: Name) -> int:
        index = self._name_of[name] = len(self.names)
        self.names.append(name)
        return index

    def _put_down(self) -> None:
        if self._spill is None:
            self._spill = Spill()
        for log, copies in self._held.items():
            copies.sort()
            self._runs.setdefault(log, []).append((copies[0], self._spill.write(copies)))
        self._held = {}
        self._count = 0
