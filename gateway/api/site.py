"""The hall as the dashboard draws it: names and places, no tags, no cards."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter

from gateway import attendance
from gateway.context import Context
from gateway.site import Site, Source, Span


def router(ctx: Context) -> APIRouter:
    made = APIRouter(tags=["site"])

    @made.get("/site")
    def site() -> dict[str, Any]:
        """The site file's hall."""
        return drawn(ctx.site)

    return made


def clock_face(minutes: int) -> str:
    """ "09:00" of minutes since midnight."""
    return f"{minutes // 60:02d}:{minutes % 60:02d}"


def drawn(site: Site) -> dict[str, Any]:
    """The hall as JSON."""
    closing = max((span.end for span in site.hours.open), default=0)
    clear = (closing + site.hours.clear_after_close // 60_000) % 1440
    return {
        "id": site.id,
        "name": site.name,
        "timezone": site.timezone,
        "tariff": site.tariff,
        "main_meter": _source(site.main_meter),
        "hours": {
            "open": [_span(span) for span in site.hours.open],
            "arrive": clock_face(site.hours.arrive),
            "clear": clock_face(clear),
        },
        "attendance": {
            "halves": [
                {"name": half.name, "by": clock_face(half.by), "ends": clock_face(half.ends)}
                for half in attendance.rules(site.attendance, site.hours.open).halves
            ],
            "late": site.attendance.late // 60_000,
            "absent": site.attendance.absent // 60_000,
            "half_day_at": site.attendance.half_day_at,
        },
        "zones": [{"id": z.id, "name": z.name} for z in site.zones],
        "counters": [
            {
                "id": c.id,
                "name": c.name,
                "zone": c.zone,
                "department": c.department,
                "pad": c.pad,
                "presence": _source(c.presence),
            }
            for c in site.counters
        ],
        "openings": [
            {
                "id": o.id,
                "name": o.name,
                "zone": o.zone,
                "kind": o.kind,
                "contact": _source(o.contact),
                "lock": _source(o.lock),
            }
            for o in site.openings
        ],
        "circuits": [
            {
                "id": c.id,
                "name": c.name,
                "zone": c.zone,
                "use": c.use,
                "meter": _source(c.meter),
                "relay": _source(c.relay),
                "rated_w": c.rated_w,
                "on_above_w": c.on_above_w,
            }
            for c in site.circuits
        ],
        "acs": [
            {
                "id": a.id,
                "name": a.name,
                "zone": a.zone,
                "source": _source(a.source),
                "control": _source(a.control),
            }
            for a in site.acs
        ],
        "sensors": [
            {"zone": s.zone, "kind": s.kind, "source": str(s.source), "circuit": s.circuit}
            for s in site.sensors
        ],
        "routes": [
            {
                "id": r.id,
                "name": r.name,
                "checkpoints": list(r.checkpoints),
                "due": [_span(span) for span in r.due],
                "days": r.days,
            }
            for r in site.routes
        ],
        "checkpoints": [{"id": c.id, "name": c.name} for c in site.checkpoints],
        "devices": [{"id": d.id, "kind": d.kind, "power": d.power} for d in site.devices],
    }


def _span(span: Span) -> list[str]:
    return [clock_face(span.begin), clock_face(span.end)]


def _source(source: Source | None) -> str | None:
    return None if source is None else str(source)
