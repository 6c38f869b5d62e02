"""What the duty page asks for beside alerts: shifts, the closing check, circuits."""

from __future__ import annotations

from typing import Any

import hall


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
