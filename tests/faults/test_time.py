"""Clocks, calendars and long times (rows 18, 30–32 and 44–47 of the list of faults), in the time of
the test: a whole day of a hall is some seconds."""

from __future__ import annotations

import contextlib
import gc
import json
import random
import signal
import tracemalloc
from collections.abc import Callable, Iterator
from datetime import date, datetime, timedelta
from functools import _lru_cache_wrapper
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
import structlog
from hypothesis import given, settings
from hypothesis import strategies as st

from firmware.clock import Boots, Clock
from gateway import house as living
from gateway import pipeline, schedules, site, stages, store, workdays
from gateway.clock import parse_instant
from gateway.errors import InputFault
from gateway.events import Refused, decode
from gateway.journal import Journal
from gateway.logs import Limit
from gateway.site import Span
from gateway.turns import Turn
from tests.gateway.test_serve import SITE, Gateway
from tests.parts import stop
from tests.waiting import wait_for

OPEN = parse_instant("2026-07-01T10:00:00+08:00")
CLOSED = parse_instant("2026-07-01T19:00:00+08:00")
HOUR, BACK = 3_600_000, 5 * 365 * 86_400_000
LOG = "9f3a1c22"


class House:
    """Every stage of a hall, driven turn by turn on clocks of the test's own."""

    def __init__(self, data: Path, now: int, config: Path = SITE) -> None:
        options = pipeline.parse(config, data, "embedded", "127.0.0.1:1", "127.0.0.1:2", None, 1)
        hall = site.load(config)
        self.db = store.open_writer(data)
        self.now, self.mono = now, 1000.0
        living.begin(self.db, now, config, hall.timezone)
        self.stages = stages.of(living.House(options, hall, living.Ending()))
        self.journal = Journal()
        self.seq: dict[str, int] = {}
        self.load()

    def load(self) -> None:
        self.journal.load(self.db)
        for stage in self.stages:
            stage.load(self.db, self.now)

    def say(self, device: str, t: int | None, **what: Any) -> None:
        """An event that arrives in the coming turn."""
        seq = self.seq[device] = self.seq.get(device, 0) + 1
        up = int(self.mono * 1000)
        raw = json.dumps({"log": LOG, "seq": seq, "boot": 1, "up": up, "t": t} | what).encode()
        for part, event in decode(raw):
            assert not isinstance(event, Refused), event
            self.journal.accept(self.db, device, part, event, self.now)

    def turn(self, ms: int = 200, leap: int = 0) -> None:
        """So much later, with the clock set forward or back by `leap` besides."""
        self.db.execute("BEGIN")
        stored, lost = self.journal.write(self.db)
        turn = Turn(self.now, self.mono, stored, lost)
        for stage in self.stages:
            stage.turn(self.db, turn)
        self.db.execute("COMMIT")
        for stage in self.stages:
            stage.committed(turn)
        self.now += ms + leap
        self.mono += ms / 1000

    def rows(self, sql: str) -> list[Any]:
        return self.db.execute(sql).fetchall()


@pytest.fixture
def house(tmp_path: Path) -> Iterator[Callable[[int], House]]:
    made: list[House] = []

    def make(now: int) -> House:
        made.append(House(tmp_path / f"{len(made)}", now))
        return made[-1]

    yield make
    for one in made:
        one.db.close()


# -- a replay that is hours late (row 18)

FINDINGS = (
    "SELECT rule, subject, start, \"end\", evidence FROM finding WHERE state != 'withdrawn'"
    " ORDER BY start, rule, subject"
)


def evening() -> list[tuple[str, int, dict[str, Any]]]:
    """(device, t, what) of lights in an empty hall that went off at 23:58."""
    said: list[tuple[str, int, dict[str, Any]]] = []
    for minute in range(0, 11 * 60, 5):
        t = CLOSED + minute * 60_000
        watts = 0.0 if minute >= 298 else 900.0
        said.append(("pm-01", t, {"kind": "power", "ch": "c1", "w": watts}))
        said.append(("occ-01", t, {"kind": "presence", "ch": "p1", "present": False}))
    said.append(("pm-01", CLOSED + 298 * 60_000, {"kind": "power", "ch": "c1", "w": 0.0}))
    return sorted(said, key=lambda one: one[1])


