"""The queue machine's served visits, a CSV by counter and day: what `unrated` is counted from.

Three columns are read, by their names in the first line; every other one is left alone, and neither
the file nor anything else of it is stored: no name, no number of a citizen.
"""

from __future__ import annotations

import csv
import io
import sqlite3
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

from gateway import audit, store, tables
from gateway.errors import InputFault
from gateway.hallof import hall_of
from gateway.site import Site

MAX_ROWS = 100_000
MOST = 10_000  # visits of a counter on a day
COLUMNS = {
    "counter": ("窗口", "窗口编号", "窗口名称", "counter"),
    "day": ("日期", "date", "day"),
    "n": ("办件数", "办理数", "服务数", "数量", "served", "visits", "n"),
}


@dataclass(frozen=True, slots=True)
class Served:
    """How many visits a counter served on a day."""

    counter: str
    day: date
    n: int


def parse(text: str, source: str, site: Site, today: date) -> list[Served]:
    """The counts of a file, one for each counter and day. InputFault names each line at fault."""
    known = {c.name: c.id for c in site.counters} | {c.id: c.id for c in site.counters}
    rows = csv.reader(io.StringIO(text.lstrip("\ufeff")))
    try:
        header = [cell.strip().lower() for cell in next(rows)]
    except (StopIteration, csv.Error):
        raise InputFault(f"{source}: is empty; the first line names the columns") from None
    where: dict[str, int] = {}
    for key, words in COLUMNS.items():
        at = next((header.index(word) for word in words if word in header), None)
        if at is None:
            raise InputFault(f"{source}:1: needs a column {' or '.join(words)}")
        where[key] = at
    found: dict[tuple[str, date], Served] = {}
    faults = []
    try:
        for number, row in enumerate(rows, 2):
            if number > MAX_ROWS:
                raise InputFault(f"{source}: more than {MAX_ROWS} lines")
            if not any(cell.strip() for cell in row):
                continue
            try:
                one = _served(row, where, known, today)
                if (one.counter, one.day) in found:
                    raise ValueError(f"{one.counter} on {one.day} stands in an earlier line too")
                found[one.counter, one.day] = one
            except ValueError as fault:
                faults.append(f"{source}:{number}: {fault}")
    except csv.Error as fault:
        faults.append(f"{source}: is no CSV ({fault})")
    if faults:
        more = [f"and {len(faults) - 20} more"] if len(faults) > 20 else []
        raise InputFault("\n".join([*faults[:20], *more]))
    return list(found.values())


def _served(
    row: list[str], where: Mapping[str, int], known: Mapping[str, str], today: date
) -> Served:
    cells = {key: row[at].strip() if at < len(row) else "" for key, at in where.items()}
    counter = known.get(cells["counter"])
    if counter is None:
        raise ValueError(f"{cells['counter']!r} is no counter of the site file")
    try:
        day = date.fromisoformat(cells["day"].replace("/", "-").replace(".", "-"))
    except ValueError:
        raise ValueError(f"{cells['day']!r} is no day such as 2026-07-01") from None
    if not date(1971, 1, 1) <= day <= today:
        raise ValueError(f"{day} is not today or before")
    if not (cells["n"].isascii() and cells["n"].isdigit() and int(cells["n"][:9]) <= MOST):
        raise ValueError(f"{cells['n']!r} is no number from 0 to {MOST}")
    return Served(counter, day, int(cells["n"]))


def keep(db: sqlite3.Connection, now: int, who: str, served: list[Served], source: str) -> int:
    """Register what is not registered so already, in the caller's transaction; how many."""
    new = 0
    for one in served:
        day = one.day.isoformat()
        row = db.execute(
            "SELECT n FROM visit_count WHERE counter = ? AND day = ? ORDER BY id DESC LIMIT 1",
            (one.counter, day),
        ).fetchone()
        if row is not None and row[0] == one.n:
            continue
        db.execute(
            "INSERT INTO visit_count (counter, day, n, made_at, made_by) VALUES (?, ?, ?, ?, ?)",
            (one.counter, day, one.n, now, who),
        )
        new += 1
    audit.append(db, now, who, "visits.import", {"file": source, "counts": len(served), "new": new})
    return new


def import_file(file: Path, data: Path, who: str, now: int) -> None:
    """`hallkeeper visits import`: works beside a running gateway, in one short transaction.

    Raises InputFault, EnvironmentFault.
    """
    try:
        raw = file.read_bytes()
    except OSError as fault:
        raise InputFault(f"{file}: cannot be read ({fault.strerror})") from fault
    hall = hall_of(data)
    today = datetime.fromtimestamp(now / 1000, ZoneInfo(hall.timezone)).date()
    served = parse(tables.decoded(raw, file.name), file.name, hall, today)
    db = store.open_writer(data)
    try:
        db.execute("BEGIN IMMEDIATE")
        new = keep(db, now, who, served, file.name)
        db.execute("COMMIT")
    finally:
        db.close()
    print(f"{file}: {len(served)} counts, {new} of them new")
