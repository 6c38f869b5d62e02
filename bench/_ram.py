# ruff: noqa: ARG001, ARG002, ARG005, E402, F704, F821, PLE1142
"""Runs on the WebAssembly build, by `_ram.mjs`: a whole device on fakes of its pins and its broker.

Prints JSON, bytes of heap that are alive after a collection, beyond what the interpreter and the
fakes take: `loaded` (all modules of the kind imported), `booted`, `session` (connected, idle),
`used` (200 events sent and acknowledged), `backlog` (2,000 more that nobody acknowledges, a window
of them sent). This build collects only where no Python runs, so what lives for a moment only, while
a payload is made, cannot be told from garbage.
"""

import asyncio
import gc
import json
import os
import sys

sys.path.append("/lib")


class Pin:
    IN, OUT, PULL_UP = 0, 1, 2
    IRQ_FALLING, IRQ_RISING = 1, 2

    def __init__(self, *a, **k):
        pass

    def irq(self, *a):
        pass

    def value(self, *a):
        return 1


class Nothing:
    def __init__(self, *a, **k):
        pass

    def __getattr__(self, name):
        return lambda *a, **k: None


class Bus(Nothing):
    def writeto(self, *a):
        raise OSError(19)  # nothing answers

    readfrom = writeto

    def read(self):
        return None

    def write(self, data):
        return len(data)


class Machine:
    Pin = Pin
    WDT = RTC = PWM = Nothing
    I2C = UART = Bus
    ADC = None
    PWRON_RESET, WDT_RESET = 1, 3

    @staticmethod
    def reset_cause():
        return 1


class Adc(Nothing):
    def read_u16(self):
        return 30000


class Wlan(Nothing):
    IF_STA = 0

    def isconnected(self):
        return True


class Network:
    WLAN = Wlan

    @staticmethod
    def country(code):
        pass


Machine.ADC = Adc
sys.modules["machine"] = Machine
sys.modules["network"] = Network
os.statvfs = lambda path: (0, 0, 0, 60)
if not hasattr(os, "urandom"):
    os.urandom = lambda count: bytes(range(7, 7 + count))


class Line:
    """Both streams of a connection to a broker that acknowledges everything."""

    def __init__(self):
        self.waiting = bytearray()
        self.came = asyncio.Event()
        self.device = None
        self.acks = True
        self.begun = False

    async def readexactly(self, count):
        while len(self.waiting) < count:
            self.came.clear()
            await self.came.wait()
        found = bytes(self.waiting[:count])
        self.waiting = self.waiting[count:]
        return found

    def _say(self, raw):
        self.waiting.extend(raw)
        self.came.set()

    def write(self, raw):
        if self.begun:  # the rest of a packet: its payload
            self.begun = False
            return
        kind = raw[0] >> 4
        self.begun = kind == 3
        if kind == 1:
            self._say(b"\x20\x02\x00\x00")
        elif kind == 8:
            self._say(b"\x90\x05" + raw[2:4] + b"\x01\x01\x00")
        elif kind == 12:
            self._say(b"\xd0\x00")
        elif kind == 3:
            at = 2 if raw[1] < 128 else 3  # a size of one byte or two
            at += 2 + (raw[at] << 8 | raw[at + 1])
            self._say(b"\x40\x02" + bytes(raw[at : at + 2]))
            if self.acks and self.device:
                log = self.device.log
                self.tell("ack", {"log": log.log, "seq": log.next - 1})

    def tell(self, leaf, what):
        topic = ("hall/1/hall/dev-01/" + leaf).encode()
        body = bytes((0, len(topic))) + topic + json.dumps(what).encode()
        head = bytearray((0x30,))
        size = len(body)
        while size > 127:
            head.append(size & 127 | 128)
            size >>= 7
        head.append(size)
        self._say(bytes(head) + body)

    async def drain(self):
        pass

    def close(self):
        pass


async def alive():
    """This port collects only where no Python runs, and other tasks may run before we do again:
    the least of some readings is what is alive."""
    found = []
    for _ in range(6):
        gc.collect()
        await asyncio.sleep(0.001)
        found.append(gc.mem_alloc())
    return min(found)


with open("/device.json", "w") as file:
    broker = {"host": "127.0.0.1", "port": 1883, "user": "dev-01", "client_id": "dev-01-0badcafe"}
    who = {"site": "hall", "device": "dev-01", "kind": KIND, "broker": broker}
    file.write(json.dumps(who))

FACTS = {
    "rating-pad": ("rating", {"level": 5}),
    "opening-sensor": ("contact", {"ch": "c1", "open": True}),
    "room-sensor": ("climate", {"ch": "t1", "c": 22.5, "rh": 41}),
    "power-meter": (
        "power",
        {"ch": "c1", "w": 120.5, "v": 229.9, "a": 0.5, "wh": 123456},
    ),
    "ac-controller": ("ac", {"ch": "a1", "on": True, "mode": "cool", "set": 26, "src": "heard"}),
    "patrol-reader": ("tap", {"tag": "04a1b2c3d4"}),
    "duty-panel": ("button", {"name": "ack"}),
}
line = Line()
line._say(b"")
json.dumps(FACTS)
base = await alive()
told = {}

from firmware import main
from firmware.board_chip import ChipBoard

board = ChipBoard("")


async def dial(setup):
    return line, line


board.dial = dial
main.kinds.load(KIND)
told["loaded"] = await alive() - base
device = main.Device(board, "").boot()
told["booted"] = await alive() - base
line.device = device
running = asyncio.create_task(device.run())
while not device.link.connected():
    await asyncio.sleep(0.01)
line.tell("ack", {"log": device.log.log, "seq": device.log.next - 1})
await asyncio.sleep(0.3)
told["session"] = await alive() - base
for _ in range(200):
    device.say(device.clock.up(), [FACTS[KIND]])
    await asyncio.sleep(0.001)
while device.log.held():
    await asyncio.sleep(0.01)
told["used"] = await alive() - base
line.acks = False
for number in range(2000):
    device.say(device.clock.up(), [FACTS[KIND]])
    if number % 50 == 0:
        await asyncio.sleep(0)
await asyncio.sleep(0.5)
told["backlog"] = await alive() - base
print(json.dumps(told))
running.cancel()
