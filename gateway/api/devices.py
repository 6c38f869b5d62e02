"""Devices: what they say of themselves, what of their logs is here, and what may be asked of them:
to show where they are, and to start anew."""

from __future__ import annotations

import sqlite3
from typing import Any

from fastapi import APIRouter

from gateway import audit, certificates, refusals
from gateway.api import commands, standing
from gateway.api.access import PAD_KIND, PADS
from gateway.api.asked import After, Limit, Person, cursor, page, shown, written
from gateway.api.findings import Reason
from gateway.api.problems import Problem
from gateway.commands import request
from gateway.context import Context
from gateway.people import Who
from gateway.site import Device

IDENTIFY_TTL_MS = 2 * 60_000  # somebody stands before it and looks
RESTART_TTL_MS = 10 * 60_000


def router(ctx: Context) -> APIRouter:
    made = APIRouter(tags=["devices"])

    @made.get("/devices")
    def devices(who: Person, limit: Limit = 200, after: After = None) -> dict[str, Any]:
        """Every device of the site, in the file's order; pads are not for viewer and counter."""
        begin = (cursor(after) or (-1, ""))[0] + 1
        seen = [
            (place, device)
            for place, device in enumerate(ctx.site.devices)
            if place >= begin and (device.kind != PAD_KIND or who.role in PADS)
        ]
        look = standing.Look(ctx, ctx.reader())
        return page(
            seen[: limit + 1],
            limit,
            key=lambda pair: (pair[0], ""),
            item=lambda pair: look.told(pair[1]),
        )

    def found(device_id: str, who: Who) -> Device:
        one = next((d for d in ctx.site.devices if d.id == device_id), None)
        if one is None:
            raise Problem(404, f"no device {device_id} in the site file")
        if one.kind == PAD_KIND and who.role not in PADS:
            raise Problem(403, f"pads are not for the role {who.role}")
        return one

    @made.get("/devices/{device_id}")
    def device(device_id: str, who: Person) -> dict[str, Any]:
        """One device, with every log it ever had and its last health report."""
        look = standing.Look(ctx, ctx.reader())
        one = found(device_id, who)
        return look.told(one) | {"logs": look.logs(one)}

    def asked(one: Device, do: str, why: str, who: Who, ttl_ms: int) -> dict[str, Any]:
        def work(db: sqlite3.Connection, now: int) -> str:
            waits = db.execute(
                "SELECT id FROM command WHERE device=? AND do=? AND state IN ('queued','sent')",
                (one.id, do),
            ).fetchone()
            if waits is not None:
                raise Problem(409, "it is under way already", why="under-way")
            ttl = int(ttl_ms * ctx.speed)
            made = request(db, now, one.id, None, do, {}, cause=why, person=who.name, ttl_ms=ttl)
            about = {"device": one.id, "command": made} | ({"reason": why} if why else {})
            audit.append(db, now, who.name, f"device.{do}", about)
            return made

        number = written(ctx, work)
        row = ctx.reader().execute("SELECT * FROM command WHERE id=?", (number,)).fetchone()
        return commands.told(row, ctx.site.timezone)

    @made.post("/devices/{device_id}/identify", status_code=201)
    def identify(device_id: str, who: Person) -> dict[str, Any]:
        """Let it blink, so that somebody who stands before it knows which one it is."""
        return asked(found(device_id, who), "identify", "", who, IDENTIFY_TTL_MS)

    @made.post("/devices/{device_id}/restart", status_code=201)
    def restart(device_id: str, why: Reason, who: Person) -> dict[str, Any]:
        """Start it anew: what it holds stays; its relays stand as after a power-up until then."""
        return asked(found(device_id, who), "restart", why.reason, who, RESTART_TTL_MS)

    @made.get("/certificates")
    def certificates_held() -> dict[str, Any]:
        """Every certificate of the hall's parts, the one that ends first at the top."""
        now, tz = ctx.now(), ctx.site.timezone
        db = ctx.reader()
        ids = [d.id for d in ctx.site.devices]
        every = certificates.held(ctx.data, ids, certificates.broker_expires(db))
        items = [
            {
                "of": one.rule.partition(".")[2],
                "id": one.subject,
                "expires": shown(one.expires, tz),
                "days": certificates.days_left(one.expires, now),
            }
            for one in sorted(every, key=lambda one: (one.expires, one.rule, one.subject))
        ]
        return {"items": items, "next": None}

    @made.get("/rejects")
    def rejects(
        device: str | None = None, limit: Limit = 100, after: After = None
    ) -> dict[str, Any]:
        """What was refused and why, newest first."""
        below = (cursor(after) or (2**62, ""))[0]
        rows = ctx.reader().execute(
            "SELECT * FROM reject WHERE id < ? AND (? IS NULL OR device = ?)"
            " ORDER BY id DESC LIMIT ?",
            (below, device, device, limit + 1),
        )
        return page(
            rows.fetchall(),
            limit,
            key=lambda row: (row["id"], ""),
            item=lambda row: {
                "at": shown(row["at"], ctx.site.timezone),
                "topic": row["topic"],
                "device": row["device"],
                "why": refusals.code(row["reason"]),
                "reason": row["reason"],
                "head": bytes(row["head"]).decode("utf-8", "backslashreplace"),
            },
        )

    return made
