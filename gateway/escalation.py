"""Whom an alert is told, and when: the site's ladder, computed from stored times.

A step is due once the alert has been unacknowledged for its offset. Its rows go into the outbox in
the turn's own transaction and their key is unique, so neither a restart nor a turn that runs again
tells a step twice. Acknowledging, closing and the end of the condition stop what is to come.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from gateway import alerts, rules
from gateway.commands import request
from gateway.notices import Matter, headline, message, names
from gateway.site import Site
from gateway.turns import Changes, Turn

Ladder = tuple[tuple[int, str], ...]
Channels = Mapping[str, tuple[str, ...]]
"""For each role the schemes of its addresses; an empty one does not work."""

SIREN, DIGEST, AUDIENCE, EVERYONE = "siren", "digest", "audience", "everyone"
_ALERTS = (
    "SELECT a.id, a.finding, a.rule, a.subject, a.severity, a.state, a.opened,"
    " f.zone, f.since, f.cites FROM alert a INDEXED BY alert_step_due"
    " LEFT JOIN finding f ON f.id = a.finding"
    " WHERE a.step_due IS NOT NULL AND a.step_due <= ? ORDER BY a.opened, a.id"
)


@dataclass(frozen=True, slots=True)
class Step:
    """One message to one kind of recipient; `offset` in ms after the alert opened."""

    offset: int
    kind: str  # message | digest | siren
    role: str


@dataclass(frozen=True, slots=True)
class Steps:
    """Which steps are due by now, and when the next may be (Unix ms), None where none is left."""

    due: tuple[Step, ...]
    following: int | None


def steps(ladder: Ladder, audience: tuple[str, ...], state: str, opened: int, now: int) -> Steps:
    """All steps that an alert in this state has reached; the outbox knows which it has had."""
    if state != "unacknowledged":
        return Steps((), None)
    due: dict[Step, None] = {}
    following = None
    for offset, target in ladder:
        if opened + offset <= now:
            due |= dict.fromkeys(_step(offset, target, audience))
        elif following is None or opened + offset < following:
            following = opened + offset
    return Steps(tuple(due), following)


def _step(offset: int, target: str, audience: tuple[str, ...]) -> Iterator[Step]:
    if target == SIREN:
        yield Step(offset, SIREN, SIREN)
        return
    kind = DIGEST if target == DIGEST else "message"
    for role in audience if target in (AUDIENCE, DIGEST) else (target,):
        yield Step(offset, kind, role)


def audience_of(rule: str, channels: Channels) -> tuple[str, ...]:
    """The roles that a rule tells; `everyone` is every role with an address."""
    known = rules.by_id.get(rule)
    told = tuple(str(role) for role in known.tells) if known else ("duty",)
    if EVERYONE in told:
        return tuple(channels) or (EVERYONE,)
    return told


def digest_at(now: int, arrive: int, tz: str) -> int:
    """The next morning's `arrive` (minutes after midnight) after `now`, in Unix ms."""
    local = datetime.fromtimestamp(now / 1000, ZoneInfo(tz))
    morning = local.replace(hour=arrive // 60, minute=arrive % 60, second=0, microsecond=0)
    if morning <= local:
        morning += timedelta(days=1)
    return int(morning.timestamp() * 1000)


class Escalation:
    """Stage `escalation`. `wake` is called after a commit that queued something to deliver."""

    name = "escalation"

    def __init__(
        self, site: Site, channels: Channels, ttl_ms: int, wake: Callable[[], None]
    ) -> None:
        self._site = site
        self._channels = channels
        self._ttl_ms = ttl_ms
        self._wake = wake
        self._names = names(site)
        self._panels = [d.id for d in site.devices if d.kind == "duty-panel"]
        self._queued = 0

    def load(self, db: sqlite3.Connection, now: int) -> None:  # noqa: ARG002
        self._queued = 0

    def turn(self, db: sqlite3.Connection, turn: Turn) -> None:
        """Take up shelved alerts, write the steps that are due, stop those of answered alerts."""
        self._queued = 0
        now = turn.now
        alerts.unshelved(db, now)
        for row in db.execute(_ALERTS, (now,)).fetchall():
            self._climb(db, now, row)
        db.execute(
            "UPDATE notification SET state='stopped' WHERE state='queued' AND kind='message'"
            " AND EXISTS (SELECT 1 FROM alert a WHERE a.id = notification.alert"
            " AND a.state IN ('acknowledged', 'normal'))"
        )
        self._silence(db, now)

    def committed(self, turn: Turn) -> Changes:  # noqa: ARG002
        if self._queued:
            self._wake()
        return []

    def _climb(self, db: sqlite3.Connection, now: int, row: tuple[str, ...]) -> None:
        alert, finding, rule, subject, severity, state, opened, zone, since, cites = row
        audience = audience_of(rule, self._channels)
        ladder = self._site.escalation.get(severity, ())
        found = steps(ladder, audience, state, int(opened), now)
        matter = Matter(
            *(rule, subject, zone, int(since or opened), severity),
            *(tuple(json.loads(cites or "[]")), _done(db, finding) if found.due else ()),
        )
        for step in found.due:
            if step.kind == SIREN:
                self._sound(db, now, alert, finding, step, matter)
            else:
                self._queue(db, now, alert, step, matter)
        db.execute("UPDATE alert SET step_due=? WHERE id=?", (found.following, alert))

    def _queue(
        self, db: sqlite3.Connection, now: int, alert: str, step: Step, matter: Matter
    ) -> None:
        text = message(matter, self._names, self._site.timezone, step.offset)
        at = now
        if step.kind == DIGEST:
            at = digest_at(now, self._site.hours.arrive, self._site.timezone)
        for index, scheme in enumerate(self._channels.get(step.role) or ("",)):
            state = "queued" if scheme else "unaddressed"
            made = _insert(db, alert, step, index, scheme, text, state, at, now)
            self._queued += made and state == "queued"

    def _sound(
        self,
        db: sqlite3.Connection,
        now: int,
        alert: str,
        finding: str,
        step: Step,
        matter: Matter,
    ) -> None:
        text = headline(matter, self._names)
        if not self._panels:
            _insert(db, alert, step, 0, "", text, "unaddressed", now, now)
        for index, panel in enumerate(self._panels):
            if _insert(db, alert, step, index, "panel", text, "sent", now, now):
                self._command(db, now, panel, finding, "alarm", text)

    def _silence(self, db: sqlite3.Connection, now: int) -> None:
        """Once no alert that sounded is unanswered, the panels are quiet again."""
        sounding = "n.kind='siren' AND n.state='sent' AND n.answer IS NULL"
        answered = db.execute(
            f"SELECT a.finding FROM notification n JOIN alert a ON a.id = n.alert WHERE {sounding}"
            " AND a.state != 'unacknowledged' LIMIT 1"
        ).fetchone()
        if answered is None:
            return
        db.execute(
            f"UPDATE notification AS n SET answer='silenced' WHERE {sounding} AND EXISTS"
            " (SELECT 1 FROM alert a WHERE a.id = n.alert AND a.state != 'unacknowledged')"
        )
        if db.execute(f"SELECT 1 FROM notification n WHERE {sounding} LIMIT 1").fetchone():
            return
        for panel in self._panels:
            self._command(db, now, panel, answered[0], "off", "")

    def _command(
        self, db: sqlite3.Connection, now: int, panel: str, cause: str, sound: str, text: str
    ) -> None:
        ttl = self._ttl_ms
        request(db, now, panel, None, "show", {"text": text}, cause=cause, ttl_ms=ttl)
        request(db, now, panel, None, "sound", {"sound": sound}, cause=cause, ttl_ms=ttl)


def _insert(
    db: sqlite3.Connection,
    alert: str,
    step: Step,
    index: int,
    channel: str,
    text: str,
    state: str,
    at: int,
    now: int,
) -> bool:
    """False where this step has been told to this address before."""
    sent_at = now if state == "sent" else None
    made = db.execute(
        "INSERT OR IGNORE INTO notification (alert,step,kind,role,url_index,channel,text,state,"
        "next_at,made_at,sent_at) VALUES (?,?,?,?,?,?,?,?,?,?,?)",
        (
            *(alert, step.offset, step.kind, step.role, index),
            *(channel, text, state, at, now, sent_at),
        ),
    )
    return made.rowcount == 1


def _done(db: sqlite3.Connection, finding: str) -> tuple[str, ...]:
    """What the gateway has switched or will switch because of this finding."""
    asked = db.execute(
        "SELECT DISTINCT do FROM command WHERE cause=? AND do IN ('on','off','set')"
        " AND state IN ('queued','sent','done')",
        (finding,),
    )
    waiting = db.execute(
        "SELECT do FROM pending_switch WHERE finding=? AND state='waiting'", (finding,)
    )
    return (*(do for (do,) in asked), *(f"{do}_waiting" for (do,) in waiting))
