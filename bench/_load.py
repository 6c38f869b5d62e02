"""Meters that publish readings as fast as they may, and hear how far these are acknowledged.

One JSON object of settings in, one of figures out, both on the standard streams. A bare MQTT client
over sockets: a load that costs as much as what it measures would measure itself.
"""

from __future__ import annotations

import json
import select
import socket
import sys
import time

from firmware import wire

LINES = 4  # connections that publish
PUBACKS = 400  # under way on each
SITE = "bench"


def _text(value: str) -> bytes:
    raw = value.encode()
    return len(raw).to_bytes(2, "big") + raw


def _packet(first: int, body: bytes) -> bytes:
    size, left = b"", len(body)
    while True:
        left, digit = divmod(left, 128)
        size += bytes([digit | 128 if left else digit])
        if not left:
            return bytes([first]) + size + body


class Line:
    """One connection; `read` gives the packets that have come."""

    def __init__(self, port: int, name: str) -> None:
        self.sock = socket.create_connection(("127.0.0.1", port))
        self.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.sock.sendall(_packet(0x10, _text("MQTT") + b"\x04\x02\x00\x00" + _text(name)))
        self._rest = b""
        self._pid = 0
        self.open = 0  # publishes without their PUBACK
        self.out: list[bytes] = []

    def subscribe(self, topic: str) -> None:
        self.sock.sendall(_packet(0x82, b"\x00\x01" + _text(topic) + b"\x00"))

    def publish(self, topic: bytes, payload: bytes) -> None:
        self._pid = self._pid % 65535 + 1
        self.open += 1
        self.out.append(_packet(0x32, topic + self._pid.to_bytes(2, "big") + payload))

    def flush(self) -> None:
        if self.out:
            self.sock.sendall(b"".join(self.out))
            self.out = []

    def read(self) -> list[tuple[int, bytes]]:
        """(first byte, body) of each whole packet."""
        data = self._rest + self.sock.recv(262144)
        found, at = [], 0
        while True:
            size = shift = 0
            place = at + 1
            while place < len(data) and data[place] & 128:
                size |= (data[place] & 127) << shift
                shift, place = shift + 7, place + 1
            if place >= len(data):
                break
            size |= data[place] << shift
            if place + 1 + size > len(data):
                break
            found.append((data[at], data[place + 1 : place + 1 + size]))
            at = place + 1 + size
        self._rest = data[at:]
        self.open -= sum(first >> 4 == 4 for first, _ in found)
        return found


def load(
    port: int, devices: int, seconds: float, warm: float, rate: float | None, window: int, log: str
) -> dict[str, object]:
    """Publish for `warm` and then for `seconds`, at `rate` a second or with at most `window`
    readings not acknowledged; each run has a `log` of its own."""
    lines = [Line(port, f"load-{n}") for n in range(LINES)]
    ear = Line(port, "load-ear")
    ear.subscribe(wire.topic(SITE, "+", "ack"))
    names = [f"m-{n}" for n in range(devices)]
    topics = [_text(wire.topic(SITE, name, "event")) for name in names]
    place = {name: n for n, name in enumerate(names)}
    last, covered = [0] * devices, [0] * devices
    due: list[list[float]] = [[] for _ in names]  # when each reading not covered was sent
    took: list[float] = []
    sent = acked = acks = 0
    began = time.perf_counter()
    marks: list[tuple[float, int, int]] = []  # at the end of the warm-up and at the end
    while True:
        now = time.perf_counter()
        if not marks and now - began >= warm:
            marks.append((now, acked, acks))
            took.clear()
        if now - began >= warm + seconds:
            marks.append((now, acked, acks))
            break
        room = window - (sent - acked) if rate is None else int((now - began) * rate) - sent
        for _ in range(min(room, 200)):
            line = lines[sent % LINES]
            if line.open >= PUBACKS:
                break
            n = sent % devices
            last[n] += 1
            t = time.time_ns() // 1_000_000
            watts = 20 + (last[n] * 7919 + n) % 1500
            line.publish(
                topics[n],
                b'{"log":"%s","seq":%d,"boot":1,"up":%d,"t":%d,"kind":"power","ch":"c1","w":%d.5}'
                % (log.encode(), last[n], t, t, watts),
            )
            due[n].append(time.perf_counter())
            sent += 1
        for line in lines:
            line.flush()
        ready, _, _ = select.select([x.sock for x in (*lines, ear)], [], [], 0.0005)
        for line in lines:
            if line.sock in ready:
                line.read()
        if ear.sock in ready:
            came = ear.read()
            now = time.perf_counter()
            for first, body in came:
                if first >> 4 != 3:
                    continue
                end = 2 + int.from_bytes(body[:2], "big")
                n = place.get(body[2:end].split(b"/")[3].decode(), -1)
                if n < 0:  # another device of the hall
                    continue
                ack = json.loads(body[end:])
                if ack["log"] != log:  # of a run before this one
                    continue
                up_to = ack["seq"]
                if up_to > covered[n]:
                    more = up_to - covered[n]
                    took += [now - at for at in due[n][:more]]
                    del due[n][:more]
                    covered[n] = up_to
                    acked += more
                acks += 1
    (t0, acked0, acks0), (t1, acked1, acks1) = marks
    if not took:
        sys.exit("no reading was acknowledged")
    took.sort()
    per = {f"p{p}": 1000 * took[min(len(took) - 1, len(took) * p // 100)] for p in (50, 95, 99)}
    return {
        "rate": (acked1 - acked0) / (t1 - t0),
        "answered": (acks1 - acks0) / max(1, acked1 - acked0),
        **per,
    }


if __name__ == "__main__":
    print(json.dumps(load(**json.loads(sys.argv[1]))))
