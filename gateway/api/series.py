"""Series over time, for plots."""

from __future__ import annotations

from typing import Annotated, Any
from zoneinfo import ZoneInfo

from fastapi import APIRouter, Query

from gateway import units
from gateway.api.asked import DAY_MS, From, To, shown, span
from gateway.api.problems import Problem
from gateway.context import Context
from gateway.history import series as history

HOUR_MS = 3_600_000
LONGEST_MS = 400 * DAY_MS
Step = Annotated[str | None, Query(max_length=16, description='such as "60s", "15min", "1h"')]


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
        """min, mean and max per step of one channel's field; null in a gap. No pad channels.

        Steps are counted from the site's midnight, so that those of a day are its days; each is
        told as a whole, also the first and the last."""
        first, last = span(ctx, begin, to)
        every = _step(step, last - first)
        device = channel.partition("/")[0]
        if device in pads:
            raise Problem(403, "a pad's channels are not shown")
        if device not in silent_after:
            raise Problem(404, f"channel: the site has no device {device!r}")
        zone = ZoneInfo(tz)
        first = history.aligned(first, every, zone)
        db = ctx.reader()
        found = history.find(db, channel, field)
        known = min(last, ctx.now() + 1)  # a state stands, but not into the time to come
        steps = (
            history.series(db, found, first, known, every, zone, silent_after[device])
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

    return made


def _step(text: str | None, span: int) -> int:
    if text is None:
        step = max(60_000, span // 500 // 60_000 * 60_000)
        return step if step < HOUR_MS else step // HOUR_MS * HOUR_MS  # hours are ready to be read
    try:
        step = int(text) * 1000 if text.isdecimal() else units.duration(text)
    except ValueError as fault:
        raise Problem(422, f"step: {fault}") from None
    if step % 1000 or not 1000 <= step <= LONGEST_MS or span // step > history.MOST_STEPS:
        raise Problem(
            422,
            "step: whole seconds, from 1s to 400d, and at most"
            f" {history.MOST_STEPS} steps in the span",
        )
    return step
