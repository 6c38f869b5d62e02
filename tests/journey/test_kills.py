"""Real firmware, a real gateway and real brokers, killed at random moments: nothing is lost.

The truth is what the devices logged: every number of their logs up to the highest one drawn, read
off their flash. A gateway that acknowledges before it stores is put through the same and loses.
"""

from __future__ import annotations

import contextlib
import random
import sqlite3
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import pytest

from tests.gateway.test_serve import SITE, Gateway
from tests.journey.fleet import Device
from tests.parts import Mosquitto, stop
from tests.waiting import wait_for

PRESSES = 200
NAMES = ("pad-w01", "pm-01", "door-02", "occ-01")
Numbers = dict[str, list[int]]  # by device, as often as stored


def change(dice: random.Random, name: str) -> dict[str, object]:
    """Something for a device's sensors to see."""
    if name == "pm-01":
        return {"ch": "c1", "w": dice.choice([0, 120.5, 900, 1800])}
    if name == "occ-01":
        return {"ch": "p1", "present": dice.random() < 0.5}
    if dice.random() < 0.5:
        return {"ch": "c1", "open": dice.random() < 0.5}
    return {"ch": "l1", "locked": dice.random() < 0.5}


@contextlib.contextmanager
def killing(dice: random.Random, victims: list[Callable[[], None]]) -> Iterator[list[int]]:
    """Kill one after the other at random moments until the body is through; yields how many."""
    over, kills, faults = threading.Event(), [0], list[BaseException]()

    def work() -> None:
        try:
            while not over.wait(dice.uniform(0.3, 1.5)):
                dice.choice(victims)()
                kills[0] += 1
        except BaseException as fault:  # noqa: BLE001 - raised on the test's own thread
            faults.append(fault)

    thread = threading.Thread(target=work)
    thread.start()
    try:
        yield kills
    finally:
        over.set()
        thread.join()
    if faults:
        raise faults[0]


def live(dice: random.Random, fleet: dict[str, Device]) -> None:
    """200 presses and as many changes of state, spread over the devices."""
    others = [name for name in NAMES if name != "pad-w01"]
    for _ in range(PRESSES):
        name = dice.choice(others)
        fleet[name].see(change(dice, name))
        fleet["pad-w01"].press(dice.randint(1, 5))


def start_fleet(data: Path, port: int, folder: Path) -> dict[str, Device]:
    return {name: Device(name, SITE, data, port, folder / name) for name in NAMES}


def stored(gateway: Gateway) -> Numbers:
    found: Numbers = {name: [] for name in NAMES}
    for device, seq in gateway.query("SELECT device, seq FROM event ORDER BY device, seq"):
        found[device].append(seq)
    return found


def settled(gateway: Gateway) -> bool:
    """Every number that the gateway has heard of is acknowledged."""
    logs = gateway.query("SELECT acked, top FROM log")
    return len(logs) == len(NAMES) and all(acked == top > 0 for acked, top in logs)


def drained(gateway: Gateway, fleet: dict[str, Device]) -> dict[str, int]:
    """Stop the devices once all is stored; the highest number that each has drawn."""
    for _ in range(5):
        wait_for(lambda: settled(gateway), "every number acknowledged", 60)
        for device in fleet.values():
            device.stop()
        tops = {name: device.flash()[2] for name, device in fleet.items()}
        if stored(gateway) == {name: list(range(1, top + 1)) for name, top in tops.items()}:
            break  # else it drew a number between our look and its stop, and still holds it
        again(gateway, fleet)
    return tops


def again(gateway: Gateway, fleet: dict[str, Device]) -> None:
    """Start stopped devices and wait until each has spoken."""
    before = dict(gateway.query("SELECT device, boot FROM log"))
    for device in fleet.values():
        device.start()
    wait_for(
        lambda: all(b > before[d] for d, b in gateway.query("SELECT device, boot FROM log")),
        "every device to speak again",
        30,
    )


def kill_nats(gateway: Gateway) -> None:
    """The embedded broker alone."""
    conf = str(gateway.data / "broker" / "nats.conf")
    for process in psutil.process_iter(["cmdline"]):
        if conf in (process.info["cmdline"] or []):
            with contextlib.suppress(psutil.NoSuchProcess):
                process.kill()


@pytest.mark.parametrize("broker", ["nats", "mosquitto"])
def test_nothing_is_lost_under_random_kills(broker: str, tmp_path: Path) -> None:
    outside = Mosquitto(tmp_path / "mosquitto")
    gateway = Gateway(tmp_path / "data")
    if broker == "mosquitto":
        outside.start()
        gateway = Gateway(tmp_path / "data", f"mqtt://127.0.0.1:{outside.port}")
        gateway.mqtt = outside.port
    gateway.start()
    fleet = start_fleet(gateway.data, gateway.mqtt, tmp_path)

    def kill_gateway() -> None:
        gateway.kill()
        gateway.start()

    def kill_broker() -> None:
        if broker == "nats":
            kill_nats(gateway)
        else:
            outside.kill()
            outside.start()

    devices = [device.kill for device in fleet.values()]
    try:
        with killing(random.Random(7), [kill_gateway, kill_broker, *devices]) as kills:
            live(random.Random(8), fleet)
        tops = drained(gateway, fleet)
        pad = fleet["pad-w01"]
        ratings = gateway.query("SELECT count(*) FROM event WHERE kind='rating'")[0][0]
        print(f"{broker}: {kills[0]} kills, {sum(tops.values())} numbers, {ratings} presses stored")
        assert stored(gateway) == {name: list(range(1, top + 1)) for name, top in tops.items()}
        assert gateway.query("SELECT * FROM gap") == []
        assert pad.echoes - pad.kills <= ratings <= PRESSES
        assert ratings >= PRESSES - pad.kills
        assert kills[0] >= 5
    finally:
        for device in fleet.values():
            device.stop()
        assert gateway.process is not None
        stop(gateway.process)
        outside.stop()


def test_a_gateway_that_acknowledges_before_it_stores_loses_some(tmp_path: Path) -> None:
    outside = Mosquitto(tmp_path / "mosquitto")
    outside.start()
    path = tmp_path / "careless.db"
    script = Path(__file__).with_name("careless.py")
    running: list[subprocess.Popen[str]] = []

    def start() -> None:
        command = [sys.executable, str(script), str(outside.port), "fengxian", str(path)]
        running.append(subprocess.Popen(command, stdout=subprocess.PIPE, text=True))
        assert running[-1].stdout is not None
        assert running[-1].stdout.readline() == "ready\n"

    def kill_gateway() -> None:
        running[-1].kill()
        running[-1].wait()
        start()

    start()
    fleet = start_fleet(tmp_path / "data", outside.port, tmp_path)
    try:
        with killing(random.Random(7), [kill_gateway]) as kills:
            live(random.Random(8), fleet)
        for device in fleet.values():
            device.stop()
        lost = 0
        with contextlib.closing(sqlite3.connect(path)) as db:
            for name, device in fleet.items():
                log, first, _ = device.flash()
                kept = db.execute(
                    "SELECT count(*) FROM event WHERE device=? AND log=? AND seq<?",
                    (name, log, first),
                ).fetchone()[0]
                lost += first - 1 - kept  # no longer on flash, and never stored
        print(f"acknowledged before stored: {kills[0]} kills, {lost} lost")
        assert lost > 0
    finally:
        for device in fleet.values():
            device.stop()
        for process in running:
            process.kill()
            process.wait()
        outside.stop()
