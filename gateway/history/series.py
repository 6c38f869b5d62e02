"""Reading series back: min, mean and max per step, from the level that fits; energy sums."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator
from zoneinfo import ZoneInfo

import msgspec

from firmware import wire
from gateway.history import buckets, chunks, mending
from gateway.history.days import sealed_to
from gateway.history.kinds import FIELDS, ROLLED, SCALE
from gateway.history.packing import minutes_from

MOST_STEPS = 5000
_ROLLUP = (
    "SELECT t, n, low, high, sum, last FROM rollup"
    " WHERE channel = ? AND field = ? AND step = ? AND t >= ? AND t < ? ORDER BY t"
)
_STATES = {wire.CONTACT, wire.LOCK, wire.PRESENCE, wire.RELAY, wire.DETECTOR, wire.AC}


class Step(msgspec.Struct, frozen=True, gc=False):
    """One step of a series, beginning at `t` (Unix ms); all None in a gap. A plot has thousands."""

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
    """Steps from `begin` until `end`, the last one whole as well; a state stands for `stands` ms,
    a sample only for its step."""
    channel, kind, field = found
    state = kind in _STATES
    sums: dict[int, list[int]] = {}
    whole = begin + -(-(end - begin) // step) * step
    rolled = field in ROLLED[kind]
    rows = _rows(db, channel, field, begin, whole, step, zone, rolled)
    for t, n, low, high, total, last in rows:
        at = t - (t - begin) % step
        one = sums.get(at)
        if one is None:
            sums[at] = [n, low, high, total, last]
        else:
            one[0] += n
            one[1] = min(one[1], low)
            one[2] = max(one[2], high)
            one[3] += total
            one[4] = last
    if not state:
        get = sums.get
        return [
            _step(at, one) if (one := get(at)) is not None else Step(at)
            for at in range(begin, end, step)
        ]
    made: list[Step] = []
    carried, until = _before(db, channel, field, begin, stands)
    for at in range(begin, end, step):
        one = sums.get(at)
        if one is not None:
            made.append(_step(at, one))
            carried, until = one[4] / SCALE, at + step + stands
        elif carried is not None and at < until:
            made.append(Step(at, carried, carried, carried))
        else:
            made.append(Step(at))
    return made


def aligned(t: int, step: int, zone: ZoneInfo) -> int:
    """The begin of the step that `t` is in: steps are counted from the day's local midnight."""
    day = buckets.begin(buckets.DAY, t, zone)
    return day + (t - day) // step * step


def _step(at: int, sums: list[int]) -> Step:
    n, low, high, total, _ = sums
    return Step(at, low / SCALE, total / n / SCALE, high / SCALE)


def _before(
    db: sqlite3.Connection, channel: int, field: int, begin: int, stands: int
) -> tuple[float | None, int]:
    """The state that stands at `begin`, and until when it does; packed days tell the minute."""
    row = db.execute(
        f"SELECT f{field}, t FROM sample WHERE channel = ? AND t < ? AND t >= ?"
        f" AND f{field} IS NOT NULL ORDER BY t DESC, boot DESC, seq DESC, log DESC LIMIT 1",
        (channel, begin, begin - stands),
    ).fetchone()
    if row is None:
        row = db.execute(
            "SELECT last, t FROM rollup WHERE channel = ? AND field = ? AND step = ?"
            " AND t < ? AND t >= ? ORDER BY t DESC LIMIT 1",
            (channel, field, buckets.MINUTE, begin - begin % buckets.MINUTE, begin - stands),
        ).fetchone()
    return (None, begin) if row is None else (row[0] / SCALE, int(row[1]) + stands)


