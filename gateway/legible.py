"""What can still be read of a damaged database, table by table.

A scan ends at the first damaged page. So a table is read from its front and from its back, and what
lies between is asked for row by row: by the keys that its indexes know, and by number.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

Row = tuple[Any, ...]


@dataclass(frozen=True, slots=True)
class Table:
    """A table by the columns that are wanted of it; `keys` are those of its primary key, in order,
    and come first in `names`."""

    name: str
    names: tuple[str, ...]
    keys: int

    @property
    def columns(self) -> str:
        return ",".join(f'"{name}"' for name in self.names)

    @property
    def key(self) -> str:
        return ",".join(f'"{name}"' for name in self.names[: self.keys])

    @property
    def where(self) -> str:
        return " AND ".join(f'"{name}"=?' for name in self.names[: self.keys])

    def value(self, row: Row, name: str) -> Any:
        return row[self.names.index(name)]


def table(old: sqlite3.Connection, db: sqlite3.Connection, name: str) -> Table | None:
    """The columns of a table of `db` that `old` has too; None where its key is not there."""
    info = db.execute(f"PRAGMA table_info({name})").fetchall()
    try:
        there = {row[1] for row in old.execute(f"PRAGMA table_info({name})")}
    except sqlite3.DatabaseError:
        return None
    keys = [row[1] for row in sorted(info, key=lambda row: row[5]) if row[5]]
    if not keys or not there.issuperset(keys):
        return None
    others = [row[1] for row in info if not row[5] and row[1] in there]
    return Table(name, (*keys, *others), len(keys))


def one(old: sqlite3.Connection, of: Table, key: Iterable[Any]) -> Row | None:
    """A row by its key. Raises sqlite3.DatabaseError where it lies on a damaged page."""
    found: Row | None = old.execute(
        f"SELECT {of.columns} FROM {of.name} WHERE {of.where}", tuple(key)
    ).fetchone()
    return found


def rows(old: sqlite3.Connection, of: Table) -> Iterator[Row | None]:
    """Every row that can be read, once, in no order; None for one that is known to be there and
    cannot, and for each end of a scan at a damaged page."""
    scan = f"SELECT {of.columns} FROM {of.name} ORDER BY {of.key}"
    low: Row | None = None
    high: Row | None = None
    try:
        for row in old.execute(scan):
            low = row[: of.keys]
            yield row
        return
    except sqlite3.DatabaseError:
        yield None
    with suppress(sqlite3.DatabaseError):
        backward = ",".join(f'"{name}" DESC' for name in of.names[: of.keys])
        for row in old.execute(f"SELECT {of.columns} FROM {of.name} ORDER BY {backward}"):
            if low is not None and row[: of.keys] <= low:
                break
            high = row[: of.keys]
            yield row
    tried: set[Row] = set()
    for key in _between(old, of, low, high):
        if key in tried:
            continue
        tried.add(key)
        try:
            found = one(old, of, key)
        except sqlite3.DatabaseError:
            yield None
        else:
            if found is not None:
                yield found


def _between(
    old: sqlite3.Connection, of: Table, low: Row | None, high: Row | None
) -> Iterator[Row]:
    """Keys after `low` and before `high`, some more than once and some of no row."""
    for index in _indexes(old, of.name):
        with suppress(sqlite3.DatabaseError):
            for key in old.execute(f'SELECT {of.key} FROM {of.name} INDEXED BY "{index}"'):
                if (low is None or key > low) and (high is None or key < high):
                    yield key
    ends = (low or (0,)) + (high or (None,))
    if of.keys == 1 and all(type(end) is int for end in ends):
        yield from ((number,) for number in range(ends[0] + 1, ends[1]))


def _indexes(old: sqlite3.Connection, name: str) -> list[str]:
    """The indexes that know every row's key."""
    try:
        found = old.execute(f"PRAGMA index_list({name})").fetchall()
    except sqlite3.DatabaseError:
        return []
    return [index for _, index, _, origin, partial in found if not partial and origin != "pk"]
