"""Citizens' ratings: which presses count (一事一评), and the sums by counter and department.

With a visit number the first press counts, on a pad and local day (queue numbers come again every
day). Without one the first press opens a dwell of 10 s on that pad, [t, t + 10 s). Every other
press is a duplicate: kept, never counted. No answer is no rating.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

import msgspec

from firmware import wire
from gateway.cases import book
from gateway.history.times import COLUMNS, read
from gateway.site import Site

if TYPE_CHECKING:
    from gateway.turns import Changes, Turn

DWELL_MS = 10_000
LOOK_BACK_MS = 3600_000  # presses before the first day that may hold a dwell open
POINTS = {5: 10, 4: 8, 3: 6, 2: 0, 1: -5}
FEW = 5  # fewer ratings than this show no levels


@dataclass(frozen=True, slots=True, order=True)
class Press:
    """One press of a pad, ordered as the contract orders events; `time` in Unix ms."""

    time: int
    boot: int
    seq: int
    log: str
    pad: str = field(compare=False)
    level: int = field(compare=False)
    visit: str | None = field(compare=False)


@dataclass(frozen=True, slots=True)
class Tally:
    """Counted presses by level, and the duplicates."""

    levels: tuple[int, ...] = (0, 0, 0, 0, 0)  # of level 1…5
    duplicates: int = 0

    @property
    def n(self) -> int:
        return sum(self.levels)

    @property
    def mean(self) -> float | None:
        """Points of the pooled ratings by their number."""
        points = sum(POINTS[level + 1] * n for level, n in enumerate(self.levels))
        return points / self.n if self.n else None

    def __add__(self, other: Tally) -> Tally:
        levels = tuple(a + b for a, b in zip(self.levels, other.levels, strict=True))
        return Tally(levels, self.duplicates + other.duplicates)


class Counting:
    """Decides press after press, in order of time, on one pad."""

    def __init__(self, zone: ZoneInfo) -> None:
        self._zone = zone
        self._day: date | None = None
        self._visits: set[str] = set()
        self._until: int | None = None

    def counts(self, press: Press) -> bool:
        """Whether this press is a rating; otherwise it is a duplicate."""
        day = datetime.fromtimestamp(press.time / 1000, self._zone).date()
        if day != self._day:
            self._day, self._visits = day, set()
        if press.visit is not None:
            fresh = press.visit not in self._visits
            self._visits.add(press.visit)
            return fresh
        if self._until is not None and press.time < self._until:
            return False
        self._until = press.time + DWELL_MS
        return True


def judged(presses: Iterable[Press], zone: ZoneInfo) -> list[tuple[Press, bool]]:
    """Every press once, in order, and whether it counts; pads do not touch each other."""
    pads: dict[str, Counting] = {}
    once = {(press.pad, press.log, press.seq): press for press in presses}
    return [
        (press, pads.setdefault(press.pad, Counting(zone)).counts(press))
        for press in sorted(once.values())
    ]


def tallies(
    presses: Iterable[Press],
    zone: ZoneInfo,
    begin: int,
    end: int,
    upheld: frozenset[tuple[str, str, int]] = frozenset(),
) -> dict[str, Tally]:
    """pad → its tally of [begin, end); earlier presses only hold a dwell or a visit.

    `upheld` are the (pad, log, seq) that an upheld appeal takes out of the count (第五条); what
    was a duplicate of one stays a duplicate.
    """
    found: dict[str, tuple[list[int], int]] = {}
    for press, counts in judged(presses, zone):
        if begin <= press.time < end and (press.pad, press.log, press.seq) not in upheld:
            levels, duplicates = found.setdefault(press.pad, ([0] * 5, 0))
            if counts:
                levels[press.level - 1] += 1
            else:
                found[press.pad] = (levels, duplicates + 1)
    return {pad: Tally(tuple(levels), more) for pad, (levels, more) in found.items()}


def presses(db: sqlite3.Connection, pads: Sequence[str], begin: int, end: int) -> list[Press]:
    """The stored presses of these pads with an event time in [begin, end)."""
    rows: list[Any] = []
    for pad in pads:
        query = f"SELECT {COLUMNS} FROM event WHERE kind = 'rating' AND device = ? AND t"
        rows += db.execute(f"{query} >= ? AND t < ?", (pad, begin, end)).fetchall()
        rows += db.execute(f"{query} IS NULL", (pad,)).fetchall()
    return [
        Press(
            *(said.time, said.boot, said.seq, said.log, said.device),
            *(int(said.payload["level"]), said.payload.get("visit")),
        )
        for said in read(db, rows)
        if begin <= said.time < end
    ]


def days(first: date, last: date, zone: ZoneInfo) -> tuple[int, int]:
    """[begin, end) in Unix ms of whole local days."""
    begin = datetime(first.year, first.month, first.day, tzinfo=zone)
    after = last + timedelta(days=1)
    end = datetime(after.year, after.month, after.day, tzinfo=zone)
    return round(begin.timestamp() * 1000), round(end.timestamp() * 1000)


def summary(
    db: sqlite3.Connection, site: Site, first: date, last: date, by: str
) -> list[dict[str, Any]]:
    """One item a counter or department of the site, in the file's order, for whole days."""
    zone = ZoneInfo(site.timezone)
    begin, end = days(first, last, zone)
    pads = [counter.pad for counter in site.counters if counter.pad]
    out = frozenset((one.device, one.log, one.seq) for one in book.upheld(db))
    found = tallies(presses(db, pads, begin - LOOK_BACK_MS, end), zone, begin, end, out)
    groups: dict[str, Tally] = {}
    for counter in site.counters:
        name = counter.id if by == "counter" else counter.department
        tally = found.get(counter.pad, Tally()) if counter.pad else Tally()
        groups[name] = groups.get(name, Tally()) + tally
    return [{by: name} | shown(tally) for name, tally in groups.items()]


