"""The hall's own certificate authority: `hallkeeper ca init`, and a certificate for each device.

EC P-256 throughout: it fits a small chip. The authority's key lies encrypted under a passphrase
that the gateway never needs: only `ca` and `provision` ask for it. Certificates begin at the
firmware's build, so that a device whose clock stands there accepts them, and end so many days after
they are made, at the latest with the authority itself.
"""

from __future__ import annotations

import getpass
import ipaddress
import os
import sys
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from firmware.config import BUILT
from gateway import crypto
from gateway.credentials import write_private
from gateway.errors import EnvironmentFault, InputFault

FOLDER = "ca"
NAME = "hallkeeper"  # every broker certificate bears it: devices need no address in theirs
ENV = "HALLKEEPER_CA_PASSWORD"
LEAST = 10  # characters of the passphrase
_BEGIN = datetime.fromtimestamp(BUILT / 1000, UTC) - timedelta(days=1)
DAYS = 20 * 365  # that a certificate lasts unless told otherwise
_CA_DAYS = 30 * 365


@dataclass(frozen=True, slots=True)
class Files:
    """Where a data directory keeps what its broker shows and trusts."""

    ca: Path
    cert: Path
    key: Path
    own_cert: Path
    own_key: Path


@dataclass(frozen=True, slots=True)
class Leaf:
    """A certificate with its private key, both PEM, its SHA-256 (hex) and its end (Unix ms)."""

    cert: str
    key: str
    fingerprint: str
    expires: int


@dataclass(frozen=True, slots=True)
class _Signer:
    """The authority with its key unlocked."""

    cert: crypto.x509.Certificate
    key: crypto.ec.EllipticCurvePrivateKey


def files(data: Path) -> Files | None:
    """The TLS files of this data directory; None where `ca init` has not been run."""
    folder = data / FOLDER
    found = Files(*(folder / f"{n}.pem" for n in ("ca", "broker", "broker-key", "own", "own-key")))
    return found if found.cert.exists() else None


