"""What the escalation reads: alerts that are due, those of a group, what has changed for the feed.

Times Unix ms.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from gateway.clock import iso
from gateway.noise import Candidate
from gateway.turns import Changes

_READ = (
    "SELECT a.id, a.finding, a.rule, a.subject, a.severity, a.state, a.opened, a.active, a.round,"
    " a.told_from, a.why, a.leader, a.update_due, a.raised, a.flapping, a.about, f.zone, f.since,"
    " f.cites, EXISTS (SELECT 1 FROM notification n WHERE n.alert = a.id AND n.round = a.round)"
    " FROM alert a INDEXED BY {index} LEFT JOIN finding f ON f.id = a.finding"
    " WHERE a.{due} IS NOT NULL AND a.{due} <= ? ORDER BY a.told_from, a.id"
)
_DUE = _READ.format(index="alert_step_due", due="step_due")
_UPDATES = _READ.format(index="alert_update", due="update_due")
TIMES = ("opened", "acked_at", "shelved_until", "returned_at", "closed_at", "since", "end")
HIDDEN = frozenset(
    (
        *("step_due", "active", "acked", "closed", "aside", "told_from", "clears_at"),
        *("answered_at", "tick_due", "update_due", "changed", "raised", "gravity"),
    )
)
SELECT = 'SELECT a.*, f.zone, f.since, f."end" FROM alert a LEFT JOIN finding f ON f.id = a.finding'
_iso = lru_cache(maxsize=1024)(iso)  # what comes in a burst shares its instants
MOST_CHANGES = 2000  # of one turn; beyond, whoever watches reads the list afresh


@dataclass(frozen=True, slots=True)
class Row:
    """An alert with what its messages say. `fresh`: nothing of this round has been told yet."""

    id: str
    finding: str
    rule: str
    subject: str
    severity: str
    state: str
    active: bool
    round: int
    told_from: int
    why: str
    leader: str | None
    update_due: int | None
    raised: tuple[int, ...]
    flapping: bool
    about: Mapping[str, Any]
    zone: str | None
    since: int
    cites: tuple[str, ...]
    fresh: bool


def due(db: sqlite3.Connection, now: int) -> list[Row]:
    """Alerts whose next step may be due."""
    return [_row(row) for row in db.execute(_DUE, (now,)).fetchall()]


def updates(db: sqlite3.Connection, now: int) -> list[Row]:
    """Leaders of groups that have grown."""
    return [_row(row) for row in db.execute(_UPDATES, (now,)).fetchall()]


def _row(row: Sequence[Any]) -> Row:
    name, finding, rule, subject, severity, state, opened, active, number, told_from = row[:10]
    why, leader, update_due, raised, flapping, about, zone, since, cites, told = row[10:]
    return Row(
        *(name, finding, rule, subject, severity, state, bool(active), number, told_from, why),
        *(leader, update_due, tuple(json.loads(raised)), bool(flapping)),
        json.loads(about or "{}"),
        *(zone, int(since or opened), tuple(json.loads(cites or "[]")), not told),
    )


def peers(
    db: sqlite3.Connection, rule: str, since: int, fresh: Sequence[Candidate]
) -> tuple[str | None, list[Candidate]]:
    """(the leader of the rule's group that is still open, those told alone since then)."""
    mine = {c.id for c in fresh}
    rows = db.execute(
        "SELECT id, told_from, leader FROM alert INDEXED BY alert_told"
        " WHERE rule=? AND told_from>? AND state='unacknowledged'",
        (rule, since),
    ).fetchall()
    leader = next((lead for _, _, lead in rows if lead is not None), None)
    alone = [Candidate(i, rule, at) for i, at, lead in rows if lead is None and i not in mine]
    return leader, alone


def members(db: sqlite3.Connection, leader: str) -> tuple[tuple[str, str | None], ...]:
    """(subject, zone) of what a leader tells of beside itself and that nobody has seen."""
    rows = db.execute(
        "SELECT a.subject, f.zone FROM alert a LEFT JOIN finding f ON f.id = a.finding"
        " WHERE a.leader=?1 AND a.id<>?1 AND a.acked=0 ORDER BY a.told_from, a.id",
        (leader,),
    )
    return tuple(rows.fetchall())


def feed(db: sqlite3.Connection, since: int, tz: str) -> Changes:
    """What has changed of alerts since the turn before, for whoever watches."""
    cursor = db.cursor()
    cursor.row_factory = sqlite3.Row
    rows = cursor.execute(
        f"{SELECT} WHERE a.changed >= ? ORDER BY a.changed LIMIT ?", (since, MOST_CHANGES)
    ).fetchall()
    if len(rows) == MOST_CHANGES:
        return [("resync", {})]
    return [("alert", shown(row, tz)) for row in rows]


def shown(row: sqlite3.Row, tz: str) -> dict[str, Any]:
    """An alert as anybody may see it; one without a finding is about the gateway itself."""
    made = dict(zip(row.keys(), row, strict=True))
    for name in HIDDEN:
        made.pop(name, None)
    made["since"] = made["since"] or made["opened"]
    for name in TIMES:
        made[name] = None if made[name] is None else _iso(made[name], tz)
    made["about"] = json.loads(made["about"]) if made["about"] else None
    made["flapping"] = bool(made["flapping"])
    return made
