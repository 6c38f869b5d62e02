"""Real firmware, a real gateway and real brokers, killed at random moments: nothing is lost.

A device uses each number of its log once. So when a press made after the last kill is acknowledged
and no number was given up, every event that the device ever logged is in the journal.
"""

from __future__ import annotations

import os
import random
import subprocess
import sys
import time
from pathlib import Path

import pytest

from gateway import site
from gateway.provision import provision
from tests.gateway.test_serve import SITE, Gateway
from tests.parts import Mosquitto, stop
from tests.waiting import wait_for

PRESSES = 200
CODE = "from gateway.cli import main; main()"


class Pad:
    """The firmware of one pad, as a process."""

    def __init__(self, folder: Path, gateway: Gateway) -> None:
        self._folder, self._gateway = folder, gateway
        self.process = self._start()

    def _start(self) -> subprocess.Popen[str]:
        command = [sys.executable, "-c", CODE, "device", "pad-w01", "--config", str(SITE)]
        command += ["--broker", f"mqtt://127.0.0.1:{self._gateway.mqtt}"]
        command += ["--data", str(self._folder)]
        return subprocess.Popen(
            command,
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            text=True,
            env=os.environ | {"HALLKEEPER_DATA": str(self._gateway.data)},
        )

    def press(self) -> None:
        assert self.process.stdin is not None
        self.process.stdin.write('{"press":5}\n')
        self.process.stdin.flush()

    def kill(self) -> None:
        self.process.kill()
        self.process.wait()
        self.process = self._start()


@pytest.mark.parametrize("broker", ["nats", "mosquitto"])
def test_nothing_is_lost_under_random_kills(broker: str, tmp_path: Path) -> None:
    dice = random.Random(7)
    outside = Mosquitto(tmp_path / "mosquitto")
    gateway = Gateway(tmp_path / "data")
    if broker == "mosquitto":
        outside.start()
        gateway = Gateway(tmp_path / "data", f"mqtt://127.0.0.1:{outside.port}")
        gateway.mqtt = outside.port
    gateway.start()
    provision("pad-w01", site.load(SITE), gateway.data)
    pad = Pad(tmp_path / "pad", gateway)
    kills = 0
    try:
        for n in range(PRESSES):
            pad.press()
            time.sleep(0.12)  # the pace of presses: less than 100 ms apart is bounce
            if n % 20 == 10:
                kills += 1
                victim = dice.choice(["pad", "gateway", "broker"])
                if victim == "pad":
                    pad.kill()
                elif victim == "broker" and broker == "mosquitto":
                    outside.kill()
                    outside.start()
                else:
                    gateway.kill()
                    gateway.start()
        before = gateway.query("SELECT coalesce(max(seq),0) FROM event")[0][0]
        pad.press()
        wait_for(
            lambda: gateway.query("SELECT 1 FROM log WHERE acked = top AND top > " + str(before)),
            "the last press",
            40,
        )
        stored, distinct, top = gateway.query(
            "SELECT count(*), count(DISTINCT seq), max(seq) FROM event"
        )[0]
        assert stored == distinct == top
        assert gateway.query("SELECT * FROM gap") == []
        ratings = gateway.query("SELECT count(*) FROM event WHERE kind='rating'")[0][0]
        print(f"{broker}: {kills} kills, {top} numbers, {ratings} presses stored")
        assert ratings > PRESSES // 4
    finally:
        stop(pad.process)
        assert gateway.process is not None
        stop(gateway.process)
        outside.stop()
