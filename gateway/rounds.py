"""Patrol rounds as the board shows them: due, done, late or missed, and what was odd about taps.

Whether a round was missed is the rule `patrol.missed`'s word; this is the same reading of the
contract for people: a tap counts for every span it falls in and for every missed one it completes.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from gateway.site import Route, Site

NEXT_DAYS = 40  # how far the next due span may lie: no holiday is longer


@dataclass(frozen=True, slots=True, order=True)
class Tap:
    """A tag read at `time` (Unix ms); `tag` is lower-case hex."""

    time: int
    tag: str
    device: str


@dataclass(frozen=True, slots=True)
class Flag:
    """Something odd that is kept, never rejected."""

    what: str  # out-of-order | too-fast | repeated | foreign
    at: int
    checkpoint: str | None


@dataclass(frozen=True, slots=True)
class Round:
    """One due span of a route; `taps` has the first tap of each checkpoint, or None."""

    route: str
    begin: int
    end: int
    state: str  # coming | due | done | late | missed
    taps: tuple[tuple[str, int | None], ...]
    done_at: int | None
    flags: tuple[Flag, ...]


Worked = Callable[[date], bool]


def spans(
    route: Route, first: date, days: int, zone: ZoneInfo, worked: Worked
) -> Iterator[tuple[int, int]]:
    """[begin, end) of each due span that begins on one of the days, in order."""
    for offset in range(days):
        day = first + timedelta(days=offset)
        if route.days == "workdays" and not worked(day):
            continue
        midnight = datetime(day.year, day.month, day.day, tzinfo=zone)
        for span in sorted(route.due, key=lambda s: s.begin):
            length = (span.end - span.begin) % 1440 or 1440
            begin = midnight + timedelta(minutes=span.begin)
            start = round(begin.timestamp() * 1000)
            yield start, start + length * 60_000


def rounds(
    site: Site, worked: Worked, taps: Iterable[Tap], first: date, days: int, now: int
) -> list[Round]:
    """Every round that begins on `days` local days from `first`, as known at `now`."""
    zone = ZoneInfo(site.timezone)
    tags = {checkpoint.tag: checkpoint.id for checkpoint in site.checkpoints}
    seen = sorted({tap for tap in taps if tap.time <= now})
    own = {person.card for person in site.people}
    own |= {card for c in site.counters for card in (c.post_a, c.post_b) if card}
    readers = {device.id for device in site.devices if device.kind == "patrol-reader"}
    foreign = [t for t in seen if t.device in readers and t.tag not in tags and t.tag not in own]
    marks = [(tap.time, tags[tap.tag]) for tap in seen if tap.tag in tags]
    found = []
    for route in site.routes:
        wide = list(spans(route, first, days + NEXT_DAYS, zone, worked))
        last = round(
            datetime.combine(first + timedelta(days=days), datetime.min.time(), zone).timestamp()
            * 1000
        )
        for place, (begin, end) in enumerate(wide):
            if begin >= last:
                break
            until = wide[place + 1][1] if place + 1 < len(wide) else end
            flags = [Flag("foreign", tap.time, None) for tap in foreign if begin <= tap.time < end]
            found.append(_round(route, begin, end, until, marks, flags, now))
    return sorted(found, key=lambda r: (r.begin, r.route))


def _round(
    route: Route,
    begin: int,
    end: int,
    until: int,
    marks: Sequence[tuple[int, str]],
    foreign: Sequence[Flag],
    now: int,
) -> Round:
    mine = [(t, point) for t, point in marks if point in route.checkpoints and begin <= t < until]
    firsts: dict[str, int] = {}
    for t, point in mine:
        firsts.setdefault(point, t)
    taps = tuple((point, firsts.get(point)) for point in route.checkpoints)
    complete = len(firsts) == len(set(route.checkpoints))
    done_at = max(firsts.values()) if complete and firsts else None
    if done_at is not None:
        # a tap exactly at the end completes the span without a finding
        state = "done" if done_at <= end else "late"
    elif now < begin:
        state = "coming"
    else:
        state = "due" if now < end else "missed"
    within = [(t, point) for t, point in mine if t <= end]
    flags = sorted([*foreign, *_odd(route, within)], key=lambda flag: (flag.at, flag.what))
    return Round(route.id, begin, end, state, taps, done_at, tuple(flags))


def _odd(route: Route, taps: Sequence[tuple[int, str]]) -> list[Flag]:
    flags, seen = [], set()
    before: tuple[int, str] | None = None
    for t, point in taps:
        if point in seen:
            flags.append(Flag("repeated", t, point))
            continue
        seen.add(point)
        if before is not None:
            late = route.checkpoints.index(point) < route.checkpoints.index(before[1])
            if route.ordered and late:
                flags.append(Flag("out-of-order", t, point))
            if t - before[0] < route.min_gap:
                flags.append(Flag("too-fast", t, point))
        before = (t, point)
    return flags
