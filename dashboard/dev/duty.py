"""What the duty page asks for beside alerts: shifts, the closing check, circuits."""

from __future__ import annotations

from typing import Any

import hall
import records


def seen() -> list[dict[str, Any]]:
    return [
        {"id": "win-01", "kind": "opening", "name": "南窗", "zone": "hall-1f", "state": "open"},
        {"id": "l-hall", "kind": "circuit", "name": "大厅照明", "zone": "hall-1f", "state": "on"},
    ]


def shifts() -> list[dict[str, Any]]:
    return [
        {
            **{"id": "s-1", "begin": hall.at(hours=9), "end": None, "officer": "王值班"},
            **{"second": "李主任", "taken_by": None, "before": None, "note": "东门报修"},
            **{"alerts": [], "things": seen()},
        }
    ]


def log() -> list[dict[str, Any]]:
    lamp = {"rule": "lights.after-close", "subject": "l-hall", "zone": "hall-1f"}
    return [
        {"at": hall.at(hours=9), "what": "shift.open", "who": "李主任", "about": {}},
        {"at": hall.at(minutes=12), "what": "closing.check", "who": "gateway", "about": {}},
        {"at": hall.at(minutes=12), "what": "alert.raise", "who": None, **lamp},
        {"at": hall.at(minutes=11), "what": "told.message", "to": "duty", **lamp},
    ]


def closing() -> dict[str, Any]:
    check = {"id": 1, "day": "2026-07-01", "at": hall.at(minutes=12), "who": "gateway"}
    return {
        **{"day": "2026-07-01", "due": hall.at(minutes=12), "left": seen(), "things": seen()},
        "checks": [check | {"due": hall.at(minutes=12), "note": "", "left": seen()}],
    }


def circuits() -> list[dict[str, Any]]:
    rows = []
    for circuit in hall.CIRCUITS:
        fine = circuit["relay"] is not None
        watts = hall.WATTS.get(circuit["meter"])
        rows.append(
            {
                **{k: circuit[k] for k in ("id", "name", "zone", "use")},
                **{"switchable": fine, "why_not": None if fine else "protected"},
                **{"watts": watts, "reported": {"on": (watts or 0) > 10}, "state": "idle"},
                **{"desired": None, "manual": None, "hazard": None, "waiting": None},
            }
        )
    rows[2]["waiting"] = {"do": "off", "due": hall.at(minutes=-4)}
    rows[4]["manual"] = {"since": hall.at(minutes=40), "why": "relay"}
    return rows


def permits() -> list[dict[str, Any]]:
    return [
        {
            **{"id": "p-1", "kind": "overtime", "zones": ["hall-1f"], "reason": "月末结账"},
            **{"from": hall.at(minutes=20), "to": hall.at(hours=-2), "approved_by": "李主任"},
        }
    ]


def entries() -> list[dict[str, Any]]:
    return [
        {
            **{"id": "e-1", "at": hall.at(minutes=5), "who": "保洁张", "reason": "清洁"},
            **{"registered_by": "王值班"},
        }
    ]


def messages() -> list[dict[str, Any]]:
    sent = {"state": "sent", "sent_at": hall.at(minutes=2)}
    return [{"id": 1, "alert": one["id"], "role": "duty", **sent} for one in records.alerts()]
