"""How much of a period a counter's pad could be heard: a silent pad is not a bad counter."""

from __future__ import annotations

import sqlite3
from datetime import date, timedelta
from zoneinfo import ZoneInfo

from gateway.ratings.reading import days
from gateway.site import Site
from gateway.workdays import Calendar

Spans = list[tuple[int, int]]


def open_spans(site: Site, calendar: Calendar, first: date, last: date, until: int) -> Spans:
    """The opening hours of whole local days, in Unix ms, up to `until`."""
    zone = ZoneInfo(site.timezone)
    found = []
    day = first
    while day <= last:
        if calendar.is_workday(day):
            midnight, _ = days(day, day, zone)
            for span in site.hours.open:
                begin, end = midnight + span.begin * 60_000, midnight + span.end * 60_000
                if begin < until:
                    found.append((begin, min(end, until)))
        day += timedelta(days=1)
    return found


def overlap(spans: Spans, holes: Spans) -> int:
    """How many ms of the spans lie in one of the holes; both sorted, neither overlaps itself."""
    total = at = 0
    for begin, end in spans:
        while at < len(holes) and holes[at][1] <= begin:
            at += 1
        index = at
        while index < len(holes) and holes[index][0] < end:
            total += min(end, holes[index][1]) - max(begin, holes[index][0])
            index += 1
    return total


def shares(
    db: sqlite3.Connection, site: Site, calendar: Calendar, first: date, last: date, now: int
) -> dict[str, float | None]:
    """counter → share of its opening hours in which its pad could be heard, 0…1.

    None: the counter has no pad, or the gateway has seen none of these hours: they count from its
    first start.
    """
    row = db.execute("SELECT value FROM meta WHERE key = 'first_start'").fetchone()
    started = int(row[0]) if row else 0
    spans = [
        (max(begin, started), end)
        for begin, end in open_spans(site, calendar, first, last, now)
        if end > started
    ]
    if not spans:
        return {counter.id: None for counter in site.counters}
    whole = sum(end - begin for begin, end in spans)
    begin, end = spans[0][0], spans[-1][1]
    shares: dict[str, float | None] = {}
    for counter in site.counters:
        if counter.pad is None:
            shares[counter.id] = None
            continue
        rows = db.execute(
            "SELECT start, coalesce(\"end\", ?) FROM finding WHERE rule = 'device.silent'"
            " AND subject = ? AND state <> 'withdrawn' AND start < ?"
            ' AND ("end" IS NULL OR "end" > ?) ORDER BY start',
            (end, counter.pad, end, begin),
        ).fetchall()
        holes = [(start, over) for start, over in rows]
        shares[counter.id] = 1 - overlap(spans, holes) / whole
    return shares
