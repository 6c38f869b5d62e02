"""The gateway's MQTT connection: packets however they are cut, and a peer that misbehaves."""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway import mqtt
from gateway.broker import Address, Endpoint
from gateway.ingest import Connected, Delivery, Session
from tests.waiting import wait_for

CONNACK = b"\x20\x02\x00\x00"


@given(
    st.lists(st.tuples(st.integers(0, 255), st.binary(max_size=300)), max_size=8),
    st.lists(st.integers(1, 200), min_size=1, max_size=30),
)
def test_packets_come_out_whole_however_they_are_cut(
    packets: list[tuple[int, bytes]], cuts: list[int]
) -> None:
    stream = b"".join(mqtt.packet(*one) for one in packets)
    cutter, found, at, n = mqtt.Packets(), [], 0, 0
    while at < len(stream):
        size = cuts[n % len(cuts)]
        found += cutter.feed(stream[at : at + size])
        at, n = at + size, n + 1
    assert found == packets


@given(st.binary(max_size=200))
def test_any_bytes_are_packets_or_a_fault_of_the_connection(stream: bytes) -> None:
    try:
        for first, body in mqtt.Packets().feed(stream):
            mqtt.message(first, body)
    except ConnectionError:
        pass


def test_a_large_message_in_small_pieces() -> None:
    whole = mqtt.packet(0x30, mqtt.text("t") + b"x" * 3_000_000)
    cutter = mqtt.Packets()
    found = [one for at in range(0, len(whole), 1000) for one in cutter.feed(whole[at : at + 1000])]
    assert [len(mqtt.message(*one).payload) for one in found] == [3_000_000]


def test_a_message_id_under_way_is_not_used_again() -> None:
    connection = mqtt.Connection()
    try:
        assert all(connection.publish("t", b"", 1) for _ in range(65535))
        assert not connection.publish("t", b"", 1)
    finally:
        connection.close(0)


class Peer:
    """A broker played by hand: what it has read, and a socket to answer by."""

    def __init__(self, door: socket.socket) -> None:
        self.sock, _ = door.accept()
        self.sock.settimeout(5)
        self._cutter = mqtt.Packets()
        self._read: list[tuple[int, bytes]] = []
        self.claims: list[bytes] = []

    def next(self) -> tuple[int, bytes]:
        """The next packet that is no claim of the session."""
        while True:
            while not self._read:
                piece = self.sock.recv(4096)
                assert piece, "the session closed the connection"
                self._read += self._cutter.feed(piece)
            first, body = self._read.pop(0)
            if first != 0x31:
                return first, body
            self.claims.append(body)

    def retained(self, claim: bytes) -> None:
        self.sock.sendall(mqtt.packet(0x31, claim))

    def welcome(self) -> None:
        assert self.next()[0] == 0x10
        self.sock.sendall(CONNACK)
        assert self.next()[0] == 0x82
        self.sock.sendall(b"\x90\x04\x00\x01\x01\x01")


@contextmanager
def session(
    queue: Callable[[Delivery | Connected], None],
    note: Callable[[str | None], None],
    taken: Callable[[], None] = lambda: None,
) -> Iterator[tuple[socket.socket, Session]]:
    with socket.create_server(("127.0.0.1", 0)) as door:
        door.settimeout(5)
        where = Endpoint(Address("127.0.0.1", door.getsockname()[1]), "gw", "secret")
        made = Session(where, "s", lambda: 7, queue, note, wide=False, taken=taken)
        made.start()
        try:
            yield door, made
        finally:
            made.stop()


def test_a_confirmation_goes_only_to_the_connection_its_message_came_by() -> None:
    came: list[Delivery | Connected] = []
    with session(came.append, lambda reason: None) as (door, made):
        first = Peer(door)
        first.welcome()
        said = mqtt.text("hall/1/s/d/event") + b"\x00\x05{}"
        first.sock.sendall(mqtt.packet(0x32, said))
        wait_for(lambda: len(came) == 2)
        arrived = came[1]
        assert isinstance(arrived, Delivery)
        assert arrived.messages[0][0] == mqtt.Message("hall/1/s/d/event", b"{}", False, 1, 5)
        assert arrived.at == 7
        first.sock.close()
        second = Peer(door)
        second.welcome()
        wait_for(lambda: len(came) == 3)
        arrived.by.confirm([arrived.messages[0][0].mid])
        made.flush()
        assert made.publish("t", b"x")
        assert second.next() == (0x32, mqtt.text("t") + b"\x00\x01x")


def test_a_session_that_another_gateway_has_taken_is_given_up() -> None:
    """An earlier gateway's claim says nothing; another's, after ours stood there, says it all."""
    came: list[Delivery | Connected] = []
    over = threading.Event()
    foreign = mqtt.text("hall/1/s/gateway/state") + b"another"
    with session(came.append, lambda reason: None, over.set) as (door, made):
        first = Peer(door)
        first.welcome()
        first.retained(foreign)
        wait_for(lambda: made.up)
        made.publish("t", b"x", 0)
        first.next()
        (mine,) = first.claims
        first.retained(mine)
        first.sock.close()
        second = Peer(door)
        second.welcome()
        second.retained(mine)
        made.publish("t", b"x", 0)
        second.sock.close()
        assert not over.is_set()
        third = Peer(door)
        third.welcome()
        third.retained(foreign)
        assert over.wait(10)
        assert second.claims == third.claims == []


def test_what_was_gathered_is_sent_before_the_end() -> None:
    came: list[Delivery | Connected] = []
    with session(came.append, lambda reason: None) as (door, made):
        peer = Peer(door)
        peer.welcome()
        wait_for(lambda: made.up)
        assert made.gather("t", b"last", 0)
        ender = threading.Thread(target=made.stop)
        ender.start()
        assert peer.next() == (0x30, mqtt.text("t") + b"last")
        assert peer.next() == (0xE0, b"")
        ender.join()


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        (b"\x20\x02\x00\x05", "not authorized"),
        (b"\x20\x02\x00\x04", "bad user name or password"),
        (CONNACK + b"\x90\x04\x00\x01\x80\x80", "may not read"),
        (b"\x30\xff\xff\xff\xff\x01", "damaged"),
        (b"", "closed"),
    ],
)
def test_why_the_broker_cannot_be_had(answer: bytes, words: str) -> None:
    notes: list[str | None] = []
    with session(lambda item: None, notes.append) as (door, _):
        peer = Peer(door)
        peer.next()
        peer.sock.sendall(answer)
        if not answer:
            peer.sock.close()
        wait_for(lambda: any(words in (note or "") for note in notes))
        peer.sock.close()
