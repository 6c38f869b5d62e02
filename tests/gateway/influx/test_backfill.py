"""`hallkeeper influx backfill`: a server attached late gets exactly what was stored before."""

from __future__ import annotations

import fcntl
import os
import pty
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from gateway import store
from gateway.errors import EnvironmentFault, InputFault
from gateway.influx import counting
from gateway.influx.backfill import COUNT_TRIES, LOCK, compare, run
from gateway.influx.target import URL, Target
from tests.faults.test_influx import copying, drained, held, hour, standing
from tests.gateway.api.house import NOON, SITE, House
from tests.influxes import FakeInflux, Reply, victoria
from tests.waiting import wait_for

CODE = "from gateway.cli import main; main()"


@pytest.fixture
def house(tmp_path: Path) -> Iterator[House]:
    made = House(tmp_path / "hall")
    yield made
    made.close()


def command(data: Path, url: str, *more: str) -> list[str]:
    """The command line, with a site file that names the server as `copying` does."""
    config = data.with_suffix(".toml")
    told = f'[influx]\nurl = "{url}"\norg = "hall"\nbucket = "points"\ntoken = "secret"\n'
    config.write_text(SITE.read_text() + (f"\n{told}" if url else ""))
    where = ("--data", str(data), "--config", str(config))
    return [sys.executable, "-c", CODE, "influx", "backfill", *where, *more]


def backfill(
    data: Path, url: str, *more: str, **environment: str
) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        command(data, url, *more),
        env=os.environ | environment,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def test_a_late_server_gets_exactly_the_journal_although_it_is_killed(
    house: House, tmp_path: Path
) -> None:
    """While the copier carries what is new."""
    expected = hour(house)
    with victoria(tmp_path) as server, FakeInflux(behind=server.url) as door:
        door.refuses = lambda path: (404, {}, "") if path == "/metrics" else None  # books at once
        with copying(house, door.url):
            wait_for(lambda: standing(house, door.url), "its books")
            where = (house.data, door.url, "--batch", "50")
            killed = backfill(*where, HALLKEEPER_FAILPOINT="backfill.taken:3")
            assert killed.returncode == -signal.SIGKILL
            assert len(door.points) == 150
            house.event("pm-01", 361, "power", house.at + 1, ch="c1", w=7, wh=181)
            wait_for(lambda: drained(house, door.url), "the new one")
        batches = len(door.batches)
        done = backfill(*where)
        assert done.returncode == 0, done.stderr
        assert len(door.batches) - batches == 6  # from 100 on: the third batch was not booked
        assert done.stderr.splitlines()[-1] == "补录 backfill: 363 / 363 (100%)"
        assert done.stderr.count("(100%)") == 1
        assert done.stdout.splitlines() == [
            "补录完成 backfilled: 263 个事件 events, 0 个被拒 refused",
            "  contact: 台账 journal 3 · 服务器 server 3 · 一致 equal",
            "  power: 台账 journal 361 · 服务器 server 361 · 一致 equal",
        ]
        power = {"site": "fengxian", "device": "pm-01", "channel": "c1", "zone": "hall-1f"}
        labels, t = tuple(sorted(power.items())), house.at + 1
        new = [("power_w", labels, t, 7.0), ("power_wh", labels, t, 181.0)]
        assert held(server) == sorted(expected + new)


def test_a_server_that_has_lost_some_is_told_of(
    house: House, capsys: pytest.CaptureFixture[str]
) -> None:
    house.event("pm-01", 1, "power", NOON, ch="c1", w=1)
    house.event("pad-w01", 1, "rating", NOON, level=5)
    house.event("pm-01", 2, "health", NOON, rssi=-60)  # without the field that is counted
    house.event("pm-01", 3, "health", NOON, mem=9)
    house.event("pm-01", 4, "power", None, ch="c1", w=1)
    house.event("pm-01", 5, "new-thing", NOON)
    with FakeInflux() as server:
        server.counts = [1, 1, 1, 2, 1]
        done = backfill(house.data, server.url)
        assert len(server.points) == 6
        assert done.returncode == 0, done.stderr
        assert done.stdout.splitlines()[-2:] == [
            "  power (估计时间 estimated time): 台账 journal 1 · 服务器 server 2 · 多 more: 1",
            "  rating: 台账 journal 1 · 服务器 server 1 · 一致 equal",
        ]
        server.counts = [1, 1, 1, 1, *[0] * (COUNT_TRIES + 1)]
        where, hall = Target(server.url, "hall", "points", "secret"), house.context.site
        with pytest.raises(EnvironmentFault, match="服务器少 1 个点"):
            compare(house.reader(), hall, where, lambda _: None)
        assert capsys.readouterr().out.splitlines() == [
            "  health: 台账 journal 1 · 服务器 server 1 · 一致 equal",
            "  other: 台账 journal 1 · 服务器 server 1 · 一致 equal",
            "  power: 台账 journal 1 · 服务器 server 1 · 一致 equal",
            "  power (估计时间 estimated time): 台账 journal 1 · 服务器 server 1 · 一致 equal",
            "  rating: 台账 journal 1 · 服务器 server 0 · 少 fewer: 1",
        ]
        assert (
            'from(bucket: "points") |> range(start: time(v: 1782880200000000000), stop: time(v:'
            ' 1782880200001000000)) |> filter(fn: (r) => r._measurement == "power" and'
            ' r._field == "w" and r.site == "fengxian" and not exists r.estimated)'
            " |> group() |> count()"
        ) in server.queries
        server.counts = []
        again = backfill(house.data, server.url)
        assert again.returncode == 0
        assert "0 个事件 events" in again.stdout
        assert "the server does not count (404" in again.stdout


