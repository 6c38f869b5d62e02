"""Series over time and energy sums, for plots."""

from __future__ import annotations

from typing import Annotated, Any, Literal
from zoneinfo import ZoneInfo

from fastapi import APIRouter, Query

from gateway import schedules, units
from gateway.api.asked import From, To, instant, shown
from gateway.api.problems import Problem
from gateway.context import Context
from gateway.history import series as history
from gateway.site import Circuit

DAY_MS, HOUR_MS = 86_400_000, 3_600_000
Step = Annotated[str | None, Query(max_length=16, description='such as "60s", "15min", "1h"')]
By = Annotated[Literal["zone", "use", "day", "circuit", "waste"], Query()]


def router(ctx: Context) -> APIRouter:
    made = APIRouter(tags=["series"])
    tz = ctx.site.timezone
    pads = {d.id for d in ctx.site.devices if d.kind == "rating-pad"}
    silent_after = {d.id: d.silent_after for d in ctx.site.devices}

    @made.get("/series")
    def series(
        channel: Annotated[str, Query(max_length=80)],
        field: Annotated[str, Query(max_length=16)],
        begin: From = None,
        to: To = None,
        step: Step = None,
    ) -> dict[str, Any]:
        """min, mean and max per step of one channel's field; null in a gap. No pad channels."""
        first, last = _span(ctx, begin, to)
        every = _step(step, last - first)
        device = channel.partition("/")[0]
        if device in pads:
            raise Problem(403, "a pad's channels are not shown")
        if device not in silent_after:
            raise Problem(404, f"channel: the site has no device {device!r}")
        first -= first % every
        db = ctx.reader()
        found = history.find(db, channel, field)
        known = min(last, ctx.now() + 1)  # a state stands, but not into the time to come
        steps = (
            history.series(db, found, first, known, every, ZoneInfo(tz), silent_after[device])
            if found
            else []
        )
        rest = first + len(steps) * every
        steps += [history.Step(at) for at in range(rest, last, every)]
        return {
            "channel": channel,
            "field": field,
            "step": f"{every // 1000}s",
            "items": [
                {"t": shown(s.t, tz), "min": s.low, "mean": s.mean, "max": s.high} for s in steps
            ],
            "next": None,
        }

    @made.get("/energy")
    def energy(begin: From = None, to: To = None, by: By = "use") -> dict[str, Any]:
        """kWh in [from, to), today's by default, summed by whole hours."""
        first, last = _span(ctx, begin, to)
        circuits = {str(c.meter): c for c in ctx.site.circuits if c.meter}
        closed = schedules.closed_hours(ctx.site.hours, ctx.calendar, tz)
        sums: dict[str, float] = {}
        days = None if by == "waste" else ZoneInfo(tz)
        for device, ch, t, kwh in history.energy(ctx.reader(), first, last, days):
            circuit = circuits.get(f"{device}/{ch}")
            if circuit is None or (
                by == "waste" and (circuit.use == "protected" or not closed(t)[0])
            ):
                continue
            key = schedules.local_day(t, tz).isoformat() if by == "day" else _group(circuit, by)
            sums[key] = sums.get(key, 0.0) + kwh
        name = "use" if by == "waste" else by
        return {
            "items": [{name: key, "kwh": round(kwh, 4)} for key, kwh in sorted(sums.items())],
            "next": None,
        }

    return made


def _group(circuit: Circuit, by: str) -> str:
    if by == "zone":
        return circuit.zone
    return circuit.id if by == "circuit" else circuit.use


def _span(ctx: Context, begin: str | None, to: str | None) -> tuple[int, int]:
    tz = ctx.site.timezone
    now = ctx.now()
    last = instant("to", to, tz)
    first = instant("from", begin, tz)
    last = now if last is None else last
    if first is None:
        first = schedules.at(schedules.local_day(last - 1, tz), 0, tz)
    if not first < last <= first + 400 * DAY_MS:
        raise Problem(422, "from, to: `from` before `to`, at most 400 days apart")
    return first, last


def _step(text: str | None, span: int) -> int:
    if text is None:
        step = max(60_000, span // 500 // 60_000 * 60_000)
        return step if step < HOUR_MS else step // HOUR_MS * HOUR_MS  # hours are ready to be read
    try:
        step = int(text) * 1000 if text.isdecimal() else units.duration(text)
    except ValueError as fault:
        raise Problem(422, f"step: {fault}") from None
    if step < 1000 or span // step > history.MOST_STEPS:
        raise Problem(422, f"step: at least 1s, and at most {history.MOST_STEPS} steps in the span")
    return step
