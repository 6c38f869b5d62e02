"""What was used while the hall was closed."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any

from gateway import permits, schedules
from gateway.logic import Schedule
from gateway.site import Circuit, Site
from gateway.usage import pure, read
from gateway.usage.pure import HOUR, Span
from gateway.usage.scope import Scope, rounded
from gateway.workdays import Calendar


def after_hours(of: Scope) -> dict[str, Any]:
    """What switchable circuits used while the hall was closed, with and without a permit."""
    closed = schedules.closed_hours(of.site.hours, of.calendar, of.site.timezone)
    known = {day.date: day for day in (*of.months, *of.days)}
    spans = {
        on: _true(closed, day.begin, min(day.end, of.now))
        for on, day in known.items()
        if day.begin < of.now
    }
    shown = {day.date for day in of.days}
    keys = sorted(spans)
    sums = {True: 0.0, False: 0.0}
    by_circuit: dict[int, float] = {}
    by_day: dict[date, float] = {}
    heard: dict[date, int] = {}
    split = _split(of.db, of.metered, [spans[on] for on in keys], of.now)
    for (number, key, waste), kwh in split.items():
        on = keys[key]
        if waste:
            by_day[on] = by_day.get(on, 0.0) + kwh
        if on in shown:
            sums[waste] += kwh
            if waste:
                by_circuit[number] = by_circuit.get(number, 0.0) + kwh
    numbers = [n for n, c in of.metered.items() if _switched(c)]
    flat = [(on, (a - a % HOUR, b)) for on in keys for a, b in spans[on]]
    for (on, _), n in zip(flat, read.heard(of.db, numbers, [s for _, s in flat]), strict=True):
        heard[on] = heard.get(on, 0) + n
    known_days = {on for on in keys if heard.get(on) or on in by_day}
    some = bool(known_days & shown)
    return {
        "sums": {
            "kwh": rounded(sums[True]) if some else None,
            "permitted": rounded(sums[False]) if some else None,
        },
        "days": {on: by_day.get(on, 0.0) for on in known_days},
        "circuits": by_circuit,
    }


def wasted(
    db: sqlite3.Connection, site: Site, calendar: Calendar, begin: int, end: int, now: int
) -> dict[str, float]:
    """{circuit: kWh} without a permit, while the hall was closed in [begin, end)."""
    heard = read.meters(db)
    metered = {
        heard[str(c.meter)].id: c for c in site.circuits if c.meter and str(c.meter) in heard
    }
    closed = schedules.closed_hours(site.hours, calendar, site.timezone)
    spans = _true(closed, begin, min(end, now))
    split = _split(db, metered, [spans], now)
    return {metered[number].id: kwh for (number, _, waste), kwh in split.items() if waste}


def _switched(circuit: Circuit) -> bool:
    return circuit.use != "protected"


def _split(
    db: sqlite3.Connection,
    metered: Mapping[int, Circuit],
    closed: Sequence[Sequence[Span]],
    now: int,
) -> dict[tuple[int, int, bool], float]:
    """{(meter, k, True without a permit, False under one): kWh} of switchable circuits in the
    spans of `closed[k]`; an hour that is in them in part counts by its share."""
    every = [span for spans in closed for span in spans]
    if not every:
        return {}
    lifted = _permitted(db, min(a for a, _ in every), max(b for _, b in every))
    groups: dict[tuple[Span, ...], list[int]] = {}
    for number, circuit in metered.items():
        if _switched(circuit):
            taken = tuple(lifted.get(("permitted", circuit.zone), ()))
            groups.setdefault(taken, []).append(number)
    found: dict[tuple[int, int, bool], float] = {}
    for taken, numbers in groups.items():
        parts = []
        for k, spans in enumerate(closed):
            excused = [span for one in taken for span in pure.clipped(spans, *one)]
            left = pure.without(spans, taken)
            parts += [(2 * k, part) for part in pure.hours_of(left, now)]
            parts += [(2 * k + 1, part) for part in pure.hours_of(excused, now)]
        for (number, key), kwh in read.energy_in(db, numbers, parts).items():
            found[number, key // 2, key % 2 == 0] = kwh
    return found


def _true(schedule: Schedule, begin: int, end: int) -> list[Span]:
    """The spans in [begin, end) in which a schedule says yes."""
    found: list[Span] = []
    t = begin
    while t < end:
        yes, change = schedule(t)
        following = end if change is None else min(end, change)
        if yes:
            found.append((t, following))
        t = following
    return found


def _permitted(db: sqlite3.Connection, begin: int, end: int) -> permits.Spans:
    rows = db.execute(
        'SELECT id, kind, zones, "from", "to" FROM permit'
        ' WHERE withdrawn_at IS NULL AND "to" > ? AND "from" < ?',
        (begin - HOUR, end + HOUR),
    )
    return permits.spans(
        permits.Permit(name, kind, tuple(json.loads(zones)), a, b)
        for name, kind, zones, a, b in rows
    )
