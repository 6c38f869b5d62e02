"""The disk under a running gateway (rows 25, 26, 34–37 of the list of faults): what is not stored
is not acknowledged, what is acknowledged is there, and alerts go on."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Any

import psutil
import pytest

from gateway import store, verify
from tests.faults.disks import Disk, ext4, fill, injecting, small_disk
from tests.gateway.test_serve import BASE, SITE, Gateway, acked, again, pad, press
from tests.parts import Ear, mosquitto, stop
from tests.waiting import wait_for

METER = "hall/1/fengxian/pm-01/"


class Apart(Gateway):
    """Its log does not lie with its data."""

    def _log(self) -> IO[bytes]:
        self.data.mkdir(parents=True, exist_ok=True)
        return open(self.data.parents[1] / "gateway.log", "ab")


@contextlib.contextmanager
def serving(
    data: Path, broker: Path | None, config: Path = SITE, kind: type[Gateway] = Gateway
) -> Iterator[Gateway]:
    """A gateway on `data`; with `broker`, a folder for a Mosquitto of its own."""
    with contextlib.ExitStack() as stack:
        gateway = kind(data, config=config)
        if broker is not None:
            outside = stack.enter_context(mosquitto(broker))
            gateway = kind(data, f"mqtt://127.0.0.1:{outside.port}", config)
            gateway.mqtt = outside.port
        gateway.start()
        try:
            yield gateway
        finally:
            assert gateway.process is not None
            stop(gateway.process)


def healthy_and_whole(gateway: Gateway, ear: Ear, top: int) -> None:
    """Everything has come again: stored once and acknowledged."""
    wait_for(lambda: acked(ear) == top, "all acknowledged", 40)
    assert gateway.query("SELECT seq FROM event ORDER BY seq") == [(n,) for n in range(1, top + 1)]
    wait_for(lambda: gateway.health()["ok"], "a healthy gateway")
    with contextlib.closing(store.open_reader(gateway.data)) as db:
        assert verify.check(db, lambda _: None) == []


@pytest.mark.parametrize(
    ("calls", "error"),
    [("fsync,fdatasync", "EIO"), ("pwrite64", "ENOSPC"), ("pwrite64", "EROFS")],
)
def test_what_the_disk_refuses_is_not_acknowledged_and_comes_again(
    calls: str, error: str, tmp_path: Path
) -> None:
    with serving(tmp_path / "data", tmp_path) as gateway:
        ear = pad(gateway)
        ear.publish(BASE + "event", json.dumps(press(1)))
        wait_for(lambda: acked(ear) == 1, "the ack of 1")
        assert gateway.process is not None
        with injecting(gateway.process.pid, calls, f"error={error}", tmp_path):
            ear.publish(BASE + "event", json.dumps(press(2)))
            wait_for(lambda: "journal" in gateway.health()["reasons"], "a word on the journal")
            assert acked(ear) == 1
            assert gateway.process.poll() is None
        healthy_and_whole(gateway, ear, 2)
        ear.close()


@pytest.mark.parametrize("call", ["pwrite64", "fdatasync", "sendto"])
def test_a_kill_before_within_and_after_the_commit(call: str, tmp_path: Path) -> None:
    """The press is its device's first, so nothing but the commit holds its ack back."""
    with serving(tmp_path / "data", tmp_path) as gateway:
        ear, meter = pad(gateway), Ear(gateway.mqtt, METER + "ack")
        meter.publish(METER + "event", json.dumps(reading(1)))
        wait_for(lambda: acked(meter) == 1, "the ack of the meter")
        assert gateway.process is not None
        with injecting(gateway.process.pid, call, "signal=SIGKILL:when=1", tmp_path):
            ear.publish(BASE + "event", json.dumps(press(1)))
            gateway.process.wait(30)
        ear.publish(BASE + "cmd", "{}")  # what the broker took from the gateway comes before it
        wait_for(lambda: ear.messages("cmd"), "all that was sent before the kill")
        assert acked(ear) == 0
        gateway.start()
        ear.publish(BASE + "event", json.dumps([press(1), press(2), press(3)]))
        wait_for(lambda: acked(ear) == 3, "all acknowledged", 40)
        stored = "SELECT seq FROM event WHERE kind='rating' ORDER BY seq"
        assert gateway.query(stored) == [(1,), (2,), (3,)]
        wait_for(lambda: gateway.health()["ok"], "a healthy gateway")
        with contextlib.closing(store.open_reader(gateway.data)) as db:
            assert verify.check(db, lambda _: None) == []
        meter.close()
        ear.close()


