"""Who may be switched, and after what warning (rulebook X9: switching must not hurt).

Lighting goes off only while its zone is known vacant. Hazards are cut at once (安全 一.7). Anything
else is warned of for five minutes, and the extend key gives half an hour. A counter circuit that
shows work in progress is not cut, and a protected circuit never.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from gateway import rules
from gateway.commands import request
from gateway.engine import Engine
from gateway.findings import Finding
from gateway.journal import StoredEvent
from gateway.logic import FALSE
from gateway.rules.model import Act
from gateway.signals import Terms
from gateway.site import Circuit, Site, Source
from gateway.turns import Changes, Turn

WARNING_MS = 5 * 60_000
EXTEND_MS = 30 * 60_000
COMMAND_TTL_MS = 60_000
WORKING_W = 30.0

Switch = Callable[[sqlite3.Connection, int, str, Finding, Engine], None]


@dataclass(frozen=True, slots=True)
class Order:
    """One thing to switch: now, or after a warning of `wait` ms."""

    target: Source
    zone: str
    do: str
    args: dict[str, Any]
    wait: int


class Switching:
    """Stage `switching`: warns, waits, extends and at last asks for the command."""

    name = "switching"

    def __init__(self, site: Site, terms: Terms, ttl_ms: int) -> None:
        self._site = site
        self._terms = terms
        self._ttl_ms = ttl_ms
        self._panels = [d.id for d in site.devices if d.kind == "duty-panel"]
        self._pad_zone = {c.pad: c.zone for c in site.counters if c.pad}

    def __call__(
        self, db: sqlite3.Connection, now: int, name: str, finding: Finding, engine: Engine
    ) -> None:
        """A finding has opened: do what its rule acts, as far as X9 allows."""
        order = self.decide(finding, engine)
        if order is None:
            return
        if order.wait == 0:
            self._ask(db, now, name, order.target, order.do, order.args)
            return
        db.execute(
            "INSERT OR IGNORE INTO pending_switch VALUES (?,?,?,?,?,?,?,'waiting')",
            (
                *(name, order.target.device, order.target.ch, order.do),
                *(json.dumps(order.args), order.zone, now + order.wait),
            ),
        )
        text = (
            f"5 分钟后将{'调温' if order.do == 'set' else '断开'}：{finding.subject}，按延时键保留"
        )
        for panel in self._panels:
            request(db, now, panel, None, "show", {"text": text}, cause=name, ttl_ms=self._ttl_ms)

    def decide(self, finding: Finding, engine: Engine) -> Order | None:
        """What may be switched for a finding that opens; None where nothing may."""
        rule = rules.by_id.get(finding.rule)
        if rule is None or rule.acts is Act.NOTHING:
            return None
        ac = next((a for a in self._site.acs if a.id == finding.subject), None)
        if ac is not None:
            if ac.control is None:
                return None
            if rule.acts is Act.SET:
                return Order(ac.control, ac.zone, "set", self._lawful(ac, engine), WARNING_MS)
            return Order(ac.control, ac.zone, "off", {}, WARNING_MS)
        circuit = next((c for c in self._site.circuits if c.id == finding.subject), None)
        if circuit is None or circuit.relay is None or circuit.use == "protected":
            return None
        return self._of_circuit(rule.acts, circuit, engine)

    def _of_circuit(self, act: Act, circuit: Circuit, engine: Engine) -> Order | None:
        assert circuit.relay is not None
        if circuit.use == "lighting":
            vacant = engine.val[engine.graph.node(self._terms.present(circuit.zone))] == FALSE
            allowed = vacant and act is not Act.OFF_NOT_LIGHTING
            return Order(circuit.relay, circuit.zone, "off", {}, 0) if allowed else None
        if act is Act.OFF_NOT_LIGHTING:
            return Order(circuit.relay, circuit.zone, "off", {}, 0)
        if act is Act.OFF_BELOW_30W and self._working(circuit, engine):
            return None
        return Order(circuit.relay, circuit.zone, "off", {}, WARNING_MS)

    def _working(self, circuit: Circuit, engine: Engine) -> bool:
        if circuit.meter is None:
            return True
        key = engine.graph.input_key(circuit.meter.device, "power", circuit.meter.ch)
        value = engine.raw[key]
        return not isinstance(value, float) or value > WORKING_W

    def _lawful(self, ac: Any, engine: Engine) -> dict[str, Any]:
        key = engine.graph.input_key(ac.source.device, "ac", ac.source.ch)
        value = engine.raw[key]
        limits = rules.limits_of(
            rules.by_id["ac.setpoint"], self._site.rules.get("ac.setpoint", {})
        )
        newest = limits[-1][1]
        heating = bool(value) and (
            value[1] == "heat" or (value[1] == "auto" and value[2] > newest["cooling"])
        )
        return {"set": newest["heating" if heating else "cooling"]}

    # --- the stage ------------------------------------------------------------------------

    def load(self, db: sqlite3.Connection, now: int) -> None:
        """Nothing is kept in memory."""

    def turn(self, db: sqlite3.Connection, turn: Turn) -> None:
        for one in turn.stored:
            if one.new and one.event.kind == "button":
                self._button(db, one)
        for name, device, ch, do, args, state in db.execute(
            "SELECT p.finding, p.device, p.ch, p.do, p.args, f.state FROM pending_switch p"
            " JOIN finding f ON f.id = p.finding WHERE p.state='waiting' AND p.due <= ?",
            (turn.now,),
        ).fetchall():
            if state == "open":
                self._ask(db, turn.now, name, Source(device, ch), do, json.loads(args))
            db.execute(
                "UPDATE pending_switch SET state=? WHERE finding=?",
                ("done" if state == "open" else "dropped", name),
            )

    def committed(self, turn: Turn) -> Changes:  # noqa: ARG002
        return []

    def _button(self, db: sqlite3.Connection, one: StoredEvent) -> None:
        event: Any = one.event
        if event.name != "extend":
            return
        zone = self._pad_zone.get(one.device)
        if zone is None and one.device not in self._panels:
            return
        db.execute(
            "UPDATE pending_switch SET due = due + ?"
            " WHERE state='waiting' AND (? IS NULL OR zone=?)",
            (EXTEND_MS, zone, zone),
        )

    def _ask(
        self, db: sqlite3.Connection, now: int, name: str, target: Source, do: str, args: Any
    ) -> None:
        request(db, now, target.device, target.ch, do, args, cause=name, ttl_ms=self._ttl_ms)
