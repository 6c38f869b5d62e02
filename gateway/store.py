"""The database file: opening it, its numbered migrations, read-only connections.

One writer (WAL, synchronous=FULL) and any number of readers that never wait. Migrations are
`schema/NNN-name.sql`, each applied in one transaction together with `user_version`.
"""

from __future__ import annotations

import sqlite3
from importlib import resources
from pathlib import Path

from gateway.errors import EnvironmentFault

FILE = "hallkeeper.db"


def open_writer(data: Path) -> sqlite3.Connection:
    """The one connection that writes, migrated to the newest schema.

    Raises EnvironmentFault where the directory cannot be written or the schema is newer.
    """
    try:
        data.mkdir(parents=True, exist_ok=True)
        db = sqlite3.connect(data / FILE, isolation_level=None, check_same_thread=False)
        db.execute("PRAGMA journal_mode=WAL")
    except (OSError, sqlite3.OperationalError) as fault:
        raise EnvironmentFault(f"{data}: cannot be written ({fault})") from fault
    db.execute("PRAGMA synchronous=FULL")
    db.execute("PRAGMA foreign_keys=ON")
    db.execute("PRAGMA busy_timeout=5000")
    _migrate(db)
    return db


def open_reader(data: Path) -> sqlite3.Connection:
    """A read-only connection; rows come as sqlite3.Row."""
    path = data / FILE
    if not path.exists():
        raise EnvironmentFault(f"{data}: no {FILE} here; has the gateway run with this --data?")
    db = sqlite3.connect(
        f"file:{path}?mode=ro", uri=True, isolation_level=None, check_same_thread=False
    )
    db.row_factory = sqlite3.Row
    db.execute("PRAGMA query_only=ON")
    return db


def migrations() -> list[tuple[int, str]]:
    """(number, SQL) of every migration, in order."""
    folder = resources.files("gateway") / "schema"
    files = sorted(f.name for f in folder.iterdir() if f.name.endswith(".sql"))
    return [(int(name[:3]), (folder / name).read_text(encoding="utf-8")) for name in files]


def _migrate(db: sqlite3.Connection) -> None:
    have = db.execute("PRAGMA user_version").fetchone()[0]
    steps = migrations()
    if steps and have > steps[-1][0]:
        raise EnvironmentFault(
            f"the data is of a newer version (schema {have}); run the newer hallkeeper"
        )
    for number, sql in steps:
        if number > have:
            db.executescript(f"BEGIN IMMEDIATE;\n{sql}\nPRAGMA user_version={number};\nCOMMIT;")
