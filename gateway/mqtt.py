"""One MQTT 3.1.1 connection, with no more of the protocol than the gateway's session uses.

What is to be sent is gathered and leaves in one write a `flush`, on the thread that asks; what
comes is read in large pieces on the owner's thread. A client that goes through its own loop for
each packet costs more than all else that the gateway does with a reading (docs/adr/007).
"""

from __future__ import annotations

import contextlib
import select
import socket
import ssl
import struct
import threading
import time
from collections.abc import Sequence

import msgspec

CONNACK, PUBLISH, PUBACK, SUBACK, PINGRESP = 2, 3, 4, 9, 13
_PUBACK = PUBACK << 4
_PINGREQ, _DISCONNECT = b"\xc0\x00", b"\xe0\x00"
_READ_BYTES = 1 << 18
_GATHER_S = 0.002  # while more is coming it is taken so often: each time costs as much as a reading
_BUSY_S, _BUSY = 0.008, 32  # and so often where that brings so many packets
_WAITING_BYTES = 1 << 24  # a broker that takes no more is given nothing more to send
_MIDS = 65535
_REFUSED = {
    1: "it speaks no MQTT 3.1.1",
    2: "it refuses the client id",
    3: "it is not available",
    4: "bad user name or password",
    5: "not authorized",
}


class Message(msgspec.Struct, frozen=True, gc=False):
    """A PUBLISH that came; `mid` is 0 at QoS 0."""

    topic: str
    payload: bytes
    retained: bool
    qos: int
    mid: int


def packet(first: int, body: bytes) -> bytes:
    """A control packet: its first byte, its length, its body."""
    size = len(body)
    if size < 128:
        return bytes((first, size)) + body
    head = bytearray((first,))
    while True:
        size, digit = divmod(size, 128)
        head.append(digit | 128 if size else digit)
        if not size:
            return bytes(head) + body


def text(value: str) -> bytes:
    """A string as the protocol writes it. Raises ValueError where it is too long."""
    raw = value.encode()
    if len(raw) > 65535:
        raise ValueError(f"{len(raw)} bytes are no MQTT string")
    return len(raw).to_bytes(2, "big") + raw


def connect(client_id: str, keepalive_s: int, user: str | None, password: str | None) -> bytes:
    """CONNECT that takes up the session of this client id."""
    flags, login = 0, b""
    if user is not None:
        flags, login = 0x80, text(user)
        if password is not None:
            flags, login = 0xC0, login + text(password)
    head = text("MQTT") + bytes((4, flags)) + keepalive_s.to_bytes(2, "big")
    return packet(0x10, head + text(client_id) + login)


def message(first: int, body: bytes) -> Message:
    """A PUBLISH read. Raises ConnectionError where it is none."""
    qos = first >> 1 & 3
    end = 2 + int.from_bytes(body[:2], "big")
    at = end + 2 if qos else end
    if qos == 3 or at > len(body):
        raise ConnectionError("the broker sent a damaged packet")
    try:
        topic = body[2:end].decode()
    except UnicodeDecodeError:
        topic = "(not UTF-8)"
    mid = int.from_bytes(body[end:at], "big") if qos else 0
    return Message(topic, body[at:], bool(first & 1), qos, mid)


class Packets:
    """Cuts a stream into packets, however it comes in pieces."""

    def __init__(self) -> None:
        self._parts: list[bytes] = []
        self._held = self._need = 0

    def feed(self, piece: bytes) -> list[tuple[int, bytes]]:
        """(first byte, body) of each packet that is now whole. Raises ConnectionError."""
        self._parts.append(piece)
        self._held += len(piece)
        if self._held < self._need:
            return []
        data = piece if len(self._parts) == 1 else b"".join(self._parts)
        found: list[tuple[int, bytes]] = []
        at, end, need = 0, len(data), 0
        while at + 2 <= end:
            size, place, shift = data[at + 1], at + 2, 7
            if size > 127:
                size &= 127
                digit = 128
                while digit > 127 and place < end:
                    digit = data[place]
                    place += 1
                    size |= (digit & 127) << shift
                    shift += 7
                if shift > 28 or (digit > 127 and shift == 28):
                    raise ConnectionError("the broker sent a damaged packet")
                if digit > 127:
                    break
            if place + size > end:
                need = place + size - at
                break
            found.append((data[at], data[place : place + size]))
            at = place + size
        self._parts = [data[at:]] if at < end else []
        self._held, self._need = end - at, need
        return found


