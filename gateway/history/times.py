"""Event time: when a stored event happened, by the contract's words, from what is stored.

An event with a believed `t` has that time. One without is placed by its anchor: the lowest-seq
event of the same device, log and boot that has a time and is not stale. So a new anchor may move
events that were placed before: `resolve` names them too.
"""

from __future__ import annotations

import json
import operator
import sqlite3
from collections.abc import Iterable
from typing import Any, Protocol

import msgspec

from firmware.wire import STALE_MS
from gateway.history.kinds import VALUED, Told
from gateway.history.kinds import channel as place
from gateway.timeline import estimate, is_stale

Channel = tuple[str, str, str, str]
"""(device, kind, ch, what)"""


class Heard(Protocol):
    """An event as the journal has it: `t` is the believed one, `at` its first arrival, `log`
    lower-case hex. `event` is what it says, decoded or as it was read back; `new` is False where it
    was stored before and is now better known."""

    @property
    def device(self) -> str: ...
    @property
    def log(self) -> str: ...
    @property
    def seq(self) -> int: ...
    @property
    def boot(self) -> int: ...
    @property
    def up(self) -> int: ...
    @property
    def t(self) -> int | None: ...
    @property
    def at(self) -> int: ...
    @property
    def kind(self) -> str: ...
    @property
    def event(self) -> Told: ...
    @property
    def new(self) -> bool: ...


class Read(msgspec.Struct, frozen=True, gc=False):
    """A row of `event`."""

    device: str
    log: str
    seq: int
    boot: int
    up: int
    t: int | None
    at: int
    kind: str
    event: dict[str, Any]
    new: bool = False


class Said(msgspec.Struct, frozen=True, gc=False):
    """An event and its time in Unix ms."""

    device: str
    log: str
    seq: int
    boot: int
    time: int
    estimated: bool
    stale: bool
    kind: str
    told: Told
    new: bool = True
    place: Channel | None = None  # where it is known already

    @property
    def channel(self) -> Channel:
        """The channel that it is about."""
        return self.place or place(self.device, self.kind, self.told)

    @property
    def order(self) -> tuple[int, int, int, str]:
        """How the contract orders events of one channel."""
        return self.time, self.boot, self.seq, self.log

    @property
    def payload(self) -> dict[str, Any]:
        """What it says, as on the wire."""
        told = self.told
        found: dict[str, Any] = told if isinstance(told, dict) else msgspec.to_builtins(told)
        return found


_ORDER = operator.attrgetter("time", "boot", "seq", "log")
Lanes = dict[Channel, list[Said]]


def lanes(said: Iterable[Said]) -> Lanes:
    """What was said of each channel that has a value, in the contract's order."""
    found: Lanes = {}
    for event in said:
        if event.kind in VALUED:
            where = event.place or event.channel
            lane = found.get(where)
            if lane is None:
                found[where] = [event]
            else:
                lane.append(event)
    for lane in found.values():
        times = [event.time for event in lane]
        if any(map(operator.ge, times, times[1:])):  # mostly they come in order
            lane.sort(key=_ORDER)
    return found


class Anchor(msgspec.Struct, frozen=True):
    """The event that places those of its boot that have no time."""

    seq: int
    t: int
    up: int


def placed(t: int | None, up: int, at: int, anchor: Anchor | None) -> tuple[int, bool]:
    """(event time, whether it is an estimate)."""
    if t is not None:
        return t, False
    if anchor is not None:
        return estimate(at, up, (anchor.t, anchor.up)), True
    return at, True


Boot = tuple[str, str, int]  # device, log, boot


