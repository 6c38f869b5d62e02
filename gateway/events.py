"""Bytes to checked events, or refusals with their reasons. Pure; the tables are `firmware.wire`'s.

`decode(payload)` gives one item for each event of a message: an `Event` of its kind, an
`Unknown`, or a `Refused` that says why and, where they can be read, which number it was.
"""

from __future__ import annotations

import contextlib
import json
import re
from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass
from operator import attrgetter
from typing import Annotated, Any, ClassVar, Literal, NamedTuple, Union

import msgspec

from firmware import wire

_TOPIC = re.compile(r"hall/1/([a-z0-9-]{1,32})/([a-z0-9-]{1,32})/(event|state)")
_LOG = re.compile(r"[0-9A-Fa-f]{8}")
_MAX_INT = 2**53
_COMMON_KEYS = 6  # log, seq, boot, up, t, kind
_READABLE_BYTES = 65536  # beyond this not even the number of a refused event is looked for

_LOG_PATTERN, _ID_PATTERN = r"^[0-9A-Fa-f]{8}\Z", r"^[a-z0-9-]{1,32}\Z"
_Log = Annotated[str, msgspec.Meta(pattern=_LOG_PATTERN)]
_Count = Annotated[int, msgspec.Meta(ge=1, le=_MAX_INT)]
_Ms = Annotated[int, msgspec.Meta(ge=0, le=_MAX_INT)]

_TYPES: dict[str, Any] = {
    wire.ID: str,  # like an event's log: `_misnamed` looks at it
    wire.BOOL: bool,
    wire.INT: Annotated[int, msgspec.Meta(ge=-_MAX_INT, le=_MAX_INT)],
    wire.NUM: float,
    wire.TEXT: Annotated[str, msgspec.Meta(max_length=256)],
    wire.HEX: Annotated[str, msgspec.Meta(pattern=r"^[0-9A-Fa-f]{1,64}\Z")],
    wire.LEVEL: Annotated[int, msgspec.Meta(ge=1, le=5)],
    wire.VISIT: Annotated[str, msgspec.Meta(pattern=r"^[A-Za-z0-9-]{1,32}\Z")],
    wire.MAP: dict[str, float | None],
}


class Event(msgspec.Struct, frozen=True, gc=False):
    """One event of a device. `t` is Unix ms or None; `up` is ms since that boot."""

    log: str
    seq: _Count
    boot: _Count
    up: _Ms
    t: _Ms | None

    kind: ClassVar[str]  # its name on the wire


class Unknown(msgspec.Struct, frozen=True, gc=False):
    """An event of a kind this version does not know: stored, counted, a sign of life."""

    kind: str
    log: _Log
    seq: _Count
    boot: _Count
    up: _Ms
    t: _Ms | None


@dataclass(frozen=True, slots=True)
class Refused:
    """What is no valid event, why, and its number where that can be read."""

    reason: str
    log: str | None = None
    seq: int | None = None


def attribute(field: str) -> str:
    """The Python name of a wire field: `from` and `set` get an underscore."""
    return field + "_" if field in ("from", "set") else field


def _struct(kind: str) -> type[Event]:
    fields: list[Any] = []
    rename: dict[str, str] = {}
    for marked, type_, choices in wire.KINDS[kind]:
        name = marked.lstrip("?")
        annotation = Literal[choices] if choices else _TYPES[type_]
        rename[attribute(name)] = name
        if marked.startswith("?"):
            fields.append((attribute(name), annotation | None, None))
        else:
            fields.append((attribute(name), annotation))
    made: Any = msgspec.defstruct(
        kind,
        fields,
        bases=(Event,),
        tag=kind,
        tag_field="kind",
        frozen=True,
        gc=False,  # it holds nothing that could hold it
        rename=rename,
        namespace={"kind": kind},
    )
    return made  # type: ignore[no-any-return]


STRUCTS: dict[str, type[Event]] = {kind: _struct(kind) for kind in wire.KINDS}


class _Shape(NamedTuple):
    """What `decode_one` looks at after the typed decoder: the fewest colons an event of the kind
    has, its optional fields, those that are ids, and how to get at the log and these."""

    colons: int
    optional: tuple[str, ...]
    ids: tuple[str, ...]
    names: Callable[[Event], Iterable[str | None]]


