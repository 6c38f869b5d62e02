"""A site's formulas compiled once: each shared part is one node, children before parents.

Nodes are numbered so that a lower number never depends on a higher one; equal parts (same
operator over the same nodes) are one node.
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from gateway import logic
from gateway.logic import Channel, Signal

(
    CONST,
    LEAF,
    TIMED,
    SPANS,
    SILENT,
    NOT,
    AND,
    OR,
    HELD,
    WITHIN,
    SINCE,
    PULSE,
    EDGE,
    GATE,
    EITHER,
    DELAY,
    QUIET,
    LATCH,
    ROUTE,
) = range(19)
SAID = frozenset((LEAF, TIMED, SPANS, SILENT, PULSE))  # whose signal says what `param` does not
PULSES = frozenset((PULSE, EDGE, GATE, EITHER, DELAY, QUIET))
UNHEARD = 0  # a detector's value before its first event: not active, and not False either
TAP, LOST, ENTRY = 1, 2, 3  # roles of inputs that are no plain channel

Test = Callable[[Any, Any], bool]
_AC_FIELDS = {"on": 0, "mode": 1, "set": 2}
_OPERATORS: dict[str, Test] = {
    ">": operator.gt,
    ">=": operator.ge,
    "<": operator.lt,
    "<=": operator.le,
    "==": operator.eq,
}


@dataclass(slots=True)
class Input:
    """What one kind of event of one device channel touches. `initial` is its value unheard."""

    device: int
    initial: Any = None
    role: int = 0
    leaves: tuple[tuple[int, Test, Any], ...] = ()


class Graph:
    """Nodes as parallel lists, and the tables that lead from events to nodes.

    `parents`: each once. `signal`: of the operators in SAID. A hall of 2,500 meters has 18,000
    nodes, so what only building needs goes when all are `built`.
    """

    def __init__(self, devices: Iterable[tuple[str, int]]) -> None:
        devices = tuple(devices)
        self.op: list[int] = []
        self.children: list[tuple[int, ...]] = []
        self.param: list[Any] = []
        self.parents: list[Sequence[int]] = []
        self.signal: list[Signal | None] = []
        self.devices = {name: i for i, (name, _) in enumerate(devices)}
        self.device_names = [name for name, _ in devices]
        self.silent_after = [after for _, after in devices]
        self.silent_node: list[int | None] = [None] * len(self.devices)
        self.inputs: list[Input] = []
        self.input_of: dict[tuple[str, str, str], int] = {}
        self.other_input: dict[str, int] = {}
        for name, index in self.devices.items():
            self.other_input[name] = len(self.inputs)
            self.inputs.append(Input(index))
            for kind, role in (("tap", TAP), ("lost", LOST)):
                self.input_of[name, kind, ""] = len(self.inputs)
                self.inputs.append(Input(index, role=role))
        self.entry_input = len(self.inputs)
        self.inputs.append(Input(-1, role=ENTRY))
        self.taps: dict[str, list[tuple[int, str | None]]] = {}
        self.entered: list[int] = []
        self.spans: dict[tuple[str, ...], int] = {}
        self.timed: list[int] = []
        self.constants: list[int] = []
        self._of_key: dict[tuple[Any, ...], int] = {}
        self._of_signal: dict[Signal, int] = {}
        self._built = False

    def input_key(self, device: str, kind: str, ch: str) -> int:
        """The number under which the engine takes this device's events of this kind and channel."""
        found = self.input_of.get((device, kind, ch))
        return self.other_input[device] if found is None else found

    def node(self, signal: Signal) -> int:
        """The node of a formula, made with all its parts if it is new."""
        known = self._of_signal.get(signal)
        if known is None:
            known = self._make(signal)
            if not self._built:
                self._of_signal[signal] = known
        return known

    def built(self) -> None:
        """All formulas are in. One that is asked for later is found by its parts; of those only
        the named ones, which many share, are known at once."""
        self._built = True
        self._of_signal = {
            s: node for s, node in self._of_signal.items() if isinstance(s, logic.Named)
        }
        self.parents = [tuple(parents) for parents in self.parents]

    def route(self, monitor: Any) -> int:
        """A node that runs a patrol route's monitor (see patrols.py)."""
        return self._add(ROUTE, (), monitor, logic.NEVER)

    def _make(self, signal: Signal) -> int:  # one line an operator
        n = self.node
        match signal:
            case logic.Named(arg):
                return n(arg)
            case logic.Constant(value):
                return self._add(CONST, (), value, signal)
            case logic.Compare():
                return self._leaf(signal)
            case logic.Timed(name, schedule):
                return self._add(TIMED, (), schedule, signal, key=name)
            case logic.Spans(key):
                return self._add(SPANS, (), key, signal)
            case logic.Silent(device):
                return self._add(SILENT, (), self.devices[device], signal)
            case logic.Not(arg):
                return self._add(NOT, (n(arg),), None, signal)
            case logic.And(args):
                return self._nary(AND, [n(a) for a in args], signal)
            case logic.Or(args):
                return self._nary(OR, [n(a) for a in args], signal)
            case logic.Held(arg, d):
                return self._add(HELD, (n(arg),), d, signal)
            case logic.Within(arg, d):
                return self._add(WITHIN, (n(arg),), d, signal)
            case logic.Since(arg, start):
                return self._add(SINCE, (n(arg), n(start)), None, signal)
            case logic.Tap(tags, device):
                return self._add(PULSE, (), (tags, device), signal)
            case logic.Entered():
                return self._add(PULSE, (), "entry", signal)
            case logic.Edge(arg, rising):
                return self._add(EDGE, (n(arg),), rising, signal)
            case logic.Gate(pulse, state):
                return self._add(GATE, (n(pulse), n(state)), None, signal)
            case logic.Either(args):
                return self._add(EITHER, tuple(n(a) for a in args), None, signal)
            case logic.Delay(pulse, d):
                return self._add(DELAY, (n(pulse),), d, signal)
            case logic.Quiet(pulse, state, d):
                return self._add(QUIET, (n(pulse), n(state)), d, signal)
            case logic.Latch(put, reset):
                return self._add(LATCH, (n(put), n(reset)), None, signal)
        raise TypeError(f"not a signal: {signal!r}")

    def _nary(self, op: int, children: list[int], signal: Signal) -> int:
        distinct = tuple(sorted(set(children)))
        return distinct[0] if len(distinct) == 1 else self._add(op, distinct, None, signal)

    def _leaf(self, signal: logic.Compare) -> int:
        return self._add(LEAF, (), (signal.channel, signal.op, signal.limit), signal)

    def _add(
        self, op: int, children: tuple[int, ...], param: Any, signal: Signal, key: Any = None
    ) -> int:
        identity = (op, children, param if key is None else key)
        found = self._of_key.get(identity)
        if found is not None:
            return found
        index = len(self.op)
        self._of_key[identity] = index
        self.op.append(op)
        self.children.append(children)
        self.param.append(param)
        self.parents.append([])
        self.signal.append(signal if op in SAID else None)
        for child in dict.fromkeys(children):
            self.parents[child] = _with(self.parents[child], index)
        self._register(op, index, param)
        return index

    def _register(self, op: int, index: int, param: Any) -> None:
        if op == LEAF:
            channel, name, limit = param
            taken = self._input(channel)
            test = _OPERATORS[name]
            if channel.kind == "ac":
                test = _of_field(test, _AC_FIELDS[channel.field])
            one = self.inputs[taken]
            one.leaves = (*one.leaves, (index, test, limit))
            self.param[index] = (taken, test, limit)
        elif op == TIMED:
            self.timed.append(index)
        elif op == SPANS:
            self.spans[param] = index
        elif op == SILENT:
            self.silent_node[param] = index
        elif op == CONST:
            self.constants.append(index)
        elif op == PULSE and param == "entry":
            self.entered.append(index)
        elif op == PULSE:
            for tag in param[0]:
                self.taps.setdefault(tag, []).append((index, param[1]))

    def _input(self, channel: Channel) -> int:
        ch = f"{channel.ch}:{channel.what}" if channel.what else channel.ch
        key = (channel.device, channel.kind, ch)
        index = self.input_of.get(key)
        if index is None:
            index = self.input_of[key] = len(self.inputs)
            initial = UNHEARD if channel.kind == "detector" else None
            self.inputs.append(Input(self.devices[channel.device], initial))
        return index


def _with(parents: Sequence[int], parent: int) -> Sequence[int]:
    if not isinstance(parents, list):
        return (*parents, parent)
    parents.append(parent)
    return parents


def _of_field(test: Test, index: int) -> Test:
    return lambda value, limit: test(value[index], limit)
