"""Which pin is what on the two boards that are described: the pin map of docs/boards.md, and the
board.json that `hallkeeper provision --board` writes for a device."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from gateway.errors import InputFault

FILL_IN = "FILL IN"  # the Wi-Fi is known where the device is installed


@dataclass(frozen=True, slots=True)
class Pins:
    """A board's GPIO numbers by what hangs on them; where there are several, in order."""

    i2c: tuple[int, int]  # SDA, SCL of bus 0
    uart: tuple[int, int]  # TX, RX of line 1
    keys: tuple[int, int, int]  # 74HC165: load, clock, data
    lamp: int
    buzzer: int
    tilt: int
    contacts: tuple[int, ...]
    locks: tuple[int, ...]
    relays: tuple[int, ...]
    feedback: tuple[int, ...]
    detectors: tuple[int, ...]
    infrared: tuple[int, int, int]  # sender, receiver, running contact
    battery: int


# ESP32-S3: 0, 3, 45, 46 strap the boot, 19 and 20 are USB, 26–37 may be flash and PSRAM. Only
# 0–21 wake it from deep sleep. Pico W: 23–25 and 29 belong to its radio.
PINS = {
    "esp32-s3": Pins(
        i2c=(8, 9),
        uart=(17, 18),
        keys=(10, 11, 12),
        lamp=13,
        buzzer=14,
        tilt=21,
        contacts=(4, 5),
        locks=(6, 7),
        relays=(38, 39, 40, 41, 42, 47, 48, 2),
        feedback=(4, 5, 6, 7, 10, 11, 12, 15),
        detectors=(1, 16, 8, 9),
        infrared=(4, 5, 6),
        battery=1,
    ),
    "pico-w": Pins(
        i2c=(0, 1),
        uart=(4, 5),
        keys=(10, 11, 12),
        lamp=13,
        buzzer=14,
        tilt=15,
        contacts=(2, 3),
        locks=(6, 7),
        relays=(16, 17, 18, 19, 20, 21, 22, 26),
        feedback=(2, 3, 6, 7, 8, 9, 10, 11),
        detectors=(27, 28, 0, 1),
        infrared=(2, 3, 6),
        battery=26,
    ),
}
_BUSES = {
    "rating-pad": ("i2c",),
    "room-sensor": ("i2c", "uart"),
    "power-meter": ("uart",),
    "patrol-reader": ("i2c",),
    "duty-panel": ("i2c",),
}
_BAUD = {"room-sensor": 256000, "power-meter": 9600}
_DISPLAY = {"part": "ssd1306", "bus": "0"}
_READER = {"part": "pn532", "bus": "0"}


def board_json(board: str, kind: str, setup: dict[str, Any]) -> dict[str, Any]:
    """The content of board.json for one device: `setup` as in setup.json.

    Raises InputFault for an unknown board, or for more channels than the map has pins.
    """
    if board not in PINS:
        raise InputFault(f"--board {board}: want one of {', '.join(PINS)}")
    pins = PINS[board]
    made: dict[str, Any] = {
        "board": board,
        "wifi": {"ssid": FILL_IN, "key": FILL_IN, "country": "CN"},
    }
    buses = _BUSES.get(kind, ())
    if "i2c" in buses:
        made["i2c"] = {"0": {"sda": pins.i2c[0], "scl": pins.i2c[1]}}
    if "uart" in buses:
        made["uart"] = {"1": {"tx": pins.uart[0], "rx": pins.uart[1], "baud": _BAUD[kind]}}
    made["parts"] = [*_fixed(kind, pins), *_channels(kind, pins, setup)]
    if setup.get("battery"):
        made["parts"].append(
            {"part": "battery", "pin": pins.battery, "empty": 20000, "full": 40000}
        )
    return made


def channels(made: dict[str, Any]) -> set[str]:
    """Every channel that a board.json serves. Raises KeyError, TypeError."""
    parts = made["parts"]
    told = {str(part["ch"]) for part in parts if "ch" in part}
    return told | {str(ch) for part in parts for ch in part.get("meters", {})}


def _fixed(kind: str, pins: Pins) -> Iterator[dict[str, Any]]:
    """What every device of a kind has."""
    yield {"part": "tilt", "pin": pins.tilt}
    load, clock, data = pins.keys
    register = {"part": "hc165", "load": load, "clock": clock, "data": data}
    if kind == "rating-pad":
        yield {**register, "keys": [{"press": level} for level in (5, 4, 3, 2, 1)]}
    if kind == "duty-panel":
        yield {**register, "keys": [{"button": name} for name in ("ack", "help", "extend")]}
    if kind in ("rating-pad", "duty-panel"):
        yield dict(_DISPLAY)
    if kind in ("rating-pad", "duty-panel", "patrol-reader"):
        yield dict(_READER)
        yield {"part": "lamp", "pin": pins.lamp}
        yield {"part": "buzzer", "pin": pins.buzzer}


def _channels(kind: str, pins: Pins, setup: dict[str, Any]) -> Iterator[dict[str, Any]]:
    channels: dict[str, str] = setup["channels"]
    by: dict[str, list[str]] = {}
    for ch in sorted(channels):
        by.setdefault(channels[ch], []).append(ch)
    for ch, pin in _placed(by, "contact", pins.contacts):
        yield {"part": "contact", "ch": ch, "pin": pin}
    for ch, pin in _placed(by, "lock", pins.locks):
        yield {"part": "lock", "ch": ch, "pin": pin}
    relays = dict(_placed(by, "relay", pins.relays))
    for (ch, pin), feedback in zip(relays.items(), pins.feedback, strict=False):
        yield {"part": "relay", "ch": ch, "pin": pin, "feedback": feedback}
    for ch, pin in _placed(by, "detector", pins.detectors):
        yield {"part": "detector", "ch": ch, "what": "heat", "pin": pin}
    if by.get("power"):
        meters = {ch: at + 1 for at, ch in enumerate(by["power"])}
        yield {"part": "pzem004t", "bus": "1", "meters": meters}
    for ch, _ in _placed(by, "presence", (0,) if kind == "room-sensor" else ()):
        yield {"part": "ld2410", "ch": ch, "bus": "1"}
    for ch, _ in _placed(by, "lux", (0,)):
        yield {"part": "bh1750", "ch": ch, "bus": "0"}
    for ch, _ in _placed(by, "climate", (0,)):
        yield {"part": "sht3x", "ch": ch, "bus": "0"}
    send, receive, running = pins.infrared
    for ch, _ in _placed(by, "ac", (send,)):
        yield {"part": "ir", "ch": ch, "pin": send, "make": "gree", "receiver": receive}
        yield {"part": "running", "ch": ch, "pin": running}


def _placed(
    by: dict[str, list[str]], what: str, pins: tuple[int, ...]
) -> Iterator[tuple[str, int]]:
    found = by.get(what, [])
    if len(found) > len(pins):
        raise InputFault(
            f"{len(found)} {what} channels ({', '.join(found)}), but the pin map has room for"
            f" {len(pins)}: use a second device, or write board.json by hand"
        )
    yield from zip(found, pins, strict=False)
