"""VictoriaMetrics answers before it has a point on its disk: what it may forget is not booked."""

from __future__ import annotations

from gateway.influx.books import Batch, Owed
from gateway.influx.settling import Settled, Settling

ONE, TWO = Batch((Owed(1, "a"),), 10, ()), Batch((Owed(2, "b"),), 20, ((15, 99),))
APART = Batch((Owed(3, "c"),))


class Server:
    def __init__(self, started: float | None, settle_s: float = 0) -> None:
        self.started = started
        self.booked: list[Settled] = []
        self.works = True
        self.held = Settling(lambda: self.started, settle_s, self._book)

    def _book(self, settled: object) -> bool:
        self.booked += settled if self.works else []  # type: ignore[operator]
        return self.works


def test_what_a_killed_server_forgot_is_sent_again() -> None:
    server = Server(1000)
    held = server.held
    assert held.ready()
    for batch in (ONE, TWO, APART):
        held.hold(batch, ())
    assert (held.head, held.flying) == (20, {3})
    server.started = 1001
    held.look()
    assert (held.head, held.flying, bool(held), server.booked) == (None, set(), False, [])
    for batch in (ONE, APART):
        held.hold(batch, ())
    held.look()
    assert server.booked == [(Batch((), 10), ()), (APART, ())]
    assert not held


def test_nothing_is_booked_while_it_does_not_answer_or_cannot_be_written() -> None:
    server = Server(None)
    assert not server.held.ready()
    server.started = 1000
    assert server.held.ready()
    server.held.hold(ONE, ())
    server.started = None
    server.held.look()
    server.started, server.works = 1000, False
    server.held.look()
    assert server.booked == []
    assert server.held
    server.works = True
    server.held.look()
    assert len(server.booked) == 1


def test_what_was_just_taken_is_held() -> None:
    server = Server(1000, settle_s=3600)
    assert server.held.ready()
    server.held.hold(ONE, ())
    server.held.look()
    assert server.booked == []


def test_any_other_server_is_believed_at_once() -> None:
    server = Server(0)
    assert server.held.ready()
    assert server.held.hold(ONE, ())
    assert server.booked == [(ONE, ())]
    server.works = False
    assert not server.held.hold(TWO, ())
    assert server.held.head is None
