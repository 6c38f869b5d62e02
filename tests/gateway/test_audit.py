"""The audit chain: it holds, and each kind of tampering breaks it."""

from __future__ import annotations

import sqlite3
from pathlib import Path

import pytest

from gateway import audit, store


@pytest.fixture
def db(tmp_path: Path):
    made = store.open_writer(tmp_path)
    for number in range(1, 6):
        audit.append(made, number * 1000, "王五", "alert.ack", {"id": f"a{number}"})
    yield made
    made.close()


def test_holds(db: sqlite3.Connection) -> None:
    assert audit.check(db) is None
    again = "INSERT OR REPLACE INTO audit SELECT id, at, 'x', what, about, hash FROM audit"
    for statement in ("UPDATE audit SET who = 'x'", "DELETE FROM audit", again):
        with pytest.raises(sqlite3.IntegrityError, match="append-only"):
            db.execute(statement)


RECORDS = {
    "shift": "'s-1', 1, 'chen', 'zhao', NULL, '', '[]', '[]'",
    "closing_check": "1, '2026-07-01', 1, 1, 'chen', '', '[]'",
    "patrol_signature": "'daily', 1, 'patroller', 'chen', 1",
}


@pytest.mark.parametrize("table", RECORDS)
def test_what_was_recorded_is_neither_changed_nor_replaced(
    db: sqlite3.Connection, table: str
) -> None:
    db.execute(f"INSERT INTO {table} VALUES ({RECORDS[table]})")
    column = "who" if table != "shift" else "officer"
    changed = RECORDS[table].replace("'chen'", "'x'")
    for statement in (
        f"UPDATE {table} SET {column} = 'x'",
        f"DELETE FROM {table}",
        f"INSERT OR REPLACE INTO {table} VALUES ({changed})",
    ):
        with pytest.raises(sqlite3.IntegrityError, match="append-only"):
            db.execute(statement)


@pytest.mark.parametrize(
    ("statement", "broken"),
    [
        ("UPDATE audit SET who = 'x' WHERE id = 3", 3),
        ("UPDATE audit SET at = at + 1 WHERE id = 1", 1),
        ("UPDATE audit SET about = '{}' WHERE id = 5", 5),
        ("UPDATE audit SET hash = 'x' WHERE id = 2", 2),
        ("DELETE FROM audit WHERE id = 2", 3),
        ("DELETE FROM audit WHERE id = 1", 2),
        ("UPDATE audit SET id = 9 WHERE id = 5", 9),
    ],
)
def test_tampering_shows(db: sqlite3.Connection, statement: str, broken: int) -> None:
    db.executescript("DROP TRIGGER audit_no_update; DROP TRIGGER audit_no_delete")
    db.execute(statement)
    assert audit.check(db) == broken
