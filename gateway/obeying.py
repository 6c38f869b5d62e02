"""Follows each switching to its end: answered, borne out by relay and meter, or given up."""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping
from typing import Any

from firmware import wire
from gateway import control, hardware
from gateway.control import Wanted
from gateway.hardware import Thing
from gateway.journal import StoredEvent
from gateway.site import Site
from gateway.turns import Changes, Turn


class Obeying:
    """Stage `obeying`, after the history has taken the turn's events. Times Unix ms."""

    name = "obeying"

    def __init__(self, site: Site, ttl_ms: int, speed: float) -> None:
        self._things = hardware.things(site)
        self._relays = {
            (t.target.device, t.target.ch): t
            for t in self._things.values()
            if t.use != hardware.AIRCON
        }
        self._ttl_ms = ttl_ms
        self._respect_ms = site.noise.respect
        self._speed = speed
        self._changed: dict[str, None] = {}

    def load(self, db: sqlite3.Connection, now: int) -> None:  # noqa: ARG002
        self._changed = {}

    def turn(self, db: sqlite3.Connection, turn: Turn) -> None:
        self._changed = {}
        for one in turn.new(wire.RELAY):
            self._relay(db, one, turn.now)
        for wanted, state, why in control.under_way(db):
            self._follow(db, wanted, state, why, turn.now)

    def committed(self, turn: Turn) -> Changes:  # noqa: ARG002
        return [("circuit", {"id": subject}) for subject in self._changed]

    def _follow(
        self, db: sqlite3.Connection, wanted: Wanted, state: str, why: str | None, now: int
    ) -> None:
        thing = self._things.get(wanted.subject)
        if thing is None:  # the site file has lost it
            db.execute("UPDATE control SET state='idle' WHERE subject=?", (wanted.subject,))
            return
        if state in ("queued", "sent"):
            return
        if state != "done":
            self._disobeyed(db, wanted, thing, state, why or state, now)
            return
        if wanted.done_at is None:
            db.execute("UPDATE control SET done_at=? WHERE subject=?", (now, wanted.subject))
            wanted = _done(wanted, now)
        found = control.verdict(
            *(wanted, thing, hardware.reported(db, thing), hardware.watts(db, thing), now),
            self._speed,
        )
        if found == control.OBEYED:
            db.execute("UPDATE control SET state='verified' WHERE subject=?", (wanted.subject,))
            self._changed[wanted.subject] = None
        elif found == control.DISOBEYED:
            self._disobeyed(db, wanted, thing, control.DISOBEYED, control.DISOBEYED, now)

    def _disobeyed(
        self,
        db: sqlite3.Connection,
        wanted: Wanted,
        thing: Thing,
        outcome: str,
        why: str,
        now: int,
    ) -> None:
        self._changed[wanted.subject] = None
        if control.next_after(outcome, wanted.tries) == "again":
            self._ask(db, now, thing, wanted, wanted.tries + 1)
        else:
            control.give_up(db, now, wanted.subject, why)

    def _relay(self, db: sqlite3.Connection, one: StoredEvent, now: int) -> None:
        """A relay moved by hand, or stands as it does after a power cut."""
        event: Any = one.event
        thing = self._relays.get((one.device, event.ch))
        if thing is None or event.cause == "command":
            return
        row = db.execute(
            "SELECT desired, cause, person, state, hazard_at, hazard, asked_at, done_at,"
            " manual_since FROM control WHERE subject=?",
            (thing.subject,),
        ).fetchone()
        if row is None:
            return
        desired, cause, person, state, hazard_at, hazard, asked_at, done_at, manual = row
        self._changed[thing.subject] = None
        if event.on and hazard_at is not None:  # closed contacts after a power cut, or a hand
            again = Wanted(thing.subject, "off", {}, hazard, None, 0, now, None)
            self._ask(db, now, thing, again, 1)
        elif event.on is (desired == "on"):
            return
        elif event.cause == "manual":
            obeyed = state == "verified" or (state == "asked" and done_at is not None)
            by_itself = desired == "off" and person is None and obeyed
            until = now + self._respect_ms if event.on and by_itself else None
            db.execute(
                "UPDATE control SET desired=NULL, state='idle', respect_until=? WHERE subject=?",
                (until, thing.subject),
            )
        elif manual is None and desired == "off" and cause and _still_open(db, cause):
            self._ask(db, now, thing, Wanted(*_off(thing, cause, person, asked_at)), 1)
        else:
            db.execute(
                "UPDATE control SET desired=NULL, state='idle' WHERE subject=?", (thing.subject,)
            )

    def _ask(
        self, db: sqlite3.Connection, now: int, thing: Thing, wanted: Wanted, tries: int
    ) -> None:
        control.ask(
            *(db, now, thing, wanted.desired, wanted.args),
            cause=wanted.cause,
            person=wanted.person,
            ttl_ms=self._ttl_ms,
            tries=tries,
        )


def _off(
    thing: Thing, cause: str, person: str | None, at: int
) -> tuple[str, str, Mapping[str, Any], str, str | None, int, int, None]:
    return thing.subject, "off", {}, cause, person, 0, at, None


def _done(wanted: Wanted, now: int) -> Wanted:
    return Wanted(
        *(wanted.subject, wanted.desired, wanted.args, wanted.cause, wanted.person),
        *(wanted.tries, wanted.asked_at, now),
    )


def _still_open(db: sqlite3.Connection, finding: str) -> bool:
    row = db.execute("SELECT 1 FROM finding WHERE id=? AND state='open'", (finding,)).fetchone()
    return row is not None
