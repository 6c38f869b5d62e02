"""A gateway that is stopped or hangs, and two of them (rows 28 and 29 of the list of faults), with
this test in systemd's place and the duty panel's real firmware.
"""

from __future__ import annotations

import configparser
import contextlib
import shlex
import signal
import socket
import sqlite3
from collections.abc import Iterator
from pathlib import Path

import pytest

from gateway import store
from gateway.commands import request
from gateway.house import begin
from gateway.supervisor import Supervisor
from tests.journey.hall import ROOT, SITE, Device, Person, Serve, fetch, ran
from tests.parts import free_port, mosquitto
from tests.waiting import wait_for

WATCHDOG_S = 1.5


class Systemd:
    """The socket that a service with `Type=notify` and a watchdog speaks to."""

    def __init__(self, folder: Path) -> None:
        self.door = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.door.bind(str(folder / "notify"))
        self.environ = {
            "NOTIFY_SOCKET": str(folder / "notify"),
            "WATCHDOG_USEC": str(int(WATCHDOG_S * 1e6)),
        }

    def hears(self, wanted: str) -> None:
        """Wait until the service says that."""
        self.door.settimeout(30)
        while self.door.recv(100).decode() != wanted:
            pass

    def bites(self) -> None:
        """Wait until the watchdog's time passes without a word."""
        self.door.settimeout(WATCHDOG_S)
        with contextlib.suppress(TimeoutError):
            while self.door.recv(100):
                pass


@pytest.fixture
def systemd(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Systemd]:
    made = Systemd(tmp_path)
    for name, value in made.environ.items():
        monkeypatch.setenv(name, value)
    with contextlib.closing(made.door):
        yield made


@contextlib.contextmanager
def stopped(gateway: Serve) -> Iterator[None]:
    """SIGSTOP the gateway, its broker goes on."""
    assert gateway.process is not None
    gateway.process.send_signal(signal.SIGSTOP)
    try:
        yield
    finally:
        gateway.process.send_signal(signal.SIGCONT)


def test_the_commit_loop_feeds_the_watchdog_and_nothing_else_does(
    systemd: Systemd, tmp_path: Path
) -> None:
    """Row 28. The writer hangs behind somebody's lock while pages are still served: no word."""
    with Serve(tmp_path) as gateway:
        systemd.hears("READY=1")
        systemd.hears("WATCHDOG=1")
        with contextlib.closing(
            sqlite3.connect(gateway.data / store.FILE, isolation_level=None)
        ) as other:
            other.execute("PRAGMA busy_timeout=5000")
            other.execute("BEGIN IMMEDIATE")
            systemd.bites()
            assert "ok" in fetch(gateway.url + "/healthz")
            other.execute("ROLLBACK")
        systemd.hears("WATCHDOG=1")
    systemd.hears("STOPPING=1")


def test_a_stopped_gateway_is_missed_by_the_panel_and_restarted_without_loss(
    systemd: Systemd, tmp_path: Path
) -> None:
    """Row 28. The panel has its broker alone, and after 75 s without `time` it sounds by itself."""
    gateway = Serve(tmp_path)
    gateway.__enter__()
    with Device(gateway, "desk-01") as panel, Device(gateway, "pad-w01") as pad:
        person = Person(gateway)
        for name in ("desk-01", "pad-w01"):
            wait_for(lambda n=name: person.get(f"devices/{n}")["state"] == "ready", name)
        with stopped(gateway):
            pad.sees(press=5)  # at this hour, nobody to hear it
            systemd.bites()
            wait_for(lambda: {"sound": "alarm"} in panel.did, "the panel's own alarm", 120)
            assert {"show": "网关失联，请检查"} in panel.did
            assert gateway.process is not None
            gateway.process.kill()  # what systemd does
        gateway.process.wait()
        with gateway:  # Restart=always
            wait_for(lambda: panel.did[-1] == {"led": "off"}, "a quiet panel")
            assert {"sound": "off"} in panel.did
            stored = "SELECT count(*) FROM event WHERE kind='rating'"
            wait_for(lambda: gateway.query(stored) == [(1,)], "the press, once")


def test_two_gateways(tmp_path: Path) -> None:
    """Row 29. On the same data the second ends with one line. On other data, with the same broker,
    the newer one takes the session over, and the older one ends with one line."""
    with mosquitto(tmp_path) as broker:
        url = f"mqtt://127.0.0.1:{broker.port}"
        first = Serve(tmp_path / "one", broker=url)
        first.__enter__()
        second = ran(
            *("serve", "--config", SITE, "--data", first.data, "--broker", url),
            *("--http", f"127.0.0.1:{free_port()}"),
        )
        assert second.returncode == 3
        assert second.stderr.splitlines() == [
            f"hallkeeper: {first.data}: another gateway is running on this data"
        ]
        assert fetch(first.url + "/healthz")["ok"]
        with Serve(tmp_path / "two", broker=url) as newer, Device(newer, "pad-w01") as pad:
            assert first.process is not None
            assert first.process.wait(30) == 3
            last = (first.folder / "gateway.log").read_text().splitlines()[-1]
            assert last.startswith(f"hallkeeper: 127.0.0.1:{broker.port}: another gateway has")
            pad.sees(press=5)
            stored = "SELECT count(*) FROM event WHERE kind='rating'"
            wait_for(lambda: newer.query(stored) == [(1,)], "the press")


def test_the_fence_grows_with_each_start_and_each_command_carries_it(tmp_path: Path) -> None:
    """Row 29. Whichever gateway asked for something can be told from the command's row."""
    db = store.open_writer(tmp_path)
    fences = []
    for _ in range(2):
        begin(db, 0, SITE, "Asia/Shanghai")
        request(db, 0, "pm-01", "r1", "off", {}, cause="test", ttl_ms=1000)
        fences.append(db.execute("SELECT max(fence) FROM command").fetchone()[0])
    db.close()
    assert fences == [1, 2]


def test_the_unit_file_has_the_watchdog_and_a_command_that_is_one() -> None:
    """deploy/hallkeeper.service: what row 28 needs of systemd, row 30 a bound, row 31 a rate."""
    unit = configparser.ConfigParser(interpolation=None, strict=False)
    unit.optionxform = str  # type: ignore[assignment,method-assign]
    unit.read(ROOT / "deploy" / "hallkeeper.service", "utf-8")
    service = unit["Service"]
    assert (service["Type"], service["Restart"]) == ("notify", "always")
    assert int(service["WatchdogSec"]) <= 75  # the panel's patience
    assert {"MemoryMax", "LogRateLimitBurst"} <= set(service)
    said = ran(*shlex.split(service["ExecStart"])[1:])
    assert (said.returncode, "/etc/hallkeeper/site.toml" in said.stderr) == (1, True)


def test_without_systemd_nothing_is_said() -> None:
    for environ in ({}, {"NOTIFY_SOCKET": "/nowhere/notify", "WATCHDOG_USEC": "1000"}):
        supervisor = Supervisor(environ)
        supervisor.up()
        supervisor.alive(1.0)
        supervisor.ending()
