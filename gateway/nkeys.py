"""The little of NATS's key and token formats that an authorization service needs.

An nkey is an Ed25519 public key in base32 with a prefix and a checksum; a token is a JWT signed
with it. Pure, apart from drawing a key.
"""

from __future__ import annotations

import base64
import hashlib
import json
from binascii import crc_hqx
from typing import Any

from gateway import crypto

_ACCOUNT = 0  # prefix byte: encodes to a leading "A"
_HEADER = {"typ": "JWT", "alg": "ed25519-nkey"}


class AccountKey:
    """A key that may issue users; `public` is its nkey."""

    def __init__(self) -> None:
        self._key = crypto.ed25519.Ed25519PrivateKey.generate()
        raw = bytes([_ACCOUNT]) + self._key.public_key().public_bytes_raw()
        self.public = _base32(raw + crc_hqx(raw, 0).to_bytes(2, "little"))

    def token(self, subject: str, audience: str, issued: int, claims: dict[str, Any]) -> str:
        """A signed JWT with `claims` as its `nats` part; `issued` in Unix seconds."""
        body: dict[str, Any] = {
            "iss": self.public,
            "sub": subject,
            "aud": audience,
            "iat": issued,
            "nats": claims,
        }
        body["jti"] = _base32(hashlib.sha256(_compact(body)).digest())
        signed = _base64(_compact(_HEADER)) + "." + _base64(_compact(body))
        return signed + "." + _base64(self._key.sign(signed.encode()))


def claims_of(token: bytes) -> dict[str, Any]:
    """The body of a JWT from the server over our own credentials; its signature is not checked."""
    body = token.split(b".")[1]
    decoded: dict[str, Any] = json.loads(base64.urlsafe_b64decode(body + b"=" * (-len(body) % 4)))
    return decoded


def _compact(value: dict[str, Any]) -> bytes:
    return json.dumps(value, separators=(",", ":")).encode()


def _base32(raw: bytes) -> str:
    return base64.b32encode(raw).decode().rstrip("=")


def _base64(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).decode().rstrip("=")
