"""What a demonstration's ledgers hold when it begins, entered over HTTP as a person would.

Cases at every stage, extinguishers near their check, a few lines in each book, appointments, two
weeks of punches. The days are counted from the demonstration's own first day.
"""

from __future__ import annotations

import json
import urllib.error
import urllib.request
from datetime import date, timedelta
from typing import Any
from urllib.parse import urlencode

from gateway.site import Site
from gateway.workdays import Calendar

WAIT_S = 10
PEOPLE = ("1001", "1002", "1003", "1004")
# Minutes late in the morning, by person: on time, 迟到, 未定级, and one who leaves early.
LATE = {"1002": 6, "1003": 22}


class Desk:
    """The calls of one signed-in person; a refusal is an HTTPError."""

    def __init__(self, base: str) -> None:
        self._base = base + "/api/v1"
        self._token = ""

    def sign_in(self, user: str, password: str) -> None:
        """Raises HTTPError where that is not the password."""
        self._token = self.post("/login", {"user": user, "password": password})["token"]

    def get(self, path: str) -> Any:
        return self._call(urllib.request.Request(self._base + path))

    def post(self, path: str, body: Any) -> Any:
        raw = body if isinstance(body, bytes) else json.dumps(body).encode()
        kind = "text/csv" if isinstance(body, bytes) else "application/json"
        asked = urllib.request.Request(self._base + path, raw, {"Content-Type": kind})
        return self._call(asked)

    def _call(self, asked: urllib.request.Request) -> Any:
        if self._token:
            asked.add_header("Authorization", f"Bearer {self._token}")
        with urllib.request.urlopen(asked, timeout=WAIT_S) as answer:
            return json.load(answer)


def fill(base: str, password: str, hall: Site, calendar: Calendar, today: date) -> bool:
    """Enter it all, unless somebody has entered something before; whether it was entered.

    Raises OSError where the gateway cannot be reached, HTTPError where it refuses."""
    desk = Desk(base)
    try:
        desk.sign_in("admin", password)
    except urllib.error.HTTPError as fault:
        if fault.code != 401:
            raise
        return False  # somebody's own data, with a password of its own
    if not hall.counters or desk.get("/cases?limit=1&struck=true")["items"]:
        return False
    _cases(desk, hall, calendar, today)
    _registers(desk, hall, today)
    _appointments(desk, hall, calendar, today)
    desk.post(f"/attendance/imports?{urlencode({'file': '考勤机.csv'})}", _punches(calendar, today))
    return True


def _workday(calendar: Calendar, today: date, n: int) -> str:
    return calendar.add_workdays(today, n)[0].isoformat()


def _cases(desk: Desk, hall: Site, calendar: Calendar, today: date) -> None:
    def counter(n: int) -> str:
        return hall.counters[n % len(hall.counters)].id

    def opened(kind: str, title: str, ago: int, **more: Any) -> str:
        begun = f"{_workday(calendar, today, -ago)}T08:30:00" if ago else None
        asked = {"kind": kind, "title": title, "received": begun, **more}
        return str(desk.post("/cases", asked)["id"])

    def did(case: str, what: str, **said: Any) -> None:
        desk.post(f"/cases/{case}/{what}", said)

    reach = {"text": "12345", "purpose": "回访"}
    opened("complaint", "反映等候时间过长", 3, counter=counter(1), contact=reach)
    opened("start-up", "企业开办：执照、印章、发票", 1, counter=counter(0))
    opened("promise", "食品经营许可", 2, counter=counter(0), days=5)
    opened("promise", "不动产转移登记", 1, counter=counter(2), days=10)
    waiting = opened("promise", "餐饮服务许可", 1, counter=counter(3), days=7)
    did(waiting, "pause", note="缺平面图，已书面告知补正")
    hazard = opened("hazard", "东侧通道堆放纸箱", 1, due=_workday(calendar, today, 3))
    did(hazard, "issue", to="后勤", note="三日内清理通道")
    rated = opened("bad-rating", "纸质差评：材料要求前后不一", 4, counter=counter(2))
    did(rated, "appeal", note="评价对象为另一窗口")
    done = opened("promise", "社保卡补换", 4, counter=counter(1), days=5)
    did(done, "close", outcome="已办结，本人领取")


def _registers(desk: Desk, hall: Site, today: date) -> None:
    places = [zone.name for zone in hall.zones]
    for n, days in enumerate((18, 75, 160, 320), 1):
        said = {
            "number": f"{n:02}",
            "place": places[n % len(places)],
            "kind": "干粉 4 公斤",
            "next_check": (today + timedelta(days=days)).isoformat(),
        }
        desk.post("/registers/extinguisher", said)
    evening = (today + timedelta(days=1)).isoformat()
    desk.post(
        "/registers/hot-work",
        {
            **{
                "place": "设备间",
                "zone": hall.zones[0].id,
                "work": "焊接支架",
                "applicant": "后勤",
            },
            **{"from": f"{evening}T18:30:00", "to": f"{evening}T20:00:00", "height_m": 2.6},
            **{
                "cleared_5m": True,
                "extinguishers": True,
                "supervisor": "后勤",
                "watcher": "值班员",
            },
        },
    )
    desk.post("/registers/courier", {"document": "营业执照", "to": "申请人", "direction": "out"})
    wrong = desk.post(
        "/registers/courier", {"document": "档案袋", "to": "档案室", "direction": "out"}
    )
    desk.post(f"/registers/entries/{wrong['id']}/strike", {"note": "方向登记错误"})
    desk.post("/registers/courier", {"document": "档案袋", "to": "档案室", "direction": "in"})
    missing = {"matter": "餐饮服务许可", "missing": "经营场所平面图", "way": "written"}
    desk.post("/registers/notice", missing)
    helped = {"matter": "养老资格认证", "service": "on-behalf", "result": "已办结"}
    desk.post("/registers/assisted", helped)


def _appointments(desk: Desk, hall: Site, calendar: Calendar, today: date) -> None:
    off = today + timedelta(days=1)
    while calendar.is_workday(off):
        off += timedelta(days=1)
    spans = ((today, "18:30", "19:00"), (off, "10:00", "11:00"))
    for n, (day, begin, end) in enumerate(spans):
        desk.post(
            "/appointments",
            {
                **{"from": f"{day}T{begin}:00", "to": f"{day}T{end}:00"},
                **{"counter": hall.counters[n % len(hall.counters)].id, "matter": "营业执照变更"},
                "card": f"DEMO-{n}",
            },
        )


def _punches(calendar: Calendar, today: date) -> bytes:
    """Two weeks of the machine's file, up to the day before."""
    lines = ["工号,时间"]
    for n in range(14, 0, -1):
        day = today - timedelta(days=n)
        if not calendar.is_workday(day):
            continue
        for who in PEOPLE:
            late = LATE.get(who, 0) if day.weekday() in (0, 3) else -7
            minute = 8 * 60 + 55 + late
            leaves = "16:30" if who == "1004" and day.weekday() == 4 else "17:02"
            times = (f"{minute // 60:02}:{minute % 60:02}", "12:01", "12:56", leaves)
            lines += [f"{who},{day} {time}" for time in times]
    return "\n".join(lines).encode()
