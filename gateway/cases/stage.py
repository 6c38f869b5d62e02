"""The pipeline's step for cases: a 差评 opens its case, deadlines remind and run out, a calendar
that changed moves what is still open, contacts past their day are erased."""

from __future__ import annotations

import sqlite3
from datetime import date, datetime
from zoneinfo import ZoneInfo

import msgspec
import structlog

from firmware import wire
from gateway import ratings
from gateway.cases import book, contacts
from gateway.site import Site
from gateway.turns import Changes, Turn
from gateway.workdays import Calendar

log = structlog.get_logger()

BAD = 2  # levels 2 and 1 are 差评 (好差评 第三条)


class Cases:
    """Stage `cases`."""

    name = "cases"

    def __init__(self, site: Site, calendar: Calendar) -> None:
        self._desk = book.desk(site, calendar)
        self._zone = ZoneInfo(site.timezone)
        self._counters = {c.pad: c.id for c in site.counters if c.pad}
        self._names = {c.id: c.name for c in site.counters}
        self._fresh = True
        self._day: date | None = None
        self._changes: Changes = []
        self._moved: list[str] = []

    def load(self, db: sqlite3.Connection, now: int) -> None:  # noqa: ARG002
        self._fresh, self._day, self._changes, self._moved = True, None, [], []

    def turn(self, db: sqlite3.Connection, turn: Turn) -> None:
        self._changes, self._moved = [], []
        now, today = turn.now, self._desk.place.day(turn.now)
        if self._fresh:
            self._moved = book.recompute(db, now, self._desk)
            for number in self._moved:
                self._told(db, number)
            self._fresh = False
        if today != self._day:
            contacts.erase_old(db, now, today)
            self._day = today
        for pad, day in self._bad_days(turn):
            self._open(db, now, pad, day)
        due = "SELECT id FROM case_now WHERE wake_at IS NOT NULL AND wake_at <= ? ORDER BY id"
        for (number,) in db.execute(due, (now,)).fetchall():
            case = book.find(db, number, self._desk)
            if case is not None and book.keep(db, case, now, self._desk):
                self._told(db, number)

    def committed(self, turn: Turn) -> Changes:  # noqa: ARG002
        for number in self._moved:
            log.info("case.deadline_moved", case=number)
        return self._changes

    def _bad_days(self, turn: Turn) -> set[tuple[str, date]]:
        """The (pad, local day) that have a new 差评."""
        found = set()
        for stored in turn.stored:
            event = stored.event
            if not stored.new or event.kind != wire.RATING or stored.device not in self._counters:
                continue
            if msgspec.to_builtins(event)["level"] <= BAD:
                time = stored.at if stored.t is None else stored.t
                found.add((stored.device, self._desk.place.day(time)))
        return found

    def _open(self, db: sqlite3.Connection, now: int, pad: str, day: date) -> None:
        """A case for each counted 差评 of the day that has none yet. It is received when it is
        learnt: a pad that was cut off does not open a case that is overdue at once."""
        begin, end = ratings.days(day, day, self._zone)
        presses = ratings.presses(db, [pad], begin - ratings.LOOK_BACK_MS, end)
        counter = self._counters[pad]
        for press, counts in ratings.judged(presses, self._zone):
            if not counts or press.level > BAD or not begin <= press.time < end:
                continue
            source = book.rating_source(press.pad, press.log, press.seq)
            if db.execute("SELECT 1 FROM case_file WHERE source = ?", (source,)).fetchone():
                continue
            happened = datetime.fromtimestamp(press.time / 1000, self._zone).date().isoformat()
            data = {
                "title": f"差评 · {self._names[counter]}",
                "counter": counter,
                "level": press.level,
                "day": happened,
            }
            case = book.open_case(
                *(db, self._desk, "bad-rating", now, "gateway", data), now=now, source=source
            )
            self._told(db, case.id)

    def _told(self, db: sqlite3.Connection, number: str) -> None:
        row = db.execute(
            "SELECT f.kind, f.counter, n.state FROM case_file f JOIN case_now n USING (id)"
            " WHERE f.id = ?",
            (number,),
        ).fetchone()
        kind, counter, state = row
        self._changes.append(
            ("case", {"id": number, "kind": kind, "counter": counter, "state": state})
        )
