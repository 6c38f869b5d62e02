"""文明卫生窗口（办公室）检查评分表, with ①②③ of 厉行节约 from confirmed episodes.

A finding of the sensors is a candidate; half a point is taken only after a named person has
confirmed it, one by one, and said to whom it is charged: `max(0, cap − 0.5 × confirmed)`.
"""

from __future__ import annotations

import sqlite3
from collections import Counter
from dataclasses import dataclass
from zoneinfo import ZoneInfo

from gateway.ratings.reading import days
from gateway.reports import keeping
from gateway.reports.keeping import Decision
from gateway.reports.model import Column, Row, Section, Setting, Sheet, Text, ranks
from gateway.reports.periods import Period
from gateway.site import Site

OFF = 0.5
TITLE = Text("文明卫生窗口（办公室）评分表", "Civility and hygiene table")
# item → (cap, words); those of EPISODES are filled from confirmed episodes, the others by hand
ITEMS: dict[str, tuple[float, Text]] = {
    "civility-1": (8, Text("文明办公① 制度作风", "Civility 1: rules")),
    "civility-2": (8, Text("文明办公② 坚守岗位", "Civility 2: at the post")),
    "civility-3": (7, Text("文明办公③ 保密规定", "Civility 3: secrecy")),
    "civility-4": (7, Text("文明办公④ 禁烟", "Civility 4: no smoking")),
    "room-1": (10, Text("室内卫生① 摆放洁净", "Room 1: in order and clean")),
    "room-2": (10, Text("室内卫生② 花草环境", "Room 2: plants")),
    "room-3": (10, Text("室内卫生③ 设备维护", "Room 3: appliances")),
    "room-4": (10, Text("室内卫生④ 用品保洁", "Room 4: supplies")),
    "thrift-1": (8, Text("厉行节约① 照明", "Thrift 1: lights")),
    "thrift-2": (8, Text("厉行节约② 空调", "Thrift 2: air conditioning")),
    "thrift-3": (7, Text("厉行节约③ 办公设备", "Thrift 3: office devices")),
    "thrift-4": (7, Text("厉行节约④ 用纸用笔", "Thrift 4: paper")),
}
EPISODES = {
    "lights.vacant": "thrift-1",
    "lights.daylight": "thrift-1",
    "lights.all-night": "thrift-1",
    "ac.setpoint": "thrift-2",
    "ac.vacant": "thrift-2",
    "ac.opening": "thrift-2",
    "power.standby": "thrift-3",
}
AUTO = ("thrift-1", "thrift-2", "thrift-3")
NEEDED = tuple(item for item in ITEMS if item not in AUTO)
NOTES = (
    Text(
        "厉行节约①②③：传感器记录只是线索，由具名人员逐条确认后每次扣 0.5 分，扣完为止；未确认和不认定的不扣分。",
        "Thrift 1–3: what sensors found is a candidate; 0.5 is taken for each that a named person has"
        " confirmed, down to 0.",
    ),
    Text(
        "制度矛盾一：办法称“三大类13项”，评分表实列 12 项。",
        "Contradiction 1: the rule says 13 items, the table has 12.",
    ),
    Text(
        "制度矛盾二：室内卫生②③④分值各 10 分，评分标准只写明 6 分（3+3、6、3+3）；本表满分仍按 10 分。",
        "Contradiction 2: room items 2–4 are of 10, their criteria make 6; full marks stay 10 here.",
    ),
    Text(
        "尚有未检查项或待确认线索的单位，总分与名次为暂定；得分相同并列。",
        "Totals and ranks stay provisional while items or candidates are open; ties are ties.",
    ),
)


@dataclass(frozen=True, slots=True)
class Episode:
    """A finding that may cost points. `unit` is whom it would be charged to, where that is plain."""

    finding: str
    rule: str
    subject: str
    zone: str | None
    start: int
    end: int | None
    item: str
    unit: str | None
    decision: Decision | None


def score(item: str, confirmed: int) -> float:
    """What is left of an item's cap."""
    return max(0.0, ITEMS[item][0] - OFF * confirmed)


def units(site: Site) -> dict[str, str]:
    """unit → its name: every counter, and every zone (a zone with counters is its common area)."""
    found = {counter.id: counter.name for counter in site.counters}
    return found | {zone.id: zone.name for zone in site.zones if zone.id not in found}


def ranked(site: Site) -> list[str]:
    """The units that compete: counters, and zones without counters (办公室)."""
    busy = {counter.zone for counter in site.counters}
    counters = [counter.id for counter in site.counters]
    return counters + [z.id for z in site.zones if z.id not in busy and z.id not in counters]


def proposed(site: Site, zone: str | None) -> str | None:
    """The unit of a zone where only one can be meant."""
    mine = [counter.id for counter in site.counters if counter.zone == zone]
    if zone is None or len(mine) > 1:
        return None
    return mine[0] if mine else zone


