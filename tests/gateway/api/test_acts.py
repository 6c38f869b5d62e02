"""What people do over HTTP: permits, entries, alerts, findings; each is audited."""

from __future__ import annotations

import json
from collections.abc import Callable

import httpx
import pytest

from gateway import audit
from tests.gateway.api.house import NOON, House

As = Callable[[str], httpx.Client]
PERMIT = {
    "kind": "overtime",
    "zones": ["hall-1f"],
    "from": "2026-07-01T18:00:00+08:00",
    "to": "2026-07-01T20:00:00+08:00",
    "reason": "年中结算",
}


def finding(house: House, name: str, state: str = "open", start: int = NOON, **more) -> None:
    row = {
        "id": name,
        "rule": "lights.after-close",
        "subject": "l-hall",
        "zone": "hall-1f",
        "since": start,
        "start": start,
        "end": None if state == "open" else start + 1000,
        "severity": "warning",
        "cites": json.dumps(["安全 一.2"], ensure_ascii=False),
        "evidence": "{}",
        "state": state,
        "seen": start,
        "changed": start,
    } | more
    names = ", ".join(f'"{key}"' for key in row)
    marks = ", ".join("?" for _ in row)
    house.submit(
        lambda db, _: db.execute(f"INSERT INTO finding ({names}) VALUES ({marks})", [*row.values()])
    ).result()


def alert(
    house: House, name: str, severity: str = "warning", state: str = "unacknowledged"
) -> None:
    house.submit(
        lambda db, now: db.execute(
            "INSERT INTO alert (id, finding, rule, subject, severity, state, opened, active)"
            " VALUES (?, 'none', 'exit.locked', 'east-exit', ?, ?, ?, 1)",
            (name, severity, state, now),
        )
    ).result()


def meta(house: House) -> int:
    row = house.db.execute("SELECT value FROM meta WHERE key = 'permits'").fetchone()
    return int(row[0]) if row else 0


def test_permit_given_and_withdrawn(house: House, as_role: As) -> None:
    before = meta(house)
    given = as_role("manager").post("/api/v1/permits", json=PERMIT)
    assert given.status_code == 201, given.text
    made = given.json()
    assert made["from"] == "2026-07-01T18:00:00.000+08:00"
    assert (made["approved_by"], made["withdrawn_at"]) == ("a-manager", None)
    listed = as_role("viewer").get("/api/v1/permits").json()["items"]
    assert made in listed
    assert as_role("facilities").delete(f"/api/v1/permits/{made['id']}").status_code == 204
    assert as_role("facilities").delete(f"/api/v1/permits/{made['id']}").status_code == 409
    listed = as_role("viewer").get("/api/v1/permits").json()["items"]
    assert made["id"] not in [item["id"] for item in listed]
    kept = as_role("viewer").get("/api/v1/permits", params={"withdrawn": True}).json()["items"]
    assert next(p for p in kept if p["id"] == made["id"])["withdrawn_by"] == "a-facilities"
    assert meta(house) == before + 2


@pytest.mark.parametrize(
    "change",
    [
        {"kind": "party"},
        {"zones": []},
        {"zones": ["nowhere"]},
        {"to": PERMIT["from"]},
        {"from": "yesterday"},
        {"reason": "  "},
        {"from": None},
    ],
)
def test_bad_permits(house: House, as_role: As, change: dict) -> None:
    before = meta(house)
    answer = as_role("admin").post("/api/v1/permits", json=PERMIT | change)
    assert answer.status_code == 422, answer.text
    assert meta(house) == before


def test_permits_in_a_span(as_role: As) -> None:
    manager = as_role("manager")
    made = manager.post("/api/v1/permits", json=PERMIT).json()["id"]

    def within(begin: str, to: str) -> bool:
        query = f"from={begin}+08:00&to={to}+08:00"  # the plus is lost on purpose
        return made in [p["id"] for p in manager.get(f"/api/v1/permits?{query}").json()["items"]]

    assert within("2026-07-01T19:59:59", "2026-07-01T21:00:00")
    assert not within("2026-07-01T20:00:00", "2026-07-01T21:00:00")
    assert not within("2026-07-01T17:00:00", "2026-07-01T18:00:00")


def test_entries(house: House, as_role: As) -> None:
    before = meta(house)
    duty = as_role("duty")
    now = duty.post("/api/v1/entries").json()
    assert (now["at"], now["who"]) == ("2026-07-01T12:30:00.000+08:00", "a-duty")
    past = duty.post("/api/v1/entries", json={"at": "2026-07-01T03:00:00+08:00", "who": "李四"})
    assert past.status_code == 201
    assert [e["who"] for e in duty.get("/api/v1/entries").json()["items"]] == ["a-duty", "李四"]
    assert meta(house) == before + 2