def _shape(fields: Sequence[tuple[str, str, Any]]) -> _Shape:
    ids = tuple(attribute(name.lstrip("?")) for name, type_, _ in fields if type_ == wire.ID)
    return _Shape(
        _COMMON_KEYS + sum(not name.startswith("?") for name, _, _ in fields),
        tuple(attribute(name[1:]) for name, _, _ in fields if name.startswith("?")),
        ids,
        attrgetter("log", *(ids or ("log",))),  # of one name it would give no tuple
    )


_SHAPES = {STRUCTS[kind]: _shape(fields) for kind, fields in wire.KINDS.items()}
_decode_event = msgspec.json.Decoder(Union[tuple(STRUCTS.values())]).decode  # noqa: UP007
_decode_unknown = msgspec.json.Decoder(Unknown).decode
_decode_parts = msgspec.json.Decoder(list[msgspec.Raw]).decode

Item = Event | Unknown | Refused


def split_topic(topic: str, site: str, devices: Collection[str]) -> tuple[str, str] | Refused:
    """(device, leaf) of an upward topic, or why it is refused."""
    match = _TOPIC.fullmatch(topic)
    if match is None:
        return Refused("the topic is not of the form hall/1/<site>/<device>/event or state")
    if match[1] != site:
        return Refused(f"another site: {match[1]}")
    if match[2] not in devices:
        return Refused(f"device not in the site file: {match[2]}")
    return match[2], match[3]


def decode(payload: bytes) -> list[tuple[bytes, Item]]:
    """Every event of one message with its own bytes; what is no JSON gives one Refused."""
    if payload[:1] == b"{" and len(payload) <= wire.MAX_BYTES and payload.isascii():
        return [(payload, decode_one(payload))]
    whole = _whole_fault(payload)
    if whole is not None:
        return whole
    start = payload.lstrip(b" \t\r\n")[:1]
    if start == b"{":
        return [(payload, decode_one(payload))]
    if start != b"[":
        return [(payload, Refused(_json_fault(payload) or "neither an object nor an array"))]
    try:
        parts = [bytes(raw) for raw in _decode_parts(payload)]
    except (msgspec.DecodeError, RecursionError) as fault:
        return [(payload, Refused(f"no JSON: {fault}"))]
    if not 1 <= len(parts) <= wire.MAX_BATCH:
        reason = f"an array of {len(parts)} events (1 to {wire.MAX_BATCH} are allowed)"
        return [(part, _refused(reason, part)) for part in parts] or [(payload, Refused(reason))]
    items = [(part, decode_one(part)) for part in parts]
    broken = any(isinstance(i, Refused) and i.seq is None for _, i in items) and _json_fault(
        payload
    )
    return [(payload, Refused(broken))] if broken else items


def decode_one(raw: bytes) -> Item:
    """One event from the JSON text of one object of at most 4 KiB."""
    try:
        event: Event = _decode_event(raw)
    except (msgspec.DecodeError, RecursionError) as fault:
        return _other(raw, str(fault))
    colons, optional, ids, names = _SHAPES[type(event)]
    if names(event) not in _KNOWN:
        misnamed = _misnamed(event, ids)
        if misnamed:
            return _other(raw, misnamed)
        if len(_KNOWN) >= _KNOWN_MOST:
            _KNOWN.clear()
        _KNOWN.add(names(event))
    # Each known field that is there has a colon of its own: with no more colons than that there is
    # no other field, none twice, and nothing nested, for what is known is flat.
    more = raw.count(b":") - colons
    if more and more != sum(getattr(event, name) is not None for name in optional):
        reason = _structure_fault(raw)
        if reason:
            return _refused(reason, raw)
    return event


_KNOWN: set[Iterable[str | None]] = set()
_KNOWN_MOST = 20_000


def _misnamed(event: Event, ids: Iterable[str]) -> str | None:
    """Which name of an event is none. Those that are right are remembered: a regular expression
    costs as much as all the rest of decoding, and the same few names come for ever."""
    for name, pattern in (("log", _LOG_PATTERN), *((name, _ID_PATTERN) for name in ids)):
        value = getattr(event, name)
        if value is not None and re.match(pattern, value) is None:
            return f"Expected `str` matching regex {pattern!r} - at `$.{name}`"
    return None


