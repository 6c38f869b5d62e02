"""Fire patrol (消防 二.2): a route's rounds, due spans, and the findings of missed ones.

A monitor is pure: `step(memory, t, taps)` gives the next memory, the instant it wants to be
called again, and the findings that ended or changed. Times in Unix ms.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace

from gateway.clock import SHANGHAI, iso
from gateway.findings import Finding

Spans = Callable[[int], list[tuple[int, int]]]
"""t -> the due spans [begin, end) that begin on the local day of t or one of the two after it."""


@dataclass(frozen=True, slots=True)
class Round:
    """One due span under way and the checkpoints tapped in it so far."""

    begin: int
    end: int
    tapped: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Memory:
    """Rounds under way or to come, the newest known begin, the missed round's finding."""

    rounds: tuple[Round, ...]
    known_to: int
    missed: Finding | None = None
    left: frozenset[str] = frozenset()

    def findings(self) -> list[Finding]:
        return [self.missed] if self.missed else []


@dataclass(frozen=True, slots=True, eq=False)
class Monitor:
    """Judges one route; rounds that began before the first `initial` are not judged.

    `tags` maps each tag to its checkpoint's id, `checkpoints` is the order.
    """

    rule: str
    route: str
    severity: str
    cites: tuple[str, ...]
    checkpoints: tuple[str, ...]
    tags: Mapping[str, str]
    spans: Spans
    timezone: str = SHANGHAI

    def initial(self, t: int) -> Memory:
        return Memory((), t - 1)

    def step(
        self, memory: Memory, t: int, taps: Iterable[str]
    ) -> tuple[Memory, int, list[Finding], list[Finding]]:
        """(memory, next instant to look, findings that are final, findings new or changed)."""
        memory = self._with_rounds(memory, t)
        tapped = frozenset(self.tags[tag] for tag in taps if tag in self.tags)
        done: list[Finding] = []
        changed: list[Finding] = []
        missed = memory.missed
        if missed is not None and tapped & memory.left:
            memory = replace(memory, left=memory.left - tapped)
            if not memory.left:
                done.append(self._ended(missed, t, "late"))
                memory = replace(memory, missed=None)
        over = [r for r in memory.rounds if r.end == t]
        if over and memory.missed is not None:
            done.append(self._ended(memory.missed, t, "never"))
            memory = replace(memory, missed=None, left=frozenset())
        for round_ in over:
            finding, left = self._judge(round_, t, tapped)
            if finding:
                memory = replace(memory, missed=finding, left=left)
                changed.append(finding)
        rounds = tuple(
            replace(r, tapped=r.tapped | tapped) if tapped and r.begin <= t else r
            for r in memory.rounds
            if r.end > t
        )
        memory = self._with_rounds(replace(memory, rounds=rounds), t)
        wake = min((r.end for r in memory.rounds), default=t + 86400000)
        return memory, wake, done, done + changed

    def _with_rounds(self, memory: Memory, t: int) -> Memory:
        if len(memory.rounds) > 1:
            return memory
        fresh = [Round(b, e) for b, e in self.spans(t) if b > memory.known_to]
        if not fresh:
            return memory
        rounds = tuple(sorted((*memory.rounds, *fresh), key=lambda r: (r.end, r.begin)))
        return replace(memory, rounds=rounds, known_to=max(r.begin for r in fresh))

    def _judge(
        self, round_: Round, t: int, tapped: frozenset[str]
    ) -> tuple[Finding | None, frozenset[str]]:
        missed = [c for c in self.checkpoints if c not in round_.tapped]
        left = frozenset(missed) - tapped
        if not left:
            return None, frozenset()
        begin, due = iso(round_.begin, self.timezone), iso(round_.end, self.timezone)
        evidence = {"missed": missed, "begin": begin, "due": due}
        return (
            Finding(self.rule, self.route, None, t, t, None, self.severity, self.cites, evidence),
            left,
        )

    def _ended(self, finding: Finding, t: int, outcome: str) -> Finding:
        return replace(finding, end=t, evidence={**finding.evidence, "outcome": outcome})
