"""What was used while the hall was closed."""

from __future__ import annotations

import json
from datetime import date
from itertools import groupby
from typing import Any

from gateway import permits, schedules
from gateway.logic import Schedule
from gateway.usage import pure, read
from gateway.usage.pure import HOUR, Span
from gateway.usage.scope import Day, Scope, rounded


def after_hours(of: Scope) -> dict[str, Any]:
    """What switchable circuits used while the hall was closed, with and without a permit."""
    lifted = _permitted(of)
    closed = schedules.closed_hours(of.site.hours, of.calendar, of.site.timezone)
    known = {day.date: day for day in (*of.months, *of.days)}
    spans = {on: _true(closed, day, of.now) for on, day in known.items() if day.begin < of.now}
    shown = {day.date for day in of.days}
    keys = sorted(spans)
    sums = {True: 0.0, False: 0.0}
    by_circuit: dict[int, float] = {}
    by_day: dict[date, float] = {}
    heard: dict[date, int] = {}
    switched = sorted(
        ((c.zone, n) for n, c in of.metered.items() if c.use != "protected"),
    )
    groups: dict[tuple[Span, ...], list[int]] = {}
    for zone, several in groupby(switched, key=lambda one: one[0]):
        taken = tuple(lifted.get(("permitted", zone), ()))
        groups.setdefault(taken, []).extend(n for _, n in several)
    for taken, numbers in groups.items():
        parts = []
        for k, on in enumerate(keys):
            excused = [span for one in taken for span in pure.clipped(spans[on], *one)]
            wasted = pure.without(spans[on], taken)
            parts += [(2 * k, part) for part in pure.hours_of(wasted, of.now)]
            parts += [(2 * k + 1, part) for part in pure.hours_of(excused, of.now)]
        for (number, key), kwh in read.energy_in(of.db, numbers, parts).items():
            on = keys[key // 2]
            if key % 2 == 0:
                by_day[on] = by_day.get(on, 0.0) + kwh
            if on in shown:
                sums[key % 2 == 0] += kwh
                if key % 2 == 0:
                    by_circuit[number] = by_circuit.get(number, 0.0) + kwh
    numbers = [n for _, n in switched]
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


def _true(schedule: Schedule, day: Day, until: int) -> list[Span]:
    """The spans of a day, up to `until`, in which a schedule says yes."""
    found: list[Span] = []
    t, end = day.begin, min(day.end, until)
    while t < end:
        yes, change = schedule(t)
        following = end if change is None else min(end, change)
        if yes:
            found.append((t, following))
        t = following
    return found


def _permitted(of: Scope) -> permits.Spans:
    begin, end = min(of.months[0].begin, of.days[0].begin), of.months[-1].end
    margin = HOUR
    rows = of.db.execute(
        'SELECT id, kind, zones, "from", "to" FROM permit'
        ' WHERE withdrawn_at IS NULL AND "to" > ? AND "from" < ?',
        (begin - margin, end + margin),
    )
    return permits.spans(
        permits.Permit(name, kind, tuple(json.loads(zones)), a, b)
        for name, kind, zones, a, b in rows
    )
