"""Alerts (告警): findings that somebody must be told of, and their life (ISA-18.2's states).

unacknowledged → acknowledged by a person; → returned when the condition ends unacknowledged;
normal when it is both acknowledged and over. Acknowledging never clears, and a return to normal
never acknowledges a critical or a warning. Times Unix ms; all run in the caller's transaction.
"""

from __future__ import annotations

import sqlite3

from gateway.findings import Finding


def raised(db: sqlite3.Connection, now: int, finding_id: str, finding: Finding) -> None:
    """A finding opened, or opened again: its alert is unacknowledged."""
    db.execute(
        "INSERT INTO alert (id, finding, rule, subject, severity, state, opened, step_due)"
        " VALUES (?,?,?,?,?,'unacknowledged',?,?) ON CONFLICT (id) DO UPDATE SET"
        " state='unacknowledged', returned_at=NULL, step_due=excluded.step_due"
        " WHERE state IN ('returned', 'normal')",
        (_id(finding_id), finding_id, finding.rule, finding.subject, finding.severity, now, now),
    )


def returned(db: sqlite3.Connection, now: int, finding_id: str) -> None:
    """The condition is over; a notice nobody acknowledged goes to normal by itself."""
    db.execute(
        "UPDATE alert SET returned_at=?, state=CASE"
        " WHEN state='acknowledged' OR severity='notice' THEN 'normal' ELSE 'returned' END"
        " WHERE id=? AND state IN ('unacknowledged', 'acknowledged', 'shelved')",
        (now, _id(finding_id)),
    )


def unshelved(db: sqlite3.Connection, now: int) -> None:
    """What was put aside long enough is back in the state it had before, and is told of again."""
    db.execute(
        "UPDATE alert SET step_due=?, state=CASE"
        " WHEN acked_at IS NULL THEN 'unacknowledged' ELSE 'acknowledged' END"
        " WHERE state='shelved' AND shelved_until<=?",
        (now, now),
    )


def _id(finding_id: str) -> str:
    return "a-" + finding_id[2:]
