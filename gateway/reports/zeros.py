"""七心七零: the month's seven counters, each with its n; what nothing counts says so, and is no zero."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from zoneinfo import ZoneInfo

from gateway import deadlines
from gateway.ratings import FEW, rated, sums
from gateway.ratings.reading import days, visits
from gateway.reports import keeping
from gateway.reports.model import Column, Row, Section, Sheet, Text
from gateway.reports.periods import Period
from gateway.site import Site
from gateway.workdays import Calendar

TITLE = Text("七心七零统计表", "Seven zeros")
BY_HAND = Text("人工登记", "By hand")


@dataclass(frozen=True, slots=True)
class Zero:
    """One promise; `hand`: nothing counts it, a named person enters it."""

    key: str
    words: Text
    of: Text
    source: Text
    hand: bool = False


ZEROS = (
    Zero("shirk", Text("真心·零推诿", "No shirking"), Text("办件", "visits"), BY_HAND, True),
    Zero(
        "complaints",
        Text("热心·零投诉", "No complaints"),
        Text("评价", "ratings"),
        Text("投诉登记", "complaint cases"),
    ),
    Zero(
        "gaps",
        Text("贴心·零缝隙", "No gaps"),
        Text("窗口工作日", "counter days"),
        Text("窗口无人记录", "findings of counters without presence"),
    ),
    Zero(
        "distance",
        Text("耐心·零距离", "No distance"),
        Text("评价", "ratings"),
        Text("差评", "bad ratings"),
    ),
    Zero("errors", Text("诚心·零差错", "No errors"), Text("办件", "visits"), BY_HAND, True),
    Zero(
        "backlog",
        Text("细心·零积压", "No backlog"),
        Text("限时办结件", "promised-time items"),
        Text("超期未办结", "overdue"),
    ),
    Zero(
        "hard", Text("初心·零难题", "No unsolved problems"), Text("办件", "visits"), BY_HAND, True
    ),
)
HAND = tuple(zero.key for zero in ZEROS if zero.hand)
NOTES = (
    Text(
        "“—”表示没有来源或尚未登记，不等于零。对应关系为本系统建议，制度未规定计数办法。",
        "“—” means no source, or nothing entered: it is not zero. What counts for which promise is our"
        " proposal; the rulebook does not say.",
    ),
)


def sheet(
    db: sqlite3.Connection,
    site: Site,
    calendar: Calendar,
    period: Period,
) -> Sheet:
    """The month's seven counters."""
    return Sheet(
        kind="zeros",
        period=period.name,
        title=TITLE,
        first=period.first,
        last=period.last,
        sections=(section(db, site, calendar, period),),
        notes=NOTES,
        sources=(Text("好差评、情形记录、台账与人工登记", "Ratings, findings, cases, by hand"),),
    )


def section(db: sqlite3.Connection, site: Site, calendar: Calendar, period: Period) -> Section:
    """The seven counters of whole months; what is entered by hand is added up over them."""
    begin, end = days(period.first, period.last, ZoneInfo(site.timezone))
    whole = sums(rated(db, site, period.first, period.last), lambda _: 0).get(0)
    tally = whole.tally if whole else None
    n = tally.n if tally else 0
    registered = visits(db, period.first, period.last)
    visited = sum(registered.values()) if registered else None
    watched = sum(counter.presence is not None for counter in site.counters)
    workdays = sum(
        calendar.is_workday(day)
        for day in (
            period.first.fromordinal(number)
            for number in range(period.first.toordinal(), period.last.toordinal() + 1)
        )
    )
    vacant = db.execute(
        "SELECT count(*) FROM finding WHERE +rule = 'post.vacant' AND state <> 'withdrawn'"
        " AND start >= ? AND start < ?",
        (begin, end),
    ).fetchone()[0]
    figures: dict[str, tuple[float | None, float | None]] = {
        "complaints": (_cases(db, "complaint", begin, end), n),
        "gaps": (vacant if watched else None, watched * workdays),
        "distance": (tally.bad if tally and n >= FEW else None, n),
        "backlog": (_late(db, begin, end), _cases(db, "promise", begin, end)),
    }
    months = list(_months(period))
    by_hand = [keeping.fields(db, "zeros", month) for month in months]
    rows: list[Row] = []
    for zero in ZEROS:
        given = [entry["hall", zero.key] for entry in by_hand if ("hall", zero.key) in entry]
        value, of = figures.get(zero.key, (sum(given) if given else None, visited))
        source = zero.source
        if zero.hand and len(months) > 1:
            said = f"{len(given)}/{len(months)}"
            source = Text(f"{source.zh}（{said} 个月）", f"{source.en} ({said} months)")
        met = None if value is None else Text("是", "yes") if value == 0 else Text("否", "no")
        rows.append((zero.words, value, of, zero.of, source, met))
    return Section(
        "zeros",
        Text("七零", "Seven zeros"),
        (
            Column("promise", Text("承诺", "Promise"), "text", 20),
            Column("value", Text("次数", "Count")),
            Column("n", Text("n", "n")),
            Column("of", Text("n 的含义", "n of what"), "text", 16),
            Column("source", Text("来源", "Source"), "text", 24),
            Column("zero", Text("是否为零", "Zero?"), "text"),
        ),
        rows,
    )


def _months(period: Period) -> Iterator[str]:
    at = period.first
    while at <= period.last:
        yield f"{at.year:04}-{at.month:02}"
        at = (at.replace(day=28) + timedelta(days=4)).replace(day=1)


def _cases(db: sqlite3.Connection, kind: str, begin: int, end: int) -> int | None:
    """Cases of a kind received in [begin, end)."""
    if not _has(db, "case_file"):
        return None
    return int(
        db.execute(
            "SELECT count(*) FROM case_file WHERE kind = ? AND received >= ? AND received < ?",
            (kind, begin, end),
        ).fetchone()[0]
    )


def _late(db: sqlite3.Connection, begin: int, end: int) -> int | None:
    """Promised-time items of the period that went past their day."""
    if not _has(db, "case_file"):
        return None
    return int(
        db.execute(
            "SELECT count(DISTINCT f.subject) FROM finding f JOIN case_file c ON c.id = f.subject"
            " WHERE c.kind = 'promise' AND c.received >= ? AND c.received < ?"
            " AND f.rule = ? AND f.state <> 'withdrawn'",
            (begin, end, deadlines.CASE_OVERDUE),
        ).fetchone()[0]
    )


def _has(db: sqlite3.Connection, table: str) -> bool:
    found = db.execute("SELECT 1 FROM sqlite_master WHERE type = 'table' AND name = ?", (table,))
    return found.fetchone() is not None
