"""What can be switched, and how it stands: the last words of relays, meters, sensors.

Reads `last_value`, so it serves the writer and the HTTP side alike. Times Unix ms.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from gateway.site import AirConditioner, Circuit, Site, Source


@dataclass(frozen=True, slots=True)
class Thing:
    """Something that a command can switch; `meter` and `limit_w` tell whether current flows."""

    subject: str
    zone: str
    use: str  # lighting | counter | ac | protected, or aircon for the [[ac]] itself
    target: Source
    meter: Source | None
    limit_w: float


@dataclass(frozen=True, slots=True)
class Reading:
    """A channel's last value and when it was so; `fields` is empty where it never spoke."""

    at: int
    fields: Mapping[str, Any]


NOTHING = Reading(0, {})
AIRCON = "aircon"


def things(site: Site) -> dict[str, Thing]:
    """Whatever may be switched, by subject. Protected circuits are not among it."""
    found = {
        c.id: Thing(c.id, c.zone, c.use, c.relay, c.meter, c.on_above_w)
        for c in site.circuits
        if c.relay is not None and c.use != "protected"
    }
    for ac in site.acs:
        if ac.control is not None:
            found[ac.id] = Thing(ac.id, ac.zone, AIRCON, ac.control, None, 0)
    return found


def why_not(site: Site, subject: str) -> str | None:
    """Why a circuit or AC is never switched; None where it may be, KeyError for no such thing."""
    one: Circuit | AirConditioner = next(
        x for many in (site.circuits, site.acs) for x in many if x.id == subject
    )
    if isinstance(one, AirConditioner):
        return None if one.control else "it has no control"
    if one.use == "protected":
        return "a protected circuit is never switched"
    return None if one.relay else "it has no relay"


def last(db: sqlite3.Connection, source: Source | None, kind: str) -> Reading:
    """The last value of a channel of this kind."""
    if source is None:
        return NOTHING
    row = db.execute(
        "SELECT t, fields FROM last_value WHERE device=? AND kind=? AND ch=? AND what=''",
        (source.device, kind, source.ch),
    ).fetchone()
    return NOTHING if row is None else Reading(row[0], json.loads(row[1]))


def reported(db: sqlite3.Connection, thing: Thing) -> Reading:
    """What the relay, or the AC, last said of itself."""
    return last(db, thing.target, "ac" if thing.use == AIRCON else "relay")


def watts(db: sqlite3.Connection, thing: Thing) -> Reading:
    """What its meter last said."""
    return last(db, thing.meter, "power")


def silent(db: sqlite3.Connection, site: Site, device: str, now: int) -> bool:
    """Nothing of it within its `silent_after`: what it last said is not known any more."""
    after = next((d.silent_after for d in site.devices if d.id == device), 0)
    row = db.execute("SELECT max(last_at) FROM log WHERE device=?", (device,)).fetchone()
    return row[0] is None or now - row[0] > after


def vacant(db: sqlite3.Connection, site: Site, zone: str, now: int) -> bool:
    """The zone is known to be empty: every presence sensor speaks and says so."""
    sensors = [s.source for s in site.sensors if s.zone == zone and s.kind == "presence"]
    return bool(sensors) and all(
        last(db, source, "presence").fields.get("present") is False
        and not silent(db, site, source.device, now)
        for source in sensors
    )
