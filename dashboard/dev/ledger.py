"""Made-up cases, duties, registers, appointments and attendance for the ledger page."""

from __future__ import annotations

from typing import Any

from hall import SITE

FIRST, SECOND = (counter["id"] for counter in SITE["counters"][:2])


def at(day: str, time: str = "10:00") -> str:
    return f"2026-{day}T{time}:00.000+08:00"


def _case(number: str, kind: str, title: str, **more: Any) -> dict[str, Any]:
    due = more.pop("due", None)
    return {
        "id": number,
        "kind": kind,
        "title": title,
        "state": "open",
        "counter": FIRST,
        "holder": None,
        "received": at("06-29"),
        "opened_by": "王值班",
        "cites": ["消防 二.4"],
        "days": None,
        "unit": "workdays",
        "due": due and {"day": f"2026-{due}", "at": at(due, "17:00"), "provisional": False},
        "left": None,
        "last": 2,
        "phase": None,
        "late": False,
        "reopened": False,
        "legs": [],
        "appeal": None,
        "contact": None,
        "actions": ["note"],
    } | more


def cases() -> list[dict[str, Any]]:
    appeal = {
        **{"by": "李窗口", "at": at("06-29"), "why": "误按", "upheld": True},
        **{"decided_by": "赵主任", "decided_why": "已核实", "confirmed_by": None},
        **{"confirmed_at": None, "stands": False},
    }
    contact = {"purpose": "回访", "until": "2026-09-27", "erased_at": None, "erased_why": None}
    return [
        _case(
            *("case-1", "hazard", "东通道堆放纸箱"),
            **{"due": "06-30", "left": -1, "phase": "overdue", "late": True, "state": "issued"},
            **{"holder": "后勤", "actions": ["extend", "hand-over", "note", "rectify", "strike"]},
        ),
        _case(
            *("case-2", "bad-rating", "社保窗口"),
            **{"due": "07-02", "left": 1, "phase": "reminder", "rating": {"level": 1}},
            **{"cites": ["好差评 第四条"], "opened_by": "gateway", "appeal": appeal},
            **{"contact": contact, "actions": ["confirm", "note", "rectify"], "days": 5},
        ),
        _case(
            *("case-3", "promise", "食品经营许可"),
            **{"due": "07-10", "left": 7, "counter": SECOND, "days": 9},
            **{"cites": ["限时办结 六"], "actions": ["close", "extend", "note", "pause"]},
        ),
        _case("case-4", "promise", "餐饮服务许可", state="paused", counter=SECOND),
    ]


def case(number: str) -> dict[str, Any] | None:
    found = next((one for one in cases() if one["id"] == number), None)
    if found is None:
        return None
    events = [
        {"n": 1, "at": at("06-29"), "who": "王值班", "what": "open", "data": {"title": "x"}},
        {
            **{"n": 2, "at": at("06-29", "11:00"), "who": "王值班", "what": "issue"},
            "data": {"to": "后勤", "note": "清理通道", "due": "2026-06-30"},
        },
        {
            **{"n": 3, "at": at("06-30"), "who": "gateway", "what": "recomputed"},
            "data": {"was": "2026-06-29", "due": "2026-06-30", "provisional": False},
        },
    ]
    return found | {"events": events}


def duties() -> list[dict[str, Any]]:
    def item(duty: str, zh: str, en: str, day: str, state: str, **more: Any) -> dict[str, Any]:
        return {
            "id": f"{duty}~2026-{day}",
            "duty": duty,
            "name": {"zh": zh, "en": en},
            "cites": ["消防 五.1"],
            "day": f"2026-{day}",
            "at": at(day, "17:00"),
            "provisional": False,
            "evidence": ["state"],
            "second": None,
            "falls": f"2026-{day}",
            "state": state,
            "record": None,
        } | more

    record = _entry("duty", {"evidence": {"state": "完好"}, "note": "无"})
    return [
        item("equipment-check", "消防设施每日检查", "Daily check", "07-01", "due"),
        item("study", "集中学习", "Study", "07-06", "coming", falls="2026-07-08"),
        item("award", "评选", "Award", "07-10", "coming", provisional=True),
        item("census", "灭火器普查", "Census", "06-30", "missed"),
        item("drill", "演练", "Drill", "06-29", "done", record=record),
        item("training", "培训", "Training", "06-26", "late", record=record),
    ]


