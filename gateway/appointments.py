"""Appointments outside opening hours (预约服务): cancelling in time, no-shows, and the bar.

The identity card is shown on the day and never stored: HMAC-SHA-256 of its number, under a key that
lies beside the database, tells one person's appointments from another's. Times Unix ms.
"""

from __future__ import annotations

import hashlib
import hmac
import sqlite3
from calendar import monthrange
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, timedelta

from gateway.schedules import at, local_day

KEY = "appointment.key"
CANCEL_BY = 15 * 60  # minutes of the day before (第十条)
BARRED_AFTER = 3  # no-shows in a calendar year
BARRED_MONTHS = 6
ENTRY_MARGIN = 30 * 60_000
PROPOSED_MS = 400 * 86_400_000


@dataclass(frozen=True, slots=True)
class Done:
    """What happened to an appointment, in order."""

    at: int
    who: str
    what: str  # cancel | late-cancel | attend | came | void | no-show | strike
    note: str


def card_hash(card: str, secret: bytes) -> str:
    """What is kept of a card's number; case and spaces do not matter."""
    plain = "".join(card.split()).upper()
    return hmac.new(secret, plain.encode(), hashlib.sha256).hexdigest()


def cancel_by(begin: int, tz: str) -> int:
    """The instant before which it is cancelled in time: 15:00 of the day before."""
    return at(local_day(begin, tz) - timedelta(days=1), CANCEL_BY, tz)


def missed(done: Iterable[Done]) -> bool:
    """Whether it counts as a no-show (失约): nobody came, or it was cancelled too late."""
    words = [one.what for one in done]
    return "strike" not in words and ("no-show" in words or "late-cancel" in words)


def unmet(db: sqlite3.Connection, now: int, tz: str) -> list[tuple[str, int]]:
    """(id, when its day was over) of each appointment that is proposed as a no-show (失约).

    Its day is over, nobody was registered to come in and nobody has said anything about it. It
    stays until a named person does, or `PROPOSED_MS` have gone by: the bar counts by calendar
    years.
    """
    today = at(local_day(now, tz), 0, tz)
    rows = db.execute(
        'SELECT a.id, a."to" FROM appointment a WHERE a."from" > ?3 AND a."to" <= ?1 AND NOT EXISTS'
        " (SELECT 1 FROM appointment_event e WHERE e.appointment = a.id) AND NOT EXISTS"
        ' (SELECT 1 FROM entry e WHERE e.at >= a."from" - ?2 AND e.at < a."to" + ?2)'
        ' ORDER BY a."from", a.id',
        (today, ENTRY_MARGIN, today - PROPOSED_MS),
    )
    return [
        (number, at(local_day(end - 1, tz) + timedelta(days=1), 0, tz))
        for number, end in rows.fetchall()
    ]


def barred_until(no_shows: Iterable[date]) -> date | None:
    """The last day of the bar that these no-shows earn, or None. Calendar years do not add up.

    The third of a year bars six months from its day; so does each later one.
    """
    years: dict[int, int] = {}
    until = None
    for day in sorted(no_shows):
        years[day.year] = years.get(day.year, 0) + 1
        if years[day.year] >= BARRED_AFTER:
            until = max(until or day, months_after(day, BARRED_MONTHS))
    return until


def months_after(day: date, months: int) -> date:
    """The same day so many months later, or the last one of a shorter month."""
    years, month = divmod(day.month - 1 + months, 12)
    year, month = day.year + years, month + 1
    return date(year, month, min(day.day, monthrange(year, month)[1]))
