"""Tells people of alerts: each round climbs the site's ladder, computed from stored times.

The rows of a step go into the outbox in the turn's own transaction and their key is unique, so
neither a restart nor a turn that runs again tells a step twice. Acknowledging, closing and the end
of the condition stop what is to come. Many alerts of one rule are told as one (`noise.group`), and
in a storm what is not critical is only shown. Times Unix ms.
"""

from __future__ import annotations

import sqlite3
from collections import defaultdict
from collections.abc import Callable
from dataclasses import replace

from gateway import alerts, failpoint, noise, outbox
from gateway.commands import request
from gateway.ladder import SIREN, Step, audience_of, steps
from gateway.lifecycle import ACKNOWLEDGED, UNACKNOWLEDGED, Return
from gateway.noise import Candidate
from gateway.notices import Matter, headline, message, names
from gateway.outbox import Message
from gateway.rota import Channels
from gateway.selfalerts import OWN, STORM
from gateway.site import Site
from gateway.telling import Row, due, feed, members, peers, updates
from gateway.turns import Changes, Turn


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
        self._room = 0
        self._storm = False
        self._seen = 0
        self._changes: Changes = []
        self._sounding: tuple[str, str] | None = None  # (cause, text) of the turn's first alarm

    def load(self, db: sqlite3.Connection, now: int) -> None:
        self._queued = 0
        self._changes = []
        self._seen = now
        row = db.execute(
            "SELECT 1 FROM alert WHERE rule=? AND active=1 AND closed=0", (STORM,)
        ).fetchone()
        self._storm = row is not None

    def turn(self, db: sqlite3.Connection, turn: Turn) -> None:
        """Let time pass for alerts, write the steps that are due, quieten what is answered."""
        self._queued, now, settings = 0, turn.now, self._site.noise
        self._sounding = None
        alerts.tick(db, now, settings)
        rows = due(db, now)
        grown = updates(db, now)
        if rows or grown or self._storm:
            told = outbox.recent(db, now - settings.storm_within)
            self._room = settings.storm_at - told
            self._calm(db, now, told)
        for row in self._grouped(db, now, rows):
            self._climb(db, now, row)
        for row in grown:
            self._update(db, now, row)
        if self._sounding is not None:  # however many: a panel sounds or it does not
            for panel in self._panels:
                self._command(db, now, panel, self._sounding[0], "alarm", self._sounding[1])
        self._silence(db, now)
        self._changes = feed(db, self._seen, self._site.timezone)
        self._seen = now

    def committed(self, turn: Turn) -> Changes:  # noqa: ARG002
        if self._queued:
            failpoint.hit("turn.committed")
            self._wake()
        return self._changes

    # --- many as one ----------------------------------------------------------------------

    def _grouped(self, db: sqlite3.Connection, now: int, rows: list[Row]) -> list[Row]:
        """Those that tell of themselves; the others have been given to their leader."""
        settings = self._site.noise
        fresh: dict[str, list[Candidate]] = defaultdict(list)
        for row in rows:
            if row.severity == "warning" and row.fresh:
                fresh[row.rule].append(Candidate(row.id, row.rule, row.told_from))
        gone: set[str] = set()
        leaders: set[str] = set()
        for rule, candidates in fresh.items():
            leader, recent = peers(db, rule, now - settings.group_within, candidates)
            found = noise.group(candidates, recent, leader, settings.group_at)
            if found is None:
                continue
            first, joined = found
            db.execute("UPDATE alert SET leader=id WHERE id=?", (first,))
            db.executemany(
                "UPDATE alert SET leader=?, step_due=NULL WHERE id=?",
                [(first, one) for one in joined],
            )
            gone.update(joined)
            leaders.add(first)
            if all(c.id != first for c in candidates):
                db.execute(
                    "UPDATE alert SET update_due=coalesce(update_due, ?) WHERE id=?",
                    (self._update_at(db, first, now), first),
                )
        return [
            replace(row, leader=row.id) if row.id in leaders else row
            for row in rows
            if row.id not in gone
        ]

    def _update_at(self, db: sqlite3.Connection, leader: str, now: int) -> int:
        (began,) = db.execute("SELECT told_from FROM alert WHERE id=?", (leader,)).fetchone()
        return noise.update_at(began, now, self._site.noise.group_within)

    def _update(self, db: sqlite3.Connection, now: int, row: Row) -> None:
        """Tell of what has joined a group since it was last told of."""
        assert row.update_due is not None
        db.execute("UPDATE alert SET update_due=NULL WHERE id=?", (row.id,))
        if self._state(db, row) != UNACKNOWLEDGED:
            return
        matter = self._matter(db, row)
        for role in audience_of(row.rule, self._channels):
            step = Step(row.update_due - row.told_from, "update", role)
            self._queue(db, now, row, step, matter, row.update_due)

    def _state(self, db: sqlite3.Connection, row: Row) -> str:
        """A leader stands for all of its group: unacknowledged while any of it is."""
        if row.leader != row.id or row.state == UNACKNOWLEDGED:
            return row.state
        found = db.execute(
            "SELECT 1 FROM alert WHERE leader=? AND state='unacknowledged' LIMIT 1", (row.id,)
        ).fetchone()
        return UNACKNOWLEDGED if found else row.state

    # --- the ladder -----------------------------------------------------------------------

    def _climb(self, db: sqlite3.Connection, now: int, row: Row) -> None:
        state = self._state(db, row)
        audience = audience_of(row.rule, self._channels)
        ladder = self._site.escalation.get(row.severity, ())
        found = steps(ladder, audience, state, row.told_from, now)
        db.execute("UPDATE alert SET step_due=? WHERE id=?", (found.following, row.id))
        over = self._site.noise.recoveries and state not in (UNACKNOWLEDGED, ACKNOWLEDGED)
        if not found.due and not over:
            return
        matter = self._matter(db, row)
        for step in found.due:
            if step.kind == SIREN:
                self._sound(db, now, row, step, matter)
            else:
                self._queue(db, now, row, step, matter, row.told_from + step.offset)
        if row.severity != "critical" and row.fresh and any(s.kind == "message" for s in found.due):
            self._room -= 1
        if over and not row.active:
            self._recovered(db, now, row, matter)

    def _matter(self, db: sqlite3.Connection, row: Row) -> Matter:
        others = members(db, row.id) if row.leader == row.id else ()
        return Matter(
            *(row.rule, row.subject, row.zone, row.since, row.severity, row.cites),
            done=_done(db, row.finding),
            others=others,
            why=row.why,
            flapping=len(row.raised) if row.flapping else 0,
            about=row.about,
            over=not row.active,
        )

    def _queue(
        self, db: sqlite3.Connection, now: int, row: Row, step: Step, matter: Matter, at: int
    ) -> None:
        text = message(matter, self._names, self._site.timezone, step.offset)
        critical = row.severity == "critical"
        made = Message(row.id, row.round, step, text, at, critical)
        held = not critical and row.rule != STORM and step.kind != "digest" and self._room <= 0
        self._queued += outbox.queue(db, now, self._site, self._channels, made, held=held)
        if held and not self._storm:
            self._storm = True
            severity = OWN[STORM][0]
            alerts.stand(db, now, STORM, "gateway", severity, {}, self._site.noise)

    def _calm(self, db: sqlite3.Connection, now: int, told: int) -> None:
        """The storm is over once half as many are told of as make one."""
        if self._storm and told * 2 <= self._site.noise.storm_at:
            self._storm = False
            for (name,) in db.execute(
                "SELECT id FROM alert WHERE rule=? AND active=1", (STORM,)
            ).fetchall():
                alerts.apply(db, now, name, Return(), self._site.noise)

    def _recovered(self, db: sqlite3.Connection, now: int, row: Row, matter: Matter) -> None:
        """Whoever was told of it is told that it is over."""
        told = db.execute(
            "SELECT DISTINCT role FROM notification WHERE alert=? AND round=?"
            " AND kind IN ('message','update') AND state IN ('sent','queued')",
            (row.id, row.round),
        ).fetchall()
        for (role,) in told:
            self._queue(db, now, row, Step(0, "recovery", role), matter, now)

    # --- the panels -----------------------------------------------------------------------

    def _sound(
        self, db: sqlite3.Connection, now: int, row: Row, step: Step, matter: Matter
    ) -> None:
        text = headline(matter, self._names)
        made = Message(row.id, row.round, step, text, now, critical=True)
        if not self._panels:
            outbox.put(db, now, made, 0, "", "unaddressed")
        for index in range(len(self._panels)):
            if outbox.put(db, now, made, index, "panel", "sent") and self._sounding is None:
                self._sounding = (row.finding or row.id, text)

    def _silence(self, db: sqlite3.Connection, now: int) -> None:
        """Once no alert that sounded is unanswered, the panels are quiet again."""
        sounding = "n.kind='siren' AND n.state='sent' AND n.answer IS NULL"
        over = "(a.state != 'unacknowledged' OR a.round != n.round)"
        answered = db.execute(
            f"SELECT a.finding FROM notification n JOIN alert a ON a.id = n.alert WHERE {sounding}"
            f" AND {over} LIMIT 1"
        ).fetchone()
        if answered is None:
            return
        db.execute(
            f"UPDATE notification AS n SET answer='silenced' WHERE {sounding} AND EXISTS"
            f" (SELECT 1 FROM alert a WHERE a.id = n.alert AND {over})"
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


def _done(db: sqlite3.Connection, finding: str) -> tuple[str, ...]:
    """What the gateway has switched or will switch because of this finding."""
    if not finding:
        return ()
    asked = db.execute(
        "SELECT DISTINCT do FROM command WHERE cause=? AND do IN ('on','off','set')"
        " AND state IN ('queued','sent','done')",
        (finding,),
    )
    waiting = db.execute(
        "SELECT do FROM pending_switch WHERE finding=? AND state='waiting'", (finding,)
    )
    return (*(do for (do,) in asked), *(f"{do}_waiting" for (do,) in waiting))
