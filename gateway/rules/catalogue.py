"""Every rule, and what the site file may change about it."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from typing import Any

from gateway import units
from gateway.rules import aircon, devices, doors, house, lights, people, power, service
from gateway.rules.model import Rule, Setting, Unit
from gateway.site import Span

RULES: tuple[Rule, ...] = tuple(
    sorted(
        (
            *lights.RULES,
            *power.RULES,
            *aircon.RULES,
            *doors.RULES,
            *people.RULES,
            *devices.RULES,
            *house.RULES,
            *service.RULES,
        ),
        key=lambda rule: rule.id,
    )
)
by_id: dict[str, Rule] = {rule.id: rule for rule in RULES}
if len(by_id) != len(RULES):
    raise ValueError("two rules share an id")

Limits = dict[str, Any]


def settings_of(rule: Rule) -> dict[str, Setting]:
    """A rule's settings by key: its limits, and `hold` where it has a condition that can last."""
    return rule.limits if rule.when is None else {"hold": rule.hold, **rule.limits}


def check_settings(rule_id: str, settings: dict[str, Any]) -> list[str]:
    """What is wrong with a `[rules."…"]` table, one text a fault; empty when nothing is."""
    rule = by_id.get(rule_id)
    if rule is None:
        return [f"no such rule; allowed: {', '.join(by_id)}"]
    faults = []
    known = settings_of(rule)
    for key, value in settings.items():
        if key == "enabled":
            if not isinstance(value, bool):
                faults.append(f"enabled = {value!r}: true or false")
        elif key not in known:
            faults.append(
                f"{key}: not a setting of {rule_id}; allowed: enabled, {', '.join(known)}"
            )
        else:
            try:
                parse(known[key].unit, value)
            except ValueError as fault:
                faults.append(f"{key} = {value!r}: {fault}")
    return faults


def parse(unit: Unit, value: Any) -> Any:
    """A setting's value as the formulas take it: ms, a number or a Span. Raises ValueError."""
    if unit is Unit.DURATION:
        return units.duration(value)
    if unit is Unit.SPAN:
        return Span(*units.span(value))
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        raise ValueError("a number")
    return float(value)


def enabled(settings: dict[str, Any]) -> bool:
    return bool(settings.get("enabled", True))


def limits_of(rule: Rule, settings: dict[str, Any]) -> list[tuple[date | None, Limits]]:
    """(in force from, every setting parsed) for each dated version; a site's value is one."""
    known = {
        key: replace(setting, values=((None, settings[key]),)) if key in settings else setting
        for key, setting in settings_of(rule).items()
    }
    days = sorted({day for s in known.values() for day, _ in s.values}, key=lambda d: d or date.min)
    return [(day, {key: parse(s.unit, _as_of(s, day)) for key, s in known.items()}) for day in days]


def _as_of(setting: Setting, day: date | None) -> Any:
    value = setting.values[0][1]
    for first, later in setting.values:
        if first is None or (day is not None and first <= day):
            value = later
    return value
