"""Cases over HTTP: by role, with the reason of each refusal; whatever is asked, never a 500."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import httpx
import pytest

from tests.gateway.api.house import NOON, House

As = Callable[[str], httpx.Client]
PROMISE = {"kind": "promise", "title": "食品经营许可", "days": 5, "counter": "w01"}
CONTACT = {"text": "0917-2653186", "purpose": "回访"}


def lead(house: House, as_role: As) -> httpx.Client:
    house.submit(
        lambda db, _: db.execute("UPDATE account SET counter = 'w01' WHERE name = 'a-counter'")
    ).result()
    return as_role("counter")


def opened(client: httpx.Client, **asked: Any) -> dict[str, Any]:
    answer = client.post("/api/v1/cases", json=PROMISE | asked)
    assert answer.status_code == 201, answer.text
    return answer.json()


def did(client: httpx.Client, case: dict, what: str, **data: Any) -> httpx.Response:
    return client.post(f"/api/v1/cases/{case['id']}/{what}", json=data)


def test_a_promise_from_registration_to_reopening(house: House, as_role: As) -> None:
    duty = as_role("duty")
    case = opened(duty)
    assert case["due"] == {
        "day": "2026-07-08",
        "at": "2026-07-08T17:00:00.000+08:00",
        "provisional": False,
    }
    assert case["actions"] == ["close", "extend", "hand-over", "note", "pause"]
    assert did(duty, case, "pause").status_code == 422
    assert did(duty, case, "pause", note="缺材料").json()["state"] == "paused"
    again = did(duty, case, "pause", note="缺材料")
    assert (again.status_code, "paused" in again.json()["detail"]) == (409, True)
    assert did(duty, case, "resume").json()["due"]["day"] == "2026-07-08"
    missing = did(duty, case, "extend", days=2, note="评审")
    assert "form, leader" in missing.json()["detail"]
    longer = did(duty, case, "extend", days=2, note="评审", form="延1", leader="王主任")
    assert longer.json()["due"]["day"] == "2026-07-10"
    closed = did(duty, case, "close", outcome="办结").json()
    assert (closed["state"], closed["due"], closed["late"]) == ("closed", None, False)
    assert [event["what"] for event in closed["events"]] == [
        *("open", "pause", "resume", "extend", "close"),
    ]
    assert did(duty, case, "reopen", note="有误").json()["reopened"]
    assert did(duty, case, "strike", note="x").status_code == 403
    struck = did(as_role("manager"), case, "strike", note="重复登记").json()
    assert (struck["state"], struck["actions"]) == ("struck", [])
    listed = duty.get("/api/v1/cases").json()["items"]
    assert case["id"] not in [item["id"] for item in listed]
    listed = duty.get("/api/v1/cases", params={"struck": True}).json()["items"]
    assert case["id"] in [item["id"] for item in listed]
    audited = as_role("auditor").get("/api/v1/audit", params={"limit": 1000}).json()["items"]
    assert {row["what"] for row in audited} >= {"case.open", "case.pause", "case.strike"}


@pytest.mark.parametrize(
    "change",
    [
        *({"kind": "party"}, {"title": " "}, {"days": None}, {"days": 0}, {"days": 401}),
        *({"counter": "w99"}, {"received": "tomorrow"}, {"received": "2026-07-01T13:00:00+08:00"}),
        *({"received": "1999-01-01"}, {"kind": "hazard"}, {"unit": "weeks"}),
        *({"kind": "hazard", "due": "2026-06-30"}, {"kind": "hazard", "due": "0000-00-00"}),
        *({"contact": {"text": ""}}, {"contact": CONTACT | {"until": "2026-06-30"}}),
        {"contact": CONTACT | {"until": "2028-01-01"}},
    ],
)
def test_what_cannot_be_registered(house: House, as_role: As, change: dict) -> None:
    before = house.db.execute("SELECT count(*) FROM case_file").fetchone()[0]
    answer = as_role("admin").post("/api/v1/cases", json=PROMISE | change)
    assert answer.status_code == 422, answer.text
    assert house.db.execute("SELECT count(*) FROM case_file").fetchone()[0] == before


def test_unknown_cases_and_actions(as_role: As) -> None:
    admin = as_role("admin")
    assert admin.get("/api/v1/cases/none").status_code == 404
    assert admin.post("/api/v1/cases/none/close").status_code == 404
    answer = did(admin, opened(admin), "dance")
    assert (answer.status_code, "hand-over" in answer.json()["detail"]) == (404, True)


def test_a_counters_lead_sees_its_own_cases_and_days_only(house: House, as_role: As) -> None:
    mine = lead(house, as_role)
    other = opened(as_role("duty"), counter=None)
    bad = opened(as_role("duty"), kind="bad-rating", days=None)
    assert mine.get(f"/api/v1/cases/{other['id']}").status_code == 404
    assert did(mine, other, "note", note="x").status_code == 404
    seen = mine.get(f"/api/v1/cases/{bad['id']}").json()
    assert seen["received"] == "2026-07-01"
    assert {event["at"] for event in seen["events"]} == {"2026-07-01"}
    assert {item["counter"] for item in mine.get("/api/v1/cases").json()["items"]} == {"w01"}
    assert opened(mine, counter=None)["counter"] == "w01"
    answer = mine.post("/api/v1/cases", json={"kind": "complaint", "title": "t"})
    assert answer.status_code == 403


def test_an_appeal_takes_three_names(house: House, as_role: As) -> None:
    mine = lead(house, as_role)
    case = opened(as_role("duty"), kind="bad-rating", days=None)
    assert did(mine, case, "appeal", note="误按").json()["appeal"]["by"] == "a-counter"
    assert did(mine, case, "decide", upheld=True, note="x").status_code == 403
    assert did(as_role("manager"), case, "decide", upheld=True, note="核实").status_code == 200
    assert did(as_role("manager"), case, "confirm").status_code == 409
    appeal = did(as_role("auditor"), case, "confirm").json()["appeal"]
    assert (appeal["stands"], appeal["decided_by"], appeal["confirmed_by"]) == (
        *(True, "a-manager", "a-auditor"),
    )


def test_the_auditor_only_confirms_and_the_viewer_sees_nothing(as_role: As) -> None:
    case = opened(as_role("duty"))
    assert as_role("viewer").get("/api/v1/cases").status_code == 403
    assert did(as_role("auditor"), case, "close", outcome="x").status_code == 403
    assert as_role("auditor").get(f"/api/v1/cases/{case['id']}").status_code == 200


def test_a_contact_is_looked_up_with_a_reason_and_erased_when_struck(as_role: As) -> None:
    duty = as_role("duty")
    case = opened(duty, kind="complaint", days=None, contact=CONTACT)
    assert case["contact"]["until"] == "2026-09-29"
    assert CONTACT["text"] not in duty.get(f"/api/v1/cases/{case['id']}").text
    where = f"/api/v1/cases/{case['id']}/contact"
    assert duty.get(where).status_code == 422
    assert duty.get(where, params={"reason": "回访"}).json()["text"] == CONTACT["text"]
    assert as_role("facilities").get(where, params={"reason": "x"}).status_code == 403
    assert duty.post(where, json=CONTACT).status_code == 422  # it has one
    rows = as_role("auditor").get("/api/v1/audit", params={"limit": 5}).json()["items"]
    reads = [row for row in rows if row["what"] == "contact.read"]
    assert reads[0]["about"]["reason"] == "回访"
    assert CONTACT["text"] not in str(rows)
    did(as_role("manager"), case, "strike", note="重复")
    assert duty.get(where, params={"reason": "x"}).status_code == 404


def test_overdue_and_paging(house: House, as_role: As) -> None:
    duty = as_role("duty")
    old = opened(duty, received="2026-06-01T10:00:00+08:00", title="旧")
    listed = duty.get("/api/v1/cases", params={"overdue": True}).json()["items"]
    assert [item["id"] for item in listed] == [old["id"]]
    assert listed[0]["phase"] == "overdue"
    assert duty.get("/api/v1/findings", params={"rule": "case.overdue"}).json()["items"]
    first = duty.get("/api/v1/cases", params={"limit": 1}).json()
    second = duty.get("/api/v1/cases", params={"limit": 1, "after": first["next"]}).json()
    assert first["items"][0]["id"] != second["items"][0]["id"]
    assert house.at == NOON


def test_a_hazard_whose_recheck_fails_is_overdue_again(house: House, as_role: As) -> None:
    duty, other = as_role("duty"), as_role("facilities")
    case = opened(
        duty, kind="hazard", days=None, due="2026-06-30", received="2026-06-29T10:00:00+08:00"
    )

    def standing() -> list[str]:
        params = {"rule": "case.overdue", "active": True}
        items = duty.get("/api/v1/findings", params=params).json()["items"]
        return [item["id"] for item in items if item["subject"] == case["id"]]

    before = standing()
    assert len(before) == 1
    assert did(duty, case, "issue", to="综窗", note="清理").is_success
    assert did(other, case, "rectify", note="已清理").is_success
    assert standing() == []
    assert did(other, case, "recheck", passed=True, note="x").status_code == 409
    assert did(duty, case, "recheck", passed=False, note="仍有杂物").json()["state"] == "issued"
    assert standing() == before


def test_what_somebody_else_did_is_not_passed_over(as_role: As) -> None:
    duty, boss = as_role("duty"), as_role("manager")
    case = opened(duty)
    assert did(boss, case, "note", note="电话催办").is_success
    late = did(duty, case, "close", outcome="办结", seen=case["last"])
    assert (late.status_code, late.json()["why"]) == (409, "changed")
    assert did(duty, case, "close", outcome="办结", seen=case["last"] + 1).is_success
    assert did(duty, case, "close", outcome="办结").json()["why"] == "not-now"


def test_first_due_first_with_the_days_that_are_left(house: House, as_role: As) -> None:
    duty = as_role("duty")
    made = {
        days: opened(duty, days=days, received="2026-06-29T10:00:00+08:00")["id"]
        for days in (3, 1, 2)
    }
    asked = {"sort": "due", "active": True, "limit": 2}
    rows, after = [], {}
    while after is not None:
        page = duty.get("/api/v1/cases", params=asked | after).json()
        rows += page["items"]
        after = {"after": page["next"]} if page["next"] else None
    left = {row["id"]: row["left"] for row in rows}
    assert [left[made[days]] for days in (1, 2, 3)] == [-1, 0, 1]
    days = [row["due"]["at"] if row["due"] else "~" for row in rows]
    assert days == sorted(days)
    assert len(left) == len(rows)
