"""The ladder: each step once whatever is restarted, nothing after an answer."""

from __future__ import annotations

import contextlib
import tempfile
from collections import Counter
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway import alerts, rules, site, store
from gateway.clock import parse_instant
from gateway.escalation import Escalation
from gateway.findings import Finding
from gateway.ladder import Step, audience_of, digest_at, steps
from gateway.lifecycle import Refused, Shelve
from gateway.notices import catalogue, joined
from gateway.selfalerts import OWN
from gateway.site import Site, Span
from gateway.turns import Turn

HALL = site.load(Path(__file__).parents[1] / "data" / "site.toml")
CHANNELS = {"duty": ("json", "mailto"), "facilities": ("json",), "manager": ("",)}
NIGHT = parse_instant("2026-07-01T22:40:00+08:00")
MINUTE = 60_000
LADDER = ((0, "siren"), (0, "audience"), (3 * MINUTE, "audience"), (10 * MINUTE, "manager"))
LOCKED = Finding(
    "exit.locked", "east-exit", "hall-1f", NIGHT, NIGHT, None, "critical", ("消防 三.3",)
)


class Hall:
    """A database and the stage, without rules, broker or clock."""

    def __init__(self, folder: Path, hall: Site = HALL) -> None:
        self.site = hall
        self.folder = folder
        self.db = store.open_writer(folder)
        self.woken = 0
        self.restart()

    def restart(self) -> None:
        self.db.close()
        self.db = store.open_writer(self.folder)
        self.stage = Escalation(self.site, CHANNELS, MINUTE, self._wake)
        self.stage.load(self.db, NIGHT)

    def flaps_at(self, now: int) -> int:
        self.turn(now)
        (flapping,) = self.db.execute("SELECT flapping FROM alert").fetchone()
        return int(flapping)

    def _wake(self) -> None:
        self.woken += 1

    def turn(self, now: int) -> None:
        turn = Turn(now, now / 1000)
        self.db.execute("BEGIN")
        self.stage.turn(self.db, turn)
        self.db.execute("COMMIT")
        self.stage.committed(turn)

    def open(self, now: int, finding: Finding = LOCKED) -> str:
        """A finding of which somebody must be told; the alert's id."""
        name = f"f-{finding.subject}"
        self.db.execute(
            "INSERT OR IGNORE INTO finding (id,rule,subject,zone,since,start,severity,cites,"
            "evidence,state,seen,changed) VALUES (?,?,?,?,?,?,?,'[\"消防 三.3\"]','{}','open',?,?)",
            (
                *(name, finding.rule, finding.subject, finding.zone, finding.since),
                *(finding.start, finding.severity, now, now),
            ),
        )
        alerts.raised(self.db, now, name, finding, self.site.noise)
        return f"a-{finding.subject}"

    def acknowledge(self, alert: str, now: int) -> None:
        alerts.acknowledge(self.db, now, alert, "值班员", self.site.noise)

    def told(self, *, state: str = "%") -> list[tuple[Any, ...]]:
        return self.db.execute(
            "SELECT step / 60000, kind, role, url_index, state FROM notification"
            " WHERE state LIKE ? ORDER BY id",
            (state,),
        ).fetchall()

    def sounded(self) -> list[str]:
        rows = self.db.execute("SELECT args FROM command WHERE do='sound' ORDER BY id")
        return [args.split('"')[3] for (args,) in rows]


@pytest.fixture
def hall(tmp_path: Path) -> Any:
    made = Hall(tmp_path)
    yield made
    made.db.close()


def test_the_ladder_of_a_critical_alert(hall: Hall) -> None:
    hall.open(NIGHT)
    hall.turn(NIGHT)
    at_once = [
        (0, "siren", "siren", 0, "sent"),
        (0, "message", "duty", 0, "queued"),
        (0, "message", "duty", 1, "queued"),
        (0, "message", "facilities", 0, "queued"),
    ]
    assert hall.told() == at_once
    assert hall.sounded() == ["alarm"]
    assert hall.woken == 1
    hall.turn(NIGHT + 3 * MINUTE - 1)
    assert hall.told() == at_once
    hall.restart()
    hall.turn(NIGHT + 3 * MINUTE)
    assert [row[:3] for row in hall.told()[4:]] == [
        *[(3, "message", "duty")] * 2,
        (3, "message", "facilities"),
    ]
    hall.turn(NIGHT + 10 * MINUTE)
    assert hall.told()[7:] == [(10, "message", "manager", 0, "unaddressed")]
    assert hall.sounded() == ["alarm"]


