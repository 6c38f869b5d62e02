"""What surrounds a pad's ratings: nothing enters one, who was on duty, coverage, the low score."""

from __future__ import annotations

import dataclasses
import json
import sqlite3
from datetime import date
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from gateway import site, store
from gateway.clock import parse_instant
from gateway.events import Event, decode_one
from gateway.journal import StoredEvent
from gateway.ratings import Press, coverage, duty, entering, low
from gateway.ratings.duty import Duty, Shift, Tap
from gateway.ratings.live import Ratings
from gateway.rules import check_settings
from gateway.turns import Turn
from tests.gateway.api.house import NOON, SITE, House

COLUMNS = "device, log, seq, boot, up, t, at, t_at, kind, payload, crc"
ENTER = f"INTO event ({COLUMNS}) VALUES ('pad-w01','0a0a0a0a',99,1,1,1,1,1,'rating','{{}}',0)"


@pytest.fixture
def house(tmp_path: Path):
    made = House(tmp_path)
    yield made
    made.close()


@pytest.mark.parametrize("verb", ["INSERT", "REPLACE", "INSERT OR IGNORE", "INSERT OR REPLACE"])
def test_nobody_enters_a_rating_by_sql(house: House, verb: str) -> None:
    house.event("pad-w01", 1, "rating", NOON, level=1)
    with pytest.raises(sqlite3.IntegrityError, match="cannot be entered"):
        house.db.execute(f"{verb} {ENTER}")  # even on the writer's own connection
    for opened in (sqlite3.connect(house.data / store.FILE), store.open_writer(house.data)):
        with pytest.raises(sqlite3.OperationalError, match="journal_stores"):
            opened.execute(f"{verb} {ENTER}")
        opened.close()
    assert house.db.execute("SELECT count(*) FROM event").fetchone()[0] == 1


def test_what_was_said_on_paper_or_by_phone_stands(house: House) -> None:
    house.db.execute(
        "INSERT INTO opinion VALUES ('o-1','paper','w01',?,1,NULL,'7',?,'li',NULL,NULL,NULL)",
        (NOON, NOON),
    )
    house.db.execute(
        "INSERT INTO opinion VALUES ('q-1','qr','w01',?,1,NULL,NULL,?,NULL,NULL,NULL,NULL)",
        (NOON, NOON),
    )
    for statement in (
        "DELETE FROM opinion",
        "UPDATE opinion SET level = 5",
        "UPDATE opinion SET struck_at = 1, struck_by = 'x', struck_why = 'y' WHERE channel = 'qr'",
        "UPDATE opinion SET struck_at = 1, struck_by = 'x'",
        "REPLACE INTO opinion SELECT id,channel,counter,t,5,visit,form,made_at,made_by,NULL,NULL,"
        "NULL FROM opinion",
    ):
        with pytest.raises(sqlite3.IntegrityError):
            house.db.execute(statement)
    strike = "UPDATE opinion SET struck_at = 1, struck_by = 'x', struck_why = 'y' WHERE id = 'o-1'"
    house.db.execute(strike)
    with pytest.raises(sqlite3.IntegrityError):
        house.db.execute(strike)


def at(text: str) -> int:
    return parse_instant(f"2026-07-01T{text}+08:00")


def test_who_is_on_duty() -> None:
    hall = site.load(SITE)
    people = (site.Person("04b1000001", "甲", "counter"),)
    hall = dataclasses.replace(hall, people=(*hall.people, *people))
    taps = [
        Tap("w01", at("10:00"), "乙"),
        Tap("w01", at("08:30"), "甲"),
        Tap("w01", at("18:00"), "乙"),
    ]
    shifts = [
        Shift("w01", "丙", "2026-07-01", "2026-07-31"),
        Shift("w01", "丁", "2026-07-01", "2026-07-01"),
    ]
    on = Duty(hall, taps, shifts).on
    assert on("w01", at("08:29")) == "丁"  # the roster, by its last word
    assert on("w01", at("09:00")) == "甲"  # tapped before opening: holds until noon
    assert on("w01", at("10:00")) == "乙"
    assert on("w01", at("11:59")) == "乙"
    assert on("w01", at("12:00")) == "丁"
    assert on("w01", at("19:00")) == "丁"  # a tap after closing is of no hours
    assert on("w01", at("09:00") + 86_400_000) == "丙"
    assert Duty(hall, [], []).on("w01", NOON) == "甲"
    assert Duty(site.load(SITE), [], []).on("w01", NOON) == duty.UNKNOWN


def test_a_silent_pad_is_not_a_bad_counter(house: House) -> None:
    day = date(2026, 7, 1)
    house.db.execute("INSERT OR REPLACE INTO meta VALUES ('first_start', '0')")
    house.db.execute(
        'INSERT INTO finding (id,rule,subject,zone,since,start,"end",severity,cites,evidence,state,'
        "seen,changed) VALUES ('f-1','device.silent','pad-w01',NULL,?,?,NULL,'warning','[]','{}',"
        "'open',0,0)",
        (at("11:00"), at("11:00")),
    )

    def share(now: int) -> float | None:
        hall, calendar = house.context.site, house.context.calendar
        return coverage.shares(house.reader(), hall, calendar, day, day, now)["w01"]

    assert share(at("10:00")) == 1
    assert share(at("13:00")) == pytest.approx(2 / 3)
    assert share(at("23:00")) == pytest.approx(2 / 7)
    assert share(at("08:00")) is None
    house.db.execute("UPDATE meta SET value = ? WHERE key = 'first_start'", (at("10:00"),))
    assert share(at("23:00")) == pytest.approx(1 / 6)  # from then on
    house.db.execute("UPDATE meta SET value = ? WHERE key = 'first_start'", (at("17:00"),))
    assert share(at("23:00")) is None  # closed at 17:00: nobody was there to hear


