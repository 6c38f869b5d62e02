"""Findings in the database: written, amended, withdrawn, in the writer's transaction.

What stood before an amendment is kept in `finding_history`. A finding that is already over when it
is learnt neither alerts nor switches. Times Unix ms.
"""

from __future__ import annotations

import hashlib
import json
import sqlite3
from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from typing import Any

from firmware.wire import FUTURE_MS
from gateway import alerts, deadlines
from gateway.clock import SHANGHAI
from gateway.engine import FAILED
from gateway.findings import Finding, as_dict
from gateway.journal import LostRange, StoredEvent
from gateway.lifecycle import Return
from gateway.rules import house
from gateway.rules.devices import CLOCK, STALE
from gateway.rules.model import Rule
from gateway.rules.service import LOW
from gateway.site import Noise
from gateway.turns import Changes
from gateway.watches import LostWatch

Key = tuple[str, str, int]
Opened = Callable[[sqlite3.Connection, int, str, Finding], None]
"""(db, now, id, finding): a finding has just opened."""

LOST_STANDS_MS = 12 * 3_600_000
# not the engine's: no rerun withdraws them
_NOT_DERIVED = (
    *("device.lost", CLOCK.id, STALE.id, FAILED, LOW.id),
    *(*sorted(house.IDS), *deadlines.RULES),
)


class Ledger:
    """Writes findings and their alerts; `changes` is what the live feed is told. `timezone`: of the
    instants it is told in; `clocks`: whether the site judges the devices' clocks."""

    def __init__(
        self,
        opened: Opened,
        settings: Noise | None = None,
        timezone: str = SHANGHAI,
        *,
        clocks: bool = True,
    ) -> None:
        self._opened = opened
        self._settings = settings or Noise()
        self._timezone = timezone
        self._clocks = clocks
        self._clocks_off: dict[str, Finding] = {}
        self.changes: Changes = []

    def load(self, db: sqlite3.Connection) -> None:
        """Read back which devices' clocks are off."""
        self.changes = []
        self._clocks_off = _open_of(db, CLOCK.id)

    def write(
        self, db: sqlite3.Connection, found: Mapping[Key, Finding], now: int, *, amends: bool
    ) -> None:
        """Put down what the engine derived; `amends`: it was derived anew from late evidence."""
        for finding in found.values():
            self._put(db, finding, now, amends=amends)

    def _put(self, db: sqlite3.Connection, finding: Finding, now: int, *, amends: bool) -> None:
        row = db.execute(
            'SELECT id, since, "end", state, evidence, cites FROM finding'
            " WHERE rule=? AND subject=? AND start=?",
            finding.key,
        ).fetchone()
        evidence = json.dumps(finding.evidence, ensure_ascii=False)
        cites = json.dumps(list(finding.cites), ensure_ascii=False)
        if row is None:
            name = _finding_id(finding)
            state = "open" if finding.end is None else "ended"
            db.execute(
                'INSERT INTO finding (id,rule,subject,zone,since,start,"end",severity,cites,'
                "evidence,state,seen,changed) VALUES (?,?,?,?,?,?,?,?,?,?,?,?,?)",
                (
                    *(name, finding.rule, finding.subject, finding.zone, finding.since),
                    *(finding.start, finding.end, finding.severity, cites, evidence),
                    *(state, now, now),
                ),
            )
            if finding.end is None:
                alerts.raised(db, now, name, finding, self._settings)
                self._opened(db, now, name, finding)
        elif (row[1], row[2], row[4], row[5]) != (finding.since, finding.end, evidence, cites):
            name, state = row[0], row[3]
            if amends and row[2] is not None:
                _remember(db, name, now)
            if state != "closed":
                state = "open" if finding.end is None else "ended"
            db.execute(
                'UPDATE finding SET since=?,"end"=?,evidence=?,cites=?,state=?,changed=?'
                " WHERE id=?",
                (finding.since, finding.end, evidence, cites, state, now, name),
            )
            if finding.end is not None and row[2] is None:
                alerts.returned(db, now, name, self._settings)
            elif finding.end is None and row[2] is not None:
                alerts.raised(db, now, name, finding, self._settings)
        else:
            return
        told = as_dict(finding, self._timezone)
        self.changes.append(("finding", {"id": name, "state": state, **told}))

    def withdraw(
        self, db: sqlite3.Connection, since: int, truth: Mapping[Key, Finding], now: int
    ) -> None:
        """Findings after `since` that the new evidence does not bear out."""
        rows = db.execute(
            'SELECT id, rule, subject, start FROM finding WHERE state IN ("open", "ended")'
            f" AND rule NOT IN ({','.join('?' * len(_NOT_DERIVED))})"
            ' AND (start > ? OR "end" IS NULL OR "end" > ?)',
            (*_NOT_DERIVED, since, since),
        ).fetchall()
        for name, rule, subject, start in rows:
            if (rule, subject, start) not in truth:
                _remember(db, name, now)
                db.execute(
                    'UPDATE finding SET state=\'withdrawn\', "end"=coalesce("end", ?), changed=?'
                    " WHERE id=?",
                    (max(start, since), now, name),
                )
                alerts.returned(db, now, name, self._settings)
                self.changes.append(
                    (
                        "finding",
                        {"id": name, "rule": rule, "subject": subject, "state": "withdrawn"},
                    )
                )

    def lost(self, db: sqlite3.Connection, watch: LostWatch, lost: LostRange, now: int) -> None:
        """device.lost: since = start = end = the time of the record."""
        evidence = dict(zip(("from", "to", "why"), lost.record, strict=True))
        at, severity = lost.at, watch.severity
        finding = Finding(
            watch.rule, lost.device, None, at, at, at, severity, watch.cites, evidence
        )
        self._put(db, finding, now, amends=False)
        self._momentary(db, finding, now)

    def _momentary(self, db: sqlite3.Connection, finding: Finding, now: int) -> None:
        """An instant is told all the same: it stands until somebody has seen it, at most half a
        day."""
        name = _finding_id(finding)
        alerts.raised(db, now, name, finding, self._settings)
        gone = Return(LOST_STANDS_MS)
        alerts.apply(db, now, alerts.alert_of(name), gone, self._settings)

    def failed(self, db: sqlite3.Connection, failed: Iterable[Finding], now: int) -> None:
        """A rule that is out of order is a finding about that rule, until it is in order again."""
        by_rule = {f.subject: f for f in failed}
        standing = _open_of(db, FAILED)
        for rule in {*by_rule} - {*standing}:
            self._put(db, by_rule[rule], now, amends=False)
        for rule in {*standing} - {*by_rule}:
            self._put(db, replace(standing[rule], end=now), now, amends=False)

    @property
    def clocks_off(self) -> bool:
        """Whether some device's clock is known to be ahead."""
        return bool(self._clocks_off)

    def clock(self, db: sqlite3.Connection, said: StoredEvent, now: int) -> None:
        """device.clock: a device says a time that is more than a minute ahead of its arrival."""
        if not said.new or said.event.t is None:
            return
        standing = self._clocks_off.get(said.device)
        ahead = said.event.t - said.at
        wrong = self._clocks and ahead > FUTURE_MS
        if wrong and standing is None:
            standing = Finding(
                CLOCK.id, said.device, None, now, now, None, CLOCK.severity, (), {"ahead_ms": ahead}
            )
            self._clocks_off[said.device] = standing
            self._put(db, standing, now, amends=False)
        elif not wrong and standing is not None:
            del self._clocks_off[said.device]
            self._put(db, replace(standing, end=now), now, amends=False)

    def standing(self, db: sqlite3.Connection, rule: Rule, subject: str) -> dict[str, Any] | None:
        """The evidence of the open finding of a rule about a subject; None where none is open."""
        found = _open_of(db, rule.id).get(subject)
        return None if found is None else found.evidence

    def stands(
        self,
        db: sqlite3.Connection,
        rule: Rule,
        subject: str,
        evidence: dict[str, Any] | None,
        now: int,
        *,
        follows: bool = False,
    ) -> str | None:
        """Open the finding of a rule that no log is judged by, or, with None, end it; `follows`:
        one that is open takes on the new evidence. The finding's id, None where there is none."""
        found = _open_of(db, rule.id).get(subject)
        if found is None:
            if evidence is None:
                return None
            found = Finding(rule.id, subject, None, now, now, None, rule.severity, _codes(rule), {})
            found = replace(found, evidence=evidence)
        elif evidence is None:
            found = replace(found, end=max(now, found.start))
        elif follows:
            found = replace(found, evidence=evidence)
        self._put(db, found, now, amends=False)
        return _finding_id(found)

    def happened(
        self, db: sqlite3.Connection, rule: Rule, subject: str, evidence: dict[str, Any], now: int
    ) -> None:
        """A finding of one instant that is told all the same."""
        made = Finding(rule.id, subject, None, now, now, now, rule.severity, _codes(rule), evidence)
        self._put(db, made, now, amends=False)
        self._momentary(db, made, now)


