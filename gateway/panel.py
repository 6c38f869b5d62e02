"""The duty panel's side of alerts: what it shows first, and its acknowledge key with a card.

A tap of an officer's card and then the key acknowledge what the panel shows, in that person's name.
Without a card nothing is acknowledged, and the panel says so and goes on sounding. A press that
comes late answers nothing: it cannot have meant what is shown now. While nothing sounds, the panel
shows which channels are dead: nobody may have heard of it otherwise. Times Unix ms.
"""

from __future__ import annotations

import json
import sqlite3
from typing import Any

from firmware import wire
from gateway import alerts, audit
from gateway.commands import request
from gateway.journal import StoredEvent
from gateway.notices import Matter, headline, names
from gateway.selfalerts import DEAD
from gateway.site import Person, Site
from gateway.turns import Changes, Turn

CARD_MS = 30_000  # real ms between the card and the key
LATE_MS = 60_000  # real ms from the press to its arrival
ROLES = ("duty", "facilities", "manager", "admin")
TAP_FIRST = "请先刷卡，再按确认键"
_SOUNDING = (
    "SELECT DISTINCT a.id, a.finding, a.rule, a.subject, f.zone, coalesce(f.since, a.opened),"
    " a.severity, a.told_from FROM notification n JOIN alert a ON a.id = n.alert"
    " LEFT JOIN finding f ON f.id = a.finding WHERE n.kind='siren' AND n.state='sent'"
    " AND n.answer IS NULL AND a.state='unacknowledged' AND a.round = n.round"
    " ORDER BY CASE a.severity WHEN 'critical' THEN 0 WHEN 'warning' THEN 1 ELSE 2 END,"
    " a.told_from, a.id"
)


class PanelKeys:
    """Stage `panel`, after `escalation` has sounded and silenced. `speed` is the house clock's."""

    name = "panel"

    def __init__(self, site: Site, ttl_ms: int, speed: float) -> None:
        self._site = site
        self._ttl_ms, self._speed = ttl_ms, speed
        self._panels = [d.id for d in site.devices if d.kind == "duty-panel"]
        self._people = {p.card: p for p in site.people if p.role in ROLES}
        self._names = names(site)
        self._shown: tuple[str, ...] = ()
        self._dead: tuple[str, ...] = ()

    def load(self, db: sqlite3.Connection, now: int) -> None:  # noqa: ARG002
        self._shown = tuple(row[0] for row in db.execute(_SOUNDING))
        self._dead = ()

    def turn(self, db: sqlite3.Connection, turn: Turn) -> None:
        """Answer the keys, then put the worst of what sounds on top."""
        if not self._panels:
            return
        for one in turn.new(wire.BUTTON):
            if one.device in self._panels and _is_ack(one.event):
                self._key(db, turn.now, one)
        self._show(db, turn.now)

    def committed(self, turn: Turn) -> Changes:  # noqa: ARG002
        return []

    def _key(self, db: sqlite3.Connection, now: int, one: StoredEvent) -> None:
        pressed = one.t if one.t is not None else one.at
        top = db.execute(f"{_SOUNDING} LIMIT 1").fetchone()
        if top is None or now - pressed > LATE_MS * self._speed or pressed < top[7]:
            return
        person = self._by(db, one)
        if person is None:
            self._say(db, now, one.device, top[1] or top[0], TAP_FIRST)
            request(
                *(db, now, one.device, None, "sound", {"sound": "alarm"}),
                cause=top[1] or top[0],
                ttl_ms=self._ttl_ms,
            )
            return
        for done in alerts.acknowledge(db, now, top[0], person.name, self._site.noise):
            about = {"id": done, "panel": one.device, "card": person.card}
            audit.append(db, now, person.name, "alert.ack", about)

    def _by(self, db: sqlite3.Connection, one: StoredEvent) -> Person | None:
        """Whose card was read on this panel just before the key, in the same boot."""
        row = db.execute(
            "SELECT payload, up FROM event WHERE device=? AND log=? AND boot=? AND kind='tap'"
            " AND seq < ? ORDER BY seq DESC LIMIT 1",
            (one.device, one.log, one.boot, one.seq),
        ).fetchone()
        if row is None or one.up - row[1] > CARD_MS * self._speed:
            return None
        return self._people.get(str(json.loads(row[0])["tag"]).lower())

    def _show(self, db: sqlite3.Connection, now: int) -> None:
        rows = db.execute(_SOUNDING).fetchall()
        ids = tuple(row[0] for row in rows)
        before, self._shown = self._shown, ids
        if rows:
            self._dead = ()  # what sounds has taken its place
        elif not before:  # a turn later than the silence, whose empty text would come after it
            self._show_dead(db, now)
        if ids == before or not rows or (len(ids) == 1 and not before):
            return  # a single new one has been shown as it sounded
        _, finding, rule, subject, zone, since, severity, _ = rows[0]
        matter = Matter(rule, subject, zone, since, severity, (), ())
        text = headline(matter, self._names)
        if len(rows) > 1:
            text += f"（共 {len(rows)} 条）"
        for panel in self._panels:
            self._say(db, now, panel, finding or ids[0], text)

    def _show_dead(self, db: sqlite3.Connection, now: int) -> None:
        rows = db.execute(
            "SELECT id, subject, severity, opened FROM alert WHERE rule=?"
            " AND state='unacknowledged' ORDER BY told_from, id",
            (DEAD,),
        ).fetchall()
        ids = tuple(row[0] for row in rows)
        before, self._dead = self._dead, ids
        if ids == before:
            return
        text = ""
        if rows:
            _, subject, severity, opened = rows[0]
            others = tuple((row[1], None) for row in rows[1:])
            matter = Matter(DEAD, subject, None, opened, severity, (), others=others)
            text = headline(matter, self._names)
        for panel in self._panels:
            self._say(db, now, panel, (ids or before)[0], text)

    def _say(self, db: sqlite3.Connection, now: int, panel: str, cause: str, text: str) -> None:
        request(db, now, panel, None, "show", {"text": text}, cause=cause, ttl_ms=self._ttl_ms)


def _is_ack(event: Any) -> bool:
    return bool(event.kind == "button" and event.name == "ack")
