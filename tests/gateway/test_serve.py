"""A whole gateway process with a real broker, devices played by paho."""

from __future__ import annotations

import json
import os
import signal
import sqlite3
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import paho.mqtt.client as mqtt
import psutil
import pytest

from gateway import site, store
from gateway.commands import request
from gateway.provision import provision
from tests.parts import Ear, free_port, listening, mosquitto, stop
from tests.waiting import wait_for

SITE = Path("tests/data/site.toml")
BASE = "hall/1/fengxian/pad-w01/"
LOG = "9f3a1c22"
AUDIT = "SELECT about FROM audit WHERE what="


class Gateway:
    def __init__(
        self, data: Path, broker: str = "embedded", config: Path = SITE, *more: str
    ) -> None:
        self.data, self.broker, self.config, self.more = data, broker, config, more
        self.mqtt, self.http = free_port(), free_port()
        self.process: subprocess.Popen[str] | None = None

    def start(self) -> None:
        code = "from gateway.cli import main; main()"
        self.process = subprocess.Popen(
            [
                *(sys.executable, "-c", code, "serve", "--config", str(self.config)),
                *("--data", str(self.data), "--broker", self.broker),
                *("--mqtt", f"127.0.0.1:{self.mqtt}", "--http", f"127.0.0.1:{self.http}"),
                *self.more,
            ],
            stdout=subprocess.PIPE,
            stderr=self._log(),
            text=True,
        )
        assert self.process.stdout is not None
        assert "Hallkeeper" in self.process.stdout.readline()
        wait_for(lambda: self.health()["ok"], "a healthy gateway")

    def _log(self) -> Any:
        self.data.mkdir(parents=True, exist_ok=True)
        with open(self.data / "log", "ab") as log:
            return os.dup(log.fileno())

    def health(self) -> Any:
        """What /healthz says; `reasons` empty where nobody answers."""
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{self.http}/healthz") as answer:
                return json.load(answer)
        except urllib.error.HTTPError as wrong:
            with wrong:
                return json.load(wrong)
        except OSError:
            return {"ok": False, "reasons": {}}

    def log(self) -> str:
        return (self.data / "log").read_text()

    def kill(self) -> None:
        assert self.process is not None
        self.process.kill()
        self.process.wait()

    def query(self, sql: str) -> list[Any]:
        db = sqlite3.connect(f"file:{self.data}/hallkeeper.db?mode=ro", uri=True)
        try:
            return db.execute(sql).fetchall()
        finally:
            db.close()


@pytest.fixture(params=["embedded", "mosquitto"])
def gateway(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Gateway]:
    if request.param == "embedded":
        made = Gateway(tmp_path / "data")
        made.start()
        yield made
    else:
        with mosquitto(tmp_path) as broker:
            made = Gateway(tmp_path / "data", f"mqtt://127.0.0.1:{broker.port}")
            made.mqtt = broker.port
            made.start()
            yield made
    assert made.process is not None
    assert stop(made.process) == 0
    if request.param == "embedded":
        assert not listening(made.mqtt), "the broker outlived its gateway"


def pad(gateway: Gateway, **change: str) -> Ear:
    made = provision("pad-w01", site.load(SITE), gateway.data, "127.0.0.1", gateway.mqtt)["broker"]
    login = {"id": made["client_id"], "user": made["user"], "password": made["password"]}
    return Ear(gateway.mqtt, BASE + "ack", BASE + "cmd", **(login | change))


def press(seq: int, **change: Any) -> dict[str, Any]:
    base = {"log": LOG, "seq": seq, "boot": 1, "up": seq, "t": None, "kind": "rating", "level": 5}
    return base | change


def acked(ear: Ear) -> int:
    return max((json.loads(m)["seq"] for m in ear.messages("ack")), default=0)


def test_each_press_is_stored_once_and_acknowledged(gateway: Gateway) -> None:
    ear = pad(gateway)
    ear.publish(BASE + "event", json.dumps(press(1)))
    ear.publish(BASE + "event", json.dumps([press(1), press(2), press(3, level=9), press(4)]))
    ear.publish(BASE + "event", b"\xff{")
    wait_for(lambda: acked(ear) == 4, "the ack of 4")
    assert gateway.query("SELECT seq FROM event ORDER BY seq") == [(1,), (2,), (4,)]
    wait_for(lambda: len(gateway.query("SELECT 1 FROM reject")) == 2, "two rejects")
    ear.close()


