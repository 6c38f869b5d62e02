"""The engine says what the definitions say: against a brute-force judge, reelay and rtamt."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from typing import Any

import pytest
import reelay
import rtamt
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from gateway import logic
from gateway.engine import Engine, Record
from gateway.graph import Graph
from gateway.logic import FALSE, TRUE, UNKNOWN, Channel, Compare, Pulse, Signal, Tap, Timed
from gateway.watches import Program, StateWatch
from tests.gateway.brute import Brute, violations

END = 24
DEVICE = "d"
CHANNELS = "abc"
TAGS = ("01", "02")

many = settings(max_examples=400, deadline=None, suppress_health_check=list(HealthCheck))


def channel(ch: str) -> Compare:
    return Compare(Channel(DEVICE, ch, "contact", "open"), "==", True)


def every(period: int) -> Timed:
    """A clock: true for `period` ms, false for as long."""
    return Timed(f"every {period}", lambda t: (t // period % 2 == 0, (t // period + 1) * period))


durations = st.integers(1, 6)
leaves = st.sampled_from([*map(channel, CHANNELS), every(3), every(5), logic.UNSURE, logic.CERTAIN])
taps = st.sampled_from([Tap(frozenset({tag})) for tag in TAGS])
histories = st.fixed_dictionaries(
    {
        "channels": st.fixed_dictionaries(
            {
                ch: st.dictionaries(st.integers(0, END), st.sampled_from([True, False, None]))
                for ch in CHANNELS
            }
        ),
        # none at the beginning itself: before it, nothing that a pulse makes is false or true
        "taps": st.fixed_dictionaries({tag: st.sets(st.integers(1, END)) for tag in TAGS}),
    }
)


@st.composite
def pulses(draw: st.DrawFn, depth: int) -> Signal:
    how = draw(st.integers(0, 6)) if depth else 0
    if how == 0:
        return draw(taps)
    if how == 1:
        return draw(states(depth - 1)).rises()
    if how == 2:
        return draw(states(depth - 1)).falls()
    p = draw(pulses(depth - 1))
    assert isinstance(p, Pulse)
    if how == 3:
        return p & draw(states(depth - 1))
    if how == 4:
        return p.delay(draw(durations))
    if how == 5:
        return p.quiet(draw(states(depth - 1)), draw(durations))
    return p | draw(pulses(depth - 1))


@st.composite
def states(draw: st.DrawFn, depth: int) -> Signal:
    how = draw(st.integers(0, 8)) if depth else 0
    if how == 0:
        return draw(leaves)
    if how <= 6:
        a = draw(states(depth - 1))
        if how == 1:
            return ~a
        if how == 2:
            return a & draw(states(depth - 1))
        if how == 3:
            return a | draw(states(depth - 1))
        if how == 4:
            return a.held(draw(durations))
        if how == 5:
            return a.within(draw(durations))
        return a.since(draw(st.one_of(states(depth - 1), pulses(depth - 1))))
    p = draw(pulses(depth - 1))
    assert isinstance(p, Pulse)
    if how == 7:
        return p.within(draw(durations))
    q = draw(pulses(depth - 1))
    assert isinstance(q, Pulse)
    return p.latch(q)


def program_of(watched: dict[str, tuple[Signal, int, int | None]]) -> Program:
    """A program of nothing but these conditions: subject -> (condition, hold, rearm)."""
    program = Program(Graph([(DEVICE, 10**9)]))
    for ch in CHANNELS:
        program.graph.node(channel(ch))  # each has an input, also where no formula reads it
    for subject, (condition, hold, rearm) in watched.items():
        watch = StateWatch("r", subject, None, "notice", (), condition, hold, rearm)
        program.add_state(watch)
    return program.sealed()


def records_of(program: Program, history: dict[str, Any]) -> list[Record]:
    graph, made = program.graph, []
    for ch, changes in history["channels"].items():
        key = graph.input_key(DEVICE, "contact", ch)
        made += [(t, 1, 1, "", key, v) for t, v in changes.items()]
    tap = graph.input_key(DEVICE, "tap", "")
    for n, (tag, instants) in enumerate(history["taps"].items()):
        made += [(t, 1, 2 + n, "", tap, tag) for t in instants]
    return sorted(made, key=lambda r: r[:5])


def brute_of(history: dict[str, Any]) -> Brute:
    channels = {}
    for ch, changes in history["channels"].items():
        values, value = [], None
        for n in range(END + 1):
            value = changes.get(n, value)
            values.append(value)
        channels[ch] = values
    return Brute(channels, history["taps"], END)


def stepped(program: Program, history: dict[str, Any], node: int) -> list[int]:
    """The node's value at each instant."""
    engine = Engine(program, 0)
    engine.start()
    records = records_of(program, history)
    values = []
    for n in range(END + 1):
        engine.run([r for r in records if r[0] == n])
        engine.advance(n)
        values.append(engine.val[node])
    return values


