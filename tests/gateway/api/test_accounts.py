"""Accounts: another role ends what went on under the one before; somebody can always keep them."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable
from pathlib import Path

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway import audit, people
from gateway.errors import InputFault
from tests.gateway.api.house import HASH, PASSWORD, House

As = Callable[[str], httpx.Client]


def made(house: House, name: str, role: str = "duty") -> str:
    """A person and the token of a session of theirs."""
    house.submit(lambda db, now: people.create(db, now, name, role, HASH, "test")).result()
    at = people.wall_clock()
    return house.submit(lambda db, _: people.open_session(db, name, role, at)[0]).result()


def status(anyone: httpx.Client, token: str) -> int:
    return anyone.get("/api/v1/me", headers={"Authorization": f"Bearer {token}"}).status_code


def why(answer: httpx.Response) -> tuple[int, str]:
    return answer.status_code, answer.json()["why"]


def test_another_role_ends_the_sessions_and_is_in_the_audit(
    house: House, anyone: httpx.Client, as_role: As
) -> None:
    root, token = as_role("admin"), made(house, "mei")
    path = "/api/v1/accounts/mei/role"
    assert root.post(path, json={"role": "duty"}).status_code == 204  # what it was: nothing ends
    assert status(anyone, token) == 200
    assert root.post(path, json={"role": "counter", "counter": "w01"}).status_code == 204
    assert status(anyone, token) == 401
    entered = anyone.post("/api/v1/login", json={"user": "mei", "password": PASSWORD})
    bearer = {"Authorization": f"Bearer {entered.json()['token']}"}
    anyone.cookies.clear()
    told = anyone.get("/api/v1/me", headers=bearer).json()
    assert told == {"user": "mei", "role": "counter", "counter": "w01"}
    row = house.db.execute("SELECT who, what, about FROM audit ORDER BY id DESC LIMIT 1").fetchone()
    about = {"name": "mei", "role": "counter", "before": "duty", "counter": "w01"}
    assert (row[0], row[1], json.loads(row[2])) == ("a-admin", "account.role", about)
    assert root.post(path, json={"role": "manager"}).status_code == 204  # leads no counter then
    items = root.get("/api/v1/accounts").json()["items"]
    assert next((i["role"], i["counter"]) for i in items if i["name"] == "mei") == ("manager", None)
    assert audit.check(house.db) is None


@pytest.mark.parametrize(
    ("body", "wanted"),
    [
        ({"role": "boss"}, (422, None)),
        ({"role": "duty", "counter": "w01"}, (422, None)),
        ({"role": "counter", "counter": "none"}, (422, "counter")),
    ],
)
def test_a_role_that_is_none(
    house: House, as_role: As, body: dict[str, str], wanted: tuple[int, str | None]
) -> None:
    made(house, f"p-{body['role']}-{len(body)}")
    answer = as_role("admin").post(f"/api/v1/accounts/p-{body['role']}-{len(body)}/role", json=body)
    assert (answer.status_code, answer.json().get("why")) == wanted


def test_the_last_administrator_stays_one(house: House, as_role: As) -> None:
    root = as_role("admin")
    mine = "/api/v1/accounts/a-admin"
    assert why(root.post(f"{mine}/role", json={"role": "manager"})) == (409, "last-admin")
    made(house, "spare", "admin")
    # two administrators who put each other out at one instant: the second one is refused
    house.submit(lambda db, now: people.switch(db, now, "spare", False, "a-admin")).result()
    with pytest.raises(people.LastAdmin):
        house.submit(lambda db, now: people.switch(db, now, "a-admin", False, "spare")).result()
    house.submit(lambda db, now: people.switch(db, now, "spare", True, "a-admin")).result()
    assert root.post("/api/v1/accounts/spare/role", json={"role": "duty"}).status_code == 204
    assert why(root.post(f"{mine}/role", json={"role": "duty"})) == (409, "last-admin")


def test_a_lead_is_added_with_their_counter(as_role: As) -> None:
    new = {"name": "lead", "role": "counter", "password": PASSWORD}
    add = as_role("admin").post
    assert why(add("/api/v1/accounts", json=new | {"counter": "w99"})) == (422, "counter")
    assert add("/api/v1/accounts", json=new | {"counter": "w01"}).json()["counter"] == "w01"
    assert why(add("/api/v1/accounts", json=new)) == (409, "taken")


@pytest.mark.parametrize(
    "name", ["gateway", ".", "..", "a b", "a/b", "", "\u202enimda", "a\x7f", "\n"]
)
def test_names_that_nobody_may_have(house: House, name: str) -> None:
    """Records of nobody are signed `gateway`; what cannot be seen or addressed is no name."""
    with pytest.raises(InputFault):
        house.submit(lambda db, now: people.create(db, now, name, "duty", HASH, "t")).result()


@given(st.lists(st.tuples(st.sampled_from("abc"), st.sampled_from(["admin", "duty", "on", "off"]))))
def test_somebody_can_always_keep_accounts(deeds: list[tuple[str, str]]) -> None:
    schema = Path(people.__file__).parent / "schema"
    db = sqlite3.connect(":memory:", isolation_level=None)
    for script in ("010-people.sql", "011-audit.sql"):
        db.executescript((schema / script).read_text("utf-8"))
    for name in "abc":
        people.create(db, 0, name, "admin", "x", "test")
    for name, deed in deeds:
        try:
            if deed in ("on", "off"):
                people.switch(db, 1, name, deed == "on", "test")
            else:
                people.appoint(db, 1, name, deed, None, "test")
        except people.LastAdmin:
            pass
        left = db.execute("SELECT count(*) FROM account WHERE role='admin' AND NOT disabled")
        assert left.fetchone()[0] >= 1
    db.close()