def test_findings(house: House, as_role: As) -> None:
    finding(house, "f-open")
    finding(house, "f-ended", "ended", NOON - 10_000)
    finding(house, "f-gone", "withdrawn", NOON - 20_000, rule="ac.vacant")
    viewer = as_role("viewer")

    def ids(**query: object) -> list[str]:
        items = viewer.get("/api/v1/findings", params=query).json()["items"]
        return [item["id"] for item in items]

    assert ids() == ["f-open", "f-ended"]
    assert ids(active=True) == ["f-open"]
    assert ids(active=False) == ["f-ended"]
    assert ids(withdrawn=True) == ["f-open", "f-ended", "f-gone"]
    assert ids(rule="ac.vacant") == []
    assert ids(zone="office-1f") == []
    assert ids(to="2026-07-01T12:30:00+08:00") == ["f-ended"]
    assert ids(**{"from": "2026-07-01T12:29:51+08:00"}) == ["f-open"]
    first = viewer.get("/api/v1/findings", params={"limit": 1}).json()
    assert first["next"]
    assert ids(limit=1, after=first["next"]) == ["f-ended"]
    shown = viewer.get("/api/v1/findings/f-open").json()
    assert shown["cites"] == ["安全 一.2"]
    assert shown["end"] is None
    assert viewer.get("/api/v1/findings/none").status_code == 404


def test_close_a_finding(house: House, as_role: As) -> None:
    finding(house, "f-close")
    assert as_role("manager").post("/api/v1/findings/f-close/close", json={}).status_code == 422
    done = as_role("manager").post("/api/v1/findings/f-close/close", json={"reason": "传感器已拆"})
    assert done.json()["state"] == "closed"
    assert done.json()["closed_by"] == "a-manager"
    again = as_role("manager").post("/api/v1/findings/f-close/close", json={"reason": "x"})
    assert again.status_code == 409
    history = as_role("viewer").get("/api/v1/findings/f-close").json()["history"]
    assert history[0]["was"]["state"] == "open"


def test_alerts(house: House, as_role: As) -> None:
    alert(house, "a1")
    alert(house, "a2", "critical")
    duty = as_role("duty")
    acked = duty.post("/api/v1/alerts/a1/ack").json()
    assert (acked["state"], acked["acked_by"]) == ("acknowledged", "a-duty")
    again = as_role("admin").post("/api/v1/alerts/a1/ack").json()
    assert again["acked_by"] == "a-duty"  # the first name stands
    shelf = {"minutes": 30, "reason": "等电工"}
    shelved = duty.post("/api/v1/alerts/a1/shelve", json=shelf).json()
    assert shelved["shelved_until"] == "2026-07-01T13:00:00.000+08:00"
    refused = duty.post("/api/v1/alerts/a2/shelve", json=shelf)
    assert (refused.status_code, refused.json()["why"]) == (409, "critical")
    assert (
        duty.post("/api/v1/alerts/a1/shelve", json={"minutes": 0, "reason": "x"}).status_code == 422
    )
    refused = duty.post("/api/v1/alerts/a2/close")
    assert (refused.status_code, refused.json()["why"]) == (409, "lasts")
    assert duty.post("/api/v1/alerts/a1/close").json()["state"] == "normal"
    assert duty.post("/api/v1/alerts/none/ack").status_code == 404
    states = {a["id"]: a["state"] for a in duty.get("/api/v1/alerts").json()["items"]}
    assert states == {"a1": "normal", "a2": "unacknowledged"}
    active = duty.get("/api/v1/alerts", params={"active": True}).json()["items"]
    assert [a["id"] for a in active] == ["a2"]
    assert duty.get("/api/v1/alerts", params={"state": "odd"}).status_code == 422


def test_the_worst_alerts_come_first_and_are_counted(house: House, as_role: As) -> None:
    """However many there are, the first page has the worst; page by page none is left out."""
    alert(house, "w1", "notice")
    alert(house, "w2", "critical", "acknowledged")
    alert(house, "w3", "warning", "returned")
    alert(house, "w4", "critical", "returned")
    alert(house, "w5", "info", "normal")
    wall = as_role("viewer")
    seen: list[dict[str, object]] = []
    after, pages, total, unheeded = None, 0, 0, 0
    while pages == 0 or after is not None:
        asked = {"active": True, "order": "worst", "limit": 2, "after": after}
        asked = {key: value for key, value in asked.items() if value is not None}
        told = wall.get("/api/v1/alerts", params=asked).json()
        assert ("total" in told) == ("unacknowledged" in told) == (pages == 0)
        if pages == 0:
            total, unheeded = told["total"], told["unacknowledged"]
        seen, after, pages = seen + told["items"], told["next"], pages + 1
    grave = ["critical", "warning", "notice", "info"]

    def gravity(alert: dict[str, object]) -> tuple[object, ...]:
        open_ = alert["state"] in ("unacknowledged", "returned")
        return grave.index(str(alert["severity"])), not open_, alert["opened"], alert["id"]

    assert pages > 1
    assert seen == sorted(seen, key=gravity)
    newest = wall.get("/api/v1/alerts", params={"active": True, "limit": 1000}).json()["items"]
    assert {one["id"] for one in seen} == {one["id"] for one in newest}
    assert total == len(seen)
    assert unheeded == sum(one["state"] in ("unacknowledged", "returned") for one in seen)
    for wrong in ({}, {"active": True, "state": "normal"}, {"active": False}):
        asked = {"order": "worst"} | wrong
        assert wall.get("/api/v1/alerts", params=asked).status_code == 422


