"""Energy by use, and what is left of the main meter."""

from __future__ import annotations

from datetime import date
from typing import Any

from gateway.usage import pure, read
from gateway.usage.pure import HOUR, Span
from gateway.usage.scope import Scope, rounded

USES = ("lighting", "ac", "counter")


def by_use(of: Scope, by_day: dict[tuple[int, date], float]) -> dict[str, Any]:
    """kWh of each use by the hour (up to two days) or the day, and their sums."""
    spans, energy = _use_steps(of, by_day)
    numbers = [*of.metered, *([of.main] if of.main else [])]
    heard = read.heard(of.db, numbers, spans)
    main = read.heard(of.db, [of.main], spans) if of.main else heard
    items = []
    for n, (begin, _) in enumerate(spans):
        used = energy.get(n, {})
        item: dict[str, Any] = {"t": of.shown(begin), **dict.fromkeys((*USES, "rest"))}
        if heard[n] or used:
            item |= {use: rounded(_use(of, used, use)) for use in _metered_uses(of)}
            total = used.get(of.main, 0.0) if of.main and (main[n] or of.main in used) else None
            item["rest"] = rounded(_rest(of, used, total)[0])
        items.append(item)
    whole: dict[int, float] = {}
    for used in energy.values():
        for number, kwh in used.items():
            whole[number] = whole.get(number, 0.0) + kwh
    known = any(heard) or bool(whole)
    main_known = any(main) or of.main in whole
    rest, excess = _rest(of, whole, whole.get(of.main or 0, 0.0) if main_known else None)
    sums = {use: rounded(_use(of, whole, use)) if known else None for use in _metered_uses(of)}
    return {
        "step": "1h" if of.fine else "1d",
        "items": items,
        "sums": dict.fromkeys(USES) | sums | {"rest": rounded(rest) if known else None},
        "rest": _rest_is(of),
        "excess": rounded(excess),
    }


def _rest_is(of: Scope) -> str:
    """How the rest is known: from the main meter, from circuits of no other use, or not."""
    if of.main:
        return "main"
    return "circuits" if any(c.use not in USES for c in of.metered.values()) else "unknown"


def _metered_uses(of: Scope) -> list[str]:
    metered = {c.use for c in of.metered.values()}
    return [use for use in USES if use in metered]


def _use(of: Scope, used: dict[int, float], use: str) -> float:
    return sum(kwh for n, kwh in used.items() if n in of.metered and of.metered[n].use == use)


def _rest(of: Scope, used: dict[int, float], main: float | None) -> tuple[float | None, float]:
    if of.main:
        return pure.the_rest(main, (_use(of, used, use) for use in USES))
    if _rest_is(of) == "unknown":
        return None, 0.0
    others = (n for n, c in of.metered.items() if c.use not in USES)
    return sum(used.get(n, 0.0) for n in others), 0.0


def _use_steps(
    of: Scope, by_day: dict[tuple[int, date], float]
) -> tuple[list[Span], dict[int, dict[int, float]]]:
    """(the steps' spans, {step's number: {meter: kWh}})."""
    energy: dict[int, dict[int, float]] = {}
    if not of.fine:
        at = {day.date: n for n, day in enumerate(of.days)}
        for (number, on), kwh in by_day.items():
            if on in at:
                energy.setdefault(at[on], {})[number] = kwh
        return [(day.begin, day.end) for day in of.days], energy
    begin, end = of.days[0].begin, of.days[-1].end
    spans = [(t, t + HOUR) for t in range(begin, end, HOUR)]
    parts = [(n, (a, b, 1.0)) for n, (a, b) in enumerate(spans)]
    numbers = [*of.metered, *([of.main] if of.main else [])]
    for (number, n), kwh in read.energy_in(of.db, numbers, parts).items():
        energy.setdefault(n, {})[number] = kwh
    return spans, energy