def resolve(
    db: sqlite3.Connection, heard: Iterable[Heard], anchored: dict[Boot, int] | None = None
) -> list[Said]:
    """The times of what was stored in this transaction, and of what it moves.

    `anchored` remembers for the next call a seq not below the anchor of each boot that has one:
    what comes after that cannot be one.
    """
    anchored = {} if anchored is None else anchored
    lowest: dict[Boot, tuple[Anchor, Heard]] = {}
    found: list[Said] = []
    untimed: list[Heard] = []
    for event in heard:
        t = event.t
        if t is None:
            untimed.append(event)
            continue
        stale = t < event.at - STALE_MS
        if not stale:
            where = (event.device, event.log, event.boot)
            known = anchored.get(where)
            if (known is None or event.seq <= known) and (
                where not in lowest or event.seq < lowest[where][0].seq
            ):
                lowest[where] = Anchor(event.seq, t, event.up), event
        device, kind, told = event.device, event.kind, event.event
        at = place(device, kind, told)
        found.append(
            Said(
                device,
                event.log,
                event.seq,
                event.boot,
                t,
                False,
                stale,
                kind,
                told,
                event.new,
                at,
            )
        )
    moved = {where: anchor for where, (anchor, event) in lowest.items() if _anchors(db, event)}
    anchored |= {where: anchor.seq for where, (anchor, _) in lowest.items()}
    anchors: dict[Boot, Anchor | None] = dict(moved)
    for event in untimed:
        where = (event.device, event.log, event.boot)
        if where not in anchors:
            anchors[where] = _anchor(db, *where)
        found.append(_said(event, anchors[where]))
    if moved:
        there = {(one.device, one.log, one.seq) for one in found}
        for (device, log, boot), anchor in moved.items():
            for event in timeless(db, device, log, boot):
                if (device, log, event.seq) not in there:
                    found.append(_said(event, anchor))
    return found


def read(db: sqlite3.Connection, rows: Iterable[Any]) -> list[Said]:
    """The times of `event` rows (device, log, seq, boot, up, t, at, kind, payload)."""
    anchors: dict[tuple[str, str, int], Anchor | None] = {}
    found = []
    for row in rows:
        event = _heard(row)
        anchor = None
        if event.t is None:
            where = (event.device, event.log, event.boot)
            if where not in anchors:
                anchors[where] = _anchor(db, *where)
            anchor = anchors[where]
        found.append(_said(event, anchor))
    return found


COLUMNS = "device, log, seq, boot, up, t, at, kind, payload"


def timeless(db: sqlite3.Connection, device: str, log: str, boot: int) -> list[Read]:
    """The stored events of a boot that have no time of their own."""
    rows = db.execute(
        f"SELECT {COLUMNS} FROM event WHERE device = ? AND log = ? AND boot = ? AND t IS NULL",
        (device, log, boot),
    )
    return [_heard(row) for row in rows]


def _heard(row: Any) -> Read:
    device, log, seq, boot, up, t, at, kind, payload = row
    return Read(device, log, seq, boot, up, t, at, kind, json.loads(payload))


def _said(event: Heard, anchor: Anchor | None) -> Said:
    time, estimated = placed(event.t, event.up, event.at, anchor)
    return Said(
        *(event.device, event.log, event.seq, event.boot, time, estimated),
        *(is_stale(time, event.at), event.kind, event.event, event.new),
    )


def _anchor(db: sqlite3.Connection, device: str, log: str, boot: int) -> Anchor | None:
    row = db.execute(
        "SELECT seq, t, up FROM anchor WHERE device = ? AND log = ? AND boot = ?",
        (device, log, boot),
    ).fetchone()
    return Anchor(*row) if row else None


def _anchors(db: sqlite3.Connection, event: Heard) -> bool:
    """Make the event its boot's anchor where it is the lowest so far; whether that changed it."""
    return bool(
        db.execute(
            "INSERT INTO anchor (device, log, boot, seq, t, up) VALUES (?, ?, ?, ?, ?, ?)"
            " ON CONFLICT (device, log, boot) DO UPDATE"
            " SET seq = excluded.seq, t = excluded.t, up = excluded.up"
            " WHERE excluded.seq < seq OR (excluded.seq = seq AND excluded.t <> t)",
            (event.device, event.log, event.boot, event.seq, event.t, event.up),
        ).rowcount
    )
