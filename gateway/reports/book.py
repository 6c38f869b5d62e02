"""Sheets as a spreadsheet: Chinese headers, frozen panes, number formats, a page of sources."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import IO, Any

from gateway.reports.model import Section, Sheet, Text

_FORMATS = {"int": "0", "score": "0.00", "share": "0.0%", "day": "yyyy-mm-dd", "text": "@"}
_LETTERS = 31  # of a worksheet's name


def write(sheet: Sheet, hall: str, to: str | Path | IO[bytes]) -> None:
    """Write one sheet's workbook, row by row: memory stays flat. OSError where it cannot be."""
    import xlsxwriter  # 2 MB that a gateway needs once a week

    book = xlsxwriter.Workbook(
        to if not isinstance(to, Path) else str(to), {"constant_memory": True}
    )
    head = book.add_format({"bold": True, "bg_color": "#dfe3e6", "bottom": 1, "text_wrap": True})
    formats = {kind: book.add_format({"num_format": text}) for kind, text in _FORMATS.items()}
    for section in sheet.sections:
        _section(book, section, head, formats)
    _about(book, sheet, hall, head)
    book.close()


def _section(book: Any, section: Section, head: Any, formats: dict[str, Any]) -> None:
    page = book.add_worksheet(section.title.zh[:_LETTERS])
    page.freeze_panes(1, 1)
    page.set_landscape()
    page.set_paper(9)
    page.fit_to_pages(1, 0)
    page.repeat_rows(0)
    for index, column in enumerate(section.columns):
        page.set_column(index, index, column.width)
        page.write_string(0, index, column.title.zh, head)
    for at, row in enumerate(section.rows, 1):
        for index, (column, value) in enumerate(zip(section.columns, row, strict=True)):
            _cell(page, at, index, value, formats[column.kind])


def _cell(page: Any, at: int, index: int, value: Any, form: Any) -> None:
    if value is None:
        page.write_string(at, index, "—")
    elif isinstance(value, Text):
        page.write_string(at, index, value.zh)
    elif isinstance(value, date):
        page.write_datetime(at, index, value, form)
    elif isinstance(value, (int, float)):
        page.write_number(at, index, value, form)
    else:
        page.write_string(at, index, str(value))  # never a formula


def _about(book: Any, sheet: Sheet, hall: str, head: Any) -> None:
    page = book.add_worksheet("来源与设置")
    page.freeze_panes(1, 1)
    page.set_column(0, 0, 22)
    page.set_column(1, 1, 90, book.add_format({"text_wrap": True}))
    left = book.add_format({"align": "left"})
    page.set_landscape()
    page.set_paper(9)
    page.fit_to_pages(1, 0)
    page.write_string(0, 0, sheet.title.zh, head)
    page.write_string(0, 1, f"{hall} · {sheet.period}", head)
    lines = [("起", sheet.first.isoformat()), ("止", sheet.last.isoformat())]
    if sheet.due is not None:
        lines.append(("应报日", f"{sheet.due}{'（暂定）' if sheet.provisional else ''}"))
    lines += [("来源", source.zh) for source in sheet.sources]
    lines += [("说明", note.zh) for note in sheet.notes]
    for at, (name, text) in enumerate(lines, 1):
        page.write_string(at, 0, name)
        page.write_string(at, 1, text)
    first = len(lines) + 2
    for index, title in enumerate(("设置", "取值", "性质")):
        page.write_string(first, index, title, head)
    for at, setting in enumerate(sheet.settings, first + 1):
        page.write_string(at, 0, setting.title.zh)
        if isinstance(setting.value, str):
            page.write_string(at, 1, setting.value)
        else:
            page.write_number(at, 1, setting.value, left)
        page.write_string(at, 2, "法定" if setting.law else "建议")
