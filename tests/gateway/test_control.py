"""Desired, reported, verified: when a switching counts as done, and when it is given up."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from gateway import control, hardware, site, store
from gateway.control import DISOBEYED, MOST_TRIES, OBEYED, UNSURE, Reading, Standing, Wanted
from gateway.events import Event, decode_one
from gateway.journal import StoredEvent
from gateway.obeying import Obeying
from gateway.turns import Turn

HALL = site.load(Path(__file__).parents[1] / "data" / "site.toml")
THINGS = hardware.things(HALL)
LAMP, SOCKET, AC = THINGS["l-hall"], THINGS["sockets-w01"], THINGS["ac-hall-1"]
NOW = 1_782_896_400_000
ASKED, DONE = NOW - 2_000, NOW - 1_000
S = 1000


def wanted(desired: str = "off", **args: Any) -> Wanted:
    return Wanted("l-hall", desired, args, "f-1", None, 1, ASKED, DONE)


def relay(on: bool) -> Reading:
    return Reading(DONE, {"on": on})


def watts(w: float, at: int = DONE) -> Reading:
    return Reading(at, {"w": w})


SILENT = Reading(0, {})
TABLE = [
    ("both say so", "off", relay(False), watts(0), 0, OBEYED),
    ("the relay has not said it yet", "off", relay(True), watts(0), 4_999, UNSURE),
    ("the relay contradicts", "off", relay(True), watts(0), 5_000, DISOBEYED),
    ("the relay says nothing", "off", SILENT, watts(0), 5_000, DISOBEYED),
    ("the meter is older than the switching", "off", relay(False), watts(400, ASKED), 0, UNSURE),
    ("it still shows the moment before", "off", relay(False), watts(400, DONE + 500), 0, UNSURE),
    ("welded: the load goes on", "off", relay(False), watts(400, DONE + 3 * S), 5 * S, DISOBEYED),
    ("welded, but give it time", "off", relay(False), watts(400, DONE + 3 * S), 4 * S, UNSURE),
    ("an old zero proves nothing", "off", relay(False), watts(0, ASKED - 1), 69_999, UNSURE),
    ("a meter that is gone does not hold it", "off", relay(False), SILENT, 70_000, OBEYED),
    ("on needs no load", "on", relay(True), watts(0), 0, OBEYED),
    ("on, and it stayed off", "on", relay(False), watts(0), 5_000, DISOBEYED),
]


@pytest.mark.parametrize("case", TABLE, ids=[row[0] for row in TABLE])
def test_relay_and_meter_must_both_bear_it_out(case: tuple[Any, ...]) -> None:
    _, desired, said, meter, waited, expected = case
    found = control.verdict(wanted(desired), LAMP, said, meter, DONE + waited)
    assert found == expected
    fast = control.verdict(wanted(desired), LAMP, said, meter, DONE + 60 * waited, 60)
    if meter.at <= DONE:
        assert fast == expected, "the parts are as slow in a house that runs fast"


@pytest.mark.parametrize(
    ("desired", "args", "said", "expected"),
    [
        ("off", {}, {"on": False}, OBEYED),
        ("off", {}, {"on": True}, DISOBEYED),
        ("set", {"set": 26}, {"on": True, "set": 26}, OBEYED),
        ("set", {"set": 26}, {"on": True, "set": 24}, DISOBEYED),
        ("set", {"set": 26}, {"on": False, "set": 24}, OBEYED),
    ],
)
def test_an_air_conditioner_answers_for_itself(
    desired: str, args: dict[str, Any], said: dict[str, Any], expected: str
) -> None:
    found = control.verdict(wanted(desired, **args), AC, Reading(DONE, said), SILENT, DONE + 15_000)
    assert found == expected


def test_how_often_it_is_asked() -> None:
    assert [control.next_after(DISOBEYED, n) for n in (1, 2, 3)] == ["again", "again", "manual"]
    assert control.next_after("refused", 1) == "again"
    assert control.next_after("failed", 1) == control.next_after("expired", 1) == "manual"


@pytest.mark.parametrize(
    ("standing", "do", "hazard", "person", "expected"),
    [
        (Standing(), "on", False, False, None),
        (Standing(hazard_at=1), "on", False, True, "hazard"),
        (Standing(hazard_at=1), "off", False, True, None),
        (Standing(manual_since=1), "off", False, True, "manual"),
        (Standing(manual_since=1), "off", True, False, None),
        (Standing(respect_until=NOW + 1), "off", False, False, "respect"),
        (Standing(respect_until=NOW), "off", False, False, None),
        (Standing(respect_until=NOW + 1), "off", False, True, None),
        (Standing(respect_until=NOW + 1), "off", True, False, None),
    ],
)
def test_what_forbids_switching(
    standing: Standing, do: str, hazard: bool, person: bool, expected: str | None
) -> None:
    assert control.forbids(standing, do, NOW, hazard=hazard, person=person) == expected


class House:
    """The stage on a database; relays and meters say what the test tells them to."""

    def __init__(self, folder: Path) -> None:
        self.db = store.open_writer(folder)
        self.now, self.seq = NOW, 0
        self.stage = Obeying(HALL, 60_000, 1)

    def ask(self, do: str = "off", cause: str = "f-1") -> str:
        return control.ask(
            *(self.db, self.now, LAMP, do, {}), cause=cause, person=None, ttl_ms=60_000
        )

    def answer(self, state: str = "done", why: str | None = None) -> None:
        self.db.execute(
            "UPDATE command SET state=?, why=? WHERE state IN ('queued','sent')", (state, why)
        )

    def value(self, kind: str, ch: str, **fields: Any) -> None:
        self.db.execute(
            "INSERT OR REPLACE INTO last_value (device,kind,ch,what,t,boot,seq,log,fields)"
            " VALUES ('pm-01',?,?,'',?,1,1,'9f3a1c22',?)",
            (kind, ch, self.now, json.dumps(fields)),
        )

    def turn(self, seconds: float = 0, moved: dict[str, Any] | None = None) -> None:
        self.now += int(seconds * 1000)
        stored = []
        if moved is not None:
            self.seq += 1
            raw = {"log": "9f3a1c22", "seq": self.seq, "boot": 1, "up": 1, "t": self.now}
            event = decode_one(json.dumps(raw | {"kind": "relay", "ch": "r1"} | moved).encode())
            assert isinstance(event, Event)
            stored = [
                StoredEvent(
                    *("pm-01", "9f3a1c22", self.seq, 1, 1, self.now, self.now), event, new=True
                )
            ]
        self.stage.turn(self.db, Turn(self.now, self.now / 1000, stored))

    def row(self, *columns: str) -> tuple[Any, ...]:
        found: tuple[Any, ...] = self.db.execute(
            f"SELECT {', '.join(columns)} FROM control"
        ).fetchone()
        return found

    def asked(self) -> list[str]:
        return [do for (do,) in self.db.execute("SELECT do FROM command ORDER BY id")]


@pytest.fixture
def house(tmp_path: Path) -> Iterator[House]:
    made = House(tmp_path)
    yield made
    made.db.close()


def test_a_relay_that_does_not_move_is_asked_three_times_and_then_manual(house: House) -> None:
    house.value("relay", "r1", on=True)
    house.ask()
    for _ in range(20):
        house.answer()
        house.turn(10)
    assert house.asked() == ["off"] * MOST_TRIES
    assert house.row("state", "manual_why", "tries") == ("failed", "disobeyed", MOST_TRIES)
    assert control.reset(house.db, "l-hall")
    assert house.row("state", "manual_since") == ("idle", None)
    assert not control.reset(house.db, "l-hall")


def test_one_that_obeys_is_verified_once(house: House) -> None:
    house.ask()
    house.answer()
    house.value("relay", "r1", on=False)
    house.value("power", "c1", w=0)
    house.turn(1)
    assert house.row("state", "tries") == ("verified", 1)
    assert house.stage.committed(Turn(NOW, 0)) == [("circuit", {"id": "l-hall"})]
    house.turn(100)
    assert house.stage.committed(Turn(NOW, 0)) == []


def test_a_hand_after_an_automatic_off_is_respected(house: House) -> None:
    house.ask()
    house.answer()
    house.value("relay", "r1", on=False)
    house.value("power", "c1", w=0)
    house.turn(1)
    house.turn(5, {"on": True, "cause": "manual"})
    assert house.row("desired", "state", "respect_until") == (None, "idle", house.now + 7_200_000)


def test_a_hand_is_respected_before_the_meter_has_borne_out_the_off(house: House) -> None:
    house.ask()
    house.answer()
    house.value("relay", "r1", on=False)
    house.turn(1)
    assert house.row("state") == ("asked",)
    house.turn(5, {"on": True, "cause": "manual"})
    assert house.row("desired", "state", "respect_until") == (None, "idle", house.now + 7_200_000)


@pytest.mark.parametrize("manual", [False, True])
def test_a_power_cut_switches_nothing_that_is_manual(house: House, manual: bool) -> None:
    house.db.execute(
        "INSERT INTO finding (id,rule,subject,since,start,severity,cites,evidence,state,seen,"
        "changed) VALUES ('f-1','lights.vacant','l-hall',1,1,'notice','[]','{}','open',1,1)"
    )
    house.ask()
    house.answer("failed" if manual else "done", "no answer")
    house.value("relay", "r1", on=False)
    house.value("power", "c1", w=0)
    house.turn(1)
    assert (house.row("manual_since") == (None,)) is not manual
    house.turn(5, {"on": True, "cause": "boot"})
    assert house.asked() == (["off"] if manual else ["off", "off"])


def test_after_a_hazard_a_relay_that_comes_back_on_is_cut_again(house: House) -> None:
    house.ask("on")
    control.endanger(house.db, house.now, "l-hall", "f-9")
    assert house.db.execute("SELECT state, why FROM command").fetchall() == [("refused", "hazard")]
    house.turn(5, {"on": True, "cause": "boot"})
    assert house.asked() == ["on", "off"]
    assert house.row("cause", "hazard") == ("f-9", "f-9")
    assert control.check(house.db, house.now, "l-hall", "王电工", "端子已紧固", "duty")
    assert not control.check(house.db, house.now, "l-hall", "王电工", "又看", "duty")
    assert house.row("hazard_at") == (None,)


def test_a_power_cut_leaves_the_fail_safe_position(house: House) -> None:
    house.ask("on")
    house.answer()
    house.value("relay", "r1", on=True)
    house.turn(1)
    assert house.row("state") == ("verified",)
    house.turn(5, {"on": False, "cause": "boot"})
    assert (house.row("desired", "state"), house.asked()) == ((None, "idle"), ["on"])
