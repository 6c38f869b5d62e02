"""Sorting more than memory holds: sorted runs on disk, merged block by block."""

from __future__ import annotations

import marshal
import tempfile
from bisect import bisect_right
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, BinaryIO

BLOCK = 4096  # records read back at once
_MOST = 1 << 31  # bytes of one value; more is a damaged file
Item = tuple[Any, ...]


def put(target: BinaryIO, value: Any) -> None:
    """Write one value so that `take` reads it back."""
    data = marshal.dumps(value)
    target.write(len(data).to_bytes(8, "little"))
    target.write(data)


def take(source: BinaryIO) -> Any:
    """Read one value. Raises EOFError, ValueError or TypeError where the file is damaged."""
    # marshal.load would ask the file for a few bytes at a time
    length = int.from_bytes(source.read(8), "little")
    data = source.read(length) if length < _MOST else b""
    if not length or len(data) != length:
        raise EOFError("the file ends too early")
    return marshal.loads(data)


class Spill:
    """A scratch file that takes sorted runs of marshallable tuples; gone when closed."""

    def __init__(self, folder: Path | None = None) -> None:
        self._file: BinaryIO = tempfile.TemporaryFile(dir=folder)  # noqa: SIM115 - close() ends it

    def write(self, run: list[Item]) -> list[int]:
        """Put down one sorted run; returns where its blocks begin."""
        self._file.seek(0, 2)
        places = []
        for first in range(0, len(run), BLOCK):
            places.append(self._file.tell())
            put(self._file, run[first : first + BLOCK])
        return places

    def read(self, places: Iterable[int]) -> Iterator[list[Item]]:
        """The blocks of a run, one after the other."""
        for place in places:
            self._file.seek(place)
            yield take(self._file)

    def close(self) -> None:
        self._file.close()


def merge(runs: Iterable[Iterator[list[Item]]]) -> Iterator[list[Item]]:
    """Sorted blocks out of sorted runs; holds one block a run in memory."""
    heads: list[tuple[list[Item], int, Iterator[list[Item]]]] = []
    for run in runs:
        block = next(run, None)
        if block:
            heads.append((block, 0, run))
    while heads:
        if len(heads) == 1:
            block, at, run = heads[0]
            yield block[at:] if at else block
            yield from run
            return
        cut = min(block[-1] for block, _, _ in heads)
        out: list[Item] = []
        kept = []
        for block, at, run in heads:
            end = bisect_right(block, cut, at)
            out += block[at:end]
            if end < len(block):
                kept.append((block, end, run))
                continue
            following = next(run, None)
            if following:
                kept.append((following, 0, run))
        heads = kept
        out.sort()
        yield out


class Sorter:
    """Takes records in any order, gives them sorted; at most about `limit` stay in memory."""

    def __init__(self, limit: int, folder: Path | None = None) -> None:
        self._limit, self._folder = limit, folder
        self._held: list[Item] = []
        self._runs: list[list[int]] = []
        self._spill: Spill | None = None

    def extend(self, records: Iterable[Item]) -> None:
        self._held.extend(records)
        if len(self._held) > self._limit:
            self._put_down()

    def _put_down(self) -> None:
        if self._spill is None:
            self._spill = Spill(self._folder)
        self._held.sort()
        self._runs.append(self._spill.write(self._held))
        self._held = []

    def sorted(self) -> Iterator[list[Item]]:
        """Every record, in sorted blocks; call once."""
        self._held.sort()
        if self._spill is None:
            return iter([self._held] if self._held else [])
        self._put_down()
        spill = self._spill
        return merge([spill.read(places) for places in self._runs])

    def close(self) -> None:
        if self._spill is not None:
            self._spill.close()
