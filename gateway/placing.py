"""Event times, live: which records come and go as events, copies and anchors arrive.

The rules are `timeline`'s; here they are kept up as the journal grows. All times Unix ms.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable
from typing import Any

from firmware.wire import FUTURE_MS, STALE_MS
from gateway.arrivals import fact
from gateway.engine import Record
from gateway.events import decode_one
from gateway.graph import Graph
from gateway.journal import StoredEvent
from gateway.timeline import estimate, is_stale

Boot = tuple[str, str, int]  # device, log, boot
Anchor = tuple[int, int, int]  # seq, t, up: the lowest seq with a believed, fresh t

_COLUMNS = "device,log,seq,boot,up,t,at,payload"


class Placing:
    """Turns stored events into records of the engine; remembers anchors and estimated times."""

    def __init__(self, graph: Graph) -> None:
        self._graph = graph
        self._anchors: dict[Boot, Anchor] = {}
        self._estimated: dict[tuple[str, str, int], Record] = {}

    def load(self, db: sqlite3.Connection, since: int) -> list[Record]:
        """Every record that lies after `since`, out of the journal."""
        self._anchors.clear()
        self._estimated.clear()
        for device, log, boot, seq, t, up in db.execute(
            "SELECT device, log, boot, seq, t, up FROM anchor"  # kept by the history's stage
        ):
            self._anchors[device, log, boot] = (seq, t, up)
        rows = db.execute(
            f"SELECT {_COLUMNS} FROM event WHERE at >= ?", (since - FUTURE_MS,)
        ).fetchall()
        records = (self._record(*row) for row in rows)
        return sorted(r for r in records if r is not None and r[0] > since)

    def take(
        self, db: sqlite3.Connection, stored: Iterable[StoredEvent]
    ) -> tuple[list[Record], list[Record]]:
        """(records to add, records to remove) for what the journal has just stored."""
        add: list[Record] = []
        remove: list[Record] = []
        moved: dict[Boot, Anchor | None] = {}  # to the anchor before
        anchors, inputs, other = self._anchors, self._graph.input_of, self._graph.other_input
        for one in stored:
            t = one.t
            if one.new and t is not None and t >= one.at - STALE_MS:
                anchor = anchors.get((one.device, one.log, one.boot))
                if anchor is not None and one.seq > anchor[0]:  # moves nothing but its channel
                    kind, ch, value = fact(one.event)
                    if kind == "lost":
                        kind, value = "other", False
                    place = inputs.get((one.device, kind, ch))
                    if place is None:
                        place = other[one.device]
                    value = None if value == () else value
                    add.append((t, one.boot, one.seq, one.log, place, value))
                    continue
            key = (one.device, one.log, one.seq)
            before = self._estimated.pop(key, None)
            if before is None and not one.new:  # told before our memory begins
                before = self._guess(one.device, one.log, one.seq, one.boot, one.up, one.at)
            if before is not None:
                remove.append(before)
            boot = (one.device, one.log, one.boot)
            if one.t is not None and not is_stale(one.t, one.at):
                anchor = self._anchors.get(boot)
                if anchor is None or one.seq <= anchor[0]:
                    moved.setdefault(boot, anchor)
                    self._anchors[boot] = (one.seq, one.t, one.up)
            record = self._place(one.device, one.log, one.seq, one.boot, one.up, one.t, one.at)
            if record is not None:
                add.append(self._filled(record, one.device, one.event, key, one.t))
        for boot, anchor in moved.items():
            self._move(db, boot, anchor, add, remove)
        return add, remove

    def _move(
        self,
        db: sqlite3.Connection,
        boot: Boot,
        anchor: Anchor | None,
        add: list[Record],
        remove: list[Record],
    ) -> None:
        """A boot's anchor is new: the events without a time of their own move with it."""
        for row in db.execute(
            f"SELECT {_COLUMNS} FROM event WHERE device=? AND log=? AND boot=? AND t IS NULL", boot
        ).fetchall():
            key = (row[0], row[1], row[2])
            before = self._estimated.pop(key, None)
            if before in add:
                add.remove(before)
            elif before is not None:
                remove.append(before)
            else:  # placed before our memory begins
                _, _, seq, number, up, _, at, _ = row
                remove.append(_mark(estimate(at, up, anchor[1:] if anchor else None), number, seq))
            record = self._record(*row)
            if record is not None:
                add.append(record)

    def _guess(self, device: str, log: str, seq: int, boot: int, up: int, at: int) -> Record | None:
        """Where an event stood before its time was learnt."""
        placed = self._place(device, log, seq, boot, up, None, at)
        return None if placed is None else _mark(placed[0], boot, seq)

    def _place(
        self, device: str, log: str, seq: int, boot: int, up: int, t: int | None, at: int
    ) -> tuple[int, int, int, str] | None:
        if t is None:
            anchor = self._anchors.get((device, log, boot))
            t = estimate(at, up, anchor[1:] if anchor else None)
        return None if is_stale(t, at) else (t, boot, seq, log)

    def _record(
        self, device: str, log: str, seq: int, boot: int, up: int, t: int | None, at: int, raw: str
    ) -> Record | None:
        if device not in self._graph.devices:
            return None
        placed = self._place(device, log, seq, boot, up, t, at)
        if placed is None:
            return None
        return self._filled(placed, device, decode_one(raw.encode()), (device, log, seq), t)

    def _filled(
        self, placed: tuple[int, int, int, str], device: str, event: Any, key: Any, t: int | None
    ) -> Record:
        kind, ch, value = fact(event)
        if kind == "lost":  # the journal itself says what is lost
            kind, value = "other", False
        value = None if value == () else value
        record: Record = (*placed, self._graph.input_key(device, kind, ch), value)
        if t is None:
            self._estimated[key] = record
        return record


def _mark(t: int, boot: int, seq: int) -> Record:
    """An instant from which the past has changed, as a record that no list holds."""
    return (t, boot, seq, "", -1, None)
