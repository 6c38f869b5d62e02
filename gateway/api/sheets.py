"""The sheets: as JSON and as a spreadsheet, their fields by hand, the episodes to confirm."""

from __future__ import annotations

import io
import sqlite3
from datetime import datetime
from typing import Annotated, Any, Literal
from urllib.parse import quote
from zoneinfo import ZoneInfo

from fastapi import APIRouter, Query, Response
from pydantic import BaseModel, Field

from gateway.api.asked import After, Limit, Person, cursor, page, shown, written
from gateway.api.problems import Problem
from gateway.context import Context
from gateway.errors import InputFault
from gateway.reports import book, hygiene, keeping, sheets, stars, zeros
from gateway.reports.model import Sheet, as_dict
from gateway.reports.periods import Period

XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
Kind = Literal[
    "ratings-week", "ratings-month", "ratings-quarter", "stars", "hygiene", "zeros", "meeting"
]
Name = Annotated[str, Query(alias="period", max_length=10, examples=["2026-07"])]
Short = Annotated[str, Field(min_length=1, max_length=64, pattern=r"\S")]
SHOWN = 6  # periods of each kind


class NewField(BaseModel):
    """`field` is one of the sheet's own; the last word on it counts. `department`: of a person,
    where the name alone could mean two."""

    sheet: Literal["stars", "hygiene", "zeros"]
    period: Annotated[str, Field(max_length=10)]
    subject: Short
    field: Short
    value: Annotated[float, Field(ge=0, le=100_000, allow_inf_nan=False)]
    department: Annotated[str, Field(max_length=80)] = ""


class NewDecision(BaseModel):
    """`unit`: the counter or zone that is charged; needed unless only one can be meant."""

    decision: Literal["confirm", "reject"]
    unit: Short | None = None
    reason: Annotated[str, Field(max_length=500)] = ""