def test_a_poison_point_is_named_and_a_busy_server_waited_for(house: House) -> None:
    for n in range(1, 8):
        house.event("pm-01", n, "power", NOON + n, ch="c1", w=666 if n == 3 else n)
    poison = (422, {}, "field type conflict")
    with FakeInflux((429, {"Retry-After": "0"}, "slow down"), "reset") as server:
        server.rule = lambda lines: poison if any("w=666" in line for line in lines) else None
        done = backfill(house.data, server.url)
        assert done.returncode == 0, done.stderr
        assert len(server.points) == 6
        assert "等待 waiting: 429: slow down" in done.stderr
        assert "拒收 refused: 422: field type conflict: power,channel=c1" in done.stderr
        assert "6 个事件 events, 1 个被拒 refused" in done.stdout


def test_what_only_a_person_can_mend_ends_it(house: House, tmp_path: Path) -> None:
    house.event("pm-01", 1, "power", NOON, ch="c1", w=1)

    def said(url: str, code: int) -> str:
        done = backfill(house.data, url)
        assert done.returncode == code
        return done.stderr.splitlines()[-1]

    assert "no server is named" in said("", 1)
    with FakeInflux((401, {}, "unauthorized")) as server:
        assert "the token is missing or wrong" in said(server.url, 3)
        assert server.points == {}
        with store.locked(house.data):  # as a running gateway does
            assert "does not copy to" in said(server.url.replace("127.0.0.1", "localhost"), 3)
        with open(house.data / LOCK) as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            assert "another backfill is running" in said(server.url, 3)
        assert said(server.url, 0) == "补录 backfill: 1 / 1 (100%)"
    nowhere = backfill(tmp_path / "nowhere", server.url)
    assert (nowhere.returncode, "no hallkeeper.db here" in nowhere.stderr) == (1, True)


def test_an_address_that_is_none_ends_it(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(URL, "localhost:8086")
    with pytest.raises(InputFault, match="is no http:// or https:// address"):
        run(house.data, SITE, 100)


def test_a_bar_on_a_terminal(house: House) -> None:
    house.event("pm-01", 1, "power", NOON, ch="c1", w=1)
    ours, theirs = pty.openpty()
    with FakeInflux() as server:
        subprocess.run(command(house.data, server.url), stderr=theirs, check=True, timeout=60)
    os.close(theirs)
    drawn = os.read(ours, 1 << 16).decode()
    os.close(ours)
    assert "补录 backfill" in drawn
    assert "━" in drawn
    assert "100%" in drawn


def test_a_server_that_will_not_count_so_much_is_asked_in_parts(
    house: House, tmp_path: Path
) -> None:
    def refuses(path: str) -> Reply | None:
        window = re.search(r"%5B(\d+)ms", path)
        return (422, {}, "too much") if window and int(window[1]) > 1_000_000 else None

    with victoria(tmp_path) as server, FakeInflux(behind=server.url) as door:
        with copying(house, door.url):
            wait_for(lambda: standing(house, door.url), "its books")
            hour(house)
            wait_for(lambda: drained(house, door.url), "all of it")
        door.refuses = refuses
        target = Target(door.url, "hall", "points", "")
        due = counting.journal(house.reader(), target.name)
        count = counting.counter(target, "fengxian")
        assert [(one.measurement, one.low, one.high, count(one)) for one in due] == [
            ("contact", 3, 3, 3),
            ("power", 360, 360, 360),
        ]
