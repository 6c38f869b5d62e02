"""An event as a point in line protocol: a pure function of the journal, so that sending it again
overwrites itself.

Measurement: the kind (`other` for one that is not known). Tags: site, zone, device, channel, and a
detector's `what`; what `ties` adds where two would otherwise be one point. Fields: the kind's own,
numbers as floats. Who it was stays in the hall: neither a card's number nor a visit's.
"""

from __future__ import annotations

import math
import time
from collections.abc import Mapping
from typing import Any

from firmware import wire
from gateway.history.times import Said
from gateway.site import Site

OTHER = "other"
COUNT = "n"  # of events that carry no number of their own
_OWN = frozenset({"?visit", "tag", "?ages", "ch", "?ch", "what"})
_MEASUREMENT = str.maketrans({",": "\\,", " ": "\\ ", "\n": " "})
_TAG = str.maketrans({",": "\\,", " ": "\\ ", "=": "\\=", "\n": " "})
_TEXT = str.maketrans({"\\": "\\\\", '"': '\\"'})


class Places:
    """Which zone a channel is in, by the site file."""

    def __init__(self, site: Site) -> None:
        found: dict[str, str] = {}
        for circuit in site.circuits:
            found |= {str(s): circuit.zone for s in (circuit.meter, circuit.relay) if s}
        for opening in site.openings:
            found |= {str(s): opening.zone for s in (opening.contact, opening.lock) if s}
        for ac in site.acs:
            found[str(ac.source)] = ac.zone
        for sensor in site.sensors:
            found[str(sensor.source)] = sensor.zone
        for counter in site.counters:
            if counter.presence:
                found[str(counter.presence)] = counter.zone
            if counter.pad:
                found[counter.pad] = counter.zone
        self.site = site.id
        self._zones = found

    def zone(self, device: str, ch: str) -> str | None:
        """None where the file does not place it."""
        return self._zones.get(f"{device}/{ch}") or self._zones.get(device)

    def probe(self) -> str:
        """A point of the gateway's own that nothing is wrong with."""
        return f"gateway,site={self.site} up=1i {time.time_ns() // 1_000_000}"


def series(event: Said) -> tuple[str, str, str, str]:
    """What tells one series from another within a site: device, kind, channel, what."""
    said = event.payload
    return event.device, event.kind, str(said.get("ch") or ""), str(said.get("what") or "")


def line(event: Said, places: Places, more: Mapping[str, str]) -> str:
    """The point; `more`: tags beside its own."""
    known = event.kind in wire.KINDS
    device, kind, ch, what = series(event)
    tags = {"site": places.site, "device": device, **more}
    if known:
        zone = places.zone(device, ch)
        if zone:
            tags["zone"] = zone
        if ch:
            tags["channel"] = ch
        if what and kind == wire.DETECTOR:
            tags["what"] = what
    named = "".join(f",{name}={tags[name].translate(_TAG)}" for name in sorted(tags))
    said = ",".join(f"{name}={_value(value)}" for name, value in sorted(fields(event).items()))
    return f"{(kind if known else OTHER).translate(_MEASUREMENT)}{named} {said} {event.time}"


def fields(event: Said) -> dict[str, Any]:
    """A kind's fields, each always of one type; at least one of them a number or a truth."""
    found: dict[str, Any] = {}
    if event.kind not in wire.KINDS:
        found["kind"] = _text(event.kind)
    for name, type_, _ in wire.KINDS.get(event.kind, ()):
        value = event.payload.get(name.lstrip("?"))
        if value is None or name in _OWN:
            continue
        if type_ == wire.NUM:
            if math.isfinite(value):
                found[name.lstrip("?")] = float(value)
        elif type_ == wire.TEXT:
            found[name.lstrip("?")] = _text(value)
        else:
            found[name.lstrip("?")] = value
    if all(isinstance(value, str) for value in found.values()):
        found[COUNT] = 1
    return found


def counted(kind: str) -> tuple[str, bool]:
    """(a field by which points of a known kind can be counted, whether every one has it)."""
    for name, type_, _ in wire.KINDS[kind]:
        if name not in _OWN and not name.startswith("?") and type_ != wire.TEXT:
            return name, True
    optional = [n.lstrip("?") for n, type_, _ in wire.KINDS[kind] if n not in _OWN]
    return (optional[0], False) if optional and kind == wire.HEALTH else (COUNT, True)


def _value(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str):
        return f'"{value.translate(_TEXT)}"'
    if isinstance(value, int):
        return f"{value}i"
    return repr(value).removesuffix(".0")


def _text(value: str) -> str:
    """Without what UTF-8 cannot carry or a line cannot hold."""
    clean = value.encode("utf-8", "replace").decode()
    return "".join(" " if sign < " " else sign for sign in clean)
