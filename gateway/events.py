"""Bytes to checked events, or refusals with their reasons. Pure; the tables are `firmware.wire`'s."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from typing import Annotated, Any, Union

import msgspec

from firmware import wire

_TOPIC = re.compile(r"hall/1/([a-z0-9-]{1,32})/([a-z0-9-]{1,32})/(event|state)")
_MAX_INT = 2**53

_ID = Annotated[str, msgspec.Meta(pattern=r"^[a-z0-9-]{1,32}\Z")]
_HEX = Annotated[str, msgspec.Meta(pattern=r"^[0-9A-Fa-f]{1,64}\Z")]
_INT = Annotated[int, msgspec.Meta(ge=-_MAX_INT, le=_MAX_INT)]
_TYPES: dict[str, Any] = {
    wire.ID: _ID,
    wire.BOOL: bool,
    wire.INT: _INT,
    wire.NUM: float,
    wire.TEXT: Annotated[str, msgspec.Meta(max_length=256)],
    wire.HEX: _HEX,
    wire.LEVEL: Annotated[int, msgspec.Meta(ge=1, le=5)],
    wire.VISIT: Annotated[str, msgspec.Meta(pattern=r"^[A-Za-z0-9-]{1,32}\Z")],
    wire.MAP: dict[str, float],
}


class Event(msgspec.Struct, frozen=True, tag_field="kind"):
    """One event of a device. `t` is Unix ms or None; `up` is ms since that boot."""

    log: Annotated[str, msgspec.Meta(pattern=r"^[0-9A-Fa-f]{8}\Z")]
    seq: Annotated[int, msgspec.Meta(ge=1, le=_MAX_INT)]
    boot: Annotated[int, msgspec.Meta(ge=1, le=_MAX_INT)]
    up: Annotated[int, msgspec.Meta(ge=0, le=_MAX_INT)]
    t: Annotated[int, msgspec.Meta(ge=0, le=_MAX_INT)] | None


class Unknown(msgspec.Struct, frozen=True):
    """An event of a kind this version does not know: stored, counted, a sign of life."""

    kind: str
    log: Annotated[str, msgspec.Meta(pattern=r"^[0-9A-Fa-f]{8}\Z")]
    seq: Annotated[int, msgspec.Meta(ge=1, le=_MAX_INT)]
    boot: Annotated[int, msgspec.Meta(ge=1, le=_MAX_INT)]
    up: Annotated[int, msgspec.Meta(ge=0, le=_MAX_INT)]
    t: Annotated[int, msgspec.Meta(ge=0, le=_MAX_INT)] | None


def _struct(kind: str) -> type[Event]:
    fields: list[Any] = []
    for name, type_, choices in wire.KINDS[kind]:
        annotation = _TYPES[type_]
        if choices:
            from typing import Literal

            annotation = Literal[choices]
        if name.startswith("?"):
            fields.append((_attribute(name[1:]), annotation | None, None))
        else:
            fields.append((_attribute(name), annotation))
    made = msgspec.defstruct(
        kind,
        fields,
        bases=(Event,),
        tag=kind,
        tag_field="kind",
        frozen=True,
        kw_only=True,
        rename={_attribute(n.lstrip("?")): n.lstrip("?") for n, _, _ in wire.KINDS[kind]},
    )
    return made


def _attribute(field: str) -> str:
    """`from` is no Python name; it reads `from_`."""
    return field + "_" if field in ("from", "set") else field
