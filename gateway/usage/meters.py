"""Circuits by energy, and when their meters were not heard."""

from __future__ import annotations

from datetime import date
from typing import Any

from gateway.usage import pure, read
from gateway.usage.pure import HOUR, Span
from gateway.usage.scope import Scope, rounded

MOST_GAPS = 50


def gaps_of(of: Scope) -> dict[int, list[Span]]:
    """{meter: when it was not heard} of the counted meters and every circuit's."""
    numbers = [n for n in {*of.metered, *of.counted} if of.heard[n].first < of.until]
    begin = of.days[0].begin
    runs = read.runs(of.db, numbers, begin, of.until, of.step)
    found = {
        n: pure.gaps_between(runs.get(n, []), begin, of.heard[n].first, of.until, of.step)
        for n in numbers
    }
    return {n: spans for n, spans in found.items() if spans}


def told(of: Scope, gaps: dict[int, list[Span]]) -> dict[str, Any]:
    names = {n: c.id for n, c in of.metered.items()}
    named = {names.get(n, ""): spans for n, spans in gaps.items()}
    rows = pure.grouped(named)
    longest = sorted(rows, key=lambda row: row[0][0] - row[0][1])[:MOST_GAPS]
    return {
        "count": len(rows),
        "step": "1h" if of.step == HOUR else "10min",
        "items": [
            {
                "from": of.shown(begin),
                "to": of.shown(end),
                "circuits": sorted(who for who in whom if who),
                "main": "" in whom,
            }
            for (begin, end), whom in sorted(longest)
        ],
    }


def circuits(
    of: Scope,
    by_day: dict[tuple[int, date], float],
    gaps: dict[int, list[Span]],
    after: dict[str, Any],
) -> list[dict[str, Any]]:
    """Every circuit, the largest first; kWh None where its meter was not heard."""
    shown = {day.date for day in of.days}
    sums: dict[int, float] = {}
    for (number, on), kwh in by_day.items():
        if on in shown:
            sums[number] = sums.get(number, 0.0) + kwh
    numbers = {c.id: n for n, c in of.metered.items()}
    rows = []
    for circuit in of.site.circuits:
        n = numbers.get(circuit.id)
        length = 0 if n is None else of.until - max(of.days[0].begin, of.heard[n].first)
        missing = sum(b - a for a, b in gaps.get(n or 0, []))
        share = max(0.0, 1 - missing / length) if length > 0 else None
        heard = n is not None and (bool(share) or n in sums)
        wastes = heard and circuit.use != "protected"
        rows.append(
            {
                "circuit": circuit.id,
                "use": circuit.use,
                "zone": circuit.zone,
                "kwh": rounded(sums.get(n or 0, 0.0)) if heard else None,
                "waste": rounded(after["circuits"].get(n, 0.0)) if wastes else None,
                "known": None if share is None else round(share, 4),
            }
        )
    return sorted(rows, key=lambda row: (row["kwh"] is None, -(row["kwh"] or 0.0), row["circuit"]))
