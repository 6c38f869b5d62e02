"""服务之星 and 红旗窗口 (评选制度): a month's staff by their own points, and their departments.

The points of a rating are 15/10/5/0/0 here and 10/8/6/0/−5 in the 好差评 report: two tables, never
mixed. The rulebook contradicts itself in places; the sheet says where, and how it was read.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping
from datetime import timedelta

from gateway.ratings import FEW, Tally, duty, rated, sums
from gateway.reports import keeping
from gateway.reports.citizens import LEVELS
from gateway.reports.model import Column, Row, Section, Setting, Sheet, Text, ranks
from gateway.reports.periods import AWARD_DAY, Period
from gateway.site import Site

STAR_POINTS = {5: 15, 4: 10, 3: 5, 2: 0, 1: 0}
STARS = 3
GROUP_CAP = 15
TITLE = Text("服务之星、红旗窗口评选表", "Service stars and red-flag counter")
# field → (most, words); the first part of a field's name is its group, capped at 15 in all
ITEMS: dict[str, tuple[float, Text]] = {
    "image-1": (5, Text("亮明身份上岗", "Identity shown")),
    "image-2": (5, Text("仪容仪表整洁", "Neat appearance")),
    "image-3": (5, Text("讲究卫生", "Cleanliness")),
    "image-4": (5, Text("言谈举止文明", "Civil manner")),
    "conduct-1": (3, Text("公开服务内容和流程", "Services displayed")),
    "conduct-2": (5, Text("遵守制度、不迟到早退", "Keeps the rules and hours")),
    "conduct-3": (4, Text("谦和热情、微笑服务", "Kind and warm")),
    "conduct-4": (3, Text("团结协作、勤俭节约", "Works with others, thrifty")),
    "skill-1": (3, Text("沟通能力强、业务娴熟", "Skilled, communicates well")),
    "skill-2": (3, Text("积极主动、争先创优", "Takes initiative")),
    "skill-3": (5, Text("值班尽责", "Does duty shifts")),
    "skill-4": (4, Text("延时错时、帮办代办", "Extended and assisted service")),
    "plus": (15, Text("加分", "Extra points")),
    "minus": (15, Text("减分", "Points off")),
}
GROUPS = {
    "image": Text("职业形象 (15)", "Appearance (15)"),
    "conduct": Text("职业素养 (15)", "Conduct (15)"),
    "skill": Text("职业能力 (15)", "Ability (15)"),
}
NEEDED = tuple(name for name in ITEMS if name not in ("plus", "minus"))
NOTES = (
    Text(
        "制度矛盾一：好差评项总分 30 分，但最高一级只得 15 分；本表按每条评价的平均得分计，最高 15 分。",
        "Contradiction 1: the rating part is of 30 points, but its best level gives 15; read as the"
        " mean of the ratings' points, at most 15.",
    ),
    Text(
        "制度矛盾二：职业形象四项各 5 分共 20 分，总分却为 15 分；本表合计以 15 分为限。",
        "Contradiction 2: four appearance items of 5 make 20, the part is of 15; capped at 15.",
    ),
    Text(
        "制度矛盾三：四部分为 30+15+15+15=75 分，不足百分；“加分”“减分”没有规定内容，由经办人填写。",
        "Contradiction 3: the parts make 75 in all; what is added or taken off is not laid down and is"
        " entered by hand.",
    ),
    Text(
        "本表评价得分 15/10/5/0/0 与好差评统计的 10/8/6/0/−5 是两套分值，不得混用。",
        "15/10/5/0/0 here and 10/8/6/0/−5 in the ratings report are two tables, never mixed.",
    ),
    Text(
        f"评价少于 {FEW} 条或人工项未填齐的人员不参加排名；得分相同并列，由评选会议决定。",
        f"Who has fewer than {FEW} ratings or open fields is not ranked; ties are shown as ties, for"
        " people to decide.",
    ),
    Text("应于次月 10 日前评出。", "To be awarded by the 10th of the following month."),
)


def star_points(tally: Tally) -> float | None:
    """The rating part: the mean of the ratings' points, 0…15; None below five ratings."""
    if tally.n < FEW:
        return None
    total = sum(STAR_POINTS[level + 1] * n for level, n in enumerate(tally.levels))
    return total / tally.n


def group(fields: Mapping[str, float], name: str) -> float | None:
    """A part's points, at most 15; None while one of its fields is open."""
    items = [field for field in NEEDED if field.startswith(name + "-")]
    if any(field not in fields for field in items):
        return None
    return min(GROUP_CAP, sum(fields[field] for field in items))


def total(rating: float | None, fields: Mapping[str, float]) -> float | None:
    """All parts; None while one is missing."""
    parts = [rating, *(group(fields, name) for name in GROUPS)]
    if any(part is None for part in parts):
        return None
    return sum(p for p in parts if p is not None) + fields.get("plus", 0) - fields.get("minus", 0)


