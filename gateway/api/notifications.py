"""GET /notifications: every message of every alert, with each try and its answer."""

from __future__ import annotations

from typing import Any, Literal

from fastapi import APIRouter

from gateway.api.asked import After, Limit, cursor, page, shown
from gateway.context import Context

State = Literal["queued", "sent", "failed", "stopped", "unaddressed", "standby", "held"]
_TIMES = ("next_at", "made_at", "sent_at")


def router(ctx: Context) -> APIRouter:
    made = APIRouter(tags=["notifications"])
    tz = ctx.site.timezone

    @made.get("/notifications")
    def notifications(
        alert: str | None = None,
        state: State | None = None,
        limit: Limit = 100,
        after: After = None,
    ) -> dict[str, Any]:
        """Newest first; of an address only its scheme is shown."""
        number, _ = cursor(after) or (2**62, "")
        db = ctx.reader()
        rows = db.execute(
            "SELECT * FROM notification WHERE id < ?1 AND (?2 IS NULL OR alert = ?2)"
            " AND (?3 IS NULL OR state = ?3) ORDER BY id DESC LIMIT ?4",
            (number, alert, state, limit + 1),
        ).fetchall()
        marks = ",".join("?" * len(rows))
        tries: dict[int, list[dict[str, Any]]] = {}
        for one, at, answer in db.execute(
            f"SELECT notification, at, answer FROM attempt WHERE notification IN ({marks})"
            " ORDER BY id",
            [row["id"] for row in rows],
        ):
            tries.setdefault(one, []).append({"at": shown(at, tz), "answer": answer})

        def item(row: Any) -> dict[str, Any]:
            told = dict(row) | {name: shown(row[name], tz) for name in _TIMES}
            return told | {"attempts": tries.get(row["id"], [])}

        return page(rows, limit, key=lambda row: (row["id"], ""), item=item)

    return made
