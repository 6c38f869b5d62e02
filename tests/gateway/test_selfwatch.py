"""What the gateway tells of itself: beforehand, once each, until it is put right."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from gateway import audit, control, hardware, rules, site, store, workdays
from gateway.clock import parse_instant
from gateway.escalation import Escalation
from gateway.notify import DELIVERED, REFUSED, Pace, book
from gateway.selfwatch import LAPSE_DAYS, TEST_WAITS_MS, SelfWatch, calendar, lapses
from gateway.turns import Turn
from gateway.workdays import Calendar

HALL = site.load(Path(__file__).parents[1] / "data" / "site.toml")
CALENDAR = workdays.load(HALL, None)
CHANNELS = {"duty": ("json", "mailto"), "facilities": ("json",), "manager": ("json",)}
NOON = parse_instant("2026-07-01T12:00:00+08:00")
DAY = 86_400_000
MINUTE = 60_000


class Hall:
    def __init__(self, folder: Path) -> None:
        self.db = store.open_writer(folder)
        self.now = NOON
        self.restart()

    def restart(self, channels: Any = CHANNELS, known: Calendar = CALENDAR) -> None:
        self.stages = (
            SelfWatch(HALL, known, channels, MINUTE),
            Escalation(HALL, channels, MINUTE, lambda: None),
        )
        for stage in self.stages:
            stage.load(self.db, self.now)

    def turn(self, now: int) -> None:
        self.now = now
        for stage in self.stages:
            stage.turn(self.db, Turn(now, now / 1000))

    def alerts(self, rule: str) -> list[tuple[Any, ...]]:
        return self.db.execute(
            "SELECT subject, severity, state FROM alert WHERE rule=? ORDER BY subject", (rule,)
        ).fetchall()

    def told(self, rule: str) -> list[str]:
        rows = self.db.execute(
            "SELECT n.text FROM notification n JOIN alert a ON a.id=n.alert WHERE a.rule=?"
            " ORDER BY n.id",
            (rule,),
        )
        return [text for (text,) in rows]


@pytest.fixture
def hall(tmp_path: Path) -> Iterator[Hall]:
    made = Hall(tmp_path)
    yield made
    made.db.close()


def test_nothing_is_wrong_and_nothing_is_told(hall: Hall) -> None:
    hall.turn(NOON)
    assert hall.db.execute("SELECT count(*) FROM alert").fetchone()[0] == 0


def test_rules_are_told_of_ninety_days_before_they_lapse_and_keep_running() -> None:
    end = date(2027, 11, 4)
    every = [r.id for r in rules.RULES if r.in_force[1] == end]
    assert lapses(HALL, date.fromordinal(end.toordinal() - LAPSE_DAYS - 1)) == {}
    ((key, word),) = lapses(HALL, date.fromordinal(end.toordinal() - LAPSE_DAYS)).items()
    assert key == ("rule.lapsing", "2027-11-04")
    assert word.about == {"last_day": "2027-11-03", "rules": every}
    ((key, _),) = lapses(HALL, end).items()
    assert key == ("rule.lapsed", "2027-11-04")
    off = replace(HALL, rules={rule: {"enabled": False} for rule in every})
    assert lapses(off, end) == {}


def test_a_year_without_its_notice_is_told_from_november(hall: Hall) -> None:
    last = max(CALENDAR.years)
    assert calendar(CALENDAR, date(last, 10, 31)) == {}
    assert [*calendar(CALENDAR, date(last, 11, 1))] == [("calendar.missing", str(last + 1))]
    hall.turn(parse_instant(f"{last}-11-01T10:00:00+08:00"))
    hall.turn(parse_instant(f"{last}-11-02T10:00:00+08:00"))
    assert hall.alerts("calendar.missing") == [(str(last + 1), "notice", "unacknowledged")]
    (text,) = hall.told("calendar.missing")
    assert f"详情：年份 {last + 1}" in text.splitlines()
    told = replace(CALENDAR, years=CALENDAR.years | {last + 1: CALENDAR.years[last]})
    hall.restart(known=told)  # as after `hallkeeper calendar import` and SIGHUP
    hall.turn(parse_instant(f"{last}-11-03T10:00:00+08:00"))
    assert hall.alerts("calendar.missing") == [(str(last + 1), "notice", "normal")]


def test_whom_nobody_can_reach_is_said_before_anything_happens(hall: Hall) -> None:
    hall.restart(CHANNELS | {"manager": ("",)})
    hall.turn(NOON)
    assert hall.alerts("notify.unreachable") == [("gateway", "notice", "unacknowledged")]
    assert "详情：角色 主任" in hall.told("notify.unreachable")[0].splitlines()


def message(db: sqlite3.Connection, role: str = "duty", state: str = "queued") -> int:
    cursor = db.execute(
        "INSERT INTO notification (alert,step,kind,role,url_index,channel,text,state,next_at,"
        "made_at) VALUES ('a',(SELECT count(*) FROM notification),'message',?,0,'json','x',?,0,0)",
        (role, state),
    )
    return int(cursor.lastrowid or 0)


def test_a_dead_channel_is_an_alert_until_it_answers(hall: Hall) -> None:
    row = message(hall.db)
    for _ in range(2):
        book(hall.db, NOON, (row,), REFUSED, Pace(), 0.5, 1)
    hall.turn(NOON)
    assert hall.alerts("notify.dead") == []
    book(hall.db, NOON, (row,), REFUSED, Pace(), 0.5, 1)
    hall.turn(NOON)
    hall.restart()
    hall.turn(NOON + 1)
    assert hall.alerts("notify.dead") == [("duty-1", "warning", "unacknowledged")]
    assert {t.splitlines()[0] for t in hall.told("notify.dead")} == {"【警告】通知渠道失效：duty-1"}
    book(hall.db, NOON, (row,), DELIVERED, Pace(), 0.5, 1)
    hall.turn(NOON + 2)
    assert hall.alerts("notify.dead") == [("duty-1", "warning", "returned")]


def test_the_second_channel_takes_what_the_first_refuses(hall: Hall) -> None:
    first = message(hall.db)
    hall.db.execute(
        "INSERT INTO notification (alert,step,kind,role,url_index,channel,text,state,next_at,"
        "made_at) SELECT alert,step,kind,role,1,'mailto',text,'standby',0,0 FROM notification"
    )
    book(hall.db, NOON, (first,), REFUSED, Pace(), 0.5, 1)
    rows = hall.db.execute("SELECT state, next_at FROM notification ORDER BY id").fetchall()
    assert rows == [("queued", NOON + MINUTE), ("queued", NOON)]


def test_a_circuit_that_does_not_obey_is_an_alert_until_it_is_reset(hall: Hall) -> None:
    thing = hardware.things(HALL)["l-hall"]
    control.ask(hall.db, NOON, thing, "off", {}, cause="f-1", person=None, ttl_ms=MINUTE)
    control.give_up(hall.db, NOON, "l-hall", "disobeyed")
    hall.turn(NOON)
    assert hall.alerts("command.failed") == [("l-hall", "warning", "unacknowledged")]
    text = hall.told("command.failed")[0].splitlines()
    assert text[0] == "【警告】开关未执行命令，已转手动：大厅照明"
    assert "详情：动作 断开；原因 继电器或电表与命令不符" in text
    control.reset(hall.db, "l-hall")
    hall.turn(NOON + 1)
    assert hall.alerts("command.failed") == [("l-hall", "warning", "returned")]


def test_a_test_message_a_day_proves_the_chain(hall: Hall) -> None:
    at = parse_instant("2026-07-01T08:30:00+08:00")
    count = "SELECT count(*) FROM notification WHERE kind='test' AND state='queued'"
    hall.turn(at - 1)
    assert hall.db.execute(count).fetchone() == (0,)
    audit.append(hall.db, at, "chen", "alert.ack", {})
    hall.turn(at)
    hall.restart()
    hall.turn(at + 1)
    heads = hall.db.execute(
        "SELECT text FROM notification WHERE kind='test' AND role<>'siren'"
    ).fetchall()
    assert [f"审计链头：{audit.head(hall.db)}" in text for (text,) in heads] == [True] * 4
    assert hall.db.execute(count).fetchone() == (4,), "once to each address"
    shown = hall.db.execute("SELECT device, do FROM command").fetchall()
    assert shown == [("desk-01", "show")]
    hall.db.execute("UPDATE notification SET state='sent' WHERE kind='test' AND url_index=0")
    hall.db.execute("UPDATE command SET state='done'")
    hall.turn(at + TEST_WAITS_MS)
    assert hall.alerts("notify.chain") == [("gateway", "warning", "unacknowledged")]
    assert "详情：未送达 duty-2" in hall.told("notify.chain")[0].splitlines()
    hall.turn(at + DAY)
    assert hall.alerts("notify.chain")[0][2] == "unacknowledged", "until the next one has arrived"
    hall.db.execute("UPDATE notification SET state='sent' WHERE kind='test'")
    hall.db.execute("UPDATE command SET state='done'")
    hall.turn(at + DAY + TEST_WAITS_MS)
    assert hall.alerts("notify.chain") == [("gateway", "warning", "returned")]


def test_no_test_is_sent_late(hall: Hall) -> None:
    hall.turn(NOON)
    assert hall.db.execute("SELECT count(*) FROM notification").fetchone() == (0,)
