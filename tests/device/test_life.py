"""Crash boots and safe mode, a battery device that sleeps, a device that provisions itself."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from gateway import credentials
from tests.device.test_device import Running, device
from tests.parts import Mosquitto, mosquitto
from tests.waiting import wait_for


@pytest.fixture
def broker(tmp_path: Path) -> Iterator[Mosquitto]:
    with mosquitto(tmp_path) as running:
        yield running


def _boots(running: Running) -> dict[str, int]:
    found: dict[str, int] = json.loads((running.flash / "boots").read_text())
    return found


def test_ten_crash_boots_lead_to_safe_mode(broker: Mosquitto, tmp_path: Path) -> None:
    (tmp_path / "pad").mkdir()
    (tmp_path / "pad" / "world.json").write_text("[]")  # the board's half stumbles over it
    with device("pad", broker, tmp_path) as pad:
        wait_for(pad.states, "ready, after ten crashes", timeout=60)
        assert _boots(pad)["crashes"] == 10
        assert _boots(pad)["boot"] == 11
        health = wait_for(lambda: pad.of("health"), "the eleventh boot's health")
        assert {e.get("reset") for e in health} >= {"safe_mode"}
        assert sum(b"crash: " in line for line in pad.said) == 10
        pad.orders(id="c-1", do="identify")
        done = wait_for(lambda: pad.of("done"), "a refusal")[0]
        assert (done["ok"], done["why"]) == (False, "safe mode")
        pad.sees(press=5)
        pad.orders(id="c-2", do="restart")
        wait_for(lambda: pad.states()[-1].get("boot") == 12, "a restart, still served")
        assert not pad.of("rating")


def test_nine_crash_boots_do_not(broker: Mosquitto, tmp_path: Path) -> None:
    flash = tmp_path / "pad"
    flash.mkdir()
    (flash / "boots").write_text(json.dumps({"boot": 9, "crashes": 9, "offsets": {}}))
    with device("pad", broker, tmp_path) as pad:
        wait_for(pad.states, "ready")
        pad.sees(press=5)
        wait_for(lambda: pad.of("rating"), "the press")
        assert {e.get("reset") for e in pad.of("health")} == {"power"}


def test_a_battery_device_sleeps_and_wakes(broker: Mosquitto, tmp_path: Path) -> None:
    with device("door", broker, tmp_path, "--speed", "60") as door:
        log = wait_for(door.states, "ready")[0]["log"]
        door.ear.answer(
            lambda topic, payload: (
                door.ear._client.publish(topic[:-5] + "ack", _covering(log, payload), 1)
                if topic.endswith("/event")
                else None
            )
        )
        door.sees(ch="c1", open=True)
        wait_for(lambda: [e for e in door.of("contact") if e["open"]], "the opening")
        wait_for(lambda: {"state": "asleep"} in door.states(), "asleep")
        assert {"state": "lost"} not in door.states()
        door.sees(ch="c1", open=False)
        wait_for(lambda: door.of("contact")[-1]["open"] is False, "the closing, from its sleep")
        assert door.states()[-1]["state"] == "ready"


def _covering(log: str, payload: bytes) -> str:
    found = json.loads(payload)
    events = found if isinstance(found, list) else [found]
    return json.dumps({"log": log, "seq": max(event["seq"] for event in events)})


def test_a_device_provisions_itself(broker: Mosquitto, tmp_path: Path) -> None:
    data = tmp_path / "data"
    data.mkdir()
    with device("pad", broker, tmp_path, HALLKEEPER_DATA=str(data)) as pad:
        wait_for(pad.states, "ready")
        who = json.loads((pad.flash / "device.json").read_text())["broker"]
        kept = credentials.load(data, "pad")
        assert kept is not None
        assert who["client_id"] == kept.client_id
        assert credentials.matches(kept, who["password"])
        log = (broker.folder / "mosquitto.log").read_text()
        assert f"as {kept.client_id}" in log
        assert who["password"] not in " ".join(pad.command)
