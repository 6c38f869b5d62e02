"""Backups say whether they are whole; a restore takes over what a damaged store still holds."""

from __future__ import annotations

import random
import re
import shutil
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from gateway import audit, backup, salvage, store, verify
from gateway.errors import EnvironmentFault, InputFault
from gateway.events import decode
from gateway.history.hot import Hot
from gateway.history.times import lanes, resolve
from gateway.journal import Journal
from tests.faults.disks import fill, small_disk

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
        hot.keep(db, lanes(resolve(db, stored)))
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


@pytest.mark.parametrize("harm", ["bit", "page"])
def test_copies_of_a_damaged_database_displace_no_sound_backup(
    data: Path, tmp_path: Path, harm: str
) -> None:
    """Three nights that nobody looks: the last good backup is still there, and is restored."""
    folder = tmp_path / "backups"
    good = backup.make(data, folder, keep=1)
    good.folder.rename(folder / "20260101T000000Z")
    damage(data / store.FILE, harm)
    for _ in range(3):
        with pytest.raises(InputFault, match=r"checksums: 1 of 40|structure of the database"):
            backup.make(data, folder, keep=1)
    names = sorted(p.name for p in folder.iterdir())
    assert names[0] == "20260101T000000Z"
    assert len(names) == 2
    assert "can be restored: 40 events" in backup.rehearse(folder)
    assert f"restored the backup of {good.made} with 40 events" in backup.restore(folder, data)
    with closing(store.open_reader(data)) as db:
        assert verify.check(db, print) == []


def damage(path: Path, harm: str) -> None:
    with closing(sqlite3.connect(path)) as db:
        db.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        if harm == "bit":
            db.execute("UPDATE event SET up=99 WHERE seq=3")
            db.commit()
            return
        root = db.execute("SELECT rootpage FROM sqlite_master WHERE name='rollup'").fetchone()[0]
        size = db.execute("PRAGMA page_size").fetchone()[0]
    raw = bytearray(path.read_bytes())
    raw[(root - 1) * size : root * size] = bytes(size)
    path.write_bytes(raw)


def test_a_backup_does_not_bring_its_datas_disk_below_the_floor(data: Path, tmp_path: Path) -> None:
    with small_disk(tmp_path / "disk", 12) as disk:
        shutil.copytree(data, disk / "data")
        size = (disk / "data" / store.FILE).stat().st_size
        fill(disk / "ballast", leave=size + 1_300_000)  # the floor is 5 % of 12 MB
        with pytest.raises(EnvironmentFault, match=r"no room .* 0\.6 MB are to be left free"):
            backup.make(disk / "data", disk / "backups")
        assert backup.make(disk / "data", tmp_path / "elsewhere").events == 40
        (disk / "ballast").unlink()
        assert backup.make(disk / "data", disk / "backups").events == 40
        fill(disk / "ballast", leave=size + 1_300_000)
        with pytest.raises(EnvironmentFault, match="no room"):
            backup.rehearse(disk / "backups")


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


# Made anew out of what is taken over, or of the one machine. Every other table is taken over: a new
# one belongs here or into one of the lists of `salvage`.
ANEW = {
    *("channel", "sample", "moving", "anchor", "rollup", "energy", "energy_day", "chunk"),
    *("last_value", "engine_snapshot", "session", "influx", "influx_again", "influx_refused"),
}
TOLD = {*salvage.TOLD, *salvage.PAIRED}


def told(data: Path) -> dict[str, list[tuple[object, ...]]]:
    with closing(sqlite3.connect(data / store.FILE)) as db:
        found = {}
        for (table,) in db.execute("SELECT name FROM sqlite_master WHERE type='table'").fetchall():
            if table not in ANEW and table not in salvage.APART:
                found[table] = db.execute(f"SELECT * FROM {table} ORDER BY 1, 2").fetchall()
        return found