def test_a_replay_that_is_hours_late_ends_as_if_it_had_been_on_time(
    house: Callable[[int], House],
) -> None:
    """23:58 is learnt at 06:00, in any order: the findings are those of a night without an outage,
    and what is over by then neither tells anybody nor switches anything."""
    ends = []
    for order in ("on time", "late", "late, shuffled", "late, backwards"):
        hall = house(CLOSED - HOUR)
        said = evening()
        numbered = [(n, *one) for n, one in enumerate(said, 1)]
        late = [one for one in numbered if order != "on time" and one[2] >= CLOSED + 60_000]
        if order == "late, shuffled":
            random.Random(3).shuffle(late)
        elif order == "late, backwards":
            late.reverse()
        waiting = [one for one in numbered if one not in late]
        end = CLOSED + 11 * HOUR
        while hall.now < end:
            while waiting and waiting[0][2] <= hall.now:
                speak(hall, *waiting.pop(0))
            hall.turn(60_000)
        before = hall.rows("SELECT count(*) FROM command WHERE do IN ('on', 'off', 'set')")
        told = hall.rows("SELECT count(*) FROM notification WHERE kind='message'")
        if not late:
            assert min(before[0][0], told[0][0]) > 0, "on time it does switch and tell"
        for one in late:
            speak(hall, *one)
        hall.turn(200)
        for _ in range(30):
            hall.turn(1000)
        if late:
            after = hall.rows("SELECT count(*) FROM command WHERE do IN ('on', 'off', 'set')")
            assert after == before, "late evidence switched something"
            known = hall.rows("SELECT count(*) FROM notification WHERE kind='message'")
            assert known == told, "late evidence told somebody of what was over"
        ends.append([row for row in hall.rows(FINDINGS) if row[0].startswith("lights.")])
    assert ends[0], "there is something to find"
    assert all(one == ends[0] for one in ends[1:])


def speak(hall: House, seq: int, device: str, t: int, what: dict[str, Any]) -> None:
    hall.seq[device] = seq - 1
    hall.say(device, t, **what)


# -- the gateway's own clock (rows 44 and 45)


def test_an_hour_forward_and_five_years_back_are_told_and_the_rules_go_on(
    house: Callable[[int], House],
) -> None:
    hall = house(OPEN)
    hall.say("pm-01", hall.now, kind="power", ch="c1", w=900.0)
    for _ in range(20):
        hall.turn()
    for leap in (HOUR, -BACK, BACK - HOUR):
        hall.turn(leap=leap)
        smoke = leap != HOUR
        hall.say("pm-01", hall.now, kind="detector", ch="d1", what="smoke", active=smoke)
        for _ in range(40):
            hall.turn()
        fires = "SELECT count(*) FROM finding WHERE rule='fire.contact' AND state='open'"
        assert hall.rows(fires)[0][0] == (1 if smoke else 0), f"after a leap of {leap} ms"
        hall.say("pm-01", hall.now, kind="detector", ch="d1", what="smoke", active=False)
        for _ in range(40):
            hall.turn()
        assert hall.rows(fires)[0][0] == 0, f"the fire is over after a leap of {leap} ms"
    leaps = [
        json.loads(a)["by_ms"]
        for (a,) in hall.rows("SELECT about FROM audit WHERE what='clock.jumped' ORDER BY id")
    ]
    assert leaps == [HOUR, -BACK, BACK - HOUR]
    assert hall.rows("SELECT count(*) FROM alert WHERE rule='gateway.clock'") == [(3,)]


def test_ten_thousand_turns_of_an_even_clock_are_no_leap(house: Callable[[int], House]) -> None:
    hall = house(OPEN)
    for _ in range(500):
        hall.turn(1999)
    assert hall.rows("SELECT count(*) FROM audit WHERE what='clock.jumped'") == [(0,)]


