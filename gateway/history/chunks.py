"""A channel's day as one compressed blob: columns of differences, then zlib."""

from __future__ import annotations

import zlib
from collections.abc import Sequence
from itertools import accumulate, pairwise
from math import gcd
from typing import Any

Row = tuple[int, int, int, int, int | None, int | None, int | None, int | None, int | None]
# t, boot, seq, log, f1…f5

_COLUMNS = 9

Damaged = zlib.error
"""What reading a chunk raises that is not as it was written: its checksum tells."""


def pack(rows: Sequence[Row]) -> bytes:
    """Rows in order, as bytes."""
    out = bytearray((0,))
    _put(out, len(rows))
    for number, column in enumerate(zip(*rows, strict=True) if rows else ()):
        known = [value for value in column if value is not None]
        changes = [b - a for a, b in pairwise((0, *known))]
        if number == 0:  # samples come evenly: the difference of differences is nearly nothing
            changes = [b - a for a, b in pairwise((0, *changes))]
        # a meter that tells tenths is stored in tenths
        unit = gcd(*changes[2:]) if len(changes) > 2 else 1
        _put(out, unit)
        _put(out, len(known))
        if len(known) < len(column):
            out += _places(column)
        for change in changes[:2]:
            _put(out, _zigzag(change))
        for change in changes[2:] if unit else ():
            _put(out, _zigzag(change // unit))
    return min(_deflate(out, zlib.Z_DEFAULT_STRATEGY), _deflate(out, zlib.Z_FILTERED), key=len)


def unpack(data: bytes) -> list[Row]:
    """What `pack` was given."""
    return list(zip(*_columns(data, _COLUMNS), strict=True))


def count(data: bytes) -> int:
    """How many rows there are. Raises Damaged."""
    raw = zlib.decompress(data)
    return _get(raw, 0 if raw[0] else 1)[0]


def values(data: bytes, field: int) -> list[tuple[int, int | None]]:
    """(t, value) of one field, 1 to 5, without the columns behind it."""
    columns = _columns(data, 4 + field)
    return list(zip(columns[0], columns[3 + field], strict=True)) if columns else []


def _columns(data: bytes, most: int) -> list[list[Any]]:
    """The first `most` columns; none where there are no rows."""
    raw = zlib.decompress(data)
    if raw[0]:
        return _first_form(memoryview(raw))
    n, at = _get(raw, 1)
    columns: list[list[Any]] = []
    for number in range(most if n else 0):
        unit, at = _get(raw, at)
        count, at = _get(raw, at)
        places = at
        if count < n:
            at += (n + 7) // 8
        changes: list[int] = []
        for _ in range(min(count, 2)):
            word, at = _get(raw, at)
            changes.append(_unzigzag(word))
        if not unit:
            changes += [0] * (count - len(changes))
        for _ in range(count - len(changes)):
            word = raw[at]
            at += 1
            if word > 127:
                word, at = _get(raw, at - 1)
            changes.append(((word >> 1) ^ -(word & 1)) * unit)
        if number == 0:
            changes = list(accumulate(changes))
        known = list(accumulate(changes))
        columns.append(known if count == n else _spread(known, raw[places:], n))
    return columns


def _places(column: Sequence[int | None]) -> bytes:
    """A bit for each value that is there."""
    bits = sum(1 << index for index, value in enumerate(column) if value is not None)
    return bits.to_bytes((len(column) + 7) // 8, "little")


def _spread(known: list[int], places: bytes, n: int) -> list[int | None]:
    values = iter(known)
    return [next(values) if places[i >> 3] >> (i & 7) & 1 else None for i in range(n)]


def _deflate(out: bytearray, strategy: int) -> bytes:
    made = zlib.compressobj(9, zlib.DEFLATED, zlib.MAX_WBITS, 9, strategy)
    return made.compress(out) + made.flush()


def _first_form(raw: memoryview) -> list[list[Any]]:
    """Chunks as they were written before units: 0 for a missing value, else the difference + 1."""
    n, at = _get(raw, 0)
    columns: list[list[Any]] = []
    for column in range(_COLUMNS if n else 0):
        values: list[int | None] = []
        before = step = 0
        for _ in range(n):
            word, at = _get(raw, at)
            if word == 0:
                values.append(None)
                continue
            change = _unzigzag(word - 1)
            if column == 0:
                change += step
                step = change
            before += change
            values.append(before)
        columns.append(values)
    return columns


def _zigzag(value: int) -> int:
    return value * 2 if value >= 0 else -value * 2 - 1


def _unzigzag(word: int) -> int:
    return word // 2 if word % 2 == 0 else -(word + 1) // 2


def _put(out: bytearray, word: int) -> None:
    while word > 127:
        out.append(word & 127 | 128)
        word >>= 7
    out.append(word)


def _get(raw: memoryview | bytes, at: int) -> tuple[int, int]:
    word = shift = 0
    while True:
        byte = raw[at]
        at += 1
        word |= (byte & 127) << shift
        if byte < 128:
            return word, at
        shift += 7
