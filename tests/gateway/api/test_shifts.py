"""A shift has two names and the house as the sensors saw it; nothing of it changes afterwards."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from typing import Any

import httpx
import pytest

from gateway import audit
from gateway.clock import parse_instant
from gateway.shifts import Closing
from gateway.turns import Turn
from tests.gateway.api.house import PASSWORD, House

Role = Callable[[str], httpx.Client]


def said(house: House, device: str, kind: str, ch: str, fields: str, seq: int) -> None:
    """A channel's last value, as the history stage keeps it."""
    house.event(device, seq, "health", house.at)  # heard of: not silent

    def work(db: sqlite3.Connection, now: int) -> None:
        db.execute(
            "INSERT OR REPLACE INTO last_value (device, kind, ch, what, t, boot, seq, log, fields)"
            " VALUES (?, ?, ?, '', ?, 1, ?, '9f3a1c22', ?)",
            (device, kind, ch, now, seq, fields),
        )

    house.submit(work).result()


def open_shift(one: httpx.Client, second: str, password: str = PASSWORD) -> httpx.Response:
    body = {"password": PASSWORD, "second": {"user": second, "password": password}}
    return one.post("/api/v1/shifts", json=body)


def hand(one: httpx.Client, shift: str, to: str, password: str = PASSWORD) -> httpx.Response:
    body = {"password": PASSWORD, "to": {"user": to, "password": password}, "note": "东门报修"}
    return one.post(f"/api/v1/shifts/{shift}/handover", json=body)


@pytest.fixture(scope="module")
def shift(house: House, as_role: Role) -> dict[str, Any]:
    """The first shift: duty officer and manager; one window open, one silent, a lamp on."""
    said(house, "door-03", "contact", "c1", '{"open":true}', 1)
    said(house, "pm-01", "power", "c1", '{"w":412.0}', 1)
    said(house, "pm-02", "power", "c1", '{"w":60.0}', 1)
    answer = open_shift(as_role("duty"), "a-manager")
    assert answer.status_code == 201, answer.text
    made: dict[str, Any] = answer.json()
    return made


def test_the_house_is_frozen_into_the_record(shift: dict[str, Any]) -> None:
    states = {x["id"]: x["state"] for x in shift["things"]}
    assert (shift["officer"], shift["second"], shift["end"]) == ("a-duty", "a-manager", None)
    assert states["win-01"] == "open"
    assert states["l-hall"] == "on"
    assert states["fire-panel"] == "on"
    assert states["east-exit"] == states["ac-hall-1"] == "unknown"


@pytest.mark.parametrize(
    ("second", "password", "status"),
    [
        ("a-duty", PASSWORD, 422),  # the same person twice
        ("a-manager", "wrong word", 403),
        ("a-viewer", PASSWORD, 409),  # keeps no shift
        ("nobody-here", PASSWORD, 403),
        ("a-facilities", PASSWORD, 409),  # one is running
    ],
)
def test_two_people_with_their_own_words(
    as_role: Role, shift: dict[str, Any], second: str, password: str, status: int
) -> None:
    assert open_shift(as_role("duty"), second, password).status_code == status


def test_handing_over(house: House, as_role: Role, shift: dict[str, Any]) -> None:
    assert hand(as_role("facilities"), shift["id"], "a-manager").status_code == 409  # not theirs
    assert hand(as_role("duty"), "s-none", "a-manager").status_code == 404
    house.at += 3600_000
    answer = hand(as_role("duty"), shift["id"], "a-facilities")
    assert answer.status_code == 201, answer.text
    taken = answer.json()
    assert (taken["officer"], taken["second"], taken["note"]) == (
        *("a-facilities", "a-duty", "东门报修"),
    )
    assert hand(as_role("duty"), shift["id"], "a-manager").status_code == 409  # no more
    first = as_role("duty").get(f"/api/v1/shifts/{shift['id']}").json()
    assert (first["end"], first["taken_by"]) == (taken["begin"], "a-facilities")
    assert first["things"] == shift["things"]
    listed = as_role("duty").get("/api/v1/shifts").json()["items"]
    assert [x["id"] for x in listed] == [taken["id"], shift["id"]]
    # a manager may hand over in the officer's place
    assert hand(as_role("manager"), taken["id"], "a-duty").status_code == 201
    assert audit.check(house.db) is None
    log = as_role("duty").get(f"/api/v1/shifts/{shift['id']}/log").json()["items"]
    assert [x["what"] for x in log if x["what"].startswith("shift")] == ["shift.open"]


