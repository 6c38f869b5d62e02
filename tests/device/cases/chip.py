"""The boards' half with a faked `machine` and `network`: what it asks the registers for."""

import asyncio
import json
import sys

from firmware import main, parts


class Pin:
    IN, OUT, PULL_UP = 0, 1, 2
    IRQ_FALLING, IRQ_RISING = 1, 2
    edges = {}  # noqa: RUF012
    levels = {}  # noqa: RUF012

    def __init__(self, number, mode=0, pull=-1, value=None):
        self.number = number
        if mode == Pin.IN:
            Pin.levels.setdefault(number, 1 if pull == Pin.PULL_UP else 0)
        if value is not None:
            Pin.levels[number] = value

    def irq(self, handler, trigger):
        assert trigger == 3
        Pin.edges[self.number] = handler

    def value(self, level=None):
        if level is None:
            return Pin.levels[self.number]
        Pin.levels[self.number] = level
        return None


class Watchdog:
    fed = 0

    def __init__(self, timeout):
        assert timeout <= 8388  # the Pico's longest

    def feed(self):
        Watchdog.fed += 1


class Reset(BaseException):
    pass


def _reset():
    raise Reset()


class Rtc:
    stood = None

    def datetime(self, parts):
        Rtc.stood = parts


class Adc:
    def __init__(self, pin):
        pass

    def read_u16(self):
        return 30000


class Machine:
    Pin, WDT, RTC, ADC = Pin, Watchdog, Rtc, Adc
    PWRON_RESET, WDT_RESET = 1, 3  # all that the Pico's firmware has
    cause = 3

    @staticmethod
    def reset_cause():
        return Machine.cause

    @staticmethod
    def reset():
        _reset()


class Wlan:
    IF_STA = 0
    joined = False
    asked = []  # noqa: RUF012

    def __init__(self, which):
        pass

    def active(self, on):
        pass

    def isconnected(self):
        return Wlan.joined

    def connect(self, ssid, key):
        Wlan.asked.append((ssid, key))
        Wlan.joined = True

    def disconnect(self):
        pass


class Network:
    WLAN = Wlan

    @staticmethod
    def country(code):
        assert code == "CN"


def _chip(folder, wiring):
    import time

    for name in ("ticks_ms", "ticks_diff"):  # CPython has none
        if not hasattr(time, name):
            setattr(time, name, {"ticks_ms": _ticks, "ticks_diff": lambda a, b: a - b}[name])
    sys.modules["machine"] = Machine
    sys.modules["network"] = Network
    with open(folder + "/board.json", "w") as file:
        file.write(json.dumps(wiring))
    from firmware.board_chip import ChipBoard

    return ChipBoard(folder)


def _ticks():
    import time

    return time.time_ns() // 1000000


WIRING = {
    "wifi": {"ssid": "hall", "key": "k", "country": "CN"},
    "parts": [
        {"part": "contact", "ch": "c1", "pin": 4},
        {"part": "tilt", "pin": 5},
        {"part": "relay", "ch": "r1", "pin": 6, "invert": True},
        {"part": "lamp", "pin": 7},
        {"part": "detector", "ch": "d1", "what": "heat", "pin": 8},
    ],
}


def test_pins_become_readings_and_acts_become_levels(folder):
    Pin.levels = {4: 0}
    board = _chip(folder, WIRING)
    assert board.reset_cause == "watchdog"
    readings = board.begin({}, {}, True)
    assert readings[0] == {"ch": "c1", "open": False}
    assert {"moved": True} in readings
    assert {"ch": "d1", "what": "heat", "active": False} in readings
    assert Pin.levels[6] == 0  # pulled in from power-up, and its level is inverted
    board.act({"ch": "r1", "on": False})
    board.act({"led": "alarm"})
    assert (Pin.levels[6], Pin.levels[7]) == (1, 1)
    Pin.levels[4] = 1
    found = []
    while not found:
        found = asyncio.run(board.readings(200))
    assert found == [{"ch": "c1", "open": True}]


def test_a_frame_of_the_remote_is_caught_by_its_edges(folder):
    from firmware.drivers import ir

    board = _chip(folder, {"parts": []})
    now = [5]
    import firmware.chip_io as chip

    class Ticks:
        ticks_us = staticmethod(lambda: now[0])
        ticks_diff = staticmethod(lambda a, b: a - b)

    real, chip.time = chip.time, Ticks
    try:
        listen = board.heard(9)
        assert listen() is None
        times = ir.frame("midea", True, "cool", 26)
        for wait in [90000] + times:  # noqa: RUF005
            now[0] += wait
            Pin.edges[9](None)
        assert listen() is None  # it may go on
        now[0] += 40000
        assert ir.parse("midea", listen()) == {"on": True, "mode": "cool", "set": 26}
        assert listen() is None
        for _ in range(1000):  # a lamp that flickers fills no memory
            now[0] += 300
            Pin.edges[9](None)
        now[0] += 40000
        assert len(listen()) == chip.EDGES - 1
    finally:
        chip.time = real


