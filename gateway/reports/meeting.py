"""联席会议数据包: ratings, cases, findings, duties and zeros for the half-yearly joint meeting."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from zoneinfo import ZoneInfo

from gateway import deadlines, duties, notices, overdue
from gateway.cases.book import desk
from gateway.ratings import Sums, Tally, rated
from gateway.ratings.reading import day_of, days
from gateway.reports import zeros
from gateway.reports.citizens import SHARED, figures
from gateway.reports.model import Column, Row, Section, Setting, Sheet, Text
from gateway.reports.periods import Period
from gateway.site import Site
from gateway.workdays import Calendar

DUTY = "joint-meeting"
TITLE = Text("联席会议数据包", "Joint meeting, data pack")
CASES = {
    "bad-rating": Text("差评", "Bad ratings"),
    "complaint": Text("投诉", "Complaints"),
    "hazard": Text("火灾隐患", "Fire hazards"),
    "promise": Text("限时办结件", "Promised-time items"),
    "start-up": Text("企业开办", "Business start-ups"),
}
NOTES = (
    Text(
        "联席会议每半年召开一次（联席会议 三(一)）；制度未规定材料内容，本表所列为建议。",
        "The joint meeting is held each half-year; what its papers hold is our proposal.",
    ),
    Text(
        "“期末未结”为本期收到、制表时仍未办结的件；“曾逾期”按期限核算，不因补办而消失。",
        "“Open” came in this period and is not closed yet; “was late” stands, however it ended.",
    ),
    Text(
        "例行事项只计网关启用以后、制表时已到期的；“补记”为期限之后才登记的。",
        "Duties: those due since the gateway's first start; “afterwards” came past the day.",
    ),
)


@dataclass(slots=True)
class _Done:
    due: int = 0
    in_time: int = 0
    late: int = 0


def due(period: Period, calendar: Calendar, moved: dict[str, date]) -> tuple[date | None, bool]:
    """The day of the half-year's meeting, where somebody moved it to, and whether it is 暂定."""
    duty = duties.table()[DUTY]
    found = duties.items(duty, period.first, period.last, calendar, moved)
    return (found[-1].day, found[-1].provisional) if found else (None, False)


def sheet(
    db: sqlite3.Connection, site: Site, calendar: Calendar, period: Period, now: int
) -> Sheet:
    """The pack: one walk over the half-year's ratings, a month in memory at most."""
    zone = ZoneInfo(site.timezone)
    begin, end = days(period.first, period.last, zone)
    counters = {counter.id: Sums() for counter in site.counters}
    months: dict[str, Sums] = {}
    for one in rated(db, site, period.first, period.last):
        month = day_of(one.press.time, zone)[:7]
        for sums in (counters[one.counter], months.setdefault(month, Sums())):
            sums.add(one.press, counts=one.counts, excluded=one.excluded)
    whole = sum((sums.tally for sums in months.values()), Tally())
    names = {counter.id: counter.name for counter in site.counters}
    moved = overdue.moved(db)
    day, provisional = due(period, calendar, moved)
    return Sheet(
        kind="meeting",
        period=period.name,
        title=TITLE,
        first=period.first,
        last=period.last,
        due=day,
        provisional=provisional,
        sections=(
            Section(
                "ratings",
                Text("好差评", "Ratings"),
                (Column("counter", Text("窗口", "Counter"), "text", 24), *SHARED),
                [
                    (site.name, *figures(whole)),
                    *((names[name], *figures(sums.tally)) for name, sums in counters.items()),
                ],
            ),
            Section(
                "months",
                Text("好差评按月", "Ratings by month"),
                (Column("month", Text("月份", "Month"), "text", 12), *SHARED),
                [(month, *figures(sums.tally)) for month, sums in sorted(months.items())],
            ),
            _cases(db, begin, end),
            _findings(db, begin, end),
            _duties(db, site, calendar, period, now, moved),
            zeros.section(db, site, calendar, period),
        ),
        notes=(*NOTES, *zeros.NOTES),
        sources=(
            Text(
                "评价器、二维码与纸质评价；案件、情形记录、例行事项台账；人工登记",
                "Pads, QR page and paper; cases, findings, duties; what was entered by hand",
            ),
        ),
        settings=(Setting("every", Text("召开周期（月）", "Held every (months)"), 6, law=True),),
    )


