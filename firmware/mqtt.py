"""A small MQTT 3.1.1 client on asyncio streams: QoS 0 and 1, a will, nothing else.

It publishes without waiting, tells of each PUBACK, answers inbound QoS 1 after its handler, and
ends with OSError when the line is dead. One client is one connection; `link.py` makes a new one.
"""

import asyncio
import struct

REFUSALS = ("accepted", "protocol refused", "client id refused", "server unavailable")
REFUSALS += ("bad user name or password", "not authorised")
MAX_PACKET = 8192  # a longer inbound packet is read past


class Refused(OSError):
    """The broker answered CONNECT with a refusal."""


def _text(value):
    raw = value.encode() if isinstance(value, str) else value
    return struct.pack("!H", len(raw)) + raw


def _head(kind, size):
    head = bytearray((kind,))
    while size > 127:
        head.append(size & 127 | 128)
        size >>= 7
    head.append(size)
    return bytes(head)


def _packet(kind, body):
    return _head(kind, len(body)) + body


def connect_packet(client_id, user, password, keepalive, will):
    """CONNECT with a clean session. `will` is (topic, payload, retain) or None."""
    flags = 2
    body = _text(client_id)
    if will:
        flags |= 4 | 1 << 3 | (32 if will[2] else 0)
        body += _text(will[0]) + _text(will[1])
    if user is not None:
        flags |= 128
        body += _text(user)
        if password is not None:
            flags |= 64
            body += _text(password)
    return _packet(16, b"\x00\x04MQTT\x04" + bytes((flags,)) + struct.pack("!H", keepalive) + body)


def _published(kind, body):
    """(topic, payload, packet id or None) of an inbound PUBLISH."""
    at = 2 + (body[0] << 8 | body[1])
    topic = body[2:at].decode()
    pid = None
    if kind >> 1 & 3:
        pid = bytes(body[at : at + 2])
        at += 2
    return topic, bytes(body[at:]), pid


def at_once(writer):
    """Let no packet wait for the answer to the one before, where the port and the stream can."""
    try:
        writer.s.setsockopt(6, 1, 1)  # IPPROTO_TCP, TCP_NODELAY
    except (AttributeError, OSError, ValueError):
        pass


class Client:
    """One connection. Callbacks: `message(topic, payload, retained)` and `acked(pid)`."""

    def __init__(self, reader, writer, message, acked):
        self._reader = reader
        self._writer = writer
        self._message = message
        self._acked = acked
        self._lock = asyncio.Lock()
        self._pid = 0
        self._subacks = {}
        self.heard = False  # anything came in since the flag was last taken down

    async def _send(self, data, more=b""):
        async with self._lock:  # two tasks may not drain at once
            self._writer.write(data)
            if more:
                self._writer.write(more)
            await self._writer.drain()

    def _next_pid(self):
        self._pid = self._pid % 65535 + 1
        return self._pid

    async def connect(self, packet):
        """Send CONNECT and wait for CONNACK. Refused, or OSError."""
        await self._send(packet)
        kind, body = await self._receive()
        if kind >> 4 != 2 or len(body) != 2:
            raise OSError("no CONNACK")
        if body[1]:
            raise Refused(REFUSALS[body[1]] if body[1] < len(REFUSALS) else "refused")

    async def subscribe(self, topics):
        """Ask for [(topic, qos), …]; returns at once, `granted(pid)` tells the answer."""
        pid = self._next_pid()
        body = struct.pack("!H", pid)
        for topic, qos in topics:
            body += _text(topic) + bytes((qos,))
        self._subacks[pid] = None
        await self._send(_packet(0x82, body))
        return pid

    def granted(self, pid):
        """The SUBACK's codes (128: denied), or None while it has not come."""
        return self._subacks.get(pid)

    async def publish(self, topic, payload, qos=1, retain=False):
        """Hand one message to the line; returns its packet id (None at QoS 0)."""
        body = _text(topic)
        pid = None
        if qos:
            pid = self._next_pid()
            body += struct.pack("!H", pid)
        raw = payload.encode() if isinstance(payload, str) else payload
        await self._send(
            _head(0x30 | qos << 1 | (1 if retain else 0), len(body) + len(raw)) + body, raw
        )
        return pid

    async def ping(self):
        await self._send(b"\xc0\x00")

    async def disconnect(self):
        """Say goodbye, so that the will is not sent, and close."""
        try:
            await self._send(b"\xe0\x00")
        except OSError:
            pass
        self.close()

    def close(self):
        try:
            self._writer.close()
        except OSError:
            pass

    async def _receive(self):
        head = await self._reader.readexactly(1)
        size = 0
        shift = 0
        while True:
            byte = (await self._reader.readexactly(1))[0]
            size |= (byte & 127) << shift
            if byte < 128:
                break
            shift += 7
            if shift > 21:
                raise OSError("bad length")
        if size > MAX_PACKET:
            while size:
                size -= len(await self._reader.readexactly(min(size, 1024)))
            return 0, b""
        return head[0], (await self._reader.readexactly(size) if size else b"")

    async def run(self):
        """Read packets until the line ends, with OSError or EOFError."""
        while True:
            kind, body = await self._receive()
            self.heard = True
            what = kind >> 4
            if what == 3:
                try:
                    topic, payload, pid = _published(kind, body)
                except (IndexError, ValueError):
                    raise OSError("bad packet")
                self._message(topic, payload, bool(kind & 1))
                if pid:
                    await self._send(b"\x40\x02" + pid)
            elif what == 4 and len(body) >= 2:
                self._acked(body[0] << 8 | body[1])
            elif what == 9 and len(body) >= 3:
                self._subacks[body[0] << 8 | body[1]] = body[2:]
