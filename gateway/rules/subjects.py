"""Over what a rule is judged: each function lists a site's subjects of one sort."""

from __future__ import annotations

from collections.abc import Iterable

from gateway.rules.model import Subject
from gateway.site import Sensor, Site


def lighting(site: Site) -> Iterable[Subject]:
    return (Subject(c.id, c.zone, c) for c in site.circuits if c.use == "lighting")


def counter_circuits(site: Site) -> Iterable[Subject]:
    return (Subject(c.id, c.zone, c) for c in site.circuits if c.use == "counter" and c.meter)


def rated_circuits(site: Site) -> Iterable[Subject]:
    return (Subject(c.id, c.zone, c) for c in site.circuits if c.meter and c.rated_w is not None)


def acs(site: Site) -> Iterable[Subject]:
    return (Subject(a.id, a.zone, a) for a in site.acs)


def contacts(site: Site) -> Iterable[Subject]:
    return (Subject(o.id, o.zone, o) for o in site.openings if o.contact)


def fire_doors(site: Site) -> Iterable[Subject]:
    return (s for s in contacts(site) if s.item.kind == "fire-door")


def entrances(site: Site) -> Iterable[Subject]:
    return (s for s in contacts(site) if s.item.kind == "entrance")


def lockable_exits(site: Site) -> Iterable[Subject]:
    return (Subject(o.id, o.zone, o) for o in site.openings if o.kind == "exit" and o.lock)


def zones(site: Site) -> Iterable[Subject]:
    return (Subject(z.id, z.id, z) for z in site.zones)


def watched_counters(site: Site) -> Iterable[Subject]:
    return (Subject(c.id, c.zone, c) for c in site.counters if c.presence)


def devices(site: Site) -> Iterable[Subject]:
    return (Subject(d.id, None, d) for d in site.devices)


def routes(site: Site) -> Iterable[Subject]:
    return (Subject(r.id, None, r) for r in site.routes)


def hazard_subjects(site: Site) -> Iterable[Subject]:
    """A detector's or a panel thermometer's circuit, else (detectors only) its zone."""
    sensors = [
        s for s in site.sensors if s.kind == "detector" or (s.kind == "climate" and s.circuit)
    ]
    return _grouped((s.circuit or s.zone, s) for s in sensors)


def smoke_zones(site: Site) -> Iterable[Subject]:
    return _grouped((s.zone, s) for s in site.sensors if s.kind == "detector")


def _grouped(pairs: Iterable[tuple[str, Sensor]]) -> Iterable[Subject]:
    groups: dict[str, list[Sensor]] = {}
    for subject, sensor in pairs:
        groups.setdefault(subject, []).append(sensor)
    return [Subject(name, many[0].zone, tuple(many)) for name, many in groups.items()]
