"""Every kind of sheet by name, for the command, the API and the page."""

from __future__ import annotations

import sqlite3
from datetime import date, timedelta

from gateway import overdue
from gateway.errors import InputFault
from gateway.reports import citizens, hygiene, meeting, periods, stars, zeros
from gateway.reports.model import Sheet, Text
from gateway.reports.periods import Period
from gateway.site import Site
from gateway.workdays import Calendar

# kind → (how long its periods are, title)
KINDS: dict[str, tuple[str, Text]] = {
    "ratings-week": ("week", citizens.TITLES["ratings-week"]),
    "ratings-month": ("month", citizens.TITLES["ratings-month"]),
    "ratings-quarter": ("quarter", citizens.TITLES["ratings-quarter"]),
    "stars": ("month", stars.TITLE),
    "hygiene": ("month", hygiene.TITLE),
    "zeros": ("month", zeros.TITLE),
    "meeting": ("half", meeting.TITLE),
}


def period_of(kind: str, name: str) -> Period:
    """A sheet's period by its name. Raises InputFault where the sheet has no such periods."""
    found = periods.parse(name)
    length = KINDS[kind][0]
    if periods.of(found.first, length) != found:
        example = {"week": "2026-W27", "month": "2026-07", "quarter": "2026-Q3", "half": "2026-H2"}[
            length
        ]
        raise InputFault(f"{name!r}: {kind} is of a {length}, such as {example}")
    return found


def build(
    db: sqlite3.Connection,
    site: Site,
    calendar: Calendar,
    kind: str,
    period: Period,
    now: int,
) -> Sheet:
    """One sheet; `now` bounds what could be heard."""
    if kind == "stars":
        return stars.sheet(db, site, period)
    if kind == "hygiene":
        return hygiene.sheet(db, site, period)
    if kind == "meeting":
        return meeting.sheet(db, site, calendar, period, now)
    if kind == "zeros":
        return zeros.sheet(db, site, calendar, period)
    return citizens.sheet(db, site, calendar, kind, period, now)


def due(
    db: sqlite3.Connection, kind: str, period: Period, calendar: Calendar
) -> tuple[date | None, bool]:
    """By when a period's sheet is handed in, and whether the calendar may still move it."""
    if kind == "meeting":
        return meeting.due(period, calendar, overdue.moved(db))
    if kind.startswith("ratings-"):
        return periods.due(period, calendar)
    if kind == "stars":
        return (period.last + timedelta(days=1)).replace(day=periods.AWARD_DAY), False
    return None, False


def latest(kind: str, today: date, count: int) -> list[Period]:
    """The period that runs and those before it, the newest first."""
    length = KINDS[kind][0]
    found = [periods.of(today, length)]
    while len(found) < count:
        found.append(periods.of(found[-1].first - timedelta(days=1), length))
    return found
