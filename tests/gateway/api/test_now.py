"""The hall now: day, channels, devices, and the same live."""

from __future__ import annotations

import json
import sqlite3
import threading
from collections.abc import Callable

import httpx
import pytest

from gateway import people
from gateway.api import day, live
from gateway.clock import parse_instant
from gateway.history import last
from gateway.history.times import COLUMNS, lanes, read
from tests.gateway.api.house import HASH, NOON, House, client
from tests.waiting import wait_for

HOUR = 3600_000


def keep(house: House) -> None:
    """What the history stage does after a turn, for all events."""

    def work(db, now):
        last.keep(db, lanes(read(db, db.execute(f"SELECT {COLUMNS} FROM event ORDER BY id"))))

    house.submit(work).result()


@pytest.mark.parametrize(
    ("now", "kind", "phase", "coming", "to"),
    [
        ("2026-07-01T12:30:00+08:00", "workday", "lunch", "2026-07-01T13:00:00.000+08:00", "open"),
        ("2026-07-01T09:00:00+08:00", "workday", "open", "2026-07-01T12:00:00.000+08:00", "lunch"),
        (
            "2026-07-01T07:59:59+08:00",
            "workday",
            "closed",
            "2026-07-01T08:00:00.000+08:00",
            "arrive",
        ),
        (
            "2026-07-01T17:20:00+08:00",
            "workday",
            "leaving",
            "2026-07-01T18:00:00.000+08:00",
            "closed",
        ),
        ("2026-07-04T10:00:00+08:00", "off", "closed", "2026-07-06T08:00:00.000+08:00", "arrive"),
        ("2026-09-20T10:00:00+08:00", "makeup", "open", "2026-09-20T12:00:00.000+08:00", "lunch"),
    ],
)
def test_day(house: House, now: str, kind: str, phase: str, coming: str, to: str) -> None:
    told = day.told(house.context.site, house.context.calendar, parse_instant(now))
    assert (told["kind"], told["phase"]) == (kind, phase)
    assert told["next"] == {"at": coming, "to": to}
    assert told["closed"] == (phase == "closed")


def test_now(house: House, as_role: Callable[[str], httpx.Client]) -> None:
    house.event("pm-01", 1, "power", NOON - 1000, ch="c1", w=412.0)
    house.event("pm-01", 2, "power", NOON - 5000, ch="c1", w=1.0)  # older, later heard
    house.event("pm-01", 3, "detector", NOON - 900, ch="d1", what="smoke", active=False)
    house.event("pm-01", 4, "detector", NOON - 900, ch="d1", what="heat", active=True)
    house.event("ac-01", 1, "ac", NOON, ch="a1", on=True, mode="cool", set=24, src="assumed")
    house.event("door-04", 1, "contact", NOON - HOUR, ch="c1", open=True)  # silent since
    house.event("pad-w01", 1, "rating", NOON - 100, level=1)
    keep(house)
    told = as_role("viewer").get("/api/v1/now").json()
    assert told["now"] == "2026-07-01T12:30:00.000+08:00"
    assert told["channels"]["pm-01/c1"] == {
        "kind": "power",
        "at": "2026-07-01T12:29:59.000+08:00",
        "known": True,
        "values": {"w": 412.0},
    }
    assert told["channels"]["pm-01/d1:smoke"]["values"] == {"active": False}
    assert told["channels"]["pm-01/d1:heat"]["values"] == {"active": True}
    assert told["channels"]["ac-01/a1"]["known"] is False
    assert told["channels"]["door-04/c1"]["known"] is False
    assert not any(name.startswith("pad-w01") for name in told["channels"])
    assert told["devices"]["door-04"]["silent"] is True
    assert told["devices"]["pm-02"] == {"state": None, "silent": True, "last": None}
    assert told["devices"]["pad-w01"]["last"] is None
    seen = as_role("duty").get("/api/v1/now").json()["devices"]["pad-w01"]["last"]
    assert seen == "2026-07-01T12:29:59.900+08:00"


def test_site_shows_no_tags(as_role: Callable[[str], httpx.Client]) -> None:
    answer = as_role("viewer").get("/api/v1/site")
    told = answer.json()
    assert told["hours"] == {
        "open": [["09:00", "12:00"], ["13:00", "17:00"]],
        "arrive": "08:00",
        "clear": "18:00",
    }
    assert told["attendance"] == {
        "halves": [
            {"name": "morning", "by": "08:55", "ends": "12:00"},
            {"name": "afternoon", "by": "13:00", "ends": "17:00"},
        ],
        **{"late": 10, "absent": 30, "half_day_at": 5},
    }
    assert told["counters"][0]["presence"] == "occ-w01/p1"
    assert told["routes"][0]["due"] == [["17:00", "19:00"]]
    for secret in ("04a1b2c3d4", "04b2000001", "04b1000001", "HALLKEEPER_NOTIFY"):
        assert secret not in answer.text


