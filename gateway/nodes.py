"""How each operator of a graph gets its value: functions over an engine's state.

`evaluate` is called in the order of the nodes within one instant, so children are always settled.
What an operator remembers lies in `engine.mem`, as values that are never changed in place.
"""

from __future__ import annotations

from bisect import bisect_right
from typing import TYPE_CHECKING

from gateway import graph as g
from gateway.logic import FALSE, TRUE, UNKNOWN

if TYPE_CHECKING:
    from gateway.engine import Engine

GENERIC = -1  # a parent without counted inputs


def absorbing(op: int) -> int:
    """The input value that alone decides an and (FALSE) or an or (TRUE); GENERIC for others."""
    return FALSE if op == g.AND else TRUE if op == g.OR else GENERIC


def evaluate(e: Engine, i: int, kind: int, t: int) -> int:
    """The value of node i, of operator `kind`, once its children are settled at t."""
    graph, val = e.graph, e.val
    children = graph.children[i]
    if kind == g.LEAF:
        key, test, limit = graph.param[i]
        value = e.raw[key]
        return UNKNOWN if value is None else TRUE if test(value, limit) else FALSE
    if kind == g.NOT:
        return 2 - val[children[0]]
    if kind == g.SILENT:
        return TRUE if e.silent[graph.param[i]] else FALSE
    if kind == g.TIMED:
        value, following = graph.param[i](t)
        if following is not None:
            e.sleep(i, following)
        return TRUE if value else FALSE
    if kind == g.SPANS:
        return _in_span(e, i, t)
    if kind in (g.HELD, g.WITHIN):
        return _window(e, i, kind, t)
    if kind == g.SINCE:
        return _since(e, i)
    if kind == g.LATCH:
        if val[children[0]] == TRUE:
            return TRUE
        return FALSE if val[children[1]] == TRUE else val[i]
    if kind == g.ROUTE:
        return e.step_route(i, t)
    if kind == g.CONST:
        return int(graph.param[i])
    if _pulse(e, i, kind, t):
        e.fired.append(i)
        return TRUE
    return FALSE


def _pulse(e: Engine, i: int, kind: int, t: int) -> bool:
    graph, val, mem = e.graph, e.val, e.mem
    children = graph.children[i]
    if kind == g.PULSE:
        fired = bool(mem[i] == TRUE)
        mem[i] = None
        return fired
    if kind == g.EDGE:
        before, mem[i] = mem[i], val[children[0]]
        ends = (FALSE, TRUE) if graph.param[i] else (TRUE, FALSE)
        return (before, mem[i]) == ends
    if kind == g.GATE:
        return val[children[0]] == TRUE and val[children[1]] == TRUE
    if kind == g.EITHER:
        return any(val[c] == TRUE for c in children)
    if kind == g.DELAY:
        waiting: tuple[int, ...] = mem[i]
        due = bool(waiting) and waiting[0] == t
        if due:
            waiting = waiting[1:]
        if val[children[0]] == TRUE:
            waiting = (*waiting, t + graph.param[i])
        mem[i] = waiting
        if waiting:
            e.sleep(i, waiting[0])
        return due
    # QUIET: what the state was up to, but not at, this instant
    was, ended = mem[i]
    is_now = val[children[1]]
    quiet = was != TRUE and (ended is None or ended <= t - graph.param[i])
    if was == TRUE and is_now != TRUE:
        ended = t
    mem[i] = (is_now, ended)
    return val[children[0]] == TRUE and quiet


def _since(e: Engine, i: int) -> int:
    """mem is what the first operand was up to this instant: (s, t] begins before it."""
    a, b = (e.val[c] for c in e.graph.children[i])
    if _is_pulse(e, e.graph.children[i][1]):
        return min(a, max(b, e.val[i]))
    up_to_now: int = min(e.mem[i], e.val[i])
    e.mem[i] = a
    return max(b, min(a, up_to_now))


def _window(e: Engine, i: int, kind: int, t: int) -> int:
    """held and within: the extreme of the last d ms.

    mem: (the part's last value, last end of the deciding value, last end of unknown).
    """
    child, d = e.graph.children[i][0], e.graph.param[i]
    strong = FALSE if kind == g.HELD else TRUE
    v, (was, strong_end, unknown_end) = e.val[child], e.mem[i]
    if was == strong:
        strong_end = t
    elif was == UNKNOWN:
        unknown_end = t
    if v == strong and _is_pulse(e, child):
        strong_end, v = t, FALSE
    e.mem[i] = (v, strong_end, unknown_end)
    if v == strong or (strong_end is not None and t < strong_end + d):
        result, until = strong, strong_end
    elif v == UNKNOWN or (unknown_end is not None and t < unknown_end + d):
        result, until = UNKNOWN, unknown_end
    else:
        return 2 - strong
    if v != result and until is not None:
        e.sleep(i, until + d)
    return result


def _is_pulse(e: Engine, node: int) -> bool:
    return e.graph.op[node] in g.PULSES


def _is_entry(e: Engine, node: int) -> bool:
    either = e.graph.children[node] if e.graph.op[node] == g.EITHER else (node,)
    return any(child in e.graph.entered for child in either)


def _in_span(e: Engine, i: int, t: int) -> int:
    spans = e.spans.get(e.graph.param[i], [])
    at = bisect_right(spans, (t, 1 << 62))
    inside = at > 0 and t < spans[at - 1][1]
    if inside:
        e.sleep(i, spans[at - 1][1])
    elif at < len(spans):
        e.sleep(i, spans[at][0])
    return TRUE if inside else FALSE


def begin(e: Engine, i: int) -> None:
    """Give node i its memory and its value at the beginning."""
    graph, kind, t = e.graph, e.graph.op[i], e.beginning
    children = graph.children[i]
    if kind in (g.AND, g.OR):
        absorb = absorbing(kind)
        values = [e.val[c] for c in children]
        e.absorbing[i] = values.count(absorb)
        e.unknowns[i] = values.count(UNKNOWN)
        e.val[i] = absorb if e.absorbing[i] else UNKNOWN if e.unknowns[i] else 2 - absorb
        return
    if kind in (g.HELD, g.WITHIN):
        before = FALSE if _is_pulse(e, children[0]) else UNKNOWN
        e.mem[i] = (
            before,
            e.entered_before if _is_entry(e, children[0]) else None,
            None,
        )
    elif kind == g.EDGE:
        e.mem[i] = e.val[children[0]]
    elif kind == g.DELAY:
        e.mem[i] = ()
    elif kind == g.QUIET:
        e.mem[i] = (UNKNOWN, None)
    elif kind == g.SINCE:
        e.val[i] = FALSE if _is_pulse(e, children[1]) else UNKNOWN
        e.mem[i] = UNKNOWN
    elif kind == g.LATCH:
        e.val[i] = FALSE
    elif kind == g.ROUTE:
        e.mem[i] = graph.param[i].initial(t)
        e.val[i] = FALSE
        return
    e.val[i] = evaluate(e, i, kind, t)
