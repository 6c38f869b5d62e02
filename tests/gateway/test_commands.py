"""Commands are held, repeated, expired and answered once, by the stage that sends them."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from gateway import store
from gateway.commands import ANSWER_S, MAX_TRIES, CommandStage, request
from gateway.events import Event, decode_one
from gateway.ingest import State
from gateway.journal import StoredEvent
from gateway.turns import DeviceState, Turn

TTL = 60_000


class House:
    """The stage on a database, with a clock that stands until it is told to go."""

    def __init__(self, folder: Path) -> None:
        self.db = store.open_writer(folder)
        self.sent: list[dict[str, Any]] = []
        self.now, self.mono, self.up = 1_782_896_400_000, 100.0, True
        self.seq = 0
        self.start()

    def start(self) -> None:
        self.stage = CommandStage("s", self._publish, lambda: self.up, {("pm-01", "r1"): "l-hall"})
        self.stage.load(self.db, self.now)

    def _publish(self, topic: str, payload: bytes) -> bool:
        assert topic == "hall/1/s/pm-01/cmd"
        if self.up:
            self.sent.append(json.loads(payload))
        return self.up

    def ask(self) -> str:
        return request(
            self.db, self.now, "pm-01", "r1", "off", {}, cause="f-1", person=None, ttl_ms=TTL
        )

    def turn(
        self, seconds: float = 0.0, said: str | None = None, done: dict[str, Any] | None = None
    ) -> None:
        """One turn, `seconds` later; `said` on the state topic, or a `done` event."""
        self.now += int(seconds * 1000)
        self.mono += seconds
        states, stored = [], []
        if said is not None:
            # what the pipeline's first stage keeps of it
            self.db.execute(
                "INSERT INTO device (id, state) VALUES ('pm-01', ?1)"
                " ON CONFLICT (id) DO UPDATE SET state=?1",
                (said,),
            )
            state = State(state=said, log="9f3a1c22", first=1)  # type: ignore[arg-type]
            states.append(DeviceState("pm-01", state, self.now, retained=False))
        if done is not None:
            self.seq += 1
            raw = {"log": "9f3a1c22", "seq": self.seq, "boot": 1, "up": 1, "t": None} | done
            event = decode_one(json.dumps(raw | {"kind": "done"}).encode())
            assert isinstance(event, Event)
            stored.append(
                StoredEvent("pm-01", "9f3a1c22", self.seq, 1, 1, None, self.now, event, new=True)
            )
        turn = Turn(self.now, self.mono, stored, [], states)
        self.stage.turn(self.db, turn)
        self.stage.committed(turn)

    def state(self) -> tuple[str, str | None]:
        found: tuple[str, str | None] = self.db.execute("SELECT state, why FROM command").fetchone()
        return found


@pytest.fixture
def house(tmp_path: Path) -> Iterator[House]:
    made = House(tmp_path)
    yield made
    made.db.close()


def test_one_that_its_device_never_took_expires_and_is_not_sent(house: House) -> None:
    house.ask()
    house.turn()
    house.turn(TTL / 1000 - 1)
    assert (house.state(), house.sent) == (("queued", None), [])
    house.turn(1)
    assert house.state() == ("expired", None)
    house.turn(1, said="ready")
    assert house.sent == []


def test_it_goes_out_when_the_device_is_ready_and_is_answered(house: House) -> None:
    made = house.ask()
    house.turn(1, said="ready")
    assert [one["id"] for one in house.sent] == [made]
    assert house.sent[0]["exp"] == house.now - 1000 + TTL
    house.turn(1, done={"cmd": made, "ok": True})
    assert house.state() == ("done", None)
    house.turn(60)
    assert len(house.sent) == 1


def test_one_without_an_answer_is_repeated_under_its_id_and_then_failed(house: House) -> None:
    made = house.ask()
    house.turn(said="ready")
    for _ in range(20):
        house.turn(ANSWER_S / 2)
    assert [one["id"] for one in house.sent] == [made] * MAX_TRIES
    assert house.state() == ("failed", "no answer")
    house.turn(1, done={"cmd": made, "ok": True})  # late, but what it says is true
    assert house.state() == ("done", None)


def test_a_device_that_comes_back_gets_it_again_at_once(house: House) -> None:
    made = house.ask()
    house.turn(said="ready")
    house.turn(0.5, said="lost")
    house.turn(ANSWER_S)
    assert len(house.sent) == 1
    house.turn(0.5, said="ready")
    assert [one["id"] for one in house.sent] == [made] * 2


def test_a_refusal_is_kept_with_its_reason(house: House) -> None:
    made = house.ask()
    house.turn(said="ready")
    house.turn(1, done={"cmd": made, "ok": False, "why": "safe mode"})
    assert house.state() == ("refused", "safe mode")


def test_another_devices_answer_does_not_count(house: House) -> None:
    made = house.ask()
    house.turn(said="ready")
    house.db.execute("UPDATE command SET device='pm-02'")
    house.turn(1, done={"cmd": made, "ok": True})
    assert house.state()[0] == "sent"


def test_without_a_broker_nothing_is_spent(house: House) -> None:
    house.up = False
    house.ask()
    house.turn(said="ready")
    house.turn(10)
    assert house.state() == ("queued", None)
    house.up = True
    house.turn(1)
    assert len(house.sent) == 1


def test_a_killed_gateway_sends_it_again(house: House) -> None:
    made = house.ask()
    house.turn(said="ready")
    house.start()
    house.turn(0.2)
    assert [one["id"] for one in house.sent] == [made] * 2


def test_rows_are_not_lost_with_the_transaction_of_another(house: House) -> None:
    """A request is the caller's: what it rolls back is not asked for."""
    house.db.execute("BEGIN")
    house.ask()
    house.db.execute("ROLLBACK")
    house.turn(said="ready")
    assert house.sent == []


def test_ids_of_one_millisecond_sort_by_their_making(house: House) -> None:
    made = [house.ask() for _ in range(200)]
    house.now -= 1  # a clock that is set back
    before = [house.ask() for _ in range(3)]
    house.now += 2
    after = house.ask()
    assert before + made + [after] == sorted([*made, after, *before])
    assert {len(one) for one in made} == {28}
