"""Every call of the contract exists, is open to exactly its roles, and none is left out."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import httpx
import pytest
from fastapi import FastAPI

from gateway.api import access
from gateway.api.app import build
from gateway.people import ROLES
from tests.gateway.api.house import House

# The contract's table, written out by hand: "method path" → those who may.
EVERYONE = set(ROLES)
HOUSE = {"facilities", "manager", "admin"}
DESK = HOUSE | {"duty"}
CONTRACT = {
    "GET /devices": EVERYONE,
    "GET /devices/pm-01": EVERYONE,
    "GET /devices/pad-w01": EVERYONE - {"viewer", "counter"},
    "POST /devices/none/identify": DESK,
    "POST /devices/none/restart": HOUSE,
    "GET /certificates": EVERYONE - {"viewer", "counter"},
    "GET /rejects?device=pm-01": EVERYONE - {"viewer", "counter"},
    "GET /findings?active=true&from=2026-07-01&to=2026-07-02&rule=a&zone=b": EVERYONE,
    "POST /findings/none/close": HOUSE,
    "GET /alerts?state=normal": EVERYONE,
    "GET /alerts/none": EVERYONE,
    "POST /alerts/none/ack": DESK,
    "POST /alerts/none/shelve": DESK,
    "POST /alerts/none/close": DESK,
    "GET /notifications?alert=a&state=sent": EVERYONE - {"viewer", "counter"},
    "GET /commands?state=done": EVERYONE - {"viewer", "counter"},
    "POST /commands": DESK,
    "POST /devices/pm-01/update": {"admin"},
    "GET /firmware": EVERYONE - {"viewer", "counter"},
    "GET /firmware/updates?device=pm-01": EVERYONE - {"viewer", "counter"},
    "GET /circuits": EVERYONE,
    "POST /circuits/none/reset": HOUSE,
    "POST /circuits/none/check": HOUSE,
    "POST /circuits/none/extend": DESK,
    "GET /maintenance?active=true": EVERYONE,
    "POST /maintenance": HOUSE,
    "POST /maintenance/none/end": HOUSE,
    "GET /permits": EVERYONE,
    "POST /permits": HOUSE,
    "DELETE /permits/none": HOUSE,
    "POST /entries": DESK,
    "GET /patrols?from=2026-07-01&to=2026-07-02": EVERYONE,
    "GET /shifts": EVERYONE - {"viewer", "counter"},
    "GET /shifts/none": EVERYONE - {"viewer", "counter"},
    "GET /shifts/none/log": EVERYONE - {"viewer", "counter"},
    "POST /shifts": DESK,
    "POST /shifts/none/handover": DESK,
    "GET /closing-checks/now": EVERYONE - {"viewer", "counter"},
    "GET /closing-checks": EVERYONE - {"viewer", "counter"},
    "POST /closing-checks": DESK,
    "GET /accounts": {"admin"},
    "POST /accounts": {"admin"},
    "POST /accounts/none/disable": {"admin"},
    "POST /accounts/none/enable": {"admin"},
    "POST /accounts/none/role": {"admin"},
    "POST /accounts/none/password": {"admin"},
    "GET /ratings/summary?from=2026-07-01&to=2026-07-01&by=counter": EVERYONE - {"viewer"},
    "GET /series?channel=pm-01/c1&field=w&from=2026-07-01&to=2026-07-02&step=1h": EVERYONE,
    "GET /energy?from=2026-07-01&to=2026-07-02&by=zone": EVERYONE,
    "GET /energy/report?from=2026-07-01&to=2026-07-02": EVERYONE,
    "GET /audit": {"auditor", "manager"},
    "GET /site": EVERYONE,
    "GET /now": EVERYONE,
    "GET /rules": EVERYONE,
    "GET /me": EVERYONE,
}
REACHED = {200, 201, 204, 404, 422}  # past the gate: the call itself answers


@pytest.mark.parametrize("call", CONTRACT)
def test_role_by_call(as_role: Callable[[str], httpx.Client], call: str) -> None:
    method, _, path = call.partition(" ")
    found = {}
    for role in ROLES:
        answer = as_role(role).request(method, "/api/v1" + path)
        found[role] = answer.status_code
        if answer.status_code >= 400:
            assert answer.headers["content-type"] == "application/problem+json"
    allowed = {role for role, status in found.items() if status != 403}
    assert allowed == CONTRACT[call], found
    assert {found[role] for role in allowed} <= REACHED
    if "none" not in path and method == "GET":
        assert {found[role] for role in allowed} == {200}


@pytest.mark.parametrize("call", CONTRACT)
def test_nobody_without_signing_in(anyone: httpx.Client, call: str) -> None:
    method, _, path = call.partition(" ")
    assert anyone.request(method, "/api/v1" + path).status_code == 401


def test_a_parameter_left_empty_is_not_given(as_role: Callable[[str], httpx.Client]) -> None:
    """As a form sends what nobody filled in."""
    for empty in ("findings?active=&from=&to=&rule=&zone=", "alerts?state=&after=", "energy?by="):
        answer = as_role("duty").get(f"/api/v1/{empty}")
        assert answer.status_code == 200
        assert answer.json() == as_role("duty").get(f"/api/v1/{empty.split('?')[0]}").json()


@pytest.mark.parametrize("tail", ["%0A", "%0D", "/", "%2F"])
def test_no_spelling_of_an_address_slips_by_the_gate(anyone: httpx.Client, tail: str) -> None:
    """The router reads `/audit%0A` as `/audit`; the gate's word counts."""
    for method, path in access.ACCESS:
        if method != "GET" or "{" in path or path == "/events":
            continue
        answer = anyone.get(access.API + path + tail)
        assert answer.status_code in (307, 401, 404), (path, answer.status_code)


def test_head_is_answered_as_get(
    as_role: Callable[[str], httpx.Client], anyone: httpx.Client
) -> None:
    assert anyone.head("/api/v1/devices").status_code == 401
    assert as_role("viewer").head("/api/v1/audit").status_code == 403
    assert as_role("viewer").head("/api/v1/devices").status_code == 200
    assert as_role("viewer").head("/api/v1/events").status_code in (404, 405)


def test_the_table_and_the_router_name_the_same_calls(house: House) -> None:
    described = paths(build(house.context))
    table = {(method, access.API + path) for method, path in access.ACCESS}
    assert described - {("GET", "/healthz"), ("GET", "/metrics")} == table


def test_no_call_takes_a_pad_rating(house: House) -> None:
    """What changes anything below /ratings is about paper forms, visits and links; pads are in
    test_opinions.py."""
    assert {
        path for method, path in paths(build(house.context)) if "rating" in path and method != "GET"
    } == {
        "/api/v1/ratings/paper",
        "/api/v1/ratings/paper/{paper_id}/strike",
        "/api/v1/ratings/visits",
        "/api/v1/ratings/visits/import",
        "/api/v1/ratings/links",
    }


def paths(app: FastAPI) -> set[tuple[str, str]]:
    return {
        (method.upper(), path)
        for path, methods in app.openapi()["paths"].items()
        for method in methods
    }


def test_every_call_is_documented() -> None:
    page = (Path(__file__).parents[3] / "docs" / "reference" / "http.md").read_text("utf-8")
    missing = [call for call in access.ACCESS if f"{call[0]} {call[1]}`" not in page]
    assert not missing
