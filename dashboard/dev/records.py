"""Findings, alerts, rounds, ratings, rules and energy of the made-up hall (see hall.py)."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from hall import COUNTER_ROWS, NOW, at


def _finding(
    n: int,
    rule: str,
    subject: str,
    zone: str | None,
    ago: float,
    severity: str,
    cites: list[str],
    **more: Any,
) -> dict[str, Any]:
    end = more.pop("end", None)
    return {
        "id": f"f-{n}",
        "rule": rule,
        "subject": subject,
        "zone": zone,
        "since": at(minutes=ago),
        "start": at(minutes=ago - more.pop("hold", 0)),
        "end": None if end is None else at(minutes=end),
        "severity": severity,
        "cites": cites,
        "evidence": more,
        "state": "open" if end is None else "ended",
    }


def _part(
    zh: str, en: str, value: bool | None, ago: float, channel: str | None = None
) -> dict[str, Any]:
    return {
        "text_zh": zh,
        "text_en": en,
        "value": value,
        "since": at(minutes=ago),
        "channel": channel,
    }


FINDINGS = [
    _finding(
        1,
        "exit.locked",
        "east-exit",
        "hall-1f",
        3.2,
        "critical",
        ["消防 三.3", "消防 三.1"],
        hold=1 / 6,
        zh="东安全出口上锁，且办公室有人，18:08 起。",
        en="East exit locked while somebody is inside, since 18:08.",
        parts=[
            _part("东安全出口已上锁", "east exit locked", True, 3.2, "door-02/l1"),
            _part("对外办公时间", "open hours", False, 72),
            _part("有人在内", "anyone inside", True, 41, "occ-03/p1"),
        ],
    ),
    _finding(
        2,
        "lights.after-close",
        "l-hall",
        "hall-1f",
        12,
        "warning",
        ["安全 一.2", "消防 七.1(3)"],
        zh="大厅照明 412 W > 10 W，17:58:03 起；18:00 起已下班；无豁免。",
        en="Hall lights 412 W > 10 W since 17:58:03; closed since 18:00; no permit.",
        parts=[
            _part("大厅照明 412 W > 10 W", "hall lights 412 W > 10 W", True, 14, "pm-01/c1"),
            _part("已下班", "closed", True, 12),
            _part("没有豁免", "no permit", True, 600),
            _part("有人登记在场", "attended", False, 90),
            _part("档案室有人", "somebody in the archive", None, 23, "occ-04/p1"),
        ],
    ),
    _finding(
        3,
        "premises.unclosed",
        "win-01",
        "hall-1f",
        12,
        "warning",
        ["安全 二.2"],
        zh="南窗敞开，18:00 起已下班。",
        en="South window open; closed since 18:00.",
    ),
    _finding(
        4,
        "device.silent",
        "pm-04",
        None,
        23,
        "warning",
        [],
        zh="10 分钟没有任何消息。",
        en="Nothing heard for 10 minutes.",
    ),
    _finding(
        5,
        "ac.setpoint",
        "ac-1",
        "hall-1f",
        95,
        "notice",
        ["厉行节约 ②"],
        zh="大厅空调一制冷设定 24 °C，低于 26 °C。",
        en="Hall AC 1 cools to 24 °C, below 26 °C.",
    ),
    _finding(
        6,
        "power.standby",
        "sockets-w01",
        "hall-1f",
        12,
        "notice",
        ["安全 一.3", "消防 七.1(3)", "厉行节约 ③"],
        zh="一号窗口插座 6 W > 5 W。",
        en="Sockets of counter 1: 6 W > 5 W.",
    ),
    _finding(
        7,
        "premises.unclosed",
        "west-exit",
        "hall-2f",
        1260,
        "warning",
        ["安全 二.2"],
        end=1236,
        zh="西安全出口敞开。",
        en="West exit open.",
    ),
    _finding(
        8,
        "firedoor.open",
        "fire-door-1",
        "office-1f",
        400,
        "warning",
        ["消防 三.2"],
        end=396,
        hold=1,
        zh="楼梯间防火门敞开。",
        en="Fire door of the stairs open.",
    ),
]


def whole(alert: dict[str, Any]) -> dict[str, Any]:
    """One alert with its history."""
    raised = {"at": alert["since"], "what": "raise", "state": "unacknowledged", "who": None}
    return alert | {"history": [raised | {"round": 1, "about": None}], "members": []}


def alerts() -> list[dict[str, Any]]:
    """An alert per finding that somebody must be told of, in every state a page must show."""
    states = ["unacknowledged", "acknowledged", "unacknowledged", "shelved", "unacknowledged"]
    out = []
    for i, f in enumerate(FINDINGS[:5]):
        alert = {**f, "id": f"a-{i + 1}", "finding": f["id"], "state": states[i]}
        if alert["state"] == "acknowledged":
            alert |= {"acked_by": "值班员", "acked_at": at(minutes=9)}
        if alert["state"] == "shelved":
            alert |= {
                "shelved_until": at(minutes=-60),
                "shelve_why": "等待后勤换电池",
                "acked_by": "值班员",
            }
        alert["notifications"] = [
            {
                "at": at(minutes=3),
                "to": "duty",
                "channel": "企业微信",
                "state": "delivered",
                "answer": "ok",
            }
        ]
        out.append(alert)
    for f in FINDINGS[6:]:
        out.append(
            {
                **f,
                "id": f"a-{f['id']}",
                "finding": f["id"],
                "state": "normal",
                "acked_by": "值班员",
                "acked_at": f["end"],
                "notifications": [],
            }
        )
    return out


def rounds() -> list[dict[str, Any]]:
    """Today's rounds of both routes, each of the four outcomes once."""
    day = NOW.replace(hour=0, minute=0)
    states = ["done", "late", "missed", "done"]
    out = []
    for i, state in enumerate(states):
        begin = day + timedelta(hours=9 + 2 * i)
        taps = [
            begin + timedelta(minutes=20),
            begin + timedelta(minutes=32 if state != "late" else 150),
        ]
        points = [
            {"id": cp, "at": None if state == "missed" and j else taps[j].isoformat()}
            for j, cp in enumerate(["cp-power-room", "cp-east-exit"])
        ]
        end = (begin + timedelta(hours=2)).isoformat()
        out.append(
            {
                "id": f"open-hours~{i}",
                "route": "open-hours",
                "begin": begin.isoformat(),
                "end": end,
                "state": state,
                "checkpoints": points,
                "flags": [
                    {"what": "too-fast", "at": taps[1].isoformat(), "checkpoint": "cp-east-exit"}
                ]
                if i == 3
                else [],
            }
        )
    seventeen = day + timedelta(hours=17)
    points = [
        {"id": "cp-power-room", "at": at(minutes=50)},
        {"id": "cp-east-exit", "at": at(minutes=41)},
        {"id": "cp-archive", "at": None},
    ]
    end = (seventeen + timedelta(hours=2)).isoformat()
    return [
        *out,
        {
            "id": "daily~1",
            "route": "daily",
            "begin": seventeen.isoformat(),
            "end": end,
            "state": "due",
            "checkpoints": points,
        },
    ]


