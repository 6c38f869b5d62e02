"""Weeks, months, quarters, half-years by name; by when their report is due (好差评 第八条)."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date, timedelta

from gateway.errors import InputFault
from gateway.workdays import Calendar

DUE_WORKDAY = 3  # 每季度初前三个工作日内; we hold weeks and months to the same
AWARD_DAY = 10  # 次月10日前


@dataclass(frozen=True, slots=True)
class Period:
    """`name` is 2026-W27, 2026-07, 2026-Q3 or 2026-H2; both days included."""

    name: str
    first: date
    last: date


def parse(name: str) -> Period:
    """A period by its name. Raises InputFault."""
    try:
        if found := re.fullmatch(r"(\d{4})-W(\d\d)", name):
            first = date.fromisocalendar(int(found[1]), int(found[2]), 1)
            return Period(name, first, first + timedelta(days=6))
        if found := re.fullmatch(r"(\d{4})-Q([1-4])", name):
            first = date(int(found[1]), 3 * int(found[2]) - 2, 1)
            return Period(name, first, _end(first, 3))
        if found := re.fullmatch(r"(\d{4})-H([12])", name):
            first = date(int(found[1]), 6 * int(found[2]) - 5, 1)
            return Period(name, first, _end(first, 6))
        if found := re.fullmatch(r"(\d{4})-(\d\d)", name):
            first = date(int(found[1]), int(found[2]), 1)
            return Period(name, first, _end(first, 1))
    except ValueError:
        pass
    raise InputFault(f"{name!r} is no period: write 2026-W27, 2026-07, 2026-Q3 or 2026-H2")


def of(day: date, kind: str) -> Period:
    """The `week`, `month`, `quarter` or `half` in which a day lies."""
    if kind == "week":
        year, week, _ = day.isocalendar()
        return parse(f"{year:04}-W{week:02}")
    if kind == "half":
        return parse(f"{day.year:04}-H{1 if day.month < 7 else 2}")
    if kind == "quarter":
        return parse(f"{day.year:04}-Q{(day.month + 2) // 3}")
    return parse(f"{day.year:04}-{day.month:02}")


def due(period: Period, calendar: Calendar) -> tuple[date, bool]:
    """The third workday after the period, and whether the calendar may still move it."""
    return calendar.add_workdays(period.last, DUE_WORKDAY)


def _end(first: date, months: int) -> date:
    month = first.month - 1 + months
    return date(first.year + month // 12, month % 12 + 1, 1) - timedelta(days=1)