def test_what_becomes_of_each_table_is_documented(data: Path) -> None:
    page = Path(__file__).parents[2] / "docs" / "reference" / "care.md"
    rows = [line.split("|")[1] for line in page.read_text().splitlines() if line.startswith("| `")]
    documented = {name for row in rows for name in re.findall(r"`([a-z_]+)`", row)}
    with closing(sqlite3.connect(data / store.FILE)) as db:
        tables = {
            name for (name,) in db.execute("SELECT name FROM sqlite_master WHERE type='table'")
        }
    assert tables <= documented
    assert tables == ANEW | TOLD | {*salvage.APART}


def rate(db: sqlite3.Connection, seq: int) -> None:
    journal = Journal()
    journal.load(db)
    raw = f'{{"log":"{LOG}","seq":{seq},"boot":1,"up":1,"t":null,"kind":"rating","level":5}}'
    db.execute("BEGIN")
    for part, event in decode(raw.encode()):
        journal.accept(db, "pad-w01", part, event, START)  # type: ignore[arg-type]
    journal.write(db)
    db.execute("COMMIT")


def tell(data: Path, n: int) -> None:
    """What people say of a day; the second time some of the first is changed."""
    with closing(store.open_writer(data)) as db:
        rate(db, n)
        for sql in (
            "INSERT INTO account (name, role, hash, made_at) VALUES ('p{n}', 'duty', 'x', {n})",
            "INSERT INTO permit VALUES"
            " ('p{n}', 'overtime', '[]', 1, 2, '', 'a', 'b', 1, NULL, NULL)",
            "INSERT INTO opinion (id, channel, counter, t, level, made_at, made_by)"
            " VALUES ('o{n}', 'paper', 'w1', 1, 5, 1, 'a')",
            "INSERT INTO visit_count VALUES ({n}, 'w1', '2026-07-01', 5, 1, 'a')",
            "INSERT INTO register_entry VALUES ('r{n}', 'duty', '', 1, 'a', '{{}}')",
            "INSERT INTO register_strike VALUES ('r{n}', 2, 'a', 'wrong')",
            "INSERT INTO case_file VALUES ('c{n}', 'complaint', 1, NULL, NULL)",
            "INSERT INTO case_event VALUES ('c{n}', 1, 1, 'a', 'open', '{{}}')",
            "INSERT INTO case_now (id, state) VALUES ('c{n}', 'open')",
            "INSERT INTO contact VALUES ('c{n}', 'call', '2026-08-01', x'01', 'a', 1, NULL, NULL)",
            "INSERT INTO shift VALUES ('s{n}', {n}, 'a', 'b', NULL, '', '[]', '[]')",
            "INSERT INTO attendance_import VALUES ({n}, 'x{n}', 'f', 1, 'a', 1)",
            "INSERT INTO episode_decision VALUES ({n}, 'f', 'reject', NULL, 'w', 1, 'a')",
            "INSERT INTO attendance_punch VALUES ('a', {n}, 'A', 'in', {n})",
            "INSERT INTO maintenance VALUES"
            " ('m{n}', 'w1', 'maintenance', 1, 9, 'w', 'a', NULL, NULL)",
            "INSERT INTO finding VALUES ('f-{n}', 'r', 's{n}', NULL, 1, 1, NULL, 'notice', '[]',"
            " '{{}}', 'open', 1, 1, NULL, NULL, NULL)",
            "INSERT INTO alert (id, finding, rule, subject, severity, state, opened, active)"
            " VALUES ('a-{n}', 'f-{n}', 'r', 's{n}', 'notice', 'unacknowledged', 1, 1)",
            "INSERT INTO alert_history VALUES ({n}, 'a-{n}', 1, 'raise', 'unacknowledged', 1, NULL,"
            " NULL)",
            "INSERT INTO notification VALUES ({n}, 'a-{n}', 1, 0, 'message', 'duty', 0, 'x', 't',"
            " 'queued', 0, 1, 1, NULL, NULL)",
            "INSERT INTO attempt VALUES ({n}, {n}, 1, 'timeout')",
            "INSERT INTO command VALUES ('c-{n}', 'relay-01', 'r1', 'off', '{{}}', 'f-{n}', NULL,"
            " 1, 9, 'sent', 1, NULL, NULL, 1)",
            "INSERT INTO control (subject, desired, command, state) VALUES"
            " ('s{n}', 'off', 'c-{n}', 'asked')",
            "INSERT INTO pending_switch (finding, device, ch, do, args, zone, due, state)"
            " VALUES ('f-{n}', 'relay-01', 'r1', 'off', '{{}}', 'z', 9, 'waiting')",
            "INSERT INTO device (id, state, last_at) VALUES ('d{n}', 'ready', 1)",
            "INSERT INTO reject VALUES ({n}, 1, 't', 'd1', 'why', x'00')",
        ):
            db.execute(sql.format(n=n))
        if n > 1:
            db.execute("UPDATE account SET role='viewer' WHERE name='p1'")
            db.execute("UPDATE alert SET state='acknowledged', acked=1, acked_by='a'")
            db.execute("UPDATE finding SET state='closed', closed_by='a' WHERE id='f-1'")
            db.execute("UPDATE maintenance SET ended_at=5, ended_by='a' WHERE id='m1'")
            db.execute("UPDATE control SET hazard_at=5, hazard='f-1' WHERE subject='s1'")
            db.execute("UPDATE command SET state='done' WHERE id='c-1'")
            db.execute("UPDATE device SET state='lost' WHERE id='d1'")
            db.execute("UPDATE notification SET state='stopped'")
            db.execute("UPDATE permit SET withdrawn_at=5 WHERE id='p1'")
            db.execute(
                "UPDATE opinion SET struck_at=5, struck_by='a', struck_why='w' WHERE id='o1'"
            )
            db.execute("UPDATE case_now SET state='done' WHERE id='c1'")
            db.execute("INSERT INTO case_event VALUES ('c1', 2, 5, 'a', 'close', '{}')")
            db.execute("UPDATE contact SET sealed=NULL, erased_at=5, erased_why='w'")