def router(ctx: Context) -> APIRouter:
    made = APIRouter(tags=["sheets"])
    tz = ctx.site.timezone

    def built(kind: str, name: str) -> Sheet:
        period = _period(kind, name)
        return sheets.build(ctx.reader(), ctx.site, ctx.calendar, kind, period, ctx.now())

    @made.get("/sheets")
    def kinds() -> dict[str, Any]:
        """Every sheet with its latest periods, the one that runs first, and when each is due."""
        today = datetime.fromtimestamp(ctx.now() / 1000, ZoneInfo(tz)).date()
        items = []
        for kind, (length, title) in sheets.KINDS.items():
            for period in sheets.latest(kind, today, SHOWN):
                due, provisional = sheets.due(ctx.reader(), kind, period, ctx.calendar)
                items.append(
                    {
                        "kind": kind,
                        "every": length,
                        "title": title._asdict(),
                        "period": period.name,
                        "first": period.first.isoformat(),
                        "last": period.last.isoformat(),
                        "due": due.isoformat() if due else None,
                        "provisional": provisional,
                    }
                )
        return {"items": items, "next": None}

    @made.get("/sheets/fields")
    def fields(
        sheet: Literal["stars", "hygiene", "zeros"],
        period: Name,
        limit: Limit = 1000,
        after: After = None,
    ) -> dict[str, Any]:
        """Every word on the fields of a month, oldest first; the last one on a field counts."""
        month = _period(sheet, period).name
        start = (cursor(after) or (0, ""))[0]
        rows = ctx.reader().execute(
            "SELECT * FROM sheet_field WHERE sheet = ? AND month = ? AND id > ?"
            " ORDER BY id LIMIT ?",
            (sheet, month, start, limit + 1),
        )
        keys = ("subject", "department", "field", "value", "made_by")
        return page(
            rows.fetchall(),
            limit,
            key=lambda row: (row["id"], ""),
            item=lambda row: (
                {key: row[key] for key in keys} | {"made_at": shown(row["made_at"], tz)}
            ),
        )

    @made.post("/sheets/fields", status_code=201)
    def enter(asked: NewField, who: Person) -> dict[str, Any]:
        """Enter one field of a month's sheet."""
        month = _period(asked.sheet, asked.period).name
        most = _most(ctx, asked.sheet, asked.subject, asked.field)
        departments = {counter.department for counter in ctx.site.counters}
        if asked.department and (asked.sheet != "stars" or asked.department not in departments):
            raise Problem(422, "department: of the site file, and for stars only")
        if asked.value > most:
            raise Problem(422, f"value: at most {most:g} for {asked.field}")
        written(
            ctx,
            lambda db, now: keeping.enter(
                *(db, now, who.name, asked.sheet, month, asked.subject, asked.field, asked.value),
                asked.department,
            ),
        )
        return asked.model_dump() | {"made_by": who.name}

    @made.get("/sheets/episodes")
    def episodes(
        period: Name,
        state: Literal["open", "decided"] | None = None,
        limit: Limit = 100,
        after: After = None,
    ) -> dict[str, Any]:
        """A month's candidates of 厉行节约 ①②③, oldest first, each with the last word on it."""
        found = hygiene.episodes(ctx.reader(), ctx.site, _period("hygiene", period))
        wanted = [
            (number, episode)
            for number, episode in enumerate(found)
            if state is None or (episode.decision is None) == (state == "open")
        ]
        first = (cursor(after) or (-1, ""))[0]
        return page(
            [one for one in wanted if one[0] > first][: limit + 1],
            limit,
            key=lambda one: (one[0], ""),
            item=lambda one: _episode(one[1], tz),
        )

    @made.post("/sheets/episodes/{finding_id}", status_code=201)
    def decide(finding_id: str, asked: NewDecision, who: Person) -> dict[str, Any]:
        """Confirm or reject one episode; a later word revises an earlier one."""

        def work(db: sqlite3.Connection, now: int) -> str | None:
            row = db.execute(
                "SELECT rule, zone, state FROM finding WHERE id = ?", (finding_id,)
            ).fetchone()
            if row is None or row[0] not in hygiene.EPISODES:
                raise Problem(404, f"no episode {finding_id}")
            if row[2] == "withdrawn":
                raise Problem(409, "the finding was withdrawn: there is nothing to charge")
            unit = None
            if asked.decision == "confirm":
                unit = asked.unit or hygiene.proposed(ctx.site, row[1])
                if unit is None or unit not in hygiene.units(ctx.site):
                    raise Problem(422, "unit: name a counter or a zone of the site file")
            keeping.decide(db, now, who.name, finding_id, asked.decision, unit, asked.reason)
            return unit

        unit = written(ctx, work)
        return {
            "finding": finding_id,
            "decision": asked.decision,
            "unit": unit,
            "reason": asked.reason,
            "by": who.name,
        }

    @made.get("/sheets/{kind}")
    def sheet(kind: Kind, period: Name) -> dict[str, Any]:
        """One sheet: titled tables with typed columns; a null is hidden (n < 5) or not known."""
        return as_dict(built(kind, period))

    @made.get(
        "/sheets/{kind}/file", response_class=Response, responses={200: {"content": {XLSX: {}}}}
    )
    def file(kind: Kind, period: Name) -> Response:
        """The same as a spreadsheet."""
        made = built(kind, period)
        into = io.BytesIO()
        book.write(made, ctx.site.name, into)
        name = f"{made.title.zh}-{period}.xlsx"
        return Response(
            into.getvalue(),
            media_type=XLSX,
            headers={
                "Content-Disposition": f"attachment; filename*=UTF-8''{quote(name)}",
                "Cache-Control": "no-store",
            },
        )

    return made


def _period(kind: str, name: str) -> Period:
    try:
        return sheets.period_of(kind, name)
    except InputFault as fault:
        raise Problem(422, f"period: {fault}") from None


def _most(ctx: Context, sheet: str, subject: str, field: str) -> float:
    """The most that a field takes. Raises Problem where the sheet has no such field or subject."""
    if sheet == "zeros":
        if field not in zeros.HAND or subject != "hall":
            raise Problem(422, f"field: one of {', '.join(zeros.HAND)}, for the subject hall")
        return 100_000
    if sheet == "hygiene":
        if subject not in hygiene.ranked(ctx.site):
            raise Problem(422, f"subject: one of {', '.join(hygiene.ranked(ctx.site))}")
        if field not in hygiene.NEEDED:
            raise Problem(422, f"field: one of {', '.join(hygiene.NEEDED)}")
        return hygiene.ITEMS[field][0]
    if field not in stars.ITEMS:
        raise Problem(422, f"field: one of {', '.join(stars.ITEMS)}")
    return stars.ITEMS[field][0]


def _episode(episode: hygiene.Episode, tz: str) -> dict[str, Any]:
    said = episode.decision
    return {
        "finding": episode.finding,
        "rule": episode.rule,
        "subject": episode.subject,
        "zone": episode.zone,
        "start": shown(episode.start, tz),
        "end": shown(episode.end, tz),
        "item": episode.item,
        "unit": episode.unit,
        "decision": None
        if said is None
        else {
            "decision": said.decision,
            "unit": said.unit,
            "reason": said.reason,
            "by": said.by,
            "at": shown(said.at, tz),
        },
    }
