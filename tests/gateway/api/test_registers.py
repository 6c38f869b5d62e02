"""Duties, registers, appointments and attendance over HTTP."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from gateway import attendance, overdue
from gateway.clock import parse_instant
from gateway.turns import Turn
from tests.gateway.api.house import NOON, House, client, serving
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


@pytest.fixture
def unrecorded(tmp_path: Path) -> Iterator[House]:
    """A house of its own, in which nobody has recorded anything."""
    made = House(tmp_path)
    yield made
    made.close()


def test_a_duty_without_a_record_is_a_finding_until_it_is_recorded(unrecorded: House) -> None:
    house = unrecorded
    with serving(house) as base:
        duty, manager = (client(base, house.person(role)) for role in ("duty", "manager"))
        with duty, manager:
            overdue_until_recorded(house, duty, manager)


def overdue_until_recorded(house: House, duty: httpx.Client, manager: httpx.Client) -> None:
    house.submit(
        lambda db, _: db.execute(
            "INSERT OR REPLACE INTO meta VALUES ('first_start', ?)", (str(NOON),)
        )
    ).result()
    tick(house)
    assert open_findings(house, "duty.overdue") == []
    house.at = parse_instant("2026-07-06T09:00:00+08:00")
    tick(house)
    assert open_findings(house, "duty.overdue") == [
        *("equipment-check", "friday-clean", "ratings-quarter", "study"),
    ]
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
    struck = post(manager, f"/registers/entries/{entry}/strike", note="会议未开")
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
    duty = as_role("facilities")
    for role in ("duty", "counter"):  # they give no permit elsewhere either
        assert post(as_role(role), "/registers/hot-work", **HOT).status_code == 403
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

    def listed() -> dict[str, Any]:
        items = duty.get("/api/v1/appointments").json()["items"]
        return next(item for item in items if item["id"] == one["id"])

    assert listed()["entry"]["who"] == "a-duty"
    wrong = post(duty, f"/appointments/{one['id']}/attend", card="610329199001010012")
    assert wrong.status_code == 409
    assert listed()["state"] == "void"
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
    house.submit(
        lambda db, now: attendance.keep(db, punches, "0", "a.csv", "li", now, "Asia/Shanghai")
    ).result()
    (one,) = as_role("manager").get("/api/v1/attendance?month=2026-07").json()["items"]
    assert one["undefined"] == [{"day": "2026-07-01", "session": "morning", "minutes": 25}]
    assert as_role("manager").get("/api/v1/attendance?month=2026-13").status_code == 422
    assert as_role("counter").get("/api/v1/attendance?month=2026-07").status_code == 403


@pytest.mark.parametrize("table", ["register_entry", "appointment", "attendance_punch"])
def test_registers_are_only_added_to(house: House, as_role: As, table: str) -> None:
    sent = {"document": "营业执照", "to": "双石铺镇", "direction": "out"}
    post(as_role("counter"), "/registers/courier", **sent)
    post(as_role("duty"), "/appointments", **booking(card="only added"))
    send(as_role("manager"), "工号,时间\n8,2026-05-06 08:50\n".encode())
    assert house.db.execute(f"SELECT count(*) FROM {table}").fetchone()[0] > 0
    with pytest.raises(sqlite3.IntegrityError):
        house.db.execute(f"DELETE FROM {table}")
    with pytest.raises(sqlite3.IntegrityError):
        house.db.execute(_update(table))


def _update(table: str) -> str:
    column = {"register_entry": "who", "appointment": "matter", "attendance_punch": "name"}[table]
    return f"UPDATE {table} SET {column} = 'x'"


def test_who_was_never_seen_is_proposed_and_a_person_says_what_happened(
    house: House, as_role: As
) -> None:
    duty, lead = as_role("duty"), as_role("counter")
    days = {"from": "2026-07-25T10:00:00+08:00", "to": "2026-07-25T11:00:00+08:00"}
    for n in range(3):
        assert post(lead, "/appointments", **booking(card=f"unseen {n}", **days)).is_success
    seen = {"from": "2026-07-25T14:00:00+08:00", "to": "2026-07-25T15:00:00+08:00"}
    came = post(duty, "/appointments", **booking(card="seen", **seen)).json()["id"]
    house.at = parse_instant("2026-07-25T13:31:00+08:00")
    assert post(duty, "/entries", reason="预约服务").is_success

    def proposed() -> list[str]:
        items = lead.get("/api/v1/appointments", params={"proposed": True}).json()["items"]
        return [one["id"] for one in items if one["from"].startswith("2026-07-25")]

    house.at = parse_instant("2026-07-25T23:59:59+08:00")
    tick(house)
    assert proposed() == []
    house.at = parse_instant("2026-07-26T00:00:00+08:00")
    tick(house)
    first, second, third = proposed()
    assert came not in (first, second, third)
    assert set(proposed()) <= set(open_findings(house, "appointment.unmet"))
    assert post(lead, f"/appointments/{first}/no-show", note="未到").status_code == 403
    assert post(duty, f"/appointments/{first}/no-show", note="未到").json()["no_shows"] == 1
    told = post(duty, f"/appointments/{second}/came", note="忘记登记").json()
    assert (told["state"], told["counts_as_no_show"], told["no_shows"]) == ("attended", False, 0)
    assert proposed() == [third]
    assert set(open_findings(house, "appointment.unmet")) & {first, second, third} == {third}
    again = post(duty, f"/appointments/{first}/came", note="x")
    assert (again.status_code, again.json()["why"]) == (409, "done")


def test_who_is_barred_is_told_without_the_card(house: House, as_role: As) -> None:
    duty = as_role("duty")
    for n in range(3):
        day = f"2026-07-{27 + n}"
        asked = booking(card="barred 9")
        asked |= {"from": f"{day}T18:00:00+08:00", "to": f"{day}T19:00:00+08:00"}
        last = post(duty, "/appointments", **asked).json()["id"]
        house.at = parse_instant(asked["to"])
        assert post(duty, f"/appointments/{last}/no-show", note="未到").is_success
    (one,) = [
        item
        for item in duty.get("/api/v1/appointments/barred").json()["items"]
        if item["no_shows"][-1]["id"] == last
    ]
    assert (one["until"], [n["day"][-2:] for n in one["no_shows"]]) == (
        *("2027-01-29", ["27", "28", "29"]),
    )
    refused = post(duty, "/appointments", **booking(card="barred 9", **_august())).json()
    assert (refused["why"], refused["until"]) == ("barred", "2027-01-29")
    house.at = parse_instant("2027-01-30T00:00:00+08:00")
    barred = duty.get("/api/v1/appointments/barred").json()["items"]
    assert last not in [item["no_shows"][-1]["id"] for item in barred]


def _august() -> dict[str, str]:
    return {"from": "2026-08-01T10:00:00+08:00", "to": "2026-08-01T11:00:00+08:00"}


def test_the_table_of_duties_and_what_was_before_the_first_start(house: House, as_role: As) -> None:
    house.submit(
        lambda db, _: db.execute("INSERT OR IGNORE INTO meta VALUES ('first_start', ?)", (NOON,))
    ).result()
    house.at = parse_instant("2026-07-06T10:00:00+08:00")
    duty = as_role("duty")
    said = {"evidence": {"topic": "条例", "participants": "18"}}
    post(duty, "/duties/study~2026-07-06/done", **said)  # where nobody has recorded it yet
    rows = {row["id"]: row for row in duty.get("/api/v1/duties/table").json()["items"]}
    assert len(rows) == 10
    assert (rows["award"]["day"], rows["award"]["next"]["day"]) == (10, "2026-07-10")
    study = rows["study"]
    assert (study["at"], study["mondays"]) == ("09:00", [1, 3])
    assert study["last"]["item"] == "study~2026-07-06"
    span = {"from": "2026-06-01", "to": "2026-07-03"}
    states = {
        item["id"]: item["state"]
        for item in duty.get("/api/v1/duties", params=span).json()["items"]
    }
    assert states["equipment-check~2026-06-30"] == "before"
    assert states["equipment-check~2026-07-02"] == "missed"


def test_a_books_standing_entries_are_the_latest_of_each_item(house: House, as_role: As) -> None:
    duty = as_role("duty")
    asked = {"number": "21", "place": "一楼", "kind": "干粉", "next_check": "2026-12-01"}
    first = post(duty, "/registers/extinguisher", **asked).json()
    house.at += 1000
    second = post(duty, "/registers/extinguisher", **asked | {"next_check": "2027-12-01"}).json()

    def standing() -> list[str]:
        found = duty.get("/api/v1/registers/extinguisher", params={"standing": True}).json()
        return [entry["id"] for entry in found["items"] if entry["item"] == "21"]

    assert standing() == [second["id"]]
    path = f"/registers/entries/{second['id']}/strike"
    assert post(as_role("facilities"), path, note="写错").is_success
    assert standing() == [first["id"]]
    assert post(as_role("facilities"), path, note="写错").json()["why"] == "struck"


def send(client: httpx.Client, raw: bytes, **query: Any) -> httpx.Response:
    return client.post(
        "/api/v1/attendance/imports",
        content=raw,
        params=query,
        headers={"Content-Type": "text/csv"},
    )


def test_a_file_is_looked_at_then_imported_once(as_role: As) -> None:
    boss = as_role("manager")
    raw = "工号,姓名,时间\n9,李,2026-06-01 08:50\n9,李,2026-06-01 12:00\n".encode("gb18030")
    look = send(boss, raw, file="六月.csv", dry=True).json()
    assert (look["punches"], look["people"], look["first"], look["new"]) == (
        *(2, 1, "2026-06-01", None),
    )
    assert look["sample"][0] == {
        "person": "9",
        "name": "李",
        "time": "2026-06-01 08:50:00",
        "kind": "",
    }
    assert boss.get("/api/v1/attendance?month=2026-06").json()["items"] == []
    assert send(boss, raw, file="六月.csv").json()["new"] == 2
    assert send(boss, raw, dry=True).json()["imported_before"]
    assert send(boss, raw).json()["new"] is None
    (one,) = boss.get("/api/v1/attendance?month=2026-06").json()["items"]
    assert one["counts"]["on-time"] == 2
    for role in ("counter", "auditor"):
        assert send(as_role(role), raw).status_code == 403


def test_a_faulty_file_imports_nothing_and_names_each_line(as_role: As) -> None:
    boss = as_role("manager")
    raw = "工号,时间\n9,2026-06-02 08:50\n,2026-06-02 08:50\n9,yesterday\n9,2026-06-02 25:00\n"
    look = send(boss, raw.encode(), dry=True).json()
    assert [(f["line"], f["why"]) for f in look["faults"]] == [
        *((3, "person"), (4, "day"), (5, "time")),
    ]
    assert send(boss, raw.encode()).json()["why"] == "faulty"
    assert send(boss, b"a,b\n1,2\n", dry=True).json()["faults"][0]["why"] == "columns"
    assert send(boss, b"", dry=True).status_code == 422
    assert send(boss, b"\xff\xff\xff", dry=True).status_code == 422
    body = b"x" * (4 * 1024 * 1024 + 1)
    assert send(boss, body).status_code == 413
