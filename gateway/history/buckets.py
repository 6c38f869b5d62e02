"""Pure arithmetic of buckets and energy. Times are Unix ms, values thousandths, all integers:
sums are exact, so that any order of arrival gives the same result."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo

import msgspec

MINUTE = 60_000
HOUR = 3_600_000
DAY = 86_400_000
STEPS = (MINUTE, HOUR, DAY)

HOLD = 10 * MINUTE  # how long a power reading stands where no other follows
FAR = 7 * DAY  # readings farther apart say nothing of the time between


class Reading(msgspec.Struct, frozen=True, gc=False):
    """A meter's word: power in mW, and the counter in mWh where it has one."""

    t: int
    w: int
    wh: int | None


def begin(step: int, t: int, zone: ZoneInfo) -> int:
    """The begin of the bucket that t is in; days are local."""
    if step == DAY:
        return day_of(t // HOUR, zone) if _whole_hours(zone) else _midnight(t, zone)
    return t - t % step


@lru_cache(maxsize=100_000)
def day_of(hour: int, zone: ZoneInfo) -> int:
    """The local midnight at or before an hour (counted since 1970)."""
    return _midnight(hour * HOUR, zone)


def _midnight(t: int, zone: ZoneInfo) -> int:
    local = datetime.fromtimestamp(t / 1000, zone)
    midnight = datetime(local.year, local.month, local.day, tzinfo=zone)
    return round(midnight.timestamp() * 1000)


def next_day(day: int, zone: ZoneInfo) -> int:
    """The local midnight after this one."""
    local = datetime.fromtimestamp(day / 1000, zone) + timedelta(days=1)
    after = datetime(local.year, local.month, local.day, tzinfo=zone)
    return round(after.timestamp() * 1000)


@lru_cache(maxsize=8)
def _whole_hours(zone: ZoneInfo) -> bool:
    offset = datetime(2026, 1, 1, tzinfo=zone).utcoffset()
    return offset is not None and offset.total_seconds() % 3600 == 0


def spent(a: Reading, b: Reading) -> Iterable[tuple[int, int]]:
    """(hour's begin, µWh) between two readings in succession.

    From the counters where both have one, evenly over the time between; a counter that fell has
    been reset and counted from zero. Else a's power, for as long as it stands.
    """
    begun, wh, end, later = a.t, a.wh, b.t, b.wh
    if end - begun > FAR:
        return ()
    if wh is not None and later is not None:
        total = (later - wh if later >= wh else later) * 1000
    else:
        if end - begun > HOLD:
            end = begun + HOLD
        total = a.w * (end - begun) // 3600  # mW·ms are 1/3600 µWh
    if total <= 0:
        return ()
    hour = begun - begun % HOUR
    if end <= hour + HOUR:
        return ((hour, total),)
    found, done = [], 0
    while hour < end:
        until = total * (min(hour + HOUR, end) - begun) // (end - begun)
        if until > done:
            found.append((hour, until - done))
        done, hour = until, hour + HOUR
    return found
