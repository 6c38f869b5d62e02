"""A made-up hall of two floors as the gateway's API would tell it: fixtures of the dashboard."""

from __future__ import annotations

import math
from datetime import datetime, timedelta, timezone
from typing import Any

CST = timezone(timedelta(hours=8))
NOW = datetime(2026, 7, 1, 18, 12, 0, tzinfo=CST)  # a Wednesday, twelve minutes after clearing
DAY = {
    "date": "2026-07-01",
    "kind": "workday",
    "provisional": False,
    "open": False,
    "phase": "closed",
    "closed": True,
    "next": {"at": "2026-07-02T08:00:00.000+08:00", "to": "arrive"},
}
DEPARTMENTS = ["市场监督管理局", "人社局", "自然资源局", "公安局", "税务局", "医保局"]
COUNTERS = [
    "企业开办专窗",
    "社会保险",
    "医疗保险",
    "不动产登记",
    "税务综合",
    "户籍证件",
    "公积金",
    "就业服务",
    "工程建设",
    "交通运输",
    "民政事务",
    "综合受理",
]


def at(**ago: float) -> str:
    """That long before NOW, as the API writes times."""
    return (NOW - timedelta(**ago)).isoformat(timespec="milliseconds")


def _counter(i: int, name: str) -> dict[str, Any]:
    w = f"w{i:02d}"
    return {
        "id": w,
        "name": name,
        "zone": "hall-1f" if i <= 8 else "hall-2f",
        "department": DEPARTMENTS[i % 6],
        "pad": f"pad-{w}",
        "presence": f"occ-{w}/p1" if i != 7 else None,
    }


def _opening(
    oid: str, name: str, zone: str, kind: str, contact: str | None, lock: str | None = None
) -> dict[str, Any]:
    return {"id": oid, "name": name, "zone": zone, "kind": kind, "contact": contact, "lock": lock}


def _circuit(cid: str, name: str, zone: str, use: str, meter: str, relay: bool) -> dict[str, Any]:
    return {
        "id": cid,
        "name": name,
        "zone": zone,
        "use": use,
        "meter": meter,
        "relay": meter.replace("/c", "/r") if relay else None,
        "rated_w": 2000,
        "on_above_w": 10,
    }


ZONES = [
    {"id": "hall-1f", "name": "一楼大厅"},
    {"id": "hall-2f", "name": "二楼大厅"},
    {"id": "office-1f", "name": "一楼办公室"},
    {"id": "archive", "name": "档案室"},
]
COUNTER_ROWS = [_counter(i, name) for i, name in enumerate(COUNTERS, 1)]
OPENINGS = [
    _opening("main-door", "正门", "hall-1f", "entrance", "door-01/c1"),
    _opening("east-exit", "东安全出口", "hall-1f", "exit", "door-02/c1", "door-02/l1"),
    _opening("win-01", "南窗", "hall-1f", "window", "door-03/c1"),
    _opening("win-02", "北窗", "hall-1f", "window", "door-05/c1"),
    _opening("west-exit", "西安全出口", "hall-2f", "exit", "door-06/c1", "door-06/l1"),
    _opening("win-03", "二楼南窗", "hall-2f", "window", "door-07/c1"),
    _opening("fire-door-1", "楼梯间防火门", "office-1f", "fire-door", "door-04/c1"),
    _opening("back-door", "后门", "archive", "door", "door-08/c1"),
]
CIRCUITS = [
    _circuit("l-hall", "大厅照明", "hall-1f", "lighting", "pm-01/c1", True),
    _circuit("l-hall-2", "咨询台照明", "hall-1f", "lighting", "pm-01/c2", True),
    _circuit("sockets-w01", "一号窗口插座", "hall-1f", "counter", "pm-01/c3", True),
    _circuit("sockets-w05", "五号窗口插座", "hall-1f", "counter", "pm-01/c4", True),
    _circuit("l-hall-2f", "二楼照明", "hall-2f", "lighting", "pm-02/c1", True),
    _circuit("sockets-2f", "二楼插座", "hall-2f", "counter", "pm-02/c2", True),
    _circuit("l-office", "办公室照明", "office-1f", "lighting", "pm-03/c1", True),
    _circuit("fire-panel", "消防控制器", "office-1f", "protected", "pm-03/c2", False),
    _circuit("l-archive", "档案室照明", "archive", "lighting", "pm-04/c1", True),
]
ACS = [
    {"id": f"ac-{i}", "name": name, "zone": zone, "source": f"ac-0{i}/a1", "control": f"ac-0{i}/a1"}
    for i, name, zone in [
        (1, "大厅空调一", "hall-1f"),
        (2, "大厅空调二", "hall-1f"),
        (3, "二楼空调", "hall-2f"),
    ]
]
SENSORS = [
    {"zone": z, "kind": kind, "source": f"occ-{n}/{ch}", "circuit": None}
    for z, n in [("hall-1f", "01"), ("hall-2f", "02"), ("office-1f", "03"), ("archive", "04")]
    for kind, ch in [("presence", "p1"), ("lux", "x1"), ("climate", "t1")]
]
CHECKPOINTS = [
    {"id": "cp-power-room", "name": "配电室"},
    {"id": "cp-east-exit", "name": "东安全出口"},
    {"id": "cp-archive", "name": "档案室"},
]
ROUTES = [
    {
        "id": "daily",
        "name": "每日防火巡查",
        "checkpoints": ["cp-power-room", "cp-east-exit", "cp-archive"],
        "due": [["17:00", "19:00"]],
        "days": "all",
    },
    {
        "id": "open-hours",
        "name": "对外办公期间巡查",
        "checkpoints": ["cp-power-room", "cp-east-exit"],
        "due": [["09:00", "11:00"], ["11:00", "13:00"], ["13:00", "15:00"], ["15:00", "17:00"]],
        "days": "workdays",
    },
]


