"""Signed updates: cut at every flash operation; the curve against another implementation."""

from __future__ import annotations

import hashlib
import re
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from hypothesis import given, settings
from hypothesis import strategies as st

from firmware import ed25519
from tests import upython

HERE = Path(__file__).parent
ROOT = HERE.parents[1]


def _cuts(*mode: str) -> dict[str, int]:
    return upython.told(HERE / "update_cuts.py", *mode)


def test_cut_at_every_flash_operation() -> None:
    told = _cuts()
    assert told["cuts"] > 50
    assert (told["wrong"], told["unmountable"]) == (0, 0)
    assert told["old"] > 0
    assert told["new"] > 0


def test_the_harness_sees_a_slot_tried_too_early() -> None:
    assert _cuts("early")["wrong"] > 0


@settings(max_examples=25, deadline=None)
@given(secret=st.binary(min_size=32, max_size=32), message=st.binary(max_size=300))
def test_signatures_of_another_implementation(secret: bytes, message: bytes) -> None:
    key = Ed25519PrivateKey.from_private_bytes(secret)
    public = key.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)
    signature = key.sign(message)
    assert ed25519.sha512(message) == hashlib.sha512(message).digest()
    assert ed25519.verify(public, signature, message)
    assert not ed25519.verify(public, signature, message + b"x")


def test_registers_are_touched_by_the_board_and_by_pio_only() -> None:
    pattern = re.compile(r"^\s*(import|from) (machine|network|esp32|rp2)\b", re.MULTILINE)
    firmware = ROOT / "firmware"
    found = {
        p.relative_to(firmware).as_posix()
        for p in firmware.rglob("*.py")
        if pattern.search(p.read_text())
    }
    assert found == {"board_chip.py", "chip_io.py", "drivers/ir_pio.py"}