@pytest.mark.parametrize("ppm", [200, -200])
def test_three_days_without_a_time_server_and_a_quartz_that_is_off(
    ppm: int, house: Callable[[int], House], tmp_path: Path
) -> None:
    """The firmware's own clock, on a quartz 200 ppm off: 52 s wrong after three days alone, under
    2 s from the first `time` on and while it hears one every 20 s; the gateway shows its own clock
    unsynchronised meanwhile."""
    true = [0.0]  # ms since the device's boot
    boots = Boots(str(tmp_path)).load().begin()
    clock = Clock(boots, lambda: int(true[0] * (1 + ppm / 1e6)) % 2**30, 2**30)

    def off() -> int:
        now = clock.now()
        assert now is not None
        return now - (OPEN + int(true[0]))

    clock.learn(OPEN)
    for _ in range(3 * 24):  # the contract's clock asks once a day at least
        true[0] += HOUR
        clock.up()
    assert 50_000 < abs(off()) < 55_000
    for _ in range(3 * 180):
        clock.learn(OPEN + int(true[0]))
        assert abs(off()) < 2000
        true[0] += 20_000
        assert abs(off()) < 2000
    hall = house(OPEN)
    for unsynced in (False, True, False):
        hall.stages[0]._upkeep.unsynced = unsynced  # type: ignore[attr-defined]
        hall.turn()
        hall.turn()
        standing = "SELECT evidence FROM finding WHERE rule='gateway.clock' AND \"end\" IS NULL"
        shown = hall.rows(standing)
        assert [json.loads(e) for (e,) in shown] == ([{"unsynced": True}] if unsynced else [])


# -- years without a calendar, other zones, a leap second (rows 46 and 47)


def test_a_year_without_a_calendar_is_provisional_and_fire_goes_on(
    house: Callable[[int], House],
) -> None:
    """A Wednesday at ten, which is 1 January: by the standing holidays the hall is closed."""
    begin = parse_instant("2031-01-01T10:00:30+08:00")
    hall = house(begin - HOUR)
    calendar = workdays.load(site.load(SITE), None)
    assert calendar.is_provisional(date(2031, 1, 1))
    while hall.now < begin:
        hall.turn(60_000)
    hall.say("pm-01", hall.now, kind="detector", ch="d1", what="smoke", active=True)
    hall.say("door-01", hall.now, kind="contact", ch="c1", open=False)
    for _ in range(15):
        hall.turn()
    hall.say("door-01", hall.now, kind="contact", ch="c1", open=True)
    for _ in range(330):
        hall.turn()
    found = {rule for (rule,) in hall.rows("SELECT rule FROM finding WHERE state='open'")}
    assert {"fire.contact", "premises.entry"} <= found, found


CHANGES = {  # some days before the clocks change
    "Europe/London": [date(2026, 3, 25), date(2026, 10, 20)],
    "America/New_York": [date(2026, 3, 3), date(2026, 10, 27)],
    "Australia/Lord_Howe": [date(2026, 4, 1), date(2026, 9, 30)],
    "Asia/Shanghai": [date(2026, 12, 28)],
}


@settings(max_examples=25, deadline=None)
@given(
    st.sampled_from([(zone, day) for zone, days in CHANGES.items() for day in days]),
    st.sampled_from([Span(9 * 60, 10 * 60), Span(90, 210), Span(23 * 60, 60)]),
    st.integers(0, 4),
)
def test_each_local_day_opens_once_in_every_zone(
    where: tuple[str, date], span: Span, later: int
) -> None:
    """The hours of a day begin and end once each, by its own clock, also on the days on which
    clocks change and in the hour that they leave out or repeat."""
    zone, first = where[0], where[1] + timedelta(days=later)
    schedule = schedules.between(span, zone)
    begin = datetime(first.year, first.month, first.day, 12, tzinfo=ZoneInfo(zone))
    at: int | None = int(begin.timestamp() * 1000)
    end = int((begin + timedelta(days=9)).timestamp() * 1000)
    opened: list[datetime] = []
    was = False
    while at is not None and at < end:
        value, following = schedule(at)
        if value and not was:
            opened.append(datetime.fromtimestamp(at / 1000, ZoneInfo(zone)))
        was, at = value, following
    days = [one.date() for one in opened]
    assert len(set(days)) == len(days)
    assert set(days) >= {first + timedelta(days=n) for n in range(1, 9)}
    if span.begin != 90:  # at half past one there may be no such minute
        assert {60 * one.hour + one.minute for one in opened} == {span.begin}


