# ruff: noqa: ARG001, ARG002, ARG005, E402, F704, F821, PLE1142
"""Runs on the WebAssembly build, by `_ram.mjs`: a whole device on fakes of its pins and its broker.

Prints JSON, bytes of heap that are alive after a collection, beyond what the interpreter and the
fakes take: `booted`, `session` (connected, idle),
`used` (200 events sent and acknowledged), `ordered` (a command carried out), `backlog` (2,000 more
that nobody acknowledges, a window of them sent). What lives for a moment only, while a payload is
made, is not told: this build collects only where no Python runs.
"""

import asyncio
import gc
import json
import os
import sys

import js

sys.path.append("/lib")
import virtual


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


class Esp32:
    platform = "esp32"
    RMT = Nothing


sys.modules["esp32"] = Esp32
os.statvfs = lambda path: (0, 0, 0, 60)
if not hasattr(os, "urandom"):
    os.urandom = lambda count: bytes(range(7, 7 + count))


class Broker(virtual.Line):
    """Acknowledges everything as long as `acks`."""

    def __init__(self):
        super().__init__(None)
        self.acks = True

    def _published(self, topic, payload):
        if self.acks and topic.endswith("/event"):
            self.ack(payload[-1])

    def ack(self, event):
        self.tell("hall/1/hall/dev-01/ack", {"log": event["log"], "seq": event["seq"]})


async def alive():
    """Bytes in use after a collection. This port collects only where no Python runs, and what it
    lent to JavaScript (each sleep's callback) after node's collector has run: some turns of both,
    and the least of the readings."""
    found = []
    for _ in range(8):
        js.gc()
        gc.collect()
        await asyncio.sleep(0.004)
        found.append(gc.mem_alloc())
    return min(found)


async def happen(count):
    """So many events, none so near to the next that node's garbage piles up."""
    for number in range(count):
        device.say(device.clock.up(), [FACTS[KIND]])
        if number % 50 == 0:
            js.gc()
        await asyncio.sleep(0)


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
line = Broker()
line._say(b"")
json.dumps(FACTS)
told = {}
base = await alive()

exec(LOADER[: LOADER.index("try:")])  # the board's own main.py chooses the slot
from firmware import main
from firmware.board_chip import ChipBoard

board = ChipBoard("")


if KIND == "ac-controller":  # its infra-red asks which chip this is
    from firmware import chip_io

    chip_io.sys = Esp32


async def dial(setup):
    return line, line


board.dial = dial
device = main.Device(board, "").boot()
main.unload()
told["booted"] = await alive() - base
running = asyncio.create_task(device.run())
while not device.link.connected():
    await asyncio.sleep(0.01)
line.ack({"log": device.log.log, "seq": device.log.next - 1})
await asyncio.sleep(0.3)
told["session"] = await alive() - base
await happen(200)
while device.log.held():
    await asyncio.sleep(0.01)
told["used"] = await alive() - base
order = {"id": "c-1", "do": "identify", "exp": 1 << 50}
line.tell("hall/1/hall/time", {"t": 1790000000000})
line.tell("hall/1/hall/dev-01/cmd", order)
await asyncio.sleep(0.3)
told["ordered"] = await alive() - base
line.acks = False
await happen(2000)
await asyncio.sleep(0.5)
told["backlog"] = await alive() - base
print(json.dumps(told))
running.cancel()