def found(engine: Engine, subject: str) -> list[tuple[int, int, int | None]]:
    return sorted((f.since, f.start, f.end) for f in engine.finish() if f.subject == subject)


@many
@given(states(4), histories)
def test_every_state_is_what_its_definition_says(formula: Signal, history: dict[str, Any]) -> None:
    program = program_of({"x": (formula, 0, None)})
    assert stepped(program, history, program.graph.node(formula)) == brute_of(history).state(
        formula
    ), str(formula)


@many
@given(pulses(4), histories)
def test_every_pulse_is_where_its_definition_says(formula: Pulse, history: dict[str, Any]) -> None:
    seen = formula.within(1)  # true on [n, n+1) for a pulse at n
    program = program_of({"x": (seen, 0, None)})
    values = stepped(program, history, program.graph.node(seen))
    assert [v == TRUE for v in values] == brute_of(history).pulse(formula), str(formula)


@many
@given(states(3), histories, st.integers(0, 5), st.none() | st.integers(0, 5))
def test_violations_are_those_of_holds_and_rearm(
    formula: Signal, history: dict[str, Any], hold: int, rearm: int | None
) -> None:
    program = program_of({"x": (formula, hold, rearm)})
    engine = Engine(program, 0)
    engine.start()
    engine.run(records_of(program, history))
    engine.advance(END)
    assert found(engine, "x") == violations(brute_of(history).state(formula), hold, rearm), str(
        formula
    )


@many
@given(states(3), states(3), histories, st.integers(0, END), histories)
def test_a_snapshot_brings_everything_back(
    one: Signal, other: Signal, history: dict[str, Any], cut: int, instead: dict[str, Any]
) -> None:
    program = program_of({"x": (one, 2, 3), "y": (one & other, 0, None)})
    records = records_of(program, history)
    straight = Engine(program, 0)
    straight.start()
    straight.run(records)
    straight.advance(END)
    engine = Engine(program, 0)
    engine.start()
    engine.run([r for r in records if r[0] <= cut])
    engine.advance(cut)
    ended, state = list(engine.out), engine.snapshot()
    engine.run([r for r in records_of(program, instead) if r[0] > cut])
    engine.advance(END)
    engine.restore(state)
    engine.run([r for r in records if r[0] > cut])
    engine.advance(END)
    assert sorted(map(repr, ended + engine.finish())) == sorted(map(repr, straight.finish()))


# --- another monitor ----------------------------------------------------------------


@st.composite
def two_valued(draw: st.DrawFn, depth: int) -> Signal:
    how = draw(st.integers(0, 6)) if depth else 0
    if how == 0:
        return channel(draw(st.sampled_from(CHANNELS)))
    a = draw(two_valued(depth - 1))
    if how == 1:
        return ~a
    if how == 2:
        return a & draw(two_valued(depth - 1))
    if how == 3:
        return a | draw(two_valued(depth - 1))
    if how == 4:
        return a.held(draw(durations))
    if how == 5:
        return a.within(draw(durations))
    return a.since(draw(two_valued(depth - 1)))


def written(f: Signal, leaf: Callable[[Compare], str]) -> str:
    """The formula in the words that reelay and rtamt share, over the stretches [n, n+1); `leaf`
    writes a channel."""

    def sub(g: Signal) -> str:
        return f"({written(g, leaf)})"

    match f:
        case Compare():
            return leaf(f)
        case logic.Not(a):
            return f"not {sub(a)}"
        case logic.And(args):
            return " and ".join(map(sub, args))
        case logic.Or(args):
            return " or ".join(map(sub, args))
        case logic.Held(a, d):
            return f"historically[0:{d}] {sub(a)}"
        case logic.Within(a, d):
            return f"once[0:{d}] {sub(a)}"
        case logic.Since(a, b):
            # over dense time a must also hold on what is left of the stretch in which b was true
            return f"{sub(b)} or ({sub(a)} since ({sub(a)} and {sub(b)}))"
    raise TypeError(f)


