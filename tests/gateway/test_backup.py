"""Backups say whether they are whole; a restore takes over what a damaged store still holds."""

from __future__ import annotations

import random
import sqlite3
from contextlib import closing
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from gateway import audit, backup, store, verify
from gateway.errors import EnvironmentFault, InputFault
from gateway.events import decode
from gateway.history.hot import Hot
from gateway.history.times import resolve
from gateway.journal import Journal

START = 1_782_896_400_000  # 2026-07-01 17:00 in Shanghai
DEVICE, LOG = "pm-01", "9f3a1c22"


def store_events(data: Path, first: int, last: int) -> None:
    """Watts of a meter, one every ten seconds, some without a time, and two rows of audit."""
    with closing(store.open_writer(data)) as db:
        journal, hot = Journal(), Hot(ZoneInfo("Asia/Shanghai"))
        journal.load(db)
        hot.load(db)
        db.execute("BEGIN")
        for seq in range(first, last + 1):
            at = START + seq * 10_000
            t = "null" if seq % 5 == 0 else str(at - 40)
            raw = (
                f'{{"log":"{LOG}","seq":{seq},"boot":1,"up":{seq * 10_000},"t":{t},'
                f'"kind":"power","ch":"c1","w":{seq % 7 * 100}}}'
            ).encode()
            for part, event in decode(raw):
                journal.accept(db, DEVICE, part, event, at)  # type: ignore[arg-type]
        stored, _ = journal.write(db)
        hot.keep(db, resolve(db, stored))
        audit.append(db, START + last, "admin", "login", {})
        audit.append(db, START + last, "admin", "logout", {})
        db.execute("COMMIT")


def everything(data: Path) -> dict[str, list[tuple[object, ...]]]:
    """What counts of a store."""
    with closing(sqlite3.connect(data / store.FILE)) as db:
        return {
            table: db.execute(sql).fetchall()
            for table, sql in {
                "event": "SELECT device,log,seq,t,at,t_at,payload,crc FROM event ORDER BY seq",
                "log": "SELECT device,log,acked,top FROM log",
                "rollup": "SELECT * FROM rollup ORDER BY 1,2,3,4",
                "energy": "SELECT * FROM energy ORDER BY 1,2",
                "audit": "SELECT * FROM audit ORDER BY id",
            }.items()
        }


@pytest.fixture
def data(tmp_path: Path) -> Path:
    made = tmp_path / "data"
    store_events(made, 1, 40)
    (made / "credentials").mkdir()
    (made / "credentials" / "pm-01.json").write_text("{}")
    return made


def test_a_backup_brings_back_what_was(data: Path, tmp_path: Path) -> None:
    before = everything(data)
    made = backup.make(data, tmp_path / "backups")
    assert made.events == 40
    fresh = tmp_path / "fresh"
    backup.restore(tmp_path / "backups", fresh)
    assert everything(fresh) == before
    assert (fresh / "credentials" / "pm-01.json").read_text() == "{}"
    assert "can be restored: 40 events" in backup.rehearse(tmp_path / "backups")
    assert sorted(p.name for p in (tmp_path / "backups").iterdir()) == [made.folder.name]


