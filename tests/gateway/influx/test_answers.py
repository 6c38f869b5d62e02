"""Each answer of a server does the right thing, over real HTTP."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from structlog.testing import capture_logs

from gateway.influx.answers import Answer, Verdict, judge
from gateway.influx.books import Owed
from gateway.influx.copier import Client, Later, Pace, deliver
from gateway.influx.target import Target
from tests.faults.test_influx import copying, drained, standing
from tests.gateway.api.house import NOON, House
from tests.influxes import FakeInflux, Reply
from tests.waiting import wait_for

NOW = datetime(2026, 7, 1, 12, 0, tzinfo=UTC)


@pytest.fixture
def house(tmp_path: Path) -> Iterator[House]:
    made = House(tmp_path / "hall")
    yield made
    made.close()


def owe(house: House, url: str, *values: float) -> None:
    """Readings to be sent to a server whose books are begun."""
    wait_for(lambda: standing(house, url), "its books")
    for n, w in enumerate(values):
        house.event("pm-01", n + 1, "power", NOON + n * 1000, ch="c1", w=w)


@pytest.mark.parametrize(
    ("status", "after", "verdict", "wait"),
    [
        (204, None, Verdict.TAKEN, None),
        (400, None, Verdict.SPLIT, None),
        (401, None, Verdict.WAIT, None),
        (403, None, Verdict.WAIT, None),
        (404, None, Verdict.WAIT, None),
        (413, None, Verdict.SPLIT, None),
        (422, None, Verdict.SPLIT, None),
        (429, "30", Verdict.WAIT, 30),
        (429, "Wed, 01 Jul 2026 12:01:00 GMT", Verdict.WAIT, 60),
        (429, "Wed, 01 Jul 2026 11:00:00 GMT", Verdict.WAIT, 0),
        (429, "999999999", Verdict.WAIT, 3600),
        (429, "soon", Verdict.WAIT, None),
        (503, "5", Verdict.WAIT, 5),
        (500, None, Verdict.WAIT, None),
        (302, None, Verdict.WAIT, None),
        (0, None, Verdict.WAIT, None),
    ],
)
def test_what_a_status_means(
    status: int, after: str | None, verdict: Verdict, wait: float | None
) -> None:
    answer = judge(status, "", after, NOW)
    assert (answer.verdict, answer.after) == (verdict, wait)


@given(st.lists(st.booleans(), min_size=1, max_size=40))
def test_only_the_poison_is_set_aside(poison: list[bool]) -> None:
    """Whichever points are bad: those are refused, every other one is taken once."""
    owed = [Owed(n, f"{'bad' if bad else 'good'} {n}") for n, bad in enumerate(poison)]
    taken: list[str] = []

    def send(lines: list[str]) -> Answer:
        if any(line.startswith("bad") for line in lines):
            return Answer(Verdict.SPLIT, "422: bad")
        taken.extend(lines)
        return Answer(Verdict.TAKEN)

    refused = deliver(owed, send, lambda: "good probe")
    assert [one.event for one in refused] == [n for n, bad in enumerate(poison) if bad]
    good = [one.line for one, bad in zip(owed, poison, strict=True) if not bad]
    assert taken[: len(good)] == good
    assert taken[len(good) :] == (["good probe"] if all(poison) else [])


def test_a_server_that_refuses_everything_costs_no_point() -> None:
    def send(lines: list[str]) -> Answer:
        return Answer(Verdict.SPLIT, "400: no org")

    with pytest.raises(Later, match=r"refuses every point .400: no org."):
        deliver([Owed(1, "a"), Owed(2, "b")], send, lambda: "probe")


@pytest.mark.parametrize(
    ("reply", "said"),
    [
        ((401, {}, '{"code":"unauthorized"}'), "the token is missing or wrong"),
        ((403, {}, ""), "the token may not write"),
        ((404, {}, '{"code":"not found"}'), "no such bucket or organisation"),
        ((503, {}, "busy"), "503: busy"),
        ("hang", "no answer"),
        ("reset", "no answer"),
    ],
)
def test_what_makes_it_wait_is_shown_and_loses_nothing(
    house: House, reply: Reply | str, said: str
) -> None:
    pace = Pace(delays=(0.02, 0.04), answer=0.2, poll=0.02)
    with FakeInflux(reply, reply) as server, copying(house, server.url, pace):
        owe(house, server.url, 1.5)

        def faulty() -> bool:
            found = standing(house, server.url)
            assert found is not None
            return said in (found.fault or "") or bool(server.points)

        wait_for(faulty, "the fault to show")
        wait_for(lambda: drained(house, server.url), "the point")
        server.released.set()
        assert list(server.points.values()) == ["w=1.5"]
        assert server.tokens == {"Token secret"}


@pytest.mark.parametrize("token", ["s3cr\net", "s3cr密", "s3cr\r\nX-More: 1"])
def test_a_token_that_cannot_be_sent_is_told_of_and_never_shown(house: House, token: str) -> None:
    """Where a request would fail with the token in the fault's own words."""
    with capture_logs() as logs, FakeInflux() as server:
        with copying(house, server.url, token=token):
            owe(house, server.url, 1.5)

            def faulty() -> str | None:
                found = standing(house, server.url)
                return found.fault if found else None

            wait_for(faulty, "the fault to show")
            assert faulty() == (
                "the token has signs that no token has: see token and HALLKEEPER_INFLUX_TOKEN"
            )
        assert server.batches == []
    assert [one["event"] for one in logs] == ["influx.failed"]
    assert "s3cr" not in str(logs)


