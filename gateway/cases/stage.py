"""The pipeline's step for cases: a 差评 opens its case, deadlines remind and run out, a calendar
that changed moves what is still open, contacts past their day are erased."""

from __future__ import annotations

import sqlite3
from datetime import date
from zoneinfo import ZoneInfo

import msgspec
import structlog

from firmware import wire
from gateway import audit, ratings
from gateway.cases import book, contacts
from gateway.ratings.reading import opinions
from gateway.site import Counter, Site
from gateway.turns import Changes, Turn
from gateway.workdays import Calendar

log = structlog.get_logger()

BAD = 2  # levels 2 and 1 are 差评 (好差评 第三条)
SEEN_MS = 86_400_000  # opinions older than this have been looked at before the start


class Cases:
    """Stage `cases`."""

    name = "cases"

    def __init__(self, site: Site, calendar: Calendar) -> None:
        self._desk = book.desk(site, calendar)
        self._zone = ZoneInfo(site.timezone)
        self._counters = {c.id: c for c in site.counters}
        self._pads = {c.pad: c.id for c in site.counters if c.pad}
        self._fresh = True
        self._day: date | None = None
        self._changes: Changes = []
        self._moved: list[str] = []
        self._seen = 0

    def load(self, db: sqlite3.Connection, now: int) -> None:  # noqa: ARG002
        self._fresh, self._day, self._changes, self._moved = True, None, [], []
        self._seen = 0

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
        for counter, day in self._bad_days(turn) | self._bad_opinions(db, now):
            self._open(db, now, self._counters[counter], day)
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
        """The (counter, local day) whose pad has a new 差评."""
        found = set()
        for stored in turn.new(wire.RATING):
            event = stored.event
            if stored.device not in self._pads:
                continue
            if msgspec.to_builtins(event)["level"] <= BAD:
                time = stored.at if stored.t is None else stored.t
                found.add((self._pads[stored.device], self._desk.place.day(time)))
        return found

    def _bad_opinions(self, db: sqlite3.Connection, now: int) -> set[tuple[str, date]]:
        """The same of the QR page and of paper forms, looked at once each after a start."""
        rows = db.execute(
            "SELECT counter, t, made_at FROM opinion INDEXED BY opinion_bad"
            " WHERE level <= 2 AND made_at > ?",
            (max(self._seen, now - SEEN_MS),),
        ).fetchall()
        found = set()
        for counter, t, made_at in rows:
            self._seen = max(self._seen, made_at)
            if counter in self._counters:
                found.add((counter, self._desk.place.day(t)))
        return found

    def _open(self, db: sqlite3.Connection, now: int, counter: Counter, day: date) -> None:
        """A case for each counted 差评 of the day that has none yet. It is received when it is
        learnt: a pad that was cut off does not open a case that is overdue at once."""
        begin, end = ratings.days(day, day, self._zone)
        early = begin - ratings.LOOK_BACK_MS
        found = ratings.presses(db, [counter.pad], early, end) if counter.pad else []
        found += opinions(db, [counter], early, end)
        for press, counts in ratings.judged(found, self._zone):
            if not counts or press.level > BAD or not begin <= press.time < end:
                continue
            source = book.rating_source(press.pad, press.log, press.seq)
            if db.execute("SELECT 1 FROM case_file WHERE source = ?", (source,)).fetchone():
                continue
            data = {
                "title": counter.name,
                "counter": counter.id,
                "level": press.level,
                "day": day.isoformat(),
                "channel": press.channel,
            }
            case = book.open_case(
                *(db, self._desk, "bad-rating", now, audit.GATEWAY, data), now=now, source=source
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
