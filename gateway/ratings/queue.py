"""The queue machine's served visits, a CSV by counter and day: what `unrated` is counted from.

Three columns are read, by their names in the first line; every other one is left alone, and neither
the file nor anything else of it is stored: no name, no number of a citizen.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

from gateway import audit, store
from gateway.errors import InputFault
from gateway.hallof import hall_of
from gateway.site import Site
from gateway.tables import Fault, decoded, lines, refuse

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
    found, faults = read(text, site, today)
    refuse(faults, source)
    return found


def read(text: str, site: Site, today: date) -> tuple[list[Served], list[Fault]]:
    """The counts of a file, and every line that cannot be read."""
    known = {c.name: c.id for c in site.counters} | {c.id: c.id for c in site.counters}
    found: dict[tuple[str, date], Served] = {}
    faults: list[Fault] = []
    for line in lines(text, COLUMNS, tuple(COLUMNS), MAX_ROWS):
        one = line if isinstance(line, Fault) else _served(*line, known, today)
        if isinstance(one, Fault):
            faults.append(one)
        elif (one.counter, one.day) in found:
            assert not isinstance(line, Fault)
            faults.append(Fault(line[0], "twice", f"{one.counter} {one.day}"))
        else:
            found[one.counter, one.day] = one
    return list(found.values()), faults


def _served(
    number: int, cells: Mapping[str, str], known: Mapping[str, str], today: date
) -> Served | Fault:
    counter = known.get(cells["counter"])
    if counter is None:
        return Fault(number, "counter", cells["counter"][:64])
    try:
        day = date.fromisoformat(cells["day"].replace("/", "-").replace(".", "-"))
    except ValueError:
        return Fault(number, "day", cells["day"][:64])
    if not date(1971, 1, 1) <= day <= today:
        return Fault(number, "future" if day > today else "year", str(day))
    n = cells["n"]
    if not (n.isascii() and n.isdigit() and int(n[:9]) <= MOST):
        return Fault(number, "number", n[:64])
    return Served(counter, day, int(n))


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
    served = parse(decoded(raw, file.name), file.name, hall, today)
    db = store.open_writer(data)
    try:
        db.execute("BEGIN IMMEDIATE")
        new = keep(db, now, who, served, file.name)
        db.execute("COMMIT")
    finally:
        db.close()
    print(f"{file}: {len(served)} counts, {new} of them new")