def ratings(by: str) -> list[dict[str, Any]]:
    """Counts of a day; two counters stay below five."""
    rows: dict[str, dict[str, Any]] = {}
    for i, counter in enumerate(COUNTER_ROWS):
        n = [23, 18, 3, 31, 12, 9, 0, 14, 7, 11, 4, 16][i]
        key = {"counter": counter["id"], "hall": "hall"}.get(by, counter["department"])
        row = rows.setdefault(key, {by: key, "n": 0, "duplicates": 0, "unrated": 0, "all": [0] * 5})
        levels = [n - n // 3 - n // 7 - n // 11, n // 3, n // 7, n // 11, 0]
        row["n"] += n
        row["duplicates"] += i % 3
        row["unrated"] += i % 5
        row["all"] = [a + b for a, b in zip(row["all"], levels, strict=True)]
    out = []
    for row in rows.values():
        levels, n = row.pop("all"), row["n"]
        few = n < 5
        mean = (
            None if few else sum(p * c for p, c in zip([10, 8, 6, 0, -5], levels, strict=True)) / n
        )
        shown = None if few else {str(5 - i): c for i, c in enumerate(levels)}
        out.append({**row, "levels": shown, "mean": mean} | ({"of": n} if by == "hall" else {}))
    return out


def few() -> list[dict[str, Any]]:
    """A hall with three ratings: too few to show their levels."""
    common = {"hall": "hall", "counter": COUNTER_ROWS[0]["id"], "department": "—"}
    hidden = {"n": 3, "duplicates": 1, "unrated": None, "levels": None, "mean": None, "of": 0}
    return [common | hidden]


def rules() -> list[dict[str, Any]]:
    return [
        {
            "id": "lights.vacant",
            "cites": [
                {"text": "安全 一.1", "words": "人离办公区域必须随手关灯"},
                {"text": "厉行节约 ①", "words": "人走灯灭"},
            ],
            "formula": "lit(circuit) & ~present(zone)",
            "hold": "15min",
            "hold_is": "proposed",
            "settings": [],
            "severity": "notice",
            "tells": "facilities",
            "acts": "off",
        },
        {
            "id": "lights.after-close",
            "cites": [{"text": "安全 一.2", "words": "下班后关闭照明"}],
            "formula": "lit(circuit) & closed & ~permitted(zone) & ~attended",
            "hold": "0s",
            "hold_is": "law",
            "settings": [],
            "severity": "warning",
            "tells": "duty",
            "acts": "off-if-vacant",
        },
        {
            "id": "ac.setpoint",
            "cites": [{"text": "厉行节约 ②", "words": "夏季不低于26℃，冬季不高于20℃"}],
            "formula": "on(ac) & (cooling & set < 26 | heating & set > 20)",
            "hold": "0s",
            "hold_is": "law",
            "settings": [
                {"key": "cooling", "value": 26, "is": "law"},
                {"key": "heating", "value": 20, "is": "law"},
            ],
            "severity": "notice",
            "tells": "facilities",
            "acts": "set",
        },
        {
            "id": "lights.daylight",
            "cites": [{"text": "厉行节约 ①", "words": "充分利用自然光"}],
            "formula": "lit(circuit) & lux(zone) >= 300 & (present(zone) | open)",
            "hold": "15min",
            "hold_is": "proposed",
            "settings": [{"key": "lux", "value": 300, "is": "proposed"}],
            "severity": "notice",
            "tells": "facilities",
            "acts": None,
        },
        {
            "id": "exit.locked",
            "cites": [
                {"text": "消防 三.3", "words": "严禁在营业期间将安全出口上锁"},
                {"text": "消防 三.1", "words": "保持安全出口畅通"},
            ],
            "formula": "locked(opening) & (open | anyone_inside)",
            "hold": "10s",
            "hold_is": "proposed",
            "settings": [],
            "severity": "critical",
            "tells": "duty, facilities",
            "acts": None,
        },
    ]
