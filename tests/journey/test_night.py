"""One night at speed with the real firmware: in the morning the duty log equals the script's truth,
line by line.

A lamp is left on, a window open, a patrol half done and the exit locked with somebody inside; at
23:00 the gateway is killed, and every channel is down until 01:00.

The hours in which the script does nothing are skipped: gateway and devices are stopped and started
again with a later clock. At 60 times, the fastest that `--speed` goes, the fifteen hours would take
a quarter of an hour, and this test is run with every change. To the gateway a skip is a night in
which it was off for these hours: what follows (reminders, ladders, holds, the retry of messages) is
computed from stored times and comes at its start. What a skip hides is that the devices are silent
meanwhile, so the site file allows them a day of it; tests/faults/test_telling.py shows a silence
that is told.
"""

from __future__ import annotations

import contextlib
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.gateway.test_notify import Receiver
from tests.journey.hall import PASSWORD, SITE, Device, Person, Serve
from tests.waiting import wait_for

SPEED = 60.0
ROLES = ("DUTY", "FACILITIES", "MANAGER")
UNSEEN = "unacknowledged"
BATTERY = 'power = "battery"\n'


class Night:
    """The gateway and its devices, for one stretch of the night after another."""

    def __init__(self, folder: Path, site: Path) -> None:
        self.gateway = Serve(folder, site=site, speed=SPEED)
        self.ended: list[str] = []  # when each stretch was over, by the hall's clock

    @contextlib.contextmanager
    def stretch(self, start: str, *names: str) -> Iterator[tuple[Person, dict[str, Device]]]:
        self.gateway.start_at = start
        with contextlib.ExitStack() as stack:
            self.gateway.__enter__()
            stack.push(self._end)
            person = Person(self.gateway)
            devices = {n: stack.enter_context(Device(self.gateway, n)) for n in names}
            for name in names:
                wait_for(lambda n=name: person.get(f"devices/{n}")["state"] == "ready", name)
            yield person, devices

    def _end(self, *_: object) -> None:
        assert self.gateway.process is not None
        if self.gateway.process.poll() != -9:  # what is killed has no clean end
            self.gateway.__exit__()

    def over(self, person: Person) -> None:
        self.ended.append(person.get("now")["now"])

    def raised(self, rule: str, subject: str) -> bool:
        sql = f"SELECT 1 FROM alert WHERE rule='{rule}' AND subject='{subject}'"
        return bool(self.gateway.query(sql))

    def stands(self, rule: str) -> bool:
        return bool(self.gateway.query(f"SELECT 1 FROM alert WHERE rule='{rule}' AND active=1"))

    def returned(self, rule: str) -> bool:
        return bool(self.gateway.query(f"SELECT 1 FROM alert WHERE rule='{rule}' AND active=0"))

    def messages(self, state: str) -> list[tuple[str, str]]:
        """(rule, role) of each message in that state."""
        return self.gateway.query(
            "SELECT a.rule, n.role FROM notification n JOIN alert a ON a.id=n.alert"
            f" WHERE n.kind='message' AND n.state='{state}'"
        )


Key = tuple[str, ...]


def key(line: dict[str, Any]) -> Key:
    """What a line of the log says, its time apart."""
    what = str(line["what"])
    if what.startswith("alert."):
        told = (line["rule"], line["subject"], line["severity"], line["state"], line["who"] or "-")
        return (what, *told)
    if what.startswith("told."):
        return (what, line["rule"], line["subject"], line["to"])
    if what.startswith("patrol."):
        return (what, line["route"])
    about = line["about"]
    named = (about["officer"], about["second"]) if what.startswith("shift.") else ()
    return (what, line["who"], *named, *sorted(about.get("left", ())))


def alert(what: str, rule: str, subject: str, state: str, who: str = "-") -> Key:
    severity = "critical" if rule == "exit.locked" else "warning"
    return (f"alert.{what}", rule, subject, severity, state, who)


