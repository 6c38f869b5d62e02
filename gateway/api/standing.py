"""How a device stands: its state, clock, health, certificate, logs, as the pages show it."""

from __future__ import annotations

import json
import sqlite3
from dataclasses import dataclass, field
from typing import Any

from gateway import certificates, credentials, devices, refusals
from gateway.api.asked import shown
from gateway.context import Context
from gateway.site import Device

MAX_RANGES = 1000
CLOCK_OF = 20  # newest events that tell how a clock stands


@dataclass(slots=True)
class Look:
    """One look at all devices: what is asked once is kept for the rest of the answer."""

    ctx: Context
    db: sqlite3.Connection
    _maintenance: dict[str, dict[str, Any]] | None = field(default=None, init=False)

    def told(self, device: Device) -> dict[str, Any]:
        """A device as the list shows it; the log is the one it writes now (the one heard last)."""
        db, now, tz = self.db, self.ctx.now(), self.ctx.site.timezone
        row = db.execute("SELECT * FROM device WHERE id = ?", (device.id,)).fetchone()
        found = logs(db, device.id)
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
            "silent_after_s": device.silent_after // 1000,
            "stale_after_s": device.stale_after // 1000,
            "rejected": row["rejected"] if row else 0,
            "last_reject": self._reject(device.id) if row and row["rejected"] else None,
            "clock": clock(db, found[0]) if found else None,
            "health": self._health(device.id),
            "certificate": self._certificate(device.id, now),
            "maintenance": self._work(now).get(device.id),
        } | (log(db, found[0]) if found else dict(_NO_LOG))

    def logs(self, device: Device) -> list[dict[str, Any]]:
        """Every log that a device ever had, the one heard last first."""
        return [log(self.db, row) for row in logs(self.db, device.id)]

    def _reject(self, device: str) -> dict[str, Any] | None:
        row = self.db.execute(
            "SELECT at, reason FROM reject WHERE device = ? ORDER BY id DESC LIMIT 1", (device,)
        ).fetchone()
        if row is None:
            return None
        at = shown(row["at"], self.ctx.site.timezone)
        return {"at": at, "why": refusals.code(row["reason"]), "reason": row["reason"]}

    def _health(self, device: str) -> dict[str, Any] | None:
        row = self.db.execute(
            "SELECT t, fields FROM last_value WHERE device = ? AND kind = 'health'", (device,)
        ).fetchone()
        if row is None:
            return None
        said: dict[str, Any] = json.loads(row["fields"])
        return {"at": shown(row["t"], self.ctx.site.timezone)} | said

    def _certificate(self, device: str, now: int) -> dict[str, Any] | None:
        kept = credentials.load(self.ctx.data, device)
        if kept is None or not kept.certificate or kept.expires is None:
            return None
        return {
            "expires": shown(kept.expires, self.ctx.site.timezone),
            "days": certificates.days_left(kept.expires, now),
            "renewing": bool(kept.former),
        }

    def _work(self, now: int) -> dict[str, dict[str, Any]]:
        """What lasts of maintenance and out of service, by what it is on."""
        if self._maintenance is None:
            rows = self.db.execute(
                'SELECT id, what, kind, "from", "to", reason, who FROM maintenance'
                ' WHERE ended_at IS NULL AND ("to" IS NULL OR "to" > ?) ORDER BY "from"',
                (now,),
            )
            tz = self.ctx.site.timezone
            self._maintenance = {
                row["what"]: dict(row) | {n: shown(row[n], tz) for n in ("from", "to")}
                for row in rows
            }
        return self._maintenance


_NO_LOG: dict[str, Any] = {
    "log": None,
    "boot": None,
    "seq": None,
    "acked": None,
    "stored": 0,
    "duplicates": 0,
    "missing": [],
    "lost": 0,
}


def clock(db: sqlite3.Connection, row: sqlite3.Row) -> dict[str, Any] | None:
    """How a device's clock stands against ours, by the newest events of the boot it is in: `ms`
    that it is ahead (behind: below zero; how long a word was under way counts as behind), None
    where it has not learned the time. None altogether before its first event."""
    rows = db.execute(
        "SELECT at, coalesce(t, json_extract(payload, '$.t')) AS t FROM event"
        " WHERE device = ? AND log = ? AND boot = ? ORDER BY seq DESC LIMIT ?",
        (row["device"], row["log"], row["boot"], CLOCK_OF),
    ).fetchall()
    if not rows:
        return None
    if rows[0]["t"] is None:
        return {"ms": None}
    return {"ms": max(int(one["t"]) - one["at"] for one in rows if one["t"] is not None)}


def last_heard(db: sqlite3.Connection, device: str) -> int | None:
    """The arrival of the device's last event, Unix ms."""
    found = db.execute("SELECT max(last_at) FROM log WHERE device = ?", (device,)).fetchone()[0]
    return int(found) if found else None


def silent(seen: int | None, now: int, device: Device) -> bool:
    """Whether a device is beyond its `silent_after`; one never heard is."""
    return seen is None or now - seen >= device.silent_after


def logs(db: sqlite3.Connection, device: str) -> list[sqlite3.Row]:
    return db.execute(
        "SELECT * FROM log WHERE device = ? ORDER BY last_at DESC, log", (device,)
    ).fetchall()


def log(db: sqlite3.Connection, row: sqlite3.Row) -> dict[str, Any]:
    return {
        "log": row["log"],
        "boot": row["boot"],
        "seq": row["top"],
        "acked": row["acked"],
        "stored": row["stored"],
        "duplicates": row["duplicates"],
        "missing": missing(db, row["device"], row["log"], row["acked"], row["top"]),
        "lost": devices.lost(db, row["device"], row["log"]),
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
