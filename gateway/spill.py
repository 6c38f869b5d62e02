"""Sorting more than memory holds: sorted runs on disk, merged block by block."""

from __future__ import annotations

import marshal
import tempfile
from bisect import bisect_right
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, BinaryIO

BLOCK = 2048  # records read back at once
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


Run = tuple[Item, Iterator[list[Item]]]
"""A sorted run's first record and its blocks, the first block included."""


def merge(runs: Iterable[Run]) -> Iterator[list[Item]]:
    """Sorted blocks out of sorted runs.

    A run is opened only once the others have come to its first record, so that memory holds one
    block of each of those that overlap, not of all.
    """
    waiting = sorted(runs, key=lambda run: run[0], reverse=True)
    heads: list[tuple[list[Item], int, Iterator[list[Item]]]] = []
    while heads or waiting:
        cut = min(block[-1] for block, _, _ in heads) if heads else waiting[-1][0]
        while waiting and waiting[-1][0] <= cut:
            run = waiting.pop()[1]
            block = next(run)
            heads.append((block, 0, run))
            cut = min(cut, block[-1]) if len(heads) > 1 else block[-1]
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
        if len(heads) > 1:
            out.sort()
        heads = kept
        yield out


class Sorter:
    """Takes records in any order, gives them sorted; at most about `limit` stay in memory."""

    def __init__(self, limit: int, folder: Path | None = None) -> None:
        self._limit, self._folder = limit, folder
        self._held: list[Item] = []
        self._runs: list[tuple[Item, list[int]]] = []
        self._spill: Spill | None = None

    def extend(self, records: Iterable[Item]) -> None:
        self._held.extend(records)
        if len(self._held) > self._limit:
            self._put_down()

    def _put_down(self) -> None:
        if self._spill is None:
            self._spill = Spill(self._folder)
        self._held.sort()
        if self._held:
            self._runs.append((self._held[0], self._spill.write(self._held)))
        self._held = []

    def sorted(self) -> Iterator[list[Item]]:
        """Every record, in sorted blocks; call once."""
        self._held.sort()
        if self._spill is None:
            return iter([self._held] if self._held else [])
        self._put_down()
        spill = self._spill
        return merge([(first, spill.read(places)) for first, places in self._runs])

    def close(self) -> None:
        if self._spill is not None:
            self._spill.close()
