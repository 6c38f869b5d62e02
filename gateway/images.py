"""Signed firmware: the key that signs, images of a version for a board, what one says of itself.

`hallkeeper firmware key` makes an Ed25519 key whose private half lies encrypted under a passphrase
that the gateway never needs; its public half goes into each device.json. `pack` compiles the
firmware and signs it. The format is that of `firmware/delivery.py`, which checks it again.
"""

from __future__ import annotations

import hashlib
import json
import re
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from firmware import manifest
from firmware.delivery import HEAD, MAGIC
from gateway import authority, crypto, flashing, wiring
from gateway.credentials import write_private, write_private_bytes
from gateway.errors import EnvironmentFault, InputFault

FOLDER = "firmware"  # in the data directory
IMAGES = "images"
SUFFIX = ".hkfw"
FONT = "font.bin"
HOST = "host"  # the board that `hallkeeper device` is
ENV = "HALLKEEPER_FIRMWARE_PASSWORD"
BOARDS = (*sorted(wiring.PINS), HOST)
_VERSION = re.compile(r'^VERSION = "([^"]+)"', re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Image:
    """One image; `digest` is its SHA-256 (hex), by which it is filed."""

    version: str
    board: str
    raw: bytes
    digest: str


def key(data: Path) -> None:
    """`firmware key`: make it in `data`. Raises InputFault where there is one already."""
    folder = data / FOLDER
    if (folder / "key.pem").exists():
        raise InputFault(
            f"{folder} holds a signing key already; devices that know it take no other's updates"
        )
    secret = authority.passphrase("passphrase for the signing key: ", twice=True, env=ENV)
    made = crypto.ed25519.Ed25519PrivateKey.generate()
    try:
        write_private(
            folder / "key.pem",
            made.private_bytes(
                crypto.serialization.Encoding.PEM,
                crypto.serialization.PrivateFormat.PKCS8,
                crypto.serialization.BestAvailableEncryption(secret),
            ).decode(),
        )
        public_pem = made.public_key().public_bytes(
            crypto.serialization.Encoding.PEM,
            crypto.serialization.PublicFormat.SubjectPublicKeyInfo,
        )
        write_private(folder / "public.pem", public_pem.decode())
    except OSError as fault:
        raise EnvironmentFault(f"{folder}: cannot be written ({fault.strerror})") from fault
    print(f"{folder}: devices that are provisioned from now on take updates signed by this key")


def public(data: Path) -> bytes | None:
    """The key by which devices check updates, 32 bytes; None before `firmware key`."""
    path = data / FOLDER / "public.pem"
    if not path.exists():
        return None
    try:
        found = crypto.serialization.load_pem_public_key(path.read_bytes())
    except (OSError, ValueError) as fault:
        raise InputFault(f"{path}: no public key ({fault})") from fault
    if not isinstance(found, crypto.ed25519.Ed25519PublicKey):
        raise InputFault(f"{path}: no Ed25519 key")
    return found.public_bytes(
        crypto.serialization.Encoding.Raw, crypto.serialization.PublicFormat.Raw
    )


def signer(data: Path) -> crypto.ed25519.Ed25519PrivateKey:
    """The signing key, its passphrase asked for. Raises InputFault."""
    path = data / FOLDER / "key.pem"
    try:
        raw = path.read_bytes()
    except OSError:
        raise InputFault(f"{path}: no signing key; `hallkeeper firmware key` makes one") from None
    secret = authority.passphrase("passphrase of the signing key: ", env=ENV)
    try:
        found = crypto.serialization.load_pem_private_key(raw, secret)
    except (ValueError, TypeError):
        raise InputFault("wrong passphrase for the signing key") from None
    if not isinstance(found, crypto.ed25519.Ed25519PrivateKey):
        raise InputFault(f"{path}: no Ed25519 key")
    return found


def pack(out: Path, board: str, data: Path, source: Path | None, *, font: bool = False) -> None:
    """`firmware pack`: compile, sign, write `out`, and file it with the gateway's data. `font`:
    with the displays' glyphs."""
    source = source or flashing.FIRMWARE
    if board not in BOARDS:
        raise InputFault(f"--board {board}: want one of {', '.join(BOARDS)}")
    version = version_of(source)
    files = built(source, board)
    if font:
        path = source / FONT
        try:
            files[f"firmware/{FONT}"] = path.read_bytes()
        except OSError as fault:
            raise InputFault(f"{path}: {fault.strerror}") from None
    made = packed(files, version, board, signer(data))
    try:
        out.write_bytes(made)
    except OSError as fault:
        raise EnvironmentFault(f"{out}: cannot be written ({fault.strerror})") from fault
    image = file(data, made)
    print(f"{out}: {version} for {board}, {len(files)} files, {len(made)} bytes, {image.digest}")


def version_of(source: Path) -> str:
    """The version that a firmware's `config.py` names. Raises InputFault."""
    path = source / "config.py"
    try:
        found = _VERSION.search(path.read_text(encoding="utf-8"))
    except OSError as fault:
        raise InputFault(f"{path}: {fault.strerror}") from None
    if found is None:
        raise InputFault(f"{path}: no VERSION")
    try:
        manifest.version(found[1])
    except manifest.Refused:
        raise InputFault(f"{path}: VERSION {found[1]!r} is not of the form 1.2.3") from None
    return found[1]


def built(source: Path, board: str) -> dict[str, bytes]:
    """The compiled firmware of a board: {"firmware/….mpy": bytes}."""
    without = (
        frozenset({"board_chip.py", "chip_io.py"}) if board == HOST else flashing.NOT_FOR_BOARDS
    )
    with tempfile.TemporaryDirectory() as folder:
        into = Path(folder) / "firmware"
        made = flashing.compiled(into, source, without)
        return {str(path.relative_to(folder)): path.read_bytes() for path in made}


def packed(
    files: Mapping[str, bytes], version: str, board: str, key: crypto.ed25519.Ed25519PrivateKey
) -> bytes:
    """The image of these files. Raises InputFault where a device would not take its manifest."""
    listed = {name: [len(raw), hashlib.sha256(raw).hexdigest()] for name, raw in files.items()}
    told = {"version": version, "board": board, "files": dict(sorted(listed.items()))}
    raw = json.dumps(told, separators=(",", ":")).encode()
    if len(raw) > manifest.MAX_BYTES or len(files) > manifest.MAX_FILES:
        raise InputFault(
            f"{len(files)} files, a manifest of {len(raw)} bytes: a device takes at most"
            f" {manifest.MAX_FILES} and {manifest.MAX_BYTES}"
        )
    signature = key.sign(hashlib.sha256(raw).digest())
    body = b"".join(files[name] for name in sorted(files))
    return MAGIC + len(raw).to_bytes(2, "big") + signature + raw + body


def parsed(raw: bytes, where: str) -> Image:
    """What an image says of itself. Raises InputFault where it is no whole one.

    Only the device judges the signature, the board and the version: its word is what counts.
    """
    length = int.from_bytes(raw[len(MAGIC) : len(MAGIC) + 2], "big")
    try:
        if not raw.startswith(MAGIC):
            raise ValueError
        told = json.loads(raw[HEAD : HEAD + length])
        sizes = [int(size) for size, _ in told["files"].values()]
        version, board = str(told["version"]), str(told["board"])
    except (ValueError, TypeError, KeyError, AttributeError):
        raise InputFault(f"{where}: no firmware image") from None
    whole = HEAD + length + sum(sizes)
    if len(raw) != whole:
        raise InputFault(f"{where}: {len(raw)} bytes, its manifest wants {whole}: truncated?")
    return Image(version, board, raw, hashlib.sha256(raw).hexdigest())


def signed_by(raw: bytes, public: bytes) -> bool:
    """Whether an image's manifest is signed by this key."""
    length = int.from_bytes(raw[len(MAGIC) : len(MAGIC) + 2], "big")
    told = raw[HEAD : HEAD + length]
    try:
        crypto.ed25519.Ed25519PublicKey.from_public_bytes(public).verify(
            raw[HEAD - 64 : HEAD], hashlib.sha256(told).digest()
        )
    except crypto.exceptions.InvalidSignature:
        return False
    return True


def file(data: Path, raw: bytes) -> Image:
    """Keep an image with the gateway's data, under its digest."""
    image = parsed(raw, "the image")
    path = kept_at(data, image.digest)
    try:
        if not path.exists():
            write_private_bytes(path, raw)
    except OSError as fault:
        raise EnvironmentFault(f"{path.parent}: cannot be written ({fault.strerror})") from fault
    return image


def kept_at(data: Path, digest: str) -> Path:
    """Where the image of that digest lies."""
    return data / FOLDER / IMAGES / f"{digest}{SUFFIX}"


def kept(data: Path) -> list[Image]:
    """Every whole image that is kept, by board and version."""
    found = []
    for path in sorted((data / FOLDER / IMAGES).glob(f"*{SUFFIX}")):
        try:
            found.append(parsed(path.read_bytes(), path.name))
        except (OSError, InputFault):
            continue  # damaged: it cannot be sent, so it is not offered
    return sorted(found, key=lambda image: (image.board, manifest.version(image.version)))