def test_one_alert_with_its_past(house: House, as_role: As) -> None:
    told = as_role("viewer").get("/api/v1/alerts/a1").json()
    assert [(row["what"], row["who"]) for row in told["history"]] == [
        ("close", "a-duty"),
        ("shelve", "a-duty"),
        ("acknowledge", "a-duty"),
    ]
    assert (told["members"], told["round"]) == ([], 1)
    assert as_role("viewer").get("/api/v1/alerts/none").status_code == 404


def test_maintenance_is_bounded_and_ends(house: House, as_role: As) -> None:
    facilities = as_role("facilities")
    alert(house, "a3")
    alert(house, "a4", "critical")
    work = {"what": "east-exit", "minutes": 60, "reason": "更换门锁"}
    assert facilities.post("/api/v1/maintenance", json=work | {"minutes": 241}).status_code == 422
    assert facilities.post("/api/v1/maintenance", json=work | {"what": "no"}).status_code == 422
    made = facilities.post("/api/v1/maintenance", json=work).json()
    assert (made["kind"], made["to"]) == ("maintenance", "2026-07-01T13:30:00.000+08:00")

    def states() -> dict[str, str]:
        items = facilities.get("/api/v1/alerts").json()["items"]
        return {item["id"]: item["state"] for item in items if item["id"] in ("a3", "a4")}

    assert states() == {"a3": "suppressed", "a4": "unacknowledged"}
    active = facilities.get("/api/v1/maintenance", params={"active": True}).json()["items"]
    assert [item["id"] for item in active] == [made["id"]]
    path = f"/api/v1/maintenance/{made['id']}/end"
    assert facilities.post(path).json()["ended_by"] == "a-facilities"
    assert facilities.post(path).status_code == 409
    assert states() == {"a3": "unacknowledged", "a4": "unacknowledged"}
    out = facilities.post("/api/v1/maintenance", json={"what": "east-exit", "reason": "拆除"})
    assert (out.json()["kind"], out.json()["to"]) == ("out-of-service", None)
    assert states()["a3"] == "out-of-service"


def test_everything_done_is_in_the_audit(house: House, as_role: As) -> None:
    rows = as_role("auditor").get("/api/v1/audit", params={"limit": 1000}).json()["items"]
    done = {row["what"] for row in rows}
    assert done >= {
        *("permit.give", "permit.withdraw", "entry.register"),
        *("maintenance.begin", "maintenance.end"),
        *("finding.close", "alert.ack", "alert.shelve", "alert.close", "account.add"),
    }
    assert [row["id"] for row in rows] == sorted((row["id"] for row in rows), reverse=True)
    assert audit.check(house.db) is None


def test_patrols(house: House, as_role: As) -> None:
    told = as_role("viewer").get("/api/v1/patrols").json()["items"]
    assert [r["route"] for r in told] == ["open-hours"] * 4 + ["daily"]
    assert [r["state"] for r in told] == ["missed", "due", "coming", "coming", "coming"]
    house.event("reader-01", 1, "tap", NOON - 60_000, tag="04A1B2C3D4")
    house.event("reader-01", 2, "tap", NOON - 10_000, tag="04a1b2c3d5")
    told = as_role("viewer").get("/api/v1/patrols").json()["items"]
    assert [r["state"] for r in told][:2] == ["late", "done"]
    assert told[1]["checkpoints"][0]["name"] == "配电室"
    far = {"from": "2026-01-01", "to": "2027-01-01"}
    assert as_role("viewer").get("/api/v1/patrols", params=far).status_code == 422


def test_summary(house: House, as_role: As) -> None:
    query = {"from": "2026-07-01", "to": "2026-07-01", "by": "department"}
    told = as_role("counter").get("/api/v1/ratings/summary", params=query).json()
    assert told["items"][0].keys() == {
        *("department", "n", "duplicates", "unrated", "levels", "mean")
    }
    assert told["next"] is None
    for bad in ({"from": "2026-07-02"}, {"from": "x"}, {"by": "person"}):
        answer = as_role("counter").get("/api/v1/ratings/summary", params=query | bad)
        assert answer.status_code == 422
