"""The hall that a data directory is of, for commands that are told the directory alone."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path

from gateway import site, store
from gateway.errors import EnvironmentFault
from gateway.site import Site


def hall_of(data: Path) -> Site:
    """The site of the gateway that ran on this data last. Raises EnvironmentFault where none did,
    InputFault where its site file is faulty by now."""
    with closing(store.open_reader(data)) as db:
        row = db.execute("SELECT value FROM meta WHERE key = 'config'").fetchone()
    if row is None:
        raise EnvironmentFault(f"{data}: no gateway has run on this data yet")
    return site.load(Path(row[0]))
