"""A channel's day as one compressed blob: columns of differences, then zlib."""

from __future__ import annotations

import zlib
from collections.abc import Sequence

Row = tuple[int, int, int, int, int | None, int | None, int | None, int | None, int | None]
# t, boot, seq, log, f1…f5

_COLUMNS = 9


def pack(rows: Sequence[Row]) -> bytes:
    """Rows in order, as bytes."""
    out = bytearray()
    _put(out, len(rows))
    for column in range(_COLUMNS):
        before = step = 0
        for row in rows:
            value = row[column]
            if value is None:
                out.append(0)
                continue
            if column == 0:  # samples come evenly: the difference of differences is nearly nothing
                change = value - before
                _put(out, _zigzag(change - step) + 1)
                step = change
            else:
                _put(out, _zigzag(value - before) + 1)
            before = value
    return zlib.compress(bytes(out), 9)


def unpack(data: bytes) -> list[Row]:
    """What `pack` was given."""
    raw = memoryview(zlib.decompress(data))
    n, at = _get(raw, 0)
    columns: list[list[int | None]] = []
    for column in range(_COLUMNS):
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
    return list(zip(*columns, strict=True)) if n else []


def _zigzag(value: int) -> int:
    return value * 2 if value >= 0 else -value * 2 - 1


def _unzigzag(word: int) -> int:
    return word // 2 if word % 2 == 0 else -(word + 1) // 2


def _put(out: bytearray, word: int) -> None:
    while word > 127:
        out.append(word & 127 | 128)
        word >>= 7
    out.append(word)


def _get(raw: memoryview, at: int) -> tuple[int, int]:
    word = shift = 0
    while True:
        byte = raw[at]
        at += 1
        word |= (byte & 127) << shift
        if byte < 128:
            return word, at
        shift += 7