def truth(b: str, c: str, d: str, e: str, f: str, g: str) -> list[tuple[Key, str, str]]:
    """Each line that the night must have left: what, not before, before. b … g: when the script
    saw its stretches' last deed done: closing, round, kill, back without a channel,
    answered exit, hand-over."""
    one, two = "2026-07-01T", "2026-07-02T"
    unknown = ("main-door", "east-exit", "fire-door-1", "ac-hall-1")
    left = sorted(["l-hall", "win-01", *unknown])
    lines = [
        (("shift.open", "chen", "chen", "zhao"), one + "16:30", one + "17:00"),
        (("gateway.start", "gateway"), one + "17:59", b),
        (("gateway.start", "gateway"), one + "18:57", c),
        (("gateway.start", "gateway"), one + "22:55", d),
        (("gateway.start", "gateway"), one + "23:05", e),
        (("gateway.start", "gateway"), two + "01:00", f),
        (("gateway.start", "gateway"), two + "07:30", g),
        # nobody has checked the equipment on this day
        (alert("raise", "duty.overdue", "equipment-check", UNSEEN), one + "17:00", b),
        (("closing.check", "gateway", *left), one + "18:00", b),
        (alert("raise", "lights.after-close", "l-hall", UNSEEN), one + "18:00", b),
        (alert("raise", "premises.unclosed", "win-01", UNSEEN), one + "18:00", b),
        (alert("raise", "premises.presence", "hall-1f", UNSEEN), one + "18:05", b),
        # the guard's tap of a checkpoint: for an hour the hall is attended
        (alert("return", "lights.after-close", "l-hall", "returned"), one + "18:57", c),
        (alert("return", "premises.presence", "hall-1f", "returned"), one + "18:57", c),
        (("patrol.missed", "daily"), one + "19:00", one + "19:00:01"),
        (alert("raise", "patrol.missed", "daily", UNSEEN), one + "19:00", c),
        (alert("raise", "lights.after-close", "l-hall", UNSEEN), one + "22:55", d),
        (alert("raise", "premises.presence", "hall-1f", UNSEEN), one + "22:55", d),
        (alert("raise", "lights.all-night", "l-hall", UNSEEN), one + "22:55", d),
        (alert("raise", "exit.locked", "east-exit", UNSEEN), one + "22:55", d),
        (
            alert("acknowledge", "exit.locked", "east-exit", "acknowledged", "chen"),
            two + "01:00",
            f,
        ),
        (alert("return", "exit.locked", "east-exit", "normal"), two + "01:00", f),
        (alert("return", "lights.all-night", "l-hall", "returned"), two + "07:30", g),
    ]
    for channel in ("duty-1", "facilities-1", "manager-1"):
        lines.append((alert("raise", "notify.dead", channel, UNSEEN), one + "17:59", d))
        lines.append((alert("return", "notify.dead", channel, "returned"), two + "01:00", f))
    every = ("duty", "facilities", "manager")
    told = [
        *(("duty.overdue", "equipment-check", to) for to in ("duty", "manager")),
        *(("lights.after-close", "l-hall", to) for to in ("duty", "manager") * 2),
        *(("premises.presence", "hall-1f", to) for to in ("duty", "manager") * 2),
        *(("premises.unclosed", "win-01", to) for to in ("duty", "manager")),
        *(("lights.all-night", "l-hall", to) for to in ("duty", "manager")),
        *(("patrol.missed", "daily", to) for to in ("duty", "manager")),
        *(("notify.dead", f"{channel}-1", to) for channel in every for to in every),
        *(("exit.locked", "east-exit", to) for to in ("duty", "facilities") * 2),
        ("exit.locked", "east-exit", "manager"),
    ]
    return lines + [(("told.message", *one_), two + "01:00", f) for one_ in told]


def compare(log: list[dict[str, Any]], lines: list[tuple[Key, str, str]]) -> list[str]:
    """What differs, in words: lines that are missing, too many, or at the wrong time."""
    found: dict[Key, list[str]] = defaultdict(list)
    for line in log:
        found[key(line)].append(line["at"][:19])
    wanted: dict[Key, list[tuple[str, str]]] = defaultdict(list)
    for what, earliest, latest in lines:
        wanted[what].append((earliest, latest))
    wrong = []
    for what in sorted({*found, *wanted}):
        times, spans = sorted(found[what]), sorted(wanted[what])
        good = len(times) == len(spans) and all(
            earliest <= at <= latest for at, (earliest, latest) in zip(times, spans, strict=True)
        )
        if not good:
            wrong.append(f"{what}: at {times}, should be within {spans}")
    return wrong


HOUSE = {"pm-01/c1": {"w": 412}, "door-03/c1": {"open": True}, "occ-01/p1": {"present": True}}


def told(person: Person) -> bool:
    """Whether the gateway knows what the script has set."""
    seen = person.get("now")["channels"]
    values = {channel: seen.get(channel, {}).get("values", {}) for channel in (*HOUSE, "pm-01/c2")}
    return "w" in values.pop("pm-01/c2") and all(
        HOUSE[c].items() <= v.items() for c, v in values.items()
    )


