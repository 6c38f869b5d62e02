"""Three-valued signals over dense time, and the operators of past-time metric temporal logic.

A signal has at each instant one of FALSE, UNKNOWN, TRUE and is constant on [a, b) between the
instants at which it changes. A pulse is true at single instants only. Both are small immutable
values; `graph.py` compiles them, `engine.py` runs them. Times and durations are ms.

| written | true at t when |
|---|---|
| `a & b`, `a \\| b`, `~a` | Kleene's and, or, not |
| `Compare(channel, ">", 10)` | the channel's value compares so; unknown while the channel is |
| `a.held(d)` | a was true on all of [t-d, t]; false if it was false there; else unknown |
| `a.within(d)` | a was true somewhere in (t-d, t]; unknown if it may have been |
| `a.since(b)` | b was true at some s <= t and a on all of (s, t]; of a pulse b, and at t |
| `a.rises()` | pulse: a goes from false to true at t, with nothing unknown between |
| `a.falls()` | pulse: a goes from true to false at t, likewise |
| `p & a`, `p \\| q` | pulse: p at t while a is true at t; either pulse |
| `p.delay(d)` | pulse: p was at t-d |
| `p.quiet(a, d)` | pulse: p at t, and a was true nowhere in [t-d, t) |
| `p.latch(q)` | from a pulse of p until the next pulse of q; at one instant p wins |
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

FALSE, UNKNOWN, TRUE = 0, 1, 2

_SYMBOLS = {">": ">", ">=": "≥", "<": "<", "<=": "≤", "==": "="}


@dataclass(frozen=True, slots=True, eq=False)
class Signal:
    """A truth value over time. Combine with & | ~ and the methods."""

    def __and__(self, other: Signal) -> Signal:
        if isinstance(self, Pulse) or isinstance(other, Pulse):
            pulse, state = (self, other) if isinstance(self, Pulse) else (other, self)
            assert isinstance(pulse, Pulse)
            return Gate(pulse, state)
        return And((*_parts(self, And), *_parts(other, And)))

    def __or__(self, other: Signal) -> Signal:
        if isinstance(self, Pulse) and isinstance(other, Pulse):
            return Either((self, other))
        return Or((*_parts(self, Or), *_parts(other, Or)))

    def __invert__(self) -> Signal:
        return self.arg if isinstance(self, Not) else Not(self)

    def held(self, d: int) -> Signal:
        return Held(self, d) if d else self

    def within(self, d: int) -> Signal:
        return Within(self, d)

    def since(self, start: Signal) -> Signal:
        return Since(self, start)

    def rises(self) -> Pulse:
        return Edge(self, rising=True)

    def falls(self) -> Pulse:
        return Edge(self, rising=False)

    def named(self, zh: str, en: str, not_zh: str = "", not_en: str = "") -> Signal:
        """The same signal under a name of its own in evidence, and a name for its negation."""
        return Named(self, zh, en, not_zh, not_en)


@dataclass(frozen=True, slots=True, eq=False)
class Pulse(Signal):
    """True at single instants."""

    def delay(self, d: int) -> Pulse:
        return Delay(self, d) if d else self

    def quiet(self, state: Signal, d: int) -> Pulse:
        return Quiet(self, state, d)

    def latch(self, reset: Pulse) -> Signal:
        return Latch(self, reset)


def _parts(signal: Signal, of: type[And] | type[Or]) -> tuple[Signal, ...]:
    # only a direct operand is merged: a shared sum such as "anyone inside" keeps its own name
    return signal.args if isinstance(signal, of) else (signal,)


def all_of(*signals: Signal) -> Signal:
    """Kleene's and over any number of signals; true for none."""
    return signals[0] if len(signals) == 1 else And(signals) if signals else CERTAIN


def any_of(*signals: Signal) -> Signal:
    """Kleene's or over any number of signals; false for none."""
    return signals[0] if len(signals) == 1 else Or(signals) if signals else NEVER


@dataclass(frozen=True, slots=True)
class Channel:
    """What a device measures: `field` of its events of `kind` on channel `ch` (and `what`)."""

    device: str
    ch: str
    kind: str
    field: str
    what: str | None = None

    def __str__(self) -> str:
        what = f":{self.what}" if self.what else ""
        return f"{self.device}/{self.ch}{what}"


@dataclass(frozen=True, slots=True, eq=False)
class Constant(Signal):
    value: int

    def __str__(self) -> str:
        return ("false", "unknown", "true")[self.value]


NEVER, UNSURE, CERTAIN = Constant(FALSE), Constant(UNKNOWN), Constant(TRUE)


@dataclass(frozen=True, slots=True, eq=False)
class Compare(Signal):
    """`channel op limit`; booleans compare with `== True`. `name` and `unit` are for evidence."""

    channel: Channel
    op: str
    limit: Any
    zh: str = ""
    en: str = ""
    unit: str = ""

    def __str__(self) -> str:
        if self.limit is True:
            return f"{self.channel}.{self.channel.field}"
        limit = f"{self.limit:g}" if isinstance(self.limit, (int, float)) else str(self.limit)
        return f"{self.channel}.{self.channel.field} {_SYMBOLS[self.op]} {limit}"


