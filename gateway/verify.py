"""`hallkeeper verify`: whether the store is whole, beside a running gateway or without one."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from pathlib import Path

from gateway import audit, store
from gateway.clock import iso
from gateway.errors import InputFault
from gateway.history import mending
from gateway.intervals import Intervals
from gateway.journal import damaged

Say = Callable[[str], None]


def run(data: Path, heads: Sequence[str] = ()) -> None:
    """Print one line a check; `heads` are audit heads kept outside. Raises
    InputFault where something is wrong, naming it."""
    db = store.open_reader(data)
    try:
        faults = check(db, print) + _heads(db, heads, print)
    finally:
        db.close()
    for text in faults:
        print(f"✗ {text}")
    if faults:
        raise InputFault(
            f"{data}: {len(faults)} of the checks failed, the first: {faults[0]}; see"
            " `hallkeeper restore --help`"
        )


def check(db: sqlite3.Connection, say: Say) -> list[str]:
    """What is wrong with one instant of a database; `say` is told of each check that passed."""
    faults: list[str] = []
    db.execute("BEGIN")  # one instant for all checks
    try:
        for part in (_structure, _checksums, _history, _audit, _gaps, _guards):
            try:
                faults += part(db, say)
            except sqlite3.DatabaseError as fault:
                text = f"structure of the database: cannot be read ({fault})"
                faults += [] if text in faults else [text]
    finally:
        db.execute("ROLLBACK")
    return faults


def structure(db: sqlite3.Connection) -> str | None:
    """What SQLite itself finds wrong with the pages, in one line; None where they are whole."""
    try:
        found = db.execute("PRAGMA quick_check(1)").fetchone()[0]
    except sqlite3.DatabaseError as fault:
        found = str(fault)
    return None if found == "ok" else str(found).replace("\n", " ")


def _structure(db: sqlite3.Connection, say: Say) -> Iterator[str]:
    found = [row[0] for row in db.execute("PRAGMA integrity_check")]
    if found == ["ok"]:
        say("✓ structure of the database")
    else:
        yield f"structure of the database: {found[0]}".replace("\n", " ")


def _guards(db: sqlite3.Connection, say: Say) -> Iterator[str]:
    """The triggers that keep ratings, audit and registers as they were written."""
    have = db.execute("PRAGMA user_version").fetchone()[0]
    with closing(sqlite3.connect(":memory:")) as fresh:
        for number, sql in store.migrations():
            if number <= have:
                fresh.executescript(sql)
        wanted = _triggers(fresh)
    found = _triggers(db)
    wrong = sorted(name for name in wanted if found.get(name) != wanted[name])
    if wrong:
        yield f"triggers: {', '.join(wrong)} missing or changed, so rows could be too"
    else:
        say(f"✓ {len(wanted)} triggers that keep what was written")


def _triggers(db: sqlite3.Connection) -> dict[str, str]:
    return dict(
        tuple(row)
        for row in db.execute("SELECT name, sql FROM sqlite_master WHERE type = 'trigger'")
    )


def _checksums(db: sqlite3.Connection, say: Say) -> Iterator[str]:
    wrong = list(damaged(db))
    events = db.execute("SELECT count(*) FROM event").fetchone()[0]
    if wrong:
        yield f"checksums: {len(wrong)} of {events} events changed, the first is row {wrong[0]}"
    else:
        say(f"✓ checksums of {events} events")


def _history(db: sqlite3.Connection, say: Say) -> Iterator[str]:
    """The series: what is packed has a checksum of its own, sums are kept twice."""
    if not db.execute("SELECT 1 FROM sqlite_master WHERE name = 'energy_day'").fetchone():
        return  # of an older version
    wrong, uneven = list(mending.damaged_days(db)), list(mending.uneven(db))
    if wrong:
        channel, day = wrong[0]
        zone = db.execute("SELECT value FROM meta WHERE key = 'timezone'").fetchone()
        when = iso(day, zone[0] if zone else "Asia/Shanghai")[:10]
        yield f"packed days: {len(wrong)} changed, the first is {channel} of {when}"
    if uneven:
        yield f"sums: hours do not add up to days at {', '.join(uneven[:5])}"
    if not wrong + uneven:
        days, channels = db.execute(
            "SELECT (SELECT count(*) FROM chunk), (SELECT count(*) FROM channel)"
        ).fetchone()
        say(f"✓ {days} packed days and the sums of {channels} channels")


def _audit(db: sqlite3.Connection, say: Say) -> Iterator[str]:
    broken = audit.check(db)
    if broken is not None:
        yield f"audit chain: broken at row {broken}"
    else:
        rows = db.execute("SELECT count(*) FROM audit").fetchone()[0]
        say(f"✓ audit chain of {rows} rows, head {audit.head(db) or '—'}")


def _heads(db: sqlite3.Connection, heads: Sequence[str], say: Say) -> list[str]:
    """A chain that was made anew as a whole holds together, but not with what was kept outside."""
    faults = []
    for kept in heads:
        try:
            if audit.holds(db, kept):
                say(f"✓ the audit still has the head {kept}")
            else:
                faults.append(f"audit chain: it does not have the kept head {kept}: made anew")
        except ValueError as fault:
            raise InputFault(f"--head {fault}") from None
        except sqlite3.DatabaseError as fault:
            faults.append(f"audit chain: cannot be read ({fault})")
    return faults


def _gaps(db: sqlite3.Connection, say: Say) -> Iterator[str]:
    short = False
    for device, log, acked, top, pruned in db.execute(
        "SELECT device, log, acked, top, pruned FROM log"
    ):
        have = received(db, device, log)
        have.add(1, pruned)
        if have.head < acked:
            short = True
            yield f"gaps: {device}/{log} is acknowledged to {acked}, but has 1 to {have.head} only"
        for first, last in have.missing(1, top):
            say(f"· {device}/{log}: {first}–{last} not yet received")
    if not short:
        say("✓ every acknowledged number is there")


def received(db: sqlite3.Connection, device: str, log: str) -> Intervals:
    """The numbers of a log that are stored or count as received."""
    have = Intervals()
    for (seq,) in db.execute(
        "SELECT seq FROM event WHERE device=? AND log=? ORDER BY seq", (device, log)
    ):
        have.add(seq)
    for first, last in db.execute(
        "SELECT first, last FROM gap WHERE device=? AND log=?", (device, log)
    ):
        have.add(first, last)
    return have
