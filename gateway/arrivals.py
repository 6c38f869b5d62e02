"""What arrived, kept by log until it can be put in order: for replay, spilling to disk.

With a state directory, what each run brought stays there and later runs start with it.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from firmware import wire
from gateway.errors import EnvironmentFault, InputFault
from gateway.events import Event, Refused, Unknown
from gateway.spill import Spill, merge, put, take
from gateway.timeline import Copy

Name = tuple[str, str, str]
"""(device, kind, ch) of an event; ch is empty where the kind has none."""

_LIMIT = 200_000  # copies held in memory
_VERSION = 2


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

    def __init__(self, state: Path | None = None) -> None:
        self.names: list[Name] = []
        self._name_of: dict[Name, int] = {}
        self._held: dict[tuple[str, str], list[Copy]] = {}
        self._count = 0
        self._runs: dict[tuple[str, str], list[list[int]]] = {}
        self._spill: Spill | None = None
        self.refused: dict[tuple[str, str], list[int]] = {}
        self._state = state
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
            self.refused.setdefault((device, refused.log), []).append(refused.seq)

    def logs(self) -> list[tuple[str, str]]:
        """(device, log) of all that arrived, sorted."""
        return sorted({*self._held, *self._runs})

    def copies(self, log: tuple[str, str]) -> Iterator[list[Copy]]:
        """The copies of one log in blocks sorted by (seq, at)."""
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
            self._spill = Spill(self._state)
        for log, copies in self._held.items():
            copies.sort()
            self._runs.setdefault(log, []).append(self._spill.write(copies))
        self._held = {}
        self._count = 0

    # --- a state directory ----------------------------------------------------------------

    def load(self) -> None:
        """Take in what earlier runs left in the state directory."""
        assert self._state is not None
        try:
            self._state.mkdir(parents=True, exist_ok=True)
            files = sorted(self._state.glob("run-*.bin"))
        except OSError as fault:
            raise EnvironmentFault(f"{self._state}: cannot be used ({fault})") from fault
        for file in files:
            try:
                with file.open("rb") as source:
                    version, names, refused, blocks = take(source)
                    if version != _VERSION:
                        raise InputFault(f"{file}: written by another version; start a new --state")
                    mapped = [self._name_of.get(n) or self._name(n) for n in map(tuple, names)]
                    for log, seqs in refused.items():
                        self.refused.setdefault(log, []).extend(seqs)
                    for _ in range(blocks):
                        log, copies = take(source)
                        self._take(log, [(*c[:5], mapped[c[5]], c[6]) for c in copies])
            except (OSError, EOFError, ValueError, TypeError) as fault:
                raise InputFault(f"{file}: damaged ({fault}); start a new --state") from fault

    def _take(self, log: tuple[str, str], copies: list[Copy]) -> None:
        self._held.setdefault(log, []).extend(copies)
        self._count += len(copies)
        if self._count > _LIMIT:
            self._put_down()

    def save(self, since: Arrivals) -> None:
        """Leave what `since` (this run's arrivals alone) holds as a new file of the directory."""
        assert self._state is not None
        number = len(list(self._state.glob("run-*.bin"))) + 1
        draft = self._state / f"draft-{os.getpid()}"
        with draft.open("wb") as target:
            logs = since.logs()
            blocks = sum(1 for log in logs for _ in since.copies(log))
            put(target, (_VERSION, since.names, since.refused, blocks))
            for log in logs:
                for block in since.copies(log):
                    put(target, (log, block))
            target.flush()
            os.fsync(target.fileno())
        draft.rename(self._state / f"run-{number:06}.bin")
