"""A board whose time is a number and a broker that is an object: whole devices on either runtime,
days in a moment, and nothing outside."""

import asyncio
import json
import os

WHO = {"site": "s", "device": "dev", "broker": {"host": "h", "port": 1, "client_id": "dev-1"}}


class Board:
    """`now`: virtual ms, which only the test moves. `free()`: blocks of its flash."""

    name = "host"
    period = 1 << 40
    speed = 1
    slack = 250
    reset_cause = "power"

    def __init__(self, free=lambda: 60):
        self.now = 0
        self.clock = None  # what set_clock said last
        self.fed = []
        self.said = []
        self.did = []
        self.line = None
        self.first = []  # the readings at boot
        self.coming = []
        self.coming_at = {}  # seconds -> readings
        self.step = 0  # ms that a wait for readings takes
        self.free_blocks = free
        self.stopped = asyncio.Event()

    def real_ms(self):
        return self.now

    ticks = real_ms

    def wall(self):
        return None

    def begin(self, channels, meters, relay_boot):
        return self.first

    async def readings(self, ms):
        self.now += self.step
        await asyncio.sleep(0)
        found, self.coming = self.coming, []
        return found + self.coming_at.pop(self.now // 1000, [])

    async def listen(self):
        pass

    async def watch_stop(self):
        pass

    async def network(self):
        pass

    async def dial(self, setup):
        if self.line is None:
            raise OSError("no broker")
        return self.line, self.line

    def act(self, item):
        self.did.append(item)

    def note(self, text):
        self.said.append(text)

    def feed(self):
        self.fed.append(self.now)

    def set_clock(self, ms, exact):
        self.clock = ms

    def battery(self):
        return None

    def doze(self):
        pass

    def restart(self):
        raise SystemExit(75)


class Line:
    """Both streams of one connection. The broker answers at once; `on_event(events)` gives the
    sequence number to acknowledge, or None."""

    def __init__(self, on_event, time=None):
        self._on_event = on_event
        self._time = time
        self._waiting = bytearray()
        self._came = asyncio.Event()
        self._head = b""
        self.pings = 0
        self.fail = False  # it breaks at the next read
        self.full = False  # it takes nothing more: `drain` waits
        self.denied = False  # its subscriptions are refused
        self.on_ready = None  # called once the device has said `ready`
        self.deaf = False  # nothing comes back any more
        self.events = []
        self.states = []

    async def readexactly(self, count):
        while len(self._waiting) < count:
            if self.fail:
                self.fail = False
                raise OSError(104)
            self._came.clear()
            await self._came.wait()
        found = bytes(self._waiting[:count])
        self._waiting = self._waiting[count:]
        return found

    def _say(self, raw):
        if not self.deaf:
            self._waiting.extend(raw)
            self._came.set()

    def tell(self, topic, what):
        """A message of QoS 0 to the device."""
        body = bytes((0, len(topic))) + topic.encode() + json.dumps(what).encode()
        head = bytearray((0x30,))
        size = len(body)
        while size > 127:
            head.append(size & 127 | 128)
            size >>= 7
        head.append(size)
        self._say(bytes(head) + body)

    def write(self, raw):
        data = self._head + bytes(raw)
        size, at, shift = 0, 1, 0
        while True:
            size |= (data[at] & 127) << shift
            at += 1
            if data[at - 1] < 128:
                break
            shift += 7
        if len(data) < at + size:  # the payload comes with the next write
            self._head = data
            return
        self._head = b""
        self._packet(data[0] >> 4, data[at : at + size])

    def _packet(self, kind, body):
        if kind == 1:
            self._say(b"\x20\x02\x00\x00")
        elif kind == 8:
            codes = b"\x80\x80\x80" if self.denied else b"\x01\x01\x00"
            self._say(b"\x90\x05" + body[:2] + codes)
            if self._time is not None:
                self.tell("hall/1/s/time", {"t": self._time})
        elif kind == 12:
            self.pings += 1
            self._say(b"\xd0\x00")
        elif kind == 3:
            end = 2 + (body[0] << 8 | body[1])
            self._say(b"\x40\x02" + body[end : end + 2])
            self._published(body[2:end].decode(), json.loads(body[end + 2 :]))

    def _published(self, topic, payload):
        if topic.endswith("/state"):
            self.states.append(payload)
            if self.on_ready:
                self.on_ready()
            return
        events = payload if isinstance(payload, list) else [payload]
        self.events += events
        seq = self._on_event(events)
        if seq is not None:
            self.tell("hall/1/s/dev/ack", {"log": events[0]["log"], "seq": seq})

    async def drain(self):
        while self.full:
            await asyncio.sleep(0.001)

    def close(self):
        pass


def commission(folder, kind, channels=None, battery=False):
    """device.json and setup.json, as `provision` writes them."""
    who = dict(WHO, kind=kind)
    setup = {"channels": channels or {}, "battery": battery}
    for name, content in (("device.json", who), ("setup.json", setup)):
        with open(folder + "/" + name, "w") as file:
            file.write(json.dumps(content))


def device(folder, kind, board, channels=None, battery=False):
    """A booted device of that kind in `folder`. Call it where a loop runs."""
    from firmware import main

    commission(folder, kind, channels, battery)
    return main.Device(board, folder).boot()


def empty(folder):
    """Nothing is left below `folder`."""
    for name in os.listdir(folder):
        path = folder + "/" + name
        if os.stat(path)[0] & 0x4000:
            empty(path)
            os.rmdir(path)
        else:
            os.remove(path)