def _rows(
    db: sqlite3.Connection,
    channel: int,
    field: int,
    begin: int,
    end: int,
    step: int,
    zone: ZoneInfo,
    rolled: bool,
) -> Iterator[tuple[int, int, int, int, int, int]]:
    """(t, n, low, high, sum, last) in order from the coarsest level that fits into the steps; of
    a field that is not rolled up, from its rows."""
    level = _level(begin, end, step, zone) if rolled else 0
    if level < buckets.HOUR:
        kept = minutes_from(db)
        if begin < kept:  # rows and minutes are gone: an hour stands at its begin
            until = min(end, kept)
            yield from db.execute(_ROLLUP, (channel, field, buckets.HOUR, begin, until))
            begin = until
    if level:
        yield from db.execute(_ROLLUP, (channel, field, level, begin, end))
        return
    first = buckets.begin(buckets.DAY, begin, zone)
    for day, data in db.execute(
        "SELECT day, data FROM chunk WHERE channel = ? AND day >= ? AND day < ? ORDER BY day",
        (channel, first, end),
    ):
        for t, packed in _packed(db, channel, field, day, data, zone):
            if packed is not None and begin <= t < end:
                yield t, 1, packed, packed, packed, packed
    for t, value in db.execute(
        f"SELECT t, f{field} FROM sample WHERE channel = ? AND t >= ? AND t < ?"
        f" AND f{field} IS NOT NULL ORDER BY t, boot, seq, log",
        (channel, begin, end),
    ):
        yield t, 1, value, value, value, value


def _level(begin: int, end: int, step: int, zone: ZoneInfo) -> int:
    """The coarsest level whose buckets make up the steps; 0 for rows."""
    if step % buckets.DAY == 0 and _whole_days(begin, end, zone):
        return buckets.DAY
    shorter = (buckets.MINUTE, buckets.HOUR)
    return max((s for s in shorter if step % s == 0 and begin % s == 0), default=0)


def _packed(
    db: sqlite3.Connection, channel: int, field: int, day: int, data: bytes, zone: ZoneInfo
) -> list[tuple[int, int | None]]:
    try:
        return chunks.values(data, field)
    except chunks.Damaged:  # verify tells of it
        rows = mending.journal_rows(db, channel, day, buckets.next_day(day, zone))
        return [(row[0], row[3 + field]) for row in rows]


def _whole_days(begin: int, end: int, zone: ZoneInfo) -> bool:
    """Whether every 24 hours of [begin, end) are one local day: no clock is put forward or back."""
    if buckets.begin(buckets.DAY, begin, zone) != begin:
        return False
    days = range(begin, end, buckets.DAY)
    return all(buckets.next_day(day, zone) == day + buckets.DAY for day in days)


def energy(
    db: sqlite3.Connection, begin: int, end: int, days: ZoneInfo | None = None
) -> Iterator[tuple[str, str, int, float]]:
    """(device, ch, begin of an hour, kWh) of every meter's hours in [begin, end).

    With `days`, the site's zone, whole days come as one where they are over: then t is a midnight.
    """
    spans = [(begin, end)]
    sealed = None if days is None else sealed_to(db)
    if days is not None and sealed is not None:
        first = buckets.begin(buckets.DAY, begin, days)
        first = first if first == begin else buckets.next_day(first, days)
        last = min(buckets.begin(buckets.DAY, end, days), sealed)
        if first < last:
            yield from _energy(db, "energy_day", "day", buckets.DAY, first, last)
            spans = [(begin, first), (last, end)]
    for a, b in spans:
        if a < b:
            yield from _energy(db, "energy", "t", buckets.HOUR, a, b)


_AT_ONCE = 10_000


def _energy(
    db: sqlite3.Connection, table: str, column: str, step: int, begin: int, end: int
) -> Iterator[tuple[str, str, int, float]]:
    """A row for as many meters as make some thousand numbers: each step of a statement gives the
    interpreter away, which a writer at work takes, so small rows would wait as often."""
    meters = json.loads(
        db.execute(
            "SELECT json_group_array(json_array(id, device, ch)) FROM channel WHERE kind = ?",
            (wire.POWER,),
        ).fetchone()[0]
    )
    most = max(1, _AT_ONCE * step // (end - begin))
    for at in range(0, len(meters), most):
        some = {number: (device, ch) for number, device, ch in meters[at : at + most]}
        found = db.execute(
            f"SELECT group_concat(channel), group_concat({column}), group_concat(uwh)"
            f" FROM {table} JOIN json_each(?) ON {table}.channel = json_each.value"
            f" WHERE {column} >= ? AND {column} < ?",
            (json.dumps([*some]), begin, end),
        ).fetchone()
        for number, t, uwh in zip(*map(_numbers, found), strict=True):
            device, ch = some[number]
            yield device, ch, t, uwh / 1e9


def _numbers(joined: str | None) -> list[int]:
    return [] if joined is None else msgspec.json.decode(f"[{joined}]", type=list[int])