def _devices() -> list[dict[str, str]]:
    kinds = [(c["pad"], "rating-pad") for c in COUNTER_ROWS]
    kinds += [(f"door-0{i}", "opening-sensor") for i in range(1, 9)]
    kinds += [(f"pm-0{i}", "power-meter") for i in range(1, 5)]
    kinds += [(f"occ-0{i}", "room-sensor") for i in range(1, 5)]
    kinds += [(f"ac-0{i}", "ac-controller") for i in range(1, 4)]
    kinds += [("reader-01", "patrol-reader"), ("desk-01", "duty-panel")]
    battery = {"door-01", "door-03"}
    return [{"id": d, "kind": k, "power": "battery" if d in battery else "mains"} for d, k in kinds]


SITE = {
    "id": "fengxian",
    "name": "凤县政务服务中心",
    "timezone": "Asia/Shanghai",
    "hours": {
        "open": [["09:00", "12:00"], ["13:00", "17:00"]],
        "arrive": "08:00",
        "clear": "18:00",
    },
    "attendance": {
        "halves": [
            {"name": "morning", "by": "08:55", "ends": "12:00"},
            {"name": "afternoon", "by": "13:00", "ends": "17:00"},
        ],
        "late": 10,
        "absent": 30,
        "half_day_at": 5,
    },
    "zones": ZONES,
    "counters": COUNTER_ROWS,
    "openings": OPENINGS,
    "circuits": CIRCUITS,
    "acs": ACS,
    "sensors": SENSORS,
    "routes": ROUTES,
    "checkpoints": CHECKPOINTS,
    "devices": _devices(),
}
SILENT = {"pm-04", "occ-04"}
WATTS = {
    "pm-01/c1": 412.0,
    "pm-01/c2": 0.0,
    "pm-01/c3": 6.2,
    "pm-01/c4": 2.1,
    "pm-02/c1": 0.0,
    "pm-02/c2": 3.4,
    "pm-03/c1": 96.0,
    "pm-03/c2": 38.0,
    "pm-04/c1": 0.0,
}


def _channel(source: str, kind: str, **values: object) -> tuple[str, dict[str, Any]]:
    known = source.split("/", maxsplit=1)[0] not in SILENT
    return source, {"kind": kind, "at": at(minutes=1), "known": known, "values": values}


def channels() -> dict[str, Any]:
    """Every channel's last value at NOW."""
    out = [_channel(m, "power", w=w, wh=1234.0) for m, w in WATTS.items()]
    out += [
        _channel(c["presence"], "presence", present=False) for c in COUNTER_ROWS if c["presence"]
    ]
    for n, someone in [("01", False), ("02", False), ("03", True), ("04", False)]:
        out.append(_channel(f"occ-{n}/p1", "presence", present=someone))
        out.append(_channel(f"occ-{n}/x1", "lux", lx=86))
        out.append(_channel(f"occ-{n}/t1", "climate", c=26.4, rh=58))
    for o in OPENINGS:
        out.append(_channel(o["contact"], "contact", open=o["id"] == "win-01"))
        if o["lock"]:
            out.append(_channel(o["lock"], "lock", locked=o["id"] == "east-exit"))
    for i, on in [(1, True), (2, False), (3, False)]:
        out.append(_channel(f"ac-0{i}/a1", "ac", on=on, mode="cool", set=24, src="measured"))
    return dict(out)


def devices() -> dict[str, Any]:
    return {
        d["id"]: {
            "state": "ready" if d["id"] not in SILENT else "lost",
            "silent": d["id"] in SILENT,
            "last": at(minutes=23 if d["id"] in SILENT else 1),
        }
        for d in SITE["devices"]  # type: ignore[union-attr]
    }


def series(channel: str, field: str, begin: datetime, end: datetime, step: timedelta) -> list[Any]:
    """A plausible day: people from eight to six, a gap from 03:10 to 04:20."""
    out = []
    t = begin
    while t < min(end, NOW):
        h = t.astimezone(CST).hour + t.minute / 60
        awake = max(0.0, math.sin((h - 7.5) / 11 * math.pi)) if 7.5 < h < 18.5 else 0.0
        share = (sum(map(ord, channel)) % 7 + 3) / 10
        value = {"w": 60 + 1500 * awake * share, "lx": 600 * awake}.get(field)
        if field in ("open", "locked", "present", "on"):
            value = float(
                (int(h * 6) + len(channel) + ord(channel[-4])) % 17 == 3
                or (field == "present" and awake > 0.2)
            )
        gap = 3.15 < h < 4.4 and t.astimezone(CST).date() == NOW.date()
        if value is not None and not gap:
            out.append(
                {"t": t.isoformat(), "min": value * 0.95, "mean": value, "max": value * 1.05}
            )
        t += step
    return out
