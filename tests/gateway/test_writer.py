"""A gateway that is behind hears the next turn while the disk takes the last one: what is
acknowledged is committed all the same, and a commit that fails takes both turns with it."""

from __future__ import annotations

import contextlib
import json
import sqlite3
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Future
from pathlib import Path
from typing import Any, cast

import pytest

from firmware import wire
from gateway import store
from gateway.care import Upkeep
from gateway.disk import Disk
from gateway.events import decode
from gateway.ingest import AT_ONCE, Delivery, Session
from gateway.live import Feed
from gateway.mqtt import Connection, Message
from gateway.turns import Turn
from gateway.vitals import Health, Metrics
from gateway.writer import BATCH, Stop, Writer
from tests.waiting import wait_for

LOG = "0a1b2c3d"
NOW = 1_780_000_000_000
DEVICES = [f"m-{n}" for n in range(BATCH)]  # so a turn brings each of them once


class Wire:
    """What the writer has of the broker: the acks it sends, held against what a second connection
    reads of the database in that instant, and the messages that it confirms."""

    def __init__(self, data: Path) -> None:
        self._data = data
        self._reader: sqlite3.Connection | None = None
        self.up, self.canary_back = True, True
        self.acked: dict[str, int] = {}
        self.confirmed: list[int] = []
        self.early: list[tuple[str, int]] = []
        self.lost = 0

    def gather(self, topic: str, payload: bytes) -> bool:
        ack, device = json.loads(payload), topic.split("/")[3]
        if self._reader is None:
            self._reader = store.open_reader(self._data)
        found = self._reader.execute("SELECT acked FROM log WHERE device=?", (device,)).fetchone()
        if found is None or found["acked"] < ack["seq"]:
            self.early.append((device, ack["seq"]))
        self.acked[device] = ack["seq"]
        return True

    def confirm(self, mids: Sequence[int]) -> None:
        self.confirmed += mids

    def reconnect(self) -> None:
        self.lost += 1

    def publish(self, *_: object) -> bool:
        return True

    def flush(self) -> None: ...
    def send_canary(self) -> None: ...


class Refusal:
    """A stage that lets the disk's word on one turn be no: its commit fails."""

    name = "refusal"

    def __init__(self, turn: int) -> None:
        self._left = turn

    def load(self, db: sqlite3.Connection, now: int) -> None: ...

    def turn(self, db: sqlite3.Connection, turn: Turn) -> None:
        if turn.stored:
            self._left -= 1
            if self._left == 0:  # breaks a promise that is looked at in the commit
                db.execute("CREATE TABLE a (x PRIMARY KEY)")
                db.execute("CREATE TABLE b (x REFERENCES a DEFERRABLE INITIALLY DEFERRED)")
                db.execute("INSERT INTO b VALUES (1)")

    def committed(self, turn: Turn) -> list[tuple[str, dict[str, Any]]]:
        return []


@pytest.fixture
def hall(tmp_path: Path) -> Iterator[Any]:
    made: list[Writer] = []

    def start(stages: Sequence[Any], fill: Callable[[Writer, Wire], object]) -> tuple[Writer, Wire]:
        said = Wire(tmp_path)
        writer = Writer(
            *(tmp_path, "s", frozenset(DEVICES), lambda: NOW, stages, Feed(), Health(), Metrics()),
            *(lambda: None, lambda reason: None, Upkeep(Disk(tmp_path))),
        )
        made.append(writer)
        fill(writer, said)
        writer.start(store.open_writer(tmp_path), cast(Session, said))
        return writer, said

    yield start
    for writer in made:
        writer.stop()


def send(writer: Writer, said: Wire, rounds: Iterable[int] = (1, 2, 3)) -> None:
    """One reading of each meter a round, in deliveries as the session makes them."""
    for seq in rounds:
        for first in range(0, BATCH, AT_ONCE):
            messages = []
            for n in range(first, first + AT_ONCE):
                raw = wire.encode(LOG, seq, 1, seq, NOW, "power", {"ch": "c1", "w": 1.5}).encode()
                topic = wire.topic("s", DEVICES[n], "event")
                message = Message(topic, raw, False, 1, (seq - 1) * BATCH + n + 1)
                messages.append((message, decode(raw)))
            writer.put(Delivery(messages, NOW, cast(Connection, said)))


def stored(data: Path) -> list[tuple[int, int]]:
    """(events, different events)"""
    with contextlib.closing(store.open_reader(data)) as db:
        return [
            tuple(row)
            for row in db.execute(
                "SELECT count(*), count(DISTINCT device || '/' || seq) FROM event"
            )
        ]


def test_what_is_heard_ahead_is_acknowledged_only_after_its_own_commit(
    hall: Any, tmp_path: Path
) -> None:
    _, said = hall([], send)
    wait_for(lambda: len(said.confirmed) == 3 * BATCH, "the last turn")
    wait_for(lambda: set(said.acked.values()) == {3}, "the last acks")
    assert said.early == []
    assert sorted(said.confirmed) == list(range(1, 3 * BATCH + 1))
    assert stored(tmp_path) == [(3 * BATCH, 3 * BATCH)]


def test_a_commit_that_fails_takes_what_was_heard_meanwhile_with_it(
    hall: Any, tmp_path: Path
) -> None:
    asked: list[Future[int]] = []

    def fill(writer: Writer, said: Wire) -> None:
        send(writer, said, (1, 2))
        asked.append(writer.submit(lambda db, now: now))  # a person, in the third turn
        send(writer, said, (3,))

    writer, said = hall([Refusal(2)], fill)
    wait_for(lambda: said.lost == 1, "the connection given up")
    assert sorted(said.confirmed) == list(range(1, BATCH + 1))
    assert isinstance(asked[0].exception(10), sqlite3.Error), "who asked is told"
    send(writer, said)  # the broker brings again what it was not told of, and more
    wait_for(lambda: set(said.acked.values()) == {3}, "the last acks")
    assert said.early == []
    assert stored(tmp_path) == [(3 * BATCH, 3 * BATCH)]


def test_a_stop_that_was_heard_ahead_of_a_commit_that_fails_ends_the_writer(
    hall: Any, tmp_path: Path
) -> None:
    def fill(writer: Writer, said: Wire) -> None:
        send(writer, said, (1,))
        writer._queue.put(Stop())

    writer, said = hall([Refusal(1)], fill)
    writer._thread.join(60)
    assert not writer._thread.is_alive()
    assert said.confirmed == []
    assert stored(tmp_path) == [(0, 0)]
