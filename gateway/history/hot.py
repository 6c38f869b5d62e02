"""Hot rows with their rollups and energy, in the caller's transaction.

Everything but a bucket's `last` is a sum, a count or an extreme, so a row that comes late is added
like any other; a row that moves is taken out of its buckets, which are then counted afresh.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from functools import lru_cache
from itertools import chain
from zoneinfo import ZoneInfo

from firmware import wire
from gateway.history import buckets
from gateway.history.buckets import Reading
from gateway.history.days import Days
from gateway.history.kinds import FIELDS, ROLLED, row
from gateway.history.packing import AT_ONCE, MANY, PUTS, Packing
from gateway.history.times import Channel, Lanes, Said

Bucket = tuple[int, int, int, int]  # channel, field, step, begin
Minute = tuple[int, int, int]  # channel, field, begin
Key = tuple[int, int, int, int]  # t, boot, seq, log
Rows = list[tuple[int | None, ...]]
_ADD = (
    "INSERT INTO rollup (channel, field, step, t, n, low, high, sum, last)"
    " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (channel, field, step, t) DO UPDATE SET"
    " n = n + excluded.n, low = min(low, excluded.low), high = max(high, excluded.high),"
    " sum = sum + excluded.sum, last = excluded.last"
)
_ENERGY = (
    "INSERT INTO energy (channel, t, uwh) VALUES (?, ?, ?)"
    " ON CONFLICT (channel, t) DO UPDATE SET uwh = uwh + excluded.uwh"
)
_NEWEST = "t DESC, boot DESC, seq DESC, log DESC LIMIT 1"
_WATT, _WH = 1, len(FIELDS[wire.POWER])


class Hot:
    """The writer's side of the history. It caches only ids and each channel's newest row."""

    def __init__(self, zone: ZoneInfo) -> None:
        self._zone = zone
        self._ids: dict[tuple[str, str, str, str], int] = {}
        self._kinds: dict[int, str] = {}
        self._newest: dict[int, Key] = {}
        self._last: dict[int, Reading] = {}
        self._days = Days(zone)
        self.packing = Packing(zone)

    def load(self, db: sqlite3.Connection) -> None:
        """Forget what is cached, and read what is needed before the first row."""
        self._ids = {
            (device, kind, ch, what): number
            for number, device, ch, kind, what in db.execute(
                "SELECT id, device, ch, kind, what FROM channel"
            )
        }
        self._kinds = {number: kind for (_, kind, _, _), number in self._ids.items()}
        self._newest, self._last = {}, {}
        self._days.load(db)
        self.packing.load(db)

    def keep(self, db: sqlite3.Connection, lanes: Lanes) -> None:
        """Add what is new, move what has a better time."""
        sums: dict[Minute, list[int]] = {}
        energy: dict[tuple[int, int], int] = {}
        late: set[Bucket] = set()
        again: set[Bucket] = set()
        rows: list[Rows] = [[] for _ in PUTS]  # by how many values each has
        for where, lane in lanes.items():
            if where[1] not in FIELDS:
                continue
            channel = self._ids.get(where) or self._channel(db, where)
            left = self._append(channel, where[1], lane, rows, sums, energy)
            while left:
                _put(db, rows)  # what follows reads them
                self._insert(db, channel, left[0], sums, energy, late, again)
                left = self._append(channel, where[1], left[1:], rows, sums, energy)
        _put(db, rows)
        db.executemany(_ADD, self._levels(sums))
        db.executemany(_ENERGY, [(*at, uwh) for at, uwh in energy.items() if uwh])
        self._days.add(db, energy)
        for bucket in late - again:
            self._relast(db, bucket)
        for bucket in again:  # last, for this turn's own sums are in its rows already
            self._recount(db, bucket)

    def _append(
        self,
        channel: int,
        kind: str,
        lane: list[Said],
        rows: list[Rows],
        sums: dict[Minute, list[int]],
        energy: dict[tuple[int, int], int],
    ) -> list[Said]:
        """Take new rows while each is plainly the channel's next and so touches nothing that is
        there; what is left begins with one that is not."""
        newest, last = self._newest.get(channel), self._last.get(channel)
        horizon, rolled, metered = self.packing.horizon, ROLLED[kind], kind == wire.POWER
        if newest is None or (metered and last is None):
            return lane
        taken = begin = over = log = 0
        hex_ = ""
        spent: dict[int, int] = {}
        minute: dict[int, list[int]] = {}  # by field: from `begin` to `over`
        for event in lane:
            t = event.time
            if event.log != hex_:
                hex_ = event.log
                log = _number(hex_)
            key = (t, event.boot, event.seq, log)
            if not event.new or key <= newest or event.estimated or t < horizon:
                break
            taken += 1
            newest = key
            values = row(kind, event.told)
            width = len(values)
            rows[width].append((channel, *key, *values))
            if last is not None and (reading := _reading(t, values)) is not None:
                for hour, uwh in buckets.spent(last, reading):
                    spent[hour] = spent.get(hour, 0) + uwh
                last = reading
            if t >= over:
                begin = t - t % buckets.MINUTE
                over, minute = begin + buckets.MINUTE, {}
            for field in rolled:
                if field <= width and (value := values[field - 1]) is not None:
                    sum_ = minute.get(field)
                    if sum_ is None:
                        sum_ = minute[field] = _sum(sums, (channel, field, begin), value)
                    _count(sum_, value)
        self._newest[channel] = newest
        if last is not None:
            self._last[channel] = last
        for hour, uwh in spent.items():
            energy[channel, hour] = energy.get((channel, hour), 0) + uwh
        return lane[taken:]

    def _insert(
        self,
        db: sqlite3.Connection,
        channel: int,
        event: Said,
        sums: dict[Minute, list[int]],
        energy: dict[tuple[int, int], int],
        late: set[Bucket],
        again: set[Bucket],
    ) -> None:
        """Take one that may come before others, that has moved, or that may still move."""
        log = _number(event.log)
        if not event.new and not self._leave(db, channel, log, event, energy, again):
            return
        if event.time < self.packing.kept_from:  # what it would be counted with is gone
            return
        key = (event.time, event.boot, event.seq, log)
        values = row(event.kind, event.told)
        self._thaw(db, channel, event.time)
        if event.estimated:
            db.execute(
                "INSERT OR REPLACE INTO moving (channel, log, seq, t) VALUES (?, ?, ?, ?)",
                (channel, log, event.seq, event.time),
            )
        newest = self._newest_of(db, channel)
        behind = newest is not None and key <= newest
        if not db.execute(PUTS[len(values)], (channel, *key, *values)).rowcount:
            return
        if not behind:
            self._newest[channel] = key
        if event.kind == wire.POWER:
            self._spend(db, channel, key, values, behind, energy)
        for field in ROLLED[event.kind]:
            if field <= len(values) and (value := values[field - 1]) is not None:
                begin = event.time - event.time % buckets.MINUTE
                _count(_sum(sums, (channel, field, begin), value), value)
                if behind:
                    late.update(self._buckets(channel, field, event.time))

    def _buckets(self, channel: int, field: int, t: int) -> Iterator[Bucket]:
        for step in buckets.STEPS:
            yield channel, field, step, buckets.begin(step, t, self._zone)

    def _levels(self, sums: dict[Minute, list[int]]) -> list[tuple[int, ...]]:
        """A turn's minutes as rows of all levels."""
        coarse: dict[Bucket, list[int]] = {}
        made: list[tuple[int, ...]] = []
        for (channel, field, minute), found in sorted(sums.items()):
            made.append((channel, field, buckets.MINUTE, minute, *found))
            for step in (buckets.HOUR, buckets.DAY):
                bucket = (channel, field, step, buckets.begin(step, minute, self._zone))
                into = coarse.get(bucket)
                if into is None:
                    coarse[bucket] = found.copy()
                    continue
                into[0] += found[0]
                into[1] = min(into[1], found[1])
                into[2] = max(into[2], found[2])
                into[3] += found[3]
                into[4] = found[4]
        return made + [(*bucket, *found) for bucket, found in coarse.items()]

    def _channel(self, db: sqlite3.Connection, where: Channel) -> int:
        made = db.execute(
            "INSERT INTO channel (device, kind, ch, what) VALUES (?, ?, ?, ?) RETURNING id", where
        )
        found = self._ids[where] = int(made.fetchone()[0])
        self._kinds[found] = where[1]
        return found

    def _newest_of(self, db: sqlite3.Connection, channel: int) -> Key | None:
        if channel not in self._newest:
            found = db.execute(
                f"SELECT t, boot, seq, log FROM sample WHERE channel = ? ORDER BY {_NEWEST}",
                (channel,),
            ).fetchone()
            if found is None:
                return None
            self._newest[channel] = tuple(found)
        return self._newest[channel]

    # -- energy

    def _spend(
        self,
        db: sqlite3.Connection,
        channel: int,
        key: Key,
        values: Sequence[int | None],
        behind: bool,
        energy: dict[tuple[int, int], int],
    ) -> None:
        reading = _reading(key[0], values)
        if reading is None:
            return
        before = self._last.get(channel) if not behind else None
        if before is None:
            before = self._beside(db, channel, key, older=True)
        after = self._beside(db, channel, key, older=False) if behind else None
        if before is not None or not self.packing.torn(db, channel, key[0]):
            _bill(energy, channel, before, after, -1)
            _bill(energy, channel, before, reading, 1)
            _bill(energy, channel, reading, after, 1)
        if after is None:
            self._last[channel] = reading

    def _beside(
        self, db: sqlite3.Connection, channel: int, key: Key, older: bool
    ) -> Reading | None:
        """The reading just before or after a row of the channel."""
        sign, way = ("<", "DESC") if older else (">", "ASC")
        found = db.execute(
            f"SELECT t, f1, f{_WH} FROM sample WHERE channel = ? AND f1 IS NOT NULL"
            f" AND (t, boot, seq, log) {sign} (?, ?, ?, ?)"
            f" ORDER BY t {way}, boot {way}, seq {way}, log {way} LIMIT 1",
            (channel, *key),
        ).fetchone()
        if found is None and older and self.packing.horizon:
            packed = self.packing.newest(db, channel, key[0], 3 + _WATT)
            return None if packed is None else _reading(packed[0], packed[4:])
        return Reading(*found) if found else None

    # -- rows that move

    def _leave(
        self,
        db: sqlite3.Connection,
        channel: int,
        log: int,
        event: Said,
        energy: dict[tuple[int, int], int],
        again: set[Bucket],
    ) -> bool:
        """Take a row out of its old place; False where it need not move."""
        found = db.execute(
            "SELECT t FROM moving WHERE channel = ? AND log = ? AND seq = ?",
            (channel, log, event.seq),
        ).fetchone()
        if found is None:  # it had a time of its own
            return False
        if not event.estimated:
            db.execute(
                "DELETE FROM moving WHERE channel = ? AND log = ? AND seq = ?",
                (channel, log, event.seq),
            )
        if found[0] == event.time or found[0] < self.packing.kept_from:
            return False
        key = (found[0], event.boot, event.seq, log)
        self._thaw(db, channel, found[0])
        values = row(event.kind, event.told)
        db.execute(
            "DELETE FROM sample WHERE channel = ? AND t = ? AND boot = ? AND seq = ? AND log = ?",
            (channel, *key),
        )
        self._newest.pop(channel, None)
        self._last.pop(channel, None)
        gone = _reading(found[0], values) if event.kind == wire.POWER else None
        if gone is not None:
            before = self._beside(db, channel, key, older=True)
            after = self._beside(db, channel, key, older=False)
            if before is not None or not self.packing.torn(db, channel, key[0]):
                _bill(energy, channel, before, gone, -1)
                _bill(energy, channel, gone, after, -1)
                _bill(energy, channel, before, after, 1)
        for field in ROLLED[event.kind]:
            again.update(self._buckets(channel, field, found[0]))
        return True

    def settle(self, db: sqlite3.Connection, now: int, keep_hot: int) -> bool:
        """One small piece of what is due once days are over; False if nothing is."""
        return self._days.seal(db, now) or self.packing.compact(db, now - keep_hot)

    def _thaw(self, db: sqlite3.Connection, channel: int, t: int) -> None:
        if self.packing.thaw(db, channel, t):
            self._newest.pop(channel, None)
            self._last.pop(channel, None)

    def _relast(self, db: sqlite3.Connection, bucket: Bucket) -> None:
        """A late row came into a bucket: its last value is read again from the hot rows."""
        channel, field, step, begin = bucket
        end = buckets.next_day(begin, self._zone) if step == buckets.DAY else begin + step
        found = db.execute(
            f"SELECT f{field} FROM sample WHERE channel = ? AND t >= ? AND t < ?"
            f" AND f{field} IS NOT NULL ORDER BY {_NEWEST}",
            (channel, begin, end),
        ).fetchone()
        if found is not None:
            db.execute(
                "UPDATE rollup SET last = ? WHERE channel = ? AND field = ? AND step = ? AND t = ?",
                (found[0], *bucket),
            )

    def _recount(self, db: sqlite3.Connection, bucket: Bucket) -> None:
        """A row has left: its bucket is counted afresh from the rows that are there."""
        channel, field, step, begin = bucket
        end = buckets.next_day(begin, self._zone) if step == buckets.DAY else begin + step
        db.execute(
            "DELETE FROM rollup WHERE channel = ? AND field = ? AND step = ? AND t = ?", bucket
        )
        db.execute(
            "INSERT INTO rollup (channel, field, step, t, n, low, high, sum, last)"
            f" SELECT ?, ?, ?, ?, count(*), min(f{field}), max(f{field}), sum(f{field}), 0"
            f" FROM sample WHERE channel = ? AND t >= ? AND t < ? AND f{field} IS NOT NULL"
            " HAVING count(*) > 0",
            (*bucket, channel, begin, end),
        )
        self._relast(db, bucket)


