"""Maintenance: what is being worked on, at most four hours, and what is out of service.

While it lasts, alerts about it are suppressed by design and shown as such; a critical one never is.
"""

from __future__ import annotations

import secrets
import sqlite3
from typing import Annotated, Any

from fastapi import APIRouter
from pydantic import Field

from gateway import alerts, audit
from gateway.api.asked import After, Limit, Person, cursor, page, shown, written
from gateway.api.findings import Reason
from gateway.api.problems import Problem
from gateway.context import Context
from gateway.lifecycle import MAX_MAINTENANCE_MS

MOST_MIN = MAX_MAINTENANCE_MS // 60_000


class Begin(Reason):
    """`minutes` left out: out of service, until somebody ends it."""

    what: Annotated[str, Field(min_length=1, max_length=32)]
    minutes: Annotated[int, Field(ge=1, le=MOST_MIN)] | None = None


def router(ctx: Context) -> APIRouter:
    made = APIRouter(tags=["maintenance"])
    site, tz, settings = ctx.site, ctx.site.timezone, ctx.site.noise
    known = {
        one.id
        for many in (
            *(site.zones, site.counters, site.openings, site.circuits),
            *(site.acs, site.routes, site.devices),
        )
        for one in many
    }

    @made.get("/maintenance")
    def maintenance(
        active: bool | None = None, limit: Limit = 100, after: After = None
    ) -> dict[str, Any]:
        """Latest first. `active`: what still lasts."""
        start, following = cursor(after) or (2**62, "")
        rows = ctx.reader().execute(
            'SELECT * FROM maintenance WHERE ("from", id) < (?1, ?2) AND (?3 IS NULL OR'
            ' (ended_at IS NULL AND ("to" IS NULL OR "to" > ?4)) = ?3)'
            ' ORDER BY "from" DESC, id DESC LIMIT ?5',
            (start, following, active, ctx.now(), limit + 1),
        )
        return page(
            rows.fetchall(),
            limit,
            key=lambda row: (row["from"], row["id"]),
            item=lambda row: told(row, tz),
        )

    @made.post("/maintenance", status_code=201)
    def begin(asked: Begin, who: Person) -> dict[str, Any]:
        """Begin work on a zone, a device, a circuit …: its alerts are suppressed until it ends."""
        if asked.what not in known:
            raise Problem(422, f"what: {asked.what} is no id of the site file")
        number = "m-" + secrets.token_hex(6)

        def work(db: sqlite3.Connection, now: int) -> None:
            until = None if asked.minutes is None else now + asked.minutes * 60_000
            kind = "out-of-service" if until is None else "maintenance"
            db.execute(
                'INSERT INTO maintenance (id,what,kind,"from","to",reason,who)'
                " VALUES (?,?,?,?,?,?,?)",
                (number, asked.what, kind, now, until, asked.reason, who.name),
            )
            alerts.maintain(db, now, asked.what, until, who.name, settings)
            about = {"id": number, "what": asked.what, "kind": kind, "reason": asked.reason}
            audit.append(
                db, now, who.name, "maintenance.begin", about | {"until": shown(until, tz)}
            )

        written(ctx, work)
        return told(_row(ctx.reader(), number), tz)

    @made.post("/maintenance/{maintenance_id}/end")
    def end(maintenance_id: str, who: Person) -> dict[str, Any]:
        """The work is done: what still holds is told again."""

        def work(db: sqlite3.Connection, now: int) -> None:
            row = _row(db, maintenance_id)
            if row["ended_at"] is not None or (row["to"] is not None and row["to"] <= now):
                raise Problem(409, "it is over already", why="over")
            db.execute(
                "UPDATE maintenance SET ended_at=?, ended_by=? WHERE id=?",
                (now, who.name, maintenance_id),
            )
            alerts.maintained(db, now, row["what"], who.name, settings)
            audit.append(db, now, who.name, "maintenance.end", {"id": maintenance_id})

        written(ctx, work)
        return told(_row(ctx.reader(), maintenance_id), tz)

    return made


def told(row: sqlite3.Row, tz: str) -> dict[str, Any]:
    """A maintenance as the API shows it."""
    made = {key: row[key] for key in row.keys()}  # noqa: SIM118 - a Row's values
    for name in ("from", "to", "ended_at"):
        made[name] = shown(made[name], tz)
    return made


def _row(db: sqlite3.Connection, number: str) -> sqlite3.Row:
    cursor = db.cursor()
    cursor.row_factory = sqlite3.Row
    row: sqlite3.Row | None = cursor.execute(
        "SELECT * FROM maintenance WHERE id = ?", (number,)
    ).fetchone()
    if row is None:
        raise Problem(404, f"no maintenance {number}")
    return row