def _whole_fault(payload: bytes) -> list[tuple[bytes, Item]] | None:
    if len(payload) > wire.MAX_BYTES:
        return _oversize(payload)
    try:
        payload.decode("utf-8")
    except UnicodeDecodeError:
        return [(payload, Refused("not UTF-8"))]
    return None


def _oversize(payload: bytes) -> list[tuple[bytes, Item]]:
    """Refused as a whole, or of an array each event whose number can be read."""
    reason = f"{len(payload)} bytes (at most {wire.MAX_BYTES})"
    parts: list[bytes] = []
    if len(payload) <= _READABLE_BYTES and payload.lstrip(b" \t\r\n")[:1] == b"[":
        with contextlib.suppress(msgspec.DecodeError, RecursionError, UnicodeDecodeError):
            parts = [bytes(raw) for raw in _decode_parts(payload)]
    read = [(part, refused) for part in parts if (refused := _refused(reason, part)).seq]
    return [*read] or [(payload, _refused(reason, payload))]


def _other(raw: bytes, reason: str) -> Item:
    """What the strict decoder would not take: an unknown kind, or a refusal."""
    structure = _json_fault(raw) or _structure_fault(raw)
    if structure:
        return _refused(structure, raw)
    try:
        unknown = _decode_unknown(raw)
    except (msgspec.DecodeError, RecursionError) as fault:
        return _refused(str(fault), raw)
    if unknown.kind in wire.KINDS:
        return _refused(reason, raw)
    return unknown


def _json_fault(raw: bytes) -> str | None:
    if _too_deep(raw):
        return f"nested deeper than {wire.MAX_DEPTH} levels"
    try:
        _loads(raw)
    except (ValueError, RecursionError) as fault:
        return f"no JSON: {fault}"
    return None


def _no_constant(text: str) -> None:
    raise ValueError(f"{text} is no JSON number")


def _loads(raw: bytes) -> Any:
    """Standard JSON without NaN and Infinity; a number out of range reads as infinite."""
    return json.loads(raw, parse_constant=_no_constant)


def _structure_fault(raw: bytes) -> str | None:
    """Depth and duplicate keys, which the typed decoder does not see."""
    if _too_deep(raw):
        return f"nested deeper than {wire.MAX_DEPTH} levels"
    try:
        json.loads(raw, object_pairs_hook=_unique)
    except _DuplicateKey as fault:
        return f"key twice: {fault}"
    except ValueError as fault:
        return f"no JSON: {fault}"
    return None


class _DuplicateKey(Exception):
    pass


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    made = dict(pairs)
    if len(made) != len(pairs):
        seen: set[str] = set()
        raise _DuplicateKey(next(k for k, _ in pairs if k in seen or seen.add(k)))  # type: ignore[func-returns-value]
    return made


def _too_deep(raw: bytes) -> bool:
    if raw.count(b"{") + raw.count(b"[") <= wire.MAX_DEPTH:
        return False
    depth = 0 if raw.lstrip(b" \t\r\n")[:1] == b"{" else -1  # an array around events is no level
    quoted = escaped = False
    for byte in raw:
        if quoted:
            if escaped:
                escaped = False
            elif byte == 0x5C:
                escaped = True
            elif byte == 0x22:
                quoted = False
        elif byte == 0x22:
            quoted = True
        elif byte in (0x7B, 0x5B):
            depth += 1
            if depth > wire.MAX_DEPTH:
                return True
        elif byte in (0x7D, 0x5D):
            depth -= 1
    return False


def _refused(reason: str, raw: bytes) -> Refused:
    """A refusal with the event's number, where the text is JSON enough to read it."""
    if len(raw) > _READABLE_BYTES:
        return Refused(reason)
    try:
        found = _loads(raw)
    except (ValueError, RecursionError):
        return Refused(reason)
    if not isinstance(found, dict):
        return Refused(reason)
    log, seq = found.get("log"), found.get("seq")
    if not (isinstance(log, str) and _LOG.fullmatch(log)):
        return Refused(reason)
    if not (isinstance(seq, int) and not isinstance(seq, bool) and 1 <= seq <= _MAX_INT):
        return Refused(reason)
    return Refused(reason, log.lower(), seq)
