"""`hallkeeper report`: spreadsheets of ratings, energy and safety over any days, and the sheets of
a week, month or quarter, each with its sources."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable, Iterator, Sequence
from datetime import date
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from gateway import ratings, schedules, store, workdays
from gateway.clock import Clock, iso
from gateway.errors import EnvironmentFault, InputFault
from gateway.hallof import hall_of
from gateway.history import series
from gateway.reports import book, sheets
from gateway.site import Site

Row = Sequence[Any]
Sheet = tuple[str, Sequence[tuple[str, int]], Iterator[Row]]
"""(title, (header, width) of each column, rows)."""


def write(what: str, data: Path, start: str, end: str, out: Path) -> None:
    """The command: whole days from `start` to `end`. Raises InputFault, EnvironmentFault."""
    from xlsxwriter.exceptions import XlsxFileError

    first, last = _day(start), _day(end)
    if last < first:
        raise InputFault(f"--to {end} lies before --from {start}")
    db = store.open_reader(data)
    hall = hall_of(data)
    sheets = _REPORTS[what](db, hall, first, last)
    try:
        _save(out, what, hall, first, last, sheets)
    except (OSError, XlsxFileError) as fault:
        raise EnvironmentFault(f"{out}: cannot be written ({fault})") from fault
    finally:
        db.close()
    print(out)


def write_sheet(kind: str, data: Path, name: str, out: Path) -> None:
    """The command for a period's sheet. Raises InputFault, EnvironmentFault."""
    from xlsxwriter.exceptions import XlsxFileError

    period = sheets.period_of(kind, name)
    db = store.open_reader(data)
    try:
        hall = hall_of(data)
        calendar = workdays.load(hall, data)
        made = sheets.build(db, hall, calendar, kind, period, Clock().now())
        book.write(made, hall.name, out)
    except (OSError, XlsxFileError) as fault:
        raise EnvironmentFault(f"{out}: cannot be written ({fault})") from fault
    finally:
        db.close()
    print(out)


def _day(text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError as fault:
        raise InputFault(f"{text!r} is no day; write YYYY-MM-DD") from fault


def _bounds(hall: Site, first: date, last: date) -> tuple[int, int]:
    return schedules.at(first, 0, hall.timezone), schedules.at(last, 1440, hall.timezone)


def _ratings(db: sqlite3.Connection, hall: Site, first: date, last: date) -> list[Sheet]:
    columns = [
        *(("窗口", 24), ("评价数 n", 10), ("非常满意", 10), ("满意", 10), ("基本满意", 10)),
        *(("不满意", 10), ("非常不满意", 12), ("平均分", 10), ("重复按键", 10)),
    ]
    names = {c.id: c.name for c in hall.counters}

    def rows(by: str) -> Iterator[Row]:
        for item in ratings.summary(db, hall, first, last, by):
            levels = item["levels"] or {}
            shown = [levels.get(str(n), "—") for n in (5, 4, 3, 2, 1)]
            mean = "n<5" if item["mean"] is None else item["mean"]
            yield [names.get(item[by], item[by]), item["n"], *shown, mean, item["duplicates"]]

    return [("按窗口", columns, rows("counter")), ("按部门", columns, rows("department"))]


def _safety(db: sqlite3.Connection, hall: Site, first: date, last: date) -> list[Sheet]:
    columns = [
        *(("规则", 22), ("对象", 18), ("区域", 14), ("开始", 24), ("结束", 24), ("时长（分）", 10)),
        *(("级别", 10), ("状态", 10), ("条款", 24), ("说明", 70)),
    ]

    def rows() -> Iterator[Row]:
        begin, end = _bounds(hall, first, last)
        for row in db.execute(
            "SELECT * FROM finding WHERE start >= ? AND start < ? ORDER BY start, rule, subject",
            (begin, end),
        ):
            ended = row["end"]
            evidence = json.loads(row["evidence"])
            yield [
                *(row["rule"], row["subject"], row["zone"] or "", iso(row["start"], hall.timezone)),
                *("" if ended is None else iso(ended, hall.timezone),),
                *("" if ended is None else round((ended - row["start"]) / 60000, 1),),
                *(row["severity"], row["state"], "；".join(json.loads(row["cites"]))),
                evidence.get("zh", ""),
            ]

    return [("情形记录", columns, rows())]


def _energy(db: sqlite3.Connection, hall: Site, first: date, last: date) -> list[Sheet]:
    columns = [("日期", 12), ("回路", 24), ("区域", 14), ("用途", 12), ("电量 kWh", 12)]

    def rows() -> Iterator[Row]:
        begin, end = _bounds(hall, first, last)
        used: dict[str, dict[date, float]] = {}
        for device, ch, t, kwh in series.energy(db, begin, end, ZoneInfo(hall.timezone)):
            days = used.setdefault(f"{device}/{ch}", {})
            day = schedules.local_day(t, hall.timezone)
            days[day] = days.get(day, 0.0) + kwh
        for circuit in hall.circuits:
            for day, kwh in sorted(used.get(str(circuit.meter), {}).items()):
                yield [day.isoformat(), circuit.name, circuit.zone, circuit.use, kwh]

    return [("电量", columns, rows())]


_REPORTS: dict[str, Callable[[sqlite3.Connection, Site, date, date], list[Sheet]]] = {
    "ratings": _ratings,
    "energy": _energy,
    "safety": _safety,
}


def _save(
    out: Path, what: str, hall: Site, first: date, last: date, sheets: Sequence[Sheet]
) -> None:
    # a name that begins like a formula is a name
    text_only = {"strings_to_formulas": False, "strings_to_urls": False}
    import xlsxwriter  # 2 MB that a gateway needs once a week

    book = xlsxwriter.Workbook(str(out), {"constant_memory": True, **text_only})
    head = book.add_format({"bold": True, "bg_color": "#dfe3e6", "bottom": 1})
    number = book.add_format({"num_format": "0.00"})
    for title, columns, rows in sheets:
        sheet = book.add_worksheet(title)
        sheet.freeze_panes(1, 1)
        for index, (name, width) in enumerate(columns):
            sheet.set_column(index, index, width)
            sheet.write(0, index, name, head)
        for at, row in enumerate(rows, 1):
            for index, value in enumerate(row):
                if isinstance(value, float):
                    sheet.write_number(at, index, value, number)
                else:
                    sheet.write(at, index, value)
    about = book.add_worksheet("说明")
    about.set_column(0, 0, 16)
    about.set_column(1, 1, 60)
    for at, (name, value) in enumerate(
        (
            ("单位", hall.name),
            ("报表", what),
            ("起", first.isoformat()),
            ("止", last.isoformat()),
            ("来源", "厅守 Hallkeeper：评价器按键、电表与传感器记录"),
            ("评价分值", "10 / 8 / 6 / 0 / −5；n < 5 不显示分级"),
        )
    ):
        about.write(at, 0, name, head)
        about.write(at, 1, value)
    book.close()
