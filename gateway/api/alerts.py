"""Alerts: acknowledge, shelve, close; who did it and when is part of the alert."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from typing import Annotated, Any, Literal

import msgspec
from fastapi import APIRouter
from fastapi.responses import Response
from pydantic import BaseModel, Field

from gateway import alerts as life
from gateway import audit, lifecycle
from gateway.api.asked import After, Limit, Person, cursor, page, shown, written
from gateway.api.findings import Reason
from gateway.api.problems import Problem
from gateway.context import Context
from gateway.lifecycle import Refused
from gateway.lifecycle import Shelve as Shelving
from gateway.telling import SELECT
from gateway.telling import shown as as_told

_GRAVITY = (
    "(CASE severity WHEN 'critical' THEN 0 WHEN 'warning' THEN 2 WHEN 'notice' THEN 4 ELSE 6 END"
    " + (state NOT IN ('unacknowledged', 'returned'))) * 100000000000000 + opened"
)
"""Ascending: worst first, of these what nobody has acknowledged, of these the oldest. The index
`alert_gravity` has it: worded otherwise, it would not be found."""
_COUNTS = (
    "SELECT count(*) AS total, coalesce(sum(state IN ('unacknowledged', 'returned')), 0)"
    " AS unacknowledged FROM alert WHERE state <> 'normal'"
)

MAX_SHELF_MIN = lifecycle.MAX_SHELF_MS // 60_000
State = Literal[
    "unacknowledged",
    "acknowledged",
    "returned",
    "normal",
    "shelved",
    "suppressed",
    "out-of-service",
]


class Shelve(Reason):
    minutes: Annotated[int, Field(ge=1, le=MAX_SHELF_MIN)]


class Note(BaseModel):
    reason: Annotated[str, Field(max_length=500)] = ""


def router(ctx: Context) -> APIRouter:
    made = APIRouter(tags=["alerts"])
    tz, settings = ctx.site.timezone, ctx.site.noise

    @made.get("/alerts", response_model=dict[str, Any])
    def alerts(
        state: State | None = None,
        active: bool | None = None,
        order: Literal["newest", "worst"] = "newest",
        limit: Limit = 100,
        after: After = None,
    ) -> Response:
        """Newest first. `active`: everything but `normal`.

        `order=worst`, of the active ones only: worst first, then what nobody has acknowledged,
        then the oldest; its first page has their `total` and how many are `unacknowledged`.
        """
        db = ctx.reader()
        if order == "worst":
            if state is not None or active is not True:
                raise Problem(422, "order: `worst` goes with `active=true` and without `state`")
            return encoded(worst(db, limit, after))
        opened, following = cursor(after) or (2**62, "")
        rows = db.execute(
            f"{SELECT} WHERE (a.opened, a.id) < (?1, ?2) AND (?3 IS NULL OR a.state = ?3)"
            " AND (?4 IS NULL OR (a.state <> 'normal') = ?4)"
            " ORDER BY a.opened DESC, a.id DESC LIMIT ?5",
            (opened, following, state, active, limit + 1),
        ).fetchall()
        return encoded(listed(db, rows, limit, "opened"))

    def worst(db: sqlite3.Connection, limit: int, after: str | None) -> dict[str, Any]:
        gravity, following = cursor(after) or (-1, "")
        rows = db.execute(
            f'SELECT a.*, f.zone, f.since, f."end" FROM (SELECT *, {_GRAVITY} AS gravity FROM alert'
            f" WHERE state <> 'normal' AND {_GRAVITY} >= ?1 AND ({_GRAVITY}, id) > (?1, ?2)"
            f" ORDER BY {_GRAVITY}, id LIMIT ?3) a"
            " LEFT JOIN finding f ON f.id = a.finding ORDER BY gravity, a.id",
            (gravity, following, limit + 1),
        ).fetchall()
        answer = listed(db, rows, limit, "gravity")
        return answer if after is not None else answer | dict(db.execute(_COUNTS).fetchone())

    def listed(
        db: sqlite3.Connection, rows: list[sqlite3.Row], limit: int, order: str
    ) -> dict[str, Any]:
        sent = notifications(db, [row["id"] for row in rows], tz)
        return page(
            rows,
            limit,
            key=lambda row: (row[order], row["id"]),
            item=lambda row: told(row, tz, sent.get(row["id"], [])),
        )

    def change(
        alert: str, work: Callable[[sqlite3.Connection, int, sqlite3.Row], None]
    ) -> dict[str, Any]:
        def inside(db: sqlite3.Connection, now: int) -> None:
            try:
                work(db, now, _row(db, alert))
            except Refused as why:
                raise Problem(409, str(why), why=why.why) from None

        written(ctx, inside)
        db = ctx.reader()
        sent = notifications(db, [alert], tz).get(alert, [])
        answer = told(_row(db, alert), tz, sent)
        ctx.live.publish("alert", answer)
        return answer

    @made.get("/alerts/{alert_id}")
    def one(alert_id: str) -> dict[str, Any]:
        """One alert, with what happened to it and what it tells of beside itself."""
        db = ctx.reader()
        row = _row(db, alert_id)
        past = db.execute(
            "SELECT at, what, state, round, who, about FROM alert_history WHERE alert = ?"
            " ORDER BY id DESC LIMIT 200",
            (alert_id,),
        ).fetchall()
        members = db.execute(
            "SELECT id, subject, state FROM alert WHERE leader = ?1 AND id <> ?1"
            " ORDER BY told_from, id LIMIT 1000",
            (alert_id,),
        ).fetchall()
        sent = notifications(db, [alert_id], tz).get(alert_id, [])
        return told(row, tz, sent) | {
            "history": [dict(one) | {"at": shown(one["at"], tz)} for one in past],
            "members": [dict(one) for one in members],
        }

    @made.post("/alerts/{alert_id}/ack")
    def ack(alert_id: str, who: Person) -> dict[str, Any]:
        """Say that it has been seen, with all that it tells of. It never clears what is wrong."""

        def work(db: sqlite3.Connection, now: int, row: sqlite3.Row) -> None:  # noqa: ARG001
            done = life.acknowledge(db, now, alert_id, who.name, settings)
            if done:  # else seen already: the first name stands
                about = {"id": alert_id} | ({"with": done[1:]} if done[1:] else {})
                audit.append(db, now, who.name, "alert.ack", about)

        return change(alert_id, work)

    @made.post("/alerts/{alert_id}/shelve")
    def shelve(alert_id: str, asked: Shelve, who: Person) -> dict[str, Any]:
        """Put it aside for some minutes, with a reason; never a critical one."""

        def work(db: sqlite3.Connection, now: int, row: sqlite3.Row) -> None:  # noqa: ARG001
            deed = life.Deed(who.name, asked.reason)
            life.apply(db, now, alert_id, Shelving(asked.minutes * 60_000), settings, deed)
            about = {"id": alert_id, "minutes": asked.minutes, "reason": asked.reason}
            audit.append(db, now, who.name, "alert.shelve", about)

        return change(alert_id, work)

    @made.post("/alerts/{alert_id}/close")
    def close(alert_id: str, who: Person, asked: Note | None = None) -> dict[str, Any]:
        """Take it off the list. A critical one must be over before; what lasts is told again."""
        reason = asked.reason if asked else ""

        def work(db: sqlite3.Connection, now: int, row: sqlite3.Row) -> None:  # noqa: ARG001
            life.close(db, now, alert_id, who.name, reason, settings)
            audit.append(db, now, who.name, "alert.close", {"id": alert_id, "reason": reason})

        return change(alert_id, work)

    return made


def encoded(answer: dict[str, Any]) -> Response:
    """An answer as it goes out: what may be a thousand rows is not looked through once more."""
    return Response(msgspec.json.encode(answer), media_type="application/json")


def told(row: sqlite3.Row, tz: str, sent: list[dict[str, Any]]) -> dict[str, Any]:
    """An alert as the API shows it."""
    return as_told(row, tz) | {"notifications": sent}


def notifications(
    db: sqlite3.Connection, alerts: list[str], tz: str
) -> dict[str, list[dict[str, Any]]]:
    """What was told of each alert, oldest first; of an address only its scheme."""
    marks = ",".join("?" * len(alerts))
    rows = db.execute(
        "SELECT alert, coalesce(sent_at, made_at), role, channel, state, tries, answer"
        f" FROM notification WHERE alert IN ({marks}) ORDER BY id",
        alerts,
    )
    found: dict[str, list[dict[str, Any]]] = {}
    for alert, at, role, channel, state, tries, answer in rows:
        one = {"at": shown(at, tz), "to": role, "channel": channel or None, "state": state}
        found.setdefault(alert, []).append(one | {"tries": tries, "answer": answer})
    return found


def _row(db: sqlite3.Connection, alert: str) -> sqlite3.Row:
    cursor = db.cursor()
    cursor.row_factory = sqlite3.Row
    row: sqlite3.Row | None = cursor.execute(f"{SELECT} WHERE a.id = ?", (alert,)).fetchone()
    if row is None:
        raise Problem(404, f"no alert {alert}")
    return row