def _cases(db: sqlite3.Connection, begin: int, end: int) -> Section:
    rows = db.execute(
        "SELECT f.kind, count(*), sum(n.state = 'closed'), sum(n.state <> 'closed'),"
        " sum(EXISTS (SELECT 1 FROM finding d WHERE d.subject = f.id AND d.rule = ?"
        " AND d.state <> 'withdrawn'))"
        " FROM case_file f JOIN case_now n USING (id) WHERE f.received >= ? AND f.received < ?"
        " AND n.state <> 'struck' GROUP BY f.kind",
        (deadlines.CASE_OVERDUE, begin, end),
    )
    known = {row[0]: tuple(row)[1:] for row in rows}
    return Section(
        "cases",
        Text("案件", "Cases"),
        (
            Column("kind", Text("类别", "Kind"), "text", 16),
            Column("received", Text("收到", "Received")),
            Column("closed", Text("已办结", "Closed")),
            Column("open", Text("期末未结", "Open")),
            Column("late", Text("曾逾期", "Was late")),
        ),
        [(words, *known.get(kind, (0, 0, 0, 0))) for kind, words in CASES.items()],
    )


def _findings(db: sqlite3.Connection, begin: int, end: int) -> Section:
    titles = notices.catalogue()["title"]
    grades = notices.catalogue()["words"]
    rows = db.execute(
        "SELECT f.rule, f.severity, count(*), sum(f.state = 'open'),"
        " sum(coalesce((SELECT decision FROM episode_decision d WHERE d.finding = f.id"
        " ORDER BY d.id DESC LIMIT 1) = 'confirm', 0))"
        " FROM finding f WHERE f.start >= ? AND f.start < ? AND f.state <> 'withdrawn'"
        " GROUP BY f.rule, f.severity ORDER BY count(*) DESC, f.rule",
        (begin, end),
    ).fetchall()
    return Section(
        "findings",
        Text("情形记录", "Findings"),
        (
            Column("rule", Text("情形", "What"), "text", 28),
            Column("severity", Text("级别", "Severity"), "text", 10),
            Column("n", Text("次数", "Count")),
            Column("open", Text("仍在持续", "Still open")),
            Column("confirmed", Text("确认扣分", "Confirmed")),
        ),
        [
            (
                Text(*titles.get(rule, (rule, rule))),
                Text(str(grades.get(severity, severity)), severity),
                *(n, still, confirmed),
            )
            for rule, severity, n, still, confirmed in rows
        ],
    )


def _duties(
    db: sqlite3.Connection,
    site: Site,
    calendar: Calendar,
    period: Period,
    now: int,
    moved: dict[str, date],
) -> Section:
    place = desk(site, calendar).place
    row = db.execute("SELECT value FROM meta WHERE key='first_start'").fetchone()
    begun = int(row[0]) if row else 0
    recorded = {
        str(item): int(at)
        for item, at in db.execute(
            "SELECT e.item, min(e.at) FROM register_entry e LEFT JOIN register_strike s"
            " ON s.entry = e.id WHERE e.book = 'duty' AND s.at IS NULL GROUP BY e.item"
        )
    }

    def rows() -> Iterator[Row]:
        for duty in duties.of(site.duties).values():
            done = _Done()
            for item in duties.items(duty, period.first, period.last, calendar, moved):
                by = overdue.due_at(duty, item, place)
                at = recorded.get(item.key)
                if at is None and not begun < by <= now:
                    continue
                done.due += 1
                done.in_time += at is not None and at <= by
                done.late += at is not None and at > by
            missed = done.due - done.in_time - done.late
            yield Text(duty.zh, duty.en), done.due, done.in_time, done.late, missed

    return Section(
        "duties",
        Text("例行事项", "Duties"),
        (
            Column("duty", Text("事项", "Duty"), "text", 28),
            Column("due", Text("到期次数", "Fell due")),
            Column("done", Text("按期完成", "In time")),
            Column("late", Text("补记", "Afterwards")),
            Column("missed", Text("未登记", "Not recorded")),
        ),
        list(rows()),
    )
