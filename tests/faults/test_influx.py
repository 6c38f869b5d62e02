"""Rows 40 and 41: an InfluxDB that is down for an hour, or loses its reply, ends up with exactly
the points of the journal, each once."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from prometheus_client import CollectorRegistry

from gateway.influx import books
from gateway.influx.copier import Copier, Pace
from gateway.influx.target import Target
from tests.gateway.api.house import NOON, House
from tests.influxes import TAKEN, FakeInflux, Victoria, victoria
from tests.waiting import wait_for

QUICK = Pace(delays=(0.02, 0.04), answer=2, poll=0.02, batch=50)
HOUR = 3_600_000
Sample = tuple[str, tuple[tuple[str, str], ...], int, float]


@pytest.fixture
def house(tmp_path: Path) -> Iterator[House]:
    made = House(tmp_path / "hall")
    yield made
    made.close()


@contextmanager
def copying(
    house: House, url: str, pace: Pace = QUICK, rest: Callable[[float], object] | None = None
) -> Iterator[Target]:
    """A copier of the house to `url`."""
    target = Target(url, "hall", "points", "secret")
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
