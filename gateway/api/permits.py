"""Permits and registered entries: what lifts a rule, by whom, and that it was withdrawn.

A permit given afterwards excuses; nothing is deleted. Each change bumps the counter `permits` in
`meta`, by which the engine sees that there is something new to judge.
"""

from __future__ import annotations

import json
import secrets
import sqlite3
from typing import Annotated, Any, Literal

from fastapi import APIRouter
from pydantic import BaseModel, ConfigDict, Field

from gateway import audit
from gateway.api.asked import After, From, Limit, Person, To, cursor, instant, page, shown, written
from gateway.api.problems import Problem
from gateway.context import Context

Short = Annotated[str, Field(min_length=1, max_length=64, pattern=r"\S")]
Text = Annotated[str, Field(min_length=1, max_length=500, pattern=r"\S")]
When = Annotated[str, Field(max_length=40, examples=["2026-07-01T18:00:00+08:00"])]
Kind = Literal["overtime", "appointment", "study", "cleaning", "hot-work", "special"]


class NewPermit(BaseModel):
    """In force on [from, to) in each of its zones."""

    model_config = ConfigDict(populate_by_name=True)
    kind: Kind
    zones: Annotated[list[Short], Field(min_length=1, max_length=200)]
    begin: Annotated[When, Field(alias="from")]
    to: When
    reason: Text
    requested_by: Short | None = None


class NewEntry(BaseModel):
    """Somebody goes in. `at` is now and `who` the person signed in unless given."""

    at: When | None = None
    who: Short | None = None
    reason: Annotated[str, Field(max_length=500)] = ""


