"""Days and their curve, held against the same weekdays before them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from functools import cache
from typing import Any
from zoneinfo import ZoneInfo

from gateway import schedules
from gateway.history import buckets, series
from gateway.usage import pure, read
from gateway.usage.pure import HOUR, MINUTE
from gateway.usage.scope import HOURLY_DAYS, Day, Scope, rounded

# -- energy by day, and how well it is known


def energy_by_day(of: Scope) -> dict[tuple[int, date], float]:
    """{(meter, day): kWh} of the days shown, their months, and all that they are held against."""
    zone = ZoneInfo(of.site.timezone)
    begin = min(of.months[0].begin, of.day(of.days[0].date - pure.WEEKS_BACK * _WEEK).begin)
    end = min(of.now + 1, of.months[-1].end)
    numbers = {str(c.meter): number for number, c in of.metered.items()}
    if of.main:
        numbers[str(of.site.main_meter)] = of.main
    on = cache(lambda midnight: schedules.local_day(midnight, of.site.timezone))
    sums: dict[tuple[int, date], float] = {}
    if begin >= end:
        return sums
    for device, ch, t, kwh in series.energy(of.db, begin, end, zone):
        number = numbers.get(f"{device}/{ch}")
        if number is not None:
            key = (number, on(buckets.begin(buckets.DAY, t, zone)))
            sums[key] = sums.get(key, 0.0) + kwh
    return sums


_WEEK = timedelta(weeks=1)


@dataclass(frozen=True, slots=True)
class Presence:
    """How well days are known: meters' hours with a word, of those that there could be."""

    hours: dict[date, tuple[int, int]]

    def any(self, day: Day) -> bool:
        return self.hours.get(day.date, (0, 0))[0] > 0

    def share(self, day: Day) -> float | None:
        """0 to 1; None where nothing could be known."""
        seen, could = self.hours.get(day.date, (0, 0))
        return min(1.0, round(seen / could, 4)) if could else None


def presence_of(of: Scope) -> Presence:
    wanted = {day.date: day for day in (*of.months, *of.days)}
    for shown in of.days:
        for on in comparable(of, shown.date):
            wanted.setdefault(on, of.day(on))
    past = [day for day in wanted.values() if day.begin < of.now]
    seen = read.heard(of.db, of.counted, [(day.begin, day.end) for day in past])
    return Presence({day.date: (n, _could(of, day)) for day, n in zip(past, seen, strict=True)})


