"""The pipeline's step that counts today's ratings as they come."""

from __future__ import annotations

import sqlite3
from datetime import date, datetime
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

import msgspec

from firmware import wire
from gateway.ledger import Ledger
from gateway.ratings.counting import FEW, Counting, Press
from gateway.ratings.low import Recent, limits_of
from gateway.ratings.reading import LOOK_BACK_MS, days, made_since, opinions, place, presses
from gateway.rules import catalogue
from gateway.rules.service import LOW
from gateway.site import Site

if TYPE_CHECKING:
    from gateway.turns import Changes, Turn

HOUR_MS = 3_600_000


class Ratings:
    """The pipeline's step that tells the page how many ratings a counter has had today.

    A live figure: what comes by pad, QR page or paper is counted as it is stored. A press that
    comes late on a pad without visit numbers may be counted otherwise by `summary`, which is what
    the page reads.
    """

    name = "ratings"

    def __init__(self, site: Site) -> None:
        self._zone = ZoneInfo(site.timezone)
        self._site = site
        self._counters = {place(c): c.id for c in site.counters}
        self._pads = [c.pad for c in site.counters if c.pad]
        self._seen = 0  # when the latest known opinion was made
        self._known: set[str] = set()  # ids of the day's opinions
        self._counting: dict[str, Counting] = {}
        self._n: dict[str, int] = {}
        self._day: date | None = None
        self._changed: list[str] = []
        settings = site.rules.get(LOW.id, {})
        self._low = catalogue.enabled(settings)
        self._limits = limits_of(catalogue.limits_of(LOW, settings)[-1][1].items())
        self._recent: dict[str, Recent] = {}
        self._due: set[str] = set()
        self._hour = 0
        # a rating switches nothing
        self._ledger = Ledger(lambda *_: None, site.noise, site.timezone)

    def load(self, db: sqlite3.Connection, now: int) -> None:
        """Count today afresh."""
        self._start(self._date(now))
        assert self._day is not None
        begin, end = days(self._day, self._day, self._zone)
        stored = presses(db, self._pads, begin - LOOK_BACK_MS, end)
        said = opinions(db, self._site.counters, begin, end)
        row = db.execute("SELECT max(made_at) FROM opinion").fetchone()
        self._seen, self._known = int(row[0] or 0), {press.log for press in said}
        for press in sorted(stored + said):
            self._take(press)
        self._changed = []
        self._hour = 0
        self._ledger.load(db)

    def turn(self, db: sqlite3.Connection, turn: Turn) -> None:
        """Count what is new; now and then judge whether too many are bad."""
        self._changed, self._ledger.changes = [], []
        if self._date(turn.now) != self._day:
            self._start(self._date(turn.now))
        for stored in turn.new(wire.RATING):
            event = stored.event
            if stored.device not in self._counters:
                continue
            time = stored.at if stored.t is None else stored.t
            if self._date(time) == self._day:
                said: dict[str, Any] = msgspec.to_builtins(event)
                self._take(
                    Press(
                        *(time, stored.boot, stored.seq, stored.log, stored.device),
                        *(said["level"], said["visit"]),
                    )
                )
        for press in self._opinions(db):
            self._take(press)
        if self._due or turn.now // HOUR_MS != self._hour:
            self._judge(db, turn.now)

    def _opinions(self, db: sqlite3.Connection) -> list[Press]:
        """Today's of the QR page and on paper that are new since the last look."""
        new = db.execute(
            "SELECT max(made_at) FROM opinion WHERE made_at >= ?", (self._seen,)
        ).fetchone()[0]
        if new is None or self._day is None:
            return []
        begin, end = days(self._day, self._day, self._zone)
        made = made_since(db, self._site.counters, self._seen, begin, end)
        found = [press for press in made if press.log not in self._known]
        self._seen = new
        self._known |= {press.log for press in found}
        return sorted(found)

    def _judge(self, db: sqlite3.Connection, now: int) -> None:
        hour = now // HOUR_MS
        due = set(self._counters) if hour != self._hour else self._due
        self._hour, self._due = hour, set()
        if not self._low:
            return
        for pad in sorted(due):
            recent = self._recent.get(pad)
            evidence = recent.judge(now) if recent else None
            self._ledger.stands(db, LOW, self._counters[pad], evidence, now)

    def committed(self, turn: Turn) -> Changes:  # noqa: ARG002
        """The n of each counter that has passed a full five, and findings of low scores."""
        return self._ledger.changes + [
            ("rating", {"counter": self._counters[pad], "n": self._n[pad] // FEW * FEW})
            for pad in dict.fromkeys(self._changed)
        ]

    def _date(self, now: int) -> date:
        return datetime.fromtimestamp(now / 1000, self._zone).date()

    def _start(self, day: date) -> None:
        self._day, self._n, self._counting, self._recent = day, {}, {}, {}
        self._known = set()

    def _take(self, press: Press) -> None:
        counting = self._counting.setdefault(press.pad, Counting(self._zone))
        if counting.counts(press) and self._date(press.time) == self._day:
            self._n[press.pad] = self._n.get(press.pad, 0) + 1
            if self._n[press.pad] % FEW == 0:  # a single press is nobody's business
                self._changed.append(press.pad)
            if self._recent.setdefault(press.pad, Recent(self._limits)).add(press):
                self._due.add(press.pad)
