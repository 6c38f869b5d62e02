"""Findings of people's deadlines: a case, a duty or a check that is near its day, or past it.

The engine derives none of them, so no rerun takes them back. One subject has at most one standing
finding; `stand` makes it so, in the caller's transaction. Times Unix ms.
"""

from __future__ import annotations

import hashlib
import json
import sqlite3
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from gateway import alerts
from gateway.findings import Finding
from gateway.site import Noise

CASE_REMINDER = "case.reminder"
CASE_OVERDUE = "case.overdue"
DUTY_OVERDUE = "duty.overdue"
CHECK_DUE = "extinguisher.due"
UNMET = "appointment.unmet"
RULES = (CASE_REMINDER, CASE_OVERDUE, DUTY_OVERDUE, CHECK_DUE, UNMET)
_MARKS = ",".join("?" * len(RULES))
_SEVERITY = {
    CASE_REMINDER: "notice",
    CASE_OVERDUE: "warning",
    DUTY_OVERDUE: "warning",
    CHECK_DUE: "notice",
    UNMET: "notice",
}


@dataclass(frozen=True, slots=True)
class Standing:
    """What stands of a subject: the rule, since when, and what it rests on."""

    rule: str
    since: int
    cites: tuple[str, ...]
    evidence: Mapping[str, Any]


def stand(
    db: sqlite3.Connection, now: int, subject: str, wanted: Standing | None, noise: Noise
) -> bool:
    """End what stands of `subject` and is not `wanted`; open what is. Whether anything changed."""
    changed = False
    rows = db.execute(
        "SELECT id, rule, start FROM finding"
        f" WHERE rule IN ({_MARKS}) AND subject=? AND state='open'",
        (*RULES, subject),
    ).fetchall()
    for name, rule, start in rows:
        if wanted is None or (rule, start) != (wanted.rule, wanted.since):
            db.execute(
                "UPDATE finding SET \"end\"=?, state='ended', changed=? WHERE id=?",
                (max(now, start), now, name),
            )
            alerts.returned(db, now, name, noise)
            changed = True
    if wanted is None:
        return changed
    made = Finding(
        *(wanted.rule, subject, None, wanted.since, wanted.since, None),
        *(_SEVERITY[wanted.rule], wanted.cites, dict(wanted.evidence)),
    )
    return _open(db, now, made, noise) or changed


def _open(db: sqlite3.Connection, now: int, made: Finding, noise: Noise) -> bool:
    """Open a finding, or one that had ended again: a record was struck out, a recheck failed.

    False where it stands already, or a person closed it."""
    name = "f-" + hashlib.sha256("\0".join(map(str, made.key)).encode()).hexdigest()[:16]
    done = db.execute(
        'INSERT INTO finding (id,rule,subject,zone,since,start,"end",severity,cites,'
        "evidence,state,seen,changed) VALUES (?,?,?,?,?,?,NULL,?,?,?,'open',?,?)"
        " ON CONFLICT (id) DO UPDATE SET \"end\"=NULL, state='open', changed=excluded.changed"
        " WHERE state='ended'",
        (
            *(name, made.rule, made.subject, made.zone, made.since, made.start, made.severity),
            json.dumps(list(made.cites), ensure_ascii=False),
            json.dumps(made.evidence, ensure_ascii=False),
            *(now, now),
        ),
    )
    if done.rowcount != 1:
        return False
    alerts.raised(db, now, name, made, noise)
    return True
