"""Patrol rounds over some days."""

from __future__ import annotations

import re
import sqlite3
from datetime import datetime
from typing import Annotated, Any, Literal
from zoneinfo import ZoneInfo

from fastapi import APIRouter, Request
from pydantic import BaseModel, Field

from gateway import audit, rounds
from gateway.api.access import ACCESS
from gateway.api.asked import (
    After,
    From,
    Limit,
    Person,
    To,
    cursor,
    instant,
    page,
    shown,
    written,
)
from gateway.api.problems import Problem
from gateway.api.proof import Prover
from gateway.context import Context
from gateway.history.times import COLUMNS, read

MAX_DAYS = 100


class Signature(BaseModel):
    """`as` is the part that is signed for; `user` somebody else, on the same phone."""

    part: Annotated[Literal["patroller", "supervisor"], Field(alias="as")]
    password: Annotated[str, Field(min_length=1, max_length=256)]
    user: Annotated[str | None, Field(max_length=32)] = None


DAY_MS = 86400_000


def router(ctx: Context, prover: Prover) -> APIRouter:
    made = APIRouter(tags=["patrols"])
    tz = ctx.site.timezone

    @made.get("/patrols")
    def patrols(
        begin: From = None, to: To = None, limit: Limit = 200, after: After = None
    ) -> dict[str, Any]:
        """The rounds that begin in [from, to), today's by default, in order of time."""
        now, zone = ctx.now(), ZoneInfo(tz)
        today = datetime.fromtimestamp(now / 1000, zone).date()
        midnight = datetime(today.year, today.month, today.day, tzinfo=zone)
        first = instant("from", begin, tz)
        if first is None:
            first = round(midnight.timestamp() * 1000)
        last = instant("to", to, tz)
        if last is None:
            last = first + DAY_MS
        if not first < last <= first + MAX_DAYS * DAY_MS:
            raise Problem(422, f"from, to: `from` before `to`, at most {MAX_DAYS} days apart")
        found = between(ctx, first, last)
        place = (cursor(after) or (-1, ""))[0] + 1
        return page(
            list(enumerate(found))[place : place + limit + 1],
            limit,
            key=lambda pair: (pair[0], ""),
            item=lambda pair: told(ctx, pair[1]),
        )

    @made.post("/patrols/{round_id}/sign", status_code=201)
    def sign(round_id: str, person: Person, asked: Signature, request: Request) -> dict[str, Any]:
        """Sign a round as its patroller or supervisor; the password is given again."""
        made = known(ctx, round_id)
        if made is None:
            raise Problem(404, "no such round")
        if made.state == "coming":
            raise Problem(409, "the round has not begun", why="coming")
        route, begun = made.route, made.begin
        part, name = asked.part, asked.user or person.name
        role = prover.prove(name, asked.password, request)
        if role is None:
            raise Problem(403, f"the password of {name} is wrong")
        if role not in ACCESS["POST", "/patrols/{round_id}/sign"]:
            raise Problem(409, f"{name} signs no rounds: not the role", why="role")

        def work(db: sqlite3.Connection, now: int) -> tuple[str, str] | None:
            signed = dict(
                db.execute(
                    "SELECT part, who FROM patrol_signature WHERE route=? AND begin=?",
                    (route, begun),
                ).fetchall()
            )
            if part in signed:
                return "signed", f"already signed by {signed[part]}"
            if name in signed.values():
                return "two-people", "patroller and supervisor are two people"
            db.execute(
                "INSERT INTO patrol_signature (route, begin, part, who, at) VALUES (?,?,?,?,?)",
                (route, begun, part, name, now),
            )
            audit.append(db, now, name, "patrol.sign", {"round": round_id, "as": part})
            return None

        refused = written(ctx, work)
        if refused is not None:
            raise Problem(409, refused[1], why=refused[0])
        return {"round": round_id, "signatures": signatures(ctx, route, begun)}

    return made


def known(ctx: Context, round_id: str) -> rounds.Round | None:
    """The round of an id (`night~1782896400000`), or None."""
    found = re.fullmatch(r"(.+)~([0-9]{1,14})", round_id)
    if found is None:
        return None
    route, begin = found[1], int(found[2])
    return next((one for one in between(ctx, begin, begin + 1) if one.route == route), None)


def signatures(ctx: Context, route: str, begin: int) -> list[dict[str, Any]]:
    """Who signed a round, as what and when."""
    rows = ctx.reader().execute(
        "SELECT part, who, at FROM patrol_signature WHERE route=? AND begin=? ORDER BY at",
        (route, begin),
    )
    tz = ctx.site.timezone
    return [{"as": part, "who": who, "at": shown(at, tz)} for part, who, at in rows]


def between(ctx: Context, first: int, last: int) -> list[rounds.Round]:
    """The rounds that begin in [first, last), none from before the gateway's first start."""
    zone = ZoneInfo(ctx.site.timezone)
    day = datetime.fromtimestamp(first / 1000, zone).date()
    days = (datetime.fromtimestamp((last - 1) / 1000, zone).date() - day).days + 1
    said = taps(ctx, first - DAY_MS, last + rounds.NEXT_DAYS * DAY_MS)
    return [
        round_
        for round_ in rounds.rounds(
            *(ctx.site, lambda on: bool(ctx.calendar.day(on).workday), said),
            *(day, days, ctx.now()),
        )
        if max(first, _beginning(ctx)) <= round_.begin < last
    ]


def _beginning(ctx: Context) -> int:
    """The gateway's first start: rounds that began before it are not judged, nor shown."""
    row = ctx.reader().execute("SELECT value FROM meta WHERE key='first_start'").fetchone()
    return int(row[0]) if row else 0


def taps(ctx: Context, begin: int, end: int) -> list[rounds.Tap]:
    """The stored taps with an event time in [begin, end)."""
    db = ctx.reader()
    query = f"SELECT {COLUMNS} FROM event WHERE kind = 'tap' AND t"
    rows = db.execute(f"{query} >= ? AND t < ?", (begin, end)).fetchall()
    rows += db.execute(f"{query} IS NULL").fetchall()
    return [
        rounds.Tap(said.time, str(said.payload["tag"]).lower(), said.device)
        for said in read(db, rows)
        if begin <= said.time < end and not said.stale
    ]


def told(ctx: Context, made: rounds.Round) -> dict[str, Any]:
    """A round as the API shows it."""
    tz = ctx.site.timezone
    names = {checkpoint.id: checkpoint.name for checkpoint in ctx.site.checkpoints}
    routes = {route.id: route.name for route in ctx.site.routes}
    return {
        "id": f"{made.route}~{made.begin}",
        "route": made.route,
        "name": routes[made.route],
        "begin": shown(made.begin, tz),
        "end": shown(made.end, tz),
        "state": made.state,
        "done_at": shown(made.done_at, tz),
        "checkpoints": [
            {"id": point, "name": names.get(point, point), "at": shown(at, tz)}
            for point, at in made.taps
        ],
        "signatures": signatures(ctx, made.route, made.begin),
        "flags": [
            {"what": flag.what, "at": shown(flag.at, tz), "checkpoint": flag.checkpoint}
            for flag in made.flags
        ],
    }
