"""Ratings over HTTP that are not a pad's: paper, the QR page, visits, roster; and that no role and
no call reaches a pad's."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import date

import httpx
import pytest

from gateway.people import ROLES
from gateway.ratings import links
from tests.gateway.api.house import NOON, House

As = Callable[[str], httpx.Client]
TODAY = "2026-07-01"
FORM = {"counter": "w01", "day": TODAY, "level": 2, "form": "A-1"}


def first(client: httpx.Client, **asked: str) -> dict:
    asked = {"from": TODAY, "to": TODAY, "detail": "true"} | asked
    answer = client.get("/api/v1/ratings/summary", params=asked)
    assert answer.status_code == 200, answer.text
    return answer.json()["items"][0]


def test_paper_is_entered_once_struck_out_and_audited(house: House, as_role: As) -> None:
    manager, before = as_role("manager"), first(as_role("manager"))
    made = manager.post("/api/v1/ratings/paper", json=FORM)
    assert made.status_code == 201, made.text
    assert manager.post("/api/v1/ratings/paper", json=FORM).status_code == 409
    after = first(manager)
    assert (after["n"], after["channels"]["paper"]) == (before["n"] + 1, 1)
    assert first(manager, channel="pad")["n"] == before["n"]
    strike = f"/api/v1/ratings/paper/{made.json()['id']}/strike"
    assert manager.post(strike, json={}).status_code == 422
    assert manager.post(strike, json={"reason": "重复录入"}).status_code == 204
    assert manager.post(strike, json={"reason": "x"}).status_code == 409
    assert first(manager)["n"] == before["n"]
    listed = manager.get("/api/v1/ratings/paper", params={"from": TODAY, "to": TODAY}).json()
    assert [(i["made_by"], i["struck_why"]) for i in listed["items"]] == [("a-manager", "重复录入")]
    acts = [row["what"] for row in house.reader().execute("SELECT what FROM audit ORDER BY id")]
    assert acts[-2:] == ["paper.enter", "paper.strike"]
    assert manager.post("/api/v1/ratings/paper", json=FORM).status_code == 201
    assert (
        manager.post("/api/v1/ratings/paper", json=FORM | {"day": "2026-07-02"}).status_code == 422
    )


@pytest.mark.parametrize("role", ROLES)
def test_no_role_reaches_a_pads_rating(house: House, as_role: As, role: str) -> None:
    number = 100 + ROLES.index(role)
    house.event("pad-w01", number, "rating", NOON + number * 20_000, level=1)
    stored = "SELECT * FROM event WHERE kind = 'rating' ORDER BY id"
    before = [tuple(row) for row in house.reader().execute(stored)]
    client = as_role(role)
    name = f"pad-w01/9f3a1c22/{number}"
    for method in ("POST", "PUT", "PATCH", "DELETE"):
        for path in ("ratings", "ratings/summary", f"ratings/{name}", f"events/{name}", "events"):
            answer = client.request(
                method, f"/api/v1/{path}", json={"level": 5, "counter": "w01", "pad": "pad-w01"}
            )
            assert answer.status_code in {403, 404, 405}, (method, path)
    for path in ("paper", f"paper/{name}/strike"):
        answer = client.post(f"/api/v1/ratings/{path}", json={"reason": "x", "channel": "pad"})
        assert answer.status_code in {403, 404, 405, 422}
    assert [tuple(row) for row in house.reader().execute(stored)] == before


def test_visits_that_were_not_rated(as_role: As) -> None:
    manager = as_role("manager")
    n = first(manager)["n"]
    assert n > 0
    for visits in (n + 9, n + 4):
        said = {"counter": "w01", "day": TODAY, "n": visits}
        assert manager.post("/api/v1/ratings/visits", json=said).status_code == 201
    told = first(manager, by="department")
    assert (told["visits"], told["unrated"]) == (n + 4, 4)


def test_the_queue_machines_file_over_http(as_role: As) -> None:
    manager = as_role("manager")
    n = first(manager)["n"]
    body = f"窗口,日期,办件数\nw01,{TODAY},{n + 7}\n".encode("gb18030")

    def send(client: httpx.Client, content: bytes, **query: object) -> httpx.Response:
        return client.post(
            "/api/v1/ratings/visits/import", content=content, params={"file": "q.csv", **query}
        )

    look = send(manager, body, dry=True).json()
    assert look["sample"] == [{"counter": "w01", "day": TODAY, "n": n + 7}]
    assert (look["counts"], look["new"], look["first"], look["faulty"]) == (1, None, TODAY, 0)
    assert [send(manager, body).json()["new"] for _ in range(2)] == [1, 0]
    assert first(manager)["unrated"] == 7
    bad = f"counter,date,served\nw99,{TODAY},1\nw01,x,1\nw01,9999-01-01,1\nw01,{TODAY},-1\n"
    look = send(manager, bad.encode(), dry=True).json()
    assert [(f["line"], f["why"]) for f in look["faults"]] == [
        *((2, "counter"), (3, "day"), (4, "future"), (5, "number"))
    ]
    refused = send(manager, bad.encode())
    assert (refused.status_code, refused.json()["why"]) == (422, "faulty")
    assert "q.csv:2" in refused.json()["detail"]
    assert send(as_role("duty"), body).status_code == 403


def test_today_moves_in_steps_of_five_at_a_counter(as_role: As) -> None:
    n = first(as_role("manager"))["n"]
    assert n % 5
    assert first(as_role("counter"))["n"] == n - n % 5
    assert first(as_role("manager"), steps="true")["n"] == n - n % 5  # as the pages ask


def test_staff_by_roster_for_the_centre_only(as_role: As) -> None:
    manager = as_role("manager")
    shift = {"counter": "w01", "person": "值班员", "first": TODAY, "last": TODAY}
    made = manager.post("/api/v1/roster", json=shift).json()
    span = {"from": TODAY, "to": TODAY}
    items = manager.get("/api/v1/ratings/staff", params=span).json()["items"]
    assert [i["person"] for i in items] == ["值班员"]
    assert items[0]["n"] == first(manager)["n"]
    for role in ("counter", "duty", "facilities", "viewer"):
        assert as_role(role).get("/api/v1/ratings/staff", params=span).status_code == 403
    strike = f"/api/v1/roster/{made['id']}/strike"
    assert manager.post(strike, json={"reason": "换班"}).status_code == 204
    items = manager.get("/api/v1/ratings/staff", params=span).json()["items"]
    assert [i["person"] for i in items] == [""]
    hours = as_role("duty").get("/api/v1/ratings/hours", params=span).json()["items"]
    assert sum(i["n"] for i in hours) == first(manager)["n"]
    assert all(i["levels"] is None for i in hours if i["n"] < 5)


def slip(html: str) -> str:
    found = re.search(r'name="slip" value="([^"]+)"', html)
    assert found
    return found[1]


def test_the_qr_page(house: House, as_role: As, anyone: httpx.Client) -> None:
    asked = {"counter": "w01", "until": "2026-07-31"}
    made = as_role("manager").post("/api/v1/ratings/links", json=asked).json()
    path = made["path"]
    assert made["url"].endswith(path)
    assert made["image"].startswith("data:image/svg+xml")
    before = first(as_role("manager"))["channels"]["qr"]
    shown = anyone.get(path)
    assert shown.status_code == 200
    assert not {"set-cookie"} & set(shown.headers)
    assert "script" not in shown.text
    assert "企业开办专窗" in shown.text
    assert re.findall(r'value="(\d)"', shown.text) == ["5", "4", "3", "2", "1"]
    form = {"slip": slip(shown.text), "level": "4"}
    assert anyone.post(path, data=form).status_code == 200
    assert anyone.post(path, data=form).status_code == 200  # sent twice, kept once
    assert first(as_role("manager"))["channels"]["qr"] == before + 1
    columns = house.reader().execute("SELECT * FROM opinion WHERE channel = 'qr'").fetchone().keys()
    assert not {"address", "ip", "agent"} & set(columns)
    wrong_forms = (
        *({}, form | {"level": "6"}, form | {"slip": "1.x.y"}, form | {"slip": "é"}),
        form | {"a": "1", "b": "2", "c": "3"},
    )
    for bad in wrong_forms:
        assert anyone.post(path, data=bad).status_code == 400
    codes = [
        anyone.post(path, data={"slip": slip(anyone.get(path).text), "level": "1"}).status_code
        for _ in range(10)
    ]
    assert codes[-1] == 429
    for wrong in (
        path[:-1] + ("A" if path[-1] != "A" else "B"),
        "/r/x",
        path.replace("w01", "w02"),
    ):
        assert anyone.get(wrong).status_code == 404
        assert anyone.post(wrong, data=form).status_code == 404


def test_links_and_slips_end() -> None:
    secret = b"k" * 32
    text = links.link(secret, "w01", date(2026, 7, 31))
    assert links.opened(secret, text) == links.Link("w01", date(2026, 7, 31))
    assert links.opened(b"x" * 32, text) is None
    given = links.slip(secret, "w01", NOON)
    assert links.slip_good(secret, "w01", given, NOON + links.SLIP_MS)
    assert not links.slip_good(secret, "w01", given, NOON + links.SLIP_MS + 1)
    assert not links.slip_good(secret, "w02", given, NOON)
    assert not links.slip_good(secret, "w01", given, NOON - 1)


def test_an_old_link_is_over(house: House, as_role: As, anyone: httpx.Client) -> None:
    asked = {"counter": "w01", "until": TODAY}
    path = as_role("manager").post("/api/v1/ratings/links", json=asked).json()["path"]
    assert anyone.get(path).status_code == 200
    house.at += 86_400_000
    try:
        assert anyone.get(path).status_code == 404
    finally:
        house.at -= 86_400_000
