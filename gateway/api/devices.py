"""Devices: what they say of themselves, and what of their logs is here."""

from __future__ import annotations

import json
import sqlite3
from typing import Any

from fastapi import APIRouter

from gateway.api.access import PAD_KIND, PADS
from gateway.api.asked import After, Limit, Person, cursor, page, shown
from gateway.api.problems import Problem
from gateway.context import Context
from gateway.site import Device

MAX_RANGES = 1000


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
        db = ctx.reader()
        now = ctx.now()
        return page(
            seen[: limit + 1],
            limit,
            key=lambda pair: (pair[0], ""),
            item=lambda pair: told(db, pair[1], now, ctx.site.timezone),
        )

    @made.get("/devices/{device_id}")
    def device(device_id: str, who: Person) -> dict[str, Any]:
        """One device, with every log it ever had and its last health report."""
        found = next((d for d in ctx.site.devices if d.id == device_id), None)
        if found is None:
            raise Problem(404, f"no device {device_id} in the site file")
        if found.kind == PAD_KIND and who.role not in PADS:
            raise Problem(403, f"pads are not for the role {who.role}")
        db = ctx.reader()
        answer = told(db, found, ctx.now(), ctx.site.timezone)
        answer["logs"] = [_log(db, row) for row in _logs(db, device_id)]
        health = db.execute(
            "SELECT t, fields FROM last_value WHERE device = ? AND kind = 'health'", (device_id,)
        ).fetchone()
        answer["health"] = (
            {"at": shown(health[0], ctx.site.timezone)} | json.loads(health[1]) if health else None
        )
        return answer

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
                "reason": row["reason"],
                "head": bytes(row["head"]).decode("utf-8", "backslashreplace"),
            },
        )

    return made


def told(db: sqlite3.Connection, device: Device, now: int, tz: str) -> dict[str, Any]:
    """A device as the list shows it; the log is the one it writes now (the one heard last)."""
    row = db.execute("SELECT * FROM device WHERE id = ?", (device.id,)).fetchone()
    logs = _logs(db, device.id)
    seen = last_heard(db, device.id)
    return {
        "id": device.id,
        "kind": device.kind,
        "power": device.power,
        "state": row["state"] if row else None,
        "state_at": shown(row["state_at"], tz) if row else None,
        "fw": row["fw"] if row else None,
        "last_seen": shown(seen, tz),
        "silent": silent(seen, now, device),
        "rejected": row["rejected"] if row else 0,
    } | (
        _log(db, logs[0])
        if logs
        else {
            "log": None,
            "boot": None,
            "seq": None,
            "acked": None,
            "stored": 0,
            "duplicates": 0,
            "missing": [],
            "lost": 0,
        }
    )


def last_heard(db: sqlite3.Connection, device: str) -> int | None:
    """The arrival of the device's last event, Unix ms."""
    found = db.execute("SELECT max(last_at) FROM log WHERE device = ?", (device,)).fetchone()[0]
    return int(found) if found else None


def silent(seen: int | None, now: int, device: Device) -> bool:
    """Whether a device is beyond its `silent_after`; one never heard is."""
    return seen is None or now - seen >= device.silent_after


def _logs(db: sqlite3.Connection, device: str) -> list[sqlite3.Row]:
    return db.execute(
        "SELECT * FROM log WHERE device = ? ORDER BY last_at DESC, log", (device,)
    ).fetchall()


def _log(db: sqlite3.Connection, row: sqlite3.Row) -> dict[str, Any]:
    where = (row["device"], row["log"])
    lost = db.execute(
        "SELECT coalesce(sum(last - first + 1), 0) FROM gap"
        " WHERE device = ? AND log = ? AND why <> 'refused'",
        where,
    ).fetchone()[0]
    return {
        "log": row["log"],
        "boot": row["boot"],
        "seq": row["top"],
        "acked": row["acked"],
        "stored": row["stored"],
        "duplicates": row["duplicates"],
        "missing": missing(db, row["device"], row["log"], row["acked"], row["top"]),
        "lost": lost,
    }


def missing(db: sqlite3.Connection, device: str, log: str, acked: int, top: int) -> list[list[int]]:
    """[from, to] of the numbers in (acked, top] that are neither stored nor recorded as lost."""
    have = db.execute(
        "SELECT seq, seq FROM event WHERE device = ?1 AND log = ?2 AND seq > ?3"
        " UNION ALL SELECT first, last FROM gap WHERE device = ?1 AND log = ?2 AND last > ?3"
        " ORDER BY 1",
        (device, log, acked),
    )
    found: list[list[int]] = []
    following = acked + 1
    for first, last in have:
        if first > following:
            found.append([following, min(first - 1, top)])
            if len(found) >= MAX_RANGES:
                return found
        following = max(following, last + 1)
    if following <= top:
        found.append([following, top])
    return found
