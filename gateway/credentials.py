"""Devices' credentials in the data directory: one small file a device, read afresh at each login.

Files, not rows: `hallkeeper provision` may write one while the gateway runs, and needs no lock.
The secret is 32 random bytes, so a plain SHA-256 of it is as good as a slow hash and lets hundreds
of devices log in at once after a power cut.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import os
import secrets
from dataclasses import dataclass, replace
from pathlib import Path

FOLDER = "credentials"


@dataclass(frozen=True, slots=True)
class Credential:
    """What the gateway keeps of a device's credentials: never the password itself."""

    device: str
    client_id: str
    digest: str  # SHA-256 of the password, hex; empty where a certificate stands for it
    certificate: str = ""  # SHA-256 of the device's certificate, hex
    expires: int | None = None  # Unix ms after which that certificate is worth nothing
    former: str = ""  # SHA-256 of the one it renews, good until the new one has been shown


def make(device: str) -> tuple[Credential, str]:
    """A new credential and its password."""
    password = secrets.token_urlsafe(32)
    client_id = f"{device}-{secrets.token_hex(4)}"
    return Credential(device, client_id, _digest(password)), password


def certified(device: str, fingerprint: str, expires: int) -> Credential:
    """A new credential of a device that shows a certificate (its SHA-256, hex; Unix ms)."""
    return Credential(device, f"{device}-{secrets.token_hex(4)}", "", fingerprint, expires)


def renewed(before: Credential, fingerprint: str, expires: int) -> Credential:
    """The same device with a new certificate: the one that it shows today stays good beside it."""
    return replace(before, certificate=fingerprint, expires=expires, former=before.certificate)


def settle(data: Path, seen: Credential) -> None:
    """A renewed certificate has been shown: the former one is void from now on. Raises OSError."""
    if load(data, seen.device) == seen:
        save(data, replace(seen, former=""))


def save(data: Path, credential: Credential) -> None:
    """Put it in force: the former one of that device is void from now on. Raises OSError."""
    text = json.dumps(
        {
            "device": credential.device,
            "client_id": credential.client_id,
            "sha256": credential.digest,
            "certificate": credential.certificate,
            "expires": credential.expires,
            "former": credential.former,
        }
    )
    write_private(data / FOLDER / f"{credential.device}.json", text)


def load(data: Path, device: str) -> Credential | None:
    """The credential in force; None where there is none or its file is damaged."""
    try:
        raw = json.loads((data / FOLDER / f"{device}.json").read_text(encoding="utf-8"))
        return Credential(
            *(str(raw["device"]), str(raw["client_id"]), str(raw["sha256"])),
            str(raw.get("certificate", "")),
            None if raw.get("expires") is None else int(raw["expires"]),
            str(raw.get("former", "")),
        )
    except (OSError, ValueError, KeyError, TypeError):
        return None


def matches(credential: Credential, password: str) -> bool:
    """Whether this is its password; takes the same time either way."""
    digest = _digest(password)
    return bool(credential.digest) and hmac.compare_digest(credential.digest, digest)


def write_private(path: Path, text: str) -> None:
    """Write a file whole or not at all, readable by its owner only. Raises OSError."""
    write_private_bytes(path, text.encode())


def write_private_bytes(path: Path, data: bytes) -> None:
    """As `write_private`, of bytes. Raises OSError."""
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    part = path.with_name(f".{path.name}.{secrets.token_hex(4)}")
    handle = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        part.replace(path)
    except OSError:
        part.unlink(missing_ok=True)
        raise


def _digest(password: str) -> str:
    return hashlib.sha256(password.encode()).hexdigest()