def test_an_answer_stops_what_is_to_come_and_the_noise(hall: Hall) -> None:
    alert = hall.open(NIGHT)
    other = hall.open(NIGHT, replace(LOCKED, subject="main-door"))
    hall.turn(NIGHT)
    hall.acknowledge(alert, NIGHT + MINUTE)
    hall.turn(NIGHT + MINUTE)
    assert len(hall.told(state="stopped")) == 3
    assert hall.sounded() == ["alarm"], "the other one still sounds"
    hall.acknowledge(other, NIGHT + 2 * MINUTE)
    hall.turn(NIGHT + 2 * MINUTE)
    assert hall.sounded() == ["alarm", "off"]
    hall.turn(NIGHT + 60 * MINUTE)
    assert {row[0] for row in hall.told()} == {0}


def test_what_is_over_before_its_turn_is_not_told(hall: Hall) -> None:
    hall.open(NIGHT)
    alerts.returned(hall.db, NIGHT, "f-east-exit", HALL.noise)
    hall.turn(NIGHT)
    assert hall.told() == []


def test_a_shelved_alert_comes_back(hall: Hall) -> None:
    alert = hall.open(NIGHT, replace(LOCKED, rule="firedoor.open", severity="warning"))
    hall.turn(NIGHT)
    alerts.apply(hall.db, NIGHT, alert, Shelve(30 * MINUTE), HALL.noise)
    hall.turn(NIGHT + 20 * MINUTE)
    assert {row[0] for row in hall.told()} == {0}
    hall.restart()
    hall.turn(NIGHT + 30 * MINUTE)
    assert hall.told()[2:] == [
        (0, "message", "duty", 0, "queued"),
        (0, "message", "duty", 1, "queued"),
    ]
    text = hall.db.execute("SELECT text FROM notification ORDER BY id DESC").fetchone()[0]
    assert "搁置或维护已结束，仍未解除" in text.splitlines()
    hall.turn(NIGHT + 45 * MINUTE)
    assert (15, "message", "manager", 0, "unaddressed") in hall.told()


def test_notices_are_collected_until_the_morning(hall: Hall) -> None:
    hall.open(NIGHT, replace(LOCKED, rule="lights.daylight", severity="notice"))
    hall.turn(NIGHT)
    assert hall.told() == [(0, "digest", "facilities", 0, "queued")]
    (at,) = hall.db.execute("SELECT next_at FROM notification").fetchone()
    assert at == parse_instant("2026-07-02T08:00:00+08:00")
    assert digest_at(at - 1, 480, HALL.timezone) == at
    assert digest_at(at, 480, HALL.timezone) == at + 24 * 60 * MINUTE


def test_the_message(hall: Hall) -> None:
    hall.open(NIGHT)
    hall.db.execute(
        "INSERT INTO pending_switch (finding,device,ch,do,args,zone,due,state)"
        " VALUES ('f-east-exit','a','b','off','{}','z',0,'waiting')"
    )
    hall.turn(NIGHT + 3 * MINUTE)
    first, *_, last = [
        text
        for (text,) in hall.db.execute(
            "SELECT text FROM notification WHERE kind='message' ORDER BY id"
        )
    ]
    assert first.splitlines() == [
        "【紧急】安全出口上锁：东安全出口（一楼大厅）",
        "Exit locked",
        "地点：东安全出口（一楼大厅）",
        "起始：2026-07-01 22:40",
        "依据：消防 三.3",
        "已做：5 分钟后断开，按延时键保留",
        "请做：立即打开安全出口，确认通道畅通",
    ]
    assert "已 3 分钟无人确认" in last.splitlines()
    assert joined([first, last]) == f"{first}\n\n{last}"
    assert joined([first] * 50).splitlines() == [first.splitlines()[0]] * 40 + [
        "另有 10 条，见告警页"
    ]


def test_every_rule_has_its_words() -> None:
    texts = catalogue()
    ids = {rule.id for rule in rules.RULES}
    every = ids | set(OWN)
    assert every <= set(texts["title"])
    assert every <= set(texts["todo"])
    assert {r.severity for r in rules.RULES} <= set(texts["words"])


def test_whom_a_rule_tells() -> None:
    assert audience_of("exit.locked", CHANNELS) == ("duty", "facilities")
    assert audience_of("fire.contact", CHANNELS) == ("duty", "facilities", "manager")
    assert audience_of("fire.contact", {}) == ("everyone",)
    assert audience_of("no.such-rule", CHANNELS) == ("duty",)


