"""A site's rules to a `Program` of the engine."""

from __future__ import annotations

from functools import cache
from typing import Any

from gateway import schedules
from gateway.graph import Graph
from gateway.logic import Pulse, Signal, any_of
from gateway.patrols import Monitor
from gateway.rules.catalogue import RULES, Limits, enabled, limits_of
from gateway.rules.devices import LOST
from gateway.rules.model import Article, Rule, Subject
from gateway.rules.people import PATROL
from gateway.signals import Terms
from gateway.site import Site
from gateway.watches import LostWatch, Program, PulseWatch, StateWatch
from gateway.workdays import Calendar

Versions = list[tuple[Any, Limits]]
"""(in force from, a rule's settings) for each of its dated versions."""


def program(site: Site, calendar: Calendar, rules: tuple[Rule, ...] = RULES) -> Program:
    """Every enabled rule of a site. One that cannot be built is listed in `faults`, not raised."""
    graph = Graph((d.id, d.silent_after) for d in site.devices)
    made = Program(graph, entry_cards=frozenset(p.card for p in site.people))
    made.calendar = calendar.mark()
    made.timezone = site.timezone
    terms = Terms(site, calendar)
    for rule in rules:
        settings = site.rules.get(rule.id, {})
        if not enabled(settings):
            continue
        versions: Versions = []
        for subject in rule.each(site):
            try:
                versions = versions or limits_of(rule, settings)
                _watch(made, terms, rule, subject, versions)
            except Exception as fault:  # noqa: BLE001 - one bad rule must not stop the others
                made.faults.append((rule.id, f"{subject.id}: {fault!r}"))
    for circuit in site.circuits:  # asked when a finding of any rule may switch its lights off
        if circuit.use == "lighting":
            graph.node(terms.present(circuit.zone))
    return made.sealed()


def _watch(made: Program, terms: Terms, rule: Rule, subject: Subject, versions: Versions) -> None:
    if rule.id == PATROL.id:
        made.add_route(_monitor(terms, rule, subject))
        return
    if rule.id == LOST.id:
        made.lost = LostWatch(rule.id, rule.severity, _codes(rule.cites))
        return
    condition = _condition(terms, rule, subject, versions)
    cites = _codes(rule.cites)
    hold = versions[-1][1]["hold"]
    if rule.pulse is not None:
        assert isinstance(condition, Pulse)
        made.add_pulse(
            PulseWatch(
                rule.id, subject.id, subject.zone, rule.severity, cites, condition, hold, rule.pulse
            )
        )
        return
    made.add_state(
        StateWatch(
            rule.id,
            subject.id,
            subject.zone,
            rule.severity,
            cites,
            condition,
            hold,
            terms.site.rearm if rule.joined else None,
            tuple(
                (made.graph.node(signal(terms)), _codes(articles))
                for signal, articles in rule.cites_when
            ),
        )
    )


def _condition(terms: Terms, rule: Rule, subject: Subject, versions: Versions) -> Signal:
    """The rule's formula; where its limits changed over time, each version in its own days."""
    assert rule.when is not None
    formulas = [rule.when(terms, subject.item, limits) for _, limits in versions]
    if len(formulas) == 1:
        return formulas[0]
    days = [day for day, _ in versions]
    return any_of(
        *(
            formula & terms.in_force(first, last)
            for formula, first, last in zip(formulas, days, [*days[1:], None], strict=True)
        )
    )


def _monitor(terms: Terms, rule: Rule, subject: Subject) -> Monitor:
    tags = {c.id: c.tag for c in terms.site.checkpoints}
    route = subject.item
    return Monitor(
        rule.id,
        route.id,
        rule.severity,
        _codes(rule.cites),
        route.checkpoints,
        {tags[c]: c for c in route.checkpoints},
        schedules.due_spans(route, terms.calendar, terms.site.timezone),
        terms.site.timezone,
    )


@cache
def _codes(articles: tuple[Article, ...]) -> tuple[str, ...]:
    return tuple(a.code for a in articles)
