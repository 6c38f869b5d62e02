"""Makes signed updates on either runtime, from the firmware's own curve (RFC 8032, 5.1.5–5.1.6)."""

import binascii
import hashlib
import json

from firmware import ed25519

SECRET = bytes(range(32))
_L = 2**252 + 27742317777372353535851937790883648493
_P = 2**255 - 19
FILES = {
    "firmware/main.mpy": b"M" * 700,
    "firmware/kinds/pad.mpy": b"k" * 1500,
    "firmware/font.bin": b"HKF1" + bytes(range(200)),
    "boot.py": b"x",
}


def _packed(point):
    turn = pow(point[2], _P - 2, _P)
    x, y = point[0] * turn % _P, point[1] * turn % _P
    return (y | (x & 1) << 255).to_bytes(32, "little")


def _scalar(secret):
    digest = ed25519.sha512(secret)
    number = int.from_bytes(digest[:32], "little")
    return number & ((1 << 254) - 8) | 1 << 254, digest[32:]


def public(secret=SECRET):
    return _packed(ed25519.times(_scalar(secret)[0], ed25519.base()))


def sign(message, secret=SECRET):
    a, prefix = _scalar(secret)
    key = _packed(ed25519.times(a, ed25519.base()))
    r = int.from_bytes(ed25519.sha512(prefix + message), "little") % _L
    point = _packed(ed25519.times(r, ed25519.base()))
    k = int.from_bytes(ed25519.sha512(point + key + message), "little") % _L
    return point + ((r + k * a) % _L).to_bytes(32, "little")


def update(version="1.1.0", board="esp32", secret=SECRET, files=None):
    """(manifest bytes, signature)"""
    listed = {}
    for name, data in (files or FILES).items():
        digest = binascii.hexlify(hashlib.sha256(data).digest()).decode()
        listed[name] = [len(data), digest]
    raw = json.dumps({"version": version, "board": board, "files": listed}).encode()
    return raw, sign(hashlib.sha256(raw).digest(), secret)