def init(data: Path, names: list[str], now: int) -> None:
    """`ca init`: the authority, the broker's certificate for `names` (host names or addresses),
    and the gateway's own. `now` in Unix ms. Raises InputFault where there is one already."""
    folder = data / FOLDER
    if (folder / "ca.pem").exists():
        raise InputFault(
            f"{folder} holds an authority already; move it away to begin anew"
            " (every device must then be provisioned again)"
        )
    secret = passphrase("passphrase for the hall's authority: ", twice=True)
    key = crypto.ec.generate_private_key(crypto.ec.SECP256R1())
    subject = crypto.x509.Name(
        [crypto.x509.NameAttribute(crypto.oid.NameOID.COMMON_NAME, "Hallkeeper hall CA")]
    )
    cert = (
        _builder(subject, subject, key.public_key(), _instant(now) + timedelta(days=_CA_DAYS))
        .add_extension(crypto.x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(
            crypto.x509.KeyUsage(False, False, False, False, False, True, True, False, False),
            critical=True,
        )
        .sign(key, crypto.hashes.SHA256())
    )
    signer = _Signer(cert, key)
    try:
        write_private(
            folder / "ca-key.pem",
            _key_pem(key, crypto.serialization.BestAvailableEncryption(secret)),
        )
        write_private(
            folder / "ca.pem", cert.public_bytes(crypto.serialization.Encoding.PEM).decode()
        )
    except OSError as fault:
        raise EnvironmentFault(f"{folder}: cannot be written ({fault.strerror})") from fault
    _write_own(folder, signer, names, now, DAYS)
    print(
        f"{folder}: devices now connect by TLS; provision each one anew, then restart the gateway"
    )


def renew(data: Path, names: list[str], now: int, days: int = DAYS) -> None:
    """`ca renew`: the broker's certificate, for its former names and these, and the gateway's own,
    anew. Devices need nothing: they trust the authority. Raises InputFault."""
    folder = data / FOLDER
    signer = _signer(folder)
    _write_own(folder, signer, [*_names(folder / "broker.pem"), *names], now, days)
    print(f"{folder}: the broker and the gateway have new certificates; restart the gateway")


def _names(path: Path) -> list[str]:
    """What a certificate is good for; nothing where it is gone (`ca init` was killed) or damaged:
    then a new one for the names that every broker's has, and those asked for, mends it."""
    try:
        former = crypto.x509.load_pem_x509_certificate(path.read_bytes())
        held = former.extensions.get_extension_for_class(crypto.x509.SubjectAlternativeName).value
    except (OSError, ValueError, crypto.x509.ExtensionNotFound):
        return []
    known = [*held.get_values_for_type(crypto.x509.DNSName)]
    return known + [str(one) for one in held.get_values_for_type(crypto.x509.IPAddress)]


def _write_own(folder: Path, signer: _Signer, names: list[str], now: int, days: int) -> None:
    server = [NAME, "localhost", "127.0.0.1", *names]
    made = {
        "own": _leaf(signer, "gateway", now, days),
        "broker": _leaf(signer, NAME, now, days, server),
    }
    try:
        for name, leaf in made.items():
            write_private(folder / f"{name}-key.pem", leaf.key)
            write_private(folder / f"{name}.pem", leaf.cert)
    except OSError as fault:
        raise EnvironmentFault(f"{folder}: cannot be written ({fault.strerror})") from fault


def issue(data: Path, device: str, now: int, days: int = DAYS) -> Leaf:
    """A device's certificate and key, good for so many days from `now` (Unix ms). Raises InputFault
    for a wrong passphrase or damaged files."""
    return _leaf(_signer(data / FOLDER), device, now, days)


def _signer(folder: Path) -> _Signer:
    try:
        cert = crypto.x509.load_pem_x509_certificate((folder / "ca.pem").read_bytes())
        raw = (folder / "ca-key.pem").read_bytes()
    except FileNotFoundError:
        raise InputFault(f"{folder} holds no authority: hallkeeper ca init makes one") from None
    except (OSError, ValueError) as fault:
        raise InputFault(f"{folder}: the authority cannot be read ({fault})") from fault
    secret = passphrase("passphrase of the hall's authority: ")
    try:
        key = crypto.serialization.load_pem_private_key(raw, secret)
    except (ValueError, TypeError):
        raise InputFault("wrong passphrase for the hall's authority") from None
    if not isinstance(key, crypto.ec.EllipticCurvePrivateKey):
        raise InputFault(f"{folder / 'ca-key.pem'}: not a key that `ca init` made")
    return _Signer(cert, key)


def expiry(path: Path) -> int | None:
    """When the certificate in a PEM file ends, Unix ms; None where there is none to be read."""
    try:
        raw = path.read_bytes()
        cert = crypto.x509.load_pem_x509_certificate(raw)
    except (OSError, ValueError):
        return None
    return int(cert.not_valid_after_utc.timestamp() * 1000)


def shown(pem: str) -> tuple[str, str]:
    """(common name, SHA-256 hex) of a certificate in PEM. Raises ValueError for anything else."""
    cert = crypto.x509.load_pem_x509_certificate(pem.encode())
    names = cert.subject.get_attributes_for_oid(crypto.oid.NameOID.COMMON_NAME)
    return (str(names[0].value) if names else "", cert.fingerprint(crypto.hashes.SHA256()).hex())


def der(pem: str) -> bytes:
    """DER of a PEM certificate or private key: what a board's TLS reads."""
    if "PRIVATE KEY" in pem:
        key = crypto.serialization.load_pem_private_key(pem.encode(), None)
        return key.private_bytes(
            crypto.serialization.Encoding.DER,
            crypto.serialization.PrivateFormat.TraditionalOpenSSL,
            crypto.serialization.NoEncryption(),
        )
    return crypto.x509.load_pem_x509_certificate(pem.encode()).public_bytes(
        crypto.serialization.Encoding.DER
    )


def _leaf(signer: _Signer, name: str, now: int, days: int, server: list[str] | None = None) -> Leaf:
    key = crypto.ec.generate_private_key(crypto.ec.SECP256R1())
    subject = crypto.x509.Name([crypto.x509.NameAttribute(crypto.oid.NameOID.COMMON_NAME, name)])
    use = (
        crypto.oid.ExtendedKeyUsageOID.SERVER_AUTH
        if server
        else crypto.oid.ExtendedKeyUsageOID.CLIENT_AUTH
    )
    end = min(_instant(now) + timedelta(days=days), signer.cert.not_valid_after_utc)
    builder = _builder(subject, signer.cert.subject, key.public_key(), end).add_extension(
        crypto.x509.ExtendedKeyUsage([use]), critical=False
    )
    if server:
        names = crypto.x509.SubjectAlternativeName([_general(one) for one in dict.fromkeys(server)])
        builder = builder.add_extension(names, critical=False)
    cert = builder.sign(signer.key, crypto.hashes.SHA256())
    return Leaf(
        cert.public_bytes(crypto.serialization.Encoding.PEM).decode(),
        _key_pem(key, crypto.serialization.NoEncryption()),
        cert.fingerprint(crypto.hashes.SHA256()).hex(),
        int(end.timestamp() * 1000),
    )


def _instant(ms: int) -> datetime:
    """A whole second, never before a certificate can begin: a machine's clock may be unset."""
    return max(datetime.fromtimestamp(ms // 1000, UTC), _BEGIN)


def _builder(
    subject: crypto.x509.Name,
    issuer: crypto.x509.Name,
    key: crypto.ec.EllipticCurvePublicKey,
    end: datetime,
) -> crypto.x509.CertificateBuilder:
    return (
        crypto.x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key)
        .serial_number(crypto.x509.random_serial_number())
        .not_valid_before(_BEGIN)
        .not_valid_after(end)
    )


def _general(name: str) -> crypto.x509.GeneralName:
    try:
        return crypto.x509.IPAddress(ipaddress.ip_address(name))
    except ValueError:
        pass
    try:
        return crypto.x509.DNSName(name)
    except ValueError as fault:
        raise InputFault(f"--name {name!r} is no host name or address ({fault})") from fault


def _key_pem(
    key: crypto.ec.EllipticCurvePrivateKey,
    protection: crypto.serialization.KeySerializationEncryption,
) -> str:
    form = crypto.serialization.PrivateFormat.PKCS8
    return key.private_bytes(crypto.serialization.Encoding.PEM, form, protection).decode()


def passphrase(prompt: str, *, twice: bool = False, env: str = ENV) -> bytes:
    """From the environment (HALLKEEPER_CA_PASSWORD), or asked for. Raises InputFault."""
    text = os.environ.get(env)
    if text is None:
        if not sys.stdin.isatty():
            raise InputFault(f"set {env}, or run this at a terminal: a passphrase is asked for")
        text = getpass.getpass(prompt)
        if twice and text != getpass.getpass("once more: "):
            raise InputFault("the two passphrases differ")
    if twice and len(text) < LEAST:
        raise InputFault(f"the passphrase must have at least {LEAST} characters")
    return text.encode()
