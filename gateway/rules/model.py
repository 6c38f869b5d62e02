"""What a rule is: one formula, the articles it cites, its settings, whom it tells, what it does."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import date
from enum import StrEnum
from typing import Any

from gateway.logic import Pulse, Signal
from gateway.signals import Terms
from gateway.site import Site


class Severity(StrEnum):
    CRITICAL = "critical"
    WARNING = "warning"
    NOTICE = "notice"


class Role(StrEnum):
    DUTY = "duty"
    FACILITIES = "facilities"
    COUNTER = "counter"
    EVERYONE = "everyone"


class Unit(StrEnum):
    """How a setting is written in the site file."""

    DURATION = "duration"
    WATTS = "W"
    LUX = "lx"
    CELSIUS = "°C"
    SPAN = "HH:MM-HH:MM"
    COUNT = "n"
    PERCENT = "%"


@dataclass(frozen=True, slots=True)
class Article:
    """Where the rulebook says so, and its words."""

    code: str
    words: str = ""


@dataclass(frozen=True, slots=True)
class Setting:
    """A limit as dated data: (in force from or None, value), newest last; `law`: the book's."""

    unit: Unit
    values: tuple[tuple[date | None, Any], ...]
    law: bool

    @property
    def value(self) -> Any:
        """The newest value."""
        return self.values[-1][1]


def proposed(unit: Unit, value: Any) -> Setting:
    """A threshold of ours (建议值)."""
    return Setting(unit, ((None, value),), law=False)


def law(unit: Unit, value: Any) -> Setting:
    """A number of the rulebook's own (法定)."""
    return Setting(unit, ((None, value),), law=True)


NO_HOLD = law(Unit.DURATION, "0s")


class Act(StrEnum):
    """What the gateway may command when a finding opens; X9 decides whether it does."""

    OFF = "off"  # the circuit or AC, after a warning unless it is lighting
    OFF_IF_VACANT = "off-if-vacant"  # lighting: only while its zone is known vacant
    OFF_BELOW_30W = "off-below-30w"  # a counter that shows work in progress is not cut
    OFF_NOT_LIGHTING = "off-not-lighting"  # hazard: at once, without a warning
    SET = "set"  # the AC to the law's temperature
    NOTHING = "nothing"


@dataclass(frozen=True, slots=True)
class Subject:
    """What one formula is about: `id`, its zone, and the site's value itself."""

    id: str
    zone: str | None
    item: Any


Formula = Callable[[Terms, Any, dict[str, Any]], Signal]


@dataclass(frozen=True, slots=True)
class Rule:
    """One rule. `when(terms, item, limits)` gives its condition for one subject.

    `joined`: violations within `rearm` are one finding; `cites_when`: other articles while a
    signal holds; `pulse`: the condition is a pulse, `hold` after what it tells of, and its finding
    lasts so many ms at most;
    `formula`: the condition as a person reads it; `in_force`: [from, to) or None for open ends.
    """

    id: str
    cites: tuple[Article, ...]
    each: Callable[[Site], Iterable[Subject]]
    when: Formula | None
    severity: Severity
    tells: tuple[Role, ...]
    formula: str
    hold: Setting = NO_HOLD
    acts: Act = Act.NOTHING
    limits: dict[str, Setting] = field(default_factory=dict)
    joined: bool = True
    cites_when: tuple[tuple[Callable[[Terms], Signal], tuple[Article, ...]], ...] = ()
    pulse: int | None = None
    in_force: tuple[date | None, date | None] = (date(2022, 11, 4), date(2027, 11, 4))
    shelvable: bool = True


PulseFormula = Callable[[Terms, Any, dict[str, Any]], Pulse]


def safety(at: str, words: str) -> Article:
    return Article(f"安全 {at}", words)


def fire(at: str, words: str) -> Article:
    return Article(f"消防 {at}", words)


def thrift(at: str, words: str) -> Article:
    return Article(f"厉行节约 {at}", words)
