"""Findings that are not derived from a log: clocks that run ahead, rules that are out of order."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from gateway import rules, site, store, workdays
from gateway.events import Event, decode_one
from gateway.findings import Finding
from gateway.journal import StoredEvent
from gateway.judging import Judging
from gateway.ledger import Ledger
from gateway.site import Noise
from gateway.turns import Turn

HALL = site.load(Path(__file__).parents[1] / "data" / "site.toml")
NOW = 1_782_896_400_000


def said(seq: int, t: int, at: int) -> StoredEvent:
    event = decode_one(
        f'{{"log":"9f3a1c22","seq":{seq},"boot":1,"up":1,"t":{t},"kind":"tap","tag":"0a"}}'.encode()
    )
    assert isinstance(event, Event)
    return StoredEvent("pad-w01", "9f3a1c22", seq, 1, 1, None, at, event, new=True)


@pytest.fixture
def ledger(tmp_path: Path) -> tuple[Ledger, store.sqlite3.Connection]:
    db = store.open_writer(tmp_path)
    made = Ledger(lambda *_: None, Noise())
    made.load(db)
    return made, db


def rows(db: store.sqlite3.Connection) -> list[tuple[object, ...]]:
    return db.execute('SELECT rule, subject, start, "end", state FROM finding').fetchall()


def test_a_clock_that_runs_ahead_is_found_and_ends_when_it_is_right(
    ledger: tuple[Ledger, store.sqlite3.Connection],
) -> None:
    made, db = ledger
    made.clock(db, said(1, NOW + 60_000, NOW), NOW)
    assert rows(db) == []
    made.clock(db, said(2, NOW + 60_001, NOW), NOW)
    made.clock(db, said(3, NOW + 90_000, NOW), NOW + 5)
    assert rows(db) == [("device.clock", "pad-w01", NOW, None, "open")]
    again = Ledger(lambda *_: None, Noise())
    again.load(db)
    again.clock(db, said(4, NOW, NOW + 10), NOW + 10)
    assert rows(db) == [("device.clock", "pad-w01", NOW, NOW + 10, "ended")]
    assert db.execute("SELECT state FROM alert").fetchall() == [("normal",)]
    db.close()


def test_a_site_that_judges_no_clocks_has_no_such_finding_and_ends_what_stood(
    ledger: tuple[Ledger, store.sqlite3.Connection],
) -> None:
    made, db = ledger
    made.clock(db, said(1, NOW + 60_001, NOW), NOW)
    hall = replace(HALL, rules={**HALL.rules, "device.clock": {"enabled": False}})
    stage = Judging(hall, rules.program(hall, workdays.load(hall, None)), lambda *_: None)
    stage.load(db, NOW)
    stage.turn(db, Turn(NOW + 10, 0.0, [said(2, NOW + 90_000, NOW + 10)]))
    stage.turn(db, Turn(NOW + 20, 0.0, [said(3, NOW + 90_000, NOW + 20)]))
    assert rows(db) == [("device.clock", "pad-w01", NOW, NOW + 10, "ended")]
    db.close()


def test_a_rule_out_of_order_is_a_finding_until_it_is_in_order(
    ledger: tuple[Ledger, store.sqlite3.Connection],
) -> None:
    made, db = ledger
    finding = Finding("rule.failed", "ac.vacant", None, NOW, NOW, None, "warning", (), {"why": "x"})
    made.failed(db, [finding], NOW)
    made.failed(db, [finding], NOW + 1)
    assert rows(db) == [("rule.failed", "ac.vacant", NOW, None, "open")]
    made.failed(db, [], NOW + 2)
    assert rows(db) == [("rule.failed", "ac.vacant", NOW, NOW + 2, "ended")]
    db.close()
