"""Rows 40 and 41: an InfluxDB that is down for an hour, or loses its reply, ends up with exactly
the points of the journal, each once."""

from __future__ import annotations

import contextlib
import signal
import sqlite3
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from prometheus_client import CollectorRegistry

from gateway import site, store
from gateway.history.times import COLUMNS, read
from gateway.influx import books
from gateway.influx.copier import Copier, Pace
from gateway.influx.points import Places
from gateway.influx.target import Target
from tests.gateway.api.house import NOON, SITE, House
from tests.gateway.test_serve import Gateway
from tests.influxes import TAKEN, FakeInflux, Victoria, victoria
from tests.journey.fleet import CODE, Device
from tests.parts import stop
from tests.waiting import wait_for

CLI = (sys.executable, "-c", CODE)

QUICK = Pace(delays=(0.02, 0.04), answer=2, poll=0.02, batch=50, settle=0)
HOUR = 3_600_000
Sample = tuple[str, tuple[tuple[str, str], ...], int, float]


@pytest.fixture
def house(tmp_path: Path) -> Iterator[House]:
    made = House(tmp_path / "hall")
    yield made
    made.close()


@contextmanager
def copying(
    house: House,
    url: str,
    pace: Pace = QUICK,
    rest: Callable[[float], object] | None = None,
    token: str = "secret",
) -> Iterator[Target]:
    """A copier of the house to `url`."""
    target = Target(url, "hall", "points", token)
    site, now = house.context.site, house.context.now
    copier = Copier(house.data, site, target, house.submit, now, CollectorRegistry(), pace, rest)
    copier.start()
    try:
        yield target
    finally:
        copier.stop()


def standing(house: House, url: str) -> books.Standing | None:
    return books.standing(house.reader(), Target(url, "hall", "points", "").name)


def drained(house: House, url: str) -> bool:
    found = standing(house, url)
    return found is not None and found.waiting == 0


def hour(house: House) -> list[Sample]:
    """An hour of a meter and a door, two words of one instant among them, in the database; what
    VictoriaMetrics should have of it."""
    expected: list[Sample] = []

    def due(name: str, t: int, value: float, **labels: str) -> None:
        tags = {"site": "fengxian"} | labels
        expected.append((name, tuple(sorted(tags.items())), t, value))

    meter = {"device": "pm-01", "channel": "c1", "zone": "hall-1f"}
    for n in range(360):
        t = house.at = NOON + n * 10_000
        house.event("pm-01", n + 1, "power", t, ch="c1", w=100 + n % 7, wh=n * 0.5)
        due("power_w", t, 100 + n % 7, **meter)
        due("power_wh", t, n * 0.5, **meter)
    door = {"device": "door-01", "channel": "c1", "zone": "hall-1f"}
    for seq, opened in enumerate((True, False, True), 1):
        house.event("door-01", seq, "contact", NOON + 5, ch="c1", open=opened)
        due(
            "contact_open",
            NOON + 5,
            float(opened),
            **door,
            **({"log": "9f3a1c22", "seq": str(seq)} if seq > 1 else {}),
        )
    return sorted(expected)


def journal(db: sqlite3.Connection) -> tuple[list[Sample], list[Sample]]:
    """What a server should hold of each event, by hand: those that know their time, those that
    guess it; without the tags that tell two of one instant apart."""
    known: list[Sample] = []
    guessed: list[Sample] = []
    zones = Places(site.load(SITE))
    rows = db.execute(f"SELECT {COLUMNS} FROM event").fetchall()
    for event in read(db, rows):
        said = dict(event.payload)
        tags = {"site": "fengxian", "device": event.device}
        for name in {"log", "seq", "boot", "up", "t", "kind", "visit", "ages", "tag"} & set(said):
            del said[name]
        ch = said.pop("ch", "")
        zone = zones.zone(event.device, ch)
        tags |= {"channel": ch} if ch else {}
        tags |= {"zone": zone} if zone else {}
        if event.estimated:
            tags |= {"estimated": "true", "log": event.log, "boot": str(event.boot)}
        # VictoriaMetrics keeps a 0 in the place of a text
        numbers = {n: 0.0 if isinstance(v, str) else float(v) for n, v in said.items()}
        if not any(isinstance(v, int | float) for v in said.values()):
            numbers["n"] = 1.0
        for name, value in numbers.items():
            one = (f"{event.kind}_{name}", tuple(sorted(tags.items())), event.time, value)
            (guessed if event.estimated else known).append(one)
    return sorted(known), sorted(guessed)


def held(server: Victoria) -> list[Sample]:
    return server.samples('{site="fengxian",device!=""}')


