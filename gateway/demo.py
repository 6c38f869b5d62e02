"""`hallkeeper demo`: a whole hall on this machine, living a scripted day.

The gateway and every device of the site file run as their own processes, the devices with their
real firmware; only what their sensors see is played here.
"""

from __future__ import annotations

import json
import os
import random
import signal
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from importlib import resources
from pathlib import Path
from typing import Any

from gateway import demoledger, schedules, site, workdays
from gateway.clock import Clock, iso, parse_instant
from gateway.errors import EnvironmentFault
from gateway.provision import recorded_broker
from gateway.site import Site

DEMO_SPEED = 10.0
UP_S = 30.0
STEP_S = 0.5
PASSWORD = "hallkeeper"

Fact = tuple[str, dict[str, Any]]
"""(device, one line for its standard input)."""


@dataclass
class Day:
    """What the script has last said of each thing, so that only changes are played."""

    said: dict[tuple[str, str], dict[str, Any]] = field(default_factory=dict)

    def changes(self, facts: Iterator[Fact]) -> Iterator[Fact]:
        for device, fact in facts:
            key = (device, str(fact.get("ch", "")) + str(fact.get("what", "")))
            if "press" in fact or "tap" in fact or self.said.get(key) != fact:
                self.said[key] = fact
                yield device, fact


def run(
    site_file: Path | None,
    data: Path | None,
    *,
    mqtt: str,
    http: str,
    start: str | None,
    speed: float,
) -> None:
    """Run until SIGTERM or Ctrl-C; then the devices stop first, the gateway last."""
    config = site_file or Path(str(resources.files("gateway") / "texts" / "demo.toml"))
    hall = site.load(config)
    if start is None:
        start = f"{last_workday(hall).isoformat()}T08:50:00+08:00"
        speed = DEMO_SPEED if speed == 1 else speed
    with tempfile.TemporaryDirectory(prefix="hallkeeper-demo-") as scratch:
        folder = data or Path(scratch) / "data"
        _Demo(config, hall, folder, Path(scratch), mqtt, http, start, speed).run()


def last_workday(hall: Site) -> date:
    """The newest day up to today on which the hall is open."""
    calendar = workdays.load(hall, None)
    day = schedules.local_day(int(time.time() * 1000), hall.timezone)
    while not calendar.is_workday(day):
        day -= timedelta(days=1)
    return day


class _Demo:
    def __init__(
        self,
        config: Path,
        hall: Site,
        data: Path,
        scratch: Path,
        mqtt: str,
        http: str,
        start: str,
        speed: float,
    ) -> None:
        self._config, self._hall, self._data, self._scratch = config, hall, data, scratch
        self._mqtt, self._http, self._start, self._speed = mqtt, http, start, speed
        self._gateway: subprocess.Popen[bytes] | None = None
        self._devices: dict[str, subprocess.Popen[bytes]] = {}
        self._stopping = False

    def run(self) -> None:
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, self._stop)
        clock = Clock(parse_instant(self._start), self._speed)
        try:
            self._start_gateway()
            self._fill_ledgers()
            self._start_devices()
            print(
                f"演示 demo: {iso(parse_instant(self._start))[:16]}, ×{self._speed:g}"
                f" · admin / {PASSWORD} · Ctrl-C 结束 / ends it",
                flush=True,
            )
            self._live(clock)
        finally:
            self._end()

    def _stop(self, *_: object) -> None:
        self._stopping = True

    def _start_gateway(self) -> None:
        environment = {"HALLKEEPER_ADMIN_PASSWORD": PASSWORD, **os.environ}
        self._gateway = subprocess.Popen(
            [
                *_hallkeeper("serve", "--config", str(self._config), "--data", str(self._data)),
                *("--mqtt", self._mqtt, "--http", self._http),
                *("--from", self._start, "--speed", f"{self._speed:g}"),
            ],
            env=environment,
            stdin=subprocess.DEVNULL,
            start_new_session=True,
        )
        deadline = time.monotonic() + UP_S
        while not _healthy(self._http):
            status = self._gateway.poll()
            if status is not None:
                raise EnvironmentFault(f"the gateway ended with status {status}")
            if time.monotonic() > deadline or self._stopping:
                raise EnvironmentFault("the gateway does not come up")
            time.sleep(0.05)

    def _fill_ledgers(self) -> None:
        password = os.environ.get("HALLKEEPER_ADMIN_PASSWORD", PASSWORD)
        calendar = workdays.load(self._hall, self._data)
        today = schedules.local_day(parse_instant(self._start), self._hall.timezone)
        try:
            demoledger.fill(f"http://{self._http}", password, self._hall, calendar, today)
        except OSError as fault:
            print(f"演示台账未填 the ledgers stay empty: {fault}", flush=True)

    def _start_devices(self) -> None:
        host, port = recorded_broker(self._data)
        environment = {**os.environ, "HALLKEEPER_DATA": str(self._data)}
        for device in self._hall.devices:
            flash = self._scratch / "flash" / device.id
            flash.mkdir(parents=True)
            self._devices[device.id] = subprocess.Popen(
                [
                    *_hallkeeper("device", device.id, "--config", str(self._config)),
                    *("--broker", f"mqtt://{host}:{port}", "--data", str(flash)),
                    *("--from", self._start, "--speed", f"{self._speed:g}"),
                ],
                env=environment,
                stdin=subprocess.PIPE,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                start_new_session=True,
            )

    def _live(self, clock: Clock) -> None:
        day, dice = Day(), random.Random(1)
        before = clock.now()
        while not self._stopping:
            now = clock.now()
            for device, fact in day.changes(scene(self._hall, before, now, dice)):
                self._tell(device, fact)
            before = now
            time.sleep(STEP_S)

    def _tell(self, device: str, fact: dict[str, Any]) -> None:
        process = self._devices.get(device)
        if process is None or process.stdin is None or process.poll() is not None:
            return
        try:
            process.stdin.write(json.dumps(fact).encode() + b"\n")
            process.stdin.flush()
        except OSError:
            process.stdin = None

    def _end(self) -> None:
        for process in self._devices.values():
            if process.poll() is None:
                process.terminate()
        for process in self._devices.values():
            _reap(process)
        if self._gateway is not None:
            if self._gateway.poll() is None:
                self._gateway.terminate()
            _reap(self._gateway)


