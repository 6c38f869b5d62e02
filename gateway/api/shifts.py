"""Shifts and the closing check: two names, open alerts, the house as the sensors saw it."""

from __future__ import annotations

import json
import sqlite3
from typing import Annotated, Any

from fastapi import APIRouter, Request
from pydantic import BaseModel, ConfigDict, Field

from gateway import dutylog, schedules, shifts
from gateway.api import patrols
from gateway.api.access import ACCESS
from gateway.api.asked import After, From, Limit, Person, To, cursor, instant, page, shown, written
from gateway.api.problems import Problem
from gateway.api.proof import Prover
from gateway.context import Context

Password = Annotated[str, Field(min_length=1, max_length=256)]
Note = Annotated[str, Field(max_length=1000)]
MAX_LOG_MS = 7 * 86400_000


class Second(BaseModel):
    """The other person, who types name and password on the same page."""

    user: Annotated[str, Field(min_length=1, max_length=32)]
    password: Password


class Opening(BaseModel):
    """`password` is that of the person signed in, given again."""

    model_config = ConfigDict(populate_by_name=True)
    password: Password
    second: Second
    note: Note = ""


class Handover(BaseModel):
    model_config = ConfigDict(populate_by_name=True)
    password: Password
    to: Second
    note: Note = ""


class Checked(BaseModel):
    note: Note = ""


def router(ctx: Context, prover: Prover) -> APIRouter:
    made = APIRouter(tags=["shifts"])
    site, tz = ctx.site, ctx.site.timezone

    def prove(name: str, password: str, request: Request) -> str:
        role = prover.prove(name, password, request)
        if role is None:
            raise Problem(403, f"the password of {name} is wrong")
        return role

    def two(first: str, password: str, second: Second, request: Request) -> None:
        if first == second.user:
            raise Problem(
                422, "a shift has two names: another person must give theirs", why="two-names"
            )
        prove(first, password, request)
        if prove(second.user, second.password, request) not in ACCESS["POST", "/shifts"]:
            raise Problem(409, f"{second.user} keeps no shift: not the role", why="role")

    @made.get("/shifts")
    def listed(
        begin: From = None, to: To = None, limit: Limit = 50, after: After = None
    ) -> dict[str, Any]:
        """Latest first; those that begin in [from, to). The first without `end` is running."""
        at, following = cursor(after) or (2**62, "")
        rows = ctx.reader().execute(
            f"{_SHIFTS} WHERE (s.begin, s.id) < (?1, ?2) AND (?3 IS NULL OR s.begin >= ?3)"
            " AND (?4 IS NULL OR s.begin < ?4) ORDER BY s.begin DESC, s.id DESC LIMIT ?5",
            (at, following, instant("from", begin, tz), instant("to", to, tz), limit + 1),
        )
        return page(
            rows.fetchall(),
            limit,
            key=lambda row: (row["begin"], row["id"]),
            item=lambda row: told(row, tz),
        )

    @made.get("/shifts/{shift_id}")
    def one(shift_id: str) -> dict[str, Any]:
        return told(_row(ctx.reader(), shift_id), tz)

    @made.get("/shifts/{shift_id}/log")
    def log(shift_id: str) -> dict[str, Any]:
        """值班记录: what happened on the shift, in order of time."""
        row, db = _row(ctx.reader(), shift_id), ctx.reader()
        end = min(row["end"] or ctx.now() + 1, row["begin"] + MAX_LOG_MS)
        rounds = [
            {"at": made.done_at or made.end, "what": f"patrol.{made.state}", "route": made.route}
            for made in patrols.between(ctx, row["begin"] - patrols.DAY_MS, end)
            if made.state in ("done", "late", "missed")
            and row["begin"] <= (made.done_at or made.end) < end
        ]
        items = sorted(
            [*dutylog.lines(db, row["begin"], end), *rounds], key=lambda line: int(line["at"])
        )
        return {"items": [line | {"at": shown(line["at"], tz)} for line in items], "next": None}

    @made.post("/shifts", status_code=201)
    def opened(asked: Opening, person: Person, request: Request) -> dict[str, Any]:
        """Open the first shift; while one runs it is handed over instead."""
        two(person.name, asked.password, asked.second, request)

        def work(db: sqlite3.Connection, now: int) -> str:
            running = shifts.running(db)
            if running is not None:
                raise Problem(
                    409, f"a shift of {running[1]} is running: have it handed over", why="running"
                )
            return shifts.begin(db, site, now, person.name, asked.second.user, None, asked.note)

        return answer(written(ctx, work))

    @made.post("/shifts/{shift_id}/handover", status_code=201)
    def handed(shift_id: str, asked: Handover, person: Person, request: Request) -> dict[str, Any]:
        """Hand the running shift over: the one signed in gives it, `to` takes it."""
        two(person.name, asked.password, asked.to, request)

        def work(db: sqlite3.Connection, now: int) -> str:
            running = shifts.running(db)
            if running is None or running[0] != shift_id:
                raise Problem(
                    409 if _known(db, shift_id) else 404, "this shift does not run", why="ended"
                )
            if running[1] != person.name and person.role not in ("manager", "admin"):
                raise Problem(
                    409,
                    f"the shift is {running[1]}'s: they or a manager hand it over",
                    why="not-yours",
                )
            return shifts.begin(db, site, now, asked.to.user, person.name, shift_id, asked.note)

        return answer(written(ctx, work))

    def answer(shift: str) -> dict[str, Any]:
        ctx.live.publish("shift", {"id": shift})
        return told(_row(ctx.reader(), shift), tz)

    @made.get("/closing-checks/now")
    def standing() -> dict[str, Any]:
        """What is open or on at this moment, and whether today's check is done."""
        now, db = ctx.now(), ctx.reader()
        day = schedules.local_day(now, tz)
        due = shifts.due(site, ctx.calendar, day)
        rows = db.execute(
            "SELECT * FROM closing_check WHERE day = ? ORDER BY id", (day.isoformat(),)
        ).fetchall()
        seen = shifts.things(db, site, now)
        return {
            "day": day.isoformat(),
            "due": shown(due, tz),
            "left": shifts.undone(seen),
            "things": seen,
            "checks": [check_told(row, tz) for row in rows],
        }

    @made.get("/closing-checks")
    def checks(
        begin: From = None, to: To = None, limit: Limit = 50, after: After = None
    ) -> dict[str, Any]:
        """关门记录, latest first; `who` is `gateway` where it was taken by itself when due."""
        at, _ = cursor(after) or (2**62, "")
        rows = ctx.reader().execute(
            "SELECT * FROM closing_check WHERE id < ?1 AND (?2 IS NULL OR at >= ?2)"
            " AND (?3 IS NULL OR at < ?3) ORDER BY id DESC LIMIT ?4",
            (at, instant("from", begin, tz), instant("to", to, tz), limit + 1),
        )
        return page(
            rows.fetchall(),
            limit,
            key=lambda row: (row["id"], ""),
            item=lambda row: check_told(row, tz),
        )

    @made.post("/closing-checks", status_code=201)
    def checked(person: Person, asked: Checked | None = None) -> dict[str, Any]:
        """Record the house as it stands now, under one's own name."""
        note = asked.note if asked else ""

        def work(db: sqlite3.Connection, now: int) -> int:
            day = schedules.local_day(now, tz)
            due = shifts.due(site, ctx.calendar, day)
            return shifts.check(db, site, now, day, due or now, person.name, note)

        number = written(ctx, work)
        ctx.live.publish("shift", {"id": None})
        row = ctx.reader().execute("SELECT * FROM closing_check WHERE id = ?", (number,))
        return check_told(row.fetchone(), tz)

    return made


