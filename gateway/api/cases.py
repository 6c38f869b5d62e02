"""Cases over HTTP, by role; nothing is deleted, only struck out with a reason."""

from __future__ import annotations

import json
import sqlite3
from datetime import date, timedelta
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Query
from pydantic import BaseModel, Field

from gateway.api.asked import After, Limit, Person, cursor, instant, page, shown, written
from gateway.api.permits import Short, Text, When
from gateway.api.problems import Problem
from gateway.cases import book, clock, contacts, engine
from gateway.cases.clock import Due, Place, Unit
from gateway.cases.model import KINDS, Case, Event
from gateway.context import Context
from gateway.people import Who

KindName = Literal["bad-rating", "complaint", "hazard", "promise", "start-up"]
StateName = Literal[
    "open", "issued", "paused", "reported", "rectified", "rechecked", "closed", "struck"
]
Days = Annotated[int, Field(ge=1, le=engine.MAX_DAYS)]
Day = Annotated[date, Field(ge=date(1971, 1, 1), le=date(9990, 1, 1))]
NEVER_MS = 10**15  # after every deadline
YEARS_MS = 5 * 366 * 86400_000  # a case is received at most so long ago


class NewContact(BaseModel):
    """`until` is the last day on which it is kept: 90 days from today unless given."""

    text: Text
    purpose: Text
    until: Day | None = None


class NewCase(BaseModel):
    """`received` is now unless given. A hazard needs `due`, a promise `days`."""

    kind: KindName
    title: Text
    received: When | None = None
    counter: Short | None = None
    holder: Short | None = None
    days: Days | None = None
    unit: Unit | None = None
    due: Day | None = None
    note: Text | None = None
    contact: NewContact | None = None


class Deed(BaseModel):
    """What an action tells; which of these it needs, its refusal says."""

    note: Text | None = None
    to: Short | None = None
    days: Days | None = None
    due: Day | None = None
    form: Short | None = None
    leader: Short | None = None
    outcome: Text | None = None
    passed: bool | None = None
    upheld: bool | None = None
    rating_asked: bool | None = None
    seen: Annotated[int | None, Field(ge=0, description="`last` of the case as it was read")] = None


