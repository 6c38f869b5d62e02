"""Relays that are welded, come back from a power cut, or get stale and double commands: rows 10–13
of the faults, with the devices' real firmware.
"""

from __future__ import annotations

import json
import time
import urllib.error
from pathlib import Path
from typing import Any

import pytest

from tests.journey.hall import SITE, Device, Person, Serve
from tests.parts import Ear, mosquitto
from tests.waiting import wait_for

WORKDAY = "2026-07-01T10:00:00+08:00"


def circuit(person: Person, name: str) -> dict[str, Any]:
    return next(c for c in person.items("circuits") if c["id"] == name)


def refused(person: Person, path: str, **body: Any) -> str:
    with pytest.raises(urllib.error.HTTPError) as fault:
        person.post(path, **body)
    assert fault.value.code == 409
    return str(json.load(fault.value)["why"])


def test_a_welded_contactor_is_asked_three_times_then_manual(tmp_path: Path) -> None:
    """The relay says off, the meter (another device's) still sees the lamp."""
    site = tmp_path / "site.toml"
    text = SITE.read_text("utf-8").replace('relay = "pm-01/r1"', 'relay = "pm-02/r1"')
    site.write_text(text, "utf-8")
    with (
        Serve(tmp_path, site=site, start=WORKDAY) as gateway,
        Device(gateway, "pm-01") as meter,
        Device(gateway, "pm-02") as relay,
        Device(gateway, "occ-01") as room,
    ):
        meter.sees(ch="c1", w=400)
        room.sees(ch="p1", present=False)
        person = Person(gateway)
        wait_for(lambda: circuit(person, "l-hall")["watts"] == 400, "the lamp")
        wait_for(
            lambda: person.get("now")["channels"].get("occ-01/p1", {}).get("known"), "the room"
        )
        person.post("commands", subject="l-hall", do="off", reason="检查")

        def given_up() -> bool:
            meter.sees(ch="c1", w=400 + 100 * (time.monotonic_ns() // 10**9 % 2))  # it lives on
            return circuit(person, "l-hall")["state"] == "failed"

        wait_for(given_up, "giving up")
        assert [c for c in relay.did if c.get("ch") == "r1"] == [{"ch": "r1", "on": False}] * 3
        asked = gateway.query("SELECT person, state, fence FROM command WHERE ch='r1'")
        assert asked == [("admin", "done", 1)] * 3
        alerts = wait_for(
            lambda: [a for a in person.items("alerts") if a["rule"] == "command.failed"],
            "the alert",
        )
        assert (alerts[0]["subject"], alerts[0]["about"]["why"]) == ("l-hall", "disobeyed")
        again = {"subject": "l-hall", "do": "off", "reason": "再试"}
        assert refused(person, "commands", **again) == "manual"
        person.post("circuits/l-hall/reset", reason="接触器已更换")
        assert circuit(person, "l-hall")["manual"] is None


def test_after_a_hazard_power_stays_off_until_an_electrician_has_looked(tmp_path: Path) -> None:
    with Serve(tmp_path, start=WORKDAY) as gateway:
        person = Person(gateway)
        on = {"subject": "sockets-w01", "do": "on", "reason": "恢复供电"}
        with Device(gateway, "pm-01") as meter:
            meter.sees(ch="c2", w=600)
            meter.sees(ch="d1", what="spark", active=True)
            wait_for(lambda: {"ch": "r2", "on": False} in meter.did, "the cut")
            wait_for(lambda: circuit(person, "sockets-w01")["state"] == "verified", "its proof")
            assert meter.process is not None
            meter.process.kill()  # the power goes, and comes back: a closed contact at rest
        with Device(gateway, "pm-01") as meter:
            wait_for(lambda: {"ch": "r2", "on": False} in meter.did, "the second cut")
            wait_for(lambda: circuit(person, "sockets-w01")["state"] == "verified", "its proof")
            said = gateway.query(
                "SELECT json_extract(payload,'$.cause'), json_extract(payload,'$.on') FROM event"
                " WHERE kind='relay' AND json_extract(payload,'$.ch')='r2' ORDER BY id"
            )
            assert said == [("boot", 1), ("command", 0), ("boot", 1), ("command", 0)]
            assert refused(person, "commands", **on) == "hazard"
            meter.sees(ch="d1", what="spark", active=False)
            wait_for(lambda: not person.items("findings?active=true&rule=power.hazard"), "its end")
            assert refused(person, "commands", **on) == "hazard", "over is not checked"
            person.post("circuits/sockets-w01/check", electrician="王电工", note="端子已紧固")
            person.post("commands", **on)
            wait_for(lambda: {"ch": "r2", "on": True} in meter.did, "power again")


def test_stale_and_double_commands(tmp_path: Path) -> None:
    """A retained old one does nothing; one that comes twice acts once and is answered twice."""
    with (
        mosquitto(tmp_path) as broker,
        Serve(tmp_path, broker=f"mqtt://127.0.0.1:{broker.port}") as gateway,
    ):
        topic = "hall/1/fengxian/pm-01"
        ear = Ear(broker.port, f"{topic}/event")

        def answers(command: str) -> list[Any]:
            every = [json.loads(payload) for payload in ear.messages("event")]
            flat = [e for one in every for e in (one if isinstance(one, list) else [one])]
            mine = {(e["log"], e["seq"]): e for e in flat if e.get("cmd") == command}
            return [(e["ok"], e.get("why")) for e in mine.values() if e["kind"] == "done"]

        now = int(time.time() * 1000)
        stale = {"id": "c-old", "ch": "r1", "do": "off", "args": {}, "exp": now - 1000}
        ear.publish(f"{topic}/cmd", json.dumps(stale), retain=True)
        with Device(gateway, "pm-01") as meter:
            wait_for(lambda: answers("c-old"), "the answer to the old one")
            ((ok, why),) = answers("c-old")
            assert (ok, bool(why)) == (False, True)
            twice = stale | {"id": "c-two", "exp": now + 600_000}
            for _ in range(2):
                ear.publish(f"{topic}/cmd", json.dumps(twice))
            wait_for(lambda: len(answers("c-two")) == 2, "two answers")
            assert [c for c in meter.did if c.get("ch") == "r1"] == [{"ch": "r1", "on": False}]
        ear.close()
