"""What kind of day it is, and when the hall next opens or closes."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from gateway.clock import iso
from gateway.site import Hours, Site

LOOK_AHEAD = 40  # days; no holiday is longer


def told(site: Site, calendar: Any, now: int) -> dict[str, Any]:
    """The day as /now shows it. `now` in Unix ms."""
    zone = ZoneInfo(site.timezone)
    local = datetime.fromtimestamp(now / 1000, zone)
    today = local.date()
    kind, provisional = kind_of(calendar, today)

    def works(on: date) -> bool:
        return kind_of(calendar, on)[0] != "off"

    phase = "closed"
    coming: tuple[int, str] | None = None
    for at, name in _changes(site.hours, today - timedelta(days=1), works, zone):
        if at > now:
            coming = (at, name)
            break
        phase = name
    return {
        "date": today.isoformat(),
        "kind": kind,
        "provisional": provisional,
        "phase": phase,
        "open": phase == "open",
        "closed": phase == "closed",
        "next": {"at": iso(coming[0], site.timezone), "to": coming[1]} if coming else None,
    }


def kind_of(calendar: Any, day: date) -> tuple[str, bool]:
    """("workday" | "off" | "makeup", provisional) of a day."""
    found = calendar.day(day)
    name = "makeup" if found.makeup else "workday" if found.workday else "off"
    return name, found.provisional


def phases(hours: Hours) -> list[tuple[int, str]]:
    """(minutes since midnight, phase) of a workday: arrive, open, lunch …, leaving, closed."""
    found = [(hours.arrive, "arrive")]
    spans = sorted(hours.open, key=lambda span: span.begin)
    for place, span in enumerate(spans):
        found.append((span.begin, "open"))
        found.append((span.end, "lunch" if place < len(spans) - 1 else "leaving"))
    clear = hours.clear_after_close // 60_000
    found.append(((spans[-1].end if spans else hours.arrive) + clear, "closed"))
    return found


def _changes(
    hours: Hours, begin: date, works: Callable[[date], bool], zone: ZoneInfo
) -> Iterator[tuple[int, str]]:
    for offset in range(LOOK_AHEAD):
        day = begin + timedelta(days=offset)
        if works(day):
            midnight = datetime(day.year, day.month, day.day, tzinfo=zone)
            for minutes, name in phases(hours):
                moment = midnight + timedelta(minutes=minutes)
                yield round(moment.timestamp() * 1000), name
