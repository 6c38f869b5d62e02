"""What hangs on a device: its kind, its channels and which relay feeds which meter, straight from
the site file, without its other checks (a device on a workbench has no gateway)."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Any

from gateway.errors import InputFault


def setup_of(config: Path, device_id: str) -> dict[str, Any]:
    """setup.json of one device. Raises InputFault."""
    return setup(site_text(config), device_id)


def site_text(config: Path) -> dict[str, Any]:
    """The site file as TOML. Raises InputFault."""
    try:
        return tomllib.loads(config.read_text(encoding="utf-8-sig"))
    except OSError as fault:
        raise InputFault(f"{config}: {fault.strerror}") from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as fault:
        raise InputFault(f"{config}: {fault}") from None


def setup(site: dict[str, Any], device_id: str) -> dict[str, Any]:
    """What hangs on a device, from every source of the site file that names it."""
    devices = {entry.get("id"): entry for entry in site.get("device", [])}
    if device_id not in devices:
        raise InputFault(f"{device_id}: no [[device]] of the site file has this id")
    channels: dict[str, str] = {}
    meters: dict[str, str] = {}

    def own(source: object, kind: str) -> str | None:
        name, _, ch = str(source or "").partition("/")
        if name != device_id or not ch:
            return None
        channels[ch] = kind
        return ch

    for opening in site.get("opening", []):
        own(opening.get("contact"), "contact")
        own(opening.get("lock"), "lock")
    for counter in site.get("counter", []):
        own(counter.get("presence"), "presence")
    for sensor in site.get("sensor", []):
        own(sensor.get("source"), str(sensor.get("kind")))
    for ac in site.get("ac", []):
        own(ac.get("source"), "ac")
        own(ac.get("control"), "ac")
    for circuit in site.get("circuit", []):
        meter = own(circuit.get("meter"), "power")
        relay = own(circuit.get("relay"), "relay")
        if meter and relay:
            meters[meter] = relay
    return {
        "kind": devices[device_id].get("kind"),
        "battery": devices[device_id].get("power") == "battery",
        "channels": channels,
        "meters": meters,
    }