def test_a_full_disk_is_not_acknowledged_and_goes_on_when_there_is_room(tmp_path: Path) -> None:
    with (
        small_disk(tmp_path / "disk", 6) as disk,
        serving(disk / "data", tmp_path) as gateway,
    ):
        ear = pad(gateway)
        ear.publish(BASE + "event", json.dumps(press(1)))
        wait_for(lambda: acked(ear) == 1, "the ack of 1")
        (disk / "data" / "reserve").unlink(missing_ok=True)
        ballast = disk / "ballast"
        fill(ballast)
        top = 1
        while "journal" not in gateway.health()["reasons"]:  # the WAL may have had some room yet
            top += 1
            assert top < 2000
            ear.publish(BASE + "event", json.dumps(press(top)))
        assert acked(ear) <= gateway.query("SELECT max(seq) FROM event")[0][0] < top
        ballast.unlink()
        healthy_and_whole(gateway, ear, top)
        ear.close()


def reading(seq: int) -> dict[str, Any]:
    return press(seq, kind="power", ch="c1", w=100.0 + seq)


def smoke(seq: int, active: bool) -> dict[str, Any]:
    return press(seq, kind="detector", ch="d1", what="smoke", active=active)


def test_alerts_go_on_while_the_disk_is_nearly_full_and_full(tmp_path: Path) -> None:
    """Readings wait at their device; smoke is stored and told, from the reserve where need be."""
    config = tmp_path / "site.toml"
    config.write_text(SITE.read_text() + "\n[care]\ndisk_floor_mb = 2\n")
    opened = "SELECT state FROM finding WHERE rule='{}' ORDER BY start"
    with (
        small_disk(tmp_path / "disk", 12) as disk,
        serving(disk / "data", tmp_path, config) as gateway,
    ):
        ear = Ear(gateway.mqtt, METER + "ack")
        ear.publish(METER + "event", json.dumps(reading(1)))
        wait_for(lambda: acked(ear) == 1, "the ack of 1")
        reserve = disk / "data" / "reserve"
        assert reserve.exists()
        ballast = disk / "ballast"
        fill(ballast, leave=1_500_000)
        wait_for(lambda: "disk" in gateway.health()["reasons"], "a word on the disk")
        wait_for(lambda: gateway.query(opened.format("gateway.disk")) == [("open",)], "an alert")
        ear.publish(METER + "event", json.dumps([reading(2), smoke(3, True), reading(4)]))
        wait_for(lambda: gateway.query(opened.format("fire.contact")) == [("open",)], "the fire")
        assert gateway.query("SELECT seq FROM event ORDER BY seq") == [(1,), (3,)]
        assert acked(ear) == 1, "the readings are still the device's to keep"

        fill(ballast)
        seq = 5
        while reserve.exists():
            assert seq < 2000
            ear.publish(METER + "event", json.dumps(smoke(seq, seq % 2 == 0)))
            seq += 1
        ear.publish(METER + "event", json.dumps(smoke(seq, True)))
        stored = f"SELECT seq FROM event WHERE seq={seq}"
        wait_for(lambda: gateway.query(stored), "smoke, stored on what the reserve gave", 30)
        assert gateway.query("SELECT count(*) FROM alert WHERE rule='fire.contact'")[0][0] >= 1

        ballast.unlink()
        wait_for(lambda: gateway.health()["ok"], "room again")
        every = [reading(2), reading(4), *(smoke(n, n % 2 == 0) for n in range(5, seq))]
        for at in range(0, len(every), 20):
            ear.publish(METER + "event", json.dumps(every[at : at + 20]))
        healthy_and_whole(gateway, ear, seq)
        wait_for(lambda: gateway.query(opened.format("gateway.disk")) == [("ended",)], "its end")
        assert wait_for(reserve.exists, "a reserve set aside again")
        ear.close()


def test_a_slow_disk_is_told_and_holds_nobody_up(tmp_path: Path) -> None:
    with serving(tmp_path / "data", tmp_path) as gateway:
        ear = pad(gateway)
        assert gateway.process is not None
        with injecting(gateway.process.pid, "fdatasync", "delay_exit=1100000", tmp_path):
            found = "SELECT severity FROM finding WHERE rule='gateway.slow'"
            seq = 0
            while not gateway.query(found):
                seq += 1
                ear.publish(BASE + "event", json.dumps(press(seq)))  # PUBACK comes
                wait_for(lambda: acked(ear) == seq, "its ack")  # noqa: B023
                assert seq < 20
                assert gateway.health()["ok"]
        assert gateway.query(found) == [("notice",)]
        healthy_and_whole(gateway, ear, seq)
        ear.close()