def episodes(db: sqlite3.Connection, site: Site, period: Period) -> list[Episode]:
    """The month's candidates, oldest first; what was withdrawn is none."""
    begin, end = days(period.first, period.last, ZoneInfo(site.timezone))
    said = keeping.decisions(db, begin, end)
    marks = ",".join("?" * len(EPISODES))
    rows = db.execute(
        'SELECT id, rule, subject, zone, start, "end" FROM finding WHERE start >= ? AND start < ?'
        f" AND state <> 'withdrawn' AND +rule IN ({marks}) ORDER BY start, id",
        (begin, end, *EPISODES),
    )
    return [
        Episode(
            *(name, rule, subject, zone, start, end),
            *(EPISODES[rule], proposed(site, zone), said.get(name)),
        )
        for name, rule, subject, zone, start, end in rows
    ]


def sheet(db: sqlite3.Connection, site: Site, period: Period) -> Sheet:
    """The month's table, the red and black list, and the episodes behind ①②③."""
    found = episodes(db, site, period)
    entered = keeping.fields(db, "hygiene", period.name)
    names = units(site)
    confirmed = Counter(
        (e.decision.unit, e.item) for e in found if e.decision and e.decision.decision == "confirm"
    )
    waiting = Counter(e.unit for e in found if e.decision is None)
    unplaced = waiting.pop(None, 0)
    competing = ranked(site)
    totals = [_total(unit, entered, confirmed) for unit in competing]
    places = ranks(totals)
    open_ = [_open(unit, entered) for unit in competing]
    complete = not any(open_) and not waiting and not unplaced
    last = max((p for p in places if p is not None), default=None)
    rows: list[Row] = []
    for unit, points, place, missing in zip(competing, totals, places, open_, strict=True):
        rows.append(
            (
                names[unit],
                *(_score(unit, item, entered, confirmed) for item in ITEMS),
                *(points, place, missing, waiting.get(unit, 0)),
                _award(place, last, places, complete=complete),
            )
        )
    common = [unit for unit in names if unit not in competing]
    return Sheet(
        kind="hygiene",
        period=period.name,
        title=TITLE,
        first=period.first,
        last=period.last,
        provisional=not complete,
        sections=(
            Section("units", Text("评分表", "Table"), _columns(), rows),
            Section(
                "items",
                Text("厉行节约核算", "Thrift, counted"),
                (
                    Column("unit", Text("单位", "Unit"), "text", 24),
                    Column("item", Text("项目", "Item"), "text", 20),
                    Column("cap", Text("分值", "Cap"), "score"),
                    Column("confirmed", Text("确认次数", "Confirmed")),
                    Column("score", Text("得分", "Score"), "score"),
                ),
                [
                    *(
                        (names[unit], ITEMS[item][1], ITEMS[item][0], n, score(item, n))
                        for unit in competing
                        for item in AUTO
                        for n in (confirmed[unit, item],)
                    ),
                    *(
                        (names[unit], ITEMS[item][1], None, n, None)
                        for unit in common
                        for item in AUTO
                        if (n := confirmed[unit, item])
                    ),
                ],
            ),
        ),
        notes=NOTES,
        sources=(
            Text(
                f"情形记录 {len(found)} 条：已确认 {confirmed.total()}，待确认"
                f" {sum(waiting.values()) + unplaced}",
                f"{len(found)} findings: {confirmed.total()} confirmed,"
                f" {sum(waiting.values()) + unplaced} to be decided",
            ),
            Text(
                "其余各项由每月集中检查人员填写",
                "Other items: by hand, from the monthly inspection",
            ),
        ),
        settings=(
            Setting("off", Text("每次扣分", "Off for each"), OFF, law=True),
            *(Setting(item, ITEMS[item][1], ITEMS[item][0], law=True) for item in AUTO),
        ),
    )


def _columns() -> tuple[Column, ...]:
    return (
        Column("unit", Text("窗口（办公室）", "Counter or office"), "text", 24),
        *(Column(item, words, "score", 11) for item, (_, words) in ITEMS.items()),
        Column("total", Text("总分 (100)", "Total (100)"), "score"),
        Column("rank", Text("名次", "Rank"), width=8),
        Column("open", Text("未检查项", "Items open"), width=9),
        Column("waiting", Text("待确认线索", "Candidates"), width=11),
        Column("award", Text("红黑榜", "Red and black"), "text", 18),
    )


def _score(
    unit: str, item: str, entered: keeping.Fields, confirmed: Counter[tuple[str | None, str]]
) -> float | None:
    return score(item, confirmed[unit, item]) if item in AUTO else entered.get((unit, item))


def _total(
    unit: str, entered: keeping.Fields, confirmed: Counter[tuple[str | None, str]]
) -> float | None:
    if _open(unit, entered):
        return None
    return sum(_score(unit, item, entered, confirmed) or 0 for item in ITEMS)


def _open(unit: str, entered: keeping.Fields) -> int:
    return sum((unit, item) not in entered for item in NEEDED)


def _award(
    place: int | None, last: int | None, places: list[int | None], *, complete: bool
) -> Text | str:
    if place is None or last == 1:  # nobody is first where all are equal
        return ""
    if place == 1:
        zh, en = "流动红旗", "Red flag"
    elif place == last:
        zh, en = "黄牌提醒", "Yellow card"
    else:
        return ""
    tie = places.count(place) > 1
    zh, en = (f"{zh}（并列）", f"{en} (tie)") if tie else (zh, en)
    return Text(zh, en) if complete else Text(f"{zh}（暂定）", f"{en}, provisional")
