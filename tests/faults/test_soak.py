"""A soak: a hall whose every part is killed at random moments, for minutes (`make soak MINUTES=10`;
2 in the test suite). What its devices drew is what is stored, each number once, in SQLite and in a
VictoriaMetrics, and the store is whole at the end."""

from __future__ import annotations

import contextlib
import os
import random
import time
from collections.abc import Callable
from pathlib import Path

from gateway import store, verify
from tests.faults.test_influx import carried, same
from tests.gateway.test_serve import SITE, Gateway
from tests.influxes import Victoria
from tests.journey.fleet import Device
from tests.journey.test_kills import NAMES, change, drained, killing, start_fleet, stored
from tests.parts import Mosquitto, stop
from tests.waiting import wait_for

MINUTES = float(os.environ.get("MINUTES", "2"))


def test_generated_is_stored_once_whatever_is_killed(tmp_path: Path) -> None:
    broker = Mosquitto(tmp_path / "mosquitto")
    broker.start()
    copy = Victoria(tmp_path / "victoria")
    copy.start()
    config = tmp_path / "site.toml"
    config.write_text(f'{SITE.read_text()}\n[influx]\nurl = "{copy.url}"\n')
    gateway = Gateway(tmp_path / "data", f"mqtt://127.0.0.1:{broker.port}", config)
    gateway.mqtt = broker.port
    gateway.start()
    fleet = start_fleet(gateway.data, broker.port, tmp_path)
    killed = dict.fromkeys(("gateway", "broker", "copy", *NAMES), 0)

    def victim(name: str, kill: Callable[[], None]) -> Callable[[], None]:
        def work() -> None:
            kill()
            killed[name] += 1

        return work

    def restart(part: Gateway | Mosquitto | Victoria) -> None:
        part.kill()
        part.start()

    def restart_copy() -> None:
        """It tells its start in whole seconds: no two in one."""
        begun = int(time.time())
        restart(copy)
        wait_for(lambda: int(time.time()) > begun, "the next second")

    victims = [
        victim("gateway", lambda: restart(gateway)),
        victim("broker", lambda: restart(broker)),
        victim("copy", restart_copy),
        *(victim(name, device.kill) for name, device in fleet.items()),
    ]
    seed = random.randrange(2**32)
    print(f"seed {seed}, {MINUTES:g} minutes")
    try:
        presses = 0
        dice = random.Random(seed)
        until = time.monotonic() + MINUTES * 60
        with killing(random.Random(seed + 1), victims):
            while time.monotonic() < until:
                for name in NAMES[1:]:
                    fleet[name].see(change(dice, name))
                fleet["pad-w01"].press(dice.randint(1, 5))
                presses += 1
        tops = drained(gateway, fleet)
        pad = fleet["pad-w01"]
        ratings = gateway.query("SELECT count(*) FROM event WHERE kind='rating'")[0][0]
        print(f"killed {killed}; {sum(tops.values())} numbers drawn, {presses} presses")
        wait_for(lambda: carried(gateway), "the second copy", 150)
        assert stored(gateway) == {d: list(range(1, top + 1)) for d, top in tops.items()}
        same(copy, gateway)
        assert gateway.query("SELECT * FROM gap") == []
        assert presses - pad.kills <= ratings <= presses
        wait_for(lambda: gateway.health()["ok"], "a healthy gateway")
        with contextlib.closing(store.open_reader(gateway.data)) as db:
            assert verify.check(db, print) == []
        assert min(killed["gateway"], killed["broker"], killed["copy"]) > 0, killed
    finally:
        for device in fleet.values():
            device.stop()
        assert gateway.process is not None
        stop(gateway.process)
        broker.stop()
        copy.stop()


def test_the_truth_is_read_off_the_flash(tmp_path: Path) -> None:
    """The control: a device whose numbers did not all come is seen."""
    gateway = Gateway(tmp_path / "data")
    gateway.start()
    pad = Device("pad-w01", SITE, gateway.data, gateway.mqtt, tmp_path / "p")
    try:
        pad.press(5)
        wait_for(lambda: gateway.query("SELECT acked FROM log WHERE acked > 1"), "the press")
        gateway.kill()
        pad.press(4)
        pad.stop()
        _, _, top = pad.flash()
        assert stored(gateway)["pad-w01"] != list(range(1, top + 1))
    finally:
        pad.stop()
        with contextlib.suppress(ProcessLookupError):
            gateway.kill()
