"""Duties and registers: what falls due, its records, and the plain ledger of each book."""

from __future__ import annotations

import json
import secrets
import sqlite3
from datetime import date, timedelta
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Query
from pydantic import BaseModel, Field

from gateway import audit, duties, overdue, registers
from gateway.api.access import ACCESS
from gateway.api.asked import After, Limit, Person, cursor, instant, page, shown, written
from gateway.api.permits import Text, bump
from gateway.api.problems import Problem
from gateway.cases import book as cases
from gateway.clock import iso
from gateway.context import Context
from gateway.duties import Duty, Item
from gateway.errors import InputFault
from gateway.registers import Entry

MAX_DAYS = 400
APPROVERS = ACCESS["POST", "/permits"]  # the entry gives a permit
BookName = Literal["extinguisher", "hot-work", "courier", "notice", "assisted"]
Day = Annotated[date, Field(ge=date(1971, 1, 1), le=date(9990, 1, 1))]
Value = Annotated[str, Field(max_length=500)] | bool | float | None
Fields = Annotated[dict[str, Value], Field(max_length=20)]


class Record(BaseModel):
    """`evidence`: what the duty's row asks for."""

    evidence: Fields = Field(default_factory=dict)
    note: Text | None = None


class Move(BaseModel):
    to: Day
    note: Text


class Struck(BaseModel):
    note: Text


def router(ctx: Context) -> APIRouter:
    made = APIRouter(tags=["registers"])
    desk = cases.desk(ctx.site, ctx.calendar)

    @made.get("/duties")
    def due(
        begin: Annotated[Day | None, Query(alias="from", description="first day")] = None,
        to: Annotated[Day | None, Query(description="last day, included")] = None,
        limit: Limit = 1000,
        after: After = None,
    ) -> dict[str, Any]:
        """What falls due on each day, today's month by default, in order."""
        today = desk.place.day(ctx.now())
        first = begin or today.replace(day=1)
        last = to or first + timedelta(days=31)
        if not first <= last <= first + timedelta(days=MAX_DAYS):
            raise Problem(422, f"from, to: `from` not after `to`, at most {MAX_DAYS} days apart")
        moves = overdue.moved(ctx.reader())
        found = [
            (duty, item)
            for duty in duties.of(ctx.site.duties).values()
            for item in duties.items(duty, first, last, ctx.calendar, moves)
        ]
        found.sort(key=lambda pair: (overdue.due_at(pair[0], pair[1], desk.place), pair[0].id))
        start = (cursor(after) or (-1, ""))[0] + 1
        return page(
            list(enumerate(found))[start : start + limit + 1],
            limit,
            key=lambda pair: (pair[0], ""),
            item=lambda pair: told(ctx, *pair[1]),
        )

    @made.get("/duties/table")
    def table() -> dict[str, Any]:
        """Every recurring duty: how it comes, what a record of it says, when it was done last and
        when it falls due next."""
        return {
            "items": [_row(ctx, duty) for duty in duties.of(ctx.site.duties).values()],
            "next": None,
        }

    @made.post("/duties/{item_id}/done", status_code=201)
    def done(item_id: str, asked: Record, who: Person) -> dict[str, Any]:
        """Record that a duty was done, with its evidence."""
        duty = _duty(ctx, item_id)
        missing = [name for name in duty.evidence if asked.evidence.get(name) in (None, "")]
        if missing:
            raise Problem(422, f"evidence: {', '.join(missing)} required")
        if duty.second and str(asked.evidence[duty.second]).strip() == who.name:
            detail = f"evidence: {duty.second} is somebody else than who records it"
            raise Problem(422, detail, why="second")
        data = {"evidence": asked.evidence} | ({"note": asked.note} if asked.note else {})

        def work(db: sqlite3.Connection, now: int) -> None:
            if overdue.recorded(db, item_id):
                detail = "it is recorded already: strike that entry out first"
                raise Problem(409, detail, why="recorded")
            registers.add(db, now, who.name, "duty", item_id, data)
            overdue.judge(db, now, desk)

        written(ctx, work)
        changed(ctx, "duty")
        return _told(ctx, duty, item_id)

    @made.post("/duties/{item_id}/move", status_code=201)
    def move(item_id: str, asked: Move, who: Person) -> dict[str, Any]:
        """Move one item to another day, by name and with a reason."""
        duty = _duty(ctx, item_id)

        def work(db: sqlite3.Connection, now: int) -> None:
            data = {"to": asked.to.isoformat(), "note": asked.note}
            registers.add(db, now, who.name, "duty-move", item_id, data)
            overdue.judge(db, now, desk)

        written(ctx, work)
        changed(ctx, "duty")
        return _told(ctx, duty, item_id)

    @made.get("/registers/{book}")
    def entries(
        book: BookName,
        standing: Annotated[
            bool, Query(description="only the latest entry of each item, by item")
        ] = False,
        limit: Limit = 100,
        after: After = None,
    ) -> dict[str, Any]:
        """The entries of a book, latest first; what was struck out stays and says so."""
        if standing:
            found = sorted(registers.standing(ctx.reader(), book).values(), key=lambda e: e.item)
            start = (cursor(after) or (-1, ""))[0] + 1
            return page(
                list(enumerate(found))[start : start + limit + 1],
                limit,
                key=lambda pair: (pair[0], ""),
                item=lambda pair: shown_entry(ctx, pair[1]),
            )
        before = cursor(after) or (2**62, "")
        found = registers.page_of(ctx.reader(), book, before, limit + 1)
        return page(
            found,
            limit,
            key=lambda entry: (entry.at, entry.id),
            item=lambda entry: shown_entry(ctx, entry),
        )

    @made.post("/registers/{book}", status_code=201)
    def write(book: BookName, asked: Fields, who: Person) -> dict[str, Any]:
        """Write an entry. In `hot-work` it also gives the permit, once every tick is there."""
        if book == "hot-work" and who.role not in APPROVERS:
            raise Problem(403, f"hot work is not approved by the role {who.role}")
        data = registers.checked(book, asked)
        form = registers.BOOKS[book]
        item = str(data[form.item]) if form.item else ""
        permit = _hot_work(ctx, data) if book == "hot-work" else None

        def work(db: sqlite3.Connection, now: int) -> str:
            name = item
            if permit is not None:
                name = give(db, now, who.name, permit)
            number = registers.add(db, now, who.name, book, name, data)
            overdue.judge(db, now, desk)
            return number

        number = written(ctx, work)
        changed(ctx, book)
        return _entry(ctx, number)

    @made.post("/registers/entries/{entry_id}/strike")
    def strike(entry_id: str, asked: Struck, who: Person) -> dict[str, Any]:
        """Strike an entry out, by name and with a reason; it stays."""

        def work(db: sqlite3.Connection, now: int) -> str:
            entry = registers.find(db, entry_id)
            if entry is None:
                raise Problem(404, f"no entry {entry_id}")
            if entry.struck is not None:
                raise Problem(409, f"struck out already by {entry.struck[1]}", why="struck")
            registers.strike(db, now, who.name, entry_id, asked.note)
            if entry.book == "hot-work":
                withdraw(db, now, who.name, entry.item)
            overdue.judge(db, now, desk)
            return entry.book

        changed(ctx, written(ctx, work))
        return _entry(ctx, entry_id)

    return made


