"""What held when a finding opened, in both languages: parts of its formula, values, since when."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from gateway import logic
from gateway.clock import iso
from gateway.logic import TRUE

if TYPE_CHECKING:
    from gateway.engine import Engine

_NEGATED = {">": "≤", ">=": "<", "<": "≥", "<=": ">", "==": "≠"}
_SIGNS = {">": ">", ">=": "≥", "<": "<", "<=": "≤", "==": "="}


def explain(engine: Engine, condition: logic.Signal) -> dict[str, Any]:
    """{"zh", "en": a sentence each, "parts": [{"zh", "en", "since"}]} of a condition that holds."""
    parts = [_part(engine, node, zh, en) for node, zh, en in _leaves(engine, condition, True)]
    parts = list({part["zh"]: part for part in parts}.values())
    return {
        "zh": "；".join(f"{p['zh']}，{p['since'][11:19]} 起" for p in parts),
        "en": "; ".join(f"{p['en']} since {p['since'][11:19]}" for p in parts),
        "parts": parts,
    }


def _part(engine: Engine, node: int, zh: str, en: str) -> dict[str, Any]:
    return {"zh": zh, "en": en, "since": iso(engine.at[node], engine.program.timezone)}


def _leaves(engine: Engine, s: logic.Signal, holds: bool) -> list[tuple[int, str, str]]:
    node = engine.graph.node(s)
    match s:
        case logic.Not(arg):
            return _leaves(engine, arg, not holds)
        case logic.Named():
            return [(node, s.zh, s.en) if holds else (node, *s.negated())]
        case logic.Compare():
            return [(node, *_comparison(engine, node, s, holds))]
        case logic.And(args) | logic.Or(args):
            deciding = [a for a in args if _decides(engine, a, holds)]
            return [leaf for a in deciding for leaf in _leaves(engine, a, holds)]
        case logic.Gate(pulse, state):
            return _leaves(engine, pulse, holds) + _leaves(engine, state, holds)
        case logic.Delay(pulse, _) | logic.Quiet(pulse, _, _):
            return _leaves(engine, pulse, holds)
        case logic.Edge(arg, _):
            return _leaves(engine, arg, holds)
    text = str(s) if holds else f"~{s}"
    return [(node, text, text)]


def _decides(engine: Engine, s: logic.Signal, holds: bool) -> bool:
    v = engine.val[engine.graph.node(s)]
    return v == (TRUE if holds else 2 - TRUE)


def _comparison(engine: Engine, node: int, s: logic.Compare, holds: bool) -> tuple[str, str]:
    if s.limit is True:
        return (s.zh, s.en) if holds else (f"非（{s.zh}）", f"not ({s.en})")
    value = engine.raw[engine.graph.param[node][0]]
    if isinstance(value, (tuple, list)):
        value = value[("on", "mode", "set").index(s.channel.field)]
    sign = _SIGNS[s.op] if holds else _NEGATED[s.op]
    if isinstance(s.limit, str):
        return f"{s.zh} {sign} {s.limit}", f"{s.en} {sign} {s.limit}"
    shown = "?" if value is None else f"{value:g}"
    tail = f"{shown} {s.unit} {sign} {s.limit:g} {s.unit}".replace("  ", " ").strip()
    return f"{s.zh} {tail}", f"{s.en} {tail}"
