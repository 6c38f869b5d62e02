"""Time as a value: a clock that is read in one place per turn, and instants as text."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo

from gateway.errors import InputFault

SHANGHAI = "Asia/Shanghai"
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MS = timedelta(milliseconds=1)


@dataclass(frozen=True, slots=True)
class Clock:
    """The wall clock, or with a start or a speed a simulated one that began when it was made."""

    start_ms: int | None = None
    speed: float = 1
    _origin: float = field(default_factory=time.monotonic, repr=False, compare=False)
    _wall: int = field(
        default_factory=lambda: time.time_ns() // 1_000_000, repr=False, compare=False
    )

    def now(self) -> int:
        """Unix ms."""
        if self.start_ms is None and self.speed == 1:
            return time.time_ns() // 1_000_000
        start = self._wall if self.start_ms is None else self.start_ms
        return start + int((time.monotonic() - self._origin) * 1000 * self.speed)

    def monotonic(self) -> float:
        """Real seconds that only go forward, for network timers, which stay real at any speed."""
        return time.monotonic()

    def real_seconds(self, ms: int) -> float:
        """How long `ms` of this clock last on the wall, in seconds."""
        return ms / 1000 / self.speed


def parse_instant(text: str, tz: str = SHANGHAI) -> int:
    """Unix ms of an ISO 8601 instant; without an offset it is local to `tz`. Raises InputFault."""
    try:
        moment = datetime.fromisoformat(text.strip())
        if moment.tzinfo is None:
            moment = moment.replace(tzinfo=_zone(tz))
        ms = (moment - _EPOCH) // _MS
    except (ValueError, OverflowError):
        ms = -1
    if ms < 0:
        raise InputFault(
            f"{text!r} is no instant: use ISO 8601 such as 2026-07-01T18:00:00+08:00 "
            f"(without an offset: {tz})"
        )
    return ms


def iso(ms: int, tz: str = SHANGHAI) -> str:
    """ "2026-07-01T18:00:00.000+08:00" of Unix ms."""
    number, rest = divmod(ms, _QUARTER_MS)
    quarter = _quarter(number, tz)
    if quarter is None:
        moment = datetime.fromtimestamp(ms // 1000, _zone(tz))
        return moment.replace(microsecond=ms % 1000 * 1000).isoformat(timespec="milliseconds")
    hour, minute, offset = quarter
    return f"{hour}{minute + rest // 60_000:02}:{rest // 1000 % 60:02}.{rest % 1000:03}{offset}"


_QUARTER_MS = 900_000


@lru_cache(maxsize=4096)
def _quarter(number: int, tz: str) -> tuple[str, int, str] | None:
    """("2026-07-01T18:", 45, "+08:00") of a quarter of an hour counted since 1970: a plot has
    thousands of instants. None where the offset is no whole number of quarters."""
    first, last = (
        datetime.fromtimestamp(number * 900 + at, _zone(tz)).isoformat(timespec="milliseconds")
        for at in (0, 899)
    )
    if first[:14] != last[:14] or first[23:] != last[23:] or first[17:19] != "00":
        return None
    return first[:14], int(first[14:16]), first[23:]


@lru_cache(maxsize=8)
def _zone(name: str) -> ZoneInfo:
    return ZoneInfo(name)
