"""Ratings by counter and department, in whole days."""

from __future__ import annotations

from datetime import date
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Query

from gateway import ratings
from gateway.api.asked import After, Limit, cursor, page
from gateway.api.problems import Problem
from gateway.context import Context

MAX_DAYS = 3700


def router(ctx: Context) -> APIRouter:
    made = APIRouter(tags=["ratings"])

    @made.get("/ratings/summary")
    def summary(
        begin: Annotated[date, Query(alias="from", description="first day")],
        end: Annotated[date, Query(alias="to", description="last day, included")],
        by: Literal["counter", "department"] = "counter",
        limit: Limit = 1000,
        after: After = None,
    ) -> dict[str, Any]:
        """Counted presses of whole local days; `levels` and `mean` are null below five.

        `mean` is in points (10, 8, 6, 0, −5), pooled. `unrated` is null while nothing tells the
        gateway how many visits there were.
        """
        if not date(1971, 1, 1) <= begin <= end or end >= date(9999, 1, 1):
            raise Problem(422, "from, to: days, `from` not after `to`, since 1971")
        if (end - begin).days > MAX_DAYS:
            raise Problem(422, f"from, to: at most {MAX_DAYS} days")
        first = (cursor(after) or (-1, ""))[0] + 1
        items = list(enumerate(ratings.summary(ctx.reader(), ctx.site, begin, end, by)))
        return page(
            items[first : first + limit + 1],
            limit,
            key=lambda pair: (pair[0], ""),
            item=lambda pair: pair[1],
        )

    return made