@pytest.mark.parametrize("name", [store.FILE, "credentials/pm-01.json", backup.MANIFEST])
@pytest.mark.parametrize("harm", ["cut", "bit", "gone"])
def test_a_backup_that_is_not_whole_is_refused(
    data: Path, tmp_path: Path, name: str, harm: str
) -> None:
    file = backup.make(data, tmp_path / "backups").folder / name
    raw = bytearray(file.read_bytes())
    raw[len(raw) // 2] ^= 0x10
    if harm == "gone":
        file.unlink()
    else:
        file.write_bytes(raw if harm == "bit" else raw[: len(raw) // 2])
    if (name, harm) == (backup.MANIFEST, "gone"):
        file.with_name("x").touch()  # nothing says any more what belongs to it
    with pytest.raises(InputFault, match="no whole backup"):
        backup.rehearse(tmp_path / "backups")
    before = everything(data)
    with pytest.raises(InputFault, match="no whole backup"):
        backup.restore(tmp_path / "backups", data)
    assert everything(data) == before


def test_only_the_newest_stay(data: Path, tmp_path: Path) -> None:
    folder = tmp_path / "backups"
    for day in range(1, 5):
        (folder / f"2026010{day}T000000Z").mkdir(parents=True)
    (folder / "mine").mkdir()
    made = backup.make(data, folder, keep=2)
    assert {p.name for p in folder.iterdir()} == {"mine", "20260104T000000Z", made.folder.name}


def test_no_restore_under_a_running_gateway(data: Path, tmp_path: Path) -> None:
    backup.make(data, tmp_path / "backups")
    with store.locked(data), pytest.raises(EnvironmentFault, match="another gateway"):
        backup.restore(tmp_path / "backups", data)


def test_a_restore_takes_over_what_came_after_the_backup(data: Path, tmp_path: Path) -> None:
    backup.make(data, tmp_path / "backups")
    store_events(data, 41, 90)
    before = everything(data)
    said = backup.restore(tmp_path / "backups", data)
    assert "took over 50 later events from it" in said
    assert everything(data) == before


def test_what_a_damaged_page_held_is_counted_and_the_rest_is_there(
    data: Path, tmp_path: Path
) -> None:
    backup.make(data, tmp_path / "backups")
    store_events(data, 41, 400)
    path = data / store.FILE
    with closing(sqlite3.connect(path)) as db:
        size, pages = (db.execute(f"PRAGMA {p}").fetchone()[0] for p in ("page_size", "page_count"))
        db.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        harmed = max(
            n
            for n in range(2, pages + 1)
            if b'"kind":"power"' in path.read_bytes()[(n - 1) * size : n * size]
        )
    raw = bytearray(path.read_bytes())
    raw[(harmed - 1) * size : harmed * size] = random.Random(5).randbytes(size)
    path.write_bytes(raw)
    with pytest.raises(InputFault, match="structure of the database"):
        verify.run(data)
    said = backup.restore(tmp_path / "backups", data)
    with closing(store.open_reader(data)) as db:
        assert verify.check(db, print) == []
        stored = [seq for (seq,) in db.execute("SELECT seq FROM event ORDER BY seq")]
    assert stored[:40] == list(range(1, 41))
    assert 300 < len(stored) < 400
    assert any("cannot be read" in line for line in said)


def test_a_database_that_is_none_is_told_in_one_line(tmp_path: Path) -> None:
    (tmp_path / store.FILE).write_bytes(b"no database " * 1000)
    with pytest.raises(EnvironmentFault, match=r"damaged .*`hallkeeper restore"):
        store.open_writer(tmp_path)


def test_old_readings_go_and_their_copies_are_known(data: Path) -> None:
    with closing(store.open_writer(data)) as db:
        journal = Journal()
        journal.load(db)
        rollups = db.execute("SELECT * FROM rollup").fetchall()
        db.execute("BEGIN")
        at: int | None = 0
        while at is not None:
            at = journal.prune(db, at, START + 21 * 10_000, 7)
        db.execute("COMMIT")
        assert db.execute("SELECT min(seq), count(*) FROM event").fetchone() == (21, 20)
        assert db.execute("SELECT * FROM rollup").fetchall() == rollups
        assert verify.check(db, print) == []
        for again in (journal, Journal()):
            again.load(db)
            assert again.pointer(DEVICE, LOG) == 40
            db.execute("BEGIN")
            raw = (
                f'{{"log":"{LOG}","seq":3,"boot":1,"up":1,"t":null,"kind":"power","ch":"c1","w":1}}'
            )
            for part, event in decode(raw.encode()):
                again.accept(db, DEVICE, part, event, START)  # type: ignore[arg-type]
            assert again.write(db) == ([], [])
            db.execute("COMMIT")


def test_no_id_is_given_twice(data: Path) -> None:
    """Copiers go by ids: an event that got a pruned one's would never be copied."""
    with closing(store.open_writer(data)) as db:
        journal = Journal()
        journal.load(db)
        newest = db.execute("SELECT max(id) FROM event").fetchone()
        db.execute("BEGIN")
        journal.prune(db, 0, START + 1_000_000_000, 10_000)
        db.execute("COMMIT")
        assert db.execute("SELECT max(id), count(*) FROM event").fetchone() == (*newest, 1)
        assert verify.check(db, print) == []