@pytest.mark.parametrize(
    "url", ["localhost:8086", "127.0.0.1:8086", "u:pw@h:8086", "http://", "ftp://h", "http://[::1"]
)
def test_an_address_that_is_none_is_told_of(url: str) -> None:
    where = Target(url, "hall", "points", "secret")
    client = Client(where, 0.2)
    answer = client.send(["power w=1 1"])
    client.close()
    assert (client.started(), answer.verdict, answer.mend) == (0, Verdict.WAIT, True)
    assert answer.why == (
        "the server's address is no http:// or https:// address: see url and HALLKEEPER_INFLUX_URL"
    )
    assert where.name == "? hall/points"


@pytest.mark.parametrize(
    ("reply", "least", "most"),
    [
        ((429, {"Retry-After": "7"}, "slow down"), 7, 7),  # the server's own word counts more
        ((503, {"Retry-After": "90"}, ""), 90, 90),
        ((429, {"Retry-After": "99999"}, ""), 3600, 3600),
        ((429, {"Retry-After": "0"}, ""), 1, 1),
        ((429, {}, ""), 0.8, 1.2),
        ((401, {}, ""), 0.8, 1.2),
        ((500, {}, ""), 0.8, 1.2),
        ("lose", 0.8, 1.2),
    ],
)
def test_the_worker_waits_as_long_as_it_should(
    house: House, reply: Reply | str, least: float, most: float
) -> None:
    """Before it sends the very same again; what waits is not asked for in between."""
    rested: list[tuple[float, int]] = []
    with FakeInflux(reply) as server:
        with copying(
            house,
            server.url,
            Pace(answer=5, poll=0.02),
            lambda seconds: rested.append((seconds, len(server.batches))),
        ):
            owe(house, server.url, 1.5)
            wait_for(lambda: drained(house, server.url), "the point")
        ((seconds, tried),) = rested
        assert least <= seconds <= most
        assert tried == 1
        assert server.batches == [server.batches[0]] * 2
        assert list(server.points.values()) == ["w=1.5"]


def test_it_grows_more_patient_and_begins_anew_after_a_success(house: House) -> None:
    rested: list[float] = []
    busy: Reply = (503, {}, "")
    with (
        FakeInflux(*[busy] * 8) as server,
        copying(house, server.url, Pace(poll=0.02), rested.append),
    ):
        owe(house, server.url, 1)
        wait_for(lambda: drained(house, server.url), "the point")
        server.say(busy)
        house.event("pm-01", 2, "power", NOON + 1, ch="c1", w=2)
        wait_for(lambda: len(server.points) == 2, "the other")
    expected = [1, 2, 5, 10, 30, 60, 120, 120, 1]
    assert len(rested) == len(expected)
    assert all(0.8 * n <= s <= 1.2 * n for s, n in zip(rested, expected, strict=True)), rested


def test_too_large_is_halved_and_poison_is_named(house: House) -> None:
    def rule(lines: list[str]) -> Reply | None:
        if len(lines) > 3:
            return 413, {}, "too large"
        if any("w=666" in line for line in lines):
            return 422, {}, "field type conflict"
        return None

    pace = Pace(delays=(0.02,), poll=0.02)
    with FakeInflux(rule=rule) as server, copying(house, server.url, pace):
        owe(house, server.url, *range(10), 666, *range(10))
        wait_for(lambda: drained(house, server.url), "the rest")
        found = standing(house, server.url)
        assert found is not None
        assert (len(server.points), found.refused) == (20, 1)
        assert found.last_refused == "pm-01/9f3a1c22/11: 422: field type conflict"


def test_an_event_without_a_time_waits_for_one(house: House) -> None:
    """Nothing else waits for it; once its time can hardly move it is sent."""
    with FakeInflux() as server, copying(house, server.url, Pace(poll=0.02)):
        wait_for(lambda: standing(house, server.url), "its books")
        house.event("pm-01", 1, "power", None, ch="c1", w=1)
        house.event("pm-01", 2, "power", NOON, ch="c1", w=2)
        wait_for(lambda: server.points, "the one with a time")
        assert list(server.points.values()) == ["w=2"]
        assert not drained(house, server.url)
        house.at += 601_000
        wait_for(lambda: drained(house, server.url), "the other")
        assert sorted(server.points.values()) == ["w=1", "w=2"]


def test_what_is_stored_before_it_is_attached_is_for_the_backfill(house: House) -> None:
    house.event("pm-01", 1, "power", NOON, ch="c1", w=1)
    with FakeInflux() as server, copying(house, server.url, Pace(poll=0.02)):
        wait_for(lambda: standing(house, server.url), "its books")
        house.event("pm-01", 2, "power", NOON + 1, ch="c1", w=2)
        wait_for(lambda: server.points, "the new one")
        assert list(server.points.values()) == ["w=2"]