def test_a_night(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    site = tmp_path / "site.toml"  # who is stopped between the stretches is not silent
    text = SITE.read_text("utf-8").replace(BATTERY, "")
    site.write_text(text.replace("[[device]]\n", '[[device]]\nsilent_after = "24h"\n'), "utf-8")
    night = Night(tmp_path, site)
    gateway = night.gateway
    with Receiver(*[503] * 1000) as receiver:
        for role in ROLES:
            monkeypatch.setenv(f"HALLKEEPER_NOTIFY_{role}", receiver.url)
        house = ("pm-01", "door-03", "occ-01")
        with night.stretch("2026-07-01T16:30:00+08:00", *house) as (admin, d):
            d["pm-01"].sees(ch="c1", w=412)
            d["door-03"].sees(ch="c1", open=True)
            d["occ-01"].sees(ch="p1", present=True)
            for name in ("chen", "zhao"):
                admin.post("accounts", name=name, role="duty", password=PASSWORD)
            chen = Person(gateway, "chen")
            second = {"user": "zhao", "password": PASSWORD}
            shift = chen.post("shifts", password=PASSWORD, second=second)["id"]
            wait_for(lambda: told(admin), "the house")
        with night.stretch("2026-07-01T17:59:00+08:00") as (person, _):  # nobody has put it right
            wait_for(lambda: night.raised("premises.presence", "hall-1f"), "the presence", 40)
            wait_for(lambda: night.raised("notify.dead", "duty-1"), "the dead channel")
            night.over(person)
        with night.stretch("2026-07-01T18:57:00+08:00", "reader-01") as (person, d):
            d["reader-01"].sees(tap="04a1b2c3d4")  # the first of three checkpoints
            wait_for(lambda: night.raised("patrol.missed", "daily"), "the half round", 30)
            wait_for(lambda: night.returned("premises.presence"), "the attended hall", 30)
            night.over(person)
        with night.stretch("2026-07-01T22:55:00+08:00", "door-02") as (person, d):
            d["door-02"].sees(ch="l1", locked=True)
            wait_for(lambda: night.raised("exit.locked", "east-exit"), "the exit", 30)
            for rule in ("lights.after-close", "premises.presence"):  # an hour after the tap
                wait_for(lambda one=rule: night.stands(one), rule, 30)
            for role in ROLES:
                dead = f"{role.lower()}-1"
                wait_for(lambda name=dead: night.raised("notify.dead", name), dead)
            wait_for(lambda: person.get("now")["now"] > "2026-07-01T23:00", "23:00", 30)
            night.over(person)
            assert gateway.process is not None
            gateway.process.kill()
            gateway.process.wait()
        with night.stretch("2026-07-01T23:05:00+08:00") as (person, _):  # nobody can be told yet
            third = ("exit.locked", "manager")
            wait_for(lambda: third in night.messages("queued"), "the third rung")
            assert night.messages("sent") == []
            night.over(person)
        assert receiver.got  # it was tried all along
        receiver.heal()  # 01:00
        with night.stretch("2026-07-02T01:00:00+08:00", "door-02") as (_, d):
            wait_for(lambda: third in night.messages("sent"), "the delivery", 40)
            wait_for(lambda: not night.messages("queued"), "every message", 40)
            chen = Person(gateway, "chen")
            wait_for(
                lambda: (
                    not gateway.query("SELECT 1 FROM alert WHERE rule='notify.dead' AND active=1")
                ),
                "the living channels",
            )
            exit_ = next(a for a in chen.items("alerts") if a["rule"] == "exit.locked")
            chen.post(f"alerts/{exit_['id']}/ack")
            d["door-02"].sees(ch="l1", locked=False)
            wait_for(lambda: night.returned("exit.locked"), "the unlocked exit")
            night.over(chen)
        with night.stretch("2026-07-02T07:30:00+08:00") as (person, _):
            wait_for(lambda: night.returned("lights.all-night"), "the end of the night")
            to = {"user": "zhao", "password": PASSWORD}
            chen = Person(gateway, "chen")
            following = chen.post(f"shifts/{shift}/handover", password=PASSWORD, to=to)
            log = person.items(f"shifts/{shift}/log")
            night.over(person)
            after = person.items(f"shifts/{following['id']}/log")
    assert [line["at"] for line in log] == sorted(line["at"] for line in log)
    wrong = compare(log, truth(*night.ended))
    assert not wrong, "\n".join(wrong)
    assert key(after[0]) == ("shift.handover", "chen", "zhao", "chen")
    assert {(a["rule"], a["state"]) for a in following["alerts"]} == {
        *((rule, UNSEEN) for rule in ("duty.overdue", "lights.after-close", "premises.unclosed")),
        *((rule, UNSEEN) for rule in ("premises.presence", "patrol.missed")),
        *((rule, "returned") for rule in ("lights.after-close", "premises.presence")),
        *((rule, "returned") for rule in ("lights.all-night", "notify.dead")),
    }