def test_an_hour_without_a_server_and_a_lost_reply(house: House, tmp_path: Path) -> None:
    with victoria(tmp_path) as server, FakeInflux(behind=server.url) as door:
        door.rule = lambda _: (503, {}, "down")
        with copying(house, door.url):
            wait_for(lambda: standing(house, door.url), "its books")
            expected = hour(house)
            house.at += HOUR
            wait_for(lambda: len(door.batches) > 3, "some tries")
            found = standing(house, door.url)
            assert found is not None
            assert (found.waiting, found.oldest) == (363, NOON)
            assert found.fault == "503: down"
            assert held(server) == []
            door.rule = lambda _: None
            door.say("lose", "reset", "lose", TAKEN, "lose")
            wait_for(lambda: drained(house, door.url), "all of it to be taken")
        assert held(server) == expected
        same(server, house)
        found = standing(house, door.url)
        assert found is not None
        assert (found.fault, found.refused, found.oldest) == (None, 0, None)


def test_a_copier_that_is_stopped_goes_on_where_it_was(house: House, tmp_path: Path) -> None:
    with victoria(tmp_path) as server, FakeInflux(behind=server.url) as door:
        with copying(house, door.url):
            wait_for(lambda: standing(house, door.url), "its books")
            door.rule = lambda lines: (503, {}, "") if len(door.batches) > 3 else None
            expected = hour(house)
            wait_for(lambda: len(door.batches) > 4, "the server to go")
        door.rule = lambda _: None
        with copying(house, door.url):
            wait_for(lambda: drained(house, door.url), "the rest")
        assert held(server) == expected


def test_a_device_its_gateway_and_a_victoriametrics(tmp_path: Path) -> None:
    """A server named in the site file of a running hall, that takes nothing at first and loses its
    replies then, and is filled with what was before."""
    config = tmp_path / "site.toml"
    config.write_text(SITE.read_text())
    with victoria(tmp_path) as server, FakeInflux(behind=server.url) as door:
        door.rule = lambda _: (503, {}, "down")
        gateway = Gateway(tmp_path / "data", config=config)
        gateway.start()
        device = Device("pm-01", SITE, gateway.data, gateway.mqtt, tmp_path / "pm")
        pad = Device("pad-w01", SITE, gateway.data, gateway.mqtt, tmp_path / "pad")

        def events(least: int) -> None:
            device.see({"ch": "c1", "w": 100 * least})
            pad.press(5)
            done = "SELECT count(*) FROM event WHERE kind IN ('power', 'rating')"
            wait_for(lambda: gateway.query(done)[0][0] >= least, "its words")

        try:
            events(4)
            assert gateway.query("SELECT * FROM influx") == []
            config.write_text(f'{SITE.read_text()}\n[influx]\nurl = "{door.url}"\n')
            assert gateway.process is not None
            gateway.process.send_signal(signal.SIGHUP)
            wait_for(lambda: gateway.query("SELECT * FROM influx"), "its books")
            (attached,) = gateway.query("SELECT attached FROM influx")[0]
            events(6)
            newer = f"SELECT count(*) FROM event WHERE t IS NOT NULL AND id > {attached}"
            wait_for(lambda: door.batches, "a try")
            assert held(server) == []
            door.say("lose", "reset", "lose")
            door.rule = lambda _: None
            wait_for(lambda: held(server), "the first point")
            assert gateway.query(newer)[0][0] > 0
            done = subprocess.run(
                [*CLI, "influx", "backfill", "--data", str(gateway.data)],
                capture_output=True,
                text=True,
                timeout=60,
                check=False,
            )
            assert done.returncode == 0, done.stderr
            device.stop()
            pad.stop()
            wait_for(lambda: carried(gateway), "the rest")
            same(server, gateway)
        finally:
            device.stop()
            pad.stop()
            assert gateway.process is not None
            stop(gateway.process)


def carried(gateway: Gateway) -> bool:
    """Whether the server surely has all that is owed it now; the rest are guesses that settle."""
    ((sent, newest),) = gateway.query("SELECT sent, (SELECT max(id) FROM event) FROM influx")
    due = "SELECT 1 FROM influx_again a JOIN event e ON e.id = a.event WHERE e.t IS NOT NULL"
    return bool(sent == newest) and gateway.query(due) == []


def same(server: Victoria, hall: Gateway | House) -> None:
    """The server holds the journal, each event once; of the guesses, those that have settled."""
    with contextlib.closing(store.open_reader(hall.data)) as db:
        known, guessed = journal(db)
    found = [(name, dict(tags), t, value) for name, tags, t, value in held(server)]
    mine: list[Sample] = []
    guesses: set[Sample] = set()
    for name, tags, t, value in found:
        if "estimated" not in tags:  # what tells two of one instant apart is no part of the event
            tags.pop("log", None)
        tags.pop("seq", None)
        sample = (name, tuple(sorted(tags.items())), t, value)
        if "estimated" in tags:
            guesses.add(sample)
        else:
            mine.append(sample)
    assert sorted(mine) == known
    assert guesses <= set(guessed)
