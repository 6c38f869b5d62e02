"""Findings as replay prints them, with their id, state and what stood before."""

from __future__ import annotations

import json
import sqlite3
from typing import Annotated, Any

from fastapi import APIRouter, Query
from pydantic import BaseModel, Field

from gateway import audit
from gateway.api.asked import After, From, Limit, Person, To, cursor, instant, page, shown, written
from gateway.api.problems import Problem
from gateway.context import Context

Name = Annotated[str | None, Query(max_length=64)]


class Reason(BaseModel):
    reason: Annotated[str, Field(min_length=1, max_length=500, pattern=r"\S")]


def router(ctx: Context) -> APIRouter:
    made = APIRouter(tags=["findings"])
    tz = ctx.site.timezone

    @made.get("/findings")
    def findings(
        active: bool | None = None,
        begin: From = None,
        to: To = None,
        rule: Name = None,
        zone: Name = None,
        withdrawn: bool = False,
        limit: Limit = 100,
        after: After = None,
    ) -> dict[str, Any]:
        """Newest first. `active`: still open; `from`, `to`: those that touch [from, to).

        Findings that later evidence took back are shown only with `withdrawn`.
        """
        start, following = cursor(after) or (2**62, "")
        rows = ctx.reader().execute(
            "SELECT * FROM finding WHERE (start, id) < (:start, :id)"
            " AND (:active IS NULL OR (state = 'open') = :active)"
            ' AND (:begin IS NULL OR "end" IS NULL OR "end" > :begin OR start >= :begin)'
            " AND (:to IS NULL OR start < :to)"
            " AND (:rule IS NULL OR rule = :rule) AND (:zone IS NULL OR zone = :zone)"
            " AND (:withdrawn OR state <> 'withdrawn')"
            " ORDER BY start DESC, id DESC LIMIT :limit",
            {
                "start": start,
                "id": following,
                "active": active,
                "begin": instant("from", begin, tz),
                "to": instant("to", to, tz),
                "rule": rule,
                "zone": zone,
                "withdrawn": withdrawn,
                "limit": limit + 1,
            },
        )
        return page(
            rows.fetchall(),
            limit,
            key=lambda row: (row["start"], row["id"]),
            item=lambda row: told(row, tz),
        )

    @made.get("/findings/{finding_id}")
    def finding(finding_id: str) -> dict[str, Any]:
        """One finding, and what stood before each amendment."""
        db = ctx.reader()
        row = _row(db, finding_id)
        history = db.execute(
            "SELECT at, was FROM finding_history WHERE finding = ? ORDER BY id", (finding_id,)
        )
        before = [{"at": shown(at, tz), "was": json.loads(was)} for at, was in history]
        return told(row, tz) | {"history": before}

    @made.post("/findings/{finding_id}/close")
    def close(finding_id: str, asked: Reason, who: Person) -> dict[str, Any]:
        """End an open finding by hand, for a sensor that is gone."""

        def work(db: sqlite3.Connection, now: int) -> None:
            row = db.execute("SELECT state FROM finding WHERE id = ?", (finding_id,)).fetchone()
            if row is None:
                raise Problem(404, f"no finding {finding_id}")
            if row[0] != "open":
                raise Problem(409, f"the finding is {row[0]}")
            closed_by_hand(db, now, finding_id, who.name, asked.reason)

        written(ctx, work)
        answer = told(_row(ctx.reader(), finding_id), tz)
        ctx.live.publish("finding", answer)
        return answer

    return made


def closed_by_hand(db: sqlite3.Connection, now: int, finding: str, who: str, reason: str) -> None:
    """Close an open finding in the caller's transaction; what stood before is kept."""
    db.execute(
        "INSERT INTO finding_history (finding, at, was)"
        " SELECT id, ?, json_object('state', state, 'end', \"end\") FROM finding WHERE id = ?",
        (now, finding),
    )
    db.execute(
        'UPDATE finding SET state = \'closed\', "end" = coalesce("end", ?1), changed = ?1,'
        " closed_at = ?1, closed_by = ?2, closed_why = ?3 WHERE id = ?4",
        (now, who, reason, finding),
    )
    audit.append(db, now, who, "finding.close", {"id": finding, "reason": reason})


def told(row: sqlite3.Row, tz: str) -> dict[str, Any]:
    """A finding as the API shows it."""
    return {
        "id": row["id"],
        "state": row["state"],
        "rule": row["rule"],
        "subject": row["subject"],
        "zone": row["zone"],
        "since": shown(row["since"], tz),
        "start": shown(row["start"], tz),
        "end": shown(row["end"], tz),
        "severity": row["severity"],
        "cites": json.loads(row["cites"]),
        "evidence": json.loads(row["evidence"]),
        "changed": shown(row["changed"], tz),
        "closed_by": row["closed_by"],
        "closed_why": row["closed_why"],
        "closed_at": shown(row["closed_at"], tz),
    }


def _row(db: sqlite3.Connection, finding: str) -> sqlite3.Row:
    row: sqlite3.Row | None = db.execute(
        "SELECT * FROM finding WHERE id = ?", (finding,)
    ).fetchone()
    if row is None:
        raise Problem(404, f"no finding {finding}")
    return row
