"""The energy report of the made-up hall: any days, as `GET /energy/report` tells them."""

from __future__ import annotations

import math
from datetime import date, datetime, timedelta
from typing import Any

from hall import CIRCUITS, CST, NOW

USES = ("lighting", "ac", "counter")
WATTS = {"lighting": 3200.0, "ac": 5400.0, "counter": 1800.0, "protected": 260.0}
FIRST = date(2026, 6, 3)  # before it nothing was heard


def _awake(t: datetime) -> float:
    h = t.hour + t.minute / 60
    return math.sin((h - 7.5) / 11 * math.pi) if t.weekday() < 5 and 7.5 < h < 18.5 else 0.0


def _watts(use: str, t: datetime) -> float:
    return WATTS[use] * (_awake(t) if use != "protected" else 1.0) + 40


def _kwh(use: str, day: date, hours: int = 24) -> float:
    begin = datetime(day.year, day.month, day.day, tzinfo=CST)
    return sum(_watts(use, begin + timedelta(hours=h)) for h in range(hours)) / 1000


def _known(day: date) -> bool:
    return FIRST <= day <= NOW.date()


def _hours(day: date) -> int:
    return NOW.hour if day == NOW.date() else 24


def _stamp(t: datetime) -> str:
    return t.isoformat(timespec="milliseconds")


def _point(t: datetime, value: float | None, mid: float, part: bool, n: int) -> dict[str, Any]:
    return {
        "t": _stamp(t),
        "value": None if part else value,
        "part": value if part else None,
        **({"low": mid * 0.9, "mid": mid, "high": mid * 1.1} if n else {}),
        **({} if n else {"low": None, "mid": None, "high": None}),
        "n": n,
    }


def _curve(days: list[date]) -> dict[str, Any]:
    items, n = [], 4 if days[0] - timedelta(weeks=1) >= FIRST else 0
    if len(days) > 16:
        for day in days:
            begin = datetime(day.year, day.month, day.day, tzinfo=CST)
            value = sum(_kwh(use, day, _hours(day)) for use in WATTS) if _known(day) else None
            mid = sum(_kwh(use, day) for use in WATTS)
            items.append(_point(begin, value, mid, day == NOW.date(), n))
        return {"unit": "kWh", "step": "1d", "most": n, "items": items}
    step = timedelta(minutes=10) if len(days) <= 2 else timedelta(hours=1)
    t = datetime(days[0].year, days[0].month, days[0].day, tzinfo=CST)
    end = t + timedelta(days=len(days))
    while t < end:
        mid = sum(_watts(use, t) for use in WATTS)
        gap = t.date() == NOW.date() and 3 <= t.hour < 5
        value = mid * 1.04 if t + step <= NOW and _known(t.date()) and not gap else None
        items.append(_point(t, value, mid, False, n))
        t += step
    step_name = "10min" if len(days) <= 2 else "1h"
    return {"unit": "W", "step": step_name, "most": n, "items": items}


def _uses(days: list[date]) -> dict[str, Any]:
    items = []
    for day in days:
        begin = datetime(day.year, day.month, day.day, tzinfo=CST)
        for hour in range(24) if len(days) <= 2 else (None,):
            t = begin if hour is None else begin + timedelta(hours=hour)
            row: dict[str, Any] = {"t": _stamp(t), **dict.fromkeys((*USES, "rest"))}
            if _known(day) and t < NOW:
                for use, key in zip(WATTS, (*USES, "rest"), strict=True):
                    kwh = _kwh(use, day, _hours(day)) if hour is None else _watts(use, t) / 1000
                    row[key] = round(kwh, 4)
            items.append(row)
    sums = {key: sum(row[key] or 0.0 for row in items) for key in (*USES, "rest")}
    step = "1h" if len(days) <= 2 else "1d"
    return {"step": step, "items": items, "sums": sums, "rest": "circuits", "excess": 0.0}


def _day(day: date) -> dict[str, Any]:
    known = _known(day)
    return {
        "day": day.isoformat(),
        "kind": "workday" if day.weekday() < 5 else "off",
        "works": day.weekday() < 5,
        "kwh": sum(_kwh(use, day, _hours(day)) for use in WATTS) if known else None,
        "waste": 1.4 if known else None,
        "known": (0.92 if day == NOW.date() else 1.0) if known else None,
        "over": day < NOW.date(),
    }


def report(first: str, last: str, *, empty: bool) -> dict[str, Any]:
    """The days `first` to `last`, both included."""
    a, b = date.fromisoformat(first), date.fromisoformat(last)
    days = [a + timedelta(days=n) for n in range((b - a).days + 1)]
    month_end = (b.replace(day=28) + timedelta(days=4)).replace(day=1) - timedelta(days=1)
    begin = a.replace(day=1)
    end = datetime(b.year, b.month, b.day, tzinfo=CST) + timedelta(days=1)
    if empty:
        return _nothing(first, last, _stamp(min(NOW, end)))
    total = sum(_day(day)["kwh"] or 0.0 for day in days)
    gap = datetime(NOW.year, NOW.month, NOW.day, 3, tzinfo=CST)
    held = a <= NOW.date() <= b
    metered = [c for c in CIRCUITS if c["meter"]]
    return {
        "from": first,
        "to": last,
        "until": _stamp(min(NOW, end)),
        "basis": "circuits",
        "since": f"{FIRST.isoformat()}T00:00:00.000+08:00",
        "tariff": 0.8,
        "total": {"kwh": total, "known": 0.98},
        "usual": {
            "kwh": total * 0.96,
            "low": total * 0.9,
            "high": total * 1.06,
            "against": total,
            "days": len(days),
            "of": len(days),
            "dates": [(a - timedelta(weeks=n)).isoformat() for n in (4, 3, 2, 1)],
        },
        "curve": _curve(days),
        "uses": _uses(days),
        "waste": {"kwh": 1.4 * len(days), "permitted": 0.6},
        "circuits": [
            {
                "circuit": c["id"],
                "use": c["use"],
                "zone": c["zone"],
                "kwh": round(21.4 / (i + 1), 3),
                "waste": None if c["use"] == "protected" else round(0.9 / (i + 1), 3),
                "known": 1.0,
            }
            for i, c in enumerate(metered)
        ],
        "days": [_day(begin + timedelta(days=n)) for n in range((month_end - begin).days + 1)],
        "gaps": {
            "count": int(held),
            "step": "10min",
            "items": [
                {
                    "from": _stamp(gap),
                    "to": _stamp(gap + timedelta(hours=2)),
                    "circuits": [c["id"] for c in metered],
                    "main": False,
                }
            ][: int(held)],
        },
        "unheard": [],
        "unmetered": [],
    }


def _nothing(first: str, last: str, until: str) -> dict[str, Any]:
    return {
        "from": first,
        "to": last,
        "until": until,
        "basis": None,
        "since": None,
        "tariff": 0.8,
        "total": {"kwh": None, "known": None},
        "usual": None,
        "curve": {"unit": "W", "step": "10min", "most": 0, "items": []},
        "uses": {
            "step": "1h",
            "items": [],
            "sums": dict.fromkeys((*USES, "rest")),
            "rest": "unknown",
            "excess": 0.0,
        },
        "waste": {"kwh": None, "permitted": None},
        "circuits": [],
        "days": [],
        "gaps": {"count": 0, "step": "10min", "items": []},
        "unheard": [],
        "unmetered": [],
    }
