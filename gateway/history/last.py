"""The last value of every channel by event time, as the contract orders equal times."""

from __future__ import annotations

import sqlite3
from typing import Any

import msgspec

from firmware import wire
from gateway.history.kinds import values
from gateway.history.times import COLUMNS, Channel, Lanes, Said, read

_PUT = (
    "INSERT INTO last_value (device, kind, ch, what, t, boot, seq, log, fields)"
    " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (device, kind, ch, what) DO UPDATE SET"
    " t = excluded.t, boot = excluded.boot, seq = excluded.seq, log = excluded.log,"
    " fields = excluded.fields"
    " WHERE (excluded.t, excluded.boot, excluded.seq, excluded.log) > (t, boot, seq, log)"
)


Order = tuple[int, int, int, str]


def keep(
    db: sqlite3.Connection, lanes: Lanes, orders: dict[Channel, Order] | None = None
) -> list[Said]:
    """Update last_value; returns those events that are now their channel's last.

    `orders` remembers for the next call where the channels' last values stand.
    """
    orders = {} if orders is None else orders
    changed: list[Said] = []
    rows = []
    for key, lane in lanes.items():
        event = _newest(db, key, lane, orders)
        if event is None:
            continue
        known = orders.get(key)
        if known is None:
            if _put(db, key, event):
                orders[key] = event.order
                changed.append(event)
        elif event.order > known:
            orders[key] = event.order
            rows.append(_row(key, event))
            changed.append(event)
    db.executemany(_PUT, rows)
    return changed


def name(device: str, kind: str, ch: str, what: str) -> str:
    """A channel's name: `pm-01/c1`, a detector's `pm-01/d1:smoke`, a tamper's `pad-w01/tamper`."""
    if kind == wire.DETECTOR:
        return f"{device}/{ch}:{what}"
    return f"{device}/{ch or kind}"


def shown(kind: str, at: str | None, fields: dict[str, Any], silent: bool) -> dict[str, Any]:
    """A channel's value; an assumed AC state and a silent device's word are not known."""
    known = not silent and fields.get("src") != "assumed"
    return {"kind": kind, "at": at, "known": known, "values": fields}


def told(event: Said, at: str) -> dict[str, Any]:
    """A change of a channel for the live feed."""
    device, kind, ch, what = event.channel
    value = shown(kind, at, values(event.payload), silent=False)
    return {"channel": name(device, kind, ch, what), "device": device} | value


def _newest(
    db: sqlite3.Connection, key: Channel, lane: list[Said], orders: dict[Channel, Order]
) -> Said | None:
    """The last of a lane that may be the channel's last."""
    found = None
    for event in reversed(lane):
        if event.stale:
            continue
        if not event.new and _moved_back(db, key, event):
            orders.pop(key, None)
        elif found is None:
            found = event
    return found


def _put(db: sqlite3.Connection, key: Channel, event: Said) -> bool:
    return db.execute(_PUT, _row(key, event)).rowcount > 0


def _row(key: Channel, event: Said) -> tuple[Any, ...]:
    fields = msgspec.json.encode(values(event.payload), order="sorted").decode()
    return (*key, event.time, event.boot, event.seq, event.log, fields)


def _moved_back(db: sqlite3.Connection, key: Channel, event: Said) -> bool:
    """Where the last value turns out to be older than it seemed, find the channel's last anew.

    Only an event without a time of its own can move, and such a one is of the device's latest
    boots: its last few thousand events are enough to look through.
    """
    found = db.execute(
        "SELECT t FROM last_value WHERE (device, kind, ch, what) = (?, ?, ?, ?)"
        " AND log = ? AND seq = ? AND t > ?",
        (*key, event.log, event.seq, event.time),
    ).fetchone()
    if found is None:
        return False
    db.execute("DELETE FROM last_value WHERE (device, kind, ch, what) = (?, ?, ?, ?)", key)
    rows = db.execute(
        f"SELECT {COLUMNS} FROM event WHERE device = ? AND kind = ? ORDER BY id DESC LIMIT 5000",
        key[:2],
    )
    same = [e for e in read(db, rows) if e.channel == key and not e.stale]
    _put(db, key, max([*same, event], key=lambda e: e.order))
    return True
