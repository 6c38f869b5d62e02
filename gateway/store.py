"""The database file: opening it, its numbered migrations, read-only connections, its lock.

One writer (WAL, synchronous=FULL) and any number of readers that never wait. Migrations are
`schema/NNN-name.sql`; all that are due are applied in one transaction together with `user_version`,
and data that exist are copied aside before.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import sqlite3
from collections.abc import Iterator
from importlib import resources
from pathlib import Path

from gateway.errors import EnvironmentFault

FILE = "hallkeeper.db"
BEFORE = "before-schema-"  # and the number: a copy from before a migration
_WAL_BYTES = 64 << 20  # what the WAL is cut back to after a long reader held it
_WAL_PAGES = 4000  # a checkpoint costs two fsyncs more: few enough for the 99th percentile


@contextlib.contextmanager
def locked(data: Path) -> Iterator[None]:
    """Hold the data directory alone. Raises EnvironmentFault where another gateway has it."""
    try:
        data.mkdir(parents=True, exist_ok=True)
        handle = os.open(data / "lock", os.O_RDWR | os.O_CREAT, 0o600)
    except OSError as fault:
        raise EnvironmentFault(f"{data}: cannot be written ({fault.strerror})") from fault
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        yield
    except BlockingIOError:
        raise EnvironmentFault(f"{data}: another gateway is running on this data") from None
    finally:
        os.close(handle)


def open_writer(data: Path) -> sqlite3.Connection:
    """The one connection that writes, migrated to the newest schema.

    Raises EnvironmentFault where the directory cannot be written, the database cannot be read or
    its schema is newer.
    """
    try:
        data.mkdir(parents=True, exist_ok=True)
        db = sqlite3.connect(data / FILE, isolation_level=None, check_same_thread=False)
        db.execute("PRAGMA journal_mode=WAL")
        db.execute("PRAGMA synchronous=FULL")
        db.execute("PRAGMA cache_size=-4000")  # KiB; a turn writes at the end of every channel
        db.execute(f"PRAGMA wal_autocheckpoint={_WAL_PAGES}")
        db.execute("PRAGMA foreign_keys=ON")
        db.execute("PRAGMA recursive_triggers=ON")  # REPLACE goes by those on DELETE, too
        db.execute("PRAGMA busy_timeout=5000")
        db.execute(f"PRAGMA journal_size_limit={_WAL_BYTES}")
        _migrate(db, data)
    except (OSError, sqlite3.OperationalError) as fault:
        raise EnvironmentFault(f"{data}: cannot be written ({fault})") from fault
    except sqlite3.DatabaseError as fault:
        raise EnvironmentFault(damage(data, fault)) from fault
    return db


def damage(data: Path, fault: object) -> str:
    """What a person is told of a database that SQLite cannot read."""
    return (
        f"{data}: the database is damaged ({fault}); stop the gateway and run"
        f" `hallkeeper restore BACKUP --data {data}`"
    )


def open_reader(data: Path) -> sqlite3.Connection:
    """A read-only connection; rows come as sqlite3.Row."""
    path = data / FILE
    if not path.exists():
        raise EnvironmentFault(f"{data}: no {FILE} here; has the gateway run with this --data?")
    db = open_file(path)
    db.row_factory = sqlite3.Row
    return db


def open_file(path: Path) -> sqlite3.Connection:
    """A read-only connection to any database file."""
    db = sqlite3.connect(
        f"{path.resolve().as_uri()}?mode=ro",
        uri=True,
        isolation_level=None,
        check_same_thread=False,
    )
    db.execute("PRAGMA query_only=ON")
    return db


def migrations() -> list[tuple[int, str]]:
    """(number, SQL) of every migration, in order."""
    folder = resources.files("gateway") / "schema"
    files = sorted(f.name for f in folder.iterdir() if f.name.endswith(".sql"))
    return [(int(name[:3]), (folder / name).read_text(encoding="utf-8")) for name in files]


def copy(source: sqlite3.Connection, to: Path) -> None:
    """A copy of one instant of the database as one file, on the disk when this returns."""
    part = to.with_name(to.name + ".part")
    part.unlink(missing_ok=True)
    made = sqlite3.connect(part, isolation_level=None)
    try:
        made.execute("PRAGMA synchronous=OFF")  # synced as a whole below
        source.backup(made)
        made.execute("PRAGMA journal_mode=DELETE")  # else a reader would need a -shm beside it
    finally:
        made.close()
    sync(part)
    part.replace(to)
    sync(to.parent)


def sync(path: Path) -> None:
    """fsync a file or a directory."""
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _migrate(db: sqlite3.Connection, data: Path) -> None:
    have = db.execute("PRAGMA user_version").fetchone()[0]
    steps = migrations()
    if steps and have > steps[-1][0]:
        raise EnvironmentFault(
            f"the data is of a newer version (schema {have}); run the newer hallkeeper"
        )
    due = [(number, sql) for number, sql in steps if number > have]
    if have and due:
        _copy_before(db, data, have)
    if due:
        every = "\n".join(sql for _, sql in due)
        db.executescript(f"BEGIN IMMEDIATE;\n{every}\nPRAGMA user_version={due[-1][0]};\nCOMMIT;")


def _copy_before(db: sqlite3.Connection, data: Path, have: int) -> None:
    """Keep the data as they are; copies from before earlier migrations are not needed any more."""
    kept = data / f"{BEFORE}{have:03d}.db"
    if not kept.exists():  # one that was begun anew has its copy
        copy(db, kept)
    for old in data.glob(f"{BEFORE}*.db*"):
        if old != kept:
            old.unlink()
