"""An event as a point in line protocol: a pure function of the journal, so that sending it again
overwrites itself.

Measurement: the kind (`other` for one that is not known). Tags: site, zone, device, channel, and a
detector's `what`; `seq` on the later stored of two that would otherwise be one point. Fields: the
kind's own, numbers as floats. Who it was stays in the hall: neither a card's number nor a visit's.
"""

from __future__ import annotations

import math
from typing import Any

from firmware import wire
from gateway.history.times import Said
from gateway.site import Site

_COUNT = "n"  # of events that carry no number of their own
_OWN = frozenset({"?visit", "tag", "?ages", "ch", "?ch", "what"})


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


def series(event: Said) -> tuple[str, str, str, str]:
    """What tells one series from another within a site: device, kind, channel, what."""
    said = event.payload
    return event.device, event.kind, str(said.get("ch") or ""), str(said.get("what") or "")


def line(event: Said, places: Places, beside: bool) -> str:
    """The point; `beside`: an earlier stored event of the series has the same instant."""
    from influxdb_client import Point, WritePrecision  # type: ignore[attr-defined]

    known = event.kind in wire.KINDS
    device, kind, ch, what = series(event)
    point = Point(kind if known else "other").tag("site", places.site).tag("device", device)
    if known:
        point.tag("zone", places.zone(device, ch)).tag("channel", ch or None)
        point.tag("what", what or None if kind == wire.DETECTOR else None)
    if beside:
        point.tag("seq", str(event.seq))
    for name, value in fields(event).items():
        point.field(name, value)
    return str(point.time(event.time, WritePrecision.MS).to_line_protocol())


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
        found[_COUNT] = 1
    return found


def _text(value: str) -> str:
    """Without what UTF-8 cannot carry or a line cannot hold."""
    clean = value.encode("utf-8", "replace").decode()
    return "".join(" " if sign < " " else sign for sign in clean)
