"""What people add to the sheets: fields by hand, and their word on each proposed episode.

Append-only, audited, in the writer's transaction; the last word counts.
"""

from __future__ import annotations

import sqlite3
from dataclasses import dataclass
from typing import Any

from gateway import audit

Fields = dict[tuple[str, str], float]
"""(subject, field) → its last value."""


@dataclass(frozen=True, slots=True)
class Decision:
    """A named person's word on an episode; `unit` is whom it is charged to, if confirmed."""

    decision: str  # confirm | reject
    unit: str | None
    reason: str
    by: str
    at: int


def fields(db: sqlite3.Connection, sheet: str, month: str) -> Fields:
    """The fields of a month's sheet."""
    rows = db.execute(
        "SELECT subject, field, value FROM sheet_field WHERE sheet = ? AND month = ? ORDER BY id",
        (sheet, month),
    )
    return {(subject, name): value for subject, name, value in rows}


def of_people(
    db: sqlite3.Connection, sheet: str, month: str
) -> dict[tuple[str, str], dict[str, float]]:
    """(person, department) → a month's fields; the department is empty where none was named."""
    rows = db.execute(
        "SELECT subject, department, field, value FROM sheet_field"
        " WHERE sheet = ? AND month = ? ORDER BY id",
        (sheet, month),
    )
    found: dict[tuple[str, str], dict[str, float]] = {}
    for subject, department, name, value in rows:
        found.setdefault((subject, department), {})[name] = value
    return found


def enter(
    db: sqlite3.Connection,
    now: int,
    who: str,
    sheet: str,
    month: str,
    subject: str,
    field: str,
    value: float,
    department: str = "",
) -> None:
    """Put down one field. What it may hold is checked by the caller."""
    db.execute(
        "INSERT INTO sheet_field (sheet, month, subject, department, field, value, made_at,"
        " made_by) VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
        (sheet, month, subject, department, field, value, now, who),
    )
    about: dict[str, Any] = {"sheet": sheet, "month": month, "subject": subject}
    about |= {"department": department} if department else {}
    audit.append(db, now, who, "sheet.field", about | {"field": field, "value": value})


def decisions(db: sqlite3.Connection, begin: int, end: int) -> dict[str, Decision]:
    """finding → the last word on it, of findings that start in [begin, end)."""
    rows = db.execute(
        "SELECT d.finding, d.decision, d.unit, d.reason, d.made_by, d.made_at"
        " FROM episode_decision d JOIN finding f ON f.id = d.finding"
        " WHERE f.start >= ? AND f.start < ? ORDER BY d.id",
        (begin, end),
    )
    return {row[0]: Decision(*tuple(row)[1:]) for row in rows}


def decide(
    db: sqlite3.Connection,
    now: int,
    who: str,
    finding: str,
    decision: str,
    unit: str | None,
    reason: str,
) -> None:
    """One person's word on one episode."""
    db.execute(
        "INSERT INTO episode_decision (finding, decision, unit, reason, made_at, made_by)"
        " VALUES (?, ?, ?, ?, ?, ?)",
        (finding, decision, unit, reason, now, who),
    )
    about = {"finding": finding, "decision": decision, "unit": unit, "reason": reason}
    audit.append(db, now, who, "episode.decide", about)
