"""kill -9 at each place between a rule and its message (row 27 of the list of faults): told at
least once, at most once more. A device that is unplugged to hide what it sees (row 63) is told of,
and so is one that talks on while its sensor is dead (row 66).
"""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import Any

import pytest

from firmware.report import FRESH_MS
from gateway import site
from gateway.clock import parse_instant
from gateway.provision import provision
from tests.gateway.test_notify import Receiver
from tests.journey.hall import SITE, Device, Person, Serve
from tests.parts import Ear
from tests.waiting import wait_for

# in the order of an alert's way out of the house
PLACES = (
    "outbox.row",  # the alert and its message are rows of a transaction that is not committed
    "turn.committed",
    "notify.taken",
    "notify.sent",
    "notify.booked",
)


class Detector:
    """A smoke contact's device: it keeps what it has said and says it again."""

    def __init__(self, gateway: Serve) -> None:
        self._gateway = gateway
        made = provision("pm-01", site.load(SITE), gateway.data, "127.0.0.1", gateway.mqtt)
        broker = made["broker"]
        self._login = {key: broker[key] for key in ("user", "password")}
        self._login["id"] = broker["client_id"]
        self._events: list[dict[str, Any]] = []

    def smells(self, smoke: bool) -> None:
        seq = len(self._events) + 1
        event = {"log": "9f3a1c22", "seq": seq, "boot": 1, "up": seq * 1000}
        event |= {"t": int(time.time() * 1000), "kind": "detector", "ch": "d1"}
        self._events.append(event | {"what": "smoke", "active": smoke})

    def speak(self) -> None:
        ear = Ear(self._gateway.mqtt, "hall/1/fengxian/time", **self._login)
        ear.publish("hall/1/fengxian/pm-01/event", json.dumps(self._events), qos=0)
        ear.close()


def fire(person: Person) -> dict[str, Any] | None:
    items = person.items("alerts?active=true")
    return next((a for a in items if a["rule"] == "fire.contact"), None)


def told_of(gateway: Serve, alert: dict[str, Any]) -> list[Any]:
    return gateway.query(
        "SELECT state FROM notification WHERE role='duty'"
        f" AND alert='{alert['id']}' AND round={alert['round']}"
    )


def test_a_kill_at_every_place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with Receiver() as receiver:
        monkeypatch.setenv("HALLKEEPER_NOTIFY_DUTY", receiver.url)
        with Serve(tmp_path) as gateway:  # what it tells of itself is told before
            wait_for(lambda: gateway.query("SELECT id FROM alert"), "its own alerts")
        detector = Detector(gateway)
        for number, place in enumerate(PLACES, start=1):
            before = len(receiver.got)
            monkeypatch.setenv("HALLKEEPER_FAILPOINT", place)
            gateway.__enter__()
            detector.smells(True)
            detector.speak()
            assert gateway.process is not None
            assert gateway.process.wait(60) == -9, place
            monkeypatch.delenv("HALLKEEPER_FAILPOINT")
            with gateway:
                detector.speak()
                person = Person(gateway)
                alert = wait_for(lambda who=person: fire(who), "the alert")
                assert alert["round"] == number
                wait_for(
                    lambda one=alert: told_of(gateway, one) == [("sent",)],
                    f"the message after a kill at {place}",
                )
                times = [one["message"].count("疑似火情") for one in receiver.got[before:]]
                assert 1 <= sum(times) <= 2, (place, times)
                person.post(f"alerts/{alert['id']}/ack")
                detector.smells(False)
                detector.speak()
                wait_for(lambda who=person: fire(who) is None, "the end of it")


def test_a_meter_that_is_unplugged_hides_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Row 63. The lamp's meter goes while the lamp burns: after its `silent_after` (10 min) it is a
    finding, the officer is told by name of the device, and the lamp is unknown, not off."""
    with Receiver() as receiver:
        monkeypatch.setenv("HALLKEEPER_NOTIFY_FACILITIES", receiver.url)
        with Serve(tmp_path, start="2026-07-01T20:00:00+08:00", speed=60) as gateway:
            person = Person(gateway)
            with Device(gateway, "pm-01") as meter:
                meter.sees(ch="c1", w=412)
                lamp = "findings?active=true&rule=lights.after-close"
                found = wait_for(lambda: person.items(lamp), "the burning lamp")
                assert meter.process is not None
                meter.process.kill()
            lost = wait_for(
                lambda: [
                    f
                    for f in person.items("findings?active=true&rule=device.silent")
                    if f["subject"] == "pm-01"
                ],
                "the silence",
                60,
            )
            (still,) = person.items(lamp)  # unknown ends nothing
            assert (still["id"], still["end"]) == (found[0]["id"], None)
            assert person.get("now")["channels"]["pm-01/c1"]["known"] is False
            told = (
                "SELECT n.state FROM notification n JOIN alert a ON a.id=n.alert"
                f" WHERE a.finding='{lost[0]['id']}' AND n.role='facilities'"
            )
            wait_for(lambda: ("sent",) in gateway.query(told), "the message")
            assert any("pm-01" in one["message"] for one in receiver.got)


def test_a_dead_sensor_does_not_look_alive(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Row 66. The meter answers, but its circuit is read no more: no more power events are told of
    it, its heartbeat has the age, and after `stale_after` the officer hears which channel it is.
    It ends when the channel is read again."""
    site_file = tmp_path / "site.toml"
    text = SITE.read_text("utf-8")
    device = '[[device]]\nid = "pm-01"\n'
    assert device in text
    site_file.write_text(text.replace(device, device + 'stale_after = "1min"\n'), "utf-8")
    powers = (
        "SELECT count(*), max(t) FROM event WHERE device='pm-01' AND kind='power'"
        " AND json_extract(payload, '$.ch')='c1'"
    )
    stale = "findings?active=true&rule=device.stale"
    with Receiver() as receiver:
        monkeypatch.setenv("HALLKEEPER_NOTIFY_FACILITIES", receiver.url)
        start = "2026-07-01T10:00:00+08:00"
        with Serve(tmp_path, site=site_file, start=start, speed=60) as gateway:
            person = Person(gateway)
            with Device(gateway, "pm-01") as meter:
                meter.sees(ch="c1", w=412)
                wait_for(lambda: gateway.query(powers)[0][0] >= 3, "the lamp, read again and again")
                meter.sees(ch="c1", dead=True)
                (found,) = wait_for(lambda: person.items(stale), "the dead sensor", 30)
                assert found["subject"] == "pm-01"
                (channel,) = found["evidence"]["channels"]
                assert channel["ch"] == "c1"
                told, last = gateway.query(powers)[0]
                assert last <= parse_instant(channel["read"]) + FRESH_MS + 1000  # not from memory
                assert person.get("devices/pm-01")["silent"] is False
                wait_for(
                    lambda: any("c1（大厅照明）" in one["message"] for one in receiver.got),
                    "the message that names the channel",
                )
                meter.sees(ch="c1", dead=False)
                wait_for(lambda: not person.items(stale), "its end", 30)
                assert gateway.query(powers)[0][0] > told
