"""Alerts: acknowledge, shelve, close; who did it and when is part of the alert."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from typing import Annotated, Any, Literal

from fastapi import APIRouter
from pydantic import BaseModel, Field

from gateway import audit
from gateway.api.asked import After, Limit, Person, cursor, page, shown, written
from gateway.api.findings import Reason
from gateway.api.problems import Problem
from gateway.context import Context

MAX_SHELF_MIN = 480
State = Literal["unacknowledged", "acknowledged", "returned", "normal", "shelved", "suppressed"]
_TIMES = ("opened", "acked_at", "shelved_until", "returned_at", "closed_at")
_HIDDEN = ("step_due",)
_SELECT = (
    'SELECT a.*, f.zone, f.since, f."end" FROM alert a LEFT JOIN finding f ON f.id = a.finding'
)


class Shelve(Reason):
    minutes: Annotated[int, Field(ge=1, le=MAX_SHELF_MIN)]


class Note(BaseModel):
    reason: Annotated[str, Field(max_length=500)] = ""


def router(ctx: Context) -> APIRouter:
    made = APIRouter(tags=["alerts"])
    tz = ctx.site.timezone

    @made.get("/alerts")
    def alerts(
        state: State | None = None,
        active: bool | None = None,
        limit: Limit = 100,
        after: After = None,
    ) -> dict[str, Any]:
        """Newest first. `active`: everything but `normal`."""
        opened, following = cursor(after) or (2**62, "")
        db = ctx.reader()
        rows = db.execute(
            f"{_SELECT} WHERE (a.opened, a.id) < (?1, ?2) AND (?3 IS NULL OR a.state = ?3)"
            " AND (?4 IS NULL OR (a.state <> 'normal') = ?4)"
            " ORDER BY a.opened DESC, a.id DESC LIMIT ?5",
            (opened, following, state, active, limit + 1),
        ).fetchall()
        sent = notifications(db, [row["id"] for row in rows], tz)
        return page(
            rows,
            limit,
            key=lambda row: (row["opened"], row["id"]),
            item=lambda row: told(row, tz, sent.get(row["id"], [])),
        )

    def change(
        alert: str, work: Callable[[sqlite3.Connection, int, sqlite3.Row], None]
    ) -> dict[str, Any]:
        def inside(db: sqlite3.Connection, now: int) -> None:
            work(db, now, _row(db, alert))

        written(ctx, inside)
        db = ctx.reader()
        sent = notifications(db, [alert], tz).get(alert, [])
        answer = told(_row(db, alert), tz, sent)
        ctx.live.publish("alert", answer)
        return answer

    @made.post("/alerts/{alert_id}/ack")
    def ack(alert_id: str, who: Person) -> dict[str, Any]:
        """Say that it has been seen. It never clears what is wrong."""

        def work(db: sqlite3.Connection, now: int, row: sqlite3.Row) -> None:
            after = acknowledged(row["state"])
            if after is None:
                return  # seen already: the first name stands
            db.execute(
                "UPDATE alert SET state = ?, acked_at = ?, acked_by = ? WHERE id = ?",
                (after, now, who.name, alert_id),
            )
            audit.append(db, now, who.name, "alert.ack", {"id": alert_id})

        return change(alert_id, work)

    @made.post("/alerts/{alert_id}/shelve")
    def shelve(alert_id: str, asked: Shelve, who: Person) -> dict[str, Any]:
        """Put it aside for some minutes, with a reason; never a critical one."""

        def work(db: sqlite3.Connection, now: int, row: sqlite3.Row) -> None:
            if row["severity"] == "critical":
                raise Problem(409, "a critical alert cannot be shelved")
            if row["state"] == "normal":
                raise Problem(409, "the alert is over")
            db.execute(
                "UPDATE alert SET state = 'shelved', shelved_until = ?, shelve_why = ?"
                " WHERE id = ?",
                (now + asked.minutes * 60_000, asked.reason, alert_id),
            )
            about = {"id": alert_id, "minutes": asked.minutes, "reason": asked.reason}
            audit.append(db, now, who.name, "alert.shelve", about)

        return change(alert_id, work)

    @made.post("/alerts/{alert_id}/close")
    def close(alert_id: str, who: Person, asked: Note | None = None) -> dict[str, Any]:
        """Take it off the list. A critical one must be acknowledged and back to normal before."""

        def work(db: sqlite3.Connection, now: int, row: sqlite3.Row) -> None:
            if row["closed_at"] is not None:
                raise Problem(409, "the alert is closed")
            if row["severity"] == "critical" and row["returned_at"] is None:
                raise Problem(409, "a critical alert cannot be closed while it lasts")
            db.execute(
                "UPDATE alert SET state = 'normal', closed_at = ?, closed_by = ? WHERE id = ?",
                (now, who.name, alert_id),
            )
            about = {"id": alert_id, "reason": asked.reason if asked else ""}
            audit.append(db, now, who.name, "alert.close", about)

        return change(alert_id, work)

    return made


def acknowledged(state: str) -> str | None:
    """The state after an acknowledgement, or None where there is nothing left to acknowledge."""
    return {
        "unacknowledged": "acknowledged",
        "returned": "normal",
        "shelved": "acknowledged",
        "suppressed": "acknowledged",
    }.get(state)


def told(row: sqlite3.Row, tz: str, sent: list[dict[str, Any]]) -> dict[str, Any]:
    """An alert as the API shows it."""
    names = [name for name in row.keys() if name not in _HIDDEN]  # noqa: SIM118 - a Row's values
    made = {name: row[name] for name in names}
    for name in (*_TIMES, "since", "end"):
        made[name] = shown(made[name], tz)
    return made | {"notifications": sent}


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
    row: sqlite3.Row | None = cursor.execute(f"{_SELECT} WHERE a.id = ?", (alert,)).fetchone()
    if row is None:
        raise Problem(404, f"no alert {alert}")
    return row
