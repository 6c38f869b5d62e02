"""The warning before a switching and its extend key: half an hour more for what waits there."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from gateway import control, hardware, rules, store, workdays
from gateway.engine import Engine
from gateway.events import Event, decode_one
from gateway.findings import Finding
from gateway.journal import StoredEvent
from gateway.rules.model import Act
from gateway.signals import Terms
from gateway.switching import EXTEND_MS, WARNING_MS, Switching, warn
from gateway.turns import Turn
from tests.gateway.test_control import HALL, NOW, SOCKET


class House:
    """The stage on a database in which a counter's sockets are warned of."""

    def __init__(self, folder: Path) -> None:
        self.db = store.open_writer(folder)
        self.stage = Switching(HALL, Terms(HALL, workdays.load(HALL, None)), 60_000)
        warn(self.db, NOW, "f-1", SOCKET, "off", {}, NOW + WARNING_MS, person="chen")

    def press(self, device: str, name: str = "extend", *, t: int = NOW, at: int = NOW) -> None:
        raw = {"log": "9f3a1c22", "seq": 1, "boot": 1, "up": 1, "t": t, "kind": "button"}
        event = decode_one(json.dumps(raw | {"name": name}).encode())
        assert isinstance(event, Event)
        said = StoredEvent(device, "9f3a1c22", 1, 1, 1, t, at, event, new=True)
        self.stage.turn(self.db, Turn(at, 0.0, (said,)))

    def later(self, ms: int) -> None:
        self.stage.turn(self.db, Turn(NOW + ms, 0.0))

    def due(self) -> int:
        ((due,),) = self.db.execute("SELECT due FROM pending_switch").fetchall()
        return int(due) - NOW

    def asked(self) -> list[tuple[str, ...]]:
        return self.db.execute("SELECT device, ch, do FROM command WHERE do='off'").fetchall()


@pytest.fixture
def house(tmp_path: Path) -> Iterator[House]:
    made = House(tmp_path)
    made.db.execute(
        "INSERT INTO last_value (device,kind,ch,what,t,boot,seq,log,fields)"
        " VALUES (?,'power',?,'',?,1,1,'9f3a1c22','{\"w\":12}')",
        (*_meter(), NOW),
    )
    made.db.execute(
        "INSERT INTO log (device,log,acked,top,boot,stored,last_at) VALUES (?,?,1,1,1,1,?)",
        (_meter()[0], "9f3a1c22", NOW + EXTEND_MS + 2 * WARNING_MS),
    )
    yield made
    made.db.close()


def _meter() -> tuple[str, str]:
    assert SOCKET.meter is not None
    return SOCKET.meter.device, SOCKET.meter.ch


def test_what_nobody_extends_is_switched_when_the_warning_is_over(house: House) -> None:
    house.later(WARNING_MS - 1)
    assert house.asked() == []
    house.later(WARNING_MS)
    assert house.asked() == [(SOCKET.target.device, SOCKET.target.ch, "off")]
    house.later(WARNING_MS + 1)
    assert len(house.asked()) == 1


@pytest.mark.parametrize("device", ["pad-w01", "desk-01"])
def test_the_extend_key_of_the_zones_pad_or_of_a_panel_gives_half_an_hour(
    house: House, device: str
) -> None:
    house.press(device)
    assert house.due() == WARNING_MS + EXTEND_MS
    house.later(WARNING_MS)
    assert house.asked() == []
    house.later(WARNING_MS + EXTEND_MS)
    assert len(house.asked()) == 1


def test_no_other_key_device_or_time_extends(house: House) -> None:
    house.press("pad-w01", "help")
    house.press("reader-01")
    house.press("pad-w01", t=NOW - WARNING_MS - 1)  # pressed before, told only now
    assert house.due() == WARNING_MS
    assert control.standing(house.db, SOCKET.subject) == control.Standing()


def test_a_thing_that_is_gone_from_the_site_is_dropped(house: House) -> None:
    house.db.execute("UPDATE pending_switch SET subject='gone'")
    house.later(WARNING_MS)
    assert house.asked() == []
    assert house.db.execute("SELECT state FROM pending_switch").fetchall() == [("dropped",)]
    assert "gone" not in hardware.things(HALL)


ACTING = [rule.id for rule in rules.RULES if rule.acts is not Act.NOTHING]


@pytest.mark.parametrize("alone", ACTING)
def test_what_switching_asks_of_a_zone_is_known_whichever_rules_are_on(alone: str) -> None:
    """With all other rules off no formula speaks of the zone's presence but the switching."""
    only = {rule: {"enabled": False} for rule in rules.by_id if rule != alone}
    hall = dataclasses.replace(HALL, rules=only)
    calendar = workdays.load(hall, None)
    engine = Engine(rules.program(hall, calendar), NOW)
    engine.start({})
    known = len(engine.graph.op)
    switching = Switching(hall, Terms(hall, calendar), 60_000)
    for circuit in hall.circuits:
        found = Finding(alone, circuit.id, circuit.zone, NOW, NOW, None, "low", ())
        switching.decide(found, engine)
    assert len(engine.graph.op) == known == len(engine.val)
