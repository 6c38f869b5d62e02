"""Which presses count (一事一评), and their sums. Pure.

With a visit number the first press counts, on a counter and local day (queue numbers come again
every day). Without one the first press opens a dwell of 10 s on that pad, [t, t + 10 s). Every
other press is a duplicate: kept, never counted. No answer is no rating.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date, datetime
from zoneinfo import ZoneInfo

DWELL_MS = 10_000
POINTS = {5: 10, 4: 8, 3: 6, 2: 0, 1: -5}
BAD = (2, 1)
FEW = 5  # fewer ratings than this show no levels
CHANNELS = ("pad", "qr", "paper")


@dataclass(frozen=True, slots=True, order=True)
class Press:
    """One rating, ordered as the contract orders events; `time` in Unix ms.

    `pad` is where it was given: presses of one pad are judged together. `channel` is `pad`, `qr` or
    `paper`; the other two have no dwell.
    """

    time: int
    boot: int
    seq: int
    log: str
    pad: str = field(compare=False)
    level: int = field(compare=False)
    visit: str | None = field(compare=False)
    channel: str = field(default="pad", compare=False)

    @property
    def name(self) -> tuple[str, str, int]:
        """What names it for good: device, log, seq."""
        return self.pad, self.log, self.seq


@dataclass(frozen=True, slots=True)
class Tally:
    """Counted ratings by level, the duplicates, and those an upheld appeal has taken out."""

    levels: tuple[int, ...] = (0, 0, 0, 0, 0)  # of level 1…5
    duplicates: int = 0
    excluded: int = 0

    @property
    def n(self) -> int:
        return sum(self.levels)

    @property
    def points(self) -> int:
        return sum(POINTS[level + 1] * n for level, n in enumerate(self.levels))

    @property
    def bad(self) -> int:
        """差评: the last two levels."""
        return self.levels[1] + self.levels[0]

    @property
    def mean(self) -> float | None:
        """Points of the pooled ratings by their number."""
        return self.points / self.n if self.n else None

    def __add__(self, other: Tally) -> Tally:
        levels = tuple(a + b for a, b in zip(self.levels, other.levels, strict=True))
        return Tally(levels, self.duplicates + other.duplicates, self.excluded + other.excluded)


class Sums:
    """A tally that grows."""

    __slots__ = ("channels", "duplicates", "excluded", "levels")

    def __init__(self) -> None:
        self.levels = [0] * 5
        self.duplicates = self.excluded = 0
        self.channels = dict.fromkeys(CHANNELS, 0)

    def add(self, press: Press, *, counts: bool, excluded: bool = False) -> None:
        if not counts:
            self.duplicates += 1
        elif excluded:
            self.excluded += 1
        else:
            self.levels[press.level - 1] += 1
            self.channels[press.channel] += 1

    @property
    def tally(self) -> Tally:
        return Tally(tuple(self.levels), self.duplicates, self.excluded)


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
        if press.channel != "pad":
            return True
        if self._until is not None and press.time < self._until:
            return False
        self._until = press.time + DWELL_MS
        return True


def judged(presses: Iterable[Press], zone: ZoneInfo) -> list[tuple[Press, bool]]:
    """Every press once, in order, and whether it counts; pads do not touch each other."""
    pads: dict[str, Counting] = {}
    once = {press.name: press for press in presses}
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
    found: dict[str, Sums] = {}
    for press, counts in judged(presses, zone):
        if begin <= press.time < end:
            found.setdefault(press.pad, Sums()).add(
                press, counts=counts, excluded=press.name in upheld
            )
    return {pad: sums.tally for pad, sums in found.items()}
