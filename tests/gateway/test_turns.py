"""The work of a turn does not grow with what years have left in the database."""

from __future__ import annotations

import re
import sqlite3
from pathlib import Path

from gateway import house, pipeline, site, stages, store
from gateway.turns import Turn

SITE = Path(__file__).parent.parent / "data" / "site.toml"
GROWING = (
    "alert|appointment|appointment_event|attendance_punch|audit|case_event|case_file|case_now"
    "|chunk|contact|energy|event|finding|finding_history|gap|notification|register_entry|reject"
    "|rollup"
)
# partial indexes hold only what is still open
OPEN_ONLY = (
    "alert_step_due",
    "alert_shelved",
    "case_now_",
    "contact_until",
    "command_open",
    "notification_",
)
SCAN = re.compile(r"SCAN (?:\w+ AS )?(\w+)(.*)")
NAMED = re.compile(r"\b(?:FROM|JOIN|UPDATE) (\w+) (?:AS )?(\w)\b")


def scans(db: sqlite3.Connection, statements: list[str]) -> list[str]:
    """The statements that walk a whole growing table, or a whole index of one."""
    found = []
    for statement in statements:
        if not statement.startswith(("SELECT", "UPDATE", "DELETE", "INSERT")):
            continue
        called = {alias: table for table, alias in NAMED.findall(statement)}
        for row in db.execute(f"EXPLAIN QUERY PLAN {statement}"):
            seen = SCAN.search(row[3])
            if seen is None or not re.fullmatch(GROWING, called.get(seen[1], seen[1])):
                continue
            if not any(index in seen[2] for index in OPEN_ONLY):
                found.append(f"{row[3]}: {statement}")
    return found


def test_a_tick_walks_no_growing_table(tmp_path: Path) -> None:
    options = pipeline.parse(
        SITE, tmp_path, "embedded", "127.0.0.1:1", "127.0.0.1:2", "2026-07-01T10:00:00+08:00", 1
    )
    hall = site.load(SITE)
    db = store.open_writer(tmp_path)
    now = options.clock.now()
    house.begin(db, now, SITE, "Asia/Shanghai")
    every = stages.of(house.House(options, hall, house.Ending()))
    said: list[str] = []
    for stage in every:
        stage.load(db, now)
    db.set_trace_callback(said.append)
    for later in (1_000, 2_000, 3_600_000):
        for stage in every:
            stage.turn(db, Turn(now + later, later / 1000))
    db.set_trace_callback(None)
    assert len(said) > 5
    assert scans(db, said) == []
    db.close()


def test_a_walk_is_seen(tmp_path: Path) -> None:
    db = store.open_writer(tmp_path)
    assert scans(db, ["SELECT * FROM alert WHERE closed_by = 'x'"])
    assert scans(db, ["SELECT a.id FROM alert a WHERE a.severity = 'notice'"])
    assert not scans(db, ["SELECT * FROM alert WHERE id = 'a-1'"])
    db.close()
