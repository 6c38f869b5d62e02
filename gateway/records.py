"""The records of the rules in order of time, the older ones packed: 7 bytes each instead of 190.

They are wanted again only where evidence is late. Packing costs a third of a microsecond a record,
opening them again a quarter.
"""

from __future__ import annotations

import marshal
import zlib
from bisect import bisect_right
from collections.abc import Iterable, Iterator, Sequence
from operator import itemgetter
from typing import Any

from gateway.engine import Record

BLOCK = 2_048
OPEN = 4 * BLOCK
"""The newest are left as they are: most late evidence is little late."""

_TIME = itemgetter(0)
_PLACE = itemgetter(slice(5))  # what is the same here is the same record


class Records:
    """A sorted list. `records` are in order already."""

    def __init__(self, records: Iterable[Record] = ()) -> None:
        self._heads: list[Record] = []  # the first of each block
        self._counts: list[int] = []
        self._blocks: list[bytes] = []
        self._open = list(records)
        self._pack()

    def __len__(self) -> int:
        return sum(self._counts) + len(self._open)

    def add(self, records: Iterable[Record]) -> None:
        """Sort records in; mostly they follow all that are there."""
        newest = self._open
        late: list[Record] = []
        ordered = sorted(records, key=_PLACE)
        if ordered and newest and _PLACE(ordered[0]) >= _PLACE(newest[-1]):
            newest += ordered
        else:
            for record in ordered:
                if newest and record[:5] >= newest[-1][:5]:
                    newest.append(record)
                else:
                    late.append(record)
        for block, some in self._opened(late):
            for record in some:
                block.insert(bisect_right(block, _PLACE(record), key=_PLACE), record)
        if len(newest) >= OPEN + BLOCK:
            self._pack()

    def remove(self, records: Iterable[Record]) -> None:
        """Take some out; one that is not there changes nothing."""
        for block, some in self._opened(records):
            for record in some:
                place = bisect_right(block, _PLACE(record), key=_PLACE) - 1
                if place >= 0 and block[place] == record:
                    del block[place]

    def between(self, after: int, upto: int) -> Iterator[Record]:
        """Those of after < t <= upto. Nothing may be added or removed until the last is taken."""
        if self._heads and not (self._open and self._open[0][0] <= after):  # mostly it is
            first = max(0, bisect_right(self._heads, after, key=_TIME) - 1)
            last = bisect_right(self._heads, upto, key=_TIME)
            for block in self._blocks[first:last]:
                yield from _cut(_unpacked(block), after, upto)
        yield from _cut(self._open, after, upto)

    def forget(self, upto: int) -> None:
        """Those up to this instant are not wanted again; some of them may stay for a while."""
        whole = max(0, bisect_right(self._heads, upto, key=_TIME) - 1)
        if self._heads and self._open and self._open[0][0] <= upto:
            whole = len(self._heads)
        del self._heads[:whole], self._counts[:whole], self._blocks[:whole]
        if not self._heads:
            del self._open[: bisect_right(self._open, upto, key=_TIME)]

    def newest(self, most: int) -> int | None:
        """From which instant on there are about `most` records; None: there are no more."""
        behind = len(self._open)
        for at in range(len(self._counts) - 1, -1, -1):
            behind += self._counts[at]
            if behind > most:
                return int(self._heads[at][0])
        return None

    def _opened(self, records: Iterable[Record]) -> Iterator[tuple[list[Record], list[Record]]]:
        """(a block, to be changed in place, the records that belong there), each block once."""
        places: dict[int, list[Record]] = {}
        for record in records:
            places.setdefault(self._place_of(record), []).append(record)
        for at in sorted(places, reverse=True):  # one that is split moves those behind it
            if at == len(self._blocks):
                yield self._open, places[at]
            else:
                block = _unpacked(self._blocks[at])
                yield block, places[at]
                self._put(at, block)

    def _place_of(self, record: Record) -> int:
        """The number of the block where a record belongs; those that are open come last."""
        blocks = len(self._blocks)
        if not blocks or (self._open and _PLACE(record) >= _PLACE(self._open[0])):
            return blocks
        return max(0, bisect_right(self._heads, _PLACE(record), key=_PLACE) - 1)

    def _put(self, at: int, block: list[Record]) -> None:
        """In the place of one block: one, or two where it has grown, or none."""
        size = len(block) if len(block) <= 2 * BLOCK else (len(block) + 1) // 2
        parts = [block[n : n + size] for n in range(0, len(block), size)] if block else []
        self._heads[at : at + 1] = [part[0] for part in parts]
        self._counts[at : at + 1] = [len(part) for part in parts]
        self._blocks[at : at + 1] = [_packed(part) for part in parts]

    def _pack(self) -> None:
        """All but the newest."""
        due = max(0, len(self._open) - OPEN) // BLOCK * BLOCK
        for n in range(0, due, BLOCK):
            block = self._open[n : n + BLOCK]
            self._heads.append(block[0])
            self._counts.append(len(block))
            self._blocks.append(_packed(block))
        del self._open[:due]


def _cut(block: list[Record], after: int, upto: int) -> Sequence[Record]:
    first = bisect_right(block, after, key=_TIME)
    last = bisect_right(block, upto, first, key=_TIME)
    return block[first:last]


def _packed(block: list[Record]) -> bytes:
    return zlib.compress(marshal.dumps(block), 1)


def _unpacked(data: bytes) -> list[Record]:
    block: list[Any] = marshal.loads(zlib.decompress(data))
    return block
