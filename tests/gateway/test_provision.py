"""`hallkeeper provision --board`: a flash that the firmware accepts, and a label to be read."""

from __future__ import annotations

import json
import os
import sys
import tomllib
import types
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest

from firmware import config, factory
from gateway import credentials, drawing, flashing, wiring
from gateway.errors import InputFault
from gateway.fittings import setup_of
from tests.journey.hall import SITE, ran

DEVICES = [entry["id"] for entry in tomllib.loads(SITE.read_text())["device"]]


class Bench:
    """A board whose pins are handed out once: two parts may share a bus, never a pin."""

    folder = "/nowhere"

    def __init__(self, wired: dict[str, Any]) -> None:
        self.used: list[int] = []
        for bus in wired.get("i2c", {}).values():
            self.used += [bus["sda"], bus["scl"]]
        for bus in wired.get("uart", {}).values():
            self.used += [bus["tx"], bus["rx"]]
        self.buses = {*wired.get("i2c", {}), *wired.get("uart", {})}

    def _take(self, pin: int, *_: object) -> Any:
        self.used.append(pin)
        return lambda *_: 0

    pin_in = pin_out = adc = tone = pulses = heard = _take

    def i2c(self, bus: str) -> Any:
        assert bus in self.buses
        return object()

    uart = i2c

    def real_ms(self) -> int:
        return 0


@pytest.mark.parametrize("board", sorted(wiring.PINS))
@pytest.mark.parametrize("device", DEVICES)
def test_every_device_of_the_site_has_its_pins(device: str, board: str) -> None:
    setup = setup_of(SITE, device)
    wired = wiring.board_json(board, setup["kind"], setup)
    bench = Bench(wired)
    for part in wired["parts"]:
        factory.make(part, bench, True)
    assert len(bench.used) == len(set(bench.used)), bench.used
    told = {part.get("ch") for part in wired["parts"]} | {
        ch for part in wired["parts"] for ch in part.get("meters", {})
    }
    assert set(setup["channels"]) <= told


def test_a_full_power_meter_fits_and_one_more_circuit_is_told() -> None:
    channels = {f"c{n}": "power" for n in range(1, 9)} | {f"r{n}": "relay" for n in range(1, 9)}
    for board in wiring.PINS:
        bench = Bench(made := wiring.board_json(board, "power-meter", {"channels": channels}))
        for part in made["parts"]:
            factory.make(part, bench, True)
        assert len(bench.used) == len(set(bench.used))
        with pytest.raises(InputFault, match="second device"):
            wiring.board_json(board, "power-meter", {"channels": channels | {"r9": "relay"}})


def test_the_flash_folder_and_the_label(tmp_path: Path) -> None:
    asked = ("provision", "pm-01", "--config", SITE, "--data", tmp_path / "data")
    out = tmp_path / "out"
    for nowhere in ((), ("--broker", "0.0.0.0:1883"), ("--broker", "localhost:1883")):
        told = ran(*asked, "--out", out, "--board", "esp32-s3", *nowhere)
        assert (told.returncode, "--broker HOST:1883" in told.stderr) == (1, True)
    asked = (*asked, "--broker", "192.168.7.1:8883")
    assert ran(*asked, "--out", out, "--board", "esp32-s3").returncode == 0
    flash = out / "flash"
    assert (flash / "a/firmware/kinds/power_meter.mpy").read_bytes()[:1] == b"M"
    assert not (flash / "a/firmware/board_host.mpy").exists()
    setup = config.load(str(flash))
    assert (setup.device, setup.kind) == ("pm-01", "power-meter")
    assert (setup.host, setup.port) == ("192.168.7.1", 8883)
    assert json.loads((flash / "board.json").read_text())["parts"]
    assert "pm-01" in (out / "label.svg").read_text()
    assert (flash / "device.json").stat().st_mode & 0o77 == 0

    kept = credentials.load(tmp_path / "data", "pm-01")
    refused = ran(*asked, "--out", out, "--board", "esp32-s3", "--flash", "/dev/null")
    assert (refused.returncode, "Wi-Fi" in refused.stderr) == (1, True)
    assert credentials.load(tmp_path / "data", "pm-01") == kept  # judged before it is void
    unknown = ran(*asked, "--out", out, "--board", "abacus")
    assert (unknown.returncode, unknown.stderr.count("\n")) == (1, 1)


COPIES = """\
#!/bin/sh
# as `mpremote connect PORT fs cp -r FILES… : + reset`, onto a folder
echo "$@" >> "$2.told"
port="$2"; shift 5
while [ "$1" != ":" ]; do cp -r "$1" "$port/"; shift; done
[ "$2 $3" = "+ reset" ]
"""


