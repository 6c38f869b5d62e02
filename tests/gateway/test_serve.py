"""A whole gateway process with a real broker, devices played by paho."""

from __future__ import annotations

import json
import sqlite3
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from gateway import site
from gateway.provision import provision
from tests.parts import Ear, free_port, listening, mosquitto, stop
from tests.waiting import wait_for

SITE = Path("tests/data/site.toml")
BASE = "hall/1/fengxian/pad-w01/"
LOG = "9f3a1c22"


class Gateway:
    def __init__(self, data: Path, broker: str = "embedded") -> None:
        self.data, self.broker = data, broker
        self.mqtt, self.http = free_port(), free_port()
        self.process: subprocess.Popen[str] | None = None

    def start(self) -> None:
        code = "from gateway.cli import main; main()"
        self.process = subprocess.Popen(
            [sys.executable, "-c", code, "serve", "--config", str(SITE), "--data", str(self.data)]
            + ["--broker", self.broker, "--mqtt", f"127.0.0.1:{self.mqtt}"]
            + ["--http", f"127.0.0.1:{self.http}"],
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
        )
        assert self.process.stdout is not None
        assert "Hallkeeper" in self.process.stdout.readline()
        wait_for(lambda: self.health()["ok"], "a healthy gateway")

    def health(self) -> Any:
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{self.http}/healthz") as answer:
                return json.load(answer)
        except OSError:
            return {"ok": False}

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