Schedule = Callable[[int], tuple[bool, int | None]]
"""t -> (value on [t, next), the instant of the next change or None)."""


@dataclass(frozen=True, slots=True, eq=False)
class Timed(Signal):
    """What a clock or a calendar says; `schedule` gives the value and its next change."""

    name: str
    schedule: Schedule

    def __str__(self) -> str:
        return self.name


@dataclass(frozen=True, slots=True, eq=False)
class Spans(Signal):
    """True while one of the registered stretches with this key is in force (permits)."""

    key: tuple[str, ...]

    def __str__(self) -> str:
        return "(".join(self.key) + ")" * (len(self.key) - 1)


@dataclass(frozen=True, slots=True, eq=False)
class Silent(Signal):
    """A device has said nothing for its `silent_after`."""

    device: str

    def __str__(self) -> str:
        return f"silent({self.device})"


@dataclass(frozen=True, slots=True, eq=False)
class Not(Signal):
    arg: Signal

    def __str__(self) -> str:
        return f"~{_wrap(self.arg)}"


@dataclass(frozen=True, slots=True, eq=False)
class And(Signal):
    args: tuple[Signal, ...]

    def __str__(self) -> str:
        return " & ".join(_wrap(a) for a in self.args)


@dataclass(frozen=True, slots=True, eq=False)
class Or(Signal):
    args: tuple[Signal, ...]

    def __str__(self) -> str:
        return " | ".join(_wrap(a) for a in self.args)


@dataclass(frozen=True, slots=True, eq=False)
class Named(Signal):
    """Without a name of its own the negation is said by `negated`: a device's name is told once."""

    arg: Signal
    zh: str
    en: str
    not_zh: str
    not_en: str

    def negated(self) -> tuple[str, str]:
        return self.not_zh or f"非（{self.zh}）", self.not_en or f"not ({self.en})"

    def __str__(self) -> str:
        return self.en


@dataclass(frozen=True, slots=True, eq=False)
class Held(Signal):
    arg: Signal
    d: int

    def __str__(self) -> str:
        return f"{_of(self.arg)}.held({duration(self.d)})"


@dataclass(frozen=True, slots=True, eq=False)
class Within(Signal):
    arg: Signal
    d: int

    def __str__(self) -> str:
        return f"{_of(self.arg)}.within({duration(self.d)})"


@dataclass(frozen=True, slots=True, eq=False)
class Since(Signal):
    arg: Signal
    start: Signal

    def __str__(self) -> str:
        return f"{_of(self.arg)}.since({self.start})"


@dataclass(frozen=True, slots=True, eq=False)
class Tap(Pulse):
    """A card or tag of `tags` (lower-case hex) is read, on `device` or anywhere."""

    tags: frozenset[str]
    device: str | None = None

    def __str__(self) -> str:
        where = f", {self.device}" if self.device else ""
        return f"tap({'/'.join(sorted(self.tags))}{where})"


@dataclass(frozen=True, slots=True, eq=False)
class Entered(Pulse):
    """An entry is registered by a person (contract, semantics 6)."""

    def __str__(self) -> str:
        return "entry"


@dataclass(frozen=True, slots=True, eq=False)
class Edge(Pulse):
    arg: Signal
    rising: bool

    def __str__(self) -> str:
        return f"{_of(self.arg)}.{'rises' if self.rising else 'falls'}()"


@dataclass(frozen=True, slots=True, eq=False)
class Gate(Pulse):
    pulse: Pulse
    state: Signal

    def __str__(self) -> str:
        return f"{_wrap(self.pulse)} & {_wrap(self.state)}"


@dataclass(frozen=True, slots=True, eq=False)
class Either(Pulse):
    args: tuple[Pulse, ...]

    def __str__(self) -> str:
        return " | ".join(_wrap(a) for a in self.args)


@dataclass(frozen=True, slots=True, eq=False)
class Delay(Pulse):
    pulse: Pulse
    d: int

    def __str__(self) -> str:
        return f"{_of(self.pulse)}.delay({duration(self.d)})"


@dataclass(frozen=True, slots=True, eq=False)
class Quiet(Pulse):
    pulse: Pulse
    state: Signal
    d: int

    def __str__(self) -> str:
        return f"{_of(self.pulse)}.quiet({self.state}, {duration(self.d)})"


@dataclass(frozen=True, slots=True, eq=False)
class Latch(Signal):
    put: Pulse
    reset: Pulse

    def __str__(self) -> str:
        return f"{_wrap(self.put)}.latch({self.reset})"


def _of(signal: Signal) -> str:
    """As what stands before a dot: `(~a).held(15min)` is not `~a.held(15min)`."""
    return f"({signal})" if isinstance(signal, Not) else _wrap(signal)


def _wrap(signal: Signal) -> str:
    simple = not isinstance(signal, (And, Or, Gate, Either))
    return str(signal) if simple else f"({signal})"


def duration(ms: int) -> str:
    """`900000` -> `15min`, as in the site file."""
    if ms % 1000:
        return f"{ms}ms"
    parts = []
    for unit, size in (("h", 3600000), ("min", 60000), ("s", 1000)):
        count, ms = divmod(ms, size)
        if count:
            parts.append(f"{count}{unit}")
    return "".join(parts) or "0s"
