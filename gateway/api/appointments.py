"""Appointments outside opening hours: who may book, the permit, cancelling, no-shows."""

from __future__ import annotations

import secrets
import sqlite3
from datetime import date
from typing import Annotated, Any

from fastapi import APIRouter, Query
from pydantic import BaseModel, Field

from gateway import appointments, audit, overdue
from gateway.api.asked import After, From, Limit, Person, To, cursor, instant, page, shown, written
from gateway.api.permits import Short, Text, When
from gateway.api.problems import Problem
from gateway.api.registers import changed, give, withdraw
from gateway.appointments import Done
from gateway.cases import book as cases
from gateway.cases import contacts
from gateway.context import Context
from gateway.people import Who
from gateway.schedules import local_day

MOST_MS = 86400_000  # an appointment is within a day
AHEAD_MS = 366 * 86400_000
Card = Annotated[str, Field(min_length=4, max_length=64, pattern=r"^[A-Za-z0-9 ()-]+$")]
_WORDS = {"cancel": "cancelled", "attend": "attended", "came": "attended", "strike": "struck"}


class NewAppointment(BaseModel):
    """`card` is the number on the card that will be shown on the day; it is not stored."""

    begin: Annotated[When, Field(alias="from")]
    to: When
    counter: Short
    matter: Text
    card: Card


class Shown(BaseModel):
    card: Card


class Why(BaseModel):
    note: Text


