"""Registers (台账): what an entry of each book must say, and keeping it, append-only.

`checked` is pure. The rest runs in the caller's transaction and is audited. Times Unix ms.
"""

from __future__ import annotations

import json
import secrets
import sqlite3
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date
from types import MappingProxyType
from typing import Any

from gateway import audit
from gateway.errors import InputFault

MOST = 500  # characters of a text
WATCHED_M = 2  # hot work higher than this needs a watcher below (消防 七.2(3))
Check = Callable[[str, Any], Any]


@dataclass(frozen=True, slots=True)
class Entry:
    """One line of a book; `struck` is (when, who, why) once it was struck out."""

    id: str
    book: str
    item: str
    at: int
    who: str
    data: Mapping[str, Any]
    struck: tuple[int, str, str] | None


def _text(name: str, value: Any) -> str:
    if not isinstance(value, str) or not value.strip() or len(value) > MOST:
        raise InputFault(f"{name}: a text of 1 to {MOST} characters")
    return value.strip()


def _day(name: str, value: Any) -> str:
    try:
        day = date.fromisoformat(value)
    except (TypeError, ValueError):
        raise InputFault(f"{name}: a day, YYYY-MM-DD") from None
    if not 1971 <= day.year <= 9990:
        raise InputFault(f"{name}: a day, YYYY-MM-DD")
    return day.isoformat()


def _metres(name: str, value: Any) -> float:
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not 0 <= value <= 500:
        raise InputFault(f"{name}: metres, 0 to 500")
    return float(value)


def _ticked(name: str, value: Any) -> bool:
    if value is not True:
        raise InputFault(f"{name}: must be true, it is required before the work begins")
    return True


def _one_of(*allowed: str) -> Check:
    def check(name: str, value: Any) -> str:
        if value not in allowed:
            raise InputFault(f"{name}: {', '.join(allowed)}")
        return str(value)

    return check


@dataclass(frozen=True, slots=True)
class Book:
    """What an entry says: `must` and `may` by field; `item` is the field that names its subject."""

    must: Mapping[str, Check]
    may: Mapping[str, Check]
    item: str | None = None


BOOKS: Mapping[str, Book] = MappingProxyType(
    {
        "extinguisher": Book(
            {"number": _text, "place": _text, "kind": _text, "next_check": _day},
            {"note": _text, "removed": _ticked},
            "number",
        ),
        "hot-work": Book(
            {
                **{"place": _text, "zone": _text, "from": _text, "to": _text, "work": _text},
                **{"applicant": _text, "height_m": _metres},
                **{"cleared_5m": _ticked, "extinguishers": _ticked, "supervisor": _text},
            },
            {"watcher": _text, "note": _text},
        ),
        "courier": Book(
            {"document": _text, "to": _text, "direction": _one_of("out", "in")},
            {"tracking": _text, "note": _text},
        ),
        "notice": Book(
            {"matter": _text, "missing": _text, "way": _one_of("written", "oral", "phone")},
            {"note": _text},
        ),
        "assisted": Book(
            {"matter": _text, "service": _one_of("accompanied", "on-behalf"), "result": _text},
            {"note": _text},
        ),
    }
)


def checked(book: str, said: Mapping[str, Any]) -> dict[str, Any]:
    """The fields of an entry, checked. InputFault names the first that is missing or wrong."""
    form = BOOKS[book]
    unknown = sorted(said.keys() - form.must.keys() - form.may.keys())
    if unknown:
        raise InputFault(f"{unknown[0]}: allowed are {', '.join([*form.must, *form.may])}")
    missing = [name for name in form.must if said.get(name) is None]
    if missing:
        raise InputFault(f"{', '.join(missing)}: required in the book {book}")
    checks = {**form.must, **form.may}
    good = {name: checks[name](name, value) for name, value in said.items() if value is not None}
    if book == "hot-work" and good["height_m"] > WATCHED_M and "watcher" not in good:
        raise InputFault(f"watcher: somebody below is required higher than {WATCHED_M} m")
    return good


def add(
    db: sqlite3.Connection, now: int, who: str, book: str, item: str, data: Mapping[str, Any]
) -> str:
    """Write an entry; its id."""
    number = "r-" + secrets.token_hex(8)
    text = json.dumps(dict(data), ensure_ascii=False, separators=(",", ":"))
    db.execute(
        "INSERT INTO register_entry (id, book, item, at, who, data) VALUES (?, ?, ?, ?, ?, ?)",
        (number, book, item, now, who, text),
    )
    audit.append(db, now, who, f"register.{book}", {"id": number, "item": item, **data})
    return number


def strike(db: sqlite3.Connection, now: int, who: str, number: str, why: str) -> Entry:
    """Strike an entry out. InputFault where it is not there, or struck out already."""
    entry = find(db, number)
    if entry is None:
        raise InputFault(f"no entry {number}")
    if entry.struck is not None:
        raise InputFault(f"struck out already by {entry.struck[1]}")
    db.execute(
        "INSERT INTO register_strike (entry, at, who, why) VALUES (?, ?, ?, ?)",
        (number, now, who, why),
    )
    audit.append(db, now, who, "register.strike", {"id": number, "why": why})
    return entry


_SELECT = (
    "SELECT e.id, e.book, e.item, e.at, e.who, e.data, s.at, s.who, s.why FROM register_entry e"
    " LEFT JOIN register_strike s ON s.entry = e.id"
)


def find(db: sqlite3.Connection, number: str) -> Entry | None:
    """The entry with this id."""
    row = db.execute(f"{_SELECT} WHERE e.id = ?", (number,)).fetchone()
    return _entry(row) if row else None


def page_of(db: sqlite3.Connection, book: str, before: tuple[int, str], limit: int) -> list[Entry]:
    """The entries of a book before (at, id), latest first."""
    rows = db.execute(
        f"{_SELECT} WHERE e.book = ? AND (e.at, e.id) < (?, ?)"
        " ORDER BY e.at DESC, e.id DESC LIMIT ?",
        (book, *before, limit),
    )
    return [_entry(row) for row in rows.fetchall()]


def standing(db: sqlite3.Connection, book: str, item: str | None = None) -> dict[str, Entry]:
    """The latest entry of each item of a book that is not struck out, by item."""
    rows = db.execute(
        f"{_SELECT} WHERE e.book = ? AND (?2 IS NULL OR e.item = ?2) AND s.at IS NULL"
        " ORDER BY e.at, e.id",
        (book, item),
    )
    return {entry.item: entry for entry in map(_entry, rows.fetchall())}


def latest(db: sqlite3.Connection, book: str, prefix: str) -> Entry | None:
    """The entry of the last item of a book that begins so, of those not struck out."""
    row = db.execute(
        f"{_SELECT} WHERE e.book = ?1 AND e.item >= ?2 AND e.item < ?2 || '~' AND s.at IS NULL"
        " ORDER BY e.item DESC, e.at DESC LIMIT 1",
        (book, prefix),
    ).fetchone()
    return _entry(row) if row else None


def _entry(row: Any) -> Entry:
    number, book, item, at, who, data, *struck = row
    gone = (struck[0], struck[1], struck[2]) if struck[0] is not None else None
    return Entry(number, book, item, at, who, json.loads(data), gone)
