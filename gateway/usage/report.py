"""Everything that the page 能耗 shows of a range of days, from one state of the store."""

from __future__ import annotations

from typing import Any

from gateway.usage.after import after_hours
from gateway.usage.days import counted, curve, energy_by_day, presence_of, total, usual
from gateway.usage.meters import circuits, gaps_of, told
from gateway.usage.scope import Scope, rounded
from gateway.usage.uses import by_use


def report(of: Scope) -> dict[str, Any]:
    """The answer of `GET /energy/report`."""
    by_day = energy_by_day(of)
    presence = presence_of(of)
    gaps = gaps_of(of)
    first = min((meter.first for meter in of.counted.values()), default=None)
    after = after_hours(of)
    heard = {c.id for c in of.metered.values()}
    return {
        "from": of.days[0].date.isoformat(),
        "to": of.days[-1].date.isoformat(),
        "until": of.shown(of.until),
        "basis": ("main" if of.main else "circuits") if of.heard else None,
        "since": of.shown(first) if first is not None else None,
        "tariff": of.site.tariff,
        "total": total(of, by_day, presence),
        "usual": usual(of, by_day, presence),
        "curve": curve(of, by_day, presence),
        "uses": by_use(of, by_day),
        "waste": after["sums"],
        "circuits": circuits(of, by_day, gaps, after),
        "days": [
            {
                "day": day.date.isoformat(),
                "kind": of.calendar.kind(day.date),
                "works": of.calendar.is_workday(day.date),
                "kwh": rounded(counted(of, by_day, presence, day)),
                "waste": rounded(after["days"].get(day.date)),
                "known": presence.share(day),
                "over": day.end <= of.now,
            }
            for day in of.months
        ],
        "gaps": told(of, gaps),
        "unheard": [c.id for c in of.site.circuits if c.meter and c.id not in heard],
        "unmetered": [c.id for c in of.site.circuits if not c.meter],
    }