def sheet(db: sqlite3.Connection, site: Site, period: Period) -> Sheet:
    """The month's table of staff and of departments."""
    on = duty.load(db, site, period.first, period.last)
    department = {counter.id: counter.department for counter in site.counters}
    found = sums(
        rated(db, site, period.first, period.last),
        lambda one: (on.on(one.counter, one.press.time), department[one.counter]),
    )
    entered = keeping.of_people(db, "stars", period.name)
    nobody = sum(found[key].tally.n for key in found if not key[0])
    people = sorted({key for key in found if key[0]} | _rostered(db, site, period))
    rows, totals = [], []
    for person, where in people:
        tally = found[person, where].tally if (person, where) in found else Tally()
        mine = entered.get((person, ""), {}) | entered.get((person, where), {})
        rating = star_points(tally)
        totals.append(total(rating, mine))
        rows.append((person, where, tally.n, rating, mine))
    places = ranks(totals)
    return Sheet(
        kind="stars",
        period=period.name,
        title=TITLE,
        first=period.first,
        last=period.last,
        due=(period.last + timedelta(days=1)).replace(day=AWARD_DAY),
        sections=(
            Section(
                "stars",
                Text("服务之星", "Service stars"),
                _columns(),
                [
                    _row(row, points, place, places)
                    for place, points, row in sorted(
                        zip(places, totals, rows, strict=True),
                        key=lambda one: (one[0] is None, one[0] or 0, one[2][:2]),
                    )
                ],
            ),
            _flags(rows, totals),
        ),
        notes=NOTES,
        sources=(
            Text(
                "好差评记录按在岗人员归集；其余各项由经办人填写",
                "Ratings by staff on duty; the rest by hand",
            ),
            Text(
                f"未登记在岗人员的评价 {nobody} 条，不计入本表",
                f"{nobody} ratings while nobody was registered on duty are left out",
            ),
        ),
        settings=(
            *(
                Setting(
                    f"level{level}", Text(f"{words.zh}得分", f"Points: {words.en}"), point, law=True
                )
                for level, words in LEVELS
                for point in (STAR_POINTS[level],)
            ),
            Setting("cap", Text("每部分上限", "Cap of a part"), GROUP_CAP, law=True),
            Setting("few", Text("少于此数不排名", "Not ranked below"), FEW, law=False),
            Setting("stars", Text("服务之星人数", "Stars"), STARS, law=False),
        ),
    )


def _columns() -> tuple[Column, ...]:
    return (
        Column("person", Text("人员", "Person"), "text", 14),
        Column("department", Text("部门", "Department"), "text", 22),
        Column("n", Text("评价数 n", "Ratings n")),
        Column("rating", Text("好差评得分", "Rating points"), "score"),
        *(Column(field, words, "score", 9) for field, (_, words) in ITEMS.items()),
        *(Column(name, words, "score") for name, words in GROUPS.items()),
        Column("total", Text("总分", "Total"), "score"),
        Column("rank", Text("名次", "Rank"), "int", 8),
        Column("award", Text("结果", "Result"), "text", 14),
    )


def _row(
    row: tuple[str, str, int, float | None, dict[str, float]],
    points: float | None,
    place: int | None,
    places: list[int | None],
) -> Row:
    person, where, n, rating, mine = row
    tied = place is not None and places.count(place) > 1
    award: Text | str = ""
    if place is not None and place <= STARS:
        award = Text("服务之星（并列）", "Star (tie)") if tied else Text("服务之星", "Star")
    elif place is None:
        award = Text("n<5", "n<5") if rating is None else Text("未填齐", "Fields open")
    return (
        *(person, where, n, rating),
        *(mine.get(field) for field in ITEMS),
        *(group(mine, name) for name in GROUPS),
        *(points, place, award),
    )


def _flags(
    rows: list[tuple[str, str, int, float | None, dict[str, float]]], totals: list[float | None]
) -> Section:
    by_department: dict[str, list[float]] = {}
    staff: dict[str, int] = {}
    for row, points in zip(rows, totals, strict=True):
        staff[row[1]] = staff.get(row[1], 0) + 1
        if points is not None:
            by_department.setdefault(row[1], []).append(points)
    means = {
        name: sum(found) / len(found) if (found := by_department.get(name)) else None
        for name in staff
    }
    places = dict(zip(means, ranks(means.values()), strict=True))
    tied = sum(place == 1 for place in places.values()) > 1
    first = Text("红旗窗口（并列）", "Red flag (tie)") if tied else Text("红旗窗口", "Red flag")
    return Section(
        "flag",
        Text("红旗窗口", "Red-flag counter"),
        (
            Column("department", Text("部门", "Department"), "text", 24),
            Column("staff", Text("人员数", "Staff")),
            Column("counted", Text("计入人数 n", "Counted n")),
            Column("mean", Text("平均总分", "Mean total"), "score"),
            Column("rank", Text("名次", "Rank")),
            Column("award", Text("结果", "Result"), "text", 16),
        ),
        [
            (
                *(name, staff[name], len(by_department.get(name, ())), means[name], places[name]),
                first if places[name] == 1 else "",
            )
            for name in sorted(
                staff, key=lambda name: (places[name] is None, places[name] or 0, name)
            )
        ],
    )


def _rostered(db: sqlite3.Connection, site: Site, period: Period) -> set[tuple[str, str]]:
    """(person, department) of those on the roster, rated or not."""
    department = {counter.id: counter.department for counter in site.counters}
    rows = db.execute(
        "SELECT DISTINCT person, counter FROM roster"
        " WHERE struck_at IS NULL AND first <= ? AND last >= ?",
        (period.last.isoformat(), period.first.isoformat()),
    )
    return {(person, department[counter]) for person, counter in rows if counter in department}
