"""The rules as a page: `python -m gateway.rules.table > docs/rules.md`."""

from __future__ import annotations

import sys
from typing import Any

from gateway.rules.catalogue import RULES, settings_of
from gateway.rules.model import NO_HOLD, Act, Role, Rule, Setting, Unit

_INTRO = """# The rules

Generated from `gateway/rules` by `python -m gateway.rules.table > docs/rules.md`.

*Law* (法定): the rulebook's own number. *Proposed* (建议): ours. Either can be set in the site file
under `[rules."ID"]`; `enabled = false` switches a rule off. Rules are in force from 2022-11-04 to
2027-11-03 (有效期五年); a lapsed rule keeps running and says so. Violations of one rule and subject
at most `engine.rearm` (10 min) apart are one finding, but for the rules marked ¹.

| rule | severity, told | true when | hold | settings | switched | articles and their words |
|---|---|---|---|---|---|---|
"""

_ROLES = {
    Role.DUTY: "duty 值班",
    Role.FACILITIES: "facilities 后勤",
    Role.COUNTER: "counter 窗口",
    Role.EVERYONE: "everyone 所有人",
}
_ACTS = {
    Act.OFF: "off, after a warning of 5 min",
    Act.OFF_IF_VACANT: "off while the zone is known vacant",
    Act.OFF_BELOW_30W: "off below 30 W, after a warning of 5 min",
    Act.OFF_NOT_LIGHTING: "off at once, lighting never",
    Act.SET: "set to the limit",
    Act.NOTHING: "–",
}


def markdown() -> str:
    """The whole page."""
    return _INTRO + "".join(_row(rule) for rule in RULES)


def _row(rule: Rule) -> str:
    cells = (
        f"`{rule.id}`" + ("" if rule.joined else " ¹"),
        f"{rule.severity}: {', '.join(_ROLES[role] for role in rule.tells)}"
        + ("" if rule.shelvable else "; cannot be shelved"),
        rule.formula,
        _hold(rule),
        "<br>".join(_setting(key, s) for key, s in settings_of(rule).items() if key != "hold")
        or "–",
        _ACTS[rule.acts],
        _articles(rule),
    )
    return "| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |\n"


def _hold(rule: Rule) -> str:
    if rule.pulse is not None:
        return f"{rule.hold.value} entry delay {_source(rule.hold)}"
    return "0" if rule.hold is NO_HOLD else f"{rule.hold.value} {_source(rule.hold)}"


def _setting(key: str, setting: Setting) -> str:
    return f"{key} = {_value(setting)} {_source(setting)}"


def _value(setting: Setting) -> Any:
    plain = setting.unit in (Unit.DURATION, Unit.SPAN)
    return setting.value if plain else f"{setting.value} {setting.unit}"


def _source(setting: Setting) -> str:
    return "(law)" if setting.law else "(proposed)"


def _articles(rule: Rule) -> str:
    every = [*rule.cites, *(a for _, articles in rule.cites_when for a in articles)]
    return "<br>".join(f"{a.code}“{a.words}”" for a in dict.fromkeys(every)) or "–"


if __name__ == "__main__":
    sys.stdout.write(markdown())
