"""`hallkeeper device` against a real Mosquitto: the firmware as its own process."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.parts import Ear, Mosquitto, mosquitto, stop
from tests.waiting import wait_for

SITE = """
[site]
id = "s"
name = "s"
timezone = "Asia/Shanghai"
[hours]
open = ["09:00-12:00", "13:00-17:00"]
arrive = "08:00"
clear_after_close = "1h"
[season]
cooling = ["06-01", "09-30"]
heating = ["11-15", "03-15"]
[[zone]]
id = "z"
name = "z"
[[circuit]]
id = "l"
name = "l"
zone = "z"
use = "lighting"
meter = "pm/c1"
relay = "pm/r1"
[[device]]
id = "pad"
kind = "rating-pad"
[[device]]
id = "door"
kind = "opening-sensor"
power = "battery"
[[device]]
id = "pm"
kind = "power-meter"
"""


class Running:
    """One device process; its stdout lines as JSON, its events as the gateway would count them."""

    def __init__(
        self,
        name: str,
        broker: Mosquitto,
        folder: Path,
        *more: str,
        url: str = "",
        site: str = SITE,
        **env: str,
    ) -> None:
        config = folder / "site.toml"
        config.write_text(site)
        self.env = {**os.environ, **env}
        self.name = name
        self.flash = folder / name
        command = ["device", name, "--config", str(config), "--data", str(self.flash)]
        self.command = [
            *(sys.executable, "-c", "from gateway.cli import main; main()"),
            *command,
            *("--broker", url or f"mqtt://127.0.0.1:{broker.port}", *more),
        ]
        self.ear = Ear(broker.port, f"hall/1/s/{name}/#")
        self.did: list[dict[str, Any]] = []
        self.said: list[bytes] = []  # lines of stderr
        self.start()

    def start(self) -> None:
        pipe = subprocess.PIPE
        self.process = subprocess.Popen(
            self.command, stdin=pipe, stdout=pipe, stderr=pipe, env=self.env
        )
        stdout, stderr = self.process.stdout, self.process.stderr
        assert stdout
        assert stderr
        self.threads = [
            threading.Thread(target=lambda: self.did.extend(json.loads(x) for x in stdout)),
            threading.Thread(target=lambda: self.said.extend(stderr)),
        ]
        for thread in self.threads:
            thread.start()

    def sees(self, **item: Any) -> None:
        assert self.process.stdin
        self.process.stdin.write(json.dumps(item).encode() + b"\n")
        self.process.stdin.flush()

    def events(self) -> list[dict[str, Any]]:
        out: list[dict[str, Any]] = []
        for raw in self.ear.messages("/event"):
            found = json.loads(raw)
            out += found if isinstance(found, list) else [found]
        return out

    def of(self, kind: str) -> list[dict[str, Any]]:
        return [e for e in self.events() if e["kind"] == kind]

    def states(self) -> list[dict[str, Any]]:
        return [json.loads(raw) for raw in self.ear.messages("/state")]

    def ack(self, log: str, seq: int) -> None:
        self.ear.publish(f"hall/1/s/{self.name}/ack", json.dumps({"log": log, "seq": seq}))

    def orders(self, **command: Any) -> None:
        command = {"args": {}, "exp": int(time.time() * 1000) + 60000, **command}
        self.ear.publish(f"hall/1/s/{self.name}/cmd", json.dumps(command))

    def gone(self) -> int:
        code = stop(self.process)
        for thread in self.threads:
            thread.join()
        for stream in (self.process.stdin, self.process.stdout, self.process.stderr):
            assert stream
            with contextlib.suppress(BrokenPipeError):
                stream.close()
        return code


@pytest.fixture
def broker(tmp_path: Path) -> Iterator[Mosquitto]:
    with mosquitto(tmp_path) as running:
        yield running


@contextlib.contextmanager
def device(
    name: str,
    broker: Mosquitto,
    folder: Path,
    *more: str,
    url: str = "",
    site: str = SITE,
    **env: str,
) -> Iterator[Running]:
    running = Running(name, broker, folder, *more, url=url, site=site, **env)
    try:
        yield running
    finally:
        running.gone()
        running.ear.close()


def test_a_press_is_sent_until_it_is_covered(broker: Mosquitto, tmp_path: Path) -> None:
    with device("pad", broker, tmp_path) as pad:
        ready = wait_for(pad.states, "ready")[0]
        assert ready["state"] == "ready"
        assert ready["kind"] == "rating-pad"
        pad.sees(press=4)
        first = wait_for(lambda: pad.of("rating"), "the press")[0]
        assert first["level"] == 4
        assert first["t"] is None
        assert first["log"] == ready["log"]
        wait_for(lambda: len(pad.of("rating")) > 1, "the press again, without an ack")
        pad.ear.publish("hall/1/s/time", json.dumps({"t": 1782896400000}), qos=0)
        wait_for(lambda: pad.of("rating")[-1]["t"], "the press with its time", timeout=30)
        assert 1782896300000 < pad.of("rating")[-1]["t"] < 1782896400000
        log = pad.flash / "log"
        for number in range(40):
            pad.sees(moved=number % 2 == 0)
        wait_for(lambda: len(list(log.glob("s.*"))) > 3, "several segments")
        wait_for(lambda: max(e["seq"] for e in pad.events()) > 40, "all of them")
        acked = max(e["seq"] for e in pad.events())
        pad.ack(ready["log"], acked)
        wait_for(lambda: len(list(log.glob("s.*"))) == 1, "the log to be drained")
        pad.orders(id="c-1", do="identify")
        wait_for(lambda: len(pad.of("done")) > 1, "its answer, and again", timeout=30)
        # a gateway that was restored may wait for what is before; a report may have come between
        wait_for(lambda: pad.states()[-1].get("first") == acked + 1, "what it holds, said anew")
        assert {"sound": "thanks"} in pad.did


def test_a_killed_device_goes_on(broker: Mosquitto, tmp_path: Path) -> None:
    with device("pad", broker, tmp_path) as pad:
        pad.sees(press=5)
        before = wait_for(lambda: pad.of("rating"), "the press")[0]
        pad.process.kill()
        wait_for(lambda: {"state": "lost"} in pad.states(), "the will")
        pad.gone()
        pad.start()
        wait_for(lambda: pad.states()[-1].get("boot") == 2, "the second boot")
        pad.sees(press=1)
        after = wait_for(lambda: [e for e in pad.of("rating") if e["level"] == 1], "it")[0]
        assert after["log"] == before["log"]
        assert after["seq"] > before["seq"]
        assert (before["boot"], after["boot"]) == (1, 2)
        seqs: dict[int, Any] = {}
        for event in pad.events():
            key = (event["kind"], event["boot"], event["up"])
            assert seqs.setdefault(event["seq"], key) == key
        assert sorted(seqs) == list(range(1, max(seqs) + 1))


def test_commands_act_once_and_are_answered(broker: Mosquitto, tmp_path: Path) -> None:
    with device("pm", broker, tmp_path) as meter:
        wait_for(meter.states, "ready")
        meter.sees(ch="c1", w=120.5)
        wait_for(lambda: [e for e in meter.of("power") if e["w"] == 120.5], "the step")
        meter.orders(id="c-1", ch="r1", do="off")
        wait_for(lambda: meter.of("done"), "its answer")
        meter.orders(id="c-1", ch="r1", do="off")
        wait_for(lambda: len({e["seq"] for e in meter.of("done")}) == 2, "two answers")
        wait_for(lambda: meter.did.count({"ch": "r1", "on": False}) == 1, "one act")
        wait_for(lambda: meter.of("power")[-1]["w"] == 0, "a dark circuit")
        relay = [e for e in meter.of("relay") if e["cause"] == "command"]
        assert len({e["seq"] for e in relay}) == 1
        assert (relay[0]["on"], relay[0]["cmd"]) == (False, "c-1")
        meter.orders(id="c-2", ch="r1", do="on", exp=1)
        wait_for(lambda: [e for e in meter.of("done") if e["cmd"] == "c-2"], "a refusal")
        assert not any(e["ok"] for e in meter.of("done") if e["cmd"] == "c-2")
        meter.orders(id="c-3", ch="r1", do="on")
        wait_for(lambda: meter.did.count({"ch": "r1", "on": True}) == 1, "only the third acts")
        wait_for(lambda: meter.of("power")[-1]["w"] == 120.5, "the circuit lit again")


def test_restart_and_clean_stop(broker: Mosquitto, tmp_path: Path) -> None:
    with device("pad", broker, tmp_path) as pad:
        wait_for(pad.states, "ready")
        pad.orders(id="c-r", do="restart")
        wait_for(lambda: pad.states()[-1].get("boot") == 2, "the second boot")
        assert pad.of("done")[0]["ok"] is True
        pad.process.send_signal(signal.SIGTERM)
        assert pad.process.wait(10) == 0
        wait_for(lambda: pad.states()[-1] == {"state": "off"}, "off")


def test_bad_lines_end_of_stdin_and_a_second_process(broker: Mosquitto, tmp_path: Path) -> None:
    with device("pad", broker, tmp_path) as pad:
        wait_for(pad.states, "ready")
        assert pad.process.stdin
        bad = b'{"press":9}\nnonsense\n[1]\n{"press":NaN}\n\xff\xfe\n' + b"x" * 9000 + b"\n"
        pad.process.stdin.write(bad + b'{"ch":"c1","w":1e999}\n{"press":true}\n{"press":3}\n')
        pad.process.stdin.close()
        wait_for(lambda: pad.of("rating"), "the good one")
        assert {e["level"] for e in pad.of("rating")} == {3}
        second = subprocess.run(pad.command, capture_output=True, check=False, timeout=20)
        assert second.returncode == 3
        assert second.stderr.count(b"\n") == 1
        assert pad.process.poll() is None
