"""The hall at this moment: the day, every channel's last value, every device's state."""

from __future__ import annotations

import json
import sqlite3
from typing import Any

from fastapi import APIRouter

from gateway.api import day
from gateway.api.access import PAD_KIND, PADS
from gateway.api.asked import Person, shown
from gateway.api.standing import last_heard, silent
from gateway.context import Context
from gateway.history import last


def router(ctx: Context) -> APIRouter:
    made = APIRouter(tags=["now"])

    @made.get("/now")
    def now(who: Person) -> dict[str, Any]:
        """The day, channels and devices; never a rating."""
        return told(ctx, ctx.reader(), ctx.now(), who.role)

    return made


def told(ctx: Context, db: sqlite3.Connection, now: int, role: str) -> dict[str, Any]:
    """The whole answer for somebody of this role."""
    tz = ctx.site.timezone
    states = dict(db.execute("SELECT id, state FROM device"))
    devices = {}
    for device in ctx.site.devices:
        seen = last_heard(db, device.id)
        hidden = device.kind == PAD_KIND and role not in PADS
        devices[device.id] = {
            "state": states.get(device.id),
            "silent": silent(seen, now, device),
            "last": None if hidden else shown(seen, tz),
        }
    channels = {}
    for row in db.execute("SELECT * FROM last_value WHERE kind <> 'health'"):
        if row["device"] in devices:
            quiet = bool(devices[row["device"]]["silent"])
            fields = json.loads(row["fields"])
            channels[last.name(row["device"], row["kind"], row["ch"], row["what"])] = last.shown(
                row["kind"], shown(row["t"], tz), fields, quiet
            )
    return {
        "now": shown(now, tz),
        "speed": ctx.speed,
        "day": day.told(ctx.site, ctx.calendar, now),
        "channels": channels,
        "devices": devices,
    }