def told(ctx: Context, duty: Duty, item: Item) -> dict[str, Any]:
    """An item of a duty as the API shows it."""
    db, now, tz = ctx.reader(), ctx.now(), ctx.site.timezone
    desk = cases.desk(ctx.site, ctx.calendar)
    at = overdue.due_at(duty, item, desk.place)
    record = registers.standing(db, "duty", item.key).get(item.key)
    if record is not None:
        state = "done" if record.at <= at else "late"
    elif now > at:
        begun = overdue.begun(db)
        state = "missed" if begun is None or at > begun else "before"
    else:
        state = "due" if desk.place.day(now) == item.day else "coming"
    return {
        "id": item.key,
        "duty": duty.id,
        "name": {"zh": duty.zh, "en": duty.en},
        "cites": list(duty.cites),
        "day": item.day.isoformat(),
        "at": shown(at, tz),
        "provisional": item.provisional,
        "evidence": list(duty.evidence),
        "second": duty.second,
        "falls": item.key.partition("~")[2],
        "state": state,
        "record": shown_entry(ctx, record) if record else None,
    }


def changed(ctx: Context, book: str) -> None:
    """Tell every open page that a register, the duties or the appointments have changed."""
    ctx.live.publish("register", {"book": book})


def _row(ctx: Context, duty: Duty) -> dict[str, Any]:
    """A row of the table of duties, with its last record and its next item."""
    db, now = ctx.reader(), ctx.now()
    place = cases.desk(ctx.site, ctx.calendar).place
    moves, today = overdue.moved(db), place.day(now)
    coming = None
    for days in (14, 62, MAX_DAYS):
        found = duties.items(duty, today, today + timedelta(days=days), ctx.calendar, moves)
        ahead = [item for item in found if overdue.due_at(duty, item, place) > now]
        coming = next((item for item in ahead if not overdue.recorded(db, item.key)), None)
        if coming is not None:
            break
    last = registers.latest(db, "duty", f"{duty.id}~")
    keys = ("mondays", "months", "day", "dates", "workday")
    return {
        "id": duty.id,
        "name": {"zh": duty.zh, "en": duty.en},
        "cites": list(duty.cites),
        "every": duty.every,
        **{key: duty.settings[key] for key in keys if key in duty.settings},
        "at": None if duty.at is None else f"{duty.at // 60:02}:{duty.at % 60:02}",
        "evidence": list(duty.evidence),
        "second": duty.second,
        "next": coming and {"id": coming.key, "day": coming.day.isoformat()},
        "last": shown_entry(ctx, last) if last else None,
    }