def recent(*levels: int, least: int = 10) -> low.Recent:
    made = low.Recent(low.Limits(4 * 3_600_000, least, 30))
    for seq, level in enumerate(levels):
        made.add(Press(1000 + seq, 1, seq, "0a", "p", level, None))
    return made


def test_low_score() -> None:
    assert recent(1, 1, 1, 1, 1, 1, 1, 1, 1).judge(2000) is None  # nine: too few
    assert recent(*[5] * 7, 1, 2, 2).judge(2000) == {
        **{"n": 10, "bad": 3, "share": 30.0, "channels": {"pad": 10, "qr": 0}},
        "zh": "10 条评价中差评 3 条，占 30.0%（评价器 10 条，二维码 0 条）",
        "en": "3 of 10 ratings are bad, 30.0 % (pad 10, QR page 0)",
    }
    assert recent(*[5] * 8, 1, 2).judge(2000) is None
    assert recent(*[1] * 10).judge(1000 + 4 * 3_600_000 + 10) is None  # they are over
    assert recent(1, 1, 1, 1, least=1).judge(2000) is None  # never of fewer than five
    assert not check_settings("rating.low", {"share": 20, "least": 5, "window": "2h"})


def press(seq: int, t: int) -> StoredEvent:
    event = decode_one(
        f'{{"log":"9f3a1c22","seq":{seq},"boot":1,"up":1,"t":{t},"kind":"rating","level":2}}'.encode()
    )
    assert isinstance(event, Event)
    return StoredEvent("pad-w01", "9f3a1c22", seq, 1, 1, t, t, event, new=True)


def test_low_score_is_a_finding_with_an_alert_and_ends(house: House) -> None:
    stage = Ratings(dataclasses.replace(house.context.site, timezone="Asia/Urumqi"))
    stage.load(house.db, NOON)
    told = []
    for seq in range(1, 11):
        stage.turn(house.db, Turn(NOON + seq * 20_000, 0, [press(seq, NOON + seq * 20_000)]))
        told += [data for kind, data in stage.committed(Turn(NOON, 0)) if kind == "finding"]
    assert told[0]["start"].endswith("+06:00"), "in the hall's own time zone"
    (found,) = house.db.execute("SELECT rule, subject, evidence, state FROM finding").fetchall()
    assert (found[0], found[1], found[3]) == ("rating.low", "w01", "open")
    assert json.loads(found[2]) == {
        **{"n": 10, "bad": 10, "share": 100.0, "channels": {"pad": 10, "qr": 0}},
        "zh": "10 条评价中差评 10 条，占 100.0%（评价器 10 条，二维码 0 条）",
        "en": "10 of 10 ratings are bad, 100.0 % (pad 10, QR page 0)",
    }
    assert house.db.execute("SELECT count(*) FROM alert").fetchone()[0] == 1
    stage.turn(house.db, Turn(NOON + 5 * 3_600_000, 0))
    assert house.db.execute("SELECT state FROM finding").fetchone()[0] == "ended"


def test_the_qr_page_counts_towards_a_low_score_and_paper_does_not(house: House) -> None:
    stage = Ratings(house.context.site)
    stage.load(house.db, NOON)
    told = []
    for number in range(12):
        now = NOON + number * 20_000
        if number < 6:
            stage.turn(house.db, Turn(now, 0, [press(number + 1, now)]))
        else:
            entering.qr(house.db, now, "w01", 1, f"slip-{number}")
            entering.paper(
                *(house.db, now, "li"),
                **{"counter": "w01", "day": date(2026, 7, 1), "level": 5, "form": str(number)},
                **{"visit": None, "zone": ZoneInfo("Asia/Shanghai")},
            )
            stage.turn(house.db, Turn(now, 0))
        told += [data["n"] for kind, data in stage.committed(Turn(now, 0)) if kind == "rating"]
    assert told == [5, 10, 15]  # pads, QR page and paper, in steps of five
    (found,) = house.db.execute("SELECT evidence FROM finding WHERE rule='rating.low'").fetchall()
    assert json.loads(found[0])["channels"] == {"pad": 6, "qr": 4}
    again = Ratings(house.context.site)
    again.load(house.db, NOON + 3_600_000)
    again.turn(house.db, Turn(NOON + 3_600_000, 0))
    told = again.committed(Turn(NOON + 3_600_000, 0))
    assert [kind for kind, _ in told if kind == "rating"] == []  # nothing is counted twice


def test_a_card_on_the_pad_is_read_from_the_store(house: House) -> None:
    house.event("pad-w01", 1, "tap", at("09:30"), tag="04B1000002")
    house.event("pad-w01", 2, "tap", at("10:30"), tag="0bad")  # nobody's post
    house.event("door-01", 3, "tap", at("11:00"), tag="04b1000001")  # no pad of a counter
    day = date(2026, 7, 1)
    on = duty.load(house.reader(), house.context.site, day, day).on
    assert on("w01", at("09:29")) == duty.UNKNOWN
    assert on("w01", at("11:30")) == "企业开办专窗 B 岗"
    assert on("w01", at("13:00")) == duty.UNKNOWN
