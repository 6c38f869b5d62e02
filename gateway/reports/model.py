"""What a sheet is made of: titled tables with typed columns, notes, and where its figures are from.

Header words stand here in both languages, beside the figures they name: the spreadsheet is Chinese,
the page takes the reader's language.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from typing import Any, NamedTuple


class Text(NamedTuple):
    zh: str
    en: str


class Column(NamedTuple):
    """`kind`: text | int | score | share | day; `width` in characters of the spreadsheet."""

    key: str
    title: Text
    kind: str = "int"
    width: int = 10


class Setting(NamedTuple):
    """What a sheet was counted by; `law`: the rulebook's own (法定), else proposed (建议)."""

    key: str
    title: Text
    value: str | float
    law: bool


Row = tuple[Any, ...]
"""A value a column: None where there is none, or fewer than five ratings hide it."""


@dataclass(frozen=True, slots=True)
class Section:
    """One table. `rows` may be walked once only."""

    key: str
    title: Text
    columns: tuple[Column, ...]
    rows: Iterable[Row]


@dataclass(frozen=True, slots=True)
class Sheet:
    """`due`: the day by which it is handed in, with whether the calendar may still move it."""

    kind: str
    period: str
    title: Text
    first: date
    last: date
    sections: tuple[Section, ...]
    due: date | None = None
    provisional: bool = False
    notes: tuple[Text, ...] = ()
    sources: tuple[Text, ...] = ()
    settings: tuple[Setting, ...] = ()


def as_dict(sheet: Sheet) -> dict[str, Any]:
    """The sheet as the API gives it."""
    return {
        "kind": sheet.kind,
        "period": sheet.period,
        "title": sheet.title._asdict(),
        "first": sheet.first.isoformat(),
        "last": sheet.last.isoformat(),
        "due": sheet.due.isoformat() if sheet.due else None,
        "provisional": sheet.provisional,
        "sections": [
            {
                "key": section.key,
                "title": section.title._asdict(),
                "columns": [
                    {"key": c.key, "title": c.title._asdict(), "kind": c.kind}
                    for c in section.columns
                ],
                "rows": [[_plain(value) for value in row] for row in section.rows],
            }
            for section in sheet.sections
        ],
        "notes": [note._asdict() for note in sheet.notes],
        "sources": [source._asdict() for source in sheet.sources],
        "settings": [
            {"key": s.key, "title": s.title._asdict(), "value": s.value, "law": s.law}
            for s in sheet.settings
        ],
    }


def _plain(value: Any) -> Any:
    if isinstance(value, date):
        return value.isoformat()
    return value._asdict() if isinstance(value, Text) else value


def ranks(values: Iterable[float | None]) -> list[int | None]:
    """1 for the highest; equal values share a rank and the next one is left out (1, 1, 3)."""
    values = list(values)
    known = [round(value, 9) for value in values if value is not None]
    return [
        None if value is None else 1 + sum(other > round(value, 9) for other in known)
        for value in values
    ]