def shown(tally: Tally) -> dict[str, Any]:
    """A tally as the API shows it. `unrated` is null: no register of visits is connected."""
    enough = tally.n >= FEW
    return {
        "n": tally.n,
        "duplicates": tally.duplicates,
        "unrated": None,
        "levels": (
            {str(level): tally.levels[level - 1] for level in (5, 4, 3, 2, 1)} if enough else None
        ),
        "mean": tally.mean if enough else None,
    }


class Ratings:
    """The pipeline's step that tells the page how many ratings a counter has had today.

    A live figure: presses are counted as they are stored. A press that comes late on a pad
    without visit numbers may be counted otherwise by `summary`, which is what the page reads.
    """

    name = "ratings"

    def __init__(self, site: Site) -> None:
        self._zone = ZoneInfo(site.timezone)
        self._counters = {c.pad: c.id for c in site.counters if c.pad}
        self._counting: dict[str, Counting] = {}
        self._n: dict[str, int] = {}
        self._day: date | None = None
        self._changed: list[str] = []

    def load(self, db: sqlite3.Connection, now: int) -> None:
        """Count today afresh."""
        self._start(self._date(now))
        assert self._day is not None
        begin, end = days(self._day, self._day, self._zone)
        stored = presses(db, list(self._counters), begin - LOOK_BACK_MS, end)
        for press in sorted(stored):
            self._take(press)
        self._changed = []

    def turn(self, db: sqlite3.Connection, turn: Turn) -> None:  # noqa: ARG002
        """Count what is new."""
        self._changed = []
        if self._date(turn.now) != self._day:
            self._start(self._date(turn.now))
        for stored in turn.stored:
            event = stored.event
            if not stored.new or event.kind != wire.RATING or stored.device not in self._counters:
                continue
            time = stored.at if stored.t is None else stored.t
            if self._date(time) == self._day:
                said: dict[str, Any] = msgspec.to_builtins(event)
                self._take(
                    Press(
                        *(time, stored.boot, stored.seq, stored.log, stored.device),
                        *(said["level"], said["visit"]),
                    )
                )

    def committed(self, turn: Turn) -> Changes:  # noqa: ARG002
        """The new n of each counter that has one."""
        return [
            ("rating", {"counter": self._counters[pad], "n": self._n[pad]})
            for pad in dict.fromkeys(self._changed)
        ]

    def _date(self, now: int) -> date:
        return datetime.fromtimestamp(now / 1000, self._zone).date()

    def _start(self, day: date) -> None:
        self._day, self._n, self._counting = day, {}, {}

    def _take(self, press: Press) -> None:
        counting = self._counting.setdefault(press.pad, Counting(self._zone))
        if counting.counts(press) and self._date(press.time) == self._day:
            self._n[press.pad] = self._n.get(press.pad, 0) + 1
            self._changed.append(press.pad)