def test_wifi_watchdog_and_a_reset(folder):
    board = _chip(folder, WIRING)
    asyncio.run(board.network())
    asyncio.run(board.network())
    assert Wlan.asked == [("hall", "k")]
    fed = Watchdog.fed
    board.feed()
    assert Watchdog.fed == fed + 1
    try:
        board.restart()
    except Reset:
        return
    raise AssertionError("no reset")


def test_a_device_boots_on_it(folder):
    Pin.levels = {4: 1}
    board = _chip(folder, WIRING)
    who = {"site": "s", "device": "d", "kind": "opening-sensor"}
    who["broker"] = {"host": "127.0.0.1", "port": 1, "client_id": "d"}
    for name, content in (("device.json", who), ("setup.json", {"channels": {"c1": "contact"}})):
        with open(folder + "/" + name, "w") as file:
            file.write(json.dumps(content))
    board.free_blocks = lambda: 60

    async def boot():
        return main.Device(board, folder).boot()

    device = asyncio.run(boot())
    events = {kind: fields for _, kind, _, _, fields in device.log.read(1, 100)[0]}
    assert events["contact"] == {"ch": "c1", "open": True}
    assert events["health"]["reset"] == "watchdog"


def test_a_wrong_part_is_named(folder):
    board = _chip(folder, {"parts": [{"part": "flux"}]})
    try:
        board.begin({}, {}, True)
        told = ""
    except KeyError as fault:
        told = str(fault)
    assert "flux" in told


def test_the_clock_of_tls_and_the_battery(folder):
    board = _chip(folder, {"parts": [{"part": "battery", "pin": 1, "empty": 20000, "full": 40000}]})
    board.begin({}, {}, True)
    assert board.battery() == 50
    Rtc.stood = None
    board.set_clock(1577836800000, False)  # this machine's clock is past that
    assert Rtc.stood is None
    board.set_clock(1782864061000, True)
    assert Rtc.stood == (2026, 7, 1, 2, 0, 1, 1, 0)


def test_a_door_wakes_by_contact_bolt_and_tilt(folder):
    wiring = {
        "parts": [
            {"part": "contact", "ch": "c1", "pin": 4},
            {"part": "lock", "ch": "k1", "pin": 6},
            {"part": "tilt", "pin": 21},
        ]
    }
    import firmware.board_chip as chip

    slept = []

    class Sys:
        platform = "esp32"

    class Esp32:
        WAKEUP_ALL_LOW, WAKEUP_ANY_HIGH = False, True

        @staticmethod
        def wake_on_ext0(pin, level):
            slept.append(("ext0", pin.number, level))

        @staticmethod
        def wake_on_ext1(pins, level):
            slept.append(("ext1", sorted(pin.number for pin in pins), level))

    Machine.deepsleep = staticmethod(slept.append)
    sys.modules["esp32"] = Esp32
    real, chip.sys = chip.sys, Sys
    try:
        for open_, unlocked, told in (
            (0, 0, [("ext1", [4, 6, 21], True), 43200000]),
            (0, 1, [("ext0", 6, False), ("ext1", [4, 21], True), 43200000]),
            (1, 0, [("ext0", 4, False), ("ext1", [6, 21], True), 43200000]),
            (1, 1, []),  # two could fall: it stays awake
        ):
            Pin.levels = {4: open_, 6: unlocked, 21: 0}
            board = _chip(folder, wiring)
            board.begin({}, {}, True)
            slept.clear()
            board.doze()
            assert slept == told, (open_, unlocked, slept)
    finally:
        chip.sys = real
        del sys.modules["esp32"]


def test_a_broker_that_moved_is_looked_up_again(folder):
    board = _chip(folder, WIRING)
    asked = []

    class Setup:
        host, port, tls = "broker.hall", 9, None

    def found(host, port):
        asked.append(host)
        return [(0, 0, 0, "", ("127.0.0.1", 9))]

    class Streams:
        up = True

        @staticmethod
        async def open_connection(address, port):
            if not Streams.up:
                raise OSError(113)
            return address, port

    import firmware.board_chip as chip

    real, chip.asyncio = chip.asyncio, Streams
    kept = sys.modules.get("socket")  # MicroPython has it built in
    sys.modules["socket"] = type("S", (), {"getaddrinfo": staticmethod(found)})
    try:
        for up in (True, True, False, True, True):
            Streams.up = up
            try:
                assert asyncio.run(board.dial(Setup)) == ("127.0.0.1", 9)
            except OSError:
                assert not up
    finally:
        chip.asyncio = real
        del sys.modules["socket"]
        if kept:
            sys.modules["socket"] = kept
    assert len(asked) == 2


def test_a_contact_wakes_on_the_other_level_than_was_told(_):
    level = [0]
    contact = parts.Contact("contact", lambda: level[0], {"ch": "c1"}, "open", 1, wake=4)
    assert contact.level() == 0
    assert contact.poll(0) == [{"ch": "c1", "open": False}]
    level[0] = 1  # between the last poll and the sleep
    assert contact.level() == 0
    assert contact.poll(10) == []
    assert contact.poll(39) == []
    assert contact.poll(40) == [{"ch": "c1", "open": True}]
    assert contact.level() == 1
