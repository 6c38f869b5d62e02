"""Which kinds have a value, and which of their fields are numbers over time."""

from __future__ import annotations

from collections.abc import Callable
from operator import attrgetter
from typing import Any

from firmware import wire
from gateway.events import STRUCTS, Event, Unknown, attribute

# kinds whose last value is kept; a rating never is
VALUED = frozenset(
    {
        wire.CONTACT,
        wire.LOCK,
        wire.PRESENCE,
        wire.LUX,
        wire.CLIMATE,
        wire.POWER,
        wire.AC,
        wire.RELAY,
        wire.DETECTOR,
        wire.TAMPER,
        wire.HEALTH,
    }
)
# what every event has, and what names the channel
_FRAME = frozenset({"log", "seq", "boot", "up", "t", "kind", "ch", "what"})

SCALE = 1000  # stored values are thousandths
LIMIT = 1e9  # what is farther from zero is no measurement: the journal alone keeps it

# kind: its numeric and boolean fields, in the order of the columns f1…f5
FIELDS: dict[str, tuple[str, ...]] = {
    kind: tuple(
        name.lstrip("?") for name, type_, _ in wire.KINDS[kind] if type_ in (wire.NUM, wire.BOOL)
    )
    for kind in VALUED - {wire.TAMPER, wire.HEALTH}
}
# Rolled up are what is plotted over months; the rest (V, A, power factor, the bare counter) is
# read from hot rows and chunks.
ROLLED: dict[str, tuple[int, ...]] = {
    kind: ((1,) if kind == wire.POWER else tuple(range(1, len(fields) + 1)))
    for kind, fields in FIELDS.items()
}


def values(payload: dict[str, object]) -> dict[str, object]:
    """What an event says of its channel, without the frame."""
    return {name: value for name, value in payload.items() if name not in _FRAME}


Told = dict[str, Any] | Event | Unknown
"""What an event says: as it was decoded, or read back from the journal."""


def row(kind: str, told: Told) -> tuple[int | None, ...]:
    """f1, f2 … of an event, in thousandths, as far as there are any."""
    if isinstance(told, dict):
        return _trimmed([_milli(told.get(name)) for name in FIELDS[kind]])
    said = _GET[kind](told)
    if len(said) == 1:
        (value,) = said
        if value is not None and -LIMIT <= value <= LIMIT:
            return (round(value * SCALE),)
    return _trimmed([_milli(value) for value in said])


def _milli(value: float | None) -> int | None:
    return round(value * SCALE) if value is not None and -LIMIT <= value <= LIMIT else None


def _trimmed(values: list[int | None]) -> tuple[int | None, ...]:
    while values and values[-1] is None:
        values.pop()
    return tuple(values)


def channel(device: str, kind: str, told: Told) -> tuple[str, str, str, str]:
    """(device, kind, ch, what) of an event, the last two empty where it has none."""
    if isinstance(told, dict):
        return device, kind, str(told.get("ch") or ""), str(told.get("what") or "")
    namer = _CHANNELS.get(kind)
    return (device, kind, "", "") if namer is None else namer(device, told)


def _getter(kind: str) -> Callable[[Any], tuple[float | None, ...]]:
    """The numbers of a decoded event in the order of the columns; the first alone where the others
    are not there."""
    fields = FIELDS[kind]
    get: Callable[[Any], Any] = attrgetter(*map(attribute, fields))
    if len(fields) == 1:
        return lambda event: (get(event),)
    absent = (None,) * (len(fields) - 1)

    def numbers(event: Any) -> tuple[float | None, ...]:
        found: tuple[float | None, ...] = get(event)
        return found[:1] if found[1:] == absent else found

    return numbers


def _namer(kind: str) -> Callable[[str, Any], tuple[str, str, str, str]]:
    fields = {name.lstrip("?") for name, _, _ in wire.KINDS[kind]}
    if "what" in fields:
        return lambda device, event: (device, kind, event.ch, event.what)
    if "ch" in fields:
        return lambda device, event: (device, kind, event.ch or "", "")
    return lambda device, _: (device, kind, "", "")


_GET = {kind: _getter(kind) for kind in FIELDS}
_CHANNELS = {kind: _namer(kind) for kind in STRUCTS}