def router(ctx: Context) -> APIRouter:
    made = APIRouter(tags=["appointments"])
    tz = ctx.site.timezone
    zones = {counter.id: counter.zone for counter in ctx.site.counters}
    desk = cases.desk(ctx.site, ctx.calendar)

    @made.get("/appointments")
    def listed(
        begin: From = None,
        to: To = None,
        proposed: Annotated[
            bool, Query(description="only those proposed as no-shows, oldest first")
        ] = False,
        limit: Limit = 100,
        after: After = None,
    ) -> dict[str, Any]:
        """Those that begin in [from, to), latest first."""
        if proposed:
            unmet = appointments.unmet(ctx.reader(), ctx.now(), tz)
            first = (cursor(after) or (-1, ""))[0] + 1
            return page(
                list(enumerate(unmet))[first : first + limit + 1],
                limit,
                key=lambda pair: (pair[0], ""),
                item=lambda pair: told(ctx, pair[1][0]),
            )
        start, following = cursor(after) or (2**62, "")
        rows = ctx.reader().execute(
            'SELECT * FROM appointment WHERE ("from", id) < (?1, ?2)'
            ' AND (?3 IS NULL OR "from" >= ?3) AND (?4 IS NULL OR "from" < ?4)'
            ' ORDER BY "from" DESC, id DESC LIMIT ?5',
            (start, following, instant("from", begin, tz), instant("to", to, tz), limit + 1),
        )
        return page(
            rows.fetchall(),
            limit,
            key=lambda row: (row["from"], row["id"]),
            item=lambda row: told(ctx, row["id"]),
        )

    @made.get("/appointments/barred")
    def barred_now() -> dict[str, Any]:
        """Whom the bar keeps out today, and by which no-shows; of the card nothing is told."""
        today = local_day(ctx.now(), tz)
        cards = ctx.reader().execute(
            "SELECT DISTINCT a.card FROM appointment a JOIN appointment_event e"
            " ON e.appointment = a.id WHERE e.what IN ('no-show', 'late-cancel')"
        )
        items = []
        for (card,) in cards.fetchall():
            missed = no_shows(ctx.reader(), card, tz)
            until = appointments.barred_until(missed.values())
            if until is not None and until >= today:
                days = [{"id": number, "day": day.isoformat()} for number, day in missed.items()]
                items.append({"until": until.isoformat(), "no_shows": days})
        return {"items": sorted(items, key=lambda one: str(one["until"])), "next": None}

    @made.post("/appointments", status_code=201)
    def book(asked: NewAppointment, who: Person) -> dict[str, Any]:
        """Register an appointment; it gives a permit for its counter's zone."""
        begin, end = instant("from", asked.begin, tz), instant("to", asked.to, tz)
        assert begin is not None
        assert end is not None
        if not begin < end <= begin + MOST_MS:
            raise Problem(422, "to: after from, within a day")
        if asked.counter not in zones:
            raise Problem(422, f"counter: {asked.counter} is not in the site file")
        card = appointments.card_hash(asked.card, contacts.key(ctx.data, appointments.KEY))
        number = "ap-" + secrets.token_hex(6)

        def work(db: sqlite3.Connection, now: int) -> date | None:
            if not now <= begin <= now + AHEAD_MS:
                raise Problem(422, "from: to come, within a year")
            until = appointments.barred_until(no_shows(db, card, tz).values())
            if until is not None and local_day(now, tz) <= until:
                return until
            reason = f"预约服务 · {asked.matter}"
            zone = zones[asked.counter]
            permit = give(db, now, who.name, ("appointment", zone, begin, end, reason, who.name))
            db.execute(
                'INSERT INTO appointment (id, "from", "to", counter, matter, card, permit, made_by,'
                " made_at) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
                (
                    *(number, begin, end, asked.counter, asked.matter, card, permit),
                    *(who.name, now),
                ),
            )
            about = {"id": number, "counter": asked.counter, "matter": asked.matter}
            span = {"from": shown(begin, tz), "to": shown(end, tz)}
            audit.append(db, now, who.name, "appointment.book", about | span | {"permit": permit})
            return None

        barred = written(ctx, work)
        if barred is not None:
            raise Problem(
                409,
                f"three no-shows in a calendar year: no appointment until {barred} (预约 第十条)",
                why="barred",
                until=barred.isoformat(),
            )
        changed(ctx, "appointment")
        return told(ctx, number)

    @made.post("/appointments/{appointment_id}/cancel")
    def cancel(appointment_id: str, asked: Why, who: Person) -> dict[str, Any]:
        """Cancel. From 15:00 of the day before on it counts as a no-show."""

        def work(db: sqlite3.Connection, now: int) -> None:
            row = _open(db, appointment_id)
            late = now >= appointments.cancel_by(row["from"], tz)
            _note(db, now, who.name, row, "late-cancel" if late else "cancel", asked.note)
            withdraw(db, now, who.name, row["permit"])
            overdue.judge(db, now, desk)

        written(ctx, work)
        changed(ctx, "appointment")
        return told(ctx, appointment_id)

    @made.post("/appointments/{appointment_id}/no-show")
    def no_show(appointment_id: str, asked: Why, who: Person) -> dict[str, Any]:
        """Nobody came (失约)."""
        return answered(appointment_id, "no-show", asked.note, who)

    @made.post("/appointments/{appointment_id}/came")
    def came(appointment_id: str, asked: Why, who: Person) -> dict[str, Any]:
        """They came, though nobody registered the entry: somebody answers for it by name."""
        return answered(appointment_id, "came", asked.note, who)

    def answered(appointment: str, what: str, note: str, who: Who) -> dict[str, Any]:
        """Somebody says what became of an appointment that has begun."""

        def work(db: sqlite3.Connection, now: int) -> None:
            row = _open(db, appointment)
            if now < row["from"]:
                raise Problem(409, "the appointment has not begun yet", why="early")
            _note(db, now, who.name, row, what, note)
            overdue.judge(db, now, desk)

        written(ctx, work)
        changed(ctx, "appointment")
        return told(ctx, appointment)

    @made.post("/appointments/{appointment_id}/attend")
    def attend(appointment_id: str, asked: Shown, who: Person) -> dict[str, Any]:
        """The card is shown: the right one, or the appointment is void (预约 第七条)."""
        card = appointments.card_hash(asked.card, contacts.key(ctx.data, appointments.KEY))

        def work(db: sqlite3.Connection, now: int) -> bool:
            row = _open(db, appointment_id)
            if local_day(now, tz) != local_day(row["from"], tz):
                raise Problem(409, "the card is shown on the day of the appointment", why="day")
            same = secrets.compare_digest(card, str(row["card"]))
            _note(db, now, who.name, row, "attend" if same else "void", "")
            if not same:
                withdraw(db, now, who.name, row["permit"])
            return same

        same = written(ctx, work)
        changed(ctx, "appointment")
        if not same:
            detail = "not the card it was booked with: the appointment is void"
            raise Problem(409, detail, why="void")
        return told(ctx, appointment_id)

    @made.post("/appointments/{appointment_id}/strike")
    def strike(appointment_id: str, asked: Why, who: Person) -> dict[str, Any]:
        """Strike out what was registered wrongly, a no-show too; it stays on record."""

        def work(db: sqlite3.Connection, now: int) -> None:
            row = _row(db, appointment_id)
            if any(one.what == "strike" for one in done_of(db, appointment_id)):
                raise Problem(409, "struck out already", why="struck")
            _note(db, now, who.name, row, "strike", asked.note)
            withdraw(db, now, who.name, row["permit"])
            overdue.judge(db, now, desk)

        written(ctx, work)
        changed(ctx, "appointment")
        return told(ctx, appointment_id)

    return made


