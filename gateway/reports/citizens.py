"""好差评统计台账: weekly, monthly and quarterly, by counter, department, staff and day."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Iterator
from datetime import date
from zoneinfo import ZoneInfo

from gateway.ratings import DWELL_MS, FEW, POINTS, Sums, Tally, coverage, duty, rated
from gateway.ratings.reading import day_of, visits
from gateway.reports.model import Column, Row, Section, Setting, Sheet, Text
from gateway.reports.periods import DUE_WORKDAY, Period, due
from gateway.site import Site
from gateway.workdays import Calendar

NOBODY = Text("（未登记在岗人员）", "(nobody registered on duty)")
FEW_FLAG = Text(f"n<{FEW}", f"n<{FEW}")
LEVELS = (
    (5, Text("非常满意", "Very satisfied")),
    (4, Text("满意", "Satisfied")),
    (3, Text("基本满意", "Fairly satisfied")),
    (2, Text("不满意", "Dissatisfied")),
    (1, Text("非常不满意", "Very dissatisfied")),
)
SHARED = (
    Column("n", Text("评价数 n", "Ratings n")),
    *(Column(f"level{level}", words, width=11) for level, words in LEVELS),
    Column("bad", Text("差评", "Bad")),
    Column("mean", Text("平均分", "Mean"), "score"),
    Column("flag", Text("标记", "Flag"), "text", 8),
    Column("duplicates", Text("重复按键", "Repeated"), width=9),
    Column("excluded", Text("申诉剔除", "Excluded"), width=9),
)
_CHANNELS = (
    Column("pad", Text("评价器", "Pad"), width=8),
    Column("qr", Text("二维码", "QR"), width=8),
    Column("paper", Text("纸质", "Paper"), width=8),
)
_PLACE = (
    Column("visits", Text("登记办件", "Visits"), width=9),
    Column("unrated", Text("未评价", "Unrated"), width=8),
    Column("coverage", Text("设备在线率", "Pad heard"), "share", 11),
)
TITLES = {
    "ratings-week": Text("好差评周统计", "Ratings, weekly"),
    "ratings-month": Text("好差评月汇总", "Ratings, monthly"),
    "ratings-quarter": Text("好差评季度报告", "Ratings, quarterly"),
}
NOTES = (
    Text(
        "非常满意 10 分，满意 8 分，基本满意 6 分，不满意 0 分，非常不满意 −5 分；后两级为差评"
        "（好差评 第三条、第八条）。平均分为全部有效评价合并计算；n<5 不显示分级和平均分。",
        "10, 8, 6, 0 and −5 points; the last two levels are bad. Means are pooled over all counted"
        " ratings; levels and mean are hidden below five.",
    ),
    Text(
        "一事一评：同一办件号只计第一次；无办件号时 10 秒内的再次按键为重复，保留不计。未评价不计为满意。",
        "One rating a visit: the first press counts, later ones are kept as repeated. No answer is no"
        " rating.",
    ),
    Text(
        "设备在线率为对外办公时间内评价器有消息的比例；评价器离线不说明窗口服务不好。",
        "“Pad heard” is the share of opening hours in which the pad could be heard: a silent pad is"
        " not a bad counter.",
    ),
    Text(
        "季度报告应在季度初前三个工作日内报送；周、月统计按同一期限提示（建议）。",
        "The quarterly report is due by the third workday; weeks and months are held to the same.",
    ),
)
SOURCES = (
    Text(
        "评价器按键记录（只增不改）、二维码评价页、纸质评价表录入", "Pads, the QR page, paper forms"
    ),
    Text("在岗人员：AB 岗刷卡与排班", "On duty: A- and B-post cards and the roster"),
)


def sheet(
    db: sqlite3.Connection,
    site: Site,
    calendar: Calendar,
    kind: str,
    period: Period,
    now: int,
) -> Sheet:
    """The report of one period: one walk over its ratings, a month in memory at most."""
    zone = ZoneInfo(site.timezone)
    on = duty.load(db, site, period.first, period.last)
    counters, staff, by_day = _Groups(), _Groups(), _Groups()
    seen: dict[tuple[str, str], int] = {}
    for one in rated(db, site, period.first, period.last):
        day = day_of(one.press.time, zone)
        for group, name in (
            (counters, one.counter),
            (staff, on.on(one.counter, one.press.time)),
            (by_day, day),
        ):
            group.of(name).add(one.press, counts=one.counts, excluded=one.excluded)
        if one.counts and not one.excluded:
            seen[one.counter, day] = seen.get((one.counter, day), 0) + 1
    known = visits(db, period.first, period.last)
    heard = coverage.shares(db, site, calendar, period.first, period.last, now)
    departments: dict[str, list[str]] = {}
    for counter in site.counters:
        departments.setdefault(counter.department, []).append(counter.id)
    names = {counter.id: counter.name for counter in site.counters}

    def place(name: str, mine: Iterable[str]) -> Row:
        mine = list(mine)
        sums = [counters.of(counter) for counter in mine]
        registered = {key: n for key, n in known.items() if key[0] in mine}
        left = sum(max(0, n - seen.get(key, 0)) for key, n in registered.items())
        shares = [share for c in mine if (share := heard[c]) is not None]
        return (
            *(name, *figures(sum((s.tally for s in sums), Tally()))),
            *(sum(s.channels[channel] for s in sums) for channel in ("pad", "qr", "paper")),
            sum(registered.values()) if registered else None,
            left if registered else None,
            sum(shares) / len(shares) if shares else None,
        )

    due_on, provisional = due(period, calendar)
    first = Column("counter", Text("窗口", "Counter"), "text", 24)
    return Sheet(
        kind=kind,
        period=period.name,
        title=TITLES[kind],
        first=period.first,
        last=period.last,
        due=due_on,
        provisional=provisional,
        sections=(
            Section(
                "all",
                Text("全厅", "Whole hall"),
                (Column("hall", Text("大厅", "Hall"), "text", 24), *SHARED, *_CHANNELS, *_PLACE),
                [place(site.name, names)],
            ),
            Section(
                "counter",
                Text("按窗口", "By counter"),
                (first, *SHARED, *_CHANNELS, *_PLACE),
                [place(names[counter], [counter]) for counter in names],
            ),
            Section(
                "department",
                Text("按部门", "By department"),
                (
                    Column("department", Text("部门", "Department"), "text", 24),
                    *(*SHARED, *_CHANNELS, *_PLACE),
                ),
                [place(name, mine) for name, mine in departments.items()],
            ),
            Section(
                "staff",
                Text("按在岗人员", "By staff on duty"),
                (Column("person", Text("在岗人员", "On duty"), "text", 20), *SHARED),
                [(name or NOBODY, *figures(sums.tally)) for name, sums in staff.sorted()],
            ),
            Section(
                "day",
                Text("按日", "By day"),
                (Column("day", Text("日期", "Day"), "day", 12), *SHARED),
                [(date.fromisoformat(day), *figures(sums.tally)) for day, sums in by_day.sorted()],
            ),
        ),
        notes=NOTES,
        sources=SOURCES,
        settings=(
            *(
                Setting(
                    f"level{level}", Text(f"{words.zh}分值", f"Points: {words.en}"), point, law=True
                )
                for level, words in LEVELS
                for point in (POINTS[level],)
            ),
            Setting("dwell", Text("重复按键间隔（秒）", "Dwell, s"), DWELL_MS / 1000, law=False),
            Setting("few", Text("少于此数不显示分级", "Levels hidden below"), FEW, law=False),
            Setting(
                "due",
                Text("期后第几个工作日前报送", "Due by workday"),
                DUE_WORKDAY,
                law=kind == "ratings-quarter",
            ),
        ),
    )


def figures(tally: Tally) -> Row:
    """What stands under SHARED."""
    enough = tally.n >= FEW
    return (
        tally.n,
        *((tally.levels[level - 1] if enough else None) for level, _ in LEVELS),
        tally.bad if enough else None,
        tally.mean if enough else None,
        "" if enough else FEW_FLAG,
        *(tally.duplicates, tally.excluded),
    )


class _Groups:
    """Sums by name."""

    def __init__(self) -> None:
        self._sums: dict[str, Sums] = {}

    def of(self, name: str) -> Sums:
        found = self._sums.get(name)
        if found is None:
            found = self._sums[name] = Sums()
        return found

    def sorted(self) -> Iterator[tuple[str, Sums]]:
        return iter(sorted(self._sums.items()))
