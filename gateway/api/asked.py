"""What calls share: who asks, instants in queries, pages of a list, waiting for the writer."""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Callable, Sequence
from concurrent.futures import TimeoutError as Late
from typing import Annotated, Any, TypeVar

from fastapi import Body, Depends, Query, Request

from gateway import schedules
from gateway.api.problems import Problem
from gateway.clock import iso, parse_instant
from gateway.context import Context
from gateway.errors import InputFault
from gateway.people import Who
from gateway.tables import Fault

T = TypeVar("T")
WRITE_SECONDS = 10
DAY_MS = 86_400_000
MOST_FAULTS = 50
_LOST_PLUS = re.compile(r"(T[0-9:.]+) (\d\d:?\d\d)$")


def current(request: Request) -> Who:
    """The signed-in person; the gate has put them there."""
    who = getattr(request.state, "who", None)
    if not isinstance(who, Who):
        raise Problem(401, "sign in first: POST /api/v1/login")
    return who


Person = Annotated[Who, Depends(current)]
Limit = Annotated[int, Query(ge=1, le=1000, description="how many at most")]
After = Annotated[str | None, Query(max_length=200, description="`next` of the page before")]
Raw = Annotated[bytes, Body(media_type="text/csv")]
FileName = Annotated[str, Query(min_length=1, max_length=200, pattern=r"^[^\x00-\x1f/]+$")]
Dry = Annotated[bool, Query(description="only say what an import would do")]
From = Annotated[str | None, Query(alias="from", max_length=40, description="ISO 8601")]
To = Annotated[str | None, Query(max_length=40, description="ISO 8601")]


def instant(name: str, text: str | None, tz: str) -> int | None:
    """Unix ms of a query's instant; a `+` that the address lost to a space is put back."""
    if text is None:
        return None
    try:
        return parse_instant(_LOST_PLUS.sub(r"\1+\2", text), tz)
    except InputFault as fault:
        raise Problem(422, f"{name}: {fault}") from None


def span(ctx: Context, begin: str | None, to: str | None) -> tuple[int, int]:
    """[from, to) of a query: up to now and from that day's midnight where not given."""
    tz = ctx.site.timezone
    now = ctx.now()
    last = instant("to", to, tz)
    first = instant("from", begin, tz)
    last = now if last is None else last
    if first is None:
        first = schedules.at(schedules.local_day(last - 1, tz), 0, tz)
    if not first < last <= first + 400 * DAY_MS:
        raise Problem(422, "from, to: `from` before `to`, at most 400 days apart")
    return first, last


def shown(ms: int | None, tz: str) -> str | None:
    """An instant as the API shows it, or None."""
    return None if ms is None else iso(ms, tz)


def cursor(text: str | None) -> tuple[int, str] | None:
    """(number, id) of an `after`, or None for the first page."""
    if text is None:
        return None
    number, _, rest = text.partition("~")
    if not re.fullmatch(r"-?\d{1,18}", number):
        raise Problem(422, "after: not a cursor that this list gave")
    return int(number), rest


def page(
    rows: Sequence[T], limit: int, key: Callable[[T], tuple[int, str]], item: Callable[[T], Any]
) -> dict[str, Any]:
    """A list's answer of up to limit + 1 rows: the row too many only tells that there is more."""
    more = len(rows) > limit
    kept = rows[:limit]
    last = "{}~{}".format(*key(kept[-1])) if more and kept else None
    return {"items": [item(row) for row in kept], "next": last}


def unread(faults: Sequence[Fault]) -> dict[str, Any]:
    """What a look at a file says of the lines that cannot be read."""
    told = [{"line": f.line, "why": f.why, "said": f.said} for f in faults[:MOST_FAULTS]]
    return {"faults": told, "faulty": len(faults)}


def whole(file: str, found: Sequence[Any], faults: Sequence[Fault]) -> None:
    """Raises Problem 422 `faulty` where a file has a line that cannot be read, or none."""
    if faults or not found:
        detail = f"{file}:{faults[0].line}: {faults[0]}" if faults else f"{file}: has no lines"
        raise Problem(422, detail, why="faulty")


def written(ctx: Context, work: Callable[[sqlite3.Connection, int], T]) -> T:
    """Run `work` in the writer's transaction and wait for its commit; for worker threads only."""
    try:
        return ctx.submit(work).result(timeout=WRITE_SECONDS)
    except Late:
        raise Problem(503, "the store is busy", {"Retry-After": "5"}) from None