def router(ctx: Context) -> APIRouter:
    made = APIRouter(tags=["permits"])
    tz = ctx.site.timezone

    @made.get("/permits")
    def permits(
        begin: From = None,
        to: To = None,
        withdrawn: bool = False,
        limit: Limit = 100,
        after: After = None,
    ) -> dict[str, Any]:
        """Latest first. `from`, `to`: those in force somewhere in [from, to)."""
        start, following = cursor(after) or (2**62, "")
        rows = ctx.reader().execute(
            'SELECT * FROM permit WHERE ("from", id) < (?1, ?2)'
            ' AND (?3 IS NULL OR "to" > ?3) AND (?4 IS NULL OR "from" < ?4)'
            " AND (?5 OR withdrawn_at IS NULL)"
            ' ORDER BY "from" DESC, id DESC LIMIT ?6',
            (
                *(start, following, instant("from", begin, tz), instant("to", to, tz)),
                *(withdrawn, limit + 1),
            ),
        )
        return page(
            rows.fetchall(),
            limit,
            key=lambda row: (row["from"], row["id"]),
            item=lambda row: told(row, tz),
        )

    @made.post("/permits", status_code=201)
    def give(asked: NewPermit, who: Person) -> dict[str, Any]:
        """Give a permit; it may lie in the past."""
        begin, end = instant("from", asked.begin, tz), instant("to", asked.to, tz)
        assert begin is not None
        assert end is not None
        if begin >= end:
            raise Problem(422, "to: must be after from", why="order")
        unknown = sorted(set(asked.zones) - {zone.id for zone in ctx.site.zones})
        if unknown:
            raise Problem(422, f"zones: {', '.join(unknown)} not in the site file")
        number = "p-" + secrets.token_hex(6)
        zones = list(dict.fromkeys(asked.zones))

        def work(db: sqlite3.Connection, now: int) -> None:
            db.execute(
                'INSERT INTO permit (id, kind, zones, "from", "to", reason, requested_by,'
                " approved_by, made_at) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
                (
                    *(number, asked.kind, json.dumps(zones), begin, end, asked.reason),
                    *(asked.requested_by or who.name, who.name, now),
                ),
            )
            bump(db)
            about = asked.model_dump(by_alias=True) | {"id": number}
            audit.append(db, now, who.name, "permit.give", about)

        written(ctx, work)
        return told(_row(ctx.reader(), number), tz)

    @made.delete("/permits/{permit_id}", status_code=204)
    def withdraw(permit_id: str, who: Person) -> None:
        """Withdraw a permit: it lifts nothing any more, and stays on record."""

        def work(db: sqlite3.Connection, now: int) -> None:
            row = db.execute(
                "SELECT withdrawn_at FROM permit WHERE id = ?", (permit_id,)
            ).fetchone()
            if row is None:
                raise Problem(404, f"no permit {permit_id}")
            if row[0] is not None:
                raise Problem(409, "the permit is withdrawn already", why="over")
            db.execute(
                "UPDATE permit SET withdrawn_at = ?, withdrawn_by = ? WHERE id = ?",
                (now, who.name, permit_id),
            )
            bump(db)
            audit.append(db, now, who.name, "permit.withdraw", {"id": permit_id})

        written(ctx, work)

    @made.get("/entries")
    def entries(
        begin: From = None, to: To = None, limit: Limit = 100, after: After = None
    ) -> dict[str, Any]:
        """Registered entries, latest first."""
        start, following = cursor(after) or (2**62, "")
        rows = ctx.reader().execute(
            "SELECT * FROM entry WHERE (at, id) < (?1, ?2) AND (?3 IS NULL OR at >= ?3)"
            " AND (?4 IS NULL OR at < ?4) ORDER BY at DESC, id DESC LIMIT ?5",
            (start, following, instant("from", begin, tz), instant("to", to, tz), limit + 1),
        )
        return page(
            rows.fetchall(),
            limit,
            key=lambda row: (row["at"], row["id"]),
            item=lambda row: _entry(row, tz),
        )

    @made.post("/entries", status_code=201)
    def enter(person: Person, asked: NewEntry | None = None) -> dict[str, Any]:
        """Register an entry."""
        asked = asked or NewEntry()
        given = instant("at", asked.at, tz)
        number = "e-" + secrets.token_hex(6)
        name = asked.who or person.name

        def work(db: sqlite3.Connection, now: int) -> None:
            at = now if given is None else given
            db.execute(
                "INSERT INTO entry (id, at, who, reason, registered_by, made_at)"
                " VALUES (?, ?, ?, ?, ?, ?)",
                (number, at, name, asked.reason, person.name, now),
            )
            bump(db)
            about = {"id": number, "at": shown(at, tz), "who": name, "reason": asked.reason}
            audit.append(db, now, person.name, "entry.register", about)

        written(ctx, work)
        row = ctx.reader().execute("SELECT * FROM entry WHERE id = ?", (number,)).fetchone()
        return _entry(row, tz)

    return made


def bump(db: sqlite3.Connection) -> None:
    """Tell the engine, in the caller's transaction, that permits or entries have changed."""
    db.execute(
        "INSERT INTO meta (key, value) VALUES ('permits', '1')"
        " ON CONFLICT (key) DO UPDATE SET value = CAST(value + 1 AS TEXT)"
    )


def told(row: sqlite3.Row, tz: str) -> dict[str, Any]:
    """A permit as the API shows it."""
    return {
        "id": row["id"],
        "kind": row["kind"],
        "zones": json.loads(row["zones"]),
        "from": shown(row["from"], tz),
        "to": shown(row["to"], tz),
        "reason": row["reason"],
        "requested_by": row["requested_by"],
        "approved_by": row["approved_by"],
        "made_at": shown(row["made_at"], tz),
        "withdrawn_at": shown(row["withdrawn_at"], tz),
        "withdrawn_by": row["withdrawn_by"],
    }


def _entry(row: sqlite3.Row, tz: str) -> dict[str, Any]:
    return {
        "id": row["id"],
        "at": shown(row["at"], tz),
        "who": row["who"],
        "reason": row["reason"],
        "registered_by": row["registered_by"],
        "made_at": shown(row["made_at"], tz),
    }


def _row(db: sqlite3.Connection, permit: str) -> sqlite3.Row:
    row: sqlite3.Row = db.execute("SELECT * FROM permit WHERE id = ?", (permit,)).fetchone()
    return row
