"""The last value of every channel by event time, as the contract orders equal times."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from gateway.history.kinds import VALUED, values


@dataclass(frozen=True, slots=True)
class Said:
    """One stored event with its event time `t` in Unix ms; `id` is event.id."""

    id: int
    device: str
    log: str
    seq: int
    boot: int
    t: int
    estimated: bool
    stale: bool
    kind: str
    payload: dict[str, Any]


def keep(db: sqlite3.Connection, said: Iterable[Said]) -> list[Said]:
    """Update last_value; returns those events that are now their channel's last, in order."""
    changed = []
    for event in said:
        if event.kind not in VALUED or event.stale:
            continue
        fields = json.dumps(
            values(event.payload), ensure_ascii=False, sort_keys=True, separators=(",", ":")
        )
        done = db.execute(
            "INSERT INTO last_value (device, kind, ch, what, t, boot, seq, log, fields)"
            " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)"
            " ON CONFLICT (device, kind, ch, what) DO UPDATE SET t = excluded.t,"
            " boot = excluded.boot, seq = excluded.seq, log = excluded.log,"
            " fields = excluded.fields"
            " WHERE (excluded.t, excluded.boot, excluded.seq, excluded.log) > (t, boot, seq, log)"
            " OR (excluded.seq = seq AND excluded.log = log)",
            (
                event.device,
                event.kind,
                event.payload.get("ch") or "",
                event.payload.get("what") or "",
                event.t,
                event.boot,
                event.seq,
                event.log,
                fields,
            ),
        )
        if done.rowcount:
            changed.append(event)
    return changed
