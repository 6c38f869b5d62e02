"""Switching by hand: the same checks as for a rule, each refusal with its reason."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import httpx
import pytest

from gateway import control, hardware
from tests.gateway.api.house import NOON, House
from tests.gateway.api.test_acts import finding

As = Callable[[str], httpx.Client]


@pytest.fixture
def hall(house: House) -> House:
    """Nobody inside, a counter at rest, nothing asked."""
    for table in ("control", "command", "pending_switch", "electrician_check"):
        house.submit(lambda db, _, table=table: db.execute(f"DELETE FROM {table}")).result()
    for device in ("occ-01", "pm-01"):
        house.submit(
            lambda db, _, device=device: db.execute(
                "INSERT OR REPLACE INTO log (device, log, last_at) VALUES (?, '9f3a1c22', ?)",
                (device, NOON - 1000),
            )
        ).result()
    value(house, "occ-01", "presence", "p1", present=False)
    value(house, "pm-01", "power", "c2", w=12)
    return house


def value(house: House, device: str, kind: str, ch: str, **fields: Any) -> None:
    house.submit(
        lambda db, _: db.execute(
            "INSERT OR REPLACE INTO last_value (device,kind,ch,what,t,boot,seq,log,fields)"
            " VALUES (?,?,?,'',?,1,1,'9f3a1c22',?)",
            (device, kind, ch, NOON, json.dumps(fields)),
        )
    ).result()


def ask(who: httpx.Client, subject: str, do: str, **more: Any) -> httpx.Response:
    body = {"subject": subject, "do": do, "reason": "下班检查"} | more
    return who.post("/api/v1/commands", json=body)


def circuit(who: httpx.Client, name: str) -> dict[str, Any]:
    items = who.get("/api/v1/circuits").json()["items"]
    return next(item for item in items if item["id"] == name)


def test_lighting_goes_off_at_once_where_nobody_is(hall: House, as_role: As) -> None:
    duty = as_role("duty")
    done = ask(duty, "l-hall", "off")
    assert done.status_code == 201, done.text
    assert (done.json()["waiting"], done.json()["due"]) == (False, None)
    (command,) = duty.get("/api/v1/commands").json()["items"]
    assert command["id"] == done.json()["command"]
    assert (command["person"], command["cause"], command["do"]) == ("a-duty", "下班检查", "off")
    (found,) = duty.get("/api/v1/commands?cause=下班检查").json()["items"]
    assert found["id"] == command["id"]
    assert duty.get("/api/v1/commands?cause=f-1").json()["items"] == []
    told = circuit(duty, "l-hall")
    assert (told["desired"], told["state"], told["switchable"]) == ("off", "asked", True)


def test_what_is_refused_and_why(hall: House, as_role: As) -> None:
    duty = as_role("duty")

    def why(subject: str, do: str) -> str:
        answer = ask(duty, subject, do)
        assert answer.status_code == 409, answer.text
        return str(answer.json()["why"])

    assert why("fire-panel", "off") == "protected"
    value(hall, "occ-01", "presence", "p1", present=True)
    assert why("l-hall", "off") == "occupied"
    value(hall, "pm-01", "power", "c2", w=31)
    assert why("sockets-w01", "off") == "working"
    hall.submit(lambda db, now: control.endanger(db, now, "sockets-w01", "f-h")).result()
    assert why("sockets-w01", "on") == "hazard"
    thing = hardware.things(hall.context.site)["l-hall"]

    def fail(db: Any, now: int) -> None:
        control.ask(db, now, thing, "on", {}, cause="x", person=None, ttl_ms=1)
        control.give_up(db, now, "l-hall", "no answer")

    hall.submit(fail).result()
    assert why("l-hall", "on") == "manual"
    assert ask(duty, "nothing", "on").status_code == 404
    assert ask(duty, "l-hall", "set", args={"set": 26}).status_code == 422
    assert ask(duty, "ac-hall-1", "set", args={"set": 99}).status_code == 422
    assert ask(duty, "ac-hall-1", "on", args={"set": 26}).status_code == 422
    assert ask(duty, "l-hall", "off", reason=" ").status_code == 422


def test_anything_else_is_announced_and_can_be_extended(hall: House, as_role: As) -> None:
    duty = as_role("duty")
    told = ask(duty, "sockets-w01", "off").json()
    assert (told["waiting"], told["due"]) == (True, "2026-07-01T12:35:00.000+08:00")
    shown = duty.get("/api/v1/commands", params={"everything": True}).json()["items"]
    assert [(c["device"], c["do"]) for c in shown] == [("desk-01", "show")]
    assert shown[0]["args"]["text"] == "5 分钟后将断开：一号窗口插座，按延时键保留"
    assert circuit(duty, "sockets-w01")["waiting"]["person"] == "a-duty"
    longer = duty.post("/api/v1/circuits/sockets-w01/extend").json()
    assert longer["waiting"]["due"] == "2026-07-01T13:05:00.000+08:00"
    assert duty.post("/api/v1/circuits/l-hall/extend").status_code == 409


def test_manual_is_reset_by_facilities(hall: House, as_role: As) -> None:
    thing = hardware.things(hall.context.site)["l-hall"]

    def fail(db: Any, now: int) -> None:
        control.ask(db, now, thing, "off", {}, cause="f-1", person=None, ttl_ms=1)
        control.give_up(db, now, "l-hall", "disobeyed")

    hall.submit(fail).result()
    assert circuit(as_role("viewer"), "l-hall")["manual"]["why"] == "disobeyed"
    path, why = "/api/v1/circuits/l-hall/reset", {"reason": "接触器已更换"}
    assert as_role("duty").post(path, json=why).status_code == 403
    assert as_role("facilities").post(path, json=why).json()["manual"] is None
    assert as_role("facilities").post(path, json=why).status_code == 409


def test_after_a_hazard_an_electrician_has_to_look(hall: House, as_role: As) -> None:
    finding(hall, "f-hazard", rule="power.hazard", subject="sockets-w01", severity="critical")
    hall.submit(lambda db, now: control.endanger(db, now, "sockets-w01", "f-hazard")).result()
    path = "/api/v1/circuits/sockets-w01/check"
    seen = {"electrician": "王电工", "note": "端子已紧固，绝缘合格"}
    manager = as_role("manager")
    assert manager.post(path, json=seen | {"electrician": " "}).status_code == 422
    assert manager.post(path, json=seen).status_code == 409, "the hazard still lasts"
    hall.submit(
        lambda db, _: db.execute("UPDATE finding SET state='ended' WHERE id='f-hazard'")
    ).result()
    told = manager.post(path, json=seen).json()
    assert (told["hazard"], told["check"]["electrician"]) == (None, "王电工")
    assert told["check"]["recorded_by"] == "a-manager"
    assert ask(as_role("duty"), "sockets-w01", "on").status_code == 201


def test_all_of_it_is_audited(as_role: As) -> None:
    rows = as_role("auditor").get("/api/v1/audit", params={"limit": 1000}).json()["items"]
    assert {row["what"] for row in rows} >= {
        *("circuit.switch", "circuit.reset", "circuit.check", "circuit.extend")
    }
