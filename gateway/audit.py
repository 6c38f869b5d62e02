"""Who did what: an append-only table whose rows are chained by SHA-256."""

from __future__ import annotations

import hashlib
import json
import re
import sqlite3
from typing import Any

START = "0" * 64
HEAD = 16  # hex digits of a head on paper
_HEAD = re.compile(r"[0-9]{1,18}-[0-9A-Fa-f]{16}")
GATEWAY = "gateway"  # who: the gateway of itself


def append(db: sqlite3.Connection, now: int, who: str, what: str, about: dict[str, Any]) -> int:
    """Add a row in the caller's transaction and return its id. `now` is Unix ms."""
    last = db.execute("SELECT id, hash FROM audit ORDER BY id DESC LIMIT 1").fetchone()
    number, before = (last[0] + 1, last[1]) if last else (1, START)
    text = json.dumps(about, ensure_ascii=False, sort_keys=True, separators=(",", ":"))
    db.execute(
        "INSERT INTO audit (id, at, who, what, about, hash) VALUES (?, ?, ?, ?, ?, ?)",
        (number, now, who, what, text, link(before, number, now, who, what, text)),
    )
    return number


def check(db: sqlite3.Connection) -> int | None:
    """The id of the first row that does not follow from the one before it, or None."""
    before, expected = START, 1
    rows = db.execute("SELECT id, at, who, what, about, hash FROM audit ORDER BY id")
    for number, at, who, what, about, found in rows:
        if number != expected or found != link(before, number, at, who, what, about):
            return int(number)
        before, expected = found, expected + 1
    return None


def head(db: sqlite3.Connection) -> str | None:
    """The newest row as people keep it outside: `1234-0a1b2c3d4e5f6071`, its number and the start
    of its hash. None where there is no row."""
    row = db.execute("SELECT id, hash FROM audit ORDER BY id DESC LIMIT 1").fetchone()
    return None if row is None else f"{row[0]}-{row[1][:HEAD]}"


def holds(db: sqlite3.Connection, kept: str) -> bool:
    """Whether the chain still has the row that a kept head names. Raises ValueError for what is
    no head."""
    if not _HEAD.fullmatch(kept):
        raise ValueError(f"{kept!r} is no head: want NUMBER-{HEAD} hex digits")
    number, start = kept.lower().split("-")
    row = db.execute("SELECT hash FROM audit WHERE id=?", (int(number),)).fetchone()
    return row is not None and str(row[0]).startswith(start)


def link(before: str, number: int, at: int, who: str, what: str, about: str) -> str:
    """The hash of a row that follows the row whose hash is `before`."""
    body = json.dumps([before, number, at, who, what, about], ensure_ascii=False)
    return hashlib.sha256(body.encode()).hexdigest()
