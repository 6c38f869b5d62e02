"""When a case is due: days counted by rulebook X2, with pauses and extensions.

The day of the start is day 0. A pause (补正) begun on day p and over on day r takes the days after
p, up to and including r, out of the count: like any span it does not count its own first day. A
pause begun before the deadline leaves at least one day when it ends on a later day; one begun after
the deadline changes nothing. A hand-over is a new clock. `Unit.DAYS` counts every day.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date, timedelta
from enum import StrEnum

from gateway.schedules import at, local_day
from gateway.workdays import Calendar

_ONE = timedelta(days=1)


class Unit(StrEnum):
    """What is counted; workdays are our reading of 以日计算, days a setting of one item."""

    WORKDAYS = "workdays"
    DAYS = "days"


@dataclass(frozen=True, slots=True)
class Place:
    """Where days are counted: the calendar, the time zone, and when a day's work is over."""

    calendar: Calendar
    tz: str
    opens: int  # minutes after local midnight
    closes: int

    def day(self, ms: int) -> date:
        """The local day of an instant."""
        return local_day(ms, self.tz)

    def end(self, day: date) -> int:
        """When a deadline of this day is over, Unix ms."""
        return at(day, self.closes, self.tz)

    def morning(self, day: date) -> int:
        """When its work begins, Unix ms."""
        return at(day, self.opens, self.tz)


@dataclass(frozen=True, slots=True)
class Clock:
    """`total` days are promised; `used` of them were counted before `base`, which is day 0 of the
    rest. `paused`: the instant at which the pause that is still on began."""

    base: date
    total: int
    unit: Unit = Unit.WORKDAYS
    used: int = 0
    paused: int | None = None
    provisional: bool = False


@dataclass(frozen=True, slots=True)
class Due:
    """The day by whose closing a case is due. `provisional` (暂定): some day that was counted
    belongs to a year without its notice."""

    day: date
    provisional: bool


def after(clock: Clock, days: int, place: Place) -> Due:
    """The day on which `days` of the promised ones are counted; not before the clock's base."""
    left = max(0, days - clock.used)
    if clock.unit is Unit.DAYS:
        return Due(clock.base + timedelta(days=left), clock.provisional)
    day, provisional = place.calendar.add_workdays(clock.base, left)
    return Due(day, provisional or clock.provisional)


def due(clock: Clock, place: Place) -> Due:
    """When it is due if no pause is on, or if the one that is on ended at once."""
    return after(clock, clock.total, place)


def paused(clock: Clock, ms: int, place: Place) -> Clock:
    """A pause begins; after the deadline, or while another is on, one changes nothing."""
    if clock.paused is not None or ms >= place.end(due(clock, place).day):
        return clock
    return replace(clock, paused=ms)


def resumed(clock: Clock, ms: int, place: Place) -> Clock:
    """The pause is over."""
    if clock.paused is None:
        return clock
    going = replace(clock, paused=None)
    first, last = place.day(clock.paused), place.day(ms)
    if last <= first:
        return going
    gone, provisional = _between(going, first, place)
    used = min(clock.used + gone, clock.total - 1)
    return replace(going, base=last, used=used, provisional=clock.provisional or provisional)


def left(today: date, day: date, unit: Unit, place: Place) -> int:
    """How many days still count after `today` up to `day`: 0 on the day, negative past it."""
    if unit is Unit.DAYS:
        return (day - today).days
    first, last, sign = (today, day, 1) if today <= day else (day, today, -1)
    return sign * _between(Clock(first, 0, unit), last, place)[0]


def _between(clock: Clock, last: date, place: Place) -> tuple[int, bool]:
    """How many days count in (base, last], and whether one of them is provisional."""
    n, provisional, day = 0, False, clock.base
    while day < last:
        day += _ONE
        if clock.unit is Unit.DAYS:
            n += 1
            continue
        found = place.calendar.day(day)
        n += found.workday
        provisional = provisional or found.provisional
    return n, provisional