class Connection:
    """One connection, used once: `open` and `read` on its owner's thread, the rest on any."""

    def __init__(self) -> None:
        self._sock: socket.socket | None = None
        self._packets = Packets()
        self._io = threading.Lock()  # TLS may not read and write at once
        self._out = bytearray()
        self._mid = 0
        self._unconfirmed: set[int] = set()
        self._wake, self._woken = socket.socketpair()
        self._poll = select.poll()
        self._poll.register(self._woken, select.POLLIN)
        self._writable = False
        self._closed = False
        self._next_at = 0.0  # not to be read before
        self.sent_at = self.heard_at = time.monotonic()

    def open(self, host: str, port: int, tls: ssl.SSLContext | None, timeout_s: float) -> None:
        """Reach the broker. Raises OSError."""
        sock = socket.create_connection((host, port), timeout_s)
        try:
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            if tls is not None:
                sock = tls.wrap_socket(sock, server_hostname=host)
            sock.setblocking(False)
        except BaseException:
            sock.close()
            raise
        self._sock = sock
        self._poll.register(sock, select.POLLIN)

    def peer_expires(self) -> int | None:
        """When the broker's certificate ends, Unix ms; None without TLS."""
        if not isinstance(self._sock, ssl.SSLSocket):
            return None
        end = (self._sock.getpeercert() or {}).get("notAfter")
        return ssl.cert_time_to_seconds(end) * 1000 if isinstance(end, str) else None

    # -- any thread

    def publish(self, topic: str, payload: bytes, qos: int, *, retain: bool = False) -> bool:
        """Put a message among what is to be sent; False where it cannot be."""
        name = text(topic)
        with self._io:
            if self._closed or len(self._out) > _WAITING_BYTES:
                return False
            if qos:
                mid = self._free_mid()
                if mid is None:
                    return False
                self._out += packet(0x32 | retain, name + mid.to_bytes(2, "big") + payload)
            else:
                self._out += packet(0x30 | retain, name + payload)
        return True

    def confirm(self, mids: Sequence[int]) -> None:
        """PUBACK for these messages of this connection."""
        words = [0x4002] * (2 * len(mids))
        words[1::2] = mids
        self.send(struct.pack(f">{len(words)}H", *words))

    def send(self, raw: bytes) -> None:
        """Put a packet among what is to be sent."""
        with self._io:
            if not self._closed:
                self._out += raw

    def flush(self) -> None:
        """Send what may be sent at once; the owner's thread sends the rest."""
        with self._io:
            left = self._send()
        if left:
            self.wake()

    def wake(self) -> None:
        """Let `read` return."""
        with contextlib.suppress(BlockingIOError, OSError):
            self._wake.send(b"\0", socket.MSG_DONTWAIT)

    # -- the owner's thread

    def read(self, timeout_s: float) -> list[tuple[int, bytes]]:
        """What has come within the timeout, PUBACKs taken in. Raises OSError when it is over."""
        self._listen_for_room()
        early = self._next_at - time.monotonic()
        if early > 0:
            time.sleep(early)
        for handle, _ in self._poll.poll(timeout_s * 1000):
            if handle == self._woken.fileno():
                self._woken.recv(4096)
        with self._io:
            left = self._send()
        if left and not self._writable:
            self._listen_for_room()
        found: list[tuple[int, bytes]] = []
        while piece := self._receive():
            self.heard_at = time.monotonic()
            came = self._packets.feed(piece)
            answers = [body for first, body in came if first == _PUBACK]
            if answers:
                self._unconfirmed.difference_update(
                    [int.from_bytes(body[:2], "big") for body in answers]
                )
                came = [packet_ for packet_ in came if packet_[0] != _PUBACK]
            found += came
            if len(piece) < _READ_BYTES and not isinstance(self._sock, ssl.SSLSocket):
                break
        if found:
            self._next_at = self.heard_at + (_BUSY_S if len(found) >= _BUSY else _GATHER_S)
        return found

    def ping(self, after_s: float, lost_s: float) -> None:
        """Keep it alive. Raises ConnectionError where the broker has said nothing for `lost_s`."""
        now = time.monotonic()
        if now - self.heard_at > lost_s:
            raise ConnectionError("it says nothing any more")
        if now - min(self.sent_at, self.heard_at) >= after_s:
            self.sent_at = now
            self.send(_PINGREQ)
            self.flush()

    def close(self, wait_s: float) -> None:
        """DISCONNECT after what is still to be sent, as far as `wait_s` reaches."""
        until = time.monotonic() + wait_s
        with self._io, contextlib.suppress(OSError):
            self._closed = True
            self._out += _DISCONNECT
            while self._send() and time.monotonic() < until:
                assert self._sock is not None
                select.select([], [self._sock], [], 0.05)
        with self._io:
            self._out.clear()
            if self._sock is not None:
                self._sock.close()
                self._sock = None
        self._wake.close()
        self._woken.close()

    def _free_mid(self) -> int | None:
        if len(self._unconfirmed) >= _MIDS:
            return None
        while True:
            self._mid = self._mid % _MIDS + 1
            if self._mid not in self._unconfirmed:
                self._unconfirmed.add(self._mid)
                return self._mid

    def _send(self) -> bool:
        """Whether something is left. A fault is for `read` to find."""
        if self._sock is None:
            return False
        while self._out:
            try:
                sent = self._sock.send(self._out)
            except (BlockingIOError, ssl.SSLWantReadError, ssl.SSLWantWriteError):
                return True
            except OSError:
                self._out.clear()
                return False
            self.sent_at = time.monotonic()
            del self._out[:sent]
        return False

    def _receive(self) -> bytes:
        with self._io:
            if self._sock is None:
                raise ConnectionError("closed")
            try:
                piece = self._sock.recv(_READ_BYTES)
            except (BlockingIOError, ssl.SSLWantReadError, ssl.SSLWantWriteError):
                return b""
        if not piece:
            raise ConnectionError("the broker closed it")
        return piece

    def _listen_for_room(self) -> None:
        wanted = bool(self._out)
        if wanted != self._writable and self._sock is not None:
            self._writable = wanted
            self._poll.modify(self._sock, select.POLLIN | (select.POLLOUT if wanted else 0))


def refusal(code: int) -> str:
    """Why the broker will not have us, by its CONNACK."""
    return _REFUSED.get(code, f"it refuses (code {code})")


def subscribe(filters: Sequence[tuple[str, int]]) -> bytes:
    """SUBSCRIBE; its answer is the connection's only SUBACK."""
    body = b"".join(text(topic) + bytes((qos,)) for topic, qos in filters)
    return packet(0x82, b"\x00\x01" + body)
