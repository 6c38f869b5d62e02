"""Energy: sums by zone, use, day or circuit, and the report of a range that the page shows."""

from __future__ import annotations

from datetime import date
from typing import Annotated, Any, Literal
from zoneinfo import ZoneInfo

from fastapi import APIRouter, Query

from gateway import schedules
from gateway.api.asked import From, To, span
from gateway.api.problems import Problem
from gateway.context import Context
from gateway.history import series as history
from gateway.site import Circuit
from gateway.usage.after import wasted
from gateway.usage.report import report as report_of
from gateway.usage.scope import MOST_DAYS, scope

By = Annotated[Literal["zone", "use", "day", "circuit", "waste"], Query()]


def router(ctx: Context) -> APIRouter:
    made = APIRouter(tags=["energy"])
    tz = ctx.site.timezone

    @made.get("/energy")
    def energy(begin: From = None, to: To = None, by: By = "use") -> dict[str, Any]:
        """kWh in [from, to), today's by default, summed by whole hours. `waste`: by use, what the
        report calls so, an hour that is in the span in part by its share."""
        first, last = span(ctx, begin, to)
        if by == "waste":
            return _items("use", _wasted(ctx, first, last))
        circuits = {str(c.meter): c for c in ctx.site.circuits if c.meter}
        sums: dict[str, float] = {}
        for device, ch, t, kwh in history.energy(ctx.reader(), first, last, ZoneInfo(tz)):
            circuit = circuits.get(f"{device}/{ch}")
            if circuit is None:
                continue
            key = schedules.local_day(t, tz).isoformat() if by == "day" else _group(circuit, by)
            sums[key] = sums.get(key, 0.0) + kwh
        return _items(by, sums)

    @made.get("/energy/report")
    def report(
        begin: Annotated[date | None, Query(alias="from", description="the first day")] = None,
        to: Annotated[date | None, Query(description="the last day, included")] = None,
    ) -> dict[str, Any]:
        """Whole local days, today by default: total and curve against the same weekdays, uses,
        what was used after hours, circuits, days of the months, and when meters were not heard."""
        now = ctx.now()
        last = to or schedules.local_day(now, tz)
        first = begin or last
        if not (first <= last and (last - first).days < MOST_DAYS):
            raise Problem(422, f"from, to: `from` not after `to`, at most {MOST_DAYS} days in all")
        if first.year <= 1970 or last.year > 9000:
            raise Problem(422, "from, to: a year from 1971 to 9000")
        db = ctx.reader()
        db.execute("BEGIN")  # one state of the store for the whole page
        try:
            return report_of(scope(db, ctx.site, ctx.calendar, first, last, now))
        finally:
            db.execute("COMMIT")

    return made


def _wasted(ctx: Context, first: int, last: int) -> dict[str, float]:
    """{use: kWh} that nobody had a permit for, while the hall was closed."""
    uses = {c.id: c.use for c in ctx.site.circuits}
    sums: dict[str, float] = {}
    found = wasted(ctx.reader(), ctx.site, ctx.calendar, first, last, ctx.now())
    for circuit, kwh in found.items():
        sums[uses[circuit]] = sums.get(uses[circuit], 0.0) + kwh
    return sums


def _items(name: str, sums: dict[str, float]) -> dict[str, Any]:
    return {
        "items": [{name: key, "kwh": round(kwh, 4)} for key, kwh in sorted(sums.items())],
        "next": None,
    }


def _group(circuit: Circuit, by: str) -> str:
    if by == "zone":
        return circuit.zone
    return circuit.id if by == "circuit" else circuit.use