def router(ctx: Context) -> APIRouter:
    made = APIRouter(tags=["cases"])
    tz, desk = ctx.site.timezone, book.desk(ctx.site, ctx.calendar)
    where = desk.place

    @made.get("/cases")
    def cases(
        who: Person,
        kind: KindName | None = None,
        state: StateName | None = None,
        active: bool | None = None,
        overdue: Annotated[bool, Query(description="only those past their deadline")] = False,
        struck: bool = False,
        sort: Literal["received", "due"] = "received",
        limit: Limit = 100,
        after: After = None,
    ) -> dict[str, Any]:
        """Latest first; `active`: those in which somebody still has something to do. By `due`:
        the one due first, or longest overdue, stands first; those without a deadline last."""
        start, following = cursor(after) or (2**62, "")
        place = "f.received" if sort == "received" else f"-coalesce(n.due_at, {NEVER_MS})"
        rows = ctx.reader().execute(
            f"SELECT f.id, {place} AS place FROM case_file f JOIN case_now n USING (id)"
            f" WHERE ({place}, f.id) < (:start, :following)"
            " AND (:kind IS NULL OR f.kind = :kind) AND (:state IS NULL OR n.state = :state)"
            " AND (:active IS NULL OR (n.state NOT IN ('closed', 'struck')) = :active)"
            " AND (NOT :overdue OR n.due_at <= :now)"
            " AND (:struck OR :state = 'struck' OR n.state <> 'struck')"
            " AND (NOT :own OR f.counter = :counter)"
            " ORDER BY place DESC, f.id DESC LIMIT :limit",
            {
                **{"start": start, "following": following, "kind": kind, "state": state},
                **{"active": active, "overdue": overdue, "now": ctx.now(), "struck": struck},
                **{"own": who.role == "counter", "counter": who.counter, "limit": limit + 1},
            },
        )
        return page(
            rows.fetchall(),
            limit,
            key=lambda row: (row["place"], row["id"]),
            item=lambda row: told(ctx, row["id"], who),
        )

    @made.get("/cases/{case_id}")
    def one(case_id: str, who: Person) -> dict[str, Any]:
        """A case with all that was done to it."""
        _mine(ctx.reader(), case_id, who)
        return told(ctx, case_id, who, whole=True)

    @made.post("/cases", status_code=201)
    def open_case(asked: NewCase, who: Person) -> dict[str, Any]:
        """Register a case."""
        kind = KINDS[asked.kind]
        if who.role not in kind.opened_by:
            raise Problem(403, f"a {kind.id} case is not registered by the role {who.role}")
        if kind.dated and asked.due is None:
            raise Problem(422, "due: a deadline is required, there is no default")
        if kind.days is None and not kind.dated and asked.days is None:
            raise Problem(422, "days: how many were promised")
        counter = who.counter if who.role == "counter" else asked.counter
        if counter is not None and counter not in {c.id for c in ctx.site.counters}:
            raise Problem(422, f"counter: {counter} is not in the site file")
        received = instant("received", asked.received, tz)
        data = {
            "title": asked.title,
            "counter": counter,
            "holder": asked.holder,
            "note": asked.note,
            "due": asked.due.isoformat() if asked.due and kind.dated else None,
            "days": asked.days if kind.days is None and not kind.dated else None,
            "unit": str(asked.unit) if asked.unit and asked.kind == "promise" else None,
        }
        secret = contacts.key(ctx.data) if asked.contact else b""

        def work(db: sqlite3.Connection, now: int) -> Case:
            at = now if received is None else received
            if not now - YEARS_MS < at <= now:
                raise Problem(422, "received: within the last five years, and not in the future")
            if asked.due is not None and kind.dated and asked.due < where.day(at):
                raise Problem(422, "due: lies before the case was received")
            case = book.open_case(db, desk, kind.id, at, who.name, data, now=now)
            if asked.contact:
                _keep_contact(ctx, db, now, who, case.id, asked.contact, secret)
            return case

        return _answer(ctx, written(ctx, work), who)

    @made.get("/cases/{case_id}/contact")
    def contact(
        case_id: str,
        who: Person,
        reason: Annotated[str, Query(min_length=1, max_length=200, pattern=r"\S")],
    ) -> dict[str, Any]:
        """How to reach the citizen. Every look-up is in the audit, with its reason."""
        secret = contacts.key(ctx.data)

        def work(db: sqlite3.Connection, now: int) -> str | None:
            _mine(db, case_id, who)
            return contacts.look_up(db, now, who.name, case_id, reason, secret)

        found = written(ctx, work)
        if found is None:
            raise Problem(404, "the case has no contact, or its last day is over")
        return {"case": case_id, "text": found}

    @made.post("/cases/{case_id}/contact", status_code=201)
    def keep_contact(case_id: str, asked: NewContact, who: Person) -> dict[str, Any]:
        """Keep how to reach a citizen who asked for a call-back, sealed."""
        secret = contacts.key(ctx.data)

        def work(db: sqlite3.Connection, now: int) -> None:
            _mine(db, case_id, who)
            _keep_contact(ctx, db, now, who, case_id, asked, secret)

        written(ctx, work)
        return told(ctx, case_id, who, whole=True)

    @made.post("/cases/{case_id}/{action}")
    def act(case_id: str, action: str, who: Person, asked: Deed | None = None) -> dict[str, Any]:
        """Do something to a case: see its `actions` for what is possible now."""
        seen = asked.seen if asked else None
        data = (asked or Deed()).model_dump(mode="json", exclude_none=True, exclude={"seen"})

        def work(db: sqlite3.Connection, now: int) -> Case:
            _mine(db, case_id, who)
            case = book.find(db, case_id, desk)
            assert case is not None
            if seen is not None and seen != case.last:
                raise Problem(409, "the case has changed since it was read", why="changed")
            known = case.kind.actions.get(action)
            if known is not None and who.role not in known.roles:
                raise Problem(403, f"{action} is not for the role {who.role}")
            refused = engine.allowed(case, action, who.name, data, now, where)
            if refused is not None:
                raise Problem(404 if known is None else 409, refused, why="not-now")
            missing = [name for name in engine.needs(case.kind, action) if name not in data]
            if missing:
                raise Problem(422, f"{action} needs {', '.join(missing)}")
            if action == "strike":
                contacts.erase(db, now, who.name, case.id, "struck out")
            return book.act(db, case, action, who.name, data, now, desk)

        return _answer(ctx, written(ctx, work), who)

    return made