@pytest.mark.parametrize("table", ["shift", "closing_check"])
@pytest.mark.parametrize("sql", ["UPDATE {} SET note = 'x'", "DELETE FROM {}"])
def test_records_stand(
    house: House, as_role: Role, shift: dict[str, Any], table: str, sql: str
) -> None:
    as_role("duty").post("/api/v1/closing-checks", json={})
    with pytest.raises(sqlite3.IntegrityError, match="append-only"):
        house.submit(lambda db, _: db.execute(sql.format(table))).result()


def test_what_is_left_at_closing(house: House, as_role: Role, shift: dict[str, Any]) -> None:
    now = as_role("duty").get("/api/v1/closing-checks/now").json()
    assert now["due"] == "2026-07-01T18:00:00.000+08:00"
    left = {x["id"]: x["state"] for x in now["left"]}
    assert "fire-panel" not in left  # protected circuits run day and night
    assert left["ac-hall-1"] == "unknown"
    made = as_role("duty").post("/api/v1/closing-checks", json={"note": "已查"})
    assert made.status_code == 201
    assert made.json()["left"] == now["left"]
    assert as_role("auditor").post("/api/v1/closing-checks").status_code == 403


@pytest.mark.parametrize(
    ("at", "taken"),
    [
        ("2026-07-01T17:59:59.999+08:00", 0),
        ("2026-07-01T18:00:00+08:00", 1),
        ("2026-07-01T23:59:59+08:00", 1),  # the gateway was down at 18:00: late, and says when
        ("2026-07-04T18:00:00+08:00", 0),  # a Saturday
    ],
)
def test_the_gateway_takes_it_by_itself(tmp_path: Any, at: str, taken: int) -> None:
    house = House(tmp_path, parse_instant(at))
    stage = Closing(house.context.site, house.context.calendar)
    for _ in range(2):  # once only, also after a restart
        house.submit(stage.load).result()
        for _ in range(2):
            house.submit(lambda db, now: stage.turn(db, Turn(now, 0.0))).result()
    rows = house.db.execute("SELECT who, at FROM closing_check").fetchall()
    assert rows == [("gateway", house.at)] * taken
    house.close()


def test_accounts(house: House, as_role: Role, anyone: httpx.Client) -> None:
    admin = as_role("admin")
    new = {"name": "night", "role": "duty", "password": PASSWORD}
    assert admin.post("/api/v1/accounts", json=new).status_code == 201
    assert admin.post("/api/v1/accounts", json=new).status_code == 409
    assert admin.post("/api/v1/accounts", json=new | {"role": "king"}).status_code == 422
    assert admin.post("/api/v1/accounts", json=new | {"password": "short"}).status_code == 422
    token = anyone.post("/api/v1/login", json={"user": "night", "password": PASSWORD}).json()
    anyone.cookies.clear()
    signed = {"Authorization": f"Bearer {token['token']}"}
    assert anyone.get("/api/v1/me", headers=signed).status_code == 200
    assert admin.post("/api/v1/accounts/night/disable").status_code == 204
    assert anyone.get("/api/v1/me", headers=signed).status_code == 401
    asked = {"user": "night", "password": PASSWORD}
    assert anyone.post("/api/v1/login", json=asked).status_code == 401
    assert admin.post("/api/v1/accounts/night/enable").status_code == 204
    other = {"password": "another word"}
    assert admin.post("/api/v1/accounts/night/password", json=other).status_code == 204
    assert anyone.post("/api/v1/login", json={"user": "night"} | other).status_code == 200
    anyone.cookies.clear()
    assert admin.post("/api/v1/accounts/a-admin/disable").status_code == 409
    assert admin.post("/api/v1/accounts/none/disable").status_code == 404
    listed = {x["name"]: x for x in admin.get("/api/v1/accounts").json()["items"]}
    assert (listed["night"]["role"], listed["night"]["disabled"]) == ("duty", False)
    assert not any("hash" in x for x in listed.values())
