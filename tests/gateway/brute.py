"""What a formula says, by its definition and nothing else: the judge of the engine.

Written apart from the engine, in closed form: no state, no order of events; every instant asks
about all that came before. Breakpoints and durations are whole ms, so a state is constant on each
[n, n+1) and `state(f)[n]` is its value there; a pulse is at whole instants. Before the beginning
(0) every state is unknown and no pulse is. The definitions are those of `gateway.logic`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from gateway import logic
from gateway.logic import FALSE, TRUE, UNKNOWN

Violation = tuple[int, int, int | None]
"""(since, start, end)"""


class Brute:
    """One history: `channels[ch][n]` is True, False or None; `taps[tag]` the instants of taps."""

    def __init__(
        self, channels: Mapping[str, Sequence[bool | None]], taps: Mapping[str, set[int]], end: int
    ) -> None:
        self.channels, self.taps, self.end = channels, taps, end
        self._known: dict[int, tuple[Any, Any]] = {}

    def state(self, f: logic.Signal) -> list[int]:
        """The value on [n, n+1) for n from 0 to the end."""
        return self._remembered(f, self._state)

    def pulse(self, f: logic.Signal) -> list[bool]:
        """Whether it is true at n."""
        return self._remembered(f, self._pulse)

    def _remembered(self, f: logic.Signal, judge: Any) -> Any:
        found = self._known.get(id(f))
        if found is None:
            found = self._known[id(f)] = (f, [judge(f, n) for n in range(self.end + 1)])
        return found[1]

    def _at(self, f: logic.Signal, n: int) -> int:
        return self.state(f)[n] if n >= 0 else UNKNOWN

    def _is(self, p: logic.Signal, n: int) -> bool:
        return n >= 0 and self.pulse(p)[n]

    def _state(self, f: logic.Signal, n: int) -> int:
        match f:
            case logic.Compare(channel):
                v = self.channels[channel.ch][n]
                return UNKNOWN if v is None else TRUE if v else FALSE
            case logic.Constant(value):
                return value
            case logic.Timed(_, schedule):
                return TRUE if schedule(n)[0] else FALSE
            case logic.Not(arg):
                return 2 - self._at(arg, n)
            case logic.And(args):
                return min(self._at(a, n) for a in args)
            case logic.Or(args):
                return max(self._at(a, n) for a in args)
            case logic.Held(arg, d):
                return min(self._at(arg, k) for k in range(n - d, n + 1))
            case logic.Within(arg, d) if isinstance(arg, logic.Pulse):
                return TRUE if any(self._is(arg, k) for k in range(n - d + 1, n + 1)) else FALSE
            case logic.Within(arg, d):
                return max(self._at(arg, k) for k in range(n - d, n + 1))
            case logic.Since(a, b):
                return self._since(a, b, n)
            case logic.Latch(put, reset):
                puts = [k for k in range(n + 1) if self._is(put, k)]
                resets = [k for k in range(n + 1) if self._is(reset, k)]
                return TRUE if puts and (not resets or resets[-1] <= puts[-1]) else FALSE
        raise TypeError(f)

    def _since(self, a: logic.Signal, b: logic.Signal, n: int) -> int:
        """b somewhere in [k, k+1) and a from there on; k = -1: anywhere before the beginning."""
        if isinstance(b, logic.Pulse):
            starts = [k for k in range(n + 1) if self._is(b, k)]
            return max((self._lowest(a, k, n) for k in starts), default=FALSE)
        earlier = (min(self._at(b, k), self._lowest(a, k, n)) for k in range(-1, n))
        return max(self._at(b, n), *earlier)

    def _lowest(self, a: logic.Signal, first: int, last: int) -> int:
        return min(self._at(a, k) for k in range(first, last + 1))

    def _pulse(self, f: logic.Signal, n: int) -> bool:
        match f:
            case logic.Tap(tags):
                return any(n in self.taps[tag] for tag in tags)
            case logic.Edge(arg, rising):
                ends = (FALSE, TRUE) if rising else (TRUE, FALSE)
                return (self._at(arg, n - 1), self._at(arg, n)) == ends
            case logic.Gate(p, s) if isinstance(s, logic.Pulse):
                return self._is(p, n) and self._is(s, n)
            case logic.Gate(p, s):
                return self._is(p, n) and self._at(s, n) == TRUE
            case logic.Either(args):
                return any(self._is(a, n) for a in args)
            case logic.Delay(p, d):
                return self._is(p, n - d)
            case logic.Quiet(p, s, d):
                before = range(n - d, n)
                return self._is(p, n) and all(self._at(s, k) != TRUE for k in before)
        raise TypeError(f)


def violations(values: Sequence[int], hold: int, rearm: int | None) -> list[Violation]:
    """Contract, semantics 3 and 4, of a condition with these values; open ones end with None."""
    found: list[Violation] = []
    for since in range(len(values)):
        start = since + hold
        begins = values[since] == TRUE and (since == 0 or values[since - 1] != TRUE)
        lasts = start < len(values) and all(v == TRUE for v in values[since : start + 1])
        if not (begins and lasts):
            continue
        if found and (found[-1][2] is None or start < found[-1][2]):
            continue  # one that unknown had not ended
        end = next((n for n in range(start, len(values)) if values[n] == FALSE), None)
        found.append((since, start, end))
    return found if rearm is None else _joined(found, rearm)


def _joined(found: list[Violation], rearm: int) -> list[Violation]:
    joined: list[Violation] = []
    for since, start, end in found:
        if joined and (before := joined[-1][2]) is not None and start - before <= rearm:
            joined[-1] = (joined[-1][0], joined[-1][1], end)
        else:
            joined.append((since, start, end))
    return joined
