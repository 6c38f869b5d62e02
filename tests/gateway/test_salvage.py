"""A hall that is restored goes on as the one that was never damaged, as far as its pages can be
read; and whatever cannot be, each finding that stands open has its alert and no other has."""

from __future__ import annotations

import random
import shutil
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from gateway import alerts, backup, legible, lifecycle, store
from gateway.alerts import Deed
from tests.gateway.test_backup import everything
from tests.gateway.test_judging import (
    HALL,
    Live,
    lines_of,
    play,
)

WHO = "值班员"
ALERTS = "SELECT * FROM alert ORDER BY id"
DEEDS = "SELECT alert, at, what, state, round, who, about FROM alert_history ORDER BY id"


LINES = lines_of("evening")
FIRST, SECOND = len(LINES) // 3, len(LINES) * 2 // 3
BEGIN = LINES[0][0] - 60_000


@pytest.fixture(scope="module")
def damaged(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A sample evening: its first part up to a backup, its second, and what people did then."""
    folder = tmp_path_factory.mktemp("evening")
    live, dice = Live(folder / "data", BEGIN), random.Random(7)
    play(live, LINES[:FIRST], LINES[FIRST][0], dice, 0)
    backup.make(folder / "data", folder / "backups")
    play(live, LINES[FIRST:SECOND], LINES[SECOND][0], dice, 0)
    people(live.db, live.now)
    live.db.close()
    return folder


def people(db: sqlite3.Connection, now: int) -> None:
    """Somebody does something to each alert that stands."""
    standing = db.execute("SELECT id, severity FROM alert WHERE state<>'normal' ORDER BY id")
    db.execute("BEGIN")
    for n, (name, severity) in enumerate(standing.fetchall()):
        if severity == "critical" or n % 3 == 0:
            alerts.acknowledge(db, now, name, WHO, HALL.noise)
        elif n % 3 == 1:
            shelf, deed = lifecycle.Shelve(3_600_000), Deed(WHO, "等电工")
            alerts.apply(db, now, name, shelf, HALL.noise, deed)
        else:
            alerts.close(db, now, name, WHO, "误报", HALL.noise)
    db.execute("COMMIT")


class Hall:
    """A copy of that evening, to be harmed, restored and played on."""

    def __init__(self, source: Path, folder: Path) -> None:
        shutil.copytree(source, folder, dirs_exist_ok=True)
        self.data, self.backups = folder / "data", folder / "backups"
        self.file = self.data / store.FILE

    def start(self) -> Hall:
        self.live = Live.__new__(Live)
        self.live.db, self.live.now = store.open_writer(self.data), LINES[SECOND][0]
        self.live.switched = []
        self.live.start()
        return self

    def go_on(self) -> None:
        """A minute more; what was late is judged by then."""
        play(self.live, LINES[SECOND:], LINES[SECOND][0] + 60_000, random.Random(8), 0)

    def state(self) -> tuple[Any, ...]:
        db = self.live.db
        return self.live.findings(), *(db.execute(sql).fetchall() for sql in (ALERTS, DEEDS))


def damage(path: Path, table: str, dice: random.Random) -> None:
    """Overwrite a leaf of a table's later half with noise (its root where that is one)."""
    with closing(sqlite3.connect(path)) as db:
        db.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        size = db.execute("PRAGMA page_size").fetchone()[0]
        root = db.execute("SELECT rootpage FROM sqlite_master WHERE name=?", (table,)).fetchone()[0]
    raw = bytearray(path.read_bytes())
    leaves = _leaves(raw, size, root)
    page = dice.choice(leaves[len(leaves) // 2 :])
    raw[(page - 1) * size : page * size] = dice.randbytes(size)
    path.write_bytes(raw)


def _leaves(raw: bytes, size: int, page: int) -> list[int]:
    """Leaf pages below a page of a b-tree (SQLite's file format, 1.6)."""
    at = (page - 1) * size
    kind = raw[at]
    if kind in (10, 13):
        return [page]
    cells = int.from_bytes(raw[at + 3 : at + 5])
    below = [int.from_bytes(raw[at + 8 : at + 12])]
    for n in range(cells):
        cell = at + int.from_bytes(raw[at + 12 + 2 * n : at + 14 + 2 * n])
        below.append(int.from_bytes(raw[cell : cell + 4]))
    return [leaf for one in below for leaf in _leaves(raw, size, one)]


@pytest.fixture(scope="module")
def soon(damaged: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Any, ...]:
    """How it goes on where nothing is harmed."""
    hall = Hall(damaged, tmp_path_factory.mktemp("whole")).start()
    hall.go_on()
    found = hall.state()
    hall.live.db.close()
    return found


def test_a_restored_hall_goes_on_as_if_nothing_had_been(
    damaged: Path, soon: tuple[Any, ...], tmp_path: Path
) -> None:
    """Damage where nothing is but what is made anew: every word of people stands."""
    hall = Hall(damaged, tmp_path).start()
    before = everything(hall.data), hall.state()
    hall.live.db.close()
    damage(hall.file, "rollup", random.Random(3))
    said = backup.restore(hall.backups, hall.data)
    hall.start()
    deeds = [what for _, _, what, _, _, who, _ in before[1][2] if who]
    assert {*deeds} == {"acknowledge", "shelve", "close"}
    assert any(f"{len(deeds)} words of people on alerts" in line for line in said), said
    assert (everything(hall.data), hall.state()) == before
    hall.go_on()
    assert hall.state() == soon
    hall.live.db.close()


@pytest.mark.parametrize("table", ["finding", "alert", "alert_history", "event", "meta"])
def test_findings_and_alerts_agree_whatever_cannot_be_read(
    table: str, damaged: Path, soon: tuple[Any, ...], tmp_path: Path
) -> None:
    hall = Hall(damaged, tmp_path)
    damage(hall.file, table, random.Random(table))
    said = backup.restore(hall.backups, hall.data)
    assert table == "meta" or any("cannot be read" in line for line in said), said
    hall.start().go_on()
    db = hall.live.db
    wrong = db.execute(
        "SELECT f.id, f.state, a.state FROM finding f FULL JOIN alert a ON a.finding = f.id"
        " WHERE coalesce(f.state = 'open', 0) IS NOT coalesce(a.active AND a.clears_at IS NULL, 0)"
    ).fetchall()
    assert wrong == []
    if table != "event":
        assert hall.live.findings() == soon[0]
    db.close()


def test_rows_before_and_behind_a_damaged_page_are_read(tmp_path: Path) -> None:
    """Each row of the other pages, once: of a table by number and of one by name."""
    for numbered in (True, False):
        path = tmp_path / f"{numbered}.db"
        with closing(sqlite3.connect(path)) as db:
            kind = "id INTEGER PRIMARY KEY, word TEXT" if numbered else "id TEXT PRIMARY KEY, word"
            db.execute(f"CREATE TABLE t ({kind}){'' if numbered else ' WITHOUT ROWID'}")
            ids = [n if numbered else f"{n:06d}" for n in range(1, 5001)]
            db.executemany("INSERT INTO t VALUES (?, 'word')", [(one,) for one in ids])
            db.execute("CREATE INDEX t_word ON t (word)")
            db.commit()
            of = legible.table(db, db, "t")
        assert of is not None
        for seed in range(6):
            raw = path.read_bytes()
            damage(path, "t", random.Random(seed))
            with closing(store.open_file(path)) as db:
                got = list(legible.rows(db, of))
            path.write_bytes(raw)
            read = [row[0] for row in got if row is not None]
            assert len(read) == len(set(read))
            assert 4300 < len(read) < 5000
            assert len(got) - len(read) > 5000 - len(read)  # each lost one is counted
