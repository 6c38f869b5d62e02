"""A day in the life of each kind: the real firmware, its world on stdin, a real Mosquitto."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from tests.device.test_device import SITE, Running, device
from tests.parts import Ear, Mosquitto, mosquitto
from tests.waiting import wait_for

HALL = (
    SITE
    + """
[[opening]]
id = "exit"
name = "exit"
zone = "z"
kind = "exit"
contact = "door/c1"
lock = "door/k1"
[[sensor]]
source = "room/p1"
kind = "presence"
zone = "z"
[[sensor]]
source = "room/x1"
kind = "lux"
zone = "z"
[[sensor]]
source = "room/t1"
kind = "climate"
zone = "z"
[[sensor]]
source = "pm/d1"
kind = "detector"
zone = "z"
[[ac]]
id = "a"
name = "a"
zone = "z"
source = "ac/a1"
control = "ac/a1"
[[device]]
id = "room"
kind = "room-sensor"
[[device]]
id = "ac"
kind = "ac-controller"
[[device]]
id = "reader"
kind = "patrol-reader"
[[device]]
id = "desk"
kind = "duty-panel"
"""
)
MORNING = "2026-07-01T08:50:00+08:00"
BEGAN = int(datetime.fromisoformat(MORNING).timestamp() * 1000)
NEVER = BEGAN + 40 * 86_400_000


@contextmanager
def day(name: str, broker: Mosquitto, folder: Path, speed: int = 60) -> Iterator[Running]:
    clock = ("--from", MORNING, "--speed", str(speed))
    with device(name, broker, folder, *clock, site=HALL) as running:
        wait_for(running.states, "ready")
        yield running


@pytest.fixture
def broker(tmp_path: Path) -> Iterator[Mosquitto]:
    with mosquitto(tmp_path) as running:
        yield running


def _same(found: list[dict[str, Any]], **wanted: Any) -> list[dict[str, Any]]:
    """The events that have these fields, one a sequence number."""
    alike = {e["seq"]: e for e in found if all(e.get(k) == v for k, v in wanted.items())}
    return list(alike.values())


def test_pad_is_pressed_lifted_and_used_by_the_second_post(
    broker: Mosquitto, tmp_path: Path
) -> None:
    with day("pad", broker, tmp_path, speed=1) as pad:
        for item in ({"press": 5, "visit": "A-017"}, {"tap": "04A1B2C3D4"}, {"moved": True}):
            pad.sees(**item)
        pad.sees(moved=False)
        wait_for(lambda: _same(pad.of("rating"), level=5, visit="A-017"), "the rating")
        wait_for(lambda: _same(pad.of("tap"), tag="04a1b2c3d4"), "the card")
        wait_for(lambda: len(_same(pad.of("tamper"))) == 3, "at boot, lifted, put back")
        wait_for(lambda: len([x for x in pad.did if "12345" in x.get("show", "")]) > 1, "idle text")
        assert {"sound": "thanks"} in pad.did
        assert not _same(pad.of("button"))  # no key of a pad is anything but a rating


def test_door_sleeps_between_changes(broker: Mosquitto, tmp_path: Path) -> None:
    with day("door", broker, tmp_path) as door:
        wait_for(lambda: _same(door.of("contact"), ch="c1", open=False), "closed at boot")
        wait_for(lambda: _same(door.of("lock"), ch="k1", locked=False), "unlocked at boot")
        door.ack(door.states()[0]["log"], max(e["seq"] for e in door.events()))
        wait_for(lambda: {"state": "asleep"} in door.states(), "asleep once all is covered")
        door.sees(ch="c1", open=True)
        wait_for(lambda: _same(door.of("contact"), open=True), "opened")
        door.sees(ch="k1", locked=True)
        wait_for(lambda: _same(door.of("lock"), locked=True), "locked")


def test_room_tells_presence_at_once_and_samples_in_their_time(
    broker: Mosquitto, tmp_path: Path
) -> None:
    with day("room", broker, tmp_path) as room:
        room.sees(ch="p1", present=True)
        room.sees(ch="x1", lx=512.5)
        room.sees(ch="t1", c=27.5, rh=61)
        wait_for(lambda: _same(room.of("presence"), ch="p1", present=True), "somebody")
        wait_for(lambda: _same(room.of("lux"), ch="x1", lx=512.5), "light")
        wait_for(lambda: _same(room.of("climate"), ch="t1", c=27.5, rh=61), "air")
        wait_for(lambda: len(_same(room.of("presence"), present=True)) > 1, "repeated")
        first, second = _same(room.of("presence"), present=True)[:2]
        assert second["up"] - first["up"] <= 300_000  # at least every five minutes


def test_meter_cuts_a_load_and_tells_of_a_weld_and_of_heat(
    broker: Mosquitto, tmp_path: Path
) -> None:
    with day("pm", broker, tmp_path, speed=10) as meter:
        meter.sees(ch="c1", w=820)
        step = wait_for(lambda: _same(meter.of("power"), ch="c1", w=820), "the step")[0]
        assert step["up"] < 2000 + 250 * 10 + 60_000
        meter.orders(id="c-1", ch="r1", do="off", exp=NEVER)
        wait_for(lambda: _same(meter.of("relay"), on=False, cause="command", cmd="c-1"), "off")
        wait_for(lambda: _same(meter.of("power"), ch="c1", w=0), "dark")
        meter.sees(ch="r1", on=True)
        wait_for(lambda: _same(meter.of("relay"), on=True, cause="manual"), "by hand")
        meter.sees(ch="r1", stuck=True)
        meter.orders(id="c-2", ch="r1", do="off", exp=NEVER)
        wait_for(lambda: _same(meter.of("relay"), on=True, cause="command", cmd="c-2"), "welded")
        meter.sees(ch="d1", what="heat", active=True)
        wait_for(lambda: _same(meter.of("detector"), ch="d1", what="heat", active=True), "heat")
        meter.gone()
        meter.start()
        boot = wait_for(lambda: _same(meter.of("relay"), boot=2), "the relay at the next boot")[0]
        assert (boot["on"], boot["cause"]) == (True, "boot")
        assert boot["seq"] < wait_for(lambda: _same(meter.of("health"), boot=2), "health")[0]["seq"]


def test_ac_obeys_and_tells_of_the_remote(broker: Mosquitto, tmp_path: Path) -> None:
    with day("ac", broker, tmp_path) as unit:
        unit.orders(id="c-1", ch="a1", do="set", args={"on": True, "set": 26}, exp=NEVER)
        wait_for(lambda: _same(unit.of("ac"), on=True, set=26, src="measured"), "on, measured")
        assert {"ch": "a1", "on": True, "mode": "cool", "set": 26} in unit.did
        unit.sees(ch="a1", on=True, mode="cool", set=20, src="heard")
        wait_for(lambda: _same(unit.of("ac"), set=20, src="heard"), "the remote")
        unit.orders(id="c-2", ch="a1", do="off", exp=NEVER)
        wait_for(lambda: _same(unit.of("ac"), on=False, src="measured"), "off")


def test_reader_walks_a_whole_round_without_network(broker: Mosquitto, tmp_path: Path) -> None:
    with day("reader", broker, tmp_path, speed=10) as reader:
        reader.ear.publish("hall/1/s/time", f'{{"t":{BEGAN + 5000}}}', qos=0)
        log = reader.states()[0]["log"]
        wait_for(lambda: [e for e in reader.events() if e["t"]], "the time to be learnt")
        broker.kill()
        tags = [f"04aa00{n:02x}" for n in range(12)]
        for tag in tags:
            reader.sees(tap=tag)
        wait_for(lambda: reader.did.count({"sound": "tap"}) == 12, "a sound for each tap")
        broker.start()
        again = Ear(broker.port, "hall/1/s/reader/#")
        reader.ear.close()
        reader.ear = again
        wait_for(lambda: len(_same(reader.of("tap"))) == 12, "the round", timeout=60)
        taps = sorted(_same(reader.of("tap")), key=lambda e: e["seq"])
        assert [e["tag"] for e in taps] == tags
        assert {e["log"] for e in taps} == {log}
        times = [e["t"] for e in taps]
        assert None not in times
        assert times == sorted(times)


def test_panel_shows_sounds_and_takes_the_key(broker: Mosquitto, tmp_path: Path) -> None:
    with day("desk", broker, tmp_path, speed=1) as desk:
        desk.orders(id="c-1", do="show", args={"text": "安全出口被锁"}, exp=NEVER)
        desk.orders(id="c-2", do="sound", args={"sound": "alarm"}, exp=NEVER)
        wait_for(lambda: {"sound": "alarm"} in desk.did, "the alarm")
        assert {"show": "安全出口被锁"} in desk.did
        desk.sees(tap="04a1b2c3d4")
        desk.sees(button="ack")
        wait_for(lambda: _same(desk.of("button"), name="ack"), "the key")
        wait_for(lambda: _same(desk.of("tap"), tag="04a1b2c3d4"), "the card")
