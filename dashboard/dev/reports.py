"""Made-up sheets, hours, staff and cases for the ratings and reports pages."""

from __future__ import annotations

from typing import Any

from hall import SITE
from records import ratings

TITLES = {
    "ratings-week": ("好差评周统计", "Ratings, weekly", ["2026-W27", "2026-W26"]),
    "ratings-month": ("好差评月汇总", "Ratings, monthly", ["2026-07", "2026-06"]),
    "ratings-quarter": ("好差评季度报告", "Ratings, quarterly", ["2026-Q3", "2026-Q2"]),
    "stars": (
        "服务之星、红旗窗口评选表",
        "Service stars and red-flag counter",
        ["2026-07", "2026-06"],
    ),
    "hygiene": (
        "文明卫生窗口（办公室）评分表",
        "Civility and hygiene table",
        ["2026-07", "2026-06"],
    ),
    "zeros": ("七心七零统计表", "Seven zeros", ["2026-07", "2026-06"]),
    "meeting": ("联席会议数据包", "Joint meeting, data pack", ["2026-H2", "2026-H1"]),
}


def words(zh: str, en: str) -> dict[str, str]:
    return {"zh": zh, "en": en}


def periods() -> list[dict[str, Any]]:
    return [
        {
            "kind": kind,
            "title": words(zh, en),
            "period": period,
            "first": "2026-06-01",
            "last": "2026-06-30",
            "due": "2026-07-03" if kind.startswith("ratings") else None,
            "provisional": False,
        }
        for kind, (zh, en, names) in TITLES.items()
        for period in names
    ]


def sheet(kind: str, period: str, *, empty: bool) -> dict[str, Any] | None:
    if kind not in TITLES:
        return None
    zh, en, _ = TITLES[kind]
    names = {c["id"]: c["name"] for c in SITE["counters"]}
    rows = [
        [names[r["counter"]], r["n"], r["mean"], "" if r["mean"] else words("n<5", "n<5"), 0.98]
        for r in ratings("counter")
    ]
    columns = [
        {"key": "counter", "title": words("窗口", "Counter"), "kind": "text"},
        {"key": "n", "title": words("评价数", "Ratings"), "kind": "int"},
        {"key": "mean", "title": words("平均分", "Mean"), "kind": "score"},
        {"key": "flag", "title": words("标记", "Flag"), "kind": "text"},
        {"key": "coverage", "title": words("设备在线率", "Pad heard"), "kind": "share"},
    ]
    given = {"hygiene": "room-1", "stars": "image-1"}.get(kind)
    if given:
        columns.append({"key": given, "title": words("摆放洁净", "In order"), "kind": "score"})
        rows = [[*row, None] for row in rows]
    return {
        "kind": kind,
        "period": period,
        "title": words(zh, en),
        "first": "2026-06-01",
        "last": "2026-06-30",
        "due": "2026-07-03",
        "provisional": True,
        "sections": [
            {
                "key": "counter",
                "title": words("按窗口", "By counter"),
                "columns": columns,
                "rows": [] if empty else rows,
            }
        ],
        "notes": [words("同分并列。", "Ties are ties.")],
        "sources": [words("评价器按键记录", "Pads")],
        "settings": [
            {"key": "few", "title": words("分级显示", "Shown from"), "value": 5, "law": False}
        ],
    }


def hours() -> list[dict[str, Any]]:
    return [
        {
            "counter": counter["id"],
            "hour": hour,
            "n": (i * 7 + hour * 3) % 13,
            "mean": 4 + (i + hour) % 6 if (i * 7 + hour * 3) % 13 >= 5 else None,
        }
        for i, counter in enumerate(SITE["counters"][:8])
        for hour in (9, 10, 11, 13, 14, 15, 16)
        if (i * 7 + hour * 3) % 13
    ]


def staff() -> list[dict[str, Any]]:
    rows = ratings("counter")[:2]
    return [{**row, "person": name} for row, name in zip(rows, ("", "值班员"), strict=True)]


def episodes() -> list[dict[str, Any]]:
    zone = SITE["zones"][0]["id"]
    return [
        {
            "finding": f"f-{number}",
            "rule": rule,
            "subject": SITE["circuits"][0]["id"],
            "zone": zone,
            "start": "2026-06-30T18:20:00.000+08:00",
            "end": "2026-06-30T18:50:00.000+08:00",
            "item": item,
            "unit": None,
            "decision": None,
        }
        for number, (rule, item) in enumerate(
            [("lights.vacant", "thrift-1"), ("power.standby", "thrift-3")]
        )
    ]
