"""Who may be switched, and after what warning (rulebook X9: switching must not hurt).

Lighting goes off only while its zone is known vacant. Hazards are cut at once (安全 一.7). Anything
else is warned of for five minutes, and the extend key gives half an hour. A counter circuit that
shows work in progress is not cut, a protected circuit never. What is *manual*, or was switched on
by hand a while ago, is left alone.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from firmware import wire
from gateway import control, hardware, rules
from gateway.commands import request
from gateway.engine import Engine
from gateway.findings import Finding
from gateway.hardware import AIRCON, Thing
from gateway.journal import StoredEvent
from gateway.logic import FALSE
from gateway.notices import names
from gateway.rules.model import Act
from gateway.signals import Terms
from gateway.site import Circuit, Site
from gateway.turns import Changes, Turn

WARNING_MS = 5 * 60_000
EXTEND_MS = 30 * 60_000
COMMAND_TTL_MS = 60_000
WORKING_W = 30.0

Switch = Callable[[sqlite3.Connection, int, str, Finding, Engine], None]


@dataclass(frozen=True, slots=True)
class Order:
    """One thing to switch: now, or after a warning of `wait` ms."""

    thing: Thing
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
        self._things = hardware.things(site)
        self._names = names(site)
        self._panels = panels(site)
        self._pad_zone = {c.pad: c.zone for c in site.counters if c.pad}

    def __call__(
        self, db: sqlite3.Connection, now: int, name: str, finding: Finding, engine: Engine
    ) -> None:
        """A finding has opened: do what its rule acts, as far as X9 allows."""
        hazard = finding.rule == "power.hazard"
        if hazard:
            for subject in self._endangered(finding):
                control.endanger(db, now, subject, name)
        order = self.decide(finding, engine)
        if order is None:
            return
        standing = control.standing(db, order.thing.subject)
        why = control.forbids(standing, order.do, now, hazard=hazard, person=False)
        if why in ("hazard", "manual"):
            return
        if order.wait == 0 and why is None:
            ttl = self._ttl_ms
            control.ask(
                *(db, now, order.thing, order.do, order.args), cause=name, person=None, ttl_ms=ttl
            )
            return
        # what somebody has switched on by hand waits until that is over, and is warned of then
        due = max(now + max(order.wait, WARNING_MS), standing.respect_until or 0)
        warn(db, now, name, order.thing, order.do, order.args, due)
        self._announce(db, now, name, order.thing.subject, order.do, due)

    def decide(self, finding: Finding, engine: Engine) -> Order | None:
        """What may be switched for a finding that opens; None where nothing may."""
        rule = rules.by_id.get(finding.rule)
        thing = self._things.get(finding.subject)
        if rule is None or thing is None or rule.acts is Act.NOTHING:
            return None
        if thing.use == AIRCON:
            ac = next(a for a in self._site.acs if a.id == finding.subject)
            if rule.acts is Act.SET:
                return Order(thing, "set", self._lawful(ac, engine), WARNING_MS)
            return Order(thing, "off", {}, WARNING_MS)
        circuit = next(c for c in self._site.circuits if c.id == finding.subject)
        return self._of_circuit(rule.acts, circuit, thing, engine)

    def _of_circuit(self, act: Act, circuit: Circuit, thing: Thing, engine: Engine) -> Order | None:
        if circuit.use == "lighting":
            vacant = engine.val[engine.graph.node(self._terms.present(circuit.zone))] == FALSE
            allowed = vacant and act is not Act.OFF_NOT_LIGHTING
            return Order(thing, "off", {}, 0) if allowed else None
        if act is Act.OFF_NOT_LIGHTING:
            return Order(thing, "off", {}, 0)
        if act is Act.OFF_BELOW_30W and self._working(circuit, engine):
            return None
        return Order(thing, "off", {}, WARNING_MS)

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

    def _endangered(self, finding: Finding) -> list[str]:
        """The circuits that a hazard is about: its own, or all of its zone."""
        if any(c.id == finding.subject for c in self._site.circuits):
            return [finding.subject]
        return [t.subject for t in self._things.values() if t.zone == finding.subject]

    # --- the stage ------------------------------------------------------------------------

    def load(self, db: sqlite3.Connection, now: int) -> None:
        """Nothing is kept in memory."""

    def turn(self, db: sqlite3.Connection, turn: Turn) -> None:
        for one in turn.new(wire.BUTTON):
            self._button(db, one, turn.now)
        for key, subject, do, args, person, cause, state in db.execute(
            "SELECT p.finding, p.subject, p.do, p.args, p.person, p.cause, f.state"
            " FROM pending_switch p LEFT JOIN finding f ON f.id = p.finding"
            " WHERE p.state='waiting' AND p.due <= ?",
            (turn.now,),
        ).fetchall():
            thing = self._things.get(subject)
            wanted = thing is not None and (state == "open" or person is not None)
            if thing is not None and wanted:
                wanted = self._still_allowed(db, turn.now, thing, do, person)
            if thing is not None and wanted:
                control.ask(
                    *(db, turn.now, thing, do, json.loads(args)),
                    cause=cause or key,
                    person=person,
                    ttl_ms=self._ttl_ms,
                )
            db.execute(
                "UPDATE pending_switch SET state=? WHERE finding=?",
                ("done" if wanted else "dropped", key),
            )

    def committed(self, turn: Turn) -> Changes:  # noqa: ARG002
        return []

    def _still_allowed(
        self, db: sqlite3.Connection, now: int, thing: Thing, do: str, person: str | None
    ) -> bool:
        standing = control.standing(db, thing.subject)
        if control.forbids(standing, do, now, hazard=False, person=person is not None):
            return False
        return do != "off" or not in_use(db, self._site, thing, now)

    def _button(self, db: sqlite3.Connection, one: StoredEvent, now: int) -> None:
        """The extend key; a press older than a warning lasts cannot have meant this one."""
        event: Any = one.event
        pressed = one.at if one.t is None else one.t
        if event.name != "extend" or now - pressed > WARNING_MS:
            return
        zone = self._pad_zone.get(one.device)
        if zone is None and one.device not in self._panels:
            return
        extend(db, zone=zone)

    def _announce(
        self, db: sqlite3.Connection, now: int, cause: str, subject: str, do: str, due: int
    ) -> None:
        announce(
            *(db, now, self._panels, cause, self._names.get(subject, subject), do, due),
            ttl_ms=self._ttl_ms,
        )


def panels(site: Site) -> list[str]:
    """The duty panels of a hall."""
    return [d.id for d in site.devices if d.kind == "duty-panel"]


def in_use(db: sqlite3.Connection, site: Site, thing: Thing, now: int) -> str | None:
    """Why switching it off would hurt somebody now (X9); None where it would not."""
    if thing.use == "lighting":
        return None if hardware.vacant(db, site, thing.zone, now) else "occupied"
    if thing.use == "counter" and thing.meter is not None:
        w = hardware.watts(db, thing).fields.get("w")
        if w is None or w > WORKING_W or hardware.silent(db, site, thing.meter.device, now):
            return "working"
    return None


def warn(
    db: sqlite3.Connection,
    now: int,  # noqa: ARG001
    key: str,
    thing: Thing,
    do: str,
    args: Mapping[str, Any],
    due: int,
    *,
    person: str | None = None,
    cause: str | None = None,
) -> None:
    """Put down what is switched at `due` unless somebody extends it."""
    db.execute(
        "INSERT OR IGNORE INTO pending_switch"
        " (finding,device,ch,do,args,zone,due,state,subject,person,cause)"
        " VALUES (?,?,?,?,?,?,?,'waiting',?,?,?)",
        (
            *(key, thing.target.device, thing.target.ch, do, json.dumps(dict(args)), thing.zone),
            *(due, thing.subject, person, cause),
        ),
    )


def announce(
    db: sqlite3.Connection,
    now: int,
    to: list[str],
    cause: str,
    name: str,
    do: str,
    due: int,
    *,
    ttl_ms: int,
) -> None:
    """Tell the panels what is about to be switched."""
    minutes = round((due - now) / 60_000)
    what = {"set": "调温", "off": "断开"}[do]
    text = f"{minutes} 分钟后将{what}：{name}，按延时键保留"
    for panel in to:
        request(db, now, panel, None, "show", {"text": text}, cause=cause, ttl_ms=ttl_ms)


def extend(db: sqlite3.Connection, *, zone: str | None = None, subject: str | None = None) -> int:
    """The extend key: half an hour more for what waits in a zone, of a thing, or everywhere."""
    return db.execute(
        "UPDATE pending_switch SET due = due + ?1"
        " WHERE state='waiting' AND (?2 IS NULL OR zone=?2) AND (?3 IS NULL OR subject=?3)",
        (EXTEND_MS, zone, subject),
    ).rowcount