def test_devices(house: House, as_role: Callable[[str], httpx.Client]) -> None:
    for seq in (1, 2, 5, 6, 9):
        house.event("occ-01", seq, "lux", NOON, ch="x1", lx=3)
    house.submit(
        lambda db, _: db.execute(
            "INSERT INTO gap (device, log, first, last, why, at)"
            " VALUES ('occ-01', '9f3a1c22', 2, 3, 'lost', 0)"  # and 2 came after all
        )
    )
    told = as_role("duty").get("/api/v1/devices/occ-01").json()
    assert told["missing"] == [[4, 4], [7, 8]]
    assert (told["seq"], told["stored"], told["lost"]) == (9, 5, 1)
    assert told["last_seen"] == "2026-07-01T12:30:00.000+08:00"
    assert told["logs"][0]["log"] == "9f3a1c22"
    assert as_role("duty").get("/api/v1/devices/nothing").status_code == 404


def test_pads_are_not_for_viewer_and_counter(as_role: Callable[[str], httpx.Client]) -> None:
    for role in ("viewer", "counter"):
        assert as_role(role).get("/api/v1/devices/pad-w01").status_code == 403
        items = as_role(role).get("/api/v1/devices").json()["items"]
        assert "pad-w01" not in [item["id"] for item in items]
    assert as_role("auditor").get("/api/v1/devices/pad-w01").status_code == 200


def test_pages_of_a_list(as_role: Callable[[str], httpx.Client]) -> None:
    duty, found, after = as_role("duty"), [], None
    while True:
        query = {"limit": 3} | ({"after": after} if after else {})
        told = duty.get("/api/v1/devices", params=query).json()
        found += [item["id"] for item in told["items"]]
        after = told["next"]
        if after is None:
            break
    assert found == [item["id"] for item in duty.get("/api/v1/devices").json()["items"]]
    assert len(found) == 13
    assert duty.get("/api/v1/devices", params={"after": "x"}).status_code == 422
    assert duty.get("/api/v1/devices", params={"limit": 0}).status_code == 422


def test_who_is_signed_out_hears_no_more_in_a_hall_that_is_never_quiet(
    house: House, base: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(live, "HEARTBEAT_S", 0.1)
    name, at = "leaving", people.wall_clock()

    def enter(db: sqlite3.Connection, now: int) -> str:
        people.create(db, now, name, "duty", HASH, "test")
        return people.open_session(db, name, "duty", at)[0]

    with (
        client(base, house.submit(enter).result()) as one,
        one.stream("GET", "/api/v1/events") as told,
    ):
        lines, heard = told.iter_lines(), 0
        for line in lines:  # each word brings the next one: the stream is never quiet
            house.live.publish("channel", {"channel": "pm-01/c1"})
            heard += line.startswith("data: ")
            if heard == 20:
                house.submit(lambda db, now: people.switch(db, now, name, False, "test")).result()
        assert heard >= 20  # and the stream has ended by itself


def test_events_by_role(house: House, as_role: Callable[[str], httpx.Client]) -> None:
    got: dict[str, list[tuple[str, dict[str, object]]]] = {"viewer": [], "duty": []}

    def watch(role: str) -> None:
        with as_role(role).stream("GET", "/api/v1/events") as answer:
            kind = ""
            for line in answer.iter_lines():
                if line.startswith("event: "):
                    kind = line[7:]
                elif line.startswith("data: "):
                    got[role].append((kind, json.loads(line[6:])))
                    if kind == "finding":
                        return

    before = house.live.watchers
    threads = [threading.Thread(target=watch, args=(role,)) for role in got]
    for thread in threads:
        thread.start()
    wait_for(lambda: house.live.watchers == before + 2, "both watch")
    house.live.publish("rating", {"counter": "w01", "n": 12, "level": 1})  # between two steps
    house.live.publish("rating", {"counter": "w01", "n": 15, "level": 1})
    house.live.publish("device", {"id": "pad-w01", "state": "ready"})
    house.live.publish("channel", {"channel": "pm-01/c1"})
    house.live.publish("secret", {"x": 1})
    house.live.publish("finding", {"id": "f1"})
    for thread in threads:
        thread.join(10)
    assert got["duty"] == [
        ("rating", {"counter": "w01", "n": 15}),
        ("device", {"id": "pad-w01", "state": "ready"}),
        ("channel", {"channel": "pm-01/c1"}),
        ("finding", {"id": "f1"}),
    ]
    assert got["viewer"] == [("channel", {"channel": "pm-01/c1"}), ("finding", {"id": "f1"})]
    wait_for(lambda: house.live.watchers == before, "both have left")