def told(ctx: Context, number: str, who: Who, *, whole: bool = False) -> dict[str, Any]:
    """A case as the API shows it to this person; `whole`: with its events.

    Nobody is told to the minute when one citizen pressed (好差评 第七条); at a counter not even
    when the case was worked on.
    """
    db, now = ctx.reader(), ctx.now()
    where = book.desk(ctx.site, ctx.calendar).place
    events = book.events(db, number)
    kind = db.execute("SELECT kind FROM case_file WHERE id = ?", (number,)).fetchone()[0]
    case = engine.fold(number, KINDS[kind], events, where)
    times = engine.times(case, where)
    phase = engine.phase(case, now, where)
    tz = ctx.site.timezone
    rating = kind == "bad-rating"

    def when(ms: int | None) -> str | None:
        coarse = rating and (who.role == "counter" or ms == case.received)
        return where.day(ms).isoformat() if coarse and ms is not None else shown(ms, tz)

    first = events[0].data
    answer: dict[str, Any] = {
        "id": case.id,
        "kind": kind,
        "title": case.title,
        "state": str(case.state),
        "counter": case.counter,
        "holder": case.holder,
        "received": when(case.received),
        "opened_by": case.opened_by,
        "cites": list(case.kind.cites),
        "days": case.clock.total if case.clock else None,
        "unit": str(case.unit),
        "due": _due(times.due, shown(times.due_at, tz)),
        "left": _left(case, times.due, now, where),
        "last": case.last,
        "phase": phase.name,
        "late": engine.late(case, now, where),
        "reopened": case.reopened,
        "legs": [
            {
                "holder": leg.holder,
                "due": leg.due.day.isoformat(),
                "provisional": leg.due.provisional,
                "ended": when(leg.ended),
                "late": leg.late,
            }
            for leg in case.legs
        ],
        "appeal": _appeal(case, when),
        "contact": _contact(db, number, tz),
        "actions": engine.possible(case, who.name, who.role, now, where),
    }
    if kind == "bad-rating":
        answer["rating"] = {"level": first.get("level"), "day": first.get("day")}
    if whole:
        answer["events"] = [_event(event, when) for event in events]
    return answer


def _answer(ctx: Context, case: Case, who: Who) -> dict[str, Any]:
    ctx.live.publish(
        "case",
        {
            **{"id": case.id, "kind": case.kind.id},
            **{"counter": case.counter, "state": str(case.state)},
        },
    )
    return told(ctx, case.id, who, whole=True)


def _keep_contact(
    ctx: Context,
    db: sqlite3.Connection,
    now: int,
    who: Who,
    case: str,
    asked: NewContact,
    secret: bytes,
) -> None:
    today = book.desk(ctx.site, ctx.calendar).place.day(now)
    until = asked.until or today + timedelta(days=contacts.KEEP_DAYS)
    if not today <= until <= today + timedelta(days=contacts.MOST_DAYS):
        raise Problem(422, f"until: from today, at most {contacts.MOST_DAYS} days")
    contacts.put(db, now, who.name, case, asked.text, asked.purpose, until, secret)


def _mine(db: sqlite3.Connection, number: str, who: Who) -> None:
    """404 for a case that is not there, or that this counter's lead has no business with."""
    row = db.execute("SELECT counter FROM case_file WHERE id = ?", (number,)).fetchone()
    if row is None or (who.role == "counter" and (row[0] is None or row[0] != who.counter)):
        raise Problem(404, f"no case {number}")


def _left(case: Case, due: Due | None, now: int, where: Place) -> int | None:
    return None if due is None else clock.left(where.day(now), due.day, case.unit, where)


def _due(due: Due | None, at: str | None) -> dict[str, Any] | None:
    if due is None:
        return None
    return {"day": due.day.isoformat(), "at": at, "provisional": due.provisional}


def _appeal(case: Case, when: Any) -> dict[str, Any] | None:
    appeal = case.appeal
    if appeal is None:
        return None
    return {
        "by": appeal.by,
        "at": when(appeal.at),
        "why": appeal.why,
        "upheld": appeal.upheld,
        "decided_by": appeal.decided_by,
        "decided_why": appeal.decided_why,
        "confirmed_by": appeal.confirmed_by,
        "confirmed_at": when(appeal.confirmed_at),
        "stands": appeal.stands,
    }


def _contact(db: sqlite3.Connection, number: str, tz: str) -> dict[str, Any] | None:
    row = db.execute(
        "SELECT purpose, until, erased_at, erased_why FROM contact WHERE case_id = ?", (number,)
    ).fetchone()
    if row is None:
        return None
    purpose, until, erased, why = row
    return {"purpose": purpose, "until": until, "erased_at": shown(erased, tz), "erased_why": why}


def _event(event: Event, when: Any) -> dict[str, Any]:
    data = {key: value for key, value in event.data.items() if key != "source"}
    return {
        **{"n": event.n, "at": when(event.at), "who": event.who, "what": event.what},
        "data": json.loads(json.dumps(data)),
    }
