"""What the gateway knows of each device: its last word, and how its log stands."""

from __future__ import annotations

import sqlite3
from typing import Any

from gateway.intervals import Intervals
from gateway.turns import Changes, Turn

MAX_MISSING = 100  # ranges told of one log; the rest shows when these are filled


class DeviceStage:
    """Keeps the `device` table: what each says on its state topic."""

    name = "devices"

    def load(self, db: sqlite3.Connection, now: int) -> None:
        """Nothing is kept in memory."""

    def turn(self, db: sqlite3.Connection, turn: Turn) -> None:
        for said in turn.states:
            heard = None if said.retained or said.state.state == "lost" else said.at
            log = said.state.log.lower() if said.state.log else None
            db.execute(
                "INSERT INTO device (id,state,state_at,log,boot,fw,kind,last_at)"
                " VALUES (?,?,?,?,?,?,?,?) ON CONFLICT (id) DO UPDATE SET state=excluded.state,"
                " state_at=excluded.state_at, log=coalesce(excluded.log,log),"
                " boot=coalesce(excluded.boot,boot), fw=coalesce(excluded.fw,fw),"
                " kind=coalesce(excluded.kind,kind), last_at=coalesce(excluded.last_at,last_at)",
                (
                    *(said.device, said.state.state, said.at, log),
                    *(said.state.boot, said.state.fw, said.state.kind, heard),
                ),
            )

    def committed(self, turn: Turn) -> Changes:
        return [
            ("device", {"id": said.device, "state": said.state.state, "at": said.at})
            for said in turn.states
        ]


def log_of(db: sqlite3.Connection, device: str) -> dict[str, Any] | None:
    """The counters of the log a device wrote last; None before its first word."""
    row = db.execute(
        "SELECT log,boot,top,acked,stored,duplicates,last_at FROM log WHERE device=?"
        " ORDER BY last_at DESC, log LIMIT 1",
        (device,),
    ).fetchone()
    if row is None:
        return None
    log, boot, top, acked, stored, duplicates, last_at = row
    rejected = db.execute("SELECT rejected FROM device WHERE id=?", (device,)).fetchone()
    return {
        "log": log,
        "boot": boot,
        "seq": top,
        "stored": stored,
        "duplicates": duplicates,
        "missing": [list(gap) for gap in missing(db, device, log, acked, top)],
        "lost": lost(db, device, log),
        "rejected": rejected[0] if rejected else 0,
        "last_at": last_at,
    }


def missing(
    db: sqlite3.Connection, device: str, log: str, acked: int, top: int
) -> list[tuple[int, int]]:
    """Ranges up to `top` that are neither stored nor count as received: they may still come."""
    received = Intervals([(1, acked)])
    for (seq,) in db.execute(
        "SELECT seq FROM event WHERE device=? AND log=? AND seq>? ORDER BY seq",
        (device, log, acked),
    ):
        received.add(seq)
    for first, last in db.execute(
        "SELECT first,last FROM gap WHERE device=? AND log=? AND last>?", (device, log, acked)
    ):
        received.add(first, last)
    return received.missing(1, top)[:MAX_MISSING]


def lost(db: sqlite3.Connection, device: str, log: str) -> int:
    """How many numbers were given up and have not come after all."""
    total = 0
    for first, last in db.execute(
        "SELECT first,last FROM gap WHERE device=? AND log=? AND why<>'refused'", (device, log)
    ).fetchall():
        came = db.execute(
            "SELECT count(*) FROM event WHERE device=? AND log=? AND seq BETWEEN ? AND ?",
            (device, log, first, last),
        ).fetchone()[0]
        total += last - first + 1 - came
    return total