def by_reelay(formula: Signal, rows: list[dict[str, bool]]) -> list[bool]:
    pattern = written(formula, lambda leaf: f"{{{leaf.channel.ch}: true}}")
    monitor = reelay.discrete_timed_monitor(pattern=pattern, condense=False)
    return [monitor.update(row)["value"] for row in rows]


def by_rtamt(formula: Signal, rows: list[dict[str, bool]]) -> list[bool]:
    # rtamt 0.4.10 keeps an operator's memory by the operator's text: a part written twice has one
    # memory, moved twice a step, so `h and h` is not `h`. A limit of its own for each leaf, all
    # between 0 and 1, makes every part another text.
    count = itertools.count(500)
    spec = rtamt.StlDiscreteTimeSpecification()
    for ch in CHANNELS:
        spec.declare_var(ch, "float")
    spec.spec = written(formula, lambda leaf: f"{leaf.channel.ch} > 0.{next(count)}")
    spec.parse()
    return [
        spec.update(n, [(ch, float(v)) for ch, v in row.items()]) > 0 for n, row in enumerate(rows)
    ]


@pytest.mark.parametrize("judge", [by_reelay, by_rtamt])
@settings(max_examples=120, deadline=None, suppress_health_check=list(HealthCheck))
@given(formula=two_valued(3), data=st.data())
def test_another_monitor_agrees_wherever_the_engine_is_certain(
    judge: Any, formula: Signal, data: st.DataObject
) -> None:
    bits = st.lists(st.booleans(), min_size=END + 1, max_size=END + 1)
    values = {ch: data.draw(bits) for ch in CHANNELS}
    history = {
        "channels": {ch: dict(enumerate(many_)) for ch, many_ in values.items()},
        "taps": {tag: set() for tag in TAGS},
    }
    program = program_of({"x": (formula, 0, None)})
    ours = stepped(program, history, program.graph.node(formula))
    rows = [{ch: values[ch][n] for ch in CHANNELS} for n in range(END + 1)]
    theirs = judge(formula, rows)
    assert [v for v in ours if v != UNKNOWN] == [
        TRUE if theirs[n] else FALSE for n, v in enumerate(ours) if v != UNKNOWN
    ], str(formula)


# --- how formulas read ----------------------------------------------------------------------


@pytest.mark.parametrize(
    ("formula", "text"),
    [
        (channel("a") & ~channel("b"), "d/a.open & ~d/b.open"),
        ((channel("a") | channel("b")) & channel("c"), "(d/a.open | d/b.open) & d/c.open"),
        (channel("a").held(900_000), "d/a.open.held(15min)"),
        ((~channel("a")).held(900_000), "(~d/a.open).held(15min)"),
        (~channel("a").held(900_000), "~d/a.open.held(15min)"),
        (Tap(frozenset({"02", "01"})).within(3_600_000), "tap(01/02).within(1h)"),
        (channel("a").since(Tap(frozenset({"01"}), "pad")), "d/a.open.since(tap(01, pad))"),
        (channel("a").rises() & channel("b"), "d/a.open.rises() & d/b.open"),
        (channel("a").falls().delay(61_500), "d/a.open.falls().delay(61500ms)"),
        (Compare(Channel("m", "c1", "power", "w"), ">=", 800.0), "m/c1.w ≥ 800"),
    ],
)
def test_formulas_print_as_they_read(formula: Signal, text: str) -> None:
    assert str(formula) == text


def test_shared_parts_are_one_node() -> None:
    graph = Graph([(DEVICE, 1)])
    a, b = channel("a"), channel("b")
    first = graph.node(a & ~b)
    assert graph.node(channel("a") & ~channel("b")) == first
    assert graph.node(~channel("b") & channel("a")) == first
    assert len(graph.op) == 4
