"""The gateway's own MQTT session: what arrives goes, unparsed, to the pipeline's queue.

One paho client a connection, with manual acks: a PUBACK that comes late goes to the client it
came by, which is dead by then, and so can never confirm another connection's message. The session
itself is kept by the broker under a fixed client id.
"""

from __future__ import annotations

import socket
import ssl
import threading
from collections.abc import Callable
from typing import Annotated, Any, Literal, NamedTuple

import msgspec
import paho.mqtt.client as mqtt
import structlog
from paho.mqtt.enums import CallbackAPIVersion, MQTTErrorCode
from paho.mqtt.reasoncodes import ReasonCode

from firmware import wire
from gateway.broker import GATEWAY, Endpoint
from gateway.events import Refused

log = structlog.get_logger()

KEEPALIVE_S = 15
CONNECT_S = 5
PAUSES_S = (0.05, 0.1, 0.2, 0.5, 1.0, 2.0)
CANARY = b"canary"


class Arrival(NamedTuple):
    """One message as it came; `by` is the connection that may still confirm it."""

    topic: str
    payload: bytes
    at: int  # Unix ms of the house's clock
    retained: bool
    mid: int
    qos: int
    by: mqtt.Client


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

    `note(reason)` is told why the broker cannot be had, and None when it can be again.
    """

    def __init__(
        self,
        endpoint: Endpoint,
        site: str,
        now: Callable[[], int],
        queue: Callable[[Arrival | Connected], None],
        note: Callable[[str | None], None],
        *,
        wide: bool,
    ) -> None:
        self._endpoint = endpoint
        self._site = site
        self._now = now
        self._queue = queue
        self._note = note
        # A broker of one's own lets nothing else through; a foreign one may, and it is reported.
        leaf = "hall/+/+/+/{}/#" if wide else f"hall/1/{site}/+/{{}}"
        self._filters = [(leaf.format(name), 1) for name in ("event", "state")]
        self._client_id = f"hallkeeper-{site}"
        self._canary_topic = wire.topic(site, GATEWAY, "event")
        self._client: mqtt.Client | None = None
        self._stop = threading.Event()
        self._lost = threading.Event()
        self._thread = threading.Thread(target=self._run, name="session", daemon=True)
        self._up = False
        self.canary_back = True

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        """Down; what was queued to be sent is sent first, as far as half a second reaches."""
        self._stop.set()
        self._lost.set()
        self._thread.join(3)

    def reconnect(self) -> None:
        """Drop the connection and make another: the broker delivers again what was not acked."""
        self._lost.set()

    @property
    def up(self) -> bool:
        """Connected and subscribed."""
        return self._up

    def publish(self, topic: str, payload: bytes, qos: int = 1) -> bool:
        """Queue a message on the present connection; False where there is none."""
        client = self._client
        if client is None or not self._up:
            return False
        return client.publish(topic, payload, qos).rc == MQTTErrorCode.MQTT_ERR_SUCCESS

    def send_canary(self) -> None:
        """Publish to our own subscription; `canary_back` turns true when it has come."""
        self.canary_back = False
        self.publish(self._canary_topic, CANARY)

    def _run(self) -> None:
        fails = 0
        while not self._stop.is_set():
            self._lost.clear()
            client = self._client = self._make()
            try:
                client.connect(
                    self._endpoint.address.host, self._endpoint.address.port, KEEPALIVE_S
                )
                client.loop_start()
                self._lost.wait()
                fails = 0 if self._up else fails + 1
                self._end(client)
            except OSError as fault:
                fails += 1
                self._note(f"{self._endpoint.address}: {fault.strerror or fault}")
            self._up = False
            self._stop.wait(PAUSES_S[min(fails, len(PAUSES_S) - 1)])

    def _end(self, client: mqtt.Client) -> None:
        self._up = False
        client.disconnect()
        client.loop_stop()

    def _make(self) -> mqtt.Client:
        client = mqtt.Client(
            CallbackAPIVersion.VERSION2,
            self._client_id,
            clean_session=False,
            reconnect_on_failure=False,
            manual_ack=True,
        )
        client.connect_timeout = CONNECT_S
        client.max_inflight_messages_set(2000)
        if self._endpoint.user is not None:
            client.username_pw_set(self._endpoint.user, self._endpoint.password)
        if self._endpoint.tls:
            client.tls_set_context(_tls(self._endpoint))
        client.on_socket_open = _no_delay
        client.on_connect = self._connected
        client.on_subscribe = self._subscribed
        client.on_disconnect = self._disconnected
        client.on_message = self._message
        return client

    def _connected(
        self, client: mqtt.Client, _data: Any, _flags: Any, reason: ReasonCode, _props: Any
    ) -> None:
        if reason.is_failure:
            self._note(f"{self._endpoint.address}: {reason}")
            self._lost.set()
        else:
            client.subscribe(self._filters)

    def _subscribed(
        self, _client: mqtt.Client, _data: Any, _mid: int, reasons: list[ReasonCode], _props: Any
    ) -> None:
        if any(reason.is_failure for reason in reasons):
            self._note(f"{self._endpoint.address}: may not read {self._filters[0][0]}")
            self._lost.set()
            return
        self.canary_back = True
        self._up = True
        self._note(None)
        self._queue(Connected())

    def _disconnected(
        self, client: mqtt.Client, _data: Any, _flags: Any, reason: ReasonCode, _props: Any
    ) -> None:
        if client is self._client and not self._stop.is_set():
            if self._up:
                self._note(f"{self._endpoint.address}: connection lost ({reason})")
            self._lost.set()

    def _message(self, client: mqtt.Client, _data: Any, message: mqtt.MQTTMessage) -> None:
        at = self._now()
        try:
            topic = message.topic
        except UnicodeDecodeError:
            topic = "(not UTF-8)"
        if topic == self._canary_topic and message.payload == CANARY:
            self.canary_back = True
            client.ack(message.mid, message.qos)
            return
        self._queue(
            Arrival(
                topic, bytes(message.payload), at, message.retain, message.mid, message.qos, client
            )
        )


def _tls(endpoint: Endpoint) -> ssl.SSLContext:
    """The system's authorities, or the hall's own with the gateway's certificate."""
    if endpoint.files is None:
        return ssl.create_default_context()
    context = ssl.create_default_context(cafile=str(endpoint.files.ca))
    context.check_hostname = (
        False  # 0.0.0.0 has no name; only the broker holds a server's certificate
    )
    context.load_cert_chain(endpoint.files.own_cert, endpoint.files.own_key)
    return context


def _no_delay(_client: mqtt.Client, _data: Any, sock: Any) -> None:
    sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