def shown_entry(ctx: Context, entry: Entry) -> dict[str, Any]:
    """A line of a book as the API shows it."""
    tz = ctx.site.timezone
    struck = entry.struck
    return {
        "id": entry.id,
        "book": entry.book,
        "item": entry.item,
        "at": shown(entry.at, tz),
        "who": entry.who,
        "data": dict(entry.data),
        "struck": (
            {"at": shown(struck[0], tz), "who": struck[1], "why": struck[2]} if struck else None
        ),
    }


def withdraw(db: sqlite3.Connection, now: int, who: str, permit: str) -> None:
    """Withdraw a permit that an entry or an appointment gave, in the caller's transaction."""
    done = db.execute(
        "UPDATE permit SET withdrawn_at = ?, withdrawn_by = ?"
        " WHERE id = ? AND withdrawn_at IS NULL",
        (now, who, permit),
    )
    if done.rowcount == 1:
        bump(db)
        audit.append(db, now, who, "permit.withdraw", {"id": permit})


Permit = tuple[str, str, int, int, str, str]
"""(kind, zone, from, to, reason, requested by)"""


def give(db: sqlite3.Connection, now: int, who: str, permit: Permit) -> str:
    """Give a permit in the caller's transaction; its id."""
    kind, zone, begin, end, reason, asker = permit
    number = "p-" + secrets.token_hex(6)
    db.execute(
        'INSERT INTO permit (id, kind, zones, "from", "to", reason, requested_by, approved_by,'
        " made_at) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
        (number, kind, json.dumps([zone]), begin, end, reason, asker, who, now),
    )
    bump(db)
    about = {"id": number, "kind": kind, "zones": [zone], "from": iso(begin), "to": iso(end)}
    audit.append(db, now, who, "permit.give", about | {"reason": reason})
    return number


def _hot_work(ctx: Context, data: dict[str, Any]) -> Permit:
    """The permit that an entry of the book gives. Problem where its zone or span is wrong."""
    tz = ctx.site.timezone
    if data["zone"] not in {zone.id for zone in ctx.site.zones}:
        raise Problem(422, f"zone: {data['zone']} is not in the site file")
    begin, end = instant("from", data["from"], tz), instant("to", data["to"], tz)
    assert begin is not None
    assert end is not None
    if begin >= end:
        raise Problem(422, "to: must be after from")
    return "hot-work", data["zone"], begin, end, data["work"], data["applicant"]


def _duty(ctx: Context, item_id: str) -> Duty:
    duty = duties.of(ctx.site.duties).get(item_id.partition("~")[0])
    if duty is None or not duties.exists(duty, item_id, ctx.calendar):
        raise Problem(404, f"no duty falls due as {item_id}")
    return duty


def _told(ctx: Context, duty: Duty, item_id: str) -> dict[str, Any]:
    day = overdue.moved(ctx.reader()).get(item_id)
    day = day or date.fromisoformat(item_id.partition("~")[2])
    return told(ctx, duty, Item(duty.id, item_id, day, ctx.calendar.is_provisional(day)))


def _entry(ctx: Context, number: str) -> dict[str, Any]:
    entry = registers.find(ctx.reader(), number)
    if entry is None:
        raise InputFault(f"no entry {number}")
    return shown_entry(ctx, entry)
