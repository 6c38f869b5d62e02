"""The wiring picture of each kind, drawn from the pin map that board.json is made of.

`python -m gateway.drawing docs/wiring` writes them all; a test draws them again and compares.
Boards stand on the left with the pins of both, parts on the right, and whatever touches mains
behind a dashed line that only a licensed electrician crosses.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from dataclasses import dataclass
from html import escape
from pathlib import Path
from typing import Any

from gateway import wiring

ESP, PICO = "esp32-s3", "pico-w"
ROW, PAD, GAP = 24, 10, 14
LEFT, BOARD_W, PART_X, PART_W, MAINS_X, MAINS_W = 24, 250, 520, 290, 880, 300
SIGNAL, FIVE, MAINS = "#1f5fa8", "#8a4b08", "#c62828"

# As many channels of each kind as the pin map has room for.
FULL: dict[str, dict[str, Any]] = {
    "rating-pad": {},
    "opening-sensor": {"c": ("contact", 2), "l": ("lock", 2), "battery": True},
    "room-sensor": {"p": ("presence", 1), "x": ("lux", 1), "t": ("climate", 1)},
    "power-meter": {"c": ("power", 8), "r": ("relay", 8), "d": ("detector", 4)},
    "ac-controller": {"a": ("ac", 1)},
    "patrol-reader": {},
    "duty-panel": {},
}
KINDS = {
    "rating-pad": "评价器 rating pad",
    "opening-sensor": "门窗传感器 opening sensor",
    "room-sensor": "环境传感器 room sensor",
    "power-meter": "电表与开关 power meter",
    "ac-controller": "空调控制器 AC controller",
    "patrol-reader": "巡查读卡器 patrol reader",
    "duty-panel": "值班面板 duty panel",
}
# part: its name, its supply, what is behind the dashed line (if anything)
PARTS: dict[str, tuple[str, str, str]] = {
    "tilt": ("倾斜或拔出触点 tilt or unplug contact", "GND", ""),
    "hc165": ("按键移位寄存器 74HC165, keys to GND", "3V3 · GND", ""),
    "ssd1306": ("显示屏 SSD1306 display", "3V3 · GND", ""),
    "pn532": ("读卡器 PN532 card reader", "3V3 · GND", ""),
    "lamp": ("指示灯，经晶体管 lamp, by transistor", "5V · GND", ""),
    "buzzer": ("蜂鸣器，经晶体管 buzzer, by transistor", "5V · GND", ""),
    "contact": ("门磁 reed contact", "GND · 1 MΩ ↑ 3V3", ""),
    "lock": ("锁舌触点 bolt contact", "GND · 1 MΩ ↑ 3V3", ""),
    "battery": ("电池分压 battery divider", "≤ 3V3 · GND", ""),
    "ld2410": ("毫米波雷达 LD2410 radar", "5V · GND", ""),
    "bh1750": ("照度 BH1750, facing outward", "3V3 · GND", ""),
    "sht3x": ("温湿度 SHT3x", "3V3 · GND", ""),
    "pzem004t": (
        "电表 PZEM-004T v3 × 8 (1–8)",
        "5V · GND · RX 5→3.3V",
        "L, N 与互感器 L, N and current transformers",
    ),
    "relay": ("继电器模块 relay module", "5V · GND", "接触器线圈 {ch} contactor coil, NC, rated"),
    "detector": ("火花/烟/热触点 spark, smoke or heat contact", "GND", ""),
    "ir": ("红外 940 nm LED, 38 kHz receiver", "5V · 3V3 · GND", ""),
    "running": ("运行触点 running contact", "GND", "空调进线钳 clamp on the AC's supply"),
}
AUX = "AUX"
_SIGNALS = ("pin", "load", "clock", "data", "receiver", "feedback")
_NAMES = {"pin": "", "receiver": "RX", "feedback": AUX}
_FIVE_VOLTS = ("lamp", "buzzer", "ld2410", "pzem004t", "relay", "ir")


@dataclass(frozen=True, slots=True)
class Wire:
    """A signal and its pin on each board."""

    name: str
    esp: int
    pico: int


@dataclass(frozen=True, slots=True)
class Part:
    """A part as it is drawn."""

    name: str
    channel: str
    wires: tuple[Wire, ...]


def setup(kind: str) -> dict[str, Any]:
    """setup.json of a device of this kind that uses every pin it can have."""
    many = FULL[kind]
    channels = {
        f"{letter}{n}": what
        for letter, (what, count) in ((k, v) for k, v in many.items() if k != "battery")
        for n in range(1, count + 1)
    }
    return {"channels": channels, "battery": bool(many.get("battery"))}


def parts(kind: str) -> list[Part]:
    """What hangs on a board of this kind, with the pins of both boards."""
    esp, pico = (wiring.board_json(board, kind, setup(kind)) for board in (ESP, PICO))
    made = []
    for one, other in zip(esp["parts"], pico["parts"], strict=True):
        wires = [
            Wire(_NAMES.get(name, name.upper()), one[name], other[name])
            for name in _SIGNALS
            if name in one
        ]
        if "bus" in one:
            bus = "i2c" if one["bus"] in esp.get("i2c", {}) else "uart"
            names = ("sda", "scl") if bus == "i2c" else ("tx", "rx")
            a, b = esp[bus][one["bus"]], pico[bus][other["bus"]]
            wires += [Wire(name.upper(), a[name], b[name]) for name in names]
        made.append(Part(one["part"], str(one.get("ch", "")), tuple(wires)))
    return made


def picture(kind: str) -> str:
    """The SVG of one kind."""
    every = parts(kind)
    tall = sum(len(part.wires) * ROW + PAD * 2 + GAP for part in every)
    top = 116
    height = top + tall + 74
    dangerous = any(PARTS[part.name][2] for part in every)
    width = MAINS_X + MAINS_W + 24 if dangerous else PART_X + PART_W + 24
    lines = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" width="{width}"'
        f' height="{height}" font-family="Noto Sans CJK SC,PingFang SC,Microsoft YaHei,sans-serif"'
        ' font-size="13" fill="#1b2126">',
        f'<rect width="{width}" height="{height}" fill="#fff"/>',
        _text(LEFT, 38, KINDS[kind], size=20, bold=True),
        *_legend(dangerous),
        f'<rect x="{LEFT}" y="{top - 32}" width="{BOARD_W}" height="{tall + 32}" rx="8"'
        ' fill="#f6f7f8" stroke="#55606a"/>',
        _text(LEFT + 96, top - 12, "ESP32-S3 GPIO", size=12, end=True),
        _text(LEFT + BOARD_W - 12, top - 12, "Pico W GP", size=12, end=True),
    ]
    if dangerous:
        lines += [
            f'<rect x="{MAINS_X}" y="{top - 32}" width="{MAINS_W}" height="{tall + 32}" rx="8"'
            f' fill="#fff6f5" stroke="{MAINS}" stroke-width="2" stroke-dasharray="8 5"/>',
            _text(
                MAINS_X + 14,
                top - 12,
                "⚠ 仅限持证电工 licensed electrician only",
                color=MAINS,
                bold=True,
            ),
        ]
    y = top
    for part in every:
        lines += _part(part, y)
        y += len(part.wires) * ROW + PAD * 2 + GAP
    lines += [
        _text(LEFT, height - 40, "每个部件另接电源与地，见框内第二行；所有 GND 相连。", size=12),
        _text(
            *(LEFT, height - 20),
            "Each part also has the supply named in its box; all GND are joined.",
            size=12,
        ),
    ]
    return "\n".join([*lines, "</svg>"]) + "\n"


def _legend(dangerous: bool) -> Iterator[str]:
    told = [(SIGNAL, "3.3 V 信号 signal"), (FIVE, "3.3 V 信号，5 V 供电 signal, 5 V supply")]
    told += [(MAINS, "220 V")] if dangerous else []
    x = LEFT
    for color, text in told:
        yield f'<path d="M{x} 58h28" stroke="{color}" stroke-width="3"/>'
        yield _text(x + 36, 62, text, size=12)
        x += 60 + 10 * len(text)


def _part(part: Part, y: int) -> Iterator[str]:
    name, supply, mains = PARTS[part.name]
    rows = [wire for wire in part.wires if wire.name != AUX]
    tall = len(rows) * ROW + PAD * 2 - (PAD if len(rows) < len(part.wires) else 0)
    five = part.name in _FIVE_VOLTS
    yield (
        f'<rect x="{PART_X}" y="{y}" width="{PART_W}" height="{tall}" rx="6" fill="#fff"'
        ' stroke="#55606a"/>'
    )
    middle = y + tall / 2
    label = f"{name} {part.channel}".strip()
    yield _text(PART_X + 12, middle - 3, label, size=12, bold=True)
    yield _text(PART_X + 12, middle + 13, supply, size=11, color=FIVE if five else "#55606a")
    for n, wire in enumerate(part.wires):
        at = y + PAD + n * ROW + ROW / 2
        right, color = PART_X, FIVE if five else SIGNAL
        if wire.name == AUX:  # dry, from the contactor and past the relay
            right, color = MAINS_X + 6, SIGNAL
            yield _text(MAINS_X + 14, at + 4, "辅助触点，无源 auxiliary contact, dry", size=12)
        yield f'<path d="M{LEFT + BOARD_W} {at}H{right}" stroke="{color}" stroke-width="2"/>'
        yield f'<circle cx="{LEFT + BOARD_W}" cy="{at}" r="4" fill="{color}"/>'
        yield _text(LEFT + 96, at + 4, str(wire.esp), end=True, bold=True)
        yield _text(LEFT + BOARD_W - 12, at + 4, str(wire.pico), end=True, bold=True)
        if wire.name:
            yield _text(LEFT + BOARD_W + 12, at - 5, wire.name, size=11, color="#55606a")
    if mains:
        yield _text(MAINS_X + 14, middle + 4, mains.format(ch=part.channel), size=12)
        color = MAINS if part.name != "running" else SIGNAL
        yield (
            f'<path d="M{PART_X + PART_W} {middle}H{MAINS_X + 6}" stroke="{color}"'
            ' stroke-width="2"/>'
        )


def _text(
    x: float,
    y: float,
    text: str,
    *,
    size: int = 13,
    color: str = "#1b2126",
    bold: bool = False,
    end: bool = False,
) -> str:
    more = ' font-weight="600"' if bold else ""
    more += ' text-anchor="end"' if end else ""
    return (
        f'<text x="{x:g}" y="{y:g}" font-size="{size}" fill="{color}"{more}>{escape(text)}</text>'
    )


def write(folder: Path) -> None:
    """Every kind's picture into a folder."""
    folder.mkdir(parents=True, exist_ok=True)
    for kind in KINDS:
        (folder / f"{kind}.svg").write_text(picture(kind), encoding="utf-8")


if __name__ == "__main__":
    write(Path(sys.argv[1]))
