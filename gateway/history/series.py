"""Reading series back: min, mean and max per step, from the level that fits; energy sums."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any
from zoneinfo import ZoneInfo

from firmware import wire
from gateway.history import buckets, chunks
from gateway.history.kinds import FIELDS, SCALE

MOST_STEPS = 5000
_STATES = {wire.CONTACT, wire.LOCK, wire.PRESENCE, wire.RELAY, wire.DETECTOR, wire.AC}


@dataclass(frozen=True, slots=True)
class Step:
    """One step of a series, beginning at `t` (Unix ms); all None in a gap."""

    t: int
    low: float | None = None
    mean: float | None = None
    high: float | None = None


def find(db: sqlite3.Connection, channel: str, field: str) -> tuple[int, str, int] | None:
    """(id, kind, number of the field) of `device/ch` or `device/ch:what`; None if unheard of."""
    device, _, ch = channel.partition("/")
    ch, _, what = ch.partition(":")
    for number, kind in db.execute(
        "SELECT id, kind FROM channel WHERE device = ? AND ch = ? AND what = ?", (device, ch, what)
    ):
        if field in FIELDS[kind]:
            return number, kind, FIELDS[kind].index(field) + 1
    return None


def series(
    db: sqlite3.Connection,
    found: tuple[int, str, int],
    begin: int,
    end: int,
    step: int,
    zone: ZoneInfo,
    stands: int,
) -> list[Step]:
    """Steps from `begin` to `end`; a state stands for `stands` ms, a sample only for its step."""
    channel, kind, field = found
    sums: dict[int, list[int]] = {}
    for t, n, low, high, total in _rows(db, channel, field, begin, end, step, zone):
        at = begin + (t - begin) // step * step if t >= begin else begin
        one = sums.get(at)
        if one is None:
            sums[at] = [n, low, high, total]
        else:
            one[0] += n
            one[1] = min(one[1], low)
            one[2] = max(one[2], high)
            one[3] += total
    made: list[Step] = []
    carried: float | None = None
    until = begin
    if kind in _STATES:
        before = db.execute(
            f"SELECT f{field}, t FROM sample WHERE channel = ? AND t < ? AND t >= ?"
            f" AND f{field} IS NOT NULL ORDER BY t DESC, boot DESC, seq DESC LIMIT 1",
            (channel, begin, begin - stands),
        ).fetchone()
        if before is not None:
            carried, until = before[0] / SCALE, int(before[1]) + stands
    for at in range(begin, end, step):
        found_here = sums.get(at)
        if found_here is not None:
            n, low, high, total = found_here
            made.append(Step(at, low / SCALE, total / n / SCALE, high / SCALE))
            if kind in _STATES:
                carried, until = _last(db, channel, field, at, at + step), at + step + stands
        elif carried is not None and at < until:
            made.append(Step(at, carried, carried, carried))
        else:
            made.append(Step(at))
    return made


def _last(db: sqlite3.Connection, channel: int, field: int, begin: int, end: int) -> float | None:
    row = db.execute(
        f"SELECT f{field} FROM sample WHERE channel = ? AND t >= ? AND t < ?"
        f" AND f{field} IS NOT NULL ORDER BY t DESC, boot DESC, seq DESC LIMIT 1",
        (channel, begin, end),
    ).fetchone()
    return None if row is None else row[0] / SCALE


def _rows(
    db: sqlite3.Connection,
    channel: int,
    field: int,
    begin: int,
    end: int,
    step: int,
    zone: ZoneInfo,
) -> Iterator[tuple[int, int, int, int, int]]:
    """(t, n, low, high, sum) from the coarsest level whose buckets fit into the steps."""
    level = max(
        (s for s in buckets.STEPS if step % s == 0 and begin % s == 0 and s != buckets.DAY),
        default=0,
    )
    if level:
        yield from db.execute(
            "SELECT t, n, low, high, sum FROM rollup"
            " WHERE channel = ? AND field = ? AND step = ? AND t >= ? AND t < ?",
            (channel, field, level, begin, end),
        )
        return
    for t, value in db.execute(
        f"SELECT t, f{field} FROM sample WHERE channel = ? AND t >= ? AND t < ?"
        f" AND f{field} IS NOT NULL",
        (channel, begin, end),
    ):
        yield t, 1, value, value, value
    first = buckets.begin(buckets.DAY, begin, zone)
    for (data,) in db.execute(
        "SELECT data FROM chunk WHERE channel = ? AND day >= ? AND day < ?", (channel, first, end)
    ):
        for row in chunks.unpack(data):
            packed = row[3 + field]
            if packed is not None and begin <= row[0] < end:
                yield row[0], 1, packed, packed, packed


def energy(db: sqlite3.Connection, begin: int, end: int) -> Iterator[tuple[str, str, int, float]]:
    """(device, ch, hour's begin, kWh) of every meter's hours in [begin, end)."""
    rows: Any = db.execute(
        "SELECT c.device, c.ch, e.t, e.uwh FROM energy e JOIN channel c ON c.id = e.channel"
        " WHERE e.t >= ? AND e.t < ?",
        (begin, end),
    )
    for device, ch, t, uwh in rows:
        yield device, ch, t, uwh / 1e9