def test_a_killed_gateway_goes_on_where_it_was(gateway: Gateway) -> None:
    ear = pad(gateway)
    ear.publish(BASE + "event", json.dumps(press(1)))
    wait_for(lambda: acked(ear) == 1, "the ack of 1")
    ear.close()
    gateway.kill()
    gateway.start()
    ear = pad(gateway)
    for seq in (1, 2):
        ear.publish(BASE + "event", json.dumps(press(seq)))
    wait_for(lambda: acked(ear) == 2, "the ack of 2")
    assert gateway.query("SELECT seq FROM event ORDER BY seq") == [(1,), (2,)]
    ear.close()


@pytest.mark.parametrize("gateway", ["embedded"], indirect=True)
def test_a_killed_broker_comes_back_and_nothing_is_lost(gateway: Gateway) -> None:
    ear = pad(gateway)
    ear.publish(BASE + "event", json.dumps(press(1)))
    wait_for(lambda: acked(ear) == 1, "the ack of 1")
    ear.close()
    conf = str(gateway.data / "broker" / "nats.conf")
    ours = [p for p in psutil.process_iter(["cmdline"]) if conf in (p.info["cmdline"] or [])]
    assert len(ours) == 1
    ours[0].kill()
    wait_for(lambda: not ours[0].is_running(), "the broker to be gone")
    wait_for(lambda: listening(gateway.mqtt), "another broker")
    ear = wait_for(lambda: again(gateway), "a login")

    def both() -> bool:  # a device repeats what no ack covers: the gateway may subscribe after it
        ear.publish(BASE + "event", json.dumps([press(1), press(2)]))
        return gateway.query("SELECT count(*) FROM event") == [(2,)]

    wait_for(both, "both stored")
    ear.close()


def again(gateway: Gateway) -> Ear | None:
    try:
        return pad(gateway)
    except (AssertionError, OSError):
        return None


@pytest.mark.parametrize("gateway", ["embedded"], indirect=True)
def test_a_device_cannot_be_another(gateway: Gateway) -> None:
    ear = pad(gateway)
    ear.publish("hall/1/fengxian/pm-01/event", json.dumps(press(1)))
    ear.publish(BASE + "event", json.dumps(press(1)))
    wait_for(lambda: acked(ear) == 1, "its own press")
    assert gateway.query("SELECT device FROM event") == [("pad-w01",)]
    other = provision("pm-01", site.load(SITE), gateway.data, "127.0.0.1", gateway.mqtt)["broker"]
    refused = pad_client(other["user"], other["password"], "pad-w01-00000000", gateway.mqtt)
    assert refused == "Not authorized"
    wait_for(
        lambda: gateway.query("SELECT 1 FROM reject WHERE reason LIKE '%client id%'"), "a reject"
    )
    assert gateway.query("SELECT 1 FROM reject WHERE reason LIKE 'publish not allowed%'")
    told = [json.loads(about)["reason"] for (about,) in gateway.query(AUDIT + "'broker.denied'")]
    assert any("client id" in reason for reason in told)
    assert any("publish not allowed" in reason for reason in told)
    ear.close()


def pad_client(user: str, password: str, client_id: str, port: int) -> str:
    said: list[str] = []
    client = mqtt.Client(mqtt.CallbackAPIVersion.VERSION2, client_id, reconnect_on_failure=False)
    client.username_pw_set(user, password)
    client.on_connect = lambda *a: said.append(str(a[3]))
    client.connect("127.0.0.1", port)
    client.loop_start()
    wait_for(lambda: said, "an answer to the login")
    client.loop_stop()
    return said[0]