def table() -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = [
        {"every": "workday"},
        {"every": "mondays", "mondays": [1, 3]},
        {"every": "months", "months": 6},
        {"every": "dates", "dates": ["06-30", "11-30"]},
        {"every": "quarter", "workday": 3},
    ]
    return [
        {
            "id": f"duty-{n}",
            "name": {"zh": "例行事项", "en": "A duty"},
            "cites": ["学习 三"],
            "at": "09:00",
            "next": {"id": "x", "day": "2026-07-06"},
            "last": None,
        }
        | row
        for n, row in enumerate(rows)
    ]


def _entry(book: str, data: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {
        "id": f"r-{book}",
        "book": book,
        "item": "",
        "at": at("06-29"),
        "who": "王值班",
        "data": data,
        "struck": None,
    } | more


def register(book: str) -> list[dict[str, Any]]:
    struck = {"at": at("06-30"), "who": "赵主任", "why": "登记错误"}
    if book == "extinguisher":
        rows = [("01", "2026-06-20"), ("02", "2026-07-20"), ("03", "2027-06-20")]
        return [
            _entry(
                book,
                {"number": n, "place": "一楼东", "kind": "干粉", "next_check": day},
                id=f"r-{n}",
                item=n,
            )
            for n, day in rows
        ]
    if book == "hot-work":
        said = {"place": "二楼机房", "zone": "hall-1f", "from": at("07-02"), "to": at("07-02")}
        return [_entry(book, said | {"height_m": 3, "cleared_5m": True, "watcher": "刘"})]
    if book == "courier":
        said = {"document": "营业执照", "to": "双石铺镇", "direction": "out"}
        return [_entry(book, said), _entry(book, said, id="r-2", struck=struck)]
    if book == "notice":
        return [_entry(book, {"matter": "设立登记", "missing": "章程", "way": "written"})]
    return []


def appointments() -> list[dict[str, Any]]:
    one = {
        "id": "ap-1",
        "from": at("07-04", "10:00"),
        "to": at("07-04", "11:00"),
        "counter": FIRST,
        "matter": "营业执照",
        "permit": "p-1",
        "made_by": "王值班",
        "cancel_by": at("07-03", "15:00"),
        "state": "booked",
        "counts_as_no_show": False,
        "no_shows": 0,
        "barred_until": None,
        "entry": None,
        "events": [],
    }
    missed = {"at": at("06-29"), "who": "赵主任", "what": "no-show", "note": "未到"}
    past = {
        "id": "ap-2",
        "from": at("06-28"),
        "to": at("06-28", "11:00"),
        "state": "no-show",
        "counts_as_no_show": True,
        "no_shows": 3,
        "events": [missed],
    }
    return [one, one | past]


def unmet() -> list[dict[str, Any]]:
    day = {"id": "ap-3", "from": at("06-27"), "to": at("06-27", "11:00")}
    return [appointments()[0] | day]


def barred() -> list[dict[str, Any]]:
    days = [{"id": f"ap-{n}", "day": f"2026-06-{n}"} for n in (11, 20, 28)]
    return [{"until": "2026-12-28", "no_shows": days}]


def attendance() -> list[dict[str, Any]]:
    counts = {"on-time": 40, "late": 5, "undefined": 1, "absent": 0, "early": 0, "missing": 2}
    which = [{"day": "2026-07-01", "session": "morning", "minutes": 25}]
    return [
        {
            **{"person": "7", "name": "王", "days": 22, "counts": counts, "half_days": 1},
            "undefined": which,
        }
    ]
