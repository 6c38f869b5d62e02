"""A hall to be ill-treated: Mosquitto, gateway, two devices of real firmware behind a proxy.

The truth is what was pressed and thanked for: a pad thanks once the press is on its flash. Acks are
held against the database at the moment at which they pass the proxy.
"""

from __future__ import annotations

import contextlib
import json
import sqlite3
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from gateway import store, verify
from tests.faults.proxy import Proxy
from tests.gateway.test_serve import SITE, Gateway
from tests.journey.fleet import Device
from tests.parts import Mosquitto, stop
from tests.waiting import wait_for

PAD, DOOR = "pad-w01", "door-02"


class AckBook:
    """Each ack as it passes: everything up to its number must be in the database by then (I3)."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.acks = 0
        self.wrong: list[str] = []

    def heard(self, topic: str, payload: bytes) -> None:
        if not topic.endswith("/ack"):
            return
        self.acks += 1
        ack, device = json.loads(payload), topic.split("/")[3]
        with contextlib.closing(sqlite3.connect(f"file:{self.path}?mode=ro", uri=True)) as db:
            have = db.execute(
                "SELECT count(*) FROM event WHERE device=? AND log=? AND seq<=?",
                (device, ack["log"], ack["seq"]),
            ).fetchone()[0]
        if have != ack["seq"]:
            self.wrong.append(f"{device}: acknowledged {ack['seq']}, stored {have}")


class Rig:
    """All parts up. `press` and `move` make events, `whole` holds what came of them against it."""

    def __init__(self, folder: Path, extra: str = "") -> None:
        self.broker = Mosquitto(folder / "mosquitto", extra)
        self.states: list[tuple[str, str]] = []  # (device, state) as the gateway is told them
        self.gateways = Proxy(self.broker.port, self._told)  # what the gateway connects through
        self.gateway = Gateway(folder / "data", f"mqtt://127.0.0.1:{self.gateways.port}")
        self.gateway.mqtt = self.broker.port
        self.acks = AckBook(folder / "data" / "hallkeeper.db")
        self.proxy = Proxy(self.broker.port, self.acks.heard)
        self.folder = folder
        self.presses = 0
        self.devices: dict[str, Device] = {}

    @contextlib.contextmanager
    def running(self) -> Iterator[Rig]:
        self.broker.start()
        with self.gateways, self.proxy:
            try:
                self.gateway.start()
                for name in (PAD, DOOR):
                    self.devices[name] = Device(
                        name, SITE, self.gateway.data, self.proxy.port, self.folder / name
                    )
                self.settled()
                yield self
            finally:
                for device in self.devices.values():
                    device.stop()
                if self.gateway.process is not None:
                    stop(self.gateway.process)
                self.broker.stop()

    def press(self, times: int) -> None:
        """So many presses, each thanked for, and as many changes of the door."""
        for n in range(times):
            self.devices[DOOR].see({"ch": "c1", "open": n % 2 == 0})
            self.devices[PAD].press(1 + n % 5)
        self.presses += times

    def _told(self, topic: str, payload: bytes) -> None:
        device, leaf = topic.split("/")[3:5]
        if leaf == "state" and device in self.devices and payload:
            self.states.append((device, json.loads(payload)["state"]))

    def query(self, sql: str) -> list[Any]:
        return self.gateway.query(sql)

    def settled(self) -> None:
        """Every press is stored and every number of both devices acknowledged."""

        def done() -> bool:
            logs = self.query("SELECT acked, top FROM log")
            ratings = self.query("SELECT count(*) FROM event WHERE kind='rating'")[0][0]
            return (
                len(logs) == len(self.devices)
                and all(acked == top > 0 for acked, top in logs)
                and ratings >= self.presses
            )

        wait_for(done, "every press stored, every number acknowledged", 90)

    def whole(self) -> None:
        """I1, I2, I3, I8, I9 of faults.md."""
        self.settled()
        wait_for(lambda: self.gateway.health()["ok"], "a healthy gateway", 30)
        check(self.gateway.data, self.presses)
        assert self.acks.wrong == []
        assert self.acks.acks > 0


def check(data: Path, presses: int) -> None:
    """Each press is stored once and no other is; numbers have no gaps; the store is whole."""
    with contextlib.closing(store.open_reader(data)) as db:
        assert verify.check(db, lambda _: None) == []
        ratings = db.execute("SELECT count(*) FROM event WHERE kind='rating'").fetchone()[0]
        assert ratings == presses, f"{presses} presses, {ratings} stored"
        rows = db.execute(
            "SELECT device, log, count(*), count(DISTINCT seq), min(seq), max(seq) FROM event"
            " GROUP BY device, log"
        ).fetchall()
        for device, log, n, distinct, low, high in rows:
            assert (n, low) == (distinct, 1), f"{device}/{log}: repeated or not from 1"
            assert n == high, f"{device}/{log}: {high - n} numbers are missing"
        assert db.execute("SELECT count(*) FROM gap").fetchone()[0] == 0
