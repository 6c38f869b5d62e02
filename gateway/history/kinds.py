"""Which kinds have a value, and which of their fields are numbers over time."""

from __future__ import annotations

from typing import Any

from firmware import wire

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
_COLUMNS = {kind: (*fields, *[""] * (5 - len(fields))) for kind, fields in FIELDS.items()}
# Rolled up are what is plotted over months; the rest (V, A, power factor, the bare counter) is
# read from hot rows and chunks.
ROLLED: dict[str, tuple[int, ...]] = {
    kind: ((1,) if kind == wire.POWER else tuple(range(1, len(fields) + 1)))
    for kind, fields in FIELDS.items()
}


def values(payload: dict[str, object]) -> dict[str, object]:
    """What an event says of its channel, without the frame."""
    return {name: value for name, value in payload.items() if name not in _FRAME}


def row(kind: str, payload: dict[str, object]) -> tuple[int | None, ...]:
    """f1…f5 of an event, in thousandths."""
    said: Any = payload.get
    return tuple(
        [
            round(value * SCALE) if value is not None and -LIMIT <= value <= LIMIT else None
            for value in map(said, _COLUMNS[kind])
        ]
    )