def _put(db: sqlite3.Connection, rows: list[Rows]) -> None:
    """Write new rows, and forget them."""
    for one, many, some in zip(PUTS, MANY, rows, strict=True):
        if some:
            whole = len(some) - len(some) % AT_ONCE
            parts = [iter(some[:whole])] * AT_ONCE
            db.executemany(many, map(_joined, zip(*parts, strict=True)))
            db.executemany(one, some[whole:])
            some.clear()


def _joined(rows: Iterable[tuple[int | None, ...]]) -> list[int | None]:
    return list(chain.from_iterable(rows))


@lru_cache(maxsize=10_000)
def _number(log: str) -> int:
    """A log's hex text as a number."""
    return int(log, 16)


def _sum(sums: dict[Minute, list[int]], minute: Minute, value: int) -> list[int]:
    """What is counted of a minute: n, low, high, sum, last. `value` is the first to be."""
    found = sums.get(minute)
    if found is None:
        found = sums[minute] = [0, value, value, 0, value]
    return found


def _count(found: list[int], value: int) -> None:
    found[0] += 1
    if value < found[1]:
        found[1] = value
    elif value > found[2]:
        found[2] = value
    found[3] += value
    found[4] = value


def _reading(t: int, values: Sequence[int | None]) -> Reading | None:
    """A meter's word in a row; None where it has no power."""
    if not values or (w := values[_WATT - 1]) is None:
        return None
    return Reading(t, w, values[_WH - 1] if len(values) >= _WH else None)


def _bill(
    energy: dict[tuple[int, int], int],
    channel: int,
    a: Reading | None,
    b: Reading | None,
    sign: int,
) -> None:
    """Add (or take back, sign -1) what was spent between two readings."""
    if a is None or b is None:
        return
    for hour, uwh in buckets.spent(a, b):
        energy[channel, hour] = energy.get((channel, hour), 0) + sign * uwh