_SHIFTS = (
    "SELECT s.*, n.begin AS end, n.officer AS taken_by FROM shift s"
    " LEFT JOIN shift n ON n.before = s.id"
)


def told(row: sqlite3.Row, tz: str) -> dict[str, Any]:
    """A shift as the API shows it."""
    return {
        "id": row["id"],
        "begin": shown(row["begin"], tz),
        "end": shown(row["end"], tz),
        "officer": row["officer"],
        "second": row["second"],
        "taken_by": row["taken_by"],
        "before": row["before"],
        "note": row["note"],
        "alerts": json.loads(row["alerts"]),
        "things": json.loads(row["things"]),
    }


def check_told(row: sqlite3.Row, tz: str) -> dict[str, Any]:
    """A closing check as the API shows it; `left` is what was still open, on or unknown."""
    seen = json.loads(row["things"])
    return {
        "id": row["id"],
        "day": row["day"],
        "due": shown(row["due"], tz),
        "at": shown(row["at"], tz),
        "who": row["who"],
        "note": row["note"],
        "left": shifts.undone(seen),
        "things": seen,
    }


def _known(db: sqlite3.Connection, shift: str) -> bool:
    return db.execute("SELECT 1 FROM shift WHERE id = ?", (shift,)).fetchone() is not None


def _row(db: sqlite3.Connection, shift: str) -> sqlite3.Row:
    row: sqlite3.Row | None = db.execute(f"{_SHIFTS} WHERE s.id = ?", (shift,)).fetchone()
    if row is None:
        raise Problem(404, f"no shift {shift}")
    return row
