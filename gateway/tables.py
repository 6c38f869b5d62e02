"""CSV files as other machines write them: text, lines by column, and what cannot be read."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from gateway.errors import InputFault

SHOWN = 20  # faults that a command prints

_WORDS = {
    "empty": "is empty; the first line names the columns",
    "columns": "needs a column {said}",
    "csv": "is no CSV ({said})",
    "long": "more than {said} lines",
    "person": "no number of a person",
    "counter": "{said!r} is no counter of the site file",
    "day": "{said!r} has no day such as 2026-07-01",
    "time": "{said!r} is no day and time such as 2026-07-01 08:54",
    "year": "{said!r}: no such year",
    "future": "{said} is not today or before",
    "number": "{said!r} is no number that can be",
    "twice": "{said} stands in an earlier line too",
}


@dataclass(frozen=True, slots=True)
class Fault:
    """A line that cannot be read: a word for why, and what it says there."""

    line: int
    why: str
    said: str

    def __str__(self) -> str:
        return _WORDS[self.why].format(said=self.said)


def decoded(raw: bytes, name: str) -> str:
    """The text of a file: UTF-8 or GB 18030. Raises InputFault."""
    for encoding in ("utf-8-sig", "gb18030"):
        try:
            return raw.decode(encoding)
        except UnicodeDecodeError:
            continue
    raise InputFault(f"{name}: is neither UTF-8 nor GB 18030 text")


def lines(
    text: str, columns: Mapping[str, Sequence[str]], needed: Sequence[str], most: int
) -> Iterator[tuple[int, dict[str, str]] | Fault]:
    """(number, cells) of each line that is not blank, by the names of the first one; a fault ends
    them. `columns`: key → the names that a file may give it, lower-case."""
    rows = csv.reader(io.StringIO(text.lstrip("\ufeff")))
    try:
        header = [cell.strip().lower() for cell in next(rows)]
    except (StopIteration, csv.Error):
        yield Fault(1, "empty", "")
        return
    where = {
        key: next((header.index(word) for word in words if word in header), None)
        for key, words in columns.items()
    }
    missing = [Fault(1, "columns", " / ".join(columns[k])) for k in needed if where[k] is None]
    if missing:
        yield from missing
        return
    number = 1
    try:
        for number, row in enumerate(rows, 2):
            if number > most:
                yield Fault(number, "long", str(most))
                return
            if any(cell.strip() for cell in row):
                yield (
                    number,
                    {
                        key: row[at].strip() if at is not None and at < len(row) else ""
                        for key, at in where.items()
                    },
                )
    except csv.Error as fault:
        yield Fault(number + 1, "csv", str(fault))


def refuse(faults: Sequence[Fault], source: str) -> None:
    """Raises InputFault, which names each line at fault, where there are any."""
    if faults:
        more = [f"and {len(faults) - SHOWN} more"] if len(faults) > SHOWN else []
        told = [f"{source}:{fault.line}: {fault}" for fault in faults[:SHOWN]]
        raise InputFault("\n".join([*told, *more]))
