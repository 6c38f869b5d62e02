"""`hallkeeper provision`: one device's credentials, registered here and written for the device."""

from __future__ import annotations

import ipaddress
import json
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from gateway import authority, credentials, fittings, flashing, images, site
from gateway.broker import Address, Endpoint
from gateway.errors import EnvironmentFault, InputFault
from gateway.site import Site

BROKER_FILE = "gateway.json"


def record_broker(data: Path, endpoint: Endpoint) -> None:
    """Note where devices find the broker of this data directory. Raises EnvironmentFault."""
    where = endpoint.address
    text = json.dumps({"host": where.host, "port": where.port, "tls": endpoint.tls})
    try:
        credentials.write_private(data / BROKER_FILE, text)
    except OSError as fault:
        raise EnvironmentFault(f"{data}: cannot be written ({fault.strerror})") from fault


def recorded_broker(data: Path) -> tuple[str, int]:
    """(host, port) of the broker this data was last served with; the default before the first."""
    try:
        raw = json.loads((data / BROKER_FILE).read_text(encoding="utf-8"))
        return str(raw["host"]), int(raw["port"])
    except (OSError, ValueError, KeyError):
        return "127.0.0.1", 1883


def provision(
    device_id: str,
    hall: Site,
    data: Path,
    host: str | None = None,
    port: int | None = None,
    *,
    days: int = authority.DAYS,
    renew: bool = False,
    now: int | None = None,
) -> dict[str, Any]:
    """New credentials, in force at once and in place of any former ones; what `device.json` holds.

    Without host and port: those of the broker this data was last served with. `days`: how long a
    certificate lasts from `now` (Unix ms; else the machine's time). `renew`: the certificate that
    the device shows today stays good until it shows the new one. Raises InputFault for a device
    that the site does not have or that has nothing to renew, EnvironmentFault where the data
    directory cannot be written.
    """
    kind = next((device.kind for device in hall.devices if device.id == device_id), None)
    if kind is None:
        known = ", ".join(device.id for device in hall.devices)
        raise InputFault(f"{device_id!r} is no device of the site file (it has: {known})")
    recorded, public = recorded_broker(data), images.public(data)
    former = credentials.load(data, device_id)
    files = authority.files(data)
    if renew and (files is None or former is None or not former.certificate):
        raise InputFault(f"{device_id} has no certificate to renew: provision it without --renew")
    secret: dict[str, Any]
    if files is not None:
        leaf = authority.issue(
            data, device_id, time.time_ns() // 10**6 if now is None else now, days
        )
        if renew and former is not None:
            made = credentials.renewed(former, leaf.fingerprint, leaf.expires)
        else:
            made = credentials.certified(device_id, leaf.fingerprint, leaf.expires)
        ca = files.ca.read_text(encoding="ascii")
        tls = {"ca": ca, "cert": leaf.cert, "key": leaf.key, "name": authority.NAME}
        secret = {"tls": tls}
    else:
        made, password = credentials.make(device_id)
        secret = {"password": password}
    try:
        credentials.save(data, made)
    except OSError as fault:
        raise EnvironmentFault(f"{data}: cannot be written ({fault.strerror})") from fault
    return {
        **({"updates": public.hex()} if public else {}),
        "site": hall.id,
        "device": device_id,
        "kind": kind,
        "broker": {
            "host": host or recorded[0],
            "port": port or recorded[1],
            "user": device_id,
            "client_id": made.client_id,
            **secret,
        },
    }


@dataclass(frozen=True, slots=True)
class Wish:
    """What is wanted beside the credentials: a flash for `board`, copied to the board at `port`;
    certificates that last so many `days`; only a `renew`ed certificate; `broker`: where the device
    finds it, else where this data was last served."""

    board: str | None = None
    port: str | None = None
    days: int = authority.DAYS
    renew: bool = False
    broker: Address | None = None


def run(device_id: str, config: Path, data: Path, out: Path, wish: Wish) -> None:
    """The command: `out/device.json`, readable by its owner only, and a label for the case. With
    a board also `out/flash`, which is copied onto it where a port is given; a renewal copies its
    three files only, and the device keeps all it holds."""
    if wish.renew and wish.board is not None:
        raise InputFault("--renew changes the certificate only: leave --board out")
    if wish.port is not None and wish.board is None and not wish.renew:
        raise InputFault("--flash wants --board as well")
    hall = site.load(config)
    where = wish.broker or Address(*recorded_broker(data))
    if wish.board is not None and not _reachable(where.host):
        raise InputFault(
            f"a board cannot find its broker at {where.host}: name the gateway's address in the"
            f" hall's network, --broker HOST:{where.port}"
        )
    setup = fittings.setup_of(config, device_id) if wish.board is not None else {}
    if wish.board is not None:  # judged before the former credentials are void
        flashing.ready(out, wish.board, setup, wish.port)
    elif wish.port is not None:
        flashing.program()
    made = provision(
        *(device_id, hall, data, where.host, where.port), days=wish.days, renew=wish.renew
    )
    tls = made["broker"].get("tls", {})
    try:
        for name in ("ca", "cert", "key"):
            if name in tls:
                credentials.write_private_bytes(out / f"{name}.der", authority.der(tls[name]))
                tls[name] = f"{name}.der"
        credentials.write_private(out / "device.json", json.dumps(made, indent=2) + "\n")
        print(out / "device.json")
        if wish.renew:
            if wish.port is not None:
                flashing.put([out / f"{name}.der" for name in ("ca", "cert", "key")], wish.port)
            return
        picture = flashing.label(device_id, made["kind"], hall.id)
        (out / "label.svg").write_text(picture, encoding="utf-8")
        print(out / "label.svg")
        if wish.board is not None:
            flash = flashing.folder(out, wish.board, made, setup)
            print(flash)
            if wish.port is not None:
                flashing.copy(flash, wish.port)
    except OSError as fault:
        raise EnvironmentFault(f"{out}: cannot be written ({fault.strerror})") from fault


def _reachable(host: str) -> bool:
    """Whether another machine could reach a broker by this name: not by every address, nor by what
    each machine calls itself."""
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        return host != "localhost"
    return not (address.is_unspecified or address.is_loopback)
