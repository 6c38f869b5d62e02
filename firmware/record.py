"""Events as packed records: length, kind, boot and up as varints, fields, CRC32 seeded with seq.

Fields follow `wire.KINDS`: a mask tells which optional ones are there; numbers are zigzag varints
with 0–3 decimals; choices are an index. The seq is not stored: it is implied by the file's name
and the record's place in it, and the CRC would not fit another one.
"""

import binascii
import json

from firmware import wire

MAX_BODY = 1024
MOST = MAX_BODY + 6  # bytes of a whole record
SKIP = 255  # a record that stands for `count` thinned events and carries nothing else
_NAMES = (  # a kind's number is its place here: only ever add at the end
    wire.RATING,
    wire.CONTACT,
    wire.LOCK,
    wire.PRESENCE,
    wire.LUX,
    wire.CLIMATE,
    wire.POWER,
    wire.AC,
    wire.RELAY,
    wire.DETECTOR,
    wire.TAP,
    wire.BUTTON,
    wire.TAMPER,
    wire.DONE,
    wire.LOST,
    wire.HEALTH,
)


def put_varint(out, value):
    """Append a non-negative int, 7 bits a byte, lowest first."""
    while value > 127:
        out.append(value & 127 | 128)
        value >>= 7
    out.append(value)


def get_varint(data, at):
    """(value, next position); IndexError where the data ends."""
    value = 0
    shift = 0
    while True:
        byte = data[at]
        at += 1
        value |= (byte & 127) << shift
        if byte < 128:
            return value, at
        shift += 7


def _put_signed(out, value):
    put_varint(out, value * 2 if value >= 0 else -value * 2 - 1)


def _get_signed(data, at):
    value, at = get_varint(data, at)
    return (value >> 1 if not value & 1 else -(value + 1 >> 1)), at


def _scaled(value):
    """A number as (integer, decimals), by its text, so that 32-bit floats stay exact."""
    text = wire.number(value)
    whole, _, part = text.partition(".")
    return int(whole + part), len(part)


def _put_text(out, text):
    raw = text.encode()
    put_varint(out, len(raw))
    out.extend(raw)


def _get_text(data, at):
    size, at = get_varint(data, at)
    return bytes(data[at : at + size]).decode(), at + size


def _put_value(out, type_, choices, value):
    if choices:
        out.append(choices.index(value))
    elif type_ == wire.BOOL:
        out.append(1 if value else 0)
    elif type_ == wire.LEVEL:
        out.append(value)
    elif type_ == wire.INT:
        _put_signed(out, value)
    elif type_ == wire.NUM:
        digits, decimals = _scaled(value)
        put_varint(out, (digits * 2 if digits >= 0 else -digits * 2 - 1) << 2 | decimals)
    elif type_ == wire.MAP:
        _put_text(out, wire.value_text(value))
    else:
        _put_text(out, value)


def _get_value(data, at, type_, choices):
    if choices:
        return choices[data[at]], at + 1
    if type_ == wire.BOOL:
        return data[at] == 1, at + 1
    if type_ == wire.LEVEL:
        return data[at], at + 1
    if type_ == wire.INT:
        return _get_signed(data, at)
    if type_ == wire.NUM:
        packed, at = get_varint(data, at)
        decimals = packed & 3
        packed >>= 2
        digits = packed >> 1 if not packed & 1 else -(packed + 1 >> 1)
        return (digits / 10**decimals if decimals else digits), at
    if type_ == wire.MAP:
        text, at = _get_text(data, at)
        return json.loads(text), at
    return _get_text(data, at)


def _seal(body, seq):
    head = bytearray()
    put_varint(head, len(body))
    head.extend(body)
    crc = binascii.crc32(head, seq & 0xFFFFFFFF) & 0xFFFFFFFF
    head.extend(crc.to_bytes(4, "little"))
    return bytes(head)


def pack(seq, boot, up, kind, fields):
    """One record. ValueError with the reason when it is no valid event: poison is never queued."""
    why = wire.fault(kind, fields)
    if why:
        raise ValueError(kind + ": " + why)
    body = bytearray()
    body.append(_NAMES.index(kind))
    put_varint(body, boot)
    put_varint(body, up)
    mask = 0
    bit = 1
    for name, _, _ in wire.KINDS[kind]:
        if name[0] == "?":
            if name[1:] in fields:
                mask |= bit
            bit <<= 1
    if bit > 1:
        put_varint(body, mask)
    for name, type_, choices in wire.KINDS[kind]:
        plain = name[1:] if name[0] == "?" else name
        if plain in fields:
            _put_value(body, type_, choices, fields[plain])
    if len(body) > MAX_BODY:
        raise ValueError(kind + ": too long")
    return _seal(body, seq)


def pack_skip(seq, count):
    """A record that says: `count` numbers from `seq` on were given up."""
    body = bytearray()
    body.append(SKIP)
    put_varint(body, count)
    return _seal(body, seq)


def scan(data, at, seq):
    """(position of the body, its end, next position) of the record at `at`, or None if damaged."""
    try:
        size, start = get_varint(data, at)
    except IndexError:
        return None
    end = start + size
    if not 0 < size <= MAX_BODY or end + 4 > len(data):
        return None
    crc = binascii.crc32(bytes(data[at:end]), seq & 0xFFFFFFFF) & 0xFFFFFFFF
    if int.from_bytes(bytes(data[end : end + 4]), "little") != crc:
        return None
    return start, end, end + 4


def kind_at(data, at):
    """The kind whose body begins at `at`; None for a skip."""
    return None if data[at] == SKIP else _NAMES[data[at]]


def skipped(data, at):
    """How many numbers the record whose body begins at `at` stands for: 1, or a skip's count."""
    return get_varint(data, at + 1)[0] if data[at] == SKIP else 1


def unpack(data, at):
    """(kind, boot, up, fields) of the body that begins at `at`."""
    kind = _NAMES[data[at]]
    boot, at = get_varint(data, at + 1)
    up, at = get_varint(data, at)
    table = wire.KINDS[kind]
    mask = 0
    for name, _, _ in table:
        if name[0] == "?":
            mask, at = get_varint(data, at)
            break
    fields = {}
    for name, type_, choices in table:
        if name[0] == "?":
            there = mask & 1
            mask >>= 1
            if not there:
                continue
            name = name[1:]
        fields[name], at = _get_value(data, at, type_, choices)
    return kind, boot, up, fields