def test_a_command_waits_for_its_device_and_is_answered(gateway: Gateway) -> None:
    gateway.kill()
    db = store.open_writer(gateway.data)
    now = time.time_ns() // 1_000_000
    made = request(db, now, "pad-w01", None, "identify", {}, cause="test", ttl_ms=60_000)
    db.close()
    gateway.start()
    ear = pad(gateway)
    assert ear.messages("cmd") == []
    ready = {"state": "ready", "log": LOG, "first": 1, "boot": 1, "fw": "1", "kind": "rating-pad"}
    ear.publish(BASE + "state", json.dumps(ready), retain=True)
    wait_for(lambda: ear.messages("cmd"), "the command")
    assert json.loads(ear.messages("cmd")[0])["id"] == made
    ear.publish(BASE + "event", json.dumps(press(1) | {"kind": "done", "cmd": made, "ok": True}))
    wait_for(lambda: gateway.query("SELECT state FROM command") == [("done",)], "done")
    ear.close()


def test_a_second_gateway_stops_with_one_line(gateway: Gateway) -> None:
    second = subprocess.run(
        [
            *(sys.executable, "-c", "from gateway.cli import main; main()", "serve"),
            *("--config", str(SITE), "--data", str(gateway.data)),
            *("--mqtt", f"127.0.0.1:{free_port()}", "--http", f"127.0.0.1:{free_port()}"),
        ],
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )
    assert second.returncode == 3
    assert len(second.stderr.splitlines()) == 1


@pytest.mark.parametrize("broker", ["embedded", "mosquitto"])
def test_a_reload_takes_a_good_site_file_and_keeps_the_old_for_a_faulty_one(
    broker: str, tmp_path: Path
) -> None:
    config = tmp_path / "site.toml"
    good = SITE.read_text()
    config.write_text(good)
    with mosquitto(tmp_path) as outside:
        url = "embedded" if broker == "embedded" else f"mqtt://127.0.0.1:{outside.port}"
        gateway = Gateway(tmp_path / "data", url, config)
        if broker == "mosquitto":
            gateway.mqtt = outside.port
        gateway.start()
        assert gateway.process is not None
        try:
            config.write_text(good.replace('zone = "hall-1f"', 'zone = "nowhere"'))
            gateway.process.send_signal(signal.SIGHUP)
            wait_for(lambda: "site" in gateway.health()["reasons"], "a word on the faulty file")
            assert "nowhere" in gateway.health()["reasons"]["site"]
            assert "site.refused" in gateway.log()
            wait_for(lambda: gateway.query(AUDIT + "'site.refused'"), "its audit")
            ear = pad(gateway)
            ear.publish(BASE + "event", json.dumps(press(1)))
            wait_for(lambda: acked(ear) == 1, "the old one in force")
            ear.publish("hall/1/fengxian/pad-w01/event", json.dumps(press(2)))
            config.write_text(good + '\n[[device]]\nid = "pad-w02"\nkind = "rating-pad"\n')
            gateway.process.send_signal(signal.SIGHUP)
            wait_for(lambda: gateway.query(AUDIT + "'site.reloaded'"), "the good one's audit")
            healthy = {"ok": True, "reasons": {}}
            wait_for(lambda: gateway.health() == healthy, "a healthy gateway again")
            ear.close()
            made = provision("pad-w02", site.load(config), gateway.data, "127.0.0.1", gateway.mqtt)
            login = {"id": made["broker"]["client_id"], "user": "pad-w02"}
            base = "hall/1/fengxian/pad-w02/"
            new = Ear(gateway.mqtt, base + "ack", password=made["broker"]["password"], **login)
            new.publish(base + "event", json.dumps(press(1)))
            wait_for(lambda: acked(new) == 1, "the new device heard")
            new.close()
        finally:
            assert stop(gateway.process) == 0


@pytest.mark.parametrize("late", [0, 0.05, 0.2, 0.4])
def test_told_to_end_while_it_is_built_anew(late: float, tmp_path: Path) -> None:
    gateway = Gateway(tmp_path / "data")
    gateway.start()
    assert gateway.process is not None
    gateway.process.send_signal(signal.SIGHUP)
    wait_for(lambda: "site.reloaded" in gateway.log(), "the old one to end")
    moment = time.monotonic() + late  # no deadline: one instant or another of the rebuilding
    wait_for(lambda: time.monotonic() > moment)
    gateway.process.send_signal(signal.SIGTERM)
    assert gateway.process.wait(30) == 0
    assert not listening(gateway.mqtt), "the broker outlived its gateway"
