"""A patrol round is signed by two people, each with the password again."""

from __future__ import annotations

import httpx
import pytest

from gateway import audit, people
from tests.gateway.api.house import House

PASSWORD = "correct horse"


@pytest.fixture
def signer(house: House, anyone: httpx.Client) -> object:
    hashed = people.hashed(PASSWORD)

    def make(name: str) -> dict[str, str]:
        house.submit(lambda db, now: people.create(db, now, name, "duty", hashed, "test")).result()
        answer = anyone.post("/api/v1/login", json={"user": name, "password": PASSWORD})
        anyone.cookies.clear()
        return {"Authorization": f"Bearer {answer.json()['token']}"}

    return make


def test_two_people_sign_a_round(house: House, anyone: httpx.Client, signer) -> None:  # type: ignore[no-untyped-def]
    walker, second = signer("walker"), signer("second")
    round_ = anyone.get("/api/v1/patrols", headers=walker).json()["items"][0]
    assert round_["signatures"] == []
    path = f"/api/v1/patrols/{round_['id']}/sign"

    def sign(who: dict[str, str], part: str, password: str = PASSWORD) -> int:
        body = {"as": part, "password": password}
        return anyone.post(path, headers=who, json=body).status_code

    assert sign(walker, "patroller", "wrong") == 403
    assert sign(walker, "patroller") == 201
    assert sign(walker, "patroller") == 409
    assert sign(walker, "supervisor") == 409
    assert sign(second, "supervisor") == 201
    told = anyone.get("/api/v1/patrols", headers=walker).json()["items"][0]
    assert [(s["as"], s["who"]) for s in told["signatures"]] == [
        ("patroller", "walker"),
        ("supervisor", "second"),
    ]
    assert audit.check(house.db) is None


def test_both_sign_on_one_phone(house: House, anyone: httpx.Client, signer) -> None:  # type: ignore[no-untyped-def]
    first, _ = signer("phone"), signer("beside")
    made = anyone.get("/api/v1/patrols", headers=first).json()["items"][1]
    path = f"/api/v1/patrols/{made['id']}/sign"

    def sign(part: str, **more: str) -> int:
        body = {"as": part, "password": PASSWORD} | more
        return anyone.post(path, headers=first, json=body).status_code

    assert sign("patroller") == 201
    assert sign("supervisor", user="phone") == 409
    assert sign("supervisor", user="beside", password="wrong") == 403
    assert sign("supervisor", user="beside") == 201


def test_a_round_that_is_none(anyone: httpx.Client, signer) -> None:  # type: ignore[no-untyped-def]
    walker = signer("nowhere")
    body = {"as": "patroller", "password": PASSWORD}
    known = anyone.get("/api/v1/patrols", headers=walker).json()["items"][0]["id"]
    route, _, begin = known.partition("~")
    late = int(begin) + 90 * 86400_000
    for round_ in ("none~1", f"{route}~1", f"{route}~{int(begin) + 1}", f"{route}~{'9' * 30}"):
        answer = anyone.post(f"/api/v1/patrols/{round_}/sign", headers=walker, json=body)
        assert answer.status_code == 404, round_
    answer = anyone.post(f"/api/v1/patrols/{route}~{late}/sign", headers=walker, json=body)
    assert answer.status_code in (404, 409)  # not worked, or not begun
