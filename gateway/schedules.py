"""What the clock and the calendar say, as schedules: t -> (value, instant of the next change).

Instants in Unix ms; days and times of day are the site's local ones.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import date, datetime, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo

from gateway.logic import Schedule
from gateway.site import Hours, Route, Span
from gateway.workdays import Calendar

DAY = 1440  # minutes
Minutes = list[tuple[int, int]]


def daily(tz: str, spans: Callable[[date], Minutes]) -> Schedule:
    """True inside the spans (minutes since local midnight, [begin, end)) of each day."""

    @lru_cache(maxsize=16)
    def of_day(day: date) -> tuple[list[tuple[int, int]], list[int]]:
        stretches = [(at(day, b, tz), at(day, e, tz)) for b, e in spans(day)]
        edges = {edge for stretch in stretches for edge in stretch}
        return stretches, sorted({*edges, at(day, DAY, tz)})

    def schedule(t: int) -> tuple[bool, int | None]:
        stretches, edges = of_day(local_day(t, tz))
        return any(b <= t < e for b, e in stretches), next(e for e in edges if e > t)

    return schedule


def open_hours(hours: Hours, calendar: Calendar, tz: str) -> Schedule:
    """对外办公: inside the opening hours of a workday."""
    return daily(
        tz, lambda d: [(s.begin, s.end) for s in hours.open] if calendar.is_workday(d) else []
    )


def closed_hours(hours: Hours, calendar: Calendar, tz: str) -> Schedule:
    """Every instant that is not on a workday between `arrive` and an hour after closing."""
    clear = clear_minute(hours)

    def spans(day: date) -> Minutes:
        return [(0, hours.arrive), (clear, DAY)] if calendar.is_workday(day) else [(0, DAY)]

    return daily(tz, spans)


def clear_minute(hours: Hours) -> int:
    """By when everyone is out, in minutes since midnight (安全 二.3)."""
    last = max((s.end for s in hours.open), default=DAY)
    return min(DAY, last + hours.clear_after_close // 60000)


def between(span: Span, tz: str) -> Schedule:
    """Every day inside a span of the day, which may run over midnight."""
    if span.begin < span.end:
        return daily(tz, lambda _: [(span.begin, span.end)])
    return daily(tz, lambda _: [(0, span.end), (span.begin, DAY)])


def season(bounds: tuple[tuple[int, int], tuple[int, int]], tz: str) -> Schedule:
    """True on the days of a season, both bounds included."""
    return daily(tz, lambda d: [(0, DAY)] if in_season(d, bounds) else [])


def in_season(day: date, bounds: tuple[tuple[int, int], tuple[int, int]]) -> bool:
    """Whether a day lies in a season, which may run across New Year."""
    first, last = bounds
    here = (day.month, day.day)
    return first <= here <= last if first <= last else here >= first or here <= last


def in_force(first: date | None, last: date | None, tz: str) -> Schedule:
    """True from the day `first` up to, not including, the day `last`."""
    return daily(
        tz,
        lambda d: [(0, DAY)] if (not first or d >= first) and (not last or d < last) else [],
    )


def due_spans(route: Route, calendar: Calendar, tz: str) -> Callable[[int], list[tuple[int, int]]]:
    """The route's due spans that begin on the local day of t or one of the two days after."""

    def spans(t: int) -> list[tuple[int, int]]:
        today = local_day(t, tz)
        found = []
        for day in (today + timedelta(days=n) for n in range(3)):
            if route.days == "all" or calendar.is_workday(day):
                for span in route.due:
                    over = span.end if span.end > span.begin else span.end + DAY
                    found.append((at(day, span.begin, tz), at(day, over, tz)))
        return found

    return spans


@lru_cache(maxsize=4096)
def at(day: date, minute: int, tz: str) -> int:
    """The instant of a local day and minute (1440: the next midnight)."""
    days, minute = divmod(minute, DAY)
    day = day + timedelta(days=days)
    local = datetime(day.year, day.month, day.day, minute // 60, minute % 60, tzinfo=_zone(tz))
    return int(local.timestamp()) * 1000


def local_day(t: int, tz: str) -> date:
    """The local calendar day of an instant."""
    return datetime.fromtimestamp(t // 1000, _zone(tz)).date()


def minute_of_day(t: int, tz: str) -> int:
    """The minute that the local clock shows at an instant, from 0."""
    local = datetime.fromtimestamp(t // 1000, _zone(tz))
    return local.hour * 60 + local.minute


@lru_cache(maxsize=8)
def _zone(name: str) -> ZoneInfo:
    return ZoneInfo(name)


def merged(spans: Iterable[tuple[int, int]]) -> list[tuple[int, int]]:
    """Sorted, without overlaps."""
    result: list[tuple[int, int]] = []
    for begin, end in sorted(s for s in spans if s[0] < s[1]):
        if result and begin <= result[-1][1]:
            result[-1] = (result[-1][0], max(end, result[-1][1]))
        else:
            result.append((begin, end))
    return result