def _codes(rule: Rule) -> tuple[str, ...]:
    return tuple(article.code for article in rule.cites)


def _open_of(db: sqlite3.Connection, rule: str) -> dict[str, Finding]:
    """The open findings of a rule by subject."""
    rows = db.execute(
        "SELECT rule, subject, zone, since, start, severity, cites, evidence FROM finding"
        " WHERE rule=? AND state='open'",
        (rule,),
    ).fetchall()
    return {
        subject: Finding(
            rule,
            subject,
            zone,
            since,
            start,
            None,
            severity,
            tuple(json.loads(cites)),
            json.loads(evidence),
        )
        for rule, subject, zone, since, start, severity, cites, evidence in rows
    }


def _remember(db: sqlite3.Connection, name: str, now: int) -> None:
    """Keep what stood before an amendment."""
    row = db.execute(
        'SELECT since, start, "end", state, evidence FROM finding WHERE id=?', (name,)
    ).fetchone()
    was = dict(zip(("since", "start", "end", "state", "evidence"), row, strict=True))
    db.execute(
        "INSERT INTO finding_history (finding, at, was) VALUES (?,?,?)",
        (name, now, json.dumps(was, ensure_ascii=False)),
    )


def _finding_id(finding: Finding) -> str:
    text = "\0".join((finding.rule, finding.subject, str(finding.start)))
    return "f-" + hashlib.sha256(text.encode()).hexdigest()[:16]
