"""The pipeline's step for duties, extinguishers and appointments: what is overdue or near its day,
or for which nobody came, is a finding.

One finding stands for a duty: of its latest item that fell due without a record. It ends with the
record, or when the next item falls due.
"""

from __future__ import annotations

import sqlite3
from datetime import date, timedelta

from gateway import appointments, deadlines, duties, registers
from gateway.cases.book import Desk, desk
from gateway.cases.clock import Place
from gateway.deadlines import Standing
from gateway.duties import Duty, Item
from gateway.schedules import at
from gateway.site import Site
from gateway.turns import Changes, Turn
from gateway.workdays import Calendar

EVERY_MS = 60_000
LOOK_BACK = timedelta(days=400)  # longer than the longest period
WARN_DAYS = 30  # before an extinguisher's next check
_RECORDED = (
    "SELECT 1 FROM register_entry e LEFT JOIN register_strike s ON s.entry = e.id"
    " WHERE e.book = 'duty' AND e.item = ? AND s.at IS NULL"
)


class Overdue:
    """Stage `duties`."""

    name = "duties"

    def __init__(self, site: Site, calendar: Calendar) -> None:
        self._desk = desk(site, calendar)
        self._slot: int | None = None

    def load(self, db: sqlite3.Connection, now: int) -> None:  # noqa: ARG002
        self._slot = None

    def turn(self, db: sqlite3.Connection, turn: Turn) -> None:
        slot = turn.now // EVERY_MS
        if slot != self._slot:
            self._slot = slot
            judge(db, turn.now, self._desk)

    def committed(self, turn: Turn) -> Changes:  # noqa: ARG002
        return []


def judge(db: sqlite3.Connection, now: int, desk: Desk) -> None:
    """Make the findings what they should be at `now`; also called when somebody records."""
    since = begun(db)
    first = now if since is None else since
    moves = moved(db)
    for duty in duties.of(desk.duties).values():
        item = _latest_due(duty, first, now, desk.place, moves)
        wanted = None
        if item is not None and not recorded(db, item.key):
            evidence = {"item": item.key, "due": item.day.isoformat()}
            wanted = Standing(
                deadlines.DUTY_OVERDUE, due_at(duty, item, desk.place), duty.cites, evidence
            )
        deadlines.stand(db, now, duty.id, wanted, desk.noise)
    today = desk.place.day(now)
    for number, entry in registers.standing(db, "extinguisher").items():
        day = date.fromisoformat(entry.data["next_check"])
        warn = day - timedelta(days=WARN_DAYS)
        wanted = None
        if today >= warn and not entry.data.get("removed"):
            evidence = {"number": number, "place": entry.data["place"], "due": day.isoformat()}
            since = desk.place.morning(warn)
            wanted = Standing(deadlines.CHECK_DUE, since, ("消防 五.3",), evidence)
        deadlines.stand(db, now, f"extinguisher {number}", wanted, desk.noise)
    _unmet(db, now, desk)


def _unmet(db: sqlite3.Connection, now: int, desk: Desk) -> None:
    """A finding for each appointment that is proposed as a no-show."""
    wanted = {
        number: Standing(deadlines.UNMET, since, ("预约 第十条",), {"appointment": number})
        for number, since in appointments.unmet(db, now, desk.place.tz)
    }
    standing = db.execute(
        "SELECT subject FROM finding WHERE rule = ? AND state = 'open'", (deadlines.UNMET,)
    ).fetchall()
    for number in sorted({subject for (subject,) in standing} | wanted.keys()):
        deadlines.stand(db, now, number, wanted.get(number), desk.noise)


def begun(db: sqlite3.Connection) -> int | None:
    """The gateway's first start, Unix ms: what fell due before it is nobody's fault."""
    row = db.execute("SELECT value FROM meta WHERE key='first_start'").fetchone()
    return int(row[0]) if row else None


def due_at(duty: Duty, item: Item, place: Place) -> int:
    """The instant by which an item is due, Unix ms."""
    return place.end(item.day) if duty.at is None else at(item.day, duty.at, place.tz)


def moved(db: sqlite3.Connection) -> dict[str, date]:
    """The items that somebody moved, and their new days."""
    entries = registers.standing(db, "duty-move")
    return {key: date.fromisoformat(entry.data["to"]) for key, entry in entries.items()}


def recorded(db: sqlite3.Connection, key: str) -> bool:
    """Whether an item has a record that is not struck out."""
    return db.execute(_RECORDED, (key,)).fetchone() is not None


def _latest_due(
    duty: Duty, begun: int, now: int, place: Place, moves: dict[str, date]
) -> Item | None:
    """The last item that fell due since the gateway's first start."""
    last = place.day(now)
    span = timedelta(days=14)
    while True:
        first = max(place.day(begun), last - span)
        found = duties.items(duty, first, last, place.calendar, moves)
        past = [item for item in found if begun < due_at(duty, item, place) <= now]
        if past:
            return past[-1]
        if first <= place.day(begun) or span >= LOOK_BACK:
            return None
        span = LOOK_BACK
