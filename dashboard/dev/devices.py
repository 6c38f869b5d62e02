"""What the devices page asks for: every device, its commands, what was refused, certificates."""

from __future__ import annotations

from typing import Any

import hall

BAD_CLOCK, SOON, WORKED_ON, FLAT = "pm-02", "pad-w01", "ac-01", "win-01"


def rows() -> list[dict[str, Any]]:
    return [_row(i, d) for i, d in enumerate(hall.SITE["devices"])]  # type: ignore[arg-type]


def _row(i: int, d: dict[str, str]) -> dict[str, Any]:
    silent = d["id"] in hall.SILENT
    seen = hall.at(minutes=23 if silent else 1)
    work = {"id": "m-1", "kind": "maintenance", "from": hall.at(minutes=18), "who": "admin"}
    reject = {"at": hall.at(minutes=9), "why": "topic-denied", "reason": "publish not allowed"}
    return {
        **d,
        "state": "lost" if silent else "ready",
        "silent": silent,
        "silent_after_s": 600,
        "stale_after_s": 600,
        "last_seen": seen,
        "fw": "1.0.0",
        "log": "9f3a1c22",
        "boot": 7,
        "seq": 1235 + 17 * i,
        "acked": 1235 + 17 * i,
        "stored": 1235 + 17 * i,
        "duplicates": i % 4,
        "missing": [[88, 92], [101, 101]] if d["id"] == "pm-02" else [],
        "lost": 3 if d["id"] == "pm-03" else 0,
        "rejected": 2 if d["id"] == "pm-02" else 0,
        "last_reject": reject if d["id"] == "pm-02" else None,
        "clock": {"ms": None if d["id"] == BAD_CLOCK else 12},
        "health": {
            "at": seen,
            "held": 0,
            "dropped": 0,
            "mem": 41000,
            "reset": "power",
            "ages": {"c1": 4, "r1": 4},
            **({"battery": 15 if i % 2 else 81} if d["power"] == "battery" else {}),
        },
        "certificate": {
            "expires": hall.at(minutes=-20 * 24 * 60),
            "days": 20,
            "renewing": False,
        }
        if d["id"] == SOON
        else None,
        "maintenance": work | {"to": hall.at(minutes=-42), "reason": "更换滤网"}
        if d["id"] == WORKED_ON
        else None,
    }


def whole(device: str) -> dict[str, Any] | None:
    row = next((r for r in rows() if r["id"] == device), None)
    if row is None:
        return None
    names = ("log", "boot", "seq", "acked", "stored", "duplicates", "missing", "lost")
    log = {name: row[name] for name in names}
    return row | {"logs": [log, log | {"log": "0badf00d", "missing": []}]}


def commands() -> list[dict[str, Any]]:
    return [
        {
            **{"id": f"c-{do}", "device": "pm-02", "ch": None, "do": do, "person": "admin"},
            **{"cause": "", "made_at": hall.at(minutes=5), "answered_at": hall.at(minutes=4)},
            **{"state": state, "why": None},
        }
        for do, state in (("identify", "done"), ("restart", "failed"))
    ]


def rejects(device: str | None) -> list[dict[str, Any]]:
    told = [
        ("pm-02", "hall/1/fengxian/pm-01/event", "topic-denied", "publish not allowed"),
        (None, "", "foreign", "TLS refused: unknown authority (from 10.0.0.7)"),
    ]
    return [
        {"at": hall.at(minutes=9), "topic": t, "device": d, "why": why, "reason": reason}
        for d, t, why, reason in told
        if device in (None, d)
    ]


def certificates() -> list[dict[str, Any]]:
    return [
        {"of": of, "id": name, "expires": hall.at(minutes=-days * 24 * 60), "days": days}
        for of, name, days in (("device", SOON, 20), ("broker", "gateway", 7000))
    ]
