"""The pipeline's step: a 差评 opens its case once, deadlines run out, a notice moves them, contacts
are erased, and nothing of a case can be changed or deleted."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from msgspec import structs

from gateway import audit, ratings
from gateway.cases import book, contacts
from gateway.cases.stage import Cases
from gateway.events import Refused, decode
from gateway.journal import StoredEvent
from gateway.ratings import entering
from gateway.turns import Turn
from gateway.workdays import YearTable
from tests.gateway.api.house import NOON, House

DAY = 86_400_000
PAD = "pad-w01"


@pytest.fixture
def house(tmp_path: Path) -> Iterator[House]:
    made = House(tmp_path)
    yield made
    made.close()


def step(house: House, stage: Cases, *stored: StoredEvent) -> list[dict[str, Any]]:
    house.submit(lambda db, now: stage.turn(db, Turn(now, 0.0, stored))).result()
    return [data for _, data in stage.committed(Turn(house.at, 0.0))]


def cases(house: House) -> Cases:
    made = Cases(house.context.site, house.context.calendar)
    made.load(house.db, house.at)
    return made


def press(house: House, seq: int, level: int, t: int) -> StoredEvent:
    house.event(PAD, seq, "rating", t, level=level)
    text = {"log": "9f3a1c22", "seq": seq, "boot": 1, "up": 1, "t": t, "kind": "rating"}
    ((_, event),) = decode(json.dumps(text | {"level": level}).encode())
    assert not isinstance(event, Refused)
    return StoredEvent(PAD, "9f3a1c22", seq, 1, 1, t, t, event, True)


def findings(house: House) -> list[tuple[str, str]]:
    rows = house.db.execute("SELECT rule, state FROM finding ORDER BY start, rule")
    return [tuple(row) for row in rows]


def test_a_bad_rating_opens_one_case(house: House) -> None:
    stage = cases(house)
    good = press(house, 1, 5, NOON)
    bad = press(house, 2, 2, NOON + 20_000)
    again = press(house, 3, 1, NOON + 21_000)  # inside the dwell: a duplicate
    assert step(house, stage, good) == []
    (told,) = step(house, stage, bad, again)
    assert told["kind"] == "bad-rating"
    assert step(house, stage, structs.replace(bad, new=False)) == []
    step(house, stage, bad)
    rows = house.db.execute("SELECT counter, source FROM case_file").fetchall()
    assert [tuple(row) for row in rows] == [("w01", f"rating {PAD} 9f3a1c22 2")]
    found = book.find(house.db, told["id"], stage._desk)
    assert found is not None
    assert found.opened_by == audit.GATEWAY


def test_a_bad_word_on_paper_or_the_qr_page_opens_a_case_too(house: House) -> None:
    stage = cases(house)
    zone, day = ZoneInfo("Asia/Shanghai"), date(2026, 6, 30)

    def enter(db: sqlite3.Connection, now: int) -> None:
        entering.qr(db, now, "w01", 1, "slip")
        entering.paper(
            db, now, "li", counter="w01", day=day, level=2, form="7", visit=None, zone=zone
        )
        entering.qr(db, now, "w01", 3, "fine")

    house.submit(enter).result()
    assert len(step(house, stage)) == 2
    assert step(house, stage) == []
    assert step(house, cases(house)) == []
    sources = [row[0] for row in house.db.execute("SELECT source FROM case_file ORDER BY source")]
    assert [source.split(" ")[1] for source in sources] == [PAD, PAD]
    (qr,) = house.db.execute("SELECT id FROM case_file WHERE source LIKE '% q-slip %'").fetchone()
    today = date(2026, 7, 1)
    assert ratings.summary(house.db, house.context.site, today, today, "counter")[0]["n"] == 2
    act(house, stage, qr, "appeal", "wang", {"note": "误按"})
    act(house, stage, qr, "decide", "li", {"upheld": True, "note": "核实"})
    act(house, stage, qr, "confirm", "zhao", {})
    assert ratings.summary(house.db, house.context.site, today, today, "counter")[0]["n"] == 1


def test_reminded_twice_then_overdue_until_it_is_closed(house: House) -> None:
    stage = cases(house)
    step(house, stage, press(house, 1, 1, NOON))
    (number,) = house.db.execute("SELECT id FROM case_file").fetchone()
    seen = []
    for days in (4, 5, 6, 7, 8):  # 1 July 2026 is a Wednesday; due on the 8th
        house.at = NOON + days * DAY
        step(house, stage)
        seen.append([rule for rule, state in findings(house) if state == "open"])
    assert seen == [
        *([], ["case.reminder"], ["case.reminder"], ["case.reminder"], ["case.overdue"])
    ]
    alerts = house.db.execute("SELECT rule, severity FROM alert ORDER BY opened").fetchall()
    assert [tuple(row) for row in alerts] == [
        *(("case.reminder", "notice"), ("case.reminder", "notice"), ("case.overdue", "warning")),
    ]

    def rectify(db: sqlite3.Connection, now: int) -> None:
        case = book.find(db, number, stage._desk)
        assert case is not None
        book.act(db, case, "rectify", "wang", {"note": "x"}, now, stage._desk)

    house.submit(rectify).result()
    assert findings(house)[-1] == ("case.overdue", "ended")


def test_a_restart_says_nothing_twice(house: House) -> None:
    stage = cases(house)
    step(house, stage, press(house, 1, 1, NOON))
    house.at = NOON + 9 * DAY
    step(house, stage)
    before = findings(house), house.db.execute("SELECT count(*) FROM audit").fetchone()[0]
    step(house, cases(house))
    after = findings(house), house.db.execute("SELECT count(*) FROM audit").fetchone()[0]
    assert before == after


def test_a_new_notice_moves_open_deadlines_with_a_line_each(house: House) -> None:
    stage = cases(house)
    house.at = NOON + 181 * DAY  # 29 December 2026, and no notice for 2027
    step(house, stage, press(house, 1, 1, house.at))
    row = house.db.execute("SELECT due_day, provisional FROM case_now").fetchone()
    assert tuple(row) == ("2027-01-06", 1)
    calendar = house.context.calendar
    off = frozenset({date(2027, 1, 1), date(2027, 1, 4)})
    years = calendar.years | {2027: YearTable(2027, off, frozenset(), "notice")}
    house.context = replace(house.context, calendar=replace(calendar, years=years, _cache={}))
    step(house, cases(house))
    row = house.db.execute("SELECT due_day, provisional FROM case_now").fetchone()
    assert tuple(row) == ("2027-01-07", 0)
    what, about = house.db.execute("SELECT what, about FROM audit ORDER BY id DESC").fetchone()
    assert what == "case.recomputed"
    assert '"was":"2027-01-06"' in about
    step(house, cases(house))
    assert house.db.execute("SELECT count(*) FROM case_event").fetchone()[0] == 2


def test_a_contact_is_sealed_looked_up_on_record_and_erased(house: House) -> None:
    stage = cases(house)
    step(house, stage, press(house, 1, 1, NOON))
    (number,) = house.db.execute("SELECT id FROM case_file").fetchone()
    secret = contacts.key(house.data)
    assert (house.data / contacts.KEY).stat().st_mode & 0o777 == 0o600
    until = date(2026, 7, 20)
    house.submit(
        lambda db, now: contacts.put(db, now, "a", number, "0917-2653186", "回访", until, secret)
    ).result()
    (sealed,) = house.db.execute("SELECT sealed FROM contact").fetchone()
    assert b"0917" not in sealed

    def look(db: sqlite3.Connection, now: int) -> str | None:
        return contacts.look_up(db, now, "li", number, "回访", secret)

    assert house.submit(look).result() == "0917-2653186"
    who, what = house.db.execute("SELECT who, what FROM audit ORDER BY id DESC").fetchone()
    assert (who, what) == ("li", "contact.read")
    house.at = NOON + 19 * DAY  # its last day
    step(house, stage)
    assert house.submit(look).result() == "0917-2653186"
    house.at += DAY
    step(house, stage)
    assert house.submit(look).result() is None
    house.db.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    assert sealed not in (house.data / "hallkeeper.db").read_bytes()


@pytest.mark.parametrize(
    "sql",
    [
        "DELETE FROM case_file",
        "UPDATE case_file SET counter = 'w02'",
        "DELETE FROM case_event",
        "UPDATE case_event SET who = 'x'",
        "INSERT OR REPLACE INTO case_event SELECT case_id, n, at, 'x', what, data FROM case_event",
        "INSERT OR REPLACE INTO case_file SELECT id, kind, 1, counter, source FROM case_file",
        "DELETE FROM contact",
        "UPDATE contact SET until = '2099-01-01'",
        "UPDATE contact SET sealed = x'00'",
    ],
)
def test_nothing_is_changed_or_deleted_by_sql(house: House, sql: str) -> None:
    stage = cases(house)
    step(house, stage, press(house, 1, 1, NOON))
    (number,) = house.db.execute("SELECT id FROM case_file").fetchone()
    secret = contacts.key(house.data)
    house.submit(
        lambda db, now: contacts.put(db, now, "a", number, "x", "y", date(2026, 8, 1), secret)
    ).result()
    with pytest.raises(sqlite3.IntegrityError):
        house.db.execute(sql)


def test_an_upheld_appeal_leaves_the_count_and_stays_on_record(house: House) -> None:
    stage = cases(house)
    for seq, level in enumerate((5, 5, 5, 5, 5, 1), 1):
        stored = press(house, seq, level, NOON + seq * 20_000)
        step(house, stage, stored)
    day = date(2026, 7, 1)

    def mean() -> tuple[int, float]:
        items = ratings.summary(house.db, house.context.site, day, day, "counter")
        return next((i["n"], i["mean"]) for i in items if i["counter"] == "w01")

    assert mean() == (6, pytest.approx(45 / 6))
    (number,) = house.db.execute("SELECT id FROM case_file").fetchone()
    for what, who, data in (
        ("appeal", "wang", {"note": "误按"}),
        ("decide", "li", {"upheld": True, "note": "核实"}),
    ):
        act(house, stage, number, what, who, data)
    assert mean()[0] == 6
    act(house, stage, number, "confirm", "zhao", {})
    assert mean() == (5, 10)
    (one,) = book.upheld(house.db)
    assert (one.decided_by, one.confirmed_by, one.why) == ("li", "zhao", "核实")
    assert house.db.execute("SELECT count(*) FROM event").fetchone()[0] == 6


def act(house: House, stage: Cases, number: str, what: str, who: str, data: dict) -> None:
    def work(db: sqlite3.Connection, now: int) -> None:
        case = book.find(db, number, stage._desk)
        assert case is not None
        book.act(db, case, what, who, data, now, stage._desk)

    house.submit(work).result()
