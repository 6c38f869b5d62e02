"""A month's attendance from the imported punches."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Annotated, Any

from fastapi import APIRouter, Query

from gateway import attendance
from gateway.api.asked import After, Limit, cursor, page
from gateway.attendance import Month
from gateway.context import Context
from gateway.schedules import at

MonthName = Annotated[
    str, Query(pattern=r"^(19[89]\d|2\d{3})-(0[1-9]|1[0-2])$", examples=["2026-07"])
]


def router(ctx: Context) -> APIRouter:
    made = APIRouter(tags=["attendance"])

    @made.get("/attendance")
    def month(month: MonthName, limit: Limit = 1000, after: After = None) -> dict[str, Any]:
        """One item a person: how often in each class. `undefined` (未定级) is 10 to 30 minutes
        late, for which the rulebook has no class; `half_days` of 旷工 come from being late."""
        first = date.fromisoformat(f"{month}-01")
        following = (first + timedelta(days=31)).replace(day=1)
        tz = ctx.site.timezone
        punches = attendance.stored(ctx.reader(), at(first, 0, tz), at(following, 0, tz), tz)
        found = attendance.summary(punches, ctx.calendar)
        start = (cursor(after) or (-1, ""))[0] + 1
        return page(
            list(enumerate(found))[start : start + limit + 1],
            limit,
            key=lambda pair: (pair[0], ""),
            item=lambda pair: told(pair[1]),
        )

    return made


def told(month: Month) -> dict[str, Any]:
    """A person's month as the API shows it."""
    words = ("on-time", "late", "undefined", "absent", "early", "missing")
    return {
        "person": month.person,
        "name": month.name,
        "days": month.days,
        "counts": {word: month.counts.get(word, 0) for word in words},
        "half_days": month.half_days,
        "undefined": [
            {"day": day.isoformat(), "session": session, "minutes": minutes}
            for day, session, minutes in month.undefined
        ],
    }