def test_a_restore_takes_over_what_people_told(data: Path, tmp_path: Path) -> None:
    tell(data, 1)
    backup.make(data, tmp_path / "backups")
    tell(data, 2)
    before = told(data)
    assert set(before) == TOLD
    said = backup.restore(tmp_path / "backups", data)
    assert "took over 1 later events from it" in said
    assert not [line for line in said if "cannot be read" in line]
    assert told(data) == before
    assert sum(map(len, before.values())) > 50
    with closing(store.open_reader(data)) as db:
        assert verify.check(db, print) == []


def test_a_restore_without_room_leaves_everything_as_it_was(data: Path, tmp_path: Path) -> None:
    """The copy itself does not fit, or what is taken over does not."""
    size = (backup.make(data, tmp_path / "backups").folder / store.FILE).stat().st_size
    store_events(data, 41, 3000)
    before = everything(data), {p.name for p in data.iterdir()}
    for room in (size // 2048, size // 1024 + 200):
        command = (
            f"ulimit -f {room}; trap '' XFSZ; exec {sys.executable} -m gateway.cli"
            f" restore {tmp_path / 'backups'} --data {data}"
        )
        done = subprocess.run(["bash", "-c", command], capture_output=True, text=True, check=False)
        assert done.returncode == 3, done.stderr
        assert "nothing was restored" in done.stderr
        names = {p.name for p in data.iterdir()} - {
            "lock",
            store.FILE + "-wal",
            store.FILE + "-shm",
        }
        assert (everything(data), names) == before
    assert "took over 2960 later events from it" in backup.restore(tmp_path / "backups", data)


def test_a_restore_that_was_killed_when_it_was_ready_is_finished(
    data: Path, tmp_path: Path
) -> None:
    backup.make(data, tmp_path / "backups")
    store_events(data, 41, 90)
    before = everything(data)
    (data / "restored").mkdir()
    for file in data.glob(f"{store.FILE}*"):
        file.replace(data / "restored" / file.name)
    said = backup.restore(tmp_path / "backups", data)
    assert said[0] == "put in place what an interrupted restore had left ready"
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
