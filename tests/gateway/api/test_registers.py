"""Duties, registers, appointments and attendance over HTTP."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator
from typing import Any

import httpx
import pytest

from gateway import attendance, overdue
from gateway.clock import parse_instant
from gateway.turns import Turn
from tests.gateway.api.house import NOON, House
from tests.gateway.test_duties import HOT

As = Callable[[str], httpx.Client]
DAY = 86_400_000


@pytest.fixture(autouse=True)
def _noon(house: House) -> Iterator[None]:
    yield
    house.at = NOON


def post(client: httpx.Client, path: str, **body: Any) -> httpx.Response:
    return client.post(f"/api/v1{path}", json=body)


def open_findings(house: House, rule: str) -> list[str]:
    rows = house.db.execute(
        "SELECT subject FROM finding WHERE rule = ? AND state = 'open' ORDER BY subject", (rule,)
    )
    return [subject for (subject,) in rows]


def tick(house: House) -> None:
    stage = overdue.Overdue(house.context.site, house.context.calendar)
    stage.load(house.db, house.at)
    house.submit(lambda db, now: stage.turn(db, Turn(now, 0.0))).result()


def test_a_duty_without_a_record_is_a_finding_until_it_is_recorded(
    house: House, as_role: As
) -> None:
    house.submit(
        lambda db, _: db.execute("INSERT INTO meta VALUES ('first_start', ?)", (str(NOON),))
    ).result()
    tick(house)
    assert open_findings(house, "duty.overdue") == []
    house.at = parse_instant("2026-07-06T09:00:00+08:00")
    tick(house)
    assert open_findings(house, "duty.overdue") == [
        *("equipment-check", "friday-clean", "ratings-quarter", "study"),
    ]
    duty = as_role("duty")
    study = {"evidence": {"topic": "条例", "participants": "18"}}
    listed = duty.get("/api/v1/duties", params={"from": "2026-07-06", "to": "2026-07-06"}).json()
    assert {item["id"]: item["state"] for item in listed["items"]} == {
        "study~2026-07-06": "due",
        "equipment-check~2026-07-06": "due",
    }
    assert post(duty, "/duties/study~2026-07-06/done").status_code == 422
    done = post(duty, "/duties/study~2026-07-06/done", **study)
    assert (done.status_code, done.json()["state"]) == (201, "done")
    assert post(duty, "/duties/study~2026-07-06/done", **study).status_code == 409
    assert post(duty, "/duties/study~2026-07-07/done", **study).status_code == 404
    assert "study" not in open_findings(house, "duty.overdue")
    entry = done.json()["record"]["id"]
    struck = post(as_role("manager"), f"/registers/entries/{entry}/strike", note="会议未开")
    assert struck.json()["struck"]["who"] == "a-manager"
    assert "study" in open_findings(house, "duty.overdue")
    house.at += DAY
    assert post(duty, "/duties/study~2026-07-06/done", **study).json()["state"] == "late"


def test_an_inspection_is_rechecked_by_somebody_else(as_role: As) -> None:
    asked = {"evidence": {"hazards": "无", "recheck_by": "a-duty"}}
    assert post(as_role("duty"), "/duties/inspection~2026-07-31/done", **asked).status_code == 422
    asked["evidence"]["recheck_by"] = "王主任"
    assert post(as_role("duty"), "/duties/inspection~2026-07-31/done", **asked).status_code == 201


def test_study_is_moved_by_name(as_role: As) -> None:
    moved = post(as_role("manager"), "/duties/study~2026-07-20/move", to="2026-07-22", note="检查")
    assert moved.json()["day"] == "2026-07-22"
    listed = as_role("viewer").get("/api/v1/duties").json()["items"]
    assert next(i["day"] for i in listed if i["id"] == "study~2026-07-20") == "2026-07-22"
    assert post(as_role("duty"), "/duties/study~2026-07-20/move").status_code == 403


def test_an_extinguisher_warns_thirty_days_before_its_check(house: House, as_role: As) -> None:
    duty = as_role("duty")
    asked = {"number": "07", "place": "西门", "kind": "干粉 4kg", "next_check": "2026-08-01"}
    assert post(duty, "/registers/extinguisher", **asked).status_code == 201
    assert open_findings(house, "extinguisher.due") == []
    house.at = NOON + DAY
    tick(house)
    assert open_findings(house, "extinguisher.due") == ["extinguisher 07"]
    assert post(duty, "/registers/extinguisher", **asked | {"next_check": "2027-08-01"}).is_success
    assert open_findings(house, "extinguisher.due") == []


def test_hot_work_gives_its_permit_and_takes_it_back(as_role: As) -> None:
    duty = as_role("duty")
    refused = post(duty, "/registers/hot-work", **HOT | {"height_m": 5})
    assert (refused.status_code, "watcher" in refused.json()["detail"]) == (422, True)
    assert post(duty, "/registers/hot-work", **HOT | {"zone": "x"}).status_code == 422
    entry = post(duty, "/registers/hot-work", **HOT).json()

    def permits() -> list[str]:
        items = duty.get("/api/v1/permits", params={"limit": 1000}).json()["items"]
        return [p["id"] for p in items if p["kind"] == "hot-work"]

    assert entry["item"] in permits()
    post(as_role("manager"), f"/registers/entries/{entry['id']}/strike", note="改期")
    assert entry["item"] not in permits()


@pytest.mark.parametrize(
    ("book", "said"),
    [
        ("courier", {"document": "营业执照", "to": "双石铺镇", "direction": "out"}),
        ("notice", {"matter": "设立登记", "missing": "章程", "way": "written"}),
        ("assisted", {"matter": "社保", "service": "on-behalf", "result": "已办"}),
    ],
)
def test_the_plain_ledger(as_role: As, book: str, said: dict) -> None:
    made = post(as_role("counter"), f"/registers/{book}", **said)
    assert made.status_code == 201, made.text
    listed = as_role("auditor").get(f"/api/v1/registers/{book}").json()["items"]
    assert made.json() in listed
    for field in said:
        assert post(as_role("duty"), f"/registers/{book}", **said | {field: 5}).status_code == 422
    assert as_role("viewer").get(f"/api/v1/registers/{book}").status_code == 403


def booking(**change: Any) -> dict[str, Any]:
    return {
        "from": "2026-07-04T10:00:00+08:00",
        "to": "2026-07-04T11:00:00+08:00",
        "counter": "w01",
        "matter": "营业执照",
        "card": "610329199001010011",
    } | change


def test_an_appointment_gives_a_permit_and_shows_that_the_entry_is_to_come(
    house: House, as_role: As
) -> None:
    duty = as_role("duty")
    made = post(duty, "/appointments", **booking())
    assert made.status_code == 201, made.text
    one = made.json()
    assert one["cancel_by"] == "2026-07-03T15:00:00.000+08:00"
    assert (one["state"], one["entry"]) == ("booked", None)
    assert one["permit"] in [p["id"] for p in duty.get("/api/v1/permits").json()["items"]]
    house.at = parse_instant("2026-07-04T09:55:00+08:00")
    post(duty, "/entries", reason="预约服务")
    listed = duty.get("/api/v1/appointments").json()["items"]
    assert listed[0]["entry"]["who"] == "a-duty"
    wrong = post(duty, f"/appointments/{one['id']}/attend", card="610329199001010012")
    assert wrong.status_code == 409
    assert duty.get("/api/v1/appointments").json()["items"][0]["state"] == "void"
    text = b"".join(
        path.read_bytes() for path in house.data.iterdir() if path.name.startswith("hallkeeper")
    )
    assert b"610329199001010011" not in text


@pytest.mark.parametrize(
    ("when", "state", "counts"),
    [("14:59:59", "cancelled", False), ("15:00:00", "late-cancel", True)],
)
def test_cancelled_before_three_of_the_day_before(
    house: House, as_role: As, when: str, state: str, counts: bool
) -> None:
    duty = as_role("duty")
    one = post(duty, "/appointments", **booking(card="in time 1")).json()
    house.at = parse_instant(f"2026-07-03T{when}+08:00")
    done = post(duty, f"/appointments/{one['id']}/cancel", note="有事").json()
    assert (done["state"], done["counts_as_no_show"]) == (state, counts)
    assert one["permit"] not in [p["id"] for p in duty.get("/api/v1/permits").json()["items"]]
    assert post(duty, f"/appointments/{one['id']}/no-show", note="x").status_code == 409


def test_three_no_shows_bar_the_card_until_one_is_struck_out(house: House, as_role: As) -> None:
    duty, last = as_role("duty"), ""
    for n in range(3):
        asked = booking(card="missing 3")
        asked["from"] = asked["from"].replace("07-04", f"07-1{n}")
        asked["to"] = asked["to"].replace("07-04", f"07-1{n}")
        last = post(duty, "/appointments", **asked).json()["id"]
        house.at = parse_instant(asked["to"])
        assert post(duty, f"/appointments/{last}/no-show", note="未到").status_code == 200
    later = {"from": "2026-08-01T10:00:00+08:00", "to": "2026-08-01T11:00:00+08:00"}
    refused = post(duty, "/appointments", **booking(card="missing 3", **later))
    assert (refused.status_code, "2027-01-12" in refused.json()["detail"]) == (409, True)
    assert post(duty, f"/appointments/{last}/strike", note="x").status_code == 403
    assert post(as_role("manager"), f"/appointments/{last}/strike", note="登记错误").is_success
    assert post(duty, "/appointments", **booking(card="missing 3", **later)).status_code == 201


@pytest.mark.parametrize(
    "change",
    [
        *({"counter": "w99"}, {"to": "2026-07-04T10:00:00+08:00"}, {"from": "2026-06-01"}),
        *({"to": "2026-07-06T10:00:00+08:00"}, {"card": "x"}, {"matter": " "}),
    ],
)
def test_what_cannot_be_booked(as_role: As, change: dict) -> None:
    assert post(as_role("duty"), "/appointments", **booking(**change)).status_code == 422


def test_a_month_of_attendance(house: House, as_role: As) -> None:
    text = "工号,姓名,时间\n7,王,2026-07-01 09:20\n7,王,2026-07-01 12:00\n"
    punches = attendance.parse(text, "a.csv")
    attendance.keep(house.db, punches, "0", "a.csv", "li", NOON, "Asia/Shanghai")
    (one,) = as_role("manager").get("/api/v1/attendance?month=2026-07").json()["items"]
    assert one["undefined"] == [{"day": "2026-07-01", "session": "morning", "minutes": 25}]
    assert as_role("manager").get("/api/v1/attendance?month=2026-13").status_code == 422
    assert as_role("counter").get("/api/v1/attendance?month=2026-07").status_code == 403


@pytest.mark.parametrize("table", ["register_entry", "appointment", "attendance_punch"])
def test_registers_are_only_added_to(house: House, table: str) -> None:
    assert house.db.execute(f"SELECT count(*) FROM {table}").fetchone()[0] > 0
    with pytest.raises(sqlite3.IntegrityError):
        house.db.execute(f"DELETE FROM {table}")
    with pytest.raises(sqlite3.IntegrityError):
        house.db.execute(_update(table))


def _update(table: str) -> str:
    column = {"register_entry": "who", "appointment": "matter", "attendance_punch": "name"}[table]
    return f"UPDATE {table} SET {column} = 'x'"
