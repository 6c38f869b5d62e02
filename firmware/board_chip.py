"""The board with registers: ESP32 and Pico W. `machine` and `network` are imported here, and in
`chip_io.py` (buses, tones, pulses: what a door's contact does without) and `drivers/ir_pio.py`.

`board.json` names what is wired where:
`{"wifi": {"ssid", "key", "country"}, "i2c": {"0": {"scl", "sda", "freq"}},
"uart": {"1": {"tx", "rx", "baud"}}, "parts": [{"part": "bh1750", "ch": "x1", "bus": "0"}, …]}`;
`factory.py` says what each part takes. No board has run this file yet: it passes the type checker
with the stubs of both boards and its tests with a faked `machine`.
"""

import asyncio
import json
import os
import sys
import time

import machine
import network

WATCHDOG_MS = 8300  # the RP2040's longest is 8388 ms
WIFI_MS = 20000  # one try to join
PERIOD = 1 << 30  # of ticks_ms on both chips
POLL_MS = 20  # keys, tilt, UARTs
EPOCH_2000 = 946684800  # where time.time() begins on some ports
WAKE_MS = 12 * 3600000  # a battery device reports so often


def _cause():
    """Why the chip started: `power`, `watchdog`, `soft`, `sleep` or `reset`."""
    found = machine.reset_cause()
    for name, text in (
        ("PWRON_RESET", "power"),
        ("WDT_RESET", "watchdog"),
        ("SOFT_RESET", "soft"),
        ("DEEPSLEEP_RESET", "sleep"),
    ):
        if found == getattr(machine, name, None):  # the Pico has but the first two
            return text
    return "reset"


