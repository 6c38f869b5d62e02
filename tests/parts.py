"""Real parts that tests start for themselves: brokers on free ports of the loopback."""

from __future__ import annotations

import contextlib
import os
import shutil
import socket
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import paho.mqtt.client as mqtt

from tests.waiting import wait_for


def free_port() -> int:
    """A TCP port of 127.0.0.1 that was free a moment ago."""
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return int(s.getsockname()[1])


def listening(port: int) -> bool:
    """True when something accepts connections on 127.0.0.1:`port`."""
    with socket.socket() as s:
        return s.connect_ex(("127.0.0.1", port)) == 0


def program(name: str) -> str:
    beside = str(Path(sys.executable).parent)
    found = shutil.which(name) or shutil.which(name, path=f"{beside}:/usr/sbin:/usr/local/sbin")
    assert found, f"{name} is not installed; `make setup` installs it"
    return found


def stop(process: subprocess.Popen[Any], timeout: float = 5.0) -> int:
    """Terminate, then kill; returns the exit code."""
    if process.poll() is None:
        process.terminate()
        try:
            process.wait(timeout)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
    return int(process.returncode)


class Mosquitto:
    """A Mosquitto that can be killed and started again on the same port."""

    def __init__(self, folder: Path, extra: str = "", port: int | None = None) -> None:
        self.folder = folder
        self.extra = extra
        self.port = port or free_port()
        self.persistent = False
        self.process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start and wait until it listens."""
        self.folder.mkdir(parents=True, exist_ok=True)
        conf = self.folder / "mosquitto.conf"
        anonymous = "" if "allow_anonymous" in self.extra else "allow_anonymous true\n"
        conf.write_text(
            f"{'user root' if os.geteuid() == 0 else ''}\n"  # else it may not read tests' files
            f"listener {self.port} 127.0.0.1\n{anonymous}"
            f"persistence {str(self.persistent).lower()}\n"
            f"log_dest file {self.folder / 'mosquitto.log'}\n{self.extra}\n"
        )
        with open(self.folder / "mosquitto.out", "ab") as out:
            self.process = subprocess.Popen(
                [program("mosquitto"), "-c", str(conf)], stdout=out, stderr=out
            )
        process = self.process

        def up() -> bool:
            assert process.poll() is None, (self.folder / "mosquitto.out").read_text()
            return listening(self.port)

        wait_for(up, "mosquitto to listen")

    def kill(self) -> None:
        """kill -9"""
        assert self.process
        self.process.kill()
        self.process.wait()

    def stop(self) -> None:
        if self.process:
            stop(self.process)


@contextlib.contextmanager
def mosquitto(folder: Path, extra: str = "") -> Iterator[Mosquitto]:
    """A running Mosquitto in `folder`; `.port` is where. `extra`: more lines of its settings."""
    broker = Mosquitto(folder / "mosquitto", extra)
    broker.start()
    try:
        yield broker
    finally:
        broker.stop()


@contextlib.contextmanager
def nats(folder: Path, settings: str = "", port: int | None = None) -> Iterator[int]:
    """A NATS server with MQTT on a free port, yielded. `settings`: more of its configuration."""
    port = port or free_port()
    folder = folder / "nats"
    folder.mkdir(parents=True, exist_ok=True)
    conf = folder / "nats.conf"
    conf.write_text(
        f'server_name: "test"\nlisten: "127.0.0.1:{free_port()}"\n'
        f'jetstream {{ store_dir: "{folder / "store"}" }}\n'
        f'mqtt {{ listen: "127.0.0.1:{port}", ack_wait: "2s", max_ack_pending: 5000 }}\n'
        f"{settings}\n"
    )
    with open(folder / "nats.log", "ab") as log:
        process = subprocess.Popen([program("nats-server"), "-c", str(conf)], stderr=log)
    try:
        wait_for(lambda: listening(port), "nats-server to listen")
        yield port
    finally:
        stop(process)


class Ear:
    """A paho client that keeps every message it gets on `topics`, and can publish."""

    def __init__(self, port: int, *topics: str, **login: str) -> None:
        self.got: list[tuple[str, bytes, bool]] = []  # topic, payload, retained
        self._lock = threading.Lock()
        self._ready = threading.Event()
        self._wants: list[Callable[[str, bytes], None]] = []
        self._client = mqtt.Client(mqtt.CallbackAPIVersion.VERSION2, client_id=login.get("id", ""))
        if "user" in login:
            self._client.username_pw_set(login["user"], login.get("password"))
        self._topics = topics
        self._client.on_connect = self._connected
        self._client.on_subscribe = lambda *_: self._ready.set()
        self._client.on_message = self._message
        self._client.connect("127.0.0.1", port)
        self._client.loop_start()
        assert self._ready.wait(10), "no SUBACK"

    def _connected(self, client: mqtt.Client, *_: Any) -> None:
        client.subscribe([(t, 1) for t in self._topics])

    def _message(self, client: mqtt.Client, data: Any, message: mqtt.MQTTMessage) -> None:
        with self._lock:
            self.got.append((message.topic, message.payload, message.retain))
            wants = list(self._wants)
        for want in wants:
            want(message.topic, message.payload)

    def answer(self, want: Callable[[str, bytes], None]) -> None:
        """Call `want(topic, payload)` for each message from now on."""
        with self._lock:
            self._wants.append(want)

    def messages(self, ending: str = "") -> list[bytes]:
        """Payloads of the topics that end so."""
        with self._lock:
            return [p for t, p, _ in self.got if t.endswith(ending)]

    def publish(self, topic: str, payload: str | bytes, retain: bool = False, qos: int = 1) -> None:
        info = self._client.publish(topic, payload, qos=qos, retain=retain)
        info.wait_for_publish(10)

    def close(self) -> None:
        self._client.disconnect()
        self._client.loop_stop()