def _could(of: Scope, day: Day) -> int:
    """Hours of the counted meters that had begun by now, each from its first word on."""
    end = min(day.end, of.now - 10 * MINUTE)  # an hour that has just begun may be silent yet
    return sum(
        -(-(end - max(day.begin, m.first // HOUR * HOUR)) // HOUR)
        for m in of.counted.values()
        if m.first < end
    )


def comparable(of: Scope, on: date) -> list[date]:
    return pure.comparable(on, of.calendar.is_workday)


def counted(
    of: Scope, by_day: dict[tuple[int, date], float], presence: Presence, day: Day
) -> float | None:
    """The day's total, None where no meter was heard and none counted on."""
    found = [by_day[n, day.date] for n in of.counted if (n, day.date) in by_day]
    return sum(found) if found or presence.any(day) else None


def total(of: Scope, by_day: dict[tuple[int, date], float], presence: Presence) -> dict[str, Any]:
    days = [counted(of, by_day, presence, day) for day in of.days]
    known = [kwh for kwh in days if kwh is not None]
    pairs = [presence.hours.get(day.date, (0, 0)) for day in of.days]
    could = sum(c for _, c in pairs)
    return {
        "kwh": rounded(sum(known)) if known else None,
        "known": min(1.0, round(sum(s for s, _ in pairs) / could, 4)) if could else None,
    }


# -- against the same weekdays


def _against(
    of: Scope, by_day: dict[tuple[int, date], float], presence: Presence, day: Day
) -> dict[date, float]:
    """{earlier day: its kWh} of those that are like `day` and well known; today's up to now."""
    found: dict[date, float] = {}
    for on in comparable(of, day.date):
        before = of.day(on)
        like = of.counted_at(before.begin + HOUR) == of.counted_at(min(day.end, of.now)) > 0
        share = presence.share(before)
        kwh = counted(of, by_day, presence, before)
        if not like or kwh is None or share is None or share < pure.ENOUGH:
            continue
        if day.end > of.now:
            cut = of.like(of.now, day, before)
            parts = [(0, part) for part in pure.hours_of([(before.begin, cut)], cut + HOUR)]
            kwh = sum(read.energy_in(of.db, of.counted, parts).values())
        found[on] = kwh
    return found


def usual(
    of: Scope, by_day: dict[tuple[int, date], float], presence: Presence
) -> dict[str, Any] | None:
    """What such days use; `against`: what those of the range that can be held against some used."""
    bands, used = [], 0.0
    dates: list[date] = []
    begun = [day for day in of.days if day.begin < of.now]
    for day in begun:
        kwh = counted(of, by_day, presence, day)
        earlier = _against(of, by_day, presence, day)
        one = pure.band(earlier.values())
        if one is not None and kwh is not None:
            bands.append(one)
            dates = sorted(earlier)
            used += kwh
    if not bands:
        return None
    return {
        "kwh": rounded(sum(b.mid for b in bands)),
        "low": rounded(sum(b.low for b in bands)),
        "high": rounded(sum(b.high for b in bands)),
        "against": rounded(used),
        "days": len(bands),
        "of": len(begun),
        "dates": [d.isoformat() for d in dates] if len(of.days) == 1 else [],
    }


# -- the curve


def curve(of: Scope, by_day: dict[tuple[int, date], float], presence: Presence) -> dict[str, Any]:
    long = len(of.days) > HOURLY_DAYS
    items = _daily(of, by_day, presence) if long else _powers(of)
    most = max((one["n"] for one in items), default=0)
    return {
        "unit": "kWh" if long else "W",
        "step": "1d" if long else "1h" if of.step == HOUR else "10min",
        "most": most,
        "items": items,
    }


def _point(
    t: str, value: float | None, part: float | None, one: pure.Band | None
) -> dict[str, Any]:
    return {
        "t": t,
        "value": rounded(value),
        "part": rounded(part),
        "low": rounded(one.low) if one else None,
        "mid": rounded(one.mid) if one else None,
        "high": rounded(one.high) if one else None,
        "n": one.n if one else 0,
    }


def _powers(of: Scope) -> list[dict[str, Any]]:
    """Mean watts of each step; `part` is what was heard where not every meter was."""

    @cache
    def of_day(on: date) -> dict[int, tuple[float, int]]:
        day = of.day(on)
        return read.power(of.db, of.counted, day.begin, day.end, of.step)

    items = []
    for day in of.days:
        whole = of.counted_at(min(day.end, of.now))
        shown = of_day(day.date) if day.begin < of.now else {}
        earlier = [(of.day(on), of_day(on)) for on in comparable(of, day.date)]
        for slot, t in enumerate(range(day.begin, day.end, of.step)):
            watts, n = shown.get(slot, (None, 0))
            full = n > 0 and n >= of.counted_at(t + of.step)
            then = (
                one.get((of.like(t, day, on) - on.begin) // of.step, (0.0, 0))
                for on, one in earlier
            )
            past = [w for w, m in then if m == whole > 0]
            part = None if full or t + of.step > of.now else watts  # a running step may yet be
            items.append(_point(of.shown(t), watts if full else None, part, pure.band(past)))
    return items


def _daily(
    of: Scope, by_day: dict[tuple[int, date], float], presence: Presence
) -> list[dict[str, Any]]:
    """kWh of each day; `part` is a day that is not over, or not known in every hour."""
    items = []
    for day in of.days:
        kwh = counted(of, by_day, presence, day) if day.begin < of.now else None
        full = day.end <= of.now and presence.share(day) == 1
        earlier = _against(of, by_day, presence, day) if day.begin < of.now else {}
        one = pure.band(earlier.values())
        items.append(_point(of.shown(day.begin), kwh if full else None, None if full else kwh, one))
    return items
