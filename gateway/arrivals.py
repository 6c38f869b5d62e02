"""What arrived, held by log until it can be put in order: for replay, spilling to disk."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from firmware import wire
from gateway.events import Event, Refused, Unknown
from gateway.intervals import Intervals
from gateway.spill import Spill, merge
from gateway.timeline import Copy, Name

_LIMIT = 200_000  # copies held in memory


def fact(event: Event | Unknown) -> tuple[str, str, Any]:
    """(kind, ch, value) of an event, as the engine takes it; () for a value that is unknown."""
    kind = event.kind
    e: Any = event
    if kind == wire.POWER:
        return kind, e.ch, e.w
    if kind in _FIELDS:
        return kind, e.ch, getattr(e, _FIELDS[kind])
    if kind == wire.AC:
        return kind, e.ch, () if e.src == "assumed" else (e.on, e.mode, e.set_)
    if kind == wire.DETECTOR:
        return kind, f"{e.ch}:{e.what}", e.active
    if kind == wire.TAP:
        return kind, "", e.tag.lower()
    if kind == wire.TAMPER:
        return kind, "", e.moved
    if kind == wire.LOST:
        return kind, "", (e.from_, e.to, e.why)
    return "other", "", False


_FIELDS = {
    wire.CONTACT: "open",
    wire.LOCK: "locked",
    wire.PRESENCE: "present",
    wire.LUX: "lx",
    wire.CLIMATE: "c",
    wire.RELAY: "on",
}


class Arrivals:
    """Copies of events by (device, log)."""

    def __init__(self) -> None:
        self.names: list[Name] = []
        self._name_of: dict[Name, int] = {}
        self._held: dict[tuple[str, str], list[Copy]] = {}
        self._count = 0
        self._runs: dict[tuple[str, str], list[list[int]]] = {}
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
        """(device, log) of all that arrived, sorted."""
        return sorted({*self._held, *self._runs})

    def copies(self, log: tuple[str, str]) -> Iterator[list[Copy]]:
        """The copies of one log in blocks sorted by their numbers."""
        held = sorted(self._held.get(log, ()))
        places = self._runs.get(log)
        if not places or self._spill is None:
            return iter([held] if held else [])
        runs = [self._spill.read(run) for run in places]
        return merge([*runs, iter([held] if held else [])])

    def _name(self, name: Name) -> int:
        index = self._name_of[name] = len(self.names)
        self.names.append(name)
        return index

    def _put_down(self) -> None:
        if self._spill is None:
            self._spill = Spill()
        for log, copies in self._held.items():
            copies.sort()
            self._runs.setdefault(log, []).append(self._spill.write(copies))
        self._held = {}
        self._count = 0
