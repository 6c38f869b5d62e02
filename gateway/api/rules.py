"""GET /rules: the rulebook as it is enforced here: words, formulas, values, law or proposed."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter

from gateway.context import Context
from gateway.rules import RULES, check_settings
from gateway.rules.catalogue import settings_of
from gateway.rules.model import Rule, Setting


def router(ctx: Context) -> APIRouter:
    made = APIRouter(tags=["rules"])

    @made.get("/rules")
    def rules() -> dict[str, Any]:
        """Every rule with its articles, its formula and today's values."""
        return {
            "items": [shown(rule, ctx.site.rules.get(rule.id, {})) for rule in RULES],
            "next": None,
        }

    return made


def shown(rule: Rule, given: dict[str, Any]) -> dict[str, Any]:
    """One rule; `given` is the site file's table for it."""
    hold = rule.hold
    first, last = rule.in_force
    return {
        "id": rule.id,
        "cites": [{"text": a.code, "words": a.words} for a in rule.cites],
        "formula": rule.formula,
        "hold": given.get("hold", hold.value),
        "hold_is": _is(hold, "hold" in given),
        "settings": [
            {
                "key": key,
                "value": given.get(key, s.value),
                "unit": s.unit,
                "is": _is(s, key in given),
            }
            for key, s in settings_of(rule).items()
            if key != "hold"
        ],
        "severity": rule.severity,
        "tells": list(rule.tells),
        "acts": rule.acts,
        "enabled": given.get("enabled", True) and not check_settings(rule.id, given),
        "in_force": [first and first.isoformat(), last and last.isoformat()],
        "shelvable": rule.shelvable,
    }


def _is(setting: Setting, changed: bool) -> str:
    """The law's own number stays law only while the site file does not change it."""
    return "law" if setting.law and not changed else "proposed"
