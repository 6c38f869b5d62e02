"""Ratings by counter, department, hour and staff, in whole days; paper forms, visits, roster.

No call enters, changes or deletes a pad's rating.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, datetime, timedelta
from typing import Annotated, Any, Literal
from zoneinfo import ZoneInfo

from fastapi import APIRouter, Path, Query
from pydantic import BaseModel, Field

from gateway import ratings, tables
from gateway.api.asked import (
    After,
    Dry,
    FileName,
    Limit,
    Person,
    Raw,
    cursor,
    page,
    shown,
    unread,
    whole,
    written,
)
from gateway.api.problems import Problem
from gateway.context import Context
from gateway.people import Who
from gateway.ratings import coverage, duty, entering, queue

MAX_DAYS = 3700
SAMPLE = 5
First = Annotated[date, Query(alias="from", description="first day")]
Last = Annotated[date, Query(alias="to", description="last day, included")]
Steps = Annotated[bool, Query(description="today in steps of five, as live pages show it")]
Name = Annotated[str, Field(min_length=1, max_length=64, pattern=r"\S")]
Why = Annotated[str, Field(min_length=1, max_length=500, pattern=r"\S")]


class Paper(BaseModel):
    """A paper form. `form` is its own number: each is entered once."""

    counter: Name
    day: date
    level: Annotated[int, Field(ge=1, le=5)]
    form: Name
    visit: Annotated[str | None, Field(pattern=r"^[A-Za-z0-9-]{1,32}$")] = None


class Visits(BaseModel):
    counter: Name
    day: date
    n: Annotated[int, Field(ge=0, le=10_000)]


class Shift(BaseModel):
    counter: Name
    person: Name
    first: date
    last: date


class Reason(BaseModel):
    reason: Why


def router(ctx: Context) -> APIRouter:
    made = APIRouter(tags=["ratings"])
    zone = ZoneInfo(ctx.site.timezone)

    def today() -> date:
        return datetime.fromtimestamp(ctx.now() / 1000, zone).date()

    def stepped(who: Who, steps: bool) -> date | None:
        return today() if steps or who.role == "counter" else None

    def known(counter: str) -> str:
        if all(c.id != counter for c in ctx.site.counters):
            raise Problem(422, f"counter: {counter} is not in the site file")
        return counter

    def past(day: date) -> date:
        if not date(1971, 1, 1) <= day <= today():
            raise Problem(422, "day: today or before, since 1971")
        return day

    @made.get("/ratings/summary")
    def summary(
        who: Person,
        begin: First,
        end: Last,
        by: Literal["counter", "department", "hall"] = "counter",
        channel: Literal["pad", "qr", "paper"] | None = None,
        detail: bool = False,
        steps: Steps = False,
        limit: Limit = 1000,
        after: After = None,
    ) -> dict[str, Any]:
        """Counted ratings of whole local days; `levels` and `mean` are null below five.

        `mean` is in points (10, 8, 6, 0, −5), pooled. `unrated` and `visits` are null where no
        visits were registered. With `steps`, and always for a counter's lead, today moves in steps
        of five. The hall has `of`: how many ratings its levels and mean are of. With `detail` also
        `channels`, `visits`, `excluded` and `coverage`: the share of opening hours in which the
        counters' pads could be heard.
        """
        _bounds(begin, end)
        db = ctx.reader()
        rows = ratings.summary(
            *(db, ctx.site, begin, end, by),
            channel=channel,
            today=stepped(who, steps),
        )
        if not detail:
            extra = ("channels", "visits", "excluded")
            return _listed(
                [{k: v for k, v in row.items() if k not in extra} for row in rows], limit, after
            )
        heard = coverage.shares(db, ctx.site, ctx.calendar, begin, end, ctx.now())
        for row in rows:
            mine = [
                heard[c.id]
                for c in ctx.site.counters
                if by == "hall" or row[by] == (c.id if by == "counter" else c.department)
            ]
            shares = [share for share in mine if share is not None]
            row["coverage"] = round(sum(shares) / len(shares), 4) if shares else None
        return _listed(rows, limit, after)

    @made.get("/ratings/hours")
    def hours(
        who: Person,
        begin: First,
        end: Last,
        steps: Steps = False,
        limit: Limit = 1000,
        after: After = None,
    ) -> dict[str, Any]:
        """Counted ratings of whole local days by counter and hour of the day."""
        _bounds(begin, end)
        found = ratings.hours(ctx.reader(), ctx.site, begin, end, today=stepped(who, steps))
        order = {c.id: i for i, c in enumerate(ctx.site.counters)}
        rows = [
            {"counter": counter, "hour": hour, **ratings.shown(tally)}
            for (counter, hour), tally in sorted(
                found.items(), key=lambda item: (order[item[0][0]], item[0][1])
            )
        ]
        return _listed(rows, limit, after)

    @made.get("/ratings/staff")
    def staff(
        begin: First, end: Last, steps: Steps = False, limit: Limit = 1000, after: After = None
    ) -> dict[str, Any]:
        """By the person on duty, by card and roster; `person` is empty where nobody was named."""
        _bounds(begin, end)
        db = ctx.reader()
        on = duty.load(db, ctx.site, begin, end)
        every: Iterable[ratings.Rated] = ratings.rated(db, ctx.site, begin, end)
        found = ratings.sums(
            ratings.in_steps(every, today(), zone) if steps else every,
            lambda one: on.on(one.counter, one.press.time),
        )
        rows = [{"person": name, **ratings.shown(found[name].tally)} for name in sorted(found)]
        return _listed(rows, limit, after)

    @made.post("/ratings/paper", status_code=201)
    def paper(asked: Paper, who: Person) -> dict[str, Any]:
        """Enter a paper form; it is marked so, with the name of who entered it."""
        day, counter = past(asked.day), known(asked.counter)
        number = written(
            ctx,
            lambda db, now: _taken(
                lambda: entering.paper(
                    *(db, now, who.name),
                    counter=counter,
                    day=day,
                    level=asked.level,
                    form=asked.form,
                    visit=asked.visit,
                    zone=zone,
                )
            ),
        )
        return {"id": number, **asked.model_dump(mode="json", exclude={"visit"})}

    @made.get("/ratings/paper")
    def papers(begin: First, end: Last, limit: Limit = 100, after: After = None) -> dict[str, Any]:
        """Paper forms entered for these days, with those struck out."""
        _bounds(begin, end)
        first, last = ratings.days(begin, end, zone)
        rows = ctx.reader().execute(
            "SELECT * FROM opinion WHERE channel = 'paper' AND t >= ? AND t < ? ORDER BY t, id",
            (first, last),
        )
        tz = ctx.site.timezone
        return _listed(
            [
                {
                    "id": row["id"],
                    "counter": row["counter"],
                    "day": datetime.fromtimestamp(row["t"] / 1000, zone).date().isoformat(),
                    "level": row["level"],
                    "form": row["form"],
                    "made_at": shown(row["made_at"], tz),
                    "made_by": row["made_by"],
                    "struck_at": shown(row["struck_at"], tz),
                    "struck_by": row["struck_by"],
                    "struck_why": row["struck_why"],
                }
                for row in rows
            ],
            limit,
            after,
        )

    @made.post("/ratings/paper/{paper_id}/strike", status_code=204)
    def strike(paper_id: str, asked: Reason, who: Person) -> None:
        """Take back a form that was entered wrongly: it stays, with name and reason."""
        written(
            ctx,
            lambda db, now: _taken(
                lambda: entering.strike_paper(db, now, who.name, paper_id, asked.reason)
            ),
        )

    @made.post("/ratings/visits", status_code=201)
    def visits(asked: Visits, who: Person) -> dict[str, Any]:
        """Register how many visits a counter had on a day: `unrated` follows from it."""
        day, counter = past(asked.day), known(asked.counter)
        return written(
            ctx, lambda db, now: entering.visits(db, now, who.name, counter, day, asked.n)
        )

    @made.post("/ratings/visits/import")
    def import_visits(
        raw: Raw, who: Person, file: FileName = "visits.csv", dry: Dry = False
    ) -> dict[str, Any]:
        """The queue machine's served visits by counter and day, its CSV as the body. Nothing else
        of it is kept. With a line that cannot be read nothing is imported: `faults` names each."""
        served, faults = queue.read(tables.decoded(raw, file), ctx.site, today())
        days = sorted(one.day.isoformat() for one in served)
        about = {
            "file": file,
            "counts": len(served),
            "counters": len({one.counter for one in served}),
            "first": days[0] if days else None,
            "last": days[-1] if days else None,
            "sample": [
                {"counter": one.counter, "day": one.day.isoformat(), "n": one.n}
                for one in served[:SAMPLE]
            ],
            **unread(faults),
        }
        if dry:
            return about | {"new": None}
        whole(file, served, faults)
        new = written(ctx, lambda db, now: queue.keep(db, now, who.name, served, file))
        return about | {"new": new}

    @made.get("/roster")
    def shifts(begin: First, end: Last, limit: Limit = 1000, after: After = None) -> dict[str, Any]:
        """Who is on duty where on these days; what stands later in the list wins."""
        _bounds(begin, end)
        rows = ctx.reader().execute(
            "SELECT * FROM roster WHERE first <= ? AND last >= ? ORDER BY id",
            (end.isoformat(), begin.isoformat()),
        )
        keys = ("id", "counter", "person", "first", "last", "made_by", "struck_by", "struck_why")
        return _listed([{name: row[name] for name in keys} for row in rows], limit, after)

    @made.post("/roster", status_code=201)
    def shift(asked: Shift, who: Person) -> dict[str, Any]:
        """Enter who is on duty at a counter on whole days."""
        known(asked.counter)
        if not date(1971, 1, 1) <= asked.first <= asked.last <= today() + timedelta(days=400):
            raise Problem(422, "first, last: days, `first` not after `last`, within 400 days")
        number = written(
            ctx,
            lambda db, now: entering.roster(
                db, now, who.name, asked.counter, asked.person, asked.first, asked.last
            ),
        )
        return {"id": number, **asked.model_dump(mode="json")}

    @made.post("/roster/{shift_id}/strike", status_code=204)
    def strike_shift(
        shift_id: Annotated[int, Path(ge=1, le=2**53)], asked: Reason, who: Person
    ) -> None:
        """Take a roster entry back: it stays, with name and reason."""
        written(
            ctx,
            lambda db, now: _taken(
                lambda: entering.strike_roster(db, now, who.name, shift_id, asked.reason)
            ),
        )

    return made


def _bounds(begin: date, end: date) -> None:
    if not date(1971, 1, 1) <= begin <= end or end >= date(9999, 1, 1):
        raise Problem(422, "from, to: days, `from` not after `to`, since 1971")
    if (end - begin).days > MAX_DAYS:
        raise Problem(422, f"from, to: at most {MAX_DAYS} days")


def _listed(rows: list[dict[str, Any]], limit: int, after: str | None) -> dict[str, Any]:
    first = (cursor(after) or (-1, ""))[0] + 1
    items = list(enumerate(rows))
    return page(
        items[max(first, 0) : max(first, 0) + limit + 1],
        limit,
        key=lambda pair: (pair[0], ""),
        item=lambda pair: pair[1],
    )


def _taken(work: Any) -> Any:
    try:
        return work()
    except entering.Refused as fault:
        raise Problem(fault.status, fault.why) from None
