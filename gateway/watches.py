"""What the engine runs: a site's rules as watches over nodes of one graph."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass, field, replace

from gateway import graph as g
from gateway import logic
from gateway.clock import SHANGHAI
from gateway.graph import Graph
from gateway.logic import Signal
from gateway.patrols import Monitor
from gateway.site import Site

Cites = tuple[str, ...]
_SNAPSHOTS = 1  # the layout of what Engine.snapshot gives: one more where that changes


@dataclass(frozen=True, slots=True)
class StateWatch:
    """A rule for one subject: a violation is `condition` true for `hold` ms.

    Violations not more than `rearm` ms apart are one finding; None: they are never joined.
    `cites_when`: (node, articles) — the first node that is true at the start names the articles.
    """

    rule: str
    subject: str
    zone: str | None
    severity: str
    cites: Cites
    condition: Signal
    hold: int
    rearm: int | None
    cites_when: tuple[tuple[int, Cites], ...] = ()


@dataclass(frozen=True, slots=True)
class PulseWatch:
    """A rule that opens a finding at each pulse of `condition`, `lead` ms after it began.

    It ends at the next entry, at most `most` ms after its start; findings are never joined.
    """

    rule: str
    subject: str
    zone: str | None
    severity: str
    cites: Cites
    condition: Signal
    lead: int
    most: int


@dataclass(frozen=True, slots=True)
class LostWatch:
    """How a `lost` record is reported."""

    rule: str
    severity: str
    cites: Cites


@dataclass(frozen=True, slots=True)
class Route:
    """A patrol monitor and its node."""

    node: int
    monitor: Monitor


@dataclass(slots=True)
class Program:
    """A compiled site. `faults`: (rule id, what went wrong) of rules that could not be built;
    `calendar` names the days it was made for."""

    graph: Graph
    states: list[StateWatch] = field(default_factory=list)
    pulses: list[PulseWatch] = field(default_factory=list)
    routes: list[Route] = field(default_factory=list)
    lost: LostWatch | None = None
    entry_cards: frozenset[str] = frozenset()
    route_taps: dict[str, list[int]] = field(default_factory=dict)
    faults: list[tuple[str, str]] = field(default_factory=list)
    calendar: str = ""
    timezone: str = SHANGHAI  # of the instants in evidence
    roots: list[tuple[int, ...]] = field(default_factory=list)
    pulse_roots: dict[int, list[int]] = field(default_factory=dict)

    def add_state(self, watch: StateWatch) -> None:
        node = self.graph.node(watch.condition)
        self._reach(node)
        self.roots[node] = (*self.roots[node], len(self.states))
        self.states.append(watch)

    def add_pulse(self, watch: PulseWatch) -> None:
        node = self.graph.node(watch.condition)
        self.pulse_roots.setdefault(node, []).append(len(self.pulses))
        self.pulses.append(watch)

    def add_route(self, monitor: Monitor) -> None:
        node = self.graph.route(monitor)
        self.routes.append(Route(node, monitor))
        for tag in monitor.tags:
            self.route_taps.setdefault(tag, []).append(node)

    def sealed(self) -> Program:
        """Fill the tables up to the number of nodes; call once all watches are in."""
        self._reach(len(self.graph.op) - 1)
        self.graph.built()
        return self

    def mark(self, site: Site) -> str:
        """What names this program in every process: a snapshot fits only the one it was made by."""
        digest = hashlib.sha256()
        for part in self._parts(site):
            digest.update(repr(part).encode() + b"\0")
        return digest.hexdigest()

    def _parts(self, site: Site) -> Iterator[object]:
        graph = self.graph
        yield from (_SNAPSHOTS, site, graph.op, graph.children, sorted(self.entry_cards))
        for op, signal, param in zip(graph.op, graph.signal, graph.param, strict=True):
            if op != g.ROUTE:
                yield str(signal) if op in g.SAID else param
        roots = {n: node for node, many in enumerate(self.roots) for n in many}
        for n, state in enumerate(self.states):
            yield roots[n], replace(state, condition=logic.NEVER)
        roots = {n: node for node, many in self.pulse_roots.items() for n in many}
        for n, pulse in enumerate(self.pulses):
            yield roots[n], replace(pulse, condition=logic.NEVER)
        for route in self.routes:
            yield route.node, route.monitor.route, route.monitor.checkpoints
        yield self.lost

    def _reach(self, node: int) -> None:
        self.roots += [()] * (node + 1 - len(self.roots))
