"""Every call of the access table, as every role: none enters, changes or takes away a pad's rating,
and none that shows a level tells the minute at which one citizen pressed."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import date

import httpx
import pytest

from gateway.api import access
from gateway.cases.stage import Cases
from gateway.clock import parse_instant
from gateway.people import ROLES
from gateway.ratings import entering
from gateway.turns import Turn
from tests.gateway.api.house import House

As = Callable[[str], httpx.Client]
PRESSED = parse_instant("2026-07-01T11:47:23.519+08:00")
BY_PHONE = parse_instant("2026-07-01T11:51:41.733+08:00")
TOLD = re.compile(r"11:47|11:51|03:47|03:51|178287[78]\d{6}")  # clock, UTC, Unix ms
DAYS = {"from": "2026-07-01", "to": "2026-07-02"}
ASKED = {
    "/series": {"channel": "pm-01/c1", "field": "w", "step": "15min", **DAYS},
    "/energy": {"by": "zone", **DAYS},
    "/attendance": {"month": "2026-07"},
    "/sheets/fields": {"sheet": "stars", "period": "2026-07"},
    "/sheets/episodes": {"period": "2026-07"},
    "/sheets/{kind}": {"period": "2026-07"},
    "/sheets/{kind}/file": {"period": "2026-07"},
    "/cases/{case_id}/contact": {"reason": "回访"},
    "/shifts": {},
    "/closing-checks": {},
}
# What is not of a rating but of a device or of a person's deed, and not for those at a counter.
RECORDS = {
    "/audit",
    "/now",
    "/devices/{device_id}",
    "/devices",
    "/rejects",
    "/notifications",
    "/outboxes",
}
AT_A_COUNTER = {"viewer", "counter"}


@pytest.fixture(scope="module")
def case(house: House) -> str:
    """One bad press, one bad word by phone, and the case that the first one opened."""
    house.at = PRESSED
    house.event("pad-w01", 1, "rating", PRESSED, level=1)
    house.submit(lambda db, _: entering.qr(db, BY_PHONE, "w01", 2, "slip")).result()
    stage = Cases(house.context.site, house.context.calendar)
    stage.load(house.db, PRESSED)
    house.submit(lambda db, _: stage._open(db, PRESSED, house.context.site.counters[0], DAY))
    house.at = PRESSED + 2 * 3_600_000
    house.submit(lambda db, now: stage.turn(db, Turn(now, 0)))
    found = "SELECT id FROM case_file WHERE source = 'rating pad-w01 9f3a1c22 1'"
    return str(house.reader().execute(found).fetchone()[0])


DAY = date(2026, 7, 1)


def filled(path: str, case: str) -> str:
    known = {"case_id": case, "device_id": "pad-w01", "kind": "ratings-month", "book": "courier"}
    return access.API + re.sub(r"\{(\w+)\}", lambda m: known.get(m[1], "pad-w01"), path)


@pytest.mark.parametrize("role", ROLES)
def test_no_call_tells_when_one_citizen_pressed(as_role: As, case: str, role: str) -> None:
    client, read = as_role(role), 0
    for (method, path), roles in access.ACCESS.items():
        if method != "GET" or role not in roles or path == "/events":  # the stream: test_now.py
            continue
        if path in RECORDS and role not in AT_A_COUNTER:
            continue
        answer = client.get(filled(path, case), params=ASKED.get(path, DAYS))
        assert answer.status_code in {200, 403, 404}, (path, answer.text)
        assert not TOLD.search(answer.text), (path, answer.text)
        read += answer.status_code == 200
    assert read > 12


def test_a_bad_rating_is_shown_by_its_day(as_role: As, case: str) -> None:
    told = as_role("manager").get(f"/api/v1/cases/{case}").json()
    assert told["received"] == told["events"][0]["at"] == "2026-07-01"
    assert told["rating"] == {"level": 1, "day": "2026-07-01"}


@pytest.mark.parametrize("role", ROLES)
def test_no_call_reaches_a_pads_rating(house: House, as_role: As, case: str, role: str) -> None:
    stored = "SELECT * FROM event WHERE kind = 'rating'"
    before = [tuple(row) for row in house.reader().execute(stored)]
    assert before
    body = {
        **{"device": "pad-w01", "pad": "pad-w01", "log": "9f3a1c22", "seq": 1, "level": 5},
        **{"counter": "w01", "channel": "pad", "kind": "rating", "day": "2026-07-01", "n": 0},
        **{"form": f"f-{role}", "reason": "x", "note": "x", "t": PRESSED},
    }
    for (method, path), roles in access.ACCESS.items():
        if method == "GET" or role not in roles or path in {"/logout", "/me/password"}:
            continue
        answer = as_role(role).request(method, filled(path, case), json=body)
        assert answer.status_code < 500, (path, answer.text)
    assert [tuple(row) for row in house.reader().execute(stored)] == before
