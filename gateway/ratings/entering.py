"""Ratings that come without a pad, and what people register beside them; in the writer's
transaction. Nothing here reaches a pad's rating."""

from __future__ import annotations

import secrets
import sqlite3
from datetime import date
from typing import Any
from zoneinfo import ZoneInfo

from gateway import audit
from gateway.ratings.reading import days

NOON_MS = 12 * 3_600_000


class Refused(Exception):
    """Why an entry is not taken; `status` is the HTTP status that says so."""

    def __init__(self, status: int, why: str) -> None:
        super().__init__(why)
        self.status, self.why = status, why


def qr(db: sqlite3.Connection, now: int, counter: str, level: int, slip: str) -> bool:
    """A rating of the QR page; False where its slip was used before. No address is kept."""
    done = db.execute(
        "INSERT INTO opinion (id, channel, counter, t, level, made_at)"
        " SELECT ?1, 'qr', ?2, ?3, ?4, ?3"
        " WHERE NOT EXISTS (SELECT 1 FROM opinion WHERE id = ?1)",
        (f"q-{slip}", counter, now, level),
    )
    return bool(done.rowcount)


def paper(
    db: sqlite3.Connection,
    now: int,
    who: str,
    *,
    counter: str,
    day: date,
    level: int,
    form: str,
    visit: str | None,
    zone: ZoneInfo,
) -> str:
    """A paper form, by the person who holds it. Raises Refused for a form entered before."""
    if db.execute(
        "SELECT 1 FROM opinion WHERE counter = ? AND form = ? AND struck_at IS NULL",
        (counter, form),
    ).fetchone():
        raise Refused(409, f"form {form} of this counter is entered already")
    number = "o-" + secrets.token_hex(6)
    t = days(day, day, zone)[0] + NOON_MS
    db.execute(
        "INSERT INTO opinion (id, channel, counter, t, level, visit, form, made_at, made_by)"
        " VALUES (?, 'paper', ?, ?, ?, ?, ?, ?, ?)",
        (number, counter, t, level, visit, form, now, who),
    )
    about = {"id": number, "counter": counter, "day": day.isoformat(), "level": level, "form": form}
    audit.append(db, now, who, "paper.enter", about)
    return number


def strike_paper(db: sqlite3.Connection, now: int, who: str, number: str, why: str) -> None:
    """Take back a paper form that was entered wrongly: it stays, with the reason."""
    row = db.execute("SELECT channel, struck_at FROM opinion WHERE id = ?", (number,)).fetchone()
    if row is None or row[0] != "paper":
        raise Refused(404, f"no paper form {number}")
    if row[1] is not None:
        raise Refused(409, "the form is struck out already")
    db.execute(
        "UPDATE opinion SET struck_at = ?, struck_by = ?, struck_why = ? WHERE id = ?",
        (now, who, why, number),
    )
    audit.append(db, now, who, "paper.strike", {"id": number, "reason": why})


def visits(
    db: sqlite3.Connection, now: int, who: str, counter: str, day: date, n: int
) -> dict[str, Any]:
    """How many visits a counter had on a day; a later word corrects an earlier one."""
    about = {"counter": counter, "day": day.isoformat(), "n": n}
    db.execute(
        "INSERT INTO visit_count (counter, day, n, made_at, made_by) VALUES (?, ?, ?, ?, ?)",
        (counter, day.isoformat(), n, now, who),
    )
    audit.append(db, now, who, "visits.register", about)
    return about


def roster(
    db: sqlite3.Connection, now: int, who: str, counter: str, person: str, first: date, last: date
) -> int:
    """Who is on duty at a counter on these days."""
    added = db.execute(
        "INSERT INTO roster (counter, person, first, last, made_at, made_by)"
        " VALUES (?, ?, ?, ?, ?, ?)",
        (counter, person, first.isoformat(), last.isoformat(), now, who),
    )
    about = {
        "counter": counter,
        "person": person,
        "first": first.isoformat(),
        "last": last.isoformat(),
    }
    audit.append(db, now, who, "roster.enter", about)
    return int(added.lastrowid or 0)


def strike_roster(db: sqlite3.Connection, now: int, who: str, number: int, why: str) -> None:
    """Take a roster entry back; it stays, with the reason."""
    row = db.execute("SELECT struck_at FROM roster WHERE id = ?", (number,)).fetchone()
    if row is None:
        raise Refused(404, f"no roster entry {number}")
    if row[0] is not None:
        raise Refused(409, "the entry is struck out already")
    db.execute(
        "UPDATE roster SET struck_at = ?, struck_by = ?, struck_why = ? WHERE id = ?",
        (now, who, why, number),
    )
    audit.append(db, now, who, "roster.strike", {"id": number, "reason": why})
