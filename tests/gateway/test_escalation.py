"""The ladder: each step once whatever is restarted, nothing after an answer."""

from __future__ import annotations

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
from gateway.escalation import Escalation, Step, audience_of, digest_at, steps
from gateway.findings import Finding
from gateway.notices import catalogue, joined
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

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.db = store.open_writer(folder)
        self.woken = 0
        self.restart()

    def restart(self) -> None:
        self.db.close()
        self.db = store.open_writer(self.folder)
        self.stage = Escalation(HALL, CHANNELS, MINUTE, self._wake)
        self.stage.load(self.db, NIGHT)

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
        alerts.raised(self.db, now, name, finding)
        return f"a-{finding.subject}"

    def acknowledge(self, alert: str, now: int) -> None:
        self.db.execute(
            "UPDATE alert SET state='acknowledged', acked_at=? WHERE id=?"
            " AND state='unacknowledged'",
            (now, alert),
        )

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
    assert hall.sounded() == ["alarm", "alarm"], "the other one still sounds"
    hall.acknowledge(other, NIGHT + 2 * MINUTE)
    hall.turn(NIGHT + 2 * MINUTE)
    assert hall.sounded() == ["alarm", "alarm", "off"]
    hall.turn(NIGHT + 60 * MINUTE)
    assert {row[0] for row in hall.told()} == {0}


def test_what_is_over_before_its_turn_is_not_told(hall: Hall) -> None:
    hall.open(NIGHT)
    alerts.returned(hall.db, NIGHT, "f-east-exit")
    hall.turn(NIGHT)
    assert hall.told() == []


def test_a_shelved_alert_comes_back(hall: Hall) -> None:
    alert = hall.open(NIGHT, replace(LOCKED, rule="firedoor.open", severity="warning"))
    hall.turn(NIGHT)
    hall.db.execute(
        "UPDATE alert SET state='shelved', shelved_until=? WHERE id=?",
        (NIGHT + 30 * MINUTE, alert),
    )
    hall.turn(NIGHT + 20 * MINUTE)
    assert {row[0] for row in hall.told()} == {0}
    hall.restart()
    hall.turn(NIGHT + 30 * MINUTE)
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
        "INSERT INTO pending_switch VALUES ('f-east-exit','a','b','off','{}','z',0,'waiting')"
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
    assert set(texts["title"]) == set(texts["todo"]) == ids
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
        st.integers(1, 4 * MINUTE),  # time goes by, and a turn
        st.sampled_from(["turn", "restart", "ack", "return", "again"]),
    ),
    max_size=25,
)


@settings(deadline=None, max_examples=60)
@given(DEEDS)
def test_no_history_tells_a_step_twice_or_after_an_answer(deeds: list[int | str]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        hall = Hall(Path(folder))
        alert, now, state = hall.open(NIGHT), NIGHT, "unacknowledged"
        expected: set[Step] = set()
        for deed in ["turn", *deeds]:
            now += 1  # commands of one millisecond have no order
            if isinstance(deed, int):
                now += deed
            elif deed == "restart":
                hall.restart()
            elif deed == "ack" and state == "unacknowledged":
                hall.acknowledge(alert, now)
                state = "acknowledged"
            elif deed == "return":
                alerts.returned(hall.db, now, "f-east-exit")
                state = {"unacknowledged": "returned", "acknowledged": "normal"}.get(state, state)
            elif deed == "again":
                hall.open(now)
                state = "unacknowledged" if state in ("returned", "normal") else state
            hall.turn(now)
            if state == "unacknowledged":
                for offset, target in LADDER:
                    roles = ("duty", "facilities") if target == "audience" else (target,)
                    kind = "siren" if target == "siren" else "message"
                    if NIGHT + offset <= now:
                        expected |= {Step(offset, kind, role) for role in roles}
        rows = hall.db.execute("SELECT step, kind, role, url_index FROM notification").fetchall()
        assert {Step(*row[:3]) for row in rows} == expected
        assert max(Counter(rows).values()) == 1
        assert hall.sounded().count("alarm") == 1
        if state != "unacknowledged":
            assert hall.sounded()[-1] == "off"
        if state in ("acknowledged", "normal"):
            assert hall.told(state="queued") == []
        hall.db.close()