def test_the_journey_from_nothing_to_a_board_that_runs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As docs/boards.md tells it: make, fill in the Wi-Fi, copy; later renew the certificate."""
    tools, board, out = tmp_path / "bin", tmp_path / "board", tmp_path / "out"
    tools.mkdir()
    board.mkdir()
    (tools / "mpremote").write_text(COPIES)
    (tools / "mpremote").chmod(0o755)
    monkeypatch.setenv("PATH", f"{tools}:{os.environ['PATH']}")
    monkeypatch.setenv("HALLKEEPER_CA_PASSWORD", "a-passphrase-for-tests")
    assert ran("ca", "init", "--data", tmp_path / "data").returncode == 0
    asked = ("provision", "pad-w01", "--config", SITE, "--data", tmp_path / "data", "--out", out)
    asked = (*asked, "--broker", "hall-gateway:1883")
    assert ran(*asked, "--board", "pico-w").returncode == 0
    wired = out / "flash" / "board.json"
    wired.write_text(wired.read_text().replace(wiring.FILL_IN, "hall"))
    copied = ran(*asked, "--board", "pico-w", "--flash", board)
    assert copied.returncode == 0, copied.stderr
    assert json.loads((board / "board.json").read_text())["wifi"]["ssid"] == "hall"
    setup = config.load(str(board))
    assert (setup.device, setup.kind) == ("pad-w01", "rating-pad")
    assert (board / "cert.der").read_bytes() == (out / "cert.der").read_bytes()
    for name in (
        "main.py",
        "slots.py",
        "slot",
        "setup.json",
        "ca.der",
        "key.der",
        "a/firmware",
        "font.bin",
    ):
        assert (board / name).exists(), name

    other = ran(*asked, "--board", "esp32-s3")
    assert (other.returncode, "another board" in other.stderr) == (1, True)

    (board / "log").write_text("what the device still holds")
    renewed = ran(*asked, "--renew", "--flash", board)
    assert renewed.returncode == 0, renewed.stderr
    assert (board / "cert.der").read_bytes() == (out / "cert.der").read_bytes()
    assert (board / "log").exists()
    copied_last = (tmp_path / "board.told").read_text().splitlines()[-1]
    assert sorted(Path(p).name for p in copied_last.split() if p.endswith(".der")) == [
        "ca.der",
        "cert.der",
        "key.der",
    ]
    assert "device.json" not in copied_last


class _Reset(BaseException):
    pass


@pytest.mark.parametrize("trial", [True, False])
def test_a_trial_that_raises_resets_and_anything_else_is_for_whoever_commissions_it(
    trial: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    def raises(*_: object) -> None:
        raise OSError("this firmware does not start")

    def reset() -> None:
        raise _Reset

    fed: list[int] = []

    def watchdog(timeout: int) -> None:
        fed.append(timeout)

    slots = types.SimpleNamespace(boot=lambda: "b", trying=lambda: trial)
    machine = types.SimpleNamespace(reset=reset, WDT=watchdog)
    firmware = types.SimpleNamespace(board=types.SimpleNamespace(run=raises))
    monkeypatch.setitem(sys.modules, "slots", types.SimpleNamespace(Slots=lambda _: slots))
    monkeypatch.setitem(sys.modules, "machine", machine)
    monkeypatch.setitem(sys.modules, "firmware", firmware)
    monkeypatch.setattr(sys, "print_exception", lambda _: None, raising=False)
    monkeypatch.setattr(sys, "path", list(sys.path))
    with pytest.raises(_Reset if trial else OSError):
        exec(flashing.MAIN, {})
    assert fed == ([8300] if trial else [])


@pytest.mark.parametrize("kind", sorted(drawing.KINDS))
def test_the_wiring_picture_is_of_the_pin_map_in_force(kind: str) -> None:
    kept = SITE.parents[2] / "docs" / "wiring" / f"{kind}.svg"
    drawn = drawing.picture(kind)
    assert kept.read_text(encoding="utf-8") == drawn, "python -m gateway.drawing docs/wiring"
    told = [
        text.text or ""
        for text in ElementTree.fromstring(drawn).iter()
        if text.tag.endswith("}text")
    ]
    for board in wiring.PINS:
        bench = Bench(made := wiring.board_json(board, kind, drawing.setup(kind)))
        for part in made["parts"]:
            factory.make(part, bench, True)
        assert {str(pin) for pin in bench.used} <= set(told)
    mains = any("licensed electrician only" in text for text in told)
    assert mains is (kind in ("power-meter", "ac-controller"))


def test_the_pictures_use_every_pin_of_the_map() -> None:
    for board, pins in wiring.PINS.items():
        used: set[int] = set()
        for kind in drawing.KINDS:
            bench = Bench(made := wiring.board_json(board, kind, drawing.setup(kind)))
            for part in made["parts"]:
                factory.make(part, bench, True)
            used |= set(bench.used)
        every = {n for v in (getattr(pins, name) for name in pins.__slots__) for n in _each(v)}
        assert used == every


def _each(value: int | tuple[int, ...]) -> tuple[int, ...]:
    return (value,) if isinstance(value, int) else value


def test_the_pin_map_in_docs_is_the_one_in_force() -> None:
    text = (SITE.parents[2] / "docs" / "boards.md").read_text()
    for pins in wiring.PINS.values():
        for numbers in (pins.i2c, pins.relays, pins.feedback, pins.infrared, pins.keys):
            assert f"| {', '.join(map(str, numbers))} |" in text
