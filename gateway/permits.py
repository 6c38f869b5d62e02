"""Permits (豁免) and registered entries: what they lift, and reading them from a file."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from gateway.clock import SHANGHAI, parse_instant
from gateway.errors import InputFault
from gateway.schedules import merged

KINDS = ("overtime", "appointment", "study", "cleaning", "hot-work", "special")
_LIFTING = frozenset(KINDS) - {"hot-work"}
_APPOINTMENT_MARGIN = 30 * 60000

Spans = dict[tuple[str, ...], list[tuple[int, int]]]


@dataclass(frozen=True, slots=True)
class Permit:
    """In force on [begin, end), Unix ms."""

    id: str
    kind: str
    zones: tuple[str, ...]
    begin: int
    end: int
    reason: str = ""


def spans(permits: Iterable[Permit]) -> Spans:
    """When each zone is permitted, by the engine's keys (contract, semantics 5)."""
    found: Spans = {}
    for permit in permits:
        if permit.kind not in _LIFTING:
            continue
        margin = _APPOINTMENT_MARGIN if permit.kind == "appointment" else 0
        span = (permit.begin - margin, permit.end + margin)
        for zone in permit.zones:
            found.setdefault(("permitted", zone), []).append(span)
            if permit.kind == "special":
                found.setdefault(("special", zone), []).append(span)
    return {key: merged(many) for key, many in found.items()}


def first_change(before: Spans, after: Spans) -> int | None:
    """The earliest instant at which the one lifts what the other does not, or somewhat earlier."""
    edges = [
        begin
        for key in {*before, *after}
        for begin, _ in {*before.get(key, ())} ^ {*after.get(key, ())}
    ]
    return min(edges, default=None)


def read(path: Path, tz: str = SHANGHAI) -> tuple[list[Permit], list[int]]:
    """(permits, instants of registered entries) of a JSON-lines file; an instant without an offset
    is local to `tz`. Raises InputFault."""
    permits: dict[str, Permit] = {}
    entries: set[int] = set()
    try:
        lines = path.read_text(encoding="utf-8-sig").split("\n")
    except (OSError, UnicodeDecodeError) as fault:
        raise InputFault(f"{path}: cannot be read ({fault})") from fault
    for number, line in enumerate(lines, 1):
        if not line.strip():
            continue
        try:
            row = json.loads(line)
            if row["kind"] == "entry":
                entries.add(parse_instant(row["at"], tz))
            else:
                permit = parse(row, f"line-{number}", tz)
                permits[permit.id] = permit
        except (ValueError, KeyError, TypeError, InputFault) as fault:
            raise InputFault(f"{path}:{number}: no permit or entry ({fault})") from fault
    return list(permits.values()), sorted(entries)


def parse(row: dict[str, Any], default_id: str = "", tz: str = SHANGHAI) -> Permit:
    """One permit; ValueError, KeyError or InputFault says what is wrong with it."""
    if row["kind"] not in KINDS:
        raise ValueError(f"kind {row['kind']!r}: {', '.join(KINDS)} are allowed")
    zones = row["zones"]
    if not isinstance(zones, list) or not all(isinstance(z, str) for z in zones):
        raise ValueError("zones: a list of zone ids")
    begin, end = parse_instant(row["from"], tz), parse_instant(row["to"], tz)
    return Permit(
        str(row.get("id", default_id)),
        row["kind"],
        tuple(zones),
        begin,
        end,
        str(row.get("reason", "")),
    )
