"""Who is on duty at a counter at an instant: by card first, then by roster, then by the A post.

A tap of a counter's A- or B-post card on its pad holds until the opening hours in which it lies
are over, or another of the two is tapped. A tap before opening belongs to the hours that follow
on that day. Staff are told that this is kept.
"""

from __future__ import annotations

import sqlite3
from bisect import bisect_right
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime
from zoneinfo import ZoneInfo

from gateway.history.times import COLUMNS, read
from gateway.ratings.reading import days
from gateway.site import Site

UNKNOWN = ""  # nobody is named


@dataclass(frozen=True, slots=True)
class Shift:
    """A roster entry: whole local days, both included; entries that come later win."""

    counter: str
    person: str
    first: str
    last: str


@dataclass(frozen=True, slots=True)
class Tap:
    """A post's card on a counter's pad."""

    counter: str
    t: int
    person: str


class Duty:
    """Answers for one site; pure."""

    def __init__(self, site: Site, taps: Iterable[Tap], shifts: Iterable[Shift]) -> None:
        self._zone = ZoneInfo(site.timezone)
        self._open = [(span.begin, span.end) for span in site.hours.open]
        names = {person.card: person.name for person in site.people}
        self._a_post = {
            counter.id: names.get(counter.post_a or "", UNKNOWN) for counter in site.counters
        }
        self._taps: dict[str, tuple[list[int], list[str]]] = {}
        for tap in sorted(taps, key=lambda tap: tap.t):
            times, people = self._taps.setdefault(tap.counter, ([], []))
            times.append(tap.t)
            people.append(tap.person)
        self._shifts: dict[str, list[Shift]] = {}
        for shift in shifts:
            self._shifts.setdefault(shift.counter, []).append(shift)

    def on(self, counter: str, t: int) -> str:
        """The person on duty at a counter at `t`, or UNKNOWN."""
        times, people = self._taps.get(counter, ((), ()))
        index = bisect_right(times, t) - 1
        if index >= 0 and t < self._until(times[index]):
            return people[index]
        day = datetime.fromtimestamp(t / 1000, self._zone).date().isoformat()
        for shift in reversed(self._shifts.get(counter, ())):
            if shift.first <= day <= shift.last:
                return shift.person
        return self._a_post.get(counter, UNKNOWN)

    def _until(self, tapped: int) -> int:
        """The end of the opening hours that a tap lies in or before; the tap itself after them."""
        moment = datetime.fromtimestamp(tapped / 1000, self._zone)
        minute = moment.hour * 60 + moment.minute
        ends = [end for _, end in self._open if minute < end]
        if not ends:
            return tapped
        midnight, _ = days(moment.date(), moment.date(), self._zone)
        return midnight + min(ends) * 60_000


def load(db: sqlite3.Connection, site: Site, first: date, last: date) -> Duty:
    """The taps and roster of whole local days."""
    begin, end = days(first, last, ZoneInfo(site.timezone))
    names = {person.card: person.name for person in site.people}
    posts = {
        (counter.pad, card): (counter.id, names.get(card, f"{counter.name} {post} 岗"))
        for counter in site.counters
        for post, card in (("A", counter.post_a), ("B", counter.post_b))
        if counter.pad and card
    }
    taps = []
    for when, bounds in (("t >= ? AND t < ?", (begin, end)), ("t IS NULL", ())):
        rows = db.execute(f"SELECT {COLUMNS} FROM event WHERE kind = 'tap' AND {when}", bounds)
        for said in read(db, rows.fetchall()):
            found = posts.get((said.device, str(said.payload["tag"]).lower()))
            if found and begin <= said.time < end:
                taps.append(Tap(found[0], said.time, found[1]))
    rows = db.execute(
        "SELECT counter, person, first, last FROM roster"
        " WHERE struck_at IS NULL AND first <= ? AND last >= ? ORDER BY id",
        (last.isoformat(), first.isoformat()),
    )
    return Duty(site, taps, [Shift(*row) for row in rows])
