"""Recurring duties (例行事项): when each falls due, by one table (`texts/duties.toml`).

Pure: the calendar and the days come in, the items come out. An item is named
`study~2026-07-06`, by the day on which it falls before anybody moves it.
"""

from __future__ import annotations

import tomllib
from calendar import isleap
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import date, timedelta
from functools import lru_cache
from importlib import resources
from typing import Any

from gateway import units
from gateway.site import DutiesOf
from gateway.workdays import Calendar

_ONE = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Duty:
    """One row of the table. `at`: minutes after midnight by which it is due, None for closing;
    `second`: the evidence that names somebody else than who records it."""

    id: str
    zh: str
    en: str
    cites: tuple[str, ...]
    every: str
    settings: Mapping[str, Any]
    evidence: tuple[str, ...]
    at: int | None
    second: str | None


@dataclass(frozen=True, slots=True)
class Item:
    """One time a duty falls due; `provisional` (暂定): its year's notice is still to come."""

    duty: str
    key: str
    day: date
    provisional: bool


@lru_cache(maxsize=1)
def table() -> dict[str, Duty]:
    """Every duty by id, in the table's order."""
    text = (resources.files("gateway") / "texts" / "duties.toml").read_text(encoding="utf-8")
    return {
        name: Duty(
            *(name, row["name"][0], row["name"][1], tuple(row["cites"]), row["every"], row),
            *(tuple(row["evidence"]), units.minute_of_day(row["at"]) if "at" in row else None),
            row.get("second"),
        )
        for name, row in tomllib.loads(text).items()
    }


def of(hall: DutiesOf) -> dict[str, Duty]:
    """The table with a hall's own settings of the site file."""
    own: dict[str, dict[str, Any]] = {
        "drill": {"months": hall.drill_months},
        "census": {"dates": [f"{month:02}-{day:02}" for month, day in hall.census]},
    }
    return {
        name: replace(duty, settings={**duty.settings, **own.get(name, {})})
        for name, duty in table().items()
    }


def items(
    duty: Duty,
    first: date,
    last: date,
    calendar: Calendar,
    moved: Mapping[str, date] | None = None,
) -> list[Item]:
    """The items due on a day in [first, last]; `moved` gives the new day of those that a named
    person moved, by key."""
    moved = moved or {}
    margin = timedelta(days=31)
    found = {}
    for day in _EVERY[duty.every](duty.settings, first - margin, last + margin, calendar):
        key = f"{duty.id}~{day.isoformat()}"
        due = moved.get(key, day)
        if first <= due <= last:
            found[key] = Item(duty.id, key, due, calendar.day(due).provisional)
    for key, due in moved.items():  # moved here from farther away
        if key not in found and key.startswith(f"{duty.id}~") and first <= due <= last:
            found[key] = Item(duty.id, key, due, calendar.day(due).provisional)
    return sorted(found.values(), key=lambda item: (item.day, item.key))


def exists(duty: Duty, key: str, calendar: Calendar) -> bool:
    """Whether an item of this name falls due by the table."""
    try:
        day = date.fromisoformat(key.partition("~")[2])
    except ValueError:
        return False
    if not 1971 <= day.year <= 9990:
        return False
    return any(item.key == key for item in items(duty, day, day, calendar))


def _on_or_before(day: date, calendar: Calendar, floor: date) -> date:
    """The last workday up to `day`, not before `floor`; `day` itself where there is none."""
    at = day
    while at >= floor:
        if calendar.is_workday(at):
            return at
        at -= _ONE
    return day


def _months(first: date, last: date) -> Iterator[date]:
    """The first day of each month that touches [first, last]."""
    at = first.replace(day=1)
    while at <= last:
        yield at
        at = _next_month(at)


def _next_month(day: date) -> date:
    return (day.replace(day=28) + timedelta(days=4)).replace(day=1)


def _days(first: date, last: date) -> Iterator[date]:
    for n in range((last - first).days + 1):
        yield first + timedelta(days=n)


def _workdays(_: Mapping[str, Any], first: date, last: date, calendar: Calendar) -> Iterator[date]:
    return (day for day in _days(first, last) if calendar.is_workday(day))


def _month_ends(
    _: Mapping[str, Any], first: date, last: date, calendar: Calendar
) -> Iterator[date]:
    for month in _months(first, last):
        yield _on_or_before(_next_month(month) - _ONE, calendar, month)


def _fridays(_: Mapping[str, Any], first: date, last: date, calendar: Calendar) -> Iterator[date]:
    """Each Friday; where it is off, the last workday of its week, if it has one."""
    for monday in (day for day in _days(first, last) if day.weekday() == 0):
        friday = monday + timedelta(days=4)
        if calendar.is_workday(friday):
            yield friday
            continue
        week = [
            day for day in _days(monday, monday + timedelta(days=6)) if calendar.is_workday(day)
        ]
        if week:
            yield week[-1]


def _mondays(
    settings: Mapping[str, Any], first: date, last: date, calendar: Calendar
) -> Iterator[date]:
    """The n-th Mondays of a month; where one is off, the next workday (it can be moved)."""
    for month in _months(first, last):
        monday = month + timedelta(days=-month.weekday() % 7)
        for n in settings["mondays"]:
            day = monday + timedelta(days=7 * (n - 1))
            yield day if calendar.is_workday(day) else calendar.add_workdays(day, 1)[0]


def _periods(
    settings: Mapping[str, Any], first: date, last: date, calendar: Calendar
) -> Iterator[date]:
    """The last workday of each period of so many months, counted from January."""
    length = settings["months"]
    for month in _months(first, last):
        if month.month % length == 0:
            yield _on_or_before(_next_month(month) - _ONE, calendar, month)


def _day_of_month(
    settings: Mapping[str, Any], first: date, last: date, calendar: Calendar
) -> Iterator[date]:
    """By a day of the month: the last workday up to it."""
    for month in _months(first, last):
        yield _on_or_before(month.replace(day=settings["day"]), calendar, month)


def _dates(
    settings: Mapping[str, Any], first: date, last: date, calendar: Calendar
) -> Iterator[date]:
    for year in range(first.year, last.year + 1):
        for text in settings["dates"]:
            leap = text == "02-29" and not isleap(year)
            day = date.fromisoformat(f"{year}-{'02-28' if leap else text}")
            yield _on_or_before(day, calendar, day.replace(day=1))


def _quarters(
    settings: Mapping[str, Any], first: date, last: date, calendar: Calendar
) -> Iterator[date]:
    """The n-th workday of each quarter."""
    for month in _months(first, last):
        if month.month % 3 == 1:
            yield calendar.nth_workday(month.year, month.month, settings["workday"])


_EVERY: dict[str, Callable[[Mapping[str, Any], date, date, Calendar], Iterator[date]]] = {
    "workday": _workdays,
    "month": _month_ends,
    "friday": _fridays,
    "mondays": _mondays,
    "months": _periods,
    "day": _day_of_month,
    "dates": _dates,
    "quarter": _quarters,
}
