"""What a site file's keys say against each other, judged on the raw document, so that a fault of
shape elsewhere hides none of these: unknown and duplicate ids, tags, hours that overlap, ladders.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import pairwise
from typing import Any, TypeVar

from gateway import units
from gateway._sitelines import KeyPath
from gateway._sitemodel import DEFAULT_LADDERS, ROLES

T = TypeVar("T")
Entries = list[tuple[KeyPath, Any]]
ABSENT: Any = object()


@dataclass(frozen=True, slots=True)
class Fault:
    """One fault: where, the value given (or `ABSENT`), and a text that says what is allowed."""

    path: KeyPath
    value: Any
    text: str


def references(doc: dict[str, Any]) -> list[Fault]:
    """Faults of one key against another."""
    return [fault for look in _LOOKS for fault in look(doc)]


def _rows(doc: dict[str, Any], table: str) -> Iterator[tuple[int, dict[str, Any]]]:
    rows = doc.get(table)
    for index, row in enumerate(rows if isinstance(rows, list) else ()):
        if isinstance(row, dict):
            yield index, row


def _ids(doc: dict[str, Any], table: str) -> set[str]:
    return {row["id"] for _, row in _rows(doc, table) if isinstance(row.get("id"), str)}


def _duplicate_ids(doc: dict[str, Any]) -> Iterator[Fault]:
    for table in ("zone", "counter", "opening", "circuit", "ac", "checkpoint", "route", "device"):
        entries: Entries = [((table, i, "id"), row.get("id")) for i, row in _rows(doc, table)]
        yield from _once(entries, f"must be given to one {table} only")


def _once(entries: Entries, text: str) -> Iterator[Fault]:
    seen: dict[str, KeyPath] = {}
    for path, value in entries:
        if not isinstance(value, str):
            continue
        first = seen.setdefault(value.lower(), path)
        if first is not path:
            yield Fault(path, value, f"{text}; {first[0]}[{int(first[1]) + 1}] has it")


def _duplicate_tags(doc: dict[str, Any]) -> Iterator[Fault]:
    tags: Entries = [
        (("checkpoint", i, "tag"), row.get("tag")) for i, row in _rows(doc, "checkpoint")
    ]
    cards: Entries = [(("person", i, "card"), row.get("card")) for i, row in _rows(doc, "person")]
    yield from _once(tags + cards, "must belong to one checkpoint or person only")
    walls = {t.lower() for _, t in tags if isinstance(t, str)}
    for i, row in _rows(doc, "counter"):
        posts: Entries = [(("counter", i, key), row.get(key)) for key in ("post_a", "post_b")]
        yield from _once(posts, "must not be both posts' card")
        for path, card in posts:
            if isinstance(card, str) and card.lower() in walls:
                yield Fault(path, card, "must be a card, and is a checkpoint's tag")


def _duplicate_channels(doc: dict[str, Any]) -> Iterator[Fault]:
    relays: Entries = [
        (("circuit", i, "relay"), row.get("relay")) for i, row in _rows(doc, "circuit")
    ]
    yield from _once(relays, "must switch one circuit only")
    pads: Entries = [(("counter", i, "pad"), row.get("pad")) for i, row in _rows(doc, "counter")]
    yield from _once(pads, "must stand at one counter only")


def _zones(doc: dict[str, Any]) -> Iterator[Fault]:
    for table in ("counter", "opening", "circuit", "ac", "sensor"):
        for i, row in _rows(doc, table):
            yield from _known(doc, (table, i, "zone"), row.get("zone"), "zone")


def _known(doc: dict[str, Any], path: KeyPath, value: Any, table: str) -> Iterator[Fault]:
    if isinstance(value, str) and value not in _ids(doc, table):
        some = ", ".join(sorted(_ids(doc, table))[:12]) or "none is defined"
        yield Fault(path, value, f"must be the id of a [[{table}]]: {some}")


_SOURCES = (
    ("counter", ("presence",)),
    ("opening", ("contact", "lock")),
    ("circuit", ("meter", "relay")),
    ("ac", ("source", "control")),
    ("sensor", ("source",)),
)


def _sources(doc: dict[str, Any]) -> Iterator[Fault]:
    devices = _ids(doc, "device")
    for table, keys in _SOURCES:
        for i, row in _rows(doc, table):
            for key in keys:
                text = row.get(key)
                if isinstance(text, str) and "/" in text and text.split("/")[0] not in devices:
                    yield Fault(
                        (table, i, key), text, "must begin with the id of a [[device]] of this file"
                    )


def _main_meter(doc: dict[str, Any]) -> Iterator[Fault]:
    main = _table(doc, "energy").get("main")
    if not isinstance(main, str) or "/" not in main:
        return
    if main.split("/")[0] not in _ids(doc, "device"):
        yield Fault(("energy", "main"), main, "must begin with the id of a [[device]] of this file")
    if any(row.get("meter") == main for _, row in _rows(doc, "circuit")):
        text = "must not be a circuit's meter: it counts the whole hall"
        yield Fault(("energy", "main"), main, text)


def _circuits(doc: dict[str, Any]) -> Iterator[Fault]:
    for i, row in _rows(doc, "sensor"):
        yield from _known(doc, ("sensor", i, "circuit"), row.get("circuit"), "circuit")
    for i, row in _rows(doc, "circuit"):
        if row.get("use") == "protected" and "relay" in row:
            yield Fault(
                ("circuit", i, "relay"),
                row["relay"],
                "must be left out: a protected circuit is never switched",
            )


def _pads(doc: dict[str, Any]) -> Iterator[Fault]:
    kinds = {row.get("id"): row.get("kind") for _, row in _rows(doc, "device")}
    for i, row in _rows(doc, "counter"):
        pad = row.get("pad")
        if isinstance(pad, str) and kinds.get(pad) != "rating-pad":
            yield Fault(("counter", i, "pad"), pad, 'must be the id of a "rating-pad" [[device]]')


def _routes(doc: dict[str, Any]) -> Iterator[Fault]:
    for i, row in _rows(doc, "route"):
        stops = row.get("checkpoints")
        stops = stops if isinstance(stops, list) else []
        for at, stop in enumerate(stops):
            yield from _known(doc, ("route", i, "checkpoints", at), stop, "checkpoint")
            if stop in stops[:at]:
                yield Fault(("route", i, "checkpoints", at), stop, "must be named once in a route")


def _ladders(doc: dict[str, Any]) -> Iterator[Fault]:
    reached = {row.get("to") for _, row in _rows(doc, "notify")}
    named = {who for ladder in DEFAULT_LADDERS.values() for _, who in ladder if who in ROLES}
    if reached and "escalation" not in doc:
        for role in sorted(named - reached):
            text = f'needs one with to = "{role}", or an [escalation] that does without'
            yield Fault(("notify",), ABSENT, text)
    for severity, rungs in _table(doc, "escalation").items():
        for at, rung in enumerate(rungs if isinstance(rungs, list) else ()):
            who = rung[1] if isinstance(rung, list) and len(rung) == 2 else None
            if who in ROLES and who not in reached:
                yield Fault(
                    ("escalation", severity, at), rung, f'needs a [[notify]] with to = "{who}"'
                )


def _table(doc: dict[str, Any], name: str) -> dict[str, Any]:
    table = doc.get(name)
    return table if isinstance(table, dict) else {}


def _list(table: dict[str, Any], key: str) -> list[Any]:
    value = table.get(key)
    return value if isinstance(value, list) else []


def _read(parse: Callable[[object], T], values: list[Any]) -> list[tuple[int, T]]:
    """Index and value of those that can be read; the others are faults of shape."""
    out = []
    for at, value in enumerate(values):
        with contextlib.suppress(ValueError):
            out.append((at, parse(value)))
    return out


def _hours(doc: dict[str, Any]) -> Iterator[Fault]:
    hours = _table(doc, "hours")
    given = _list(hours, "open")
    spans = sorted(_read(units.span, given), key=lambda found: found[1])
    for (_, one), (at, two) in pairwise(spans):
        if two[0] < one[1]:
            yield Fault(("hours", "open", at), given[at], "must not overlap another span")
    if not spans:
        return
    for _, arrive in _read(units.minute_of_day, [hours.get("arrive")]):
        if arrive > spans[0][1][0]:
            text = "must not be after the first opening"
            yield Fault(("hours", "arrive"), hours["arrive"], text)
    last = max(end for _, (_, end) in spans) * units.MINUTE
    for _, clear in _read(units.duration, [hours.get("clear_after_close", "1h")]):
        if last + clear > units.DAY:
            value = hours.get("clear_after_close", ABSENT)
            text = "must be over by midnight, counted from closing"
            yield Fault(("hours", "clear_after_close"), value, text)


def _attendance(doc: dict[str, Any]) -> Iterator[Fault]:
    table = _table(doc, "attendance")

    def in_order(
        parse: Callable[[object], int], names: tuple[str, ...], given: tuple[str, ...]
    ) -> Iterator[Fault]:
        values = [table.get(name, default) for name, default in zip(names, given, strict=True)]
        for (one, before), (two, after) in pairwise(_read(parse, values)):
            if after < before:
                name = names[two] if names[two] in table else names[one]
                text = f"{names[two]} must not be before {names[one]}"
                yield Fault(("attendance", name), table[name], text)

    yield from in_order(
        units.minute_of_day, ("morning", "split", "afternoon"), ("08:55", "12:30", "13:00")
    )
    yield from in_order(units.duration, ("late", "absent"), ("10min", "30min"))


def _calendar(doc: dict[str, Any]) -> Iterator[Fault]:
    calendar = _table(doc, "calendar")
    off = {str(day) for day in _list(calendar, "extra_off")}
    for at, day in enumerate(_list(calendar, "extra_work")):
        if str(day) in off:
            yield Fault(("calendar", "extra_work", at), day, "must not be in extra_off too")


def _rungs(doc: dict[str, Any]) -> Iterator[Fault]:
    for severity, rungs in _table(doc, "escalation").items():
        given = rungs if isinstance(rungs, list) else []
        times = [rung[0] if isinstance(rung, list) and rung else None for rung in given]
        for (_, one), (at, two) in pairwise(_read(units.duration, times)):
            if two < one:
                text = "must not come before the rung above it"
                yield Fault(("escalation", severity, at), given[at], text)


def _noise(doc: dict[str, Any]) -> Iterator[Fault]:
    alerts = _table(doc, "alerts")
    sets, clears = alerts.get("flap_set", 4), alerts.get("flap_clear", 1)
    if isinstance(sets, int) and isinstance(clears, int) and clears >= sets:
        key = "flap_clear" if "flap_clear" in alerts else "flap_set"
        yield Fault(("alerts", key), alerts[key], "flap_clear must be less than flap_set")


def _rota(doc: dict[str, Any]) -> Iterator[Fault]:
    reached = {(row.get("to"), row.get("who")) for _, row in _rows(doc, "notify")}
    for i, row in _rows(doc, "rota"):
        role, who = row.get("role"), row.get("who")
        if isinstance(who, str) and isinstance(role, str) and (role, who) not in reached:
            yield Fault(
                ("rota", i, "who"), who, f'needs a [[notify]] with to = "{role}" and this who'
            )


_LOOKS: tuple[Callable[[dict[str, Any]], Iterator[Fault]], ...] = (
    _duplicate_ids,
    _duplicate_tags,
    _duplicate_channels,
    _zones,
    _sources,
    _main_meter,
    _circuits,
    _pads,
    _routes,
    _ladders,
    _rungs,
    _noise,
    _rota,
    _hours,
    _attendance,
    _calendar,
)
