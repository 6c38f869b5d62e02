"""Sheets over HTTP: who reads and who enters; the file's totals are the API's."""

from __future__ import annotations

import io
from collections.abc import Callable
from urllib.parse import quote

import httpx
import openpyxl

from tests.gateway.api.house import NOON, House
from tests.gateway.api.test_acts import finding

As = Callable[[str], httpx.Client]
ASK = {"period": "2026-07"}


def test_the_file_and_the_api_agree(house: House, as_role: As) -> None:
    for seq, level in enumerate((5, 4, 3, 2, 1, 5), 1):
        house.event("pad-w01", seq, "rating", NOON + seq * 20_000, level=level)
    auditor = as_role("auditor")
    told = auditor.get("/api/v1/sheets/ratings-month", params=ASK).json()
    summary = auditor.get(
        "/api/v1/ratings/summary", params={"from": "2026-07-01", "to": "2026-07-31"}
    ).json()["items"]
    section = next(s for s in told["sections"] if s["key"] == "counter")
    keys = [c["key"] for c in section["columns"]]
    rows = [dict(zip(keys, row, strict=True)) for row in section["rows"]]
    assert [(r["n"], r["mean"], r["duplicates"]) for r in rows] == [
        (s["n"], s["mean"], s["duplicates"]) for s in summary
    ]
    file = auditor.get("/api/v1/sheets/ratings-month/file", params=ASK)
    assert file.headers["content-type"].endswith("spreadsheetml.sheet")
    assert quote("好差评月汇总-2026-07.xlsx") in file.headers["content-disposition"]
    page = openpyxl.load_workbook(io.BytesIO(file.content))["按窗口"]
    assert sum(page.cell(row, 2).value for row in range(2, page.max_row + 1)) == 6
    assert told["due"] == "2026-08-05"


def test_sheets_are_listed_with_their_due_days(as_role: As) -> None:
    items = as_role("manager").get("/api/v1/sheets").json()["items"]
    quarter = [i for i in items if i["kind"] == "ratings-quarter"]
    assert [(i["period"], i["due"]) for i in quarter[:2]] == [
        ("2026-Q3", "2026-10-10"),
        ("2026-Q2", "2026-07-03"),
    ]


def test_an_episode_is_decided_by_a_named_person(house: House, as_role: As) -> None:
    finding(house, "f-light", rule="lights.vacant", state="ended")
    finding(house, "f-other", rule="exit.locked", state="ended")
    for role in ("duty", "counter", "viewer", "auditor"):
        refused = as_role(role).post("/api/v1/sheets/episodes/f-light", json={"decision": "reject"})
        assert refused.status_code == 403
    one = as_role("facilities")
    listed = one.get("/api/v1/sheets/episodes", params=ASK | {"state": "open"}).json()["items"]
    assert [(i["finding"], i["item"], i["unit"]) for i in listed] == [
        ("f-light", "thrift-1", "w01")
    ]
    path = "/api/v1/sheets/episodes/f-light"
    assert one.post(path, json={"decision": "confirm", "unit": "w99"}).status_code == 422
    assert one.post(path, json={"decision": "confirm"}).json()["unit"] == "w01"
    assert (
        one.post("/api/v1/sheets/episodes/f-other", json={"decision": "reject"}).status_code == 404
    )
    assert not one.get("/api/v1/sheets/episodes", params=ASK | {"state": "open"}).json()["items"]
    again = {"decision": "reject", "reason": "有加班许可"}
    assert one.post(path, json=again).status_code == 201
    last = one.get("/api/v1/sheets/episodes", params=ASK).json()["items"][0]["decision"]
    assert (last["decision"], last["by"], last["reason"]) == (
        "reject",
        "a-facilities",
        "有加班许可",
    )
    assert house.reader().execute("SELECT count(*) FROM episode_decision").fetchone()[0] == 2
    what = house.reader().execute("SELECT what FROM audit ORDER BY id DESC LIMIT 1").fetchone()
    assert what[0] == "episode.decide"


def test_fields_are_bounded_and_the_last_word_counts(as_role: As) -> None:
    manager = as_role("manager")
    base = {"sheet": "hygiene", "period": "2026-07", "subject": "w01", "field": "room-1"}
    for wrong in (
        {"value": 10.5},
        {"value": -1},
        {"value": 1, "field": "thrift-1"},
        {"value": 1, "subject": "w99"},
        {"value": 1, "period": "2026-Q3"},
        {"value": 1, "sheet": "zeros"},
    ):
        assert manager.post("/api/v1/sheets/fields", json=base | wrong).status_code == 422, wrong
    for value in (9, 8):
        assert (
            manager.post("/api/v1/sheets/fields", json=base | {"value": value}).status_code == 201
        )
    asked = {"sheet": "hygiene", "period": "2026-07"}
    items = manager.get("/api/v1/sheets/fields", params=asked).json()["items"]
    assert [(i["value"], i["made_by"]) for i in items] == [(9, "a-manager"), (8, "a-manager")]
    table = manager.get("/api/v1/sheets/hygiene", params=ASK).json()["sections"][0]
    column = [c["key"] for c in table["columns"]].index("room-1")
    assert table["rows"][0][column] == 8
    assert as_role("facilities").post("/api/v1/sheets/fields", json=base).status_code == 403
