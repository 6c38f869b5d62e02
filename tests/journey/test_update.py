"""Firmware through the gateway: a device takes a signed image, tries it, keeps it or goes back."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from gateway import images, updating
from gateway.errors import InputFault
from gateway.flashing import FIRMWARE
from tests.journey.hall import Device, Person, Serve, hallkeeper
from tests.waiting import wait_for

BEGIN = "2026-07-01T09:00:00+08:00"
SPEED = 60  # a minute of self-test is a second
FONT = b"HKF1\x00\x01\x00?" + bytes((8, *range(32)))  # one glyph
SECRET = {images.ENV: "a-passphrase-for-tests"}


def _ran(*arguments: object, timeout: float = 60) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        hallkeeper("firmware", *arguments),
        capture_output=True,
        text=True,
        check=False,
        timeout=timeout,
        env=os.environ | SECRET,
        stdin=subprocess.DEVNULL,
    )


def _packed(hall: Serve, version: str) -> Path:
    """An image of this firmware under another version."""
    source = hall.folder / f"source-{version}"
    shutil.copytree(FIRMWARE, source, ignore=shutil.ignore_patterns("__pycache__"))
    config = source / "config.py"
    config.write_text(config.read_text().replace('VERSION = "1.0.0"', f'VERSION = "{version}"'))
    (source / "font.bin").write_bytes(FONT)
    image = hall.folder / f"{version}.hkfw"
    told = _ran("pack", image, "--board", "host", "--data", hall.data, "--source", source, "--font")
    assert told.returncode == 0, told.stderr
    return image


def _made(hall: Serve, monkeypatch: pytest.MonkeyPatch, version: str, board: str) -> Path:
    """An image whose firmware crashes as it starts, signed by the hall's key."""
    monkeypatch.setenv(images.ENV, SECRET[images.ENV])
    folder = hall.folder / "crashing"
    folder.mkdir(exist_ok=True)
    (folder / "__init__.py").write_text("")
    (folder / "host.py").write_text("def run():\n    raise OSError(5)\n")
    files = images.built(folder, images.HOST)
    image = hall.folder / f"{version}-{board}.hkfw"
    image.write_bytes(images.packed(files, version, board, images.signer(hall.data)))
    return image


@pytest.fixture(scope="module")
def hall(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Serve]:
    folder = tmp_path_factory.mktemp("update")
    made = _ran("key", "--data", folder / "data")
    assert made.returncode == 0, made.stderr
    with Serve(folder, start=BEGIN, speed=SPEED) as gateway:
        yield gateway


@pytest.fixture(scope="module")
def newer(hall: Serve) -> Path:
    """An image of 1.1.0, kept with the gateway's data."""
    path = _packed(hall, "1.1.0")
    images.file(hall.data, path.read_bytes())
    return path


def _runs(person: Person, device: str, version: str) -> None:
    def it() -> bool:
        found = person.get(f"devices/{device}")
        return bool(found["state"] == "ready" and found["fw"] == version)

    wait_for(it, f"{device} to run {version}", timeout=30)


def test_a_pad_takes_the_new_one_and_goes_back_from_a_bad_one(
    hall: Serve,
    newer: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    person = Person(hall)
    with Device(hall, "pad-w01") as pad:
        _runs(person, "pad-w01", "1.0.0")
        told = _ran("send", "pad-w01", newer, "--data", hall.data)
        assert told.returncode == 0, told.stderr
        assert "good: the device runs it" in told.stdout
        _runs(person, "pad-w01", "1.1.0")
        kept = json.loads((hall.folder / "flash/pad-w01/slot").read_text())
        assert (kept["now"], kept["trial"]) == ("b", None)
        assert (hall.folder / "flash/pad-w01/b/firmware/font.bin").read_bytes() == FONT

        bad = _made(hall, monkeypatch, "1.2.0", "host")
        told = _ran("send", "pad-w01", bad, "--data", hall.data)
        assert told.returncode == 1
        assert "it did not pass its self-test: the device went back to 1.1.0" in told.stderr
        assert "Traceback" not in told.stderr
        _runs(person, "pad-w01", "1.1.0")
        pad.sees(press=5)
        wait_for(lambda: {"sound": "thanks"} in pad.did, "a device that works")

        foreign = _made(hall, monkeypatch, "1.3.0", "esp32-s3")
        for image, why in (
            (newer, "refused: not newer: 1.1.0"),
            (foreign, "refused: for another board: esp32-s3"),
        ):
            with pytest.raises(InputFault, match=why):
                updating.send("pad-w01", image, hall.data, wait=True)
        _runs(person, "pad-w01", "1.1.0")
    ends = [(u["version"], u["state"]) for u in person.items("firmware/updates?device=pad-w01")]
    assert ends == [
        ("1.3.0", "refused"),
        ("1.1.0", "refused"),
        ("1.2.0", "failed"),
        ("1.1.0", "done"),
    ]
    sent = hall.query(
        "SELECT who FROM audit WHERE what='firmware.send'"
        " AND json_extract(about, '$.device') = 'pad-w01'"
    )
    assert sent == [("hallkeeper firmware send",)] * 4
    updating.show(hall.data)
    assert "pad-w01  1.1.0  100 %  done" in capsys.readouterr().out


@pytest.mark.usefixtures("newer")
def test_over_http_and_killed_half_way(hall: Serve) -> None:
    """A device that dies in the middle begins anew, and takes it all the same."""
    person = Person(hall)
    image = next(i for i in person.items("firmware") if i["version"] == "1.1.0")
    sent = hall.query("SELECT id FROM firmware_update WHERE device='desk-01'")
    assert not sent
    with Device(hall, "desk-01") as desk:
        _runs(person, "desk-01", "1.0.0")
        booked = person.post("devices/desk-01/update", image=image["image"])
        assert booked["state"] in ("queued", "sending")
        ours = f"SELECT at, round, state FROM firmware_update WHERE id='{booked['id']}'"
        wait_for(lambda: hall.query(ours)[0][0] > 20_000, "a good part of it")
        assert desk.process is not None
        desk.process.kill()
    with Device(hall, "desk-01"):
        wait_for(lambda: hall.query(ours)[0][2] == "done", "the update", timeout=60)
        assert hall.query(ours)[0][1] == 1
        _runs(person, "desk-01", "1.1.0")
    who = hall.query("SELECT who FROM audit WHERE what='firmware.send' ORDER BY id DESC LIMIT 1")
    assert who == [("admin",)]


def test_what_the_commands_refuse(
    hall: Serve, newer: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    cut = tmp_path / "cut.hkfw"
    for raw, why in ((newer.read_bytes()[:-1], "truncated?"), (b"x" * 500, "no firmware image")):
        cut.write_bytes(raw)
        with pytest.raises(InputFault, match=re.escape(why)):
            updating.send("pad-w01", cut, hall.data, wait=False)
    with pytest.raises(InputFault, match="no device"):
        updating.send("nobody", newer, hall.data, wait=False)
    monkeypatch.setenv(images.ENV, "wrong")
    with pytest.raises(InputFault, match="already"):
        images.key(hall.data)
    with pytest.raises(InputFault, match="wrong passphrase"):
        images.signer(hall.data)
    with pytest.raises(InputFault, match="--board flux"):
        images.pack(tmp_path / "x", "flux", hall.data, None)