def told(ctx: Context, number: str) -> dict[str, Any]:
    """An appointment as the API shows it; nothing of the card."""
    db, tz = ctx.reader(), ctx.site.timezone
    row = _row(db, number)
    done = done_of(db, number)
    margin = appointments.ENTRY_MARGIN
    missed = no_shows(db, row["card"], tz)
    year = local_day(row["from"], tz).year
    until = appointments.barred_until(missed.values())
    entry = db.execute(
        "SELECT at, who FROM entry WHERE at >= ? AND at < ? ORDER BY at LIMIT 1",
        (row["from"] - margin, row["to"] + margin),
    ).fetchone()
    return {
        "id": number,
        "from": shown(row["from"], tz),
        "to": shown(row["to"], tz),
        "counter": row["counter"],
        "matter": row["matter"],
        "permit": row["permit"],
        "made_by": row["made_by"],
        "made_at": shown(row["made_at"], tz),
        "cancel_by": shown(appointments.cancel_by(row["from"], tz), tz),
        "state": _WORDS.get(done[-1].what, done[-1].what) if done else "booked",
        "counts_as_no_show": appointments.missed(done),
        "no_shows": sum(day.year == year for day in missed.values()),
        "barred_until": until and until.isoformat(),
        "entry": {"at": shown(entry["at"], tz), "who": entry["who"]} if entry else None,
        "events": [
            {"at": shown(one.at, tz), "who": one.who, "what": one.what, "note": one.note}
            for one in done
        ],
    }


def no_shows(db: sqlite3.Connection, card: str, tz: str) -> dict[str, date]:
    """The days on which the holder of this card did not come, by appointment, in order."""
    rows = db.execute(
        'SELECT id, "from" FROM appointment WHERE card = ? ORDER BY "from", id', (card,)
    ).fetchall()
    return {
        number: local_day(begin, tz)
        for number, begin in rows
        if appointments.missed(done_of(db, number))
    }


def done_of(db: sqlite3.Connection, number: str) -> list[Done]:
    """What happened to an appointment, in order."""
    rows = db.execute(
        "SELECT at, who, what, note FROM appointment_event WHERE appointment = ? ORDER BY n",
        (number,),
    )
    return [Done(*row) for row in rows]


def _row(db: sqlite3.Connection, number: str) -> dict[str, Any]:
    cursor = db.execute("SELECT * FROM appointment WHERE id = ?", (number,))
    found = cursor.fetchone()
    if found is None:
        raise Problem(404, f"no appointment {number}")
    return dict(zip((column[0] for column in cursor.description), found, strict=True))


def _open(db: sqlite3.Connection, number: str) -> dict[str, Any]:
    row = _row(db, number)
    done = done_of(db, number)
    if done:
        raise Problem(409, f"{done[-1].what} by {done[-1].who} already", why="done")
    return row


def _note(
    db: sqlite3.Connection, now: int, who: str, row: dict[str, Any], what: str, note: str
) -> None:
    n = len(done_of(db, row["id"])) + 1
    db.execute(
        "INSERT INTO appointment_event (appointment, n, at, who, what, note)"
        " VALUES (?, ?, ?, ?, ?, ?)",
        (row["id"], n, now, who, what, note),
    )
    audit.append(db, now, who, f"appointment.{what}", {"id": row["id"], "note": note})
