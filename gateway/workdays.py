"""Which days are worked: State Council notices, imported years, local overrides (rulebook X1, X2).

A day of a year with no notice yet is provisional: Monday to Friday less 1 January, 1–2 May and
1–3 October. Nothing here raises for a missing or broken year; it says so in `Calendar.faults`.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date, timedelta
from pathlib import Path

from gateway import _years
from gateway._years import YearTable
from gateway.errors import EnvironmentFault
from gateway.site import Site

FIXED_HOLIDAYS = {(1, 1): "元旦", (5, 1): "劳动节", (5, 2): "劳动节"} | {
    (10, day): "国庆节" for day in (1, 2, 3)
}
MISSING = "calendar.missing"
BROKEN = "calendar.broken"
_ONE = timedelta(days=1)
_FAR = 20_000  # days; no deadline of the rulebook comes near


@dataclass(frozen=True, slots=True)
class Day:
    """What a day is. `provisional`: no notice yet; `makeup`: worked because of 调休."""

    workday: bool
    provisional: bool = False
    makeup: bool = False
    holiday_name: str | None = None


@dataclass(frozen=True, slots=True)
class Warning:
    """A year is missing, or a year's file broken; `due`: today is a day to say so."""

    key: str  # a text of the catalogue: MISSING or BROKEN
    year: int
    detail: str
    due: bool


@dataclass(frozen=True, slots=True)
class Calendar:
    """The days of a hall. `years` are those with a notice; overrides win over them."""

    extra_off: frozenset[date] = frozenset()
    extra_work: frozenset[date] = frozenset()
    years: dict[int, YearTable] = field(default_factory=dict)
    faults: tuple[str, ...] = ()
    _cache: dict[date, Day] = field(default_factory=dict, repr=False, compare=False)

    def mark(self) -> str:
        """What names these days in every process."""
        parts = [sorted(self.extra_off), sorted(self.extra_work)]
        for _, table in sorted(self.years.items()):
            parts += [sorted(table.off), sorted(table.work)]
        return hashlib.sha256(repr(parts).encode()).hexdigest()

    def day(self, day: date) -> Day:
        """What `day` is; remembered, for it is asked at every turn."""
        found = self._cache.get(day)
        if found is None:
            found = self._cache[day] = self._judge(day)
        return found

    def is_workday(self, day: date) -> bool:
        """Whether the hall works."""
        return self.day(day).workday

    def is_provisional(self, day: date) -> bool:
        """Whether the year's notice is still to come, and nothing local settles the day."""
        return self.day(day).provisional

    def kind(self, day: date) -> str:
        """`workday`, `off`, `makeup` or `provisional`: a key of the catalogue."""
        found = self.day(day)
        if found.provisional:
            return "provisional"
        if found.makeup:
            return "makeup"
        return "workday" if found.workday else "off"

    def add_workdays(self, day: date, n: int) -> tuple[date, bool]:
        """The workday `n` after `day`, itself day 0 (开始之日不计算); may it move yet?

        A negative `n` counts back. n = 0 is the day itself.
        """
        if abs(n) > _FAR:
            raise ValueError(f"at most {_FAR} workdays")
        step = _ONE if n > 0 else -_ONE
        left, provisional = abs(n), n == 0 and self.is_provisional(day)
        while left:
            day += step
            found = self.day(day)
            provisional = provisional or found.provisional
            left -= found.workday
        return day, provisional

    def nth_workday(self, year: int, month: int, n: int) -> date:
        """The `n`-th workday (from 1) of a month, or of those after it where it has fewer."""
        if n < 1:
            raise ValueError("workdays of a month count from 1")
        return self.add_workdays(date(year, month, 1) - _ONE, n)[0]

    def warnings(self, today: date) -> list[Warning]:
        """What is missing or broken as seen from `today`.

        Next year missing: weekly from 1 November, daily from 15 December. This year missing, or a
        file broken: daily.
        """
        out = [Warning(BROKEN, today.year, text, due=True) for text in self.faults]
        if today.year not in self.years:
            out.append(Warning(MISSING, today.year, "", due=True))
        november = date(today.year, 11, 1)
        if today.year + 1 not in self.years and today >= november:
            daily = today >= date(today.year, 12, 15)
            due = daily or (today - november).days % 7 == 0
            out.append(Warning(MISSING, today.year + 1, "", due=due))
        return out

    def _judge(self, day: date) -> Day:
        weekend = day.weekday() >= 5
        if day in self.extra_work:
            return Day(True, makeup=weekend)
        if day in self.extra_off:
            return Day(False, holiday_name=self._name(day))
        for table in self._tables(day):
            if day in table.work:
                return Day(True, makeup=weekend, holiday_name=table.names.get(day))
            if day in table.off:
                return Day(False, holiday_name=table.names.get(day))
        if day.year in self.years:
            return Day(not weekend)
        fixed = FIXED_HOLIDAYS.get((day.month, day.day))
        return Day(not weekend and fixed is None, provisional=True, holiday_name=fixed)

    def _tables(self, day: date) -> Iterable[YearTable]:
        """The notices that may name `day`, the later one first: it may speak of December."""
        years = (day.year + 1, day.year) if day.month == 12 else (day.year,)
        return (self.years[year] for year in years if year in self.years)

    def _name(self, day: date) -> str | None:
        return next((t.names[day] for t in self._tables(day) if day in t.names), None)


def load(site: Site | None, data: Path | None) -> Calendar:
    """The calendar of a hall: the package's years, those imported into `data`, the site's days."""
    faults: tuple[str, ...] = ()
    try:
        years = dict(_years.packaged())
    except (ImportError, AttributeError, TypeError) as fault:
        years, faults = {}, (f"chinesecalendar cannot be used: {fault}",)
    if data is not None:
        imported, broken = _years.read_folder(data)
        years |= imported
        faults += broken
    return Calendar(
        extra_off=frozenset(site.extra_off if site else ()),
        extra_work=frozenset(site.extra_work if site else ()),
        years=years,
        faults=faults,
    )


def import_year(file: Path, data: Path) -> None:
    """Check a year's notice, put it into `data`, print what changes.

    Raises InputFault (the file) or EnvironmentFault (the directory).
    """
    table = _years.parse(file)
    try:
        data.mkdir(parents=True, exist_ok=True)
    except OSError as fault:
        raise EnvironmentFault(f"{data}: cannot be written ({fault.strerror})") from None
    before = load(None, data)
    path = _years.write(table, data)
    after = load(None, data)
    print(f"{table.year}: {len(table.off)} days off, {len(table.work)} make-up workdays")
    print(f"source: {table.source}")
    changed = changes(before, after, table.year)
    for line in changed:
        print(line)
    print(f"{len(changed)} days change; written to {path}")


def changes(before: Calendar, after: Calendar, year: int) -> list[str]:
    """One line for each day of the year, and of the December before, that is worked otherwise."""
    out = []
    day = date(year - 1, 12, 1)
    while day.year <= year:
        was, now = before.day(day), after.day(day)
        if was.workday != now.workday:
            words = ["off", "workday"]
            name = f" {now.holiday_name}" if now.holiday_name else ""
            out.append(f"{day} {words[was.workday]} -> {words[now.workday]}{name}")
        day += _ONE
    return out