def scene(hall: Site, before: int, now: int, dice: random.Random) -> Iterator[Fact]:
    """What every sensor of the hall sees at `now`; taps and presses since `before`."""
    minute = _minute(now, hall)
    staffed = 8 * 60 + 20 <= minute < 17 * 60 + 40
    lunch = 12 * 60 <= minute < 13 * 60
    for sensor in hall.sensors:
        if sensor.kind == "presence":
            yield sensor.source.device, {"ch": sensor.source.ch, "present": staffed and not lunch}
        elif sensor.kind == "lux":
            lux = max(0.0, 900 - abs(minute - 780) * 2.2)
            yield sensor.source.device, {"ch": sensor.source.ch, "lx": round(lux / 20) * 20}
    for counter in hall.counters:
        if counter.presence:
            away = counter.id == "w02" and 10 * 60 <= minute < 10 * 60 + 30
            here = staffed and not lunch and not away
            yield counter.presence.device, {"ch": counter.presence.ch, "present": here}
        if counter.pad and staffed and not lunch:
            quiet_s = (now - before) / 1000
            if dice.random() < quiet_s / 240:
                level = dice.choices((5, 4, 3, 2, 1), (60, 25, 10, 3, 2))[0]
                yield counter.pad, {"press": level}
    yield from _power(hall, minute)
    yield from _openings(hall, minute, staffed)
    yield from _aircons(hall, now, minute, staffed)
    yield from _patrol(hall, before, now)


def _power(hall: Site, minute: int) -> Iterator[Fact]:
    for index, circuit in enumerate(hall.circuits):
        if circuit.meter is None:
            continue
        rated = circuit.rated_w or 500.0
        if circuit.use == "lighting":  # somebody forgets them until twenty past six
            on = 8 * 60 + 20 <= minute < 18 * 60 + 20
            watts = rated * 0.6 if on else 0.0
        elif circuit.use == "protected":
            watts = rated * 0.1
        else:
            busy = 8 * 60 + 40 <= minute < 17 * 60 + 20
            kettle = index == 3 and 10 * 60 + 40 <= minute < 10 * 60 + 44
            watts = (160.0 + 11 * (minute // 7 % 5) if busy else 3.0) + (1400.0 if kettle else 0.0)
        yield circuit.meter.device, {"ch": circuit.meter.ch, "w": watts}


def _openings(hall: Site, minute: int, staffed: bool) -> Iterator[Fact]:
    for opening in hall.openings:
        if opening.contact is not None:
            is_open = {
                "entrance": staffed,
                "window": 9 * 60 + 30 <= minute < 11 * 60 + 15,
            }.get(opening.kind, False)
            yield opening.contact.device, {"ch": opening.contact.ch, "open": is_open}
        if opening.lock is not None:
            locked = 14 * 60 + 10 <= minute < 14 * 60 + 13 or not staffed
            yield opening.lock.device, {"ch": opening.lock.ch, "locked": locked}


def _aircons(hall: Site, now: int, minute: int, staffed: bool) -> Iterator[Fact]:
    day = schedules.local_day(now, hall.timezone)
    heating = schedules.in_season(day, hall.season.heating)
    for ac in hall.acs:
        wrong = 15 * 60 <= minute < 15 * 60 + 20
        degrees = (24 if wrong else 20) if heating else (22 if wrong else 26)
        mode = "heat" if heating else "cool"
        fact = {"ch": ac.source.ch, "on": staffed and minute >= 9 * 60, "mode": mode}
        yield ac.source.device, {**fact, "set": degrees}


def _patrol(hall: Site, before: int, now: int) -> Iterator[Fact]:
    reader = next((d.id for d in hall.devices if d.kind == "patrol-reader"), None)
    if reader is None:
        return
    for hour in (9, 11, 13, 17):
        for index, checkpoint in enumerate(hall.checkpoints):
            due = schedules.at(
                schedules.local_day(now, hall.timezone), hour * 60 + 20 + index * 3, hall.timezone
            )
            if before < due <= now:
                yield reader, {"tap": checkpoint.tag}


def _minute(now: int, hall: Site) -> int:
    local = datetime.fromisoformat(iso(now, hall.timezone))
    return local.hour * 60 + local.minute


def _hallkeeper(*arguments: str) -> list[str]:
    return [sys.executable, "-m", "gateway.cli", *arguments]


def _healthy(http: str) -> bool:
    try:
        with urllib.request.urlopen(f"http://{http}/healthz", timeout=1) as answer:
            return bool(answer.status == 200)
    except (OSError, urllib.error.URLError):
        return False


def _reap(process: subprocess.Popen[bytes]) -> None:
    try:
        process.wait(3)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
