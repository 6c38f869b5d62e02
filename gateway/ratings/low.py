"""The alert on many bad ratings at a counter: a share of the last hours, never of a few. Pure.

It is judged at every fifth rating of a counter and once an hour, so that nobody can tell by the
alert's minute who has just rated. Pads and the QR page count. A paper form does not: it names a
day, not an hour, so it lies in no span of hours, and a week's forms entered at once would raise an
alert about what is long over; each bad one opens its case like any other.
"""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from gateway.ratings.counting import BAD, FEW, Press

CHANNELS = ("pad", "qr")


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
        self._kept: deque[tuple[int, bool, str]] = deque()
        self._since = 0

    def add(self, press: Press) -> bool:
        """Keep a counted rating, but for paper; whether it is the fifth since the last time."""
        if press.channel not in CHANNELS:
            return False
        self._kept.append((press.time, press.level in BAD, press.channel))
        self._since = (self._since + 1) % FEW
        return self._since == 0

    def judge(self, now: int) -> dict[str, Any] | None:
        """The evidence while too many are bad, else None."""
        first = now - self._limits.window
        self._kept = deque(sorted(one for one in self._kept if one[0] > first))
        n, bad = len(self._kept), sum(bad for _, bad, _ in self._kept)
        if n < max(self._limits.least, FEW) or 100 * bad < self._limits.share * n:
            return None
        by = Counter(channel for *_, channel in self._kept)
        channels = {channel: by[channel] for channel in CHANNELS}
        share = round(100 * bad / n, 1)
        pad, qr = channels["pad"], channels["qr"]
        return {
            **{"n": n, "bad": bad, "share": share, "channels": channels},
            "zh": f"{n} 条评价中差评 {bad} 条，占 {share}%（评价器 {pad} 条，二维码 {qr} 条）",
            "en": f"{bad} of {n} ratings are bad, {share} % (pad {pad}, QR page {qr})",
        }


def limits_of(settings: Iterable[tuple[str, Any]]) -> Limits:
    """The rule's settings as values."""
    known = dict(settings)
    return Limits(int(known["window"]), int(known["least"]), float(known["share"]))
