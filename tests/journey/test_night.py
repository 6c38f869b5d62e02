"""One night at speed with the real firmware: in the morning the duty log equals what was done.

A lamp is left on, a window open, a patrol half done and the exit locked with somebody inside; at
23:00 the gateway is killed, and the channel to the duty officer is down until 01:00. The quiet
hours between are skipped: everything is stopped and started again with a later clock.
"""

from __future__ import annotations

import contextlib
import json
import os
import queue
import subprocess
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.gateway.test_notify import Receiver
from tests.journey.hall import PASSWORD, ROOT, Device, Person, Serve, hallkeeper
from tests.waiting import wait_for

SPEED = 60.0
AT_CLOSING = ("pm-01", "door-03", "occ-01")
TRUTH = {
    ("lights.after-close", "l-hall"),
    ("premises.unclosed", "win-01"),
    ("patrol.missed", "daily"),
    ("exit.locked", "east-exit"),
}


class Night:
    """The gateway and its devices, for one stretch of the night after another."""

    def __init__(self, folder: Path) -> None:
        self.gateway = Serve(folder, speed=SPEED)

    @contextlib.contextmanager
    def stretch(self, start: str, *names: str) -> Iterator[tuple[Person, dict[str, Device]]]:
        self.gateway.start_at = start
        with self.gateway, contextlib.ExitStack() as stack:
            person = Person(self.gateway)
            devices = {n: stack.enter_context(Device(self.gateway, n)) for n in names}
            for name in names:
                wait_for(lambda n=name: person.get(f"devices/{n}")["state"] == "ready", name)
            yield person, devices

    def raised(self, rule: str, subject: str) -> bool:
        sql = f"SELECT 1 FROM alert WHERE rule='{rule}' AND subject='{subject}'"
        return bool(self.gateway.query(sql))


def post(gateway: Serve, person: Person, path: str, body: dict[str, Any]) -> Any:
    asked = urllib.request.Request(
        f"{gateway.url}/api/v1/{path}",
        json.dumps(body).encode(),
        {"Content-Type": "application/json", "Authorization": f"Bearer {person.token}"},
    )
    with urllib.request.urlopen(asked, timeout=20) as answer:
        return json.load(answer)


def test_a_night(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    night = Night(tmp_path)
    gateway = night.gateway
    with Receiver(*[503] * 1000) as receiver:
        monkeypatch.setenv("HALLKEEPER_NOTIFY_DUTY", receiver.url)
        with night.stretch("2026-07-01T16:50:00+08:00") as (person, _):  # before the round is due
            subprocess.run(
                hallkeeper("user", "add", "zhao", "--role", "duty", "--data", gateway.data),
                env=os.environ | {"HALLKEEPER_PASSWORD": PASSWORD},
                check=True,
                cwd=ROOT,
            )
            body = {"password": PASSWORD, "second": {"user": "zhao", "password": PASSWORD}}
            shift = post(gateway, person, "shifts", body)["id"]
        with night.stretch("2026-07-01T17:50:00+08:00", *AT_CLOSING) as (person, d):
            d["pm-01"].sees(ch="c1", w=412)
            d["door-03"].sees(ch="c1", open=True)
            d["occ-01"].sees(ch="p1", present=True)
            wait_for(lambda: night.raised("lights.after-close", "l-hall"), "the lamp", 40)
            wait_for(lambda: night.raised("premises.unclosed", "win-01"), "the window")
        with night.stretch("2026-07-01T18:50:00+08:00", "reader-01") as (person, d):
            d["reader-01"].sees(tap="04a1b2c3d4")  # the first of three checkpoints
            wait_for(lambda: night.raised("patrol.missed", "daily"), "the half round", 30)
        names = ("door-02", "occ-01")
        with (
            contextlib.suppress(AssertionError),  # it is killed: its end is not a clean one
            night.stretch("2026-07-01T22:55:00+08:00", *names) as (person, d),
        ):
            d["occ-01"].sees(ch="p1", present=True)
            d["door-02"].sees(ch="l1", locked=True)
            wait_for(lambda: night.raised("exit.locked", "east-exit"), "the exit", 30)
            wait_for(lambda: person.get("now")["now"] > "2026-07-01T23:00", "23:00", 30)
            assert gateway.process is not None
            gateway.process.kill()
            gateway.process.wait()
        assert receiver.got
        receiver._answers = queue.SimpleQueue()  # 01:00: the channel is back
        with night.stretch("2026-07-02T01:00:00+08:00") as (person, _):
            told = "SELECT count(*) FROM notification WHERE role='duty' AND state='sent'"
            wait_for(lambda: gateway.query(told)[0][0] > 0, "the delivery", 40)
            log = person.items(f"shifts/{shift}/log")
    raised = {(x["rule"], x["subject"]) for x in log if x["what"] == "alert.raise"}
    assert {pair for pair in raised if pair[0] in {rule for rule, _ in TRUTH}} == TRUTH | {
        pair for pair in raised if pair == ("patrol.missed", "open-hours")
    }
    when = {(x["rule"], x["subject"]): x["at"] for x in log if x["what"] == "alert.raise"}
    assert "2026-07-01T18:00" <= when["lights.after-close", "l-hall"] < "2026-07-01T18:05"
    assert "2026-07-01T19:00" <= when["patrol.missed", "daily"] < "2026-07-01T19:05"
    checks = [x for x in log if x["what"] == "closing.check"]
    assert [x["who"] for x in checks] == ["gateway"]
    assert {"l-hall", "win-01"} <= set(checks[0]["about"]["left"])
    starts = [x["at"][:13] for x in log if x["what"] == "gateway.start"]
    assert starts[-1] == "2026-07-02T01"  # back after the kill
    sent = [x for x in log if x["what"].startswith("told") and x["to"] == "duty"]
    assert sent
    assert all(x["at"] >= "2026-07-02T01:00" for x in sent)
    assert [x["what"] for x in log if x["what"] == "patrol.missed"]
