"""Runs a compiled site instant by instant: records in time order in, findings out.

All changes of one instant take effect together: first channels, silences, calendar and permits,
then the formulas in the order of their nodes, then the holds that end there. There are no timers
and no clock here: `run` takes records sorted by time, `advance` says how far time has come.
A record is `(t, boot, seq, log, input, value)`, `input` a number of `Graph.input_key` and friends.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from heapq import heapify, heappop, heappush
from typing import Any

from gateway import graph as g
from gateway import nodes
from gateway.evidence import explain
from gateway.findings import Finding
from gateway.logic import FALSE, TRUE, UNKNOWN
from gateway.nodes import GENERIC, absorbing
from gateway.watches import Program

Record = tuple[int, int, int, str, int, Any]

FAILED = "rule.failed"  # a rule that could not be built is a finding about that rule

_SILENCE, _NODE, _HOLD, _END = range(4)
_IDLE, _COUNTING, _OPEN = range(3)


class Engine:
    """The state of one site's rules at one instant; `snapshot` and `restore` copy it."""

    def __init__(self, program: Program, beginning: int) -> None:
        self.program = program
        self.graph = program.graph
        self.beginning = beginning
        self.t = beginning
        self.out: list[Finding] = []  # no later event can change these
        self.changed: dict[tuple[str, str, int], Finding] | None = None  # set to follow changes
        graph = self.graph
        n = len(graph.op)
        self.val = [UNKNOWN] * n
        self.at = [beginning] * n
        self.mem: list[Any] = [None] * n
        self.absorbing = [0] * n
        self.unknowns = [0] * n
        self.flag = bytearray(n)
        self.dirty: list[int] = []
        self.due: list[int | None] = [None] * n
        self.raw: list[Any] = [i.initial for i in graph.inputs]
        self.last = [beginning] * len(graph.device_names)
        self.silent = [False] * len(graph.device_names)
        self.state = [_IDLE] * len(program.states)
        self.since = [0] * len(program.states)
        self.wake: list[int | None] = [None] * len(program.states)
        self.current: list[Finding | None] = [None] * len(program.states)
        self.running: list[tuple[Finding, ...]] = [()] * len(program.pulses)
        self.spans: dict[tuple[str, ...], list[tuple[int, int]]] = {}
        self.heap: list[tuple[int, int, int]] = []
        self._touched_roots: list[int] = []
        self.fired: list[int] = []
        self._tapped: list[str] = []
        self._entered = False
        self.entered_before: int | None = None
        self._leaves = [i.leaves for i in graph.inputs]
        self._device_of = [i.device for i in graph.inputs]
        self._role = [i.role for i in graph.inputs]
        self._inputs_of: list[list[int]] = [[] for _ in graph.device_names]
        for index, one in enumerate(graph.inputs):
            if one.device >= 0:
                self._inputs_of[one.device].append(index)
        self._counted = [absorbing(op) for op in graph.op]
        self._roots = program.roots
        self._pulse_roots = program.pulse_roots
        self._ready = False
        self.failed = [
            Finding(FAILED, rule, None, beginning, beginning, None, "warning", (), {"why": why})
            for rule, why in dict(program.faults).items()
        ]

    # --- what drives it -------------------------------------------------------------------

    def start(
        self,
        spans: dict[tuple[str, ...], list[tuple[int, int]]] | None = None,
        entered: int | None = None,
    ) -> None:
        """Give every node its value at the beginning.

        `spans`: permits by key, merged, sorted. `entered`: the last entry before the beginning.
        """
        self.spans = dict(spans or {})
        self.entered_before = entered
        self.heap = [
            (self.beginning + after, _SILENCE, d) for d, after in enumerate(self.graph.silent_after)
        ]
        heapify(self.heap)
        for i in range(len(self.val)):
            nodes.begin(self, i)
        for route in self.program.routes:
            self.sleep(route.node, self.beginning)
        for node, watches in enumerate(self._roots):
            if watches and self.val[node] == TRUE:
                self._touched_roots.append(node)
        for node in (*self.graph.timed, *self.graph.spans.values()):
            self.sleep(node, self.beginning)
        heappush(self.heap, (self.beginning, _HOLD, -1))
        self._ready = True

    def run(self, records: Iterable[Record]) -> None:
        """Take records in order of time, none earlier than the instant reached."""
        assert self._ready
        heap, dirty, val, flag = self.heap, self.dirty, self.val, self.flag
        raw, last, silent = self.raw, self.last, self.silent
        device_of, leaves_of, role = self._device_of, self._leaves, self._role
        now = self.t
        for t, _, _, _, key, value in records:
            if t != now:
                if dirty or heap[0][0] < t:
                    self.t = now
                    self._close_before(t)
                now = t
            device = device_of[key]
            if device >= 0:
                last[device] = t
                if silent[device]:
                    self._speaks(device, t)
            if role[key]:
                self._special(role[key], t, device, value)
                continue
            raw[key] = value
            for node, test, limit in leaves_of[key]:
                v = UNKNOWN if value is None else TRUE if test(value, limit) else FALSE
                if v != val[node] and not flag[node]:
                    flag[node] = 1
                    heappush(dirty, node)
        self.t = now

    def advance(self, t: int) -> None:
        """Judge every instant up to and including t."""
        self._close_before(t + 1)
        self.t = t

    def finish(self) -> list[Finding]:
        """Everything found and not yet drained, open findings with `end` None."""
        rest = [f for f in self.current if f is not None]
        rest += [f for many in self.running for f in many]
        rest += [f for route in self.program.routes for f in self.mem[route.node].findings()]
        done, self.out = self.out, []
        return done + rest + self.failed

    def snapshot(self) -> tuple[Any, ...]:
        """All that changes, copied; `restore` brings it back."""
        return (
            self.t,
            self.val.copy(),
            self.at.copy(),
            self.mem.copy(),
            self.absorbing.copy(),
            self.unknowns.copy(),
            self.due.copy(),
            self.raw.copy(),
            self.last.copy(),
            self.silent.copy(),
            self.state.copy(),
            self.since.copy(),
            self.wake.copy(),
            self.current.copy(),
            self.running.copy(),
            self.heap.copy(),
            self.dirty.copy(),
            bytes(self.flag),
            self._touched_roots.copy(),
        )

    def restore(self, snapshot: tuple[Any, ...]) -> None:
        """Go back to a snapshot of this engine."""
        copies: Any = [part.copy() if isinstance(part, list) else part for part in snapshot]
        (
            self.t,
            self.val,
            self.at,
            self.mem,
            self.absorbing,
            self.unknowns,
            self.due,
            self.raw,
            self.last,
            self.silent,
            self.state,
            self.since,
            self.wake,
            self.current,
            self.running,
            self.heap,
            self.dirty,
            flag,
            self._touched_roots,
        ) = copies
        self.flag = bytearray(flag)
        self._ready = True
        self.out = []

    def set_spans(self, spans: dict[tuple[str, ...], list[tuple[int, int]]]) -> None:
        """New permits; what they change before the instant reached needs a restore first."""
        self.spans = dict(spans)
        for node in self.graph.spans.values():
            self._mark(node)

    # --- one instant ----------------------------------------------------------------------

    def _close_before(self, t: int) -> None:
        heap = self.heap
        if self.dirty or heap[0][0] == self.t:
            self._close(self.t)
        while heap[0][0] < t:
            self.t = heap[0][0]
            self._close(self.t)

    def _close(self, t: int) -> None:
        heap = self.heap
        holds: list[int] = []
        ends: list[int] = []
        while heap[0][0] == t:
            _, what, which = heappop(heap)
            if what == _SILENCE:
                self._fall_silent(which, t)
            elif what == _NODE:
                self.due[which] = None
                self._mark(which)
            elif what == _HOLD:
                holds.append(which)
            else:
                ends.append(which)
            if not heap:
                break
        if not heap:  # a site without devices: keep the heap's top readable
            heappush(heap, (1 << 62, _HOLD, -1))
        self._settle(t)
        touched, self._touched_roots = self._touched_roots, []
        for node in touched:
            for watch in self._roots[node]:
                self._judge(watch, self.val[node], t)
        for watch in holds:
            if watch >= 0:
                self._hold_over(watch, t)
        if ends or self._entered or self.fired:
            self._judge_pulses(t, ends)

    def _settle(self, t: int) -> None:
        dirty, flag, val, at = self.dirty, self.flag, self.val, self.at
        parents, absorbing, unknowns = self.graph.parents, self.absorbing, self.unknowns
        counted_of = self._counted
        op, roots = self.graph.op, self._roots
        while dirty:
            i = heappop(dirty)
            flag[i] = 0
            kind = op[i]
            if kind == g.AND:
                v = FALSE if absorbing[i] else UNKNOWN if unknowns[i] else TRUE
            elif kind == g.OR:
                v = TRUE if absorbing[i] else UNKNOWN if unknowns[i] else FALSE
            else:
                v = nodes.evaluate(self, i, kind, t)
            old = val[i]
            if v == old:
                continue
            val[i] = v
            at[i] = t
            for p in parents[i]:
                counted = counted_of[p]
                if counted != GENERIC:
                    if old == counted:
                        absorbing[p] -= 1
                    elif old == UNKNOWN:
                        unknowns[p] -= 1
                    if v == counted:
                        absorbing[p] += 1
                    elif v == UNKNOWN:
                        unknowns[p] += 1
                if not flag[p]:
                    flag[p] = 1
                    heappush(dirty, p)
            if roots[i]:
                self._touched_roots.append(i)

    def _mark(self, node: int) -> None:
        if not self.flag[node]:
            self.flag[node] = 1
            heappush(self.dirty, node)

    def sleep(self, node: int, t: int) -> None:
        """Evaluate the node again at t; one entry a node is enough, the earliest."""
        due = self.due[node]
        if due is None or t < due:
            self.due[node] = t
            heappush(self.heap, (t, _NODE, node))

    # --- devices, taps, entries -----------------------------------------------------------

    def _speaks(self, device: int, t: int) -> None:
        self.silent[device] = False
        heappush(self.heap, (t + self.graph.silent_after[device], _SILENCE, device))
        node = self.graph.silent_node[device]
        if node is not None:
            self._mark(node)

    def _fall_silent(self, device: int, t: int) -> None:
        due = self.last[device] + self.graph.silent_after[device]
        if due > t:
            heappush(self.heap, (due, _SILENCE, device))
            return
        self.silent[device] = True
        node = self.graph.silent_node[device]
        if node is not None:
            self._mark(node)
        for key in self._inputs_of[device]:
            unheard = self.graph.inputs[key].initial is not None and self.raw[key] is g.UNHEARD
            if not unheard:
                self.raw[key] = None
                for leaf, _, _ in self._leaves[key]:
                    self._mark(leaf)

    def _special(self, role: int, t: int, device: int, value: Any) -> None:
        if role == g.LOST:
            if value is not None:
                self._record_lost(t, device, value)
            return
        if role == g.TAP:
            self._tapped.append(value)
            name = self.graph.device_names[device]
            for node, where in self.graph.taps.get(value, ()):
                if where is None or where == name:
                    self._fire(node)
            for node in self.program.route_taps.get(value, ()):
                self._mark(node)
            if value not in self.program.entry_cards:
                return
        self._entered = True
        for node in self.graph.entered:
            self._fire(node)

    def _fire(self, node: int) -> None:
        self.mem[node] = TRUE
        self._mark(node)

    def _record_lost(self, t: int, device: int, value: tuple[int, int, str]) -> None:
        name = self.graph.device_names[device]
        first, last, why = value
        evidence = {"from": first, "to": last, "why": why}
        watch = self.program.lost
        if watch is None:
            return
        finding = Finding(watch.rule, name, None, t, t, t, watch.severity, watch.cites, evidence)
        self.out.append(finding)
        self._note(finding)

    # --- rules ----------------------------------------------------------------------------

    def _judge(self, watch: int, v: int, t: int) -> None:
        state = self.state[watch]
        if v == TRUE:
            if state == _IDLE:
                hold = self.program.states[watch].hold
                self.since[watch] = t
                if hold == 0:
                    self._open(watch, t)
                else:
                    self.state[watch] = _COUNTING
                    self._wake_at(watch, t + hold)
        elif state == _COUNTING:
            self.state[watch] = _IDLE
        elif state == _OPEN and v == FALSE:
            self.state[watch] = _IDLE
            finding = self.current[watch]
            assert finding is not None
            self._set_current(watch, replace(finding, end=t))

    def _wake_at(self, watch: int, t: int) -> None:
        wake = self.wake[watch]
        if wake is None or t < wake:
            self.wake[watch] = t
            heappush(self.heap, (t, _HOLD, watch))

    def _hold_over(self, watch: int, t: int) -> None:
        if self.wake[watch] != t:
            return
        self.wake[watch] = None
        if self.state[watch] != _COUNTING:
            return
        over = self.since[watch] + self.program.states[watch].hold
        if over > t:
            self._wake_at(watch, over)
        else:
            self._open(watch, t)

    def _open(self, watch: int, t: int) -> None:
        rule = self.program.states[watch]
        self.state[watch] = _OPEN
        before = self.current[watch]
        if before is not None and before.end is not None:
            if rule.rearm is not None and t - before.end <= rule.rearm:
                self._set_current(watch, replace(before, end=None))
                return
            self.out.append(before)
        cites = next((c for node, c in rule.cites_when if self.val[node] == TRUE), rule.cites)
        self._set_current(
            watch,
            Finding(
                rule.rule,
                rule.subject,
                rule.zone,
                self.since[watch],
                t,
                None,
                rule.severity,
                cites,
                explain(self, rule.condition),
            ),
        )

    def _set_current(self, watch: int, finding: Finding) -> None:
        self.current[watch] = finding
        self._note(finding)

    def _note(self, finding: Finding) -> None:
        if self.changed is not None:
            self.changed[finding.key] = finding

    def _judge_pulses(self, t: int, ends: list[int]) -> None:
        for watch, running in enumerate(self.running if ends or self._entered else ()):
            if running and (self._entered or watch in ends):
                most = self.program.pulses[watch].most
                kept = []
                for finding in running:
                    if finding.start < t and (self._entered or finding.start + most <= t):
                        self.out.append(replace(finding, end=t))
                        self._note(self.out[-1])
                    else:
                        kept.append(finding)
                self.running[watch] = tuple(kept)
        for node in self.fired:
            self.val[node] = FALSE
            for watch in self._pulse_roots.get(node, ()):
                self._open_pulse(watch, t)
        self.fired.clear()
        self._tapped.clear()
        self._entered = False

    def _open_pulse(self, watch: int, t: int) -> None:
        rule = self.program.pulses[watch]
        finding = Finding(
            rule.rule,
            rule.subject,
            rule.zone,
            t - rule.lead,
            t,
            None,
            rule.severity,
            rule.cites,
            explain(self, rule.condition),
        )
        self.running[watch] = (*self.running[watch], finding)
        heappush(self.heap, (t + rule.most, _END, watch))
        self._note(finding)

    def step_route(self, i: int, t: int) -> int:
        monitor = self.graph.param[i]
        self.mem[i], wake, done, changed = monitor.step(self.mem[i], t, self._tapped)
        self.out.extend(done)
        for finding in changed:
            self._note(finding)
        self.sleep(i, wake)
        return FALSE
