"""The gateway's own MQTT session: what arrives goes, parsed, to the pipeline's queue.

This thread parses while the writer's is in the database or waits for the disk.

A PUBACK that comes late goes to the connection its message came by, which is closed by then, and so
can never confirm another connection's message. The session itself is kept by the broker under a
fixed client id.
"""

from __future__ import annotations

import secrets
import ssl
import threading
import time
from collections.abc import Callable, Sequence
from typing import Annotated, Literal, NamedTuple

import msgspec
import structlog

from firmware import wire
from gateway import mqtt
from gateway.broker import GATEWAY, Endpoint
from gateway.events import Item, Refused, decode

log = structlog.get_logger()

KEEPALIVE_S = 15
CONNECT_S = 5
LAST_WORDS_S = 0.5
POLL_S = 1.0
AT_ONCE = 256  # messages of a delivery at most: a turn takes whole ones
PAUSES_S = (0.05, 0.1, 0.2, 0.5, 1.0, 2.0)
CANARY = b"canary"
DROPPED = "$SYS/broker/publish/messages/dropped"
"""Where Mosquitto tells how many messages it has thrown away since it began."""


Parsed = Sequence[tuple[bytes, Item]]


class Delivery(NamedTuple):
    """What was there when the socket was read; `by` is the connection that may still confirm it.
    Each message comes with its events (`events.decode`); one of another leaf has none."""

    messages: Sequence[tuple[mqtt.Message, Parsed]]
    at: int  # Unix ms of the house's clock
    by: mqtt.Connection


class Connected(NamedTuple):
    """The session is up and subscribed."""


class State(msgspec.Struct, frozen=True):
    """What a device's `state` topic says; `ready` names its log and the lowest number it holds."""

    state: Literal["ready", "asleep", "off", "lost"]
    log: Annotated[str, msgspec.Meta(pattern=r"^[0-9A-Fa-f]{8}\Z")] | None = None
    first: Annotated[int, msgspec.Meta(ge=1, le=2**53)] | None = None
    boot: int | None = None
    fw: Annotated[str, msgspec.Meta(max_length=64)] | None = None
    kind: Annotated[str, msgspec.Meta(max_length=64)] | None = None
    trial: bool = False  # an update of it is on trial


_decode_state = msgspec.json.Decoder(State).decode


def decode_state(payload: bytes) -> State | Refused:
    """A device's state, or why it is none."""
    if len(payload) > wire.MAX_BYTES:
        return Refused(f"{len(payload)} bytes (at most {wire.MAX_BYTES})")
    try:
        state = _decode_state(payload)
    except (msgspec.DecodeError, RecursionError) as fault:
        return Refused(f"no state: {fault}")
    if state.state == "ready" and (state.log is None or state.first is None):
        return Refused("no state: ready needs log and first")
    return state