LADDERS = st.lists(
    st.tuples(
        st.integers(0, 20 * MINUTE), st.sampled_from(["siren", "audience", "duty", "digest"])
    ),
    max_size=5,
).map(lambda rungs: tuple(sorted(rungs)))


@given(LADDERS, st.integers(0, 30 * MINUTE), st.integers(0, 30 * MINUTE))
def test_steps_only_grow_and_none_is_slept_through(
    ladder: tuple[tuple[int, str], ...], one: int, more: int
) -> None:
    before = steps(ladder, ("duty",), "unacknowledged", NIGHT, NIGHT + one)
    after = steps(ladder, ("duty",), "unacknowledged", NIGHT, NIGHT + one + more)
    assert set(before.due) <= set(after.due)
    assert len(set(after.due)) == len(after.due)
    if before.following is None or NIGHT + one + more < before.following:
        assert before == after
    assert steps(ladder, ("duty",), "acknowledged", NIGHT, NIGHT + one).due == ()


DEEDS = st.lists(
    st.one_of(
        st.integers(1, 20 * MINUTE),  # time goes by, and a turn
        st.sampled_from(["turn", "restart", "ack", "return", "again", "shelve", "close", "undone"]),
    ),
    max_size=30,
)


class Truth:
    """What must have been told of a critical alert, kept apart from the code that tells it."""

    def __init__(self) -> None:
        self.state, self.round, self.began, self.answered = "unacknowledged", 1, NIGHT, 0
        self.expected: set[tuple[int, Step]] = set()

    def open(self, now: int) -> None:
        self.state, self.round, self.began = "unacknowledged", self.round + 1, now

    def deed(self, what: str, now: int) -> None:
        if what == "ack" and self.state in ("unacknowledged", "returned"):
            self.state = "acknowledged" if self.state == "unacknowledged" else "normal"
            self.answered = now
        elif what == "return":
            over = {"unacknowledged": "returned", "acknowledged": "normal"}
            self.state = over.get(self.state, self.state)
        elif what == "again" and self.state in ("returned", "normal", "closed"):
            self.open(now)
        elif what == "close" and self.state in ("returned", "normal"):
            self.state = "closed"

    def pass_to(self, now: int) -> None:
        if self.state == "acknowledged" and now >= self.answered + HALL.noise.remind_critical:
            self.open(now)
        if self.state == "unacknowledged":
            for offset, target in LADDER:
                roles = ("duty", "facilities") if target == "audience" else (target,)
                kind = "siren" if target == "siren" else "message"
                if self.began + offset <= now:
                    self.expected |= {(self.round, Step(offset, kind, role)) for role in roles}