class ChipBoard:
    """The face of `HostBoard`, on a chip."""

    period = PERIOD
    speed = 1
    slack = 250

    def __init__(self, folder):
        self.folder = folder
        with open(folder + "/board.json") as file:
            self._wiring = json.loads(file.read())
        self.name = self._wiring.get("board", sys.platform)
        self.reset_cause = _cause()
        self.stopped = asyncio.Event()
        self._watchdog = None
        self._wlan = None
        self._last = time.ticks_ms()
        self._real = 0
        self._address = None
        self._parts = []
        self._doers = []
        self._buses = {}

    # -- time --------------------------------------------------------------------------------

    def real_ms(self):
        """Milliseconds since this object was made; does not wrap."""
        now = time.ticks_ms()
        self._real += time.ticks_diff(now, self._last)
        self._last = now
        return self._real

    def ticks(self):
        """The chip's milliseconds, which wrap at `period`."""
        return self.real_ms() & (PERIOD - 1)

    def wall(self):
        """No battery-backed clock: only the gateway's `time` tells it."""

    # -- what hangs on it --------------------------------------------------------------------

    def begin(self, channels, meters, relay_boot):
        """Open the buses, start the parts, give their first readings. Starts the watchdog."""
        from firmware import factory

        for wiring in self._wiring.get("parts", []):
            part = factory.make(wiring, self, relay_boot)
            self._parts.append(part)
            if hasattr(part, "act"):
                self._doers.append(part)
        for name in ("parts", "i2c", "uart"):  # built: only the Wi-Fi is asked for again
            self._wiring.pop(name, None)
        self.feed()
        readings = []
        for part in self._parts:
            readings += self._read(part)
        return readings

    def pin_in(self, number, pull_up=True):
        """An input, pulled up where nothing else holds it."""
        if pull_up:
            return machine.Pin(number, machine.Pin.IN, machine.Pin.PULL_UP).value
        return machine.Pin(number, machine.Pin.IN).value

    def pin_out(self, number, level):
        """An output that begins at `level`."""
        return machine.Pin(number, machine.Pin.OUT, value=level).value

    def i2c(self, name):
        """The bus of that name, opened once."""
        return self._bus("i2c", name)

    def uart(self, name):
        """The serial line of that name, opened once; reads do not wait."""
        return self._bus("uart", name)

    def _bus(self, what, name):
        key = what + str(name)
        if key not in self._buses:
            from firmware import chip_io

            self._buses[key] = getattr(chip_io, what)(int(name), self._wiring[what][str(name)])
        return self._buses[key]

    def adc(self, number):
        """`read()` -> 0–65535 of an analogue pin."""
        return machine.ADC(machine.Pin(number)).read_u16

    def tone(self, number):
        """`play(hertz)` on a pin by PWM; 0 is silence."""
        from firmware import chip_io

        return chip_io.tone(number)

    def pulses(self, number):
        """`send(microseconds)`: marks and spaces in turn on a 38 kHz carrier."""
        from firmware import chip_io

        return chip_io.pulses(number)

    def heard(self, number):
        """`listen()` -> marks and spaces (µs) of a frame that has ended, or None."""
        from firmware import chip_io

        return chip_io.heard(number)

    def _read(self, part):
        try:
            return part.poll(self.real_ms())
        except (OSError, ValueError) as fault:  # the reading's age tells of it in `health`
            self.note("part " + part.name + ": " + str(fault))
            return []

    async def readings(self, ms):
        """What the parts have read; waits up to `ms` for the first."""
        until = self.real_ms() + ms
        while True:
            items = []
            for part in self._parts:
                items += self._read(part)
            if items or self.real_ms() >= until:
                return items
            await asyncio.sleep(min(POLL_MS, ms) / 1000)

    def act(self, item):
        """Hand a command to the parts: each does what is its own."""
        for part in self._doers:
            try:
                part.act(item)
            except OSError as fault:
                self.note("part " + part.name + ": " + str(fault))

    async def listen(self):
        """A chip has no stdin to serve."""

    async def watch_stop(self):
        """Nothing stops a chip but its power."""

    def note(self, text):
        """One line on the serial console."""
        print(text)

    # -- network, flash, life ----------------------------------------------------------------

    async def network(self):
        """Join the Wi-Fi where that is not done. OSError after 20 s in vain."""
        wifi = self._wiring["wifi"]
        if self._wlan is None:
            if wifi.get("country"):
                network.country(wifi["country"])
            self._wlan = network.WLAN(network.WLAN.IF_STA)
            self._wlan.active(True)
        if self._wlan.isconnected():
            return
        self._address = None
        self._wlan.connect(wifi["ssid"], wifi["key"])
        until = self.real_ms() + WIFI_MS
        while not self._wlan.isconnected():
            if self.real_ms() >= until:
                self._wlan.disconnect()
                raise OSError("no Wi-Fi")
            await asyncio.sleep(0.1)

    async def dial(self, setup):
        """(reader, writer) to the broker. OSError; ValueError where TLS refuses the other end."""
        address, self._address = self._address, None  # looked up anew where it does not answer
        if address is None:
            import socket

            address = str(socket.getaddrinfo(setup.host, setup.port)[0][-1][0])
        if setup.tls:
            from firmware import tls

            found = await tls.opened(address, setup)
        else:
            found = await asyncio.open_connection(address, setup.port)
        self._address = address
        return found

    def set_clock(self, ms, exact):
        """TLS judges certificates by the chip's clock: set it to `ms` where that is later.

        `exact`: the gateway said so, and an earlier time counts as well.
        """
        seconds = ms // 1000 - (EPOCH_2000 if time.gmtime(0)[0] == 2000 else 0)
        if exact or time.time() < seconds:
            year, month, day, hour, minute, second, weekday = time.gmtime(seconds)[:7]
            machine.RTC().datetime((year, month, day, weekday, hour, minute, second, 0))

    def free_blocks(self):
        """Free blocks of the file system."""
        return os.statvfs(self.folder or "/")[3]

    def battery(self):
        """Per cent by the part that measures it, or None."""
        for part in self._parts:
            if part.name == "battery":
                return part.percent()
        return None

    def feed(self):
        """Called while the device makes progress, and only then."""
        if self._watchdog is None:
            self._watchdog = machine.WDT(timeout=WATCHDOG_MS)
        self._watchdog.feed()

    def doze(self):
        """Deep sleep until a contact, bolt or tilt switch changes or 12 h are over; the chip boots
        anew after it."""
        parts = [part for part in self._parts if getattr(part, "wake", None) is not None]
        high = [part.wake for part in parts if part.level()]
        low = [part.wake for part in parts if not part.level()]
        # ext1 wakes when any of its pins is high, ext0 has one pin: a second one that is high
        # could fall unseen, and the chip stays awake
        if sys.platform == "esp32" and parts and len(high) < 2:
            import esp32

            if high:
                esp32.wake_on_ext0(machine.Pin(high[0]), esp32.WAKEUP_ALL_LOW)
            if low:
                pins = tuple(machine.Pin(number) for number in low)
                esp32.wake_on_ext1(pins, esp32.WAKEUP_ANY_HIGH)
            machine.deepsleep(WAKE_MS)
        # the Pico's deep sleep wakes on no pin: it stays awake, and its battery pays for it

    def restart(self):
        """Reset the chip."""
        machine.reset()
