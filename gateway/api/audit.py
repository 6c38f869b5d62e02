"""The audit, for those who may read it."""

from __future__ import annotations

import json
from typing import Any

from fastapi import APIRouter

from gateway.api.asked import After, From, Limit, To, cursor, instant, page, shown
from gateway.context import Context


def router(ctx: Context) -> APIRouter:
    made = APIRouter(tags=["audit"])

    @made.get("/audit")
    def audit(
        begin: From = None, to: To = None, limit: Limit = 100, after: After = None
    ) -> dict[str, Any]:
        """Who did what, newest first; each `hash` is SHA-256 over the row and the hash before."""
        tz = ctx.site.timezone
        rows = ctx.reader().execute(
            "SELECT * FROM audit WHERE id < ?1 AND (?2 IS NULL OR at >= ?2)"
            " AND (?3 IS NULL OR at < ?3) ORDER BY id DESC LIMIT ?4",
            (
                (cursor(after) or (2**62, ""))[0],
                instant("from", begin, tz),
                instant("to", to, tz),
                limit + 1,
            ),
        )
        return page(
            rows.fetchall(),
            limit,
            key=lambda row: (row["id"], ""),
            item=lambda row: {
                "id": row["id"],
                "at": shown(row["at"], tz),
                "who": row["who"],
                "what": row["what"],
                "about": json.loads(row["about"]),
                "hash": row["hash"],
            },
        )

    return made