@settings(deadline=None, max_examples=50)
@given(DEEDS)
def test_no_history_loses_a_critical_alert_or_tells_a_step_twice(deeds: list[int | str]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        hall = Hall(Path(folder))
        alert, now, truth = hall.open(NIGHT), NIGHT, Truth()
        noise = HALL.noise
        for deed in ["turn", *deeds]:
            now += 1  # commands of one millisecond have no order
            if isinstance(deed, int):
                now += deed
            elif deed == "restart":
                hall.restart()
            elif deed == "undone":  # a turn whose transaction fails, and runs again
                hall.db.execute("BEGIN")
                hall.stage.turn(hall.db, Turn(now, now / 1000))
                hall.db.execute("ROLLBACK")
                hall.stage.load(hall.db, now)
            elif deed == "shelve":
                with pytest.raises(Refused):
                    alerts.apply(hall.db, now, alert, Shelve(MINUTE), noise)
            elif deed == "ack":
                hall.acknowledge(alert, now)
            elif deed == "return":
                alerts.returned(hall.db, now, "f-east-exit", noise)
            elif deed == "close":
                with contextlib.suppress(Refused):
                    alerts.close(hall.db, now, alert, "值班员", "", noise)
            elif deed == "again":
                hall.open(now)
            if isinstance(deed, str):
                truth.deed(deed, now)
            hall.turn(now)
            truth.pass_to(now)
            (state,) = hall.db.execute("SELECT state FROM alert").fetchone()
            assert state == {"closed": "normal"}.get(truth.state, truth.state)
        rows = hall.db.execute(
            "SELECT round, step, kind, role, url_index FROM notification"
        ).fetchall()
        assert {(row[0], Step(*row[1:4])) for row in rows} == truth.expected
        assert max(Counter(rows).values()) == 1
        alarms = {number for number, step in truth.expected if step.kind == "siren"}
        assert hall.sounded().count("alarm") == len(alarms)
        if truth.state != "unacknowledged":
            assert hall.sounded()[-1] == "off"
        if truth.state in ("acknowledged", "normal", "closed"):
            assert hall.told(state="queued") == []
        hall.db.close()


# --- many, often, at night ------------------------------------------------------------------

SILENT = replace(LOCKED, rule="device.silent", zone=None, severity="warning")


def silent(hall: Hall, now: int, *numbers: int) -> None:
    for n in numbers:
        hall.open(now, replace(SILENT, subject=f"pm-{n:02}"))


def texts(hall: Hall, kind: str = "message") -> list[str]:
    rows = hall.db.execute(
        "SELECT text FROM notification WHERE kind=? AND role<>'manager' ORDER BY id", (kind,)
    )
    return [text for (text,) in rows]


def test_eighty_devices_at_once_are_one_message_with_the_list(hall: Hall) -> None:
    silent(hall, NIGHT, *range(80))
    hall.turn(NIGHT)
    (text,) = texts(hall)
    assert text.splitlines()[0] == "【警告】设备离线：pm-00 等 80 处"
    assert "pm-00、pm-01、pm-02" in text
    states = hall.db.execute("SELECT count(*), count(leader) FROM alert").fetchone()
    assert tuple(states) == (80, 80), "the page has them all"
    silent(hall, NIGHT + MINUTE // 2, 80, 81)
    hall.turn(NIGHT + MINUTE // 2)
    hall.restart()
    hall.turn(NIGHT + MINUTE)
    assert texts(hall, "update")[0].splitlines()[0] == "【警告】设备离线：pm-00 等 82 处"
    hall.turn(NIGHT + 2 * MINUTE)
    assert (len(texts(hall)), len(texts(hall, "update"))) == (1, 1)
    done = alerts.acknowledge(hall.db, NIGHT + 3 * MINUTE, "a-pm-00", "值班员", HALL.noise)
    assert len(done) == 82
    hall.turn(NIGHT + 20 * MINUTE)
    assert len(texts(hall)) == 1


def test_a_leader_that_is_over_still_climbs_for_the_others(hall: Hall) -> None:
    silent(hall, NIGHT, *range(6))
    hall.turn(NIGHT)
    alerts.returned(hall.db, NIGHT + MINUTE, "f-pm-00", HALL.noise)
    hall.turn(NIGHT + MINUTE)
    hall.turn(NIGHT + 15 * MINUTE)
    assert hall.told()[-1] == (15, "message", "manager", 0, "unaddressed")


def test_critical_alerts_are_never_one(hall: Hall) -> None:
    for n in range(8):
        hall.open(NIGHT, replace(LOCKED, subject=f"exit-{n}"))
    hall.turn(NIGHT)
    assert len({row[0] for row in hall.db.execute("SELECT alert FROM notification")}) == 8


def test_one_that_flaps_is_counted_and_told_only_so_often(hall: Hall) -> None:
    door = replace(LOCKED, rule="firedoor.open", severity="warning", subject="fire-door-1")
    for n in range(10):
        hall.open(NIGHT + n * MINUTE, door)
        hall.turn(NIGHT + n * MINUTE)
        alerts.returned(hall.db, NIGHT + n * MINUTE + 1, "f-fire-door-1", HALL.noise)
    told = texts(hall)[::2]  # duty has two addresses
    assert len(told) == HALL.noise.flap_set
    assert "近期反复出现 4 次，之后的重复不再单独通知" in told[-1]
    row = hall.db.execute("SELECT state, flapping FROM alert").fetchone()
    assert tuple(row) == ("returned", 1), "the page still shows it, unacknowledged"
    calm = NIGHT + 8 * MINUTE + HALL.noise.flap_within
    assert (hall.flaps_at(calm - 1), hall.flaps_at(calm)) == (1, 0), "quiet for so long"
    assert [(what, one["flapping"]) for what, one in hall.stage.committed(Turn(calm, 0.0))] == [
        ("alert", False)
    ]
    later = NIGHT + 40 * MINUTE
    hall.open(later, door)
    hall.turn(later)
    assert len(texts(hall)[::2]) == HALL.noise.flap_set + 1, "calm again: told again"


def test_a_storm_is_told_of_once_and_shown_in_full(tmp_path: Path) -> None:
    noise = replace(HALL.noise, storm_at=3, group_at=1000)
    hall = Hall(tmp_path, replace(HALL, noise=noise))
    silent(hall, NIGHT, *range(20))
    hall.open(NIGHT)
    hall.turn(NIGHT)
    hall.turn(NIGHT + 1)
    states = Counter(row[4] for row in hall.told() if row[2] == "facilities")
    assert states == {"queued": 3 + 2, "held": 17}, "with the critical one and the storm itself"
    assert any("告警过多" in text for text in texts(hall))
    hall.turn(NIGHT + noise.storm_within + 1)
    row = hall.db.execute("SELECT state FROM alert WHERE rule='alert.storm'").fetchone()
    assert tuple(row) == ("returned",)
    hall.db.close()


def test_quiet_hours_wait_for_the_morning_and_critical_passes(tmp_path: Path) -> None:
    noise = replace(HALL.noise, quiet=Span(22 * 60, 7 * 60), recoveries=True)
    hall = Hall(tmp_path, replace(HALL, noise=noise))
    hall.open(NIGHT, replace(LOCKED, rule="firedoor.open", severity="warning"))
    hall.open(NIGHT, replace(LOCKED, subject="main-door"))
    hall.turn(NIGHT)
    alerts.returned(hall.db, NIGHT + MINUTE, "f-east-exit", noise)
    alerts.returned(hall.db, NIGHT + MINUTE, "f-main-door", noise)
    hall.turn(NIGHT + MINUTE)
    morning = parse_instant("2026-07-02T07:00:00+08:00")
    due = hall.db.execute(
        "SELECT a.severity, n.kind, n.next_at FROM notification n JOIN alert a ON a.id=n.alert"
        " WHERE n.role='duty' AND n.url_index=0 ORDER BY n.id"
    ).fetchall()
    assert set(map(tuple, due)) == {
        ("warning", "message", morning),
        ("warning", "recovery", morning),
        ("critical", "message", NIGHT),
        ("critical", "recovery", NIGHT + MINUTE),
    }
    assert texts(hall, "recovery")[0].startswith("【已恢复】")
    hall.db.close()


def test_acknowledged_by_mistake_it_is_told_again_while_it_lasts(hall: Hall) -> None:
    alert = hall.open(NIGHT)
    hall.turn(NIGHT)
    hall.acknowledge(alert, NIGHT + MINUTE)
    hall.turn(NIGHT + MINUTE)
    again = NIGHT + MINUTE + HALL.noise.remind_critical
    hall.turn(again - 1)
    hall.restart()
    hall.turn(again)
    assert hall.sounded() == ["alarm", "off", "alarm"]
    assert "再次提醒：已确认，但仍未解除" in texts(hall)[-1].splitlines()
    assert [row[0] for row in hall.told(state="queued")] == [0, 0, 0]


def test_nobody_answers_and_nothing_closes_by_itself(hall: Hall) -> None:
    alert = hall.open(NIGHT)
    for hour in range(49):
        hall.turn(NIGHT + 60 * hour * MINUTE)
        if hour == 24:
            hall.restart()
            alerts.returned(hall.db, NIGHT + 60 * hour * MINUTE, "f-east-exit", HALL.noise)
    (state,) = hall.db.execute("SELECT state FROM alert WHERE id=?", (alert,)).fetchone()
    assert (state, {row[0] for row in hall.told()}) == ("returned", {0, 3, 10})


def test_maintenance_that_is_forgotten_ends_by_itself(hall: Hall) -> None:
    door = replace(LOCKED, rule="firedoor.open", severity="warning", subject="fire-door-1")
    hours4 = 240 * MINUTE
    hall.db.execute(
        'INSERT INTO maintenance (id,what,kind,"from","to",reason,who)'
        " VALUES ('m','fire-door-1','maintenance',?,?,'换闭门器','后勤')",
        (NIGHT, NIGHT + hours4),
    )
    hall.open(NIGHT + MINUTE, door)
    hall.open(NIGHT + MINUTE, replace(LOCKED, subject="fire-door-1x"))
    hall.turn(NIGHT + MINUTE)
    assert {row[2] for row in hall.told()} == {"siren", "duty", "facilities"}, "the critical one"
    state = "SELECT state FROM alert WHERE id='a-fire-door-1'"
    assert hall.db.execute(state).fetchone() == ("suppressed",)
    hall.restart()
    hall.turn(NIGHT + hours4)
    assert hall.db.execute(state).fetchone() == ("unacknowledged",)
    assert "搁置或维护已结束，仍未解除" in texts(hall)[-1]
