"""Signing in and out, and what stands before every call."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from pathlib import Path

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway import people, store
from gateway.api.proof import Attempts, wait_after
from gateway.errors import InputFault
from tests.gateway.api.house import House

PASSWORD = "correct horse"


@pytest.fixture(scope="module")
def keeper(house: House) -> str:
    """An account that can really sign in."""
    hashed = people.hashed(PASSWORD)
    house.submit(lambda db, now: people.create(db, now, "王五", "duty", hashed, "test")).result()
    return "王五"


def test_token_and_cookie(anyone: httpx.Client, keeper: str) -> None:
    answer = anyone.post("/api/v1/login", json={"user": keeper, "password": PASSWORD})
    assert answer.status_code == 200, answer.text
    cookie = answer.headers["set-cookie"]
    assert "HttpOnly" in cookie
    assert "SameSite=strict" in cookie
    assert anyone.get("/api/v1/me").json()["user"] == keeper  # by cookie
    anyone.cookies.clear()
    assert anyone.get("/api/v1/me").status_code == 401
    bearer = {"Authorization": f"Bearer {answer.json()['token']}"}
    assert anyone.get("/api/v1/me", headers=bearer).json()["role"] == "duty"
    assert anyone.post("/api/v1/logout", headers=bearer).status_code == 204
    assert anyone.get("/api/v1/me", headers=bearer).status_code == 401


def test_no_token_in_the_store(house: House, anyone: httpx.Client, keeper: str) -> None:
    token = anyone.post("/api/v1/login", json={"user": keeper, "password": PASSWORD}).json()[
        "token"
    ]
    stored = [row[0] for row in house.db.execute("SELECT token FROM session")]
    assert token not in stored
    assert people.token_hash(token) in stored


def test_foreign_site_cannot_use_the_cookie(anyone: httpx.Client, keeper: str) -> None:
    anyone.post("/api/v1/login", json={"user": keeper, "password": PASSWORD})
    foreign = anyone.post("/api/v1/logout", headers={"Origin": "http://elsewhere.example"})
    assert foreign.status_code == 403
    assert anyone.get("/api/v1/me").status_code == 200


def test_wrong_password_then_limit(house: House, anyone: httpx.Client) -> None:
    hashed = people.hashed(PASSWORD)
    house.submit(lambda db, now: people.create(db, now, "bob", "duty", hashed, "test")).result()
    wrong = {"user": "bob", "password": "guess"}
    statuses = [anyone.post("/api/v1/login", json=wrong).status_code for _ in range(6)]
    assert statuses == [401] * 5 + [429]
    right = anyone.post("/api/v1/login", json={"user": "bob", "password": PASSWORD})
    assert right.status_code == 429
    assert 0 < int(right.headers["Retry-After"]) <= 60
    refused = house.db.execute("SELECT count(*) FROM audit WHERE what = 'login.refused'")
    assert refused.fetchone()[0] >= 5


@given(st.integers(0, 200), st.integers(1, 40))
def test_each_further_failure_waits_longer_up_to_an_hour(failures: int, free: int) -> None:
    now, following = wait_after(failures, free), wait_after(failures + 1, free)
    assert (now == 0) == (failures < free)
    assert now <= following <= 3600
    assert following == 3600 or failures < free or following == 2 * now


def test_a_name_is_locked_longer_each_time_and_freed_by_the_right_password() -> None:
    attempts, now, waits = Attempts(), 0.0, []
    for _ in range(9):
        left = attempts.begin("bob", "there", now)
        waits.append(left)
        if left:
            now += left
            assert attempts.begin("bob", "there", now) == 0
        attempts.failed("bob", "there", now)
    assert waits == [0, 0, 0, 0, 0, 60, 120, 240, 480]
    assert attempts.begin("bob", "there", now) > 0
    assert attempts.begin("eve", "there", now) == attempts.begin("bob", "elsewhere", now) == 0
    attempts.passed("bob", "there")
    assert attempts.begin("bob", "there", now) == 0


def test_many_guesses_at_a_time_are_no_way_around_the_count() -> None:
    attempts = Attempts()
    assert [attempts.begin("bob", "there", 0.0) for _ in range(8)] == [0] * 5 + [60] * 3


def test_no_other_site_signs_a_browser_in(anyone: httpx.Client, keeper: str) -> None:
    body = {"user": keeper, "password": PASSWORD}
    foreign = anyone.post("/api/v1/login", json=body, headers={"Origin": "http://else.example"})
    assert foreign.status_code == 403
    assert "set-cookie" not in foreign.headers


def test_disabled_account(house: House, anyone: httpx.Client) -> None:
    hashed = people.hashed(PASSWORD)
    house.submit(lambda db, now: people.create(db, now, "gone", "duty", hashed, "test")).result()
    token = anyone.post("/api/v1/login", json={"user": "gone", "password": PASSWORD}).json()[
        "token"
    ]
    house.submit(lambda db, _: db.execute("UPDATE account SET disabled = 1 WHERE name = 'gone'"))
    bearer = {"Authorization": f"Bearer {token}"}
    anyone.cookies.clear()
    assert anyone.get("/api/v1/me", headers=bearer).status_code == 401
    again = anyone.post("/api/v1/login", json={"user": "gone", "password": PASSWORD})
    assert again.status_code == 401


def test_change_password(anyone: httpx.Client, keeper: str) -> None:
    anyone.post("/api/v1/login", json={"user": keeper, "password": PASSWORD})
    new = "battery staple"
    bad = anyone.post("/api/v1/me/password", json={"old": "no", "new": new})
    assert bad.status_code == 403
    done = anyone.post("/api/v1/me/password", json={"old": PASSWORD, "new": new})
    assert done.status_code == 204
    back = anyone.post("/api/v1/me/password", json={"old": new, "new": PASSWORD})
    assert back.status_code == 204


@pytest.mark.parametrize(
    ("method", "path", "body", "status"),
    [
        ("GET", "/api/v1/nothing", None, 404),
        ("PUT", "/api/v1/login", None, 405),
        ("POST", "/api/v1/login", b"{", 422),
        ("POST", "/api/v1/login", b'{"user":1}', 422),
        ("POST", "/api/v1/login", b'{"user":"\\ud800","password":"x"}', 422),
        ("POST", "/api/v1/login", b" " * 70_000, 413),
        ("GET", "/api/v1/me", None, 401),
        ("GET", "/assets/none.js", None, 404),
    ],
)
def test_every_error_is_a_problem(
    anyone: httpx.Client, base: str, method: str, path: str, body: bytes | None, status: int
) -> None:
    headers = {"Content-Type": "application/json"}
    answer = anyone.request(method, path, content=body, headers=headers)
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.json()["status"] == status
    assert answer.json()["title"]


def test_chunked_body_is_bounded(anyone: httpx.Client) -> None:
    def stream():
        for _ in range(80):
            yield b" " * 1024

    answer = anyone.post("/api/v1/login", content=stream())
    assert answer.status_code == 413
    assert answer.headers["content-type"] == "application/problem+json"


def test_health_and_metrics(house: House, anyone: httpx.Client) -> None:
    assert anyone.get("/healthz").json() == {"ok": True, "reasons": {}}
    house.reasons["broker"] = "not connected"
    answer = anyone.get("/healthz")
    assert anyone.head("/healthz").status_code == 503
    house.reasons.clear()
    house.reasons["site"] = "the changed site file is not in force"
    assert anyone.get("/healthz").json() == {"ok": True, "reasons": house.reasons}
    house.reasons.clear()
    assert answer.status_code == 503
    assert answer.json()["reasons"] == {"broker": "not connected"}
    assert anyone.get("/metrics").headers["content-type"].startswith("text/plain")


def test_not_built_page_in_both_languages(anyone: httpx.Client) -> None:
    page = anyone.get("/").text
    assert "网关正在运行" in page
    assert "make setup" in page


def test_first_start_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("HALLKEEPER_ADMIN_PASSWORD", raising=False)
    db = store.open_writer(tmp_path)
    made = people.first_start(db, 1)
    assert made
    assert people.verify(db, "admin", made) == "admin"
    assert people.first_start(db, 2) is None
    db.close()


def test_first_start_with_a_given_password(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HALLKEEPER_ADMIN_PASSWORD", "pw")
    db = store.open_writer(tmp_path)
    assert people.first_start(db, 1) is None
    assert people.verify(db, "admin", "pw") == "admin"
    db.close()


def test_user_add_beside_a_running_gateway(
    house: House, monkeypatch: pytest.MonkeyPatch, anyone: httpx.Client
) -> None:
    monkeypatch.setenv("HALLKEEPER_PASSWORD", PASSWORD)
    people.add("li", "manager", house.data)
    answer = anyone.post("/api/v1/login", json={"user": "li", "password": PASSWORD})
    assert answer.json()["role"] == "manager"
    with pytest.raises(InputFault, match="already"):
        people.add("li", "manager", house.data)
    with pytest.raises(InputFault, match="one of viewer"):
        people.add("lu", "boss", house.data)


def test_roles_are_checked_by_the_store_too(house: House) -> None:
    with pytest.raises(sqlite3.IntegrityError):
        house.submit(
            lambda db, _: db.execute(
                "INSERT INTO account (name, role, hash, made_at) VALUES ('x', 'god', '', 0)"
            )
        ).result()


def test_bearer_of_each_role(as_role: Callable[[str], httpx.Client]) -> None:
    for role in people.ROLES:
        assert as_role(role).get("/api/v1/me").json()["role"] == role
