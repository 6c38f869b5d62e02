"""Sets of whole numbers kept as ranges: which of a log's numbers have come."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Iterator


class Intervals:
    """A set of integers ≥ 1 as sorted, disjoint, never adjacent closed ranges."""

    __slots__ = ("_ends", "_starts")

    def __init__(self, ranges: Iterable[tuple[int, int]] = ()) -> None:
        self._starts: list[int] = []
        self._ends: list[int] = []
        for first, last in ranges:
            self.add(first, last)

    def add(self, first: int, last: int | None = None) -> None:
        """Put first…last in (`first` alone without `last`); an empty range does nothing."""
        last = first if last is None else last
        if first > last:
            return
        starts, ends = self._starts, self._ends
        if ends and first == ends[-1] + 1:
            ends[-1] = last
            return
        low = bisect_left(ends, first - 1)
        high = bisect_right(starts, last + 1)
        if low < high:
            first = min(first, starts[low])
            last = max(last, ends[high - 1])
        starts[low:high] = [first]
        ends[low:high] = [last]

    def follows(self, number: int) -> bool:
        """Put in the number after the highest, and tell whether it was that one."""
        ends = self._ends
        if ends and number == ends[-1] + 1:
            ends[-1] = number
            return True
        return False

    def __contains__(self, number: int) -> bool:
        if not self._ends or number > self._ends[-1]:
            return False
        place = bisect_left(self._ends, number)
        return place < len(self._starts) and self._starts[place] <= number

    def __iter__(self) -> Iterator[tuple[int, int]]:
        return iter(zip(self._starts, self._ends, strict=True))

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Intervals) and list(self) == list(other)

    __hash__ = None  # type: ignore[assignment]

    @property
    def head(self) -> int:
        """The highest n with every number from 1 to n in the set; 0 without 1."""
        return self._ends[0] if self._starts and self._starts[0] == 1 else 0

    @property
    def top(self) -> int:
        """The highest number; 0 when empty."""
        return self._ends[-1] if self._ends else 0

    def missing(self, first: int, last: int) -> list[tuple[int, int]]:
        """The ranges of first…last that are not in the set."""
        gaps: list[tuple[int, int]] = []
        place = bisect_left(self._ends, first)
        while first <= last:
            if place >= len(self._starts) or self._starts[place] > last:
                gaps.append((first, last))
                break
            if self._starts[place] > first:
                gaps.append((first, self._starts[place] - 1))
            first = self._ends[place] + 1
            place += 1
        return gaps
