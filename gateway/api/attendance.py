"""A month's attendance from the imported punches, and importing them."""

from __future__ import annotations

import hashlib
import sqlite3
from datetime import date, timedelta
from typing import Annotated, Any

from fastapi import APIRouter, Query

from gateway import attendance, tables
from gateway.api.asked import (
    After,
    Dry,
    FileName,
    Limit,
    Person,
    Raw,
    cursor,
    page,
    unread,
    whole,
    written,
)
from gateway.attendance import Month, Punch
from gateway.context import Context
from gateway.schedules import at

SAMPLE = 5
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
        by = attendance.rules(ctx.site.attendance, ctx.site.hours.open)
        found = attendance.summary(punches, ctx.calendar, by)
        start = (cursor(after) or (-1, ""))[0] + 1
        return page(
            list(enumerate(found))[start : start + limit + 1],
            limit,
            key=lambda pair: (pair[0], ""),
            item=lambda pair: told(pair[1]),
        )

    @made.post("/attendance/imports")
    def imports(
        raw: Raw, who: Person, file: FileName = "attendance.csv", dry: Dry = False
    ) -> dict[str, Any]:
        """Import a machine's CSV, the body as it is. With a line that cannot be read nothing is
        imported: `faults` names each."""
        punches, faults = attendance.read(tables.decoded(raw, file))
        sha256, tz = hashlib.sha256(raw).hexdigest(), ctx.site.timezone
        about = _about(punches) | {
            "file": file,
            "imported_before": attendance.imported(ctx.reader(), sha256),
            **unread(faults),
        }
        if dry:
            return about | {"new": None}
        whole(file, punches, faults)

        def work(db: sqlite3.Connection, now: int) -> int | None:
            return attendance.keep(db, punches, sha256, file, who.name, now, tz)

        return about | {"new": written(ctx, work)}

    return made


def _about(punches: list[Punch]) -> dict[str, Any]:
    """What a file holds, in figures, and its first lines as they were read."""
    days = sorted({punch.time.date().isoformat() for punch in punches})
    return {
        "punches": len(punches),
        "people": len({punch.person for punch in punches}),
        "first": days[0] if days else None,
        "last": days[-1] if days else None,
        "sample": [
            {
                "person": punch.person,
                "name": punch.name,
                "time": punch.time.isoformat(" "),
                "kind": punch.kind,
            }
            for punch in punches[:SAMPLE]
        ],
    }


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