@pytest.mark.parametrize("text", ["2026-06-30T23:59:60+08:00", "2016-12-31T23:59:60Z"])
def test_a_leap_second_is_refused_by_name(text: str) -> None:
    with pytest.raises(InputFault, match="23:59:60"):
        parse_instant(text)


# -- weeks of running (row 30), a log that would fill the disk (row 31)


STEP_MIN = 5
MOST_A_DAY = 100_000  # bytes


def emptied() -> None:
    """Nothing is left that is not held on purpose."""
    for cache in [one for one in gc.get_objects() if isinstance(one, _lru_cache_wrapper)]:
        cache.cache_clear()
    gc.collect()


def grown(hall: House, days: int, leak: list[bytes] | None = None) -> int:
    """Bytes that are allocated now and were not before so many days of a hall, without what is
    cached and has a bound."""
    emptied()
    before = tracemalloc.get_traced_memory()[0]
    for step in range(days * 24 * 60 // STEP_MIN):
        hall.say("pm-01", hall.now, kind="power", ch="c1", w=float(step % 9 * 100))
        hall.say("door-02", hall.now, kind="contact", ch="c1", open=step % 2 == 0)
        if step % 7 == 0:
            hall.say("pad-w01", hall.now, kind="rating", level=1 + step % 5)
        if leak is not None:
            leak.append(bytes(1000))
        hall.turn(STEP_MIN * 60_000)
    emptied()
    return tracemalloc.get_traced_memory()[0] - before


def test_memory_does_not_grow_with_the_days(house: Callable[[int], House]) -> None:
    """The first day fills what is kept; after that next to nothing is added. A kilobyte lost every
    five minutes would be seen."""
    hall = house(parse_instant("2026-07-01T00:00:00+08:00"))
    tracemalloc.start(1)
    try:
        grown(hall, 1)
        assert grown(hall, 1) < MOST_A_DAY
        assert grown(hall, 1, leak=[]) > MOST_A_DAY, "the harness would not see a leak"
    finally:
        tracemalloc.stop()


def test_a_million_errors_are_thirty_lines_a_minute() -> None:
    limit, lines, left_out = Limit(), 0, 0
    for n in range(1_000_000):
        try:
            event = limit.at(n / 10_000, "turn.failed", {"event": "turn.failed"})
        except structlog.DropEvent:
            continue
        lines += 1
        left_out += event.get("left_out", 0)
    assert lines == 60
    assert left_out == 600_000 - 30, "what was left out is counted in the first line after"
    assert limit.at(0.0, "site.refused", {}) == {}, "others are heard"


# -- a site file that is wrong at a reload (row 32)


def test_no_faulty_site_file_takes_the_place_of_a_good_one(tmp_path: Path) -> None:
    config = tmp_path / "site.toml"
    good = SITE.read_text()
    config.write_text(good)
    gateway = Gateway(tmp_path / "data", "mqtt://127.0.0.1:1", config)
    with contextlib.suppress(AssertionError), pytest.MonkeyPatch.context() as patch:
        patch.setattr(gateway, "health", lambda: {"ok": True})  # there is no broker
        gateway.start()
    assert gateway.process is not None
    try:
        faulty = {
            "TOML": good + "\n[[zone",
            "unknown": good.replace("[hours]", "[hours]\nlunch = 1"),
            "25:00": good.replace('arrive = "08:00"', 'arrive = "25:00"'),
            "overlap": good.replace('"13:00-17:00"', '"11:00-17:00"'),
        }
        refused = "SELECT count(*) FROM audit WHERE what='site.refused'"
        for n, (name, text) in enumerate(faulty.items(), 1):
            assert text != good
            config.write_text(text)
            gateway.process.send_signal(signal.SIGHUP)
            wait_for(lambda: gateway.query(refused) == [(n,)], f"{name}: refused")  # noqa: B023
            assert "site" in gateway.health()["reasons"], name
        config.write_text(good)
        gateway.process.send_signal(signal.SIGHUP)
        wait_for(
            lambda: (
                gateway.query("SELECT count(*) FROM audit WHERE what='site.reloaded'") == [(1,)]
            ),
            "the good one",
        )
    finally:
        stop(gateway.process)
