"""The arithmetic of the energy report. Times are Unix ms, spans [begin, end), energy kWh."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from statistics import median

HOUR = 3_600_000
MINUTE = 60_000
WEEKS_BACK = 8  # how far back a day is looked for
MOST = 4  # days that a day is held against
ENOUGH = 0.9  # share of its hours that a day must be known for, to be held against another

Span = tuple[int, int]
Part = tuple[int, int, float]  # begin, end, the share of each hour in it that counts


@dataclass(frozen=True, slots=True)
class Band:
    """What earlier days say of one: lowest, median, highest of `n` values."""

    low: float
    mid: float
    high: float
    n: int


def band(values: Iterable[float | None]) -> Band | None:
    """The band of the values that are known; None where none is."""
    known = [v for v in values if v is not None]
    return Band(min(known), median(known), max(known), len(known)) if known else None


def comparable(day: date, works: Callable[[date], bool]) -> list[date]:
    """The latest earlier days, at most `MOST`, of this weekday, worked as it is or off as it is."""
    kind = works(day)
    back = (day - timedelta(weeks=n) for n in range(1, WEEKS_BACK + 1))
    return [d for d in back if works(d) == kind][:MOST]


def without(spans: Iterable[Span], taken: Sequence[Span]) -> list[Span]:
    """`spans` less `taken`; both sorted and without overlaps."""
    left: list[Span] = []
    for first, end in spans:
        begin = first
        for a, b in taken:
            if b <= begin or a >= end:
                continue
            if a > begin:
                left.append((begin, a))
            begin = max(begin, b)
        if begin < end:
            left.append((begin, end))
    return left


def clipped(spans: Iterable[Span], begin: int, end: int) -> list[Span]:
    """The parts of `spans` inside [begin, end)."""
    inside = ((max(a, begin), min(b, end)) for a, b in spans)
    return [(a, b) for a, b in inside if a < b]


def hours_of(spans: Iterable[Span], until: int) -> list[Part]:
    """Whole hours and shares of hours that make up the spans, for energy that is kept by the hour.

    An hour that is still running (`until` is in it) has its energy in the part that is over.
    """
    whole: list[Part] = []
    partial: dict[int, int] = {}
    for begin, end in clipped(spans, 0, until):
        first = -(-begin // HOUR) * HOUR
        last = end // HOUR * HOUR
        if first < last:
            whole.append((first, last, 1.0))
        edges = [(begin, min(first, end)), (max(last, begin), end)]
        for a, b in edges if first <= last else [(begin, end)]:
            if a < b:
                hour = a // HOUR * HOUR
                partial[hour] = partial.get(hour, 0) + b - a
    cut = [
        (hour, hour + HOUR, length / (min(hour + HOUR, until) - hour))
        for hour, length in partial.items()
    ]
    return sorted([*whole, *cut])


def until_then(hours: Iterable[tuple[int, float]], cut: int) -> float:
    """kWh of (hour's begin, kWh) up to the instant `cut`, the cut hour by its share."""
    return sum(kwh * min(1.0, max(0, cut - t) / HOUR) for t, kwh in hours)


def the_rest(total: float | None, uses: Iterable[float | None]) -> tuple[float | None, float]:
    """(what the main meter counts beyond the uses, by how much these exceed it): one of them is 0.

    None where the main meter is not known.
    """
    if total is None:
        return None, 0.0
    left = total - sum(u for u in uses if u is not None)
    return max(0.0, left), max(0.0, -left)


def grouped(gaps: Mapping[str, Sequence[Span]]) -> list[tuple[Span, list[str]]]:
    """Gaps by when they were: a span with all that were not heard in just that span."""
    found: dict[Span, list[str]] = {}
    for name, spans in gaps.items():
        for span in spans:
            found.setdefault(span, []).append(name)
    return sorted(found.items())


def gaps_between(
    runs: Sequence[tuple[int, int]], begin: int, first: int, end: int, step: int
) -> list[Span]:
    """The spans in which a meter was not heard.

    `runs`: sorted (first slot, last slot) of steps with a word, counted from `begin`; `first`: when
    it was heard for the first time ever; `end`: up to where it could have been heard. The step that
    is still running is no gap.
    """
    slot = max(0, (first - begin) // step)
    after = (end - begin) // step
    found: list[Span] = []
    for a, b in runs:
        if a > slot:
            found.append((begin + slot * step, begin + a * step))
        slot = b + 1
    if slot < after:
        found.append((begin + slot * step, begin + after * step))
    return found