class Session:
    """Keeps one connection up and puts what arrives into `queue`.

    `note(reason)` is told why the broker cannot be had, and None when it can be again;
    `dropped(total)` how many messages it says it has thrown away, where it says so. Each session
    leaves a retained claim on the broker: one that comes back from a lost connection and finds
    another's has been taken over by a second gateway, calls `taken()` and tries no more.
    """

    def __init__(
        self,
        endpoint: Endpoint,
        site: str,
        now: Callable[[], int],
        queue: Callable[[Delivery | Connected], None],
        note: Callable[[str | None], None],
        dropped: Callable[[int], None] = lambda _: None,
        *,
        wide: bool,
        taken: Callable[[], None] = lambda: None,
    ) -> None:
        self._endpoint = endpoint
        self._site = site
        self._now = now
        self._queue = queue
        self._note = note
        self._taken = taken
        # A broker of one's own lets nothing else through; a foreign one may, and it is reported.
        leaf = "hall/+/+/+/{}/#" if wide else f"hall/1/{site}/+/{{}}"
        self._filters = [(leaf.format(name), 1) for name in ("event", "state")]
        self._needed = len(self._filters)
        if wide:  # ours keeps all it has taken; another's queue may be too short
            self._filters.append((DROPPED, 0))
        self._dropped = dropped
        self._client_id = f"hallkeeper-{site}"
        self._canary_topic = wire.topic(site, GATEWAY, "event")
        self._claim_topic = wire.topic(site, GATEWAY, "state")
        self._own = frozenset((self._canary_topic, self._claim_topic, DROPPED))
        self._claim = secrets.token_hex(8).encode()
        self._claimed = False  # our claim has come back to us
        self._connection: mqtt.Connection | None = None
        self._stop = threading.Event()
        self._lost = threading.Event()
        self._thread = threading.Thread(target=self._run, name="session", daemon=True)
        self._up = False
        self.canary_back = True
        self.broker_expires: int | None = None  # Unix ms: the end of the certificate it shows

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        """Down; what was queued to be sent is sent first, as far as half a second reaches."""
        self._stop.set()
        self.reconnect()
        self._thread.join(3)

    def reconnect(self) -> None:
        """Drop the connection and make another: the broker delivers again what was not acked."""
        self._lost.set()
        connection = self._connection
        if connection is not None:
            connection.wake()

    @property
    def up(self) -> bool:
        """Connected and subscribed."""
        return self._up

    def publish(self, topic: str, payload: bytes, qos: int = 1) -> bool:
        """Send a message on the present connection; False where there is none."""
        if not self.gather(topic, payload, qos):
            return False
        self.flush()
        return True

    def gather(self, topic: str, payload: bytes, qos: int = 1) -> bool:
        """Like `publish`, but it may leave as late as the next `flush`."""
        connection = self._connection
        return connection is not None and self._up and connection.publish(topic, payload, qos)

    def flush(self) -> None:
        """Send what was gathered."""
        connection = self._connection
        if connection is not None:
            connection.flush()

    def send_canary(self) -> None:
        """Publish to our own subscription; `canary_back` turns true when it has come."""
        self.canary_back = False
        self.publish(self._canary_topic, CANARY)

    def _run(self) -> None:
        fails = 0
        while not self._stop.is_set():
            self._lost.clear()
            connection = self._connection = mqtt.Connection()
            try:
                self._hold(connection)
            except OSError as fault:
                if not self._stop.is_set():
                    self._note(f"{self._endpoint.address}: {_why(fault, self._up)}")
            fails = 0 if self._up else fails + 1
            self._up = False
            connection.close(LAST_WORDS_S)
            self._stop.wait(PAUSES_S[min(fails, len(PAUSES_S) - 1)])

    def _hold(self, connection: mqtt.Connection) -> None:
        """Connect, and take what comes until told to end. Raises OSError."""
        to, where = self._endpoint, self._endpoint.address
        tls = _tls(to) if to.tls else None
        connection.open(where.host, where.port, tls, CONNECT_S)
        self.broker_expires = connection.peer_expires()
        connection.send(mqtt.connect(self._client_id, KEEPALIVE_S, to.user, to.password))
        connection.flush()
        until = time.monotonic() + CONNECT_S
        while not self._lost.is_set():
            packets = connection.read(POLL_S)
            if packets:
                self._take(connection, packets)
            if self._up:
                connection.ping(KEEPALIVE_S / 2, KEEPALIVE_S * 1.5)
            elif time.monotonic() > until:
                raise ConnectionError("it does not answer")

    def _take(self, connection: mqtt.Connection, packets: Sequence[tuple[int, bytes]]) -> None:
        said: list[tuple[mqtt.Message, Parsed]] = []
        for first, body in packets:
            if first >> 4 == mqtt.PUBLISH:
                message = mqtt.message(first, body)
                if message.topic not in self._own or not self._ours(connection, message):
                    event = message.topic.endswith("/event")
                    said.append((message, decode(message.payload) if event else ()))
            else:
                self._control(connection, first >> 4, body)
        at = self._now()
        for start in range(0, len(said), AT_ONCE):
            self._queue(Delivery(said[start : start + AT_ONCE], at, connection))

    def _control(self, connection: mqtt.Connection, kind: int, body: bytes) -> None:
        if kind == mqtt.CONNACK:
            if len(body) != 2 or body[1]:
                raise ConnectionError(mqtt.refusal(body[-1] if body else 0))
            connection.send(mqtt.subscribe(self._filters))
            if not self._claimed:
                connection.publish(self._claim_topic, self._claim, 0, retain=True)
            connection.flush()
        elif kind == mqtt.SUBACK:
            if any(code & 0x80 for code in body[2 : 2 + self._needed]):
                raise ConnectionError(f"may not read {self._filters[0][0]}")
            self.canary_back = True
            self._up = True
            self._note(None)
            self._queue(Connected())

    def _ours(self, connection: mqtt.Connection, said: mqtt.Message) -> bool:
        """Whether a message is for the session itself: then it goes no farther."""
        if said.topic == self._claim_topic:
            self._owner(said.payload)
        elif said.topic == self._canary_topic and said.payload == CANARY:
            self.canary_back = True
        elif said.topic == DROPPED and said.payload.isdigit():
            self._dropped(int(said.payload))
            return True
        else:
            return False
        if said.qos:
            connection.confirm([said.mid])
            connection.flush()
        return True

    def _owner(self, claim: bytes) -> None:
        """Whose session it is. Before ours has come back, an earlier gateway's may still stand."""
        if claim == self._claim:
            self._claimed = True
        elif self._claimed and claim and not self._stop.is_set():
            log.error("session.taken")
            self._stop.set()
            self._lost.set()
            self._taken()


def _tls(endpoint: Endpoint) -> ssl.SSLContext:
    """The system's authorities, or the hall's own with the gateway's certificate."""
    if endpoint.files is None:
        return ssl.create_default_context()
    context = ssl.create_default_context(cafile=str(endpoint.files.ca))
    context.check_hostname = False  # 0.0.0.0 has no name; only the broker holds a server's one
    context.load_cert_chain(endpoint.files.own_cert, endpoint.files.own_key)
    return context


def _why(fault: OSError, was_up: bool) -> str:
    reason = fault.strerror or str(fault)
    return f"connection lost ({reason})" if was_up else reason
