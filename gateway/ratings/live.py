"""The pipeline's step that counts today's ratings as they come."""

from __future__ import annotations

import sqlite3
from datetime import date, datetime
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

import msgspec

from firmware import wire
from gateway.ledger import Ledger
from gateway.ratings.counting import Counting, Press
from gateway.ratings.low import Recent, limits_of
from gateway.ratings.reading import LOOK_BACK_MS, days, presses
from gateway.rules import catalogue
from gateway.rules.service import LOW
from gateway.site import Site

if TYPE_CHECKING:
    from gateway.turns import Changes, Turn

HOUR_MS = 3_600_000


class Ratings:
    """The pipeline's step that tells the page how many ratings a counter has had today.

    A live figure: presses are counted as they are stored. A press that comes late on a pad
    without visit numbers may be counted otherwise by `summary`, which is what the page reads.
    """

    name = "ratings"

    def __init__(self, site: Site) -> None:
        self._zone = ZoneInfo(site.timezone)
        self._counters = {c.pad: c.id for c in site.counters if c.pad}
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
        self._ledger = Ledger(lambda *_: None)  # a rating switches nothing

    def load(self, db: sqlite3.Connection, now: int) -> None:
        """Count today afresh."""
        self._start(self._date(now))
        assert self._day is not None
        begin, end = days(self._day, self._day, self._zone)
        stored = presses(db, list(self._counters), begin - LOOK_BACK_MS, end)
        for press in sorted(stored):
            self._take(press)
        self._changed = []
        self._hour = 0
        self._ledger.load(db)

    def turn(self, db: sqlite3.Connection, turn: Turn) -> None:
        """Count what is new; now and then judge whether too many are bad."""
        self._changed, self._ledger.changes = [], []
        if self._date(turn.now) != self._day:
            self._start(self._date(turn.now))
        for stored in turn.stored:
            event = stored.event
            if not stored.new or event.kind != wire.RATING or stored.device not in self._counters:
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
        if self._due or turn.now // HOUR_MS != self._hour:
            self._judge(db, turn.now)

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
        """The new n of each counter that has one, and findings of low scores."""
        return self._ledger.changes + [
            ("rating", {"counter": self._counters[pad], "n": self._n[pad]})
            for pad in dict.fromkeys(self._changed)
        ]

    def _date(self, now: int) -> date:
        return datetime.fromtimestamp(now / 1000, self._zone).date()

    def _start(self, day: date) -> None:
        self._day, self._n, self._counting, self._recent = day, {}, {}, {}

    def _take(self, press: Press) -> None:
        counting = self._counting.setdefault(press.pad, Counting(self._zone))
        if counting.counts(press) and self._date(press.time) == self._day:
            self._n[press.pad] = self._n.get(press.pad, 0) + 1
            self._changed.append(press.pad)
            if self._recent.setdefault(press.pad, Recent(self._limits)).add(press):
                self._due.add(press.pad)
