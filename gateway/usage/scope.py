"""What a report is of: its days, and the meters that count."""

from __future__ import annotations

import sqlite3
from dataclasses import dataclass
from datetime import date, timedelta

from gateway import schedules
from gateway.clock import iso
from gateway.history.packing import minutes_from
from gateway.site import Circuit, Site
from gateway.usage import read
from gateway.usage.pure import HOUR, MINUTE
from gateway.usage.read import Meter
from gateway.workdays import Calendar

MOST_DAYS = 400
FINE_DAYS, HOURLY_DAYS = 2, 16  # up to so many days the curve is drawn by 10 min, by the hour


@dataclass(frozen=True, slots=True)
class Day:
    """A local day and its instants."""

    date: date
    begin: int
    end: int


@dataclass(frozen=True, slots=True)
class Scope:
    """What a report is of. `until`: the range's end, or now where that comes first.

    `heard`: every meter that has been; `metered`: the circuits of those; `counted`: the meters
    that make up the total, the main one alone where there is one that has been heard;
    `minutes_from`: before it (Unix ms) only hours and days are kept.
    """

    db: sqlite3.Connection
    site: Site
    calendar: Calendar
    days: tuple[Day, ...]
    months: tuple[Day, ...]
    now: int
    until: int
    heard: dict[int, Meter]
    metered: dict[int, Circuit]
    counted: dict[int, Meter]
    main: int | None
    minutes_from: int

    @property
    def fine(self) -> bool:
        return len(self.days) <= FINE_DAYS

    @property
    def step(self) -> int:
        """Of the curve and the gaps; a curve of days, and what is older than the minutes that are
        kept, knows gaps by the hour."""
        kept = self.days[0].begin >= self.minutes_from
        return 10 * MINUTE if self.fine and kept else HOUR

    def day(self, on: date) -> Day:
        tz = self.site.timezone
        return Day(on, schedules.at(on, 0, tz), schedules.at(on, schedules.DAY, tz))

    def like(self, t: int, day: Day, before: Day) -> int:
        """The instant of another day at which the clock showed what it shows at `t` of `day`."""
        if day.end - day.begin == before.end - before.begin:
            return before.begin + t - day.begin
        minute = schedules.minute_of_day(t, self.site.timezone)
        return schedules.at(before.date, minute, self.site.timezone) + t % MINUTE

    def counted_at(self, t: int) -> int:
        """How many of the counted meters had been heard before `t`."""
        return sum(1 for meter in self.counted.values() if meter.first < t)

    def shown(self, t: int) -> str:
        return iso(t, self.site.timezone)


def scope(
    db: sqlite3.Connection, site: Site, calendar: Calendar, first: date, last: date, now: int
) -> Scope:
    """The days `first` to `last`, both included, as known at `now`."""
    tz = site.timezone

    def days(a: date, b: date) -> tuple[Day, ...]:
        every = (a + timedelta(days=n) for n in range((b - a).days + 1))
        return tuple(
            Day(d, schedules.at(d, 0, tz), schedules.at(d, schedules.DAY, tz)) for d in every
        )

    shown = days(first, last)
    following = (last.replace(day=28) + timedelta(days=4)).replace(day=1)
    heard = read.meters(db)
    metered = {
        heard[str(c.meter)].id: c for c in site.circuits if c.meter and str(c.meter) in heard
    }
    main = heard.get(str(site.main_meter)) if site.main_meter else None
    end = shown[-1].end
    circuits = {m.id: m for m in heard.values() if m.id in metered}
    return Scope(
        db=db,
        site=site,
        calendar=calendar,
        days=shown,
        months=days(first.replace(day=1), following - timedelta(days=1)),
        now=now,
        until=max(shown[0].begin, min(end, now)),
        heard={meter.id: meter for meter in heard.values()},
        metered=metered,
        counted={
            number: meter
            for number, meter in ({main.id: main} if main else circuits).items()
            if meter.first < end
        },
        main=main.id if main else None,
        minutes_from=minutes_from(db),
    )


def rounded(kwh: float | None) -> float | None:
    return None if kwh is None else round(kwh, 4)
