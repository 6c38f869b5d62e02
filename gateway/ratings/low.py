"""The alert on many bad ratings at a counter: a share of the last hours, never of a few. Pure.

It is judged at every fifth rating of a counter and once an hour, so that nobody can tell by the
alert's minute who has just rated.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from gateway.ratings.counting import BAD, FEW, Press


@dataclass(frozen=True, slots=True)
class Limits:
    """`window` in ms; `share` in percent."""

    window: int
    least: int
    share: float


class Recent:
    """The counted ratings of one counter in the last hours."""

    def __init__(self, limits: Limits) -> None:
        self._limits = limits
        self._kept: deque[tuple[int, bool]] = deque()
        self._since = 0

    def add(self, press: Press) -> bool:
        """Keep a counted rating; whether it is the fifth since the last time."""
        self._kept.append((press.time, press.level in BAD))
        self._since = (self._since + 1) % FEW
        return self._since == 0

    def judge(self, now: int) -> dict[str, Any] | None:
        """The evidence while too many are bad, else None."""
        first = now - self._limits.window
        self._kept = deque(sorted(one for one in self._kept if one[0] > first))
        n, bad = len(self._kept), sum(bad for _, bad in self._kept)
        if n < max(self._limits.least, FEW) or 100 * bad < self._limits.share * n:
            return None
        return {"n": n, "bad": bad, "share": round(100 * bad / n, 1)}


def limits_of(settings: Iterable[tuple[str, Any]]) -> Limits:
    """The rule's settings as values."""
    known = dict(settings)
    return Limits(int(known["window"]), int(known["least"]), float(known["share"]))