def test_a_power_cut_loses_nothing_that_was_acknowledged(tmp_path: Path) -> None:
    with (
        ext4(tmp_path / "ram") as disk,
        serving(disk.folder / "data", tmp_path, kind=Apart) as gateway,
    ):
        ear, seq = pad(gateway), 0
        for cut in range(3):
            while acked(ear) < 40 * (cut + 1):
                seq += 1
                ear.publish(BASE + "event", json.dumps(press(seq)))
            disk.cut()
            known = acked(ear)
            gateway.kill()
            disk.power_on()
            with contextlib.closing(sqlite3.connect(gateway.data / store.FILE)) as db:
                kept = [n for (n,) in db.execute("SELECT seq FROM event ORDER BY seq")]
                assert kept == list(range(1, len(kept) + 1))
                assert len(kept) >= known, "an acknowledged event is gone"
                assert verify.check(db, lambda _: None) == []
            gateway.start()
            for at in range(1, seq + 1, 30):  # the device sends what is not covered
                ear.publish(
                    BASE + "event",
                    json.dumps([press(n) for n in range(at, min(at + 30, seq + 1))]),
                )
            healthy_and_whole(gateway, ear, seq)
        ear.close()
        gateway.kill()


ROWS = """
import sqlite3, sys
db = sqlite3.connect(sys.argv[1], isolation_level=None)
db.execute("PRAGMA journal_mode=WAL")
db.execute("PRAGMA synchronous=" + sys.argv[2])
db.execute("CREATE TABLE IF NOT EXISTS event (seq INTEGER PRIMARY KEY)")
while True:
    print(db.execute("INSERT INTO event VALUES (NULL) RETURNING seq").fetchone()[0], flush=True)
"""


@pytest.mark.parametrize("synchronous", ["FULL", "NORMAL"])
def test_the_harness_sees_what_a_power_cut_takes(synchronous: str, tmp_path: Path) -> None:
    """The same cut under a store that does not sync each commit loses what it said was stored."""
    with ext4(tmp_path / "ram") as disk:
        path = disk.folder / "rows.db"
        said, kept = rows_before_the_cut(disk, path, synchronous)
        assert (kept >= said) is (synchronous == "FULL")


def rows_before_the_cut(disk: Disk, path: Path, synchronous: str) -> tuple[int, int]:
    """(rows that were said to be stored, rows that are there afterwards)."""
    writer = subprocess.Popen(
        [sys.executable, "-c", ROWS, str(path), synchronous], stdout=subprocess.PIPE, text=True
    )
    assert writer.stdout is not None
    said = 0
    while said < 300:
        said = int(writer.stdout.readline())
    disk.cut()
    writer.kill()
    writer.wait()
    writer.stdout.close()
    disk.power_on()
    with contextlib.closing(sqlite3.connect(path)) as db:
        tables = db.execute("SELECT count(*) FROM sqlite_master").fetchone()[0]
        kept = db.execute("SELECT max(seq) FROM event").fetchone()[0] if tables else 0
    return said, kept or 0


def test_a_broker_that_says_nothing_is_started_anew(tmp_path: Path) -> None:
    with serving(tmp_path / "data", None) as gateway:
        ear = pad(gateway)
        ear.publish(BASE + "event", json.dumps(press(1)))
        wait_for(lambda: acked(ear) == 1, "the ack of 1")
        ear.close()
        conf = str(gateway.data / "broker" / "nats.conf")
        ours = [p for p in psutil.process_iter(["cmdline"]) if conf in (p.info["cmdline"] or [])]
        os.kill(ours[0].pid, signal.SIGSTOP)
        wait_for(lambda: not ours[0].is_running(), "the mute broker to be ended", 60)
        ear = wait_for(lambda: again(gateway), "a login")

        def covered() -> bool:  # a device repeats it: the gateway may subscribe after its login
            ear.publish(BASE + "event", json.dumps([press(1), press(2)]))
            return acked(ear) == 2

        wait_for(covered, "the ack of 2")
        assert gateway.query("SELECT seq FROM event ORDER BY seq") == [(1,), (2,)]
        ear.close()
