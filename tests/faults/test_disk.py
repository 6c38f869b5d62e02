"""A disk that fails or fills, a broker that falls mute: what is not stored is not acknowledged."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from tests.gateway.test_serve import BASE, Gateway, acked, again, pad, press
from tests.parts import Ear, mosquitto, stop
from tests.waiting import wait_for


@contextlib.contextmanager
def serving(data: Path, broker: Path | None) -> Iterator[Gateway]:
    """A gateway on `data`; with `broker`, a folder for a Mosquitto of its own."""
    with contextlib.ExitStack() as stack:
        gateway = Gateway(data)
        if broker is not None:
            outside = stack.enter_context(mosquitto(broker))
            gateway = Gateway(data, f"mqtt://127.0.0.1:{outside.port}")
            gateway.mqtt = outside.port
        gateway.start()
        try:
            yield gateway
        finally:
            assert gateway.process is not None
            stop(gateway.process)


@contextlib.contextmanager
def failing_sync(pid: int, folder: Path) -> Iterator[None]:
    """Every fsync and fdatasync of a process says EIO. Skips where strace may not attach."""
    strace = shutil.which("strace")
    assert strace is not None, "strace is missing; `make setup` installs it"
    said = folder / "strace"
    with open(said, "wb") as err:
        process = subprocess.Popen(
            [
                *(strace, "-f", "-p", str(pid), "-e", "trace=fsync,fdatasync"),
                *("-e", "inject=fsync,fdatasync:error=EIO"),
            ],
            stderr=err,
        )
    wait_for(lambda: said.stat().st_size > 0, "strace to attach")
    if "attached" not in said.read_text():
        stop(process)
        pytest.skip(f"strace may not attach here: {said.read_text().strip()}")
    try:
        yield
    finally:
        process.send_signal(signal.SIGINT)
        process.wait()


def healthy_and_whole(gateway: Gateway, ear: Ear, top: int) -> None:
    """Everything has come again: stored once and acknowledged."""
    wait_for(lambda: acked(ear) == top, "all acknowledged", 40)
    assert gateway.query("SELECT seq FROM event ORDER BY seq") == [(n,) for n in range(1, top + 1)]
    wait_for(lambda: gateway.health()["ok"], "a healthy gateway")


def test_a_failed_fsync_is_not_acknowledged_and_comes_again(tmp_path: Path) -> None:
    with serving(tmp_path / "data", tmp_path) as gateway:
        ear = pad(gateway)
        ear.publish(BASE + "event", json.dumps(press(1)))
        wait_for(lambda: acked(ear) == 1, "the ack of 1")
        assert gateway.process is not None
        with failing_sync(gateway.process.pid, tmp_path):
            ear.publish(BASE + "event", json.dumps(press(2)))
            wait_for(lambda: "journal" in gateway.health()["reasons"], "a word on the journal")
            assert acked(ear) == 1
            assert gateway.process.poll() is None
        healthy_and_whole(gateway, ear, 2)
        ear.close()


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of 6 MB. Skips where none may be mounted."""
    folder = tmp_path / "disk"
    folder.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=6m", "none", str(folder)]
    done = subprocess.run(mount, capture_output=True, text=True, check=False)
    if done.returncode:
        pytest.skip(f"no tmpfs may be mounted here (root may): {done.stderr.strip()}")
    yield folder
    subprocess.run(["umount", "-l", str(folder)], check=True)


def fill(ballast: Path) -> None:
    """Write until there is no room."""
    with open(ballast, "wb", buffering=0) as file, contextlib.suppress(OSError):
        while True:
            file.write(b"\0" * 4096)


def test_a_full_disk_is_not_acknowledged_and_goes_on_when_there_is_room(
    small_disk: Path, tmp_path: Path
) -> None:
    with serving(small_disk / "data", tmp_path) as gateway:
        ear = pad(gateway)
        ear.publish(BASE + "event", json.dumps(press(1)))
        wait_for(lambda: acked(ear) == 1, "the ack of 1")
        ballast = small_disk / "ballast"
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
        ear.publish(BASE + "event", json.dumps([press(1), press(2)]))
        wait_for(lambda: acked(ear) == 2, "the ack of 2")
        assert gateway.query("SELECT seq FROM event ORDER BY seq") == [(1,), (2,)]
        ear.close()
