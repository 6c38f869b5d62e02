"""The store itself (rows 33, 38, 39 and 42 of the list of faults): a migration killed at each
of its writes, a damaged page, a changed bit, a backup cut short. Each is noticed, and mended."""

from __future__ import annotations

import contextlib
import os
import random
import shutil
import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest

from gateway import backup, store
from gateway.errors import EnvironmentFault
from tests.faults.disks import strace
from tests.gateway.test_backup import store_events
from tests.journey.hall import Person, Serve, fetch, ran
from tests.waiting import wait_for

NIGHT = "2026-07-0{}T02:59:58+08:00"
STANDS = "SELECT evidence FROM finding WHERE rule='{}' AND state='open'"


# -- a migration that is killed at each of its writes (I8)

MIGRATE = "import sys; from pathlib import Path; from gateway import store"
RIGHT = f"{MIGRATE}; store.open_writer(Path(sys.argv[1])).close()"
# the control: one statement at a time, the number last
CARELESS = f"""{MIGRATE}
import sqlite3
db = sqlite3.connect(Path(sys.argv[1]) / store.FILE, isolation_level=None)
have = db.execute("PRAGMA user_version").fetchone()[0]
for number, sql in store.migrations():
    if number > have:
        db.executescript(sql)
        db.execute(f"PRAGMA user_version={{number}}")
"""


# the writes of the copy that is made first are alike: one in so many, unless all are asked for
COPY_STEP = 1 if os.environ.get("EVERY_WRITE") else 6


def old_store(data: Path, leave: int) -> int:
    """A store without the newest `leave` migrations, with rows; the schema's number."""
    data.mkdir()
    steps = store.migrations()[:-leave]
    with contextlib.closing(sqlite3.connect(data / store.FILE, isolation_level=None)) as db:
        db.execute("PRAGMA journal_mode=WAL")
        for number, sql in steps:
            db.executescript(f"BEGIN;\n{sql}\nPRAGMA user_version={number};\nCOMMIT;")
        db.execute("INSERT INTO meta VALUES ('first_start', '1')")
        db.execute("INSERT INTO reject VALUES (1, 2, 'x', NULL, 'why', x'00')")
    return steps[-1][0]


def schema(path: Path) -> list[tuple[str, ...]]:
    with contextlib.closing(sqlite3.connect(path)) as db:
        assert db.execute("PRAGMA integrity_check").fetchone() == ("ok",)
        assert db.execute("SELECT value FROM meta WHERE key='first_start'").fetchone() == ("1",)
        assert db.execute("SELECT count(*) FROM reject").fetchone() == (1,)
        return db.execute("SELECT type, name, sql FROM sqlite_master ORDER BY 1, 2").fetchall()


def killed_at(n: int, code: str, data: Path) -> bool:
    """Run it until its n-th write; False where it has ended before."""
    done = subprocess.run(
        [
            *(strace(), "-f", "-qq", "-e", "trace=pwrite64", "-e", "signal=none"),
            *("-e", f"inject=pwrite64:signal=SIGKILL:when={n}", "-o", "/dev/null"),
            *(sys.executable, "-S", "-c", code, str(data)),
        ],
        capture_output=True,
        text=True,
        check=False,
    )
    if "ptrace" in done.stderr or "PTRACE" in done.stderr:
        pytest.skip(f"strace may not trace here: {done.stderr.strip()}")
    assert done.returncode in (0, -9, 137), done.stderr
    return done.returncode != 0


def test_a_migration_killed_at_each_write_leaves_the_old_or_the_new(tmp_path: Path) -> None:
    old = old_store(tmp_path / "old", leave=2)
    before = schema(tmp_path / "old" / store.FILE)
    store_new = tmp_path / "new"
    shutil.copytree(tmp_path / "old", store_new)
    store.open_writer(store_new).close()
    after = schema(store_new / store.FILE)
    kills, n, step = 0, 1, COPY_STEP
    while True:
        data = tmp_path / "killed"
        shutil.copytree(tmp_path / "old", data)
        if not killed_at(n, RIGHT, data):
            break
        kills += 1
        kept = data / f"{store.BEFORE}{old:03d}.db"
        if kept.exists() and step > 1:  # the copy is done: from its end on, each write
            n, step = n - COPY_STEP, 1
        elif kept.exists():
            assert schema(kept) == before, "the copy from before is whole or not there"
        else:
            assert schema(data / store.FILE) == before, "nothing is changed before the copy is"
        store.open_writer(data).close()  # the next start goes on
        assert schema(data / store.FILE) == after
        assert schema(kept) == before
        assert not list(data.glob("*.part"))
        shutil.rmtree(data)
        n += step
    assert kills > 10


def test_the_harness_sees_a_migration_that_is_not_one_transaction(tmp_path: Path) -> None:
    old_store(tmp_path / "old", leave=2)
    for n in range(1, 60):
        data = tmp_path / "killed"
        shutil.copytree(tmp_path / "old", data)
        assert killed_at(n, CARELESS, data), "it was killed at no write that mattered"
        try:
            store.open_writer(data).close()
        except EnvironmentFault:  # half of a migration is there already
            return
        shutil.rmtree(data)
    pytest.fail("every kill was survived")


def test_numbers_of_migrations_are_not_given_twice() -> None:
    numbers = [number for number, _ in store.migrations()]
    assert len(set(numbers)) == len(numbers)


# -- a page, a bit, a backup


def damage(path: Path, what: str) -> None:
    """Ruin a page of the events, or one bit of a payload that SQLite would not miss."""
    with contextlib.closing(sqlite3.connect(path)) as db:
        db.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        size = db.execute("PRAGMA page_size").fetchone()[0]
    raw = bytearray(path.read_bytes())
    at = raw.rindex(b'"kind":"power"')
    if what == "bit":
        raw[raw.rindex(b'"w":', 0, at + 200) + 4] ^= 1
    else:
        page = at // size * size
        raw[page : page + size] = random.Random(5).randbytes(size)
    path.write_bytes(raw)


def findings(gateway: Serve, rule: str) -> list[str]:
    return [said for (said,) in gateway.query(STANDS.format(rule))]


def without_a_clean_start(gateway: Serve) -> None:
    """Start it where it will not be healthy."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(gateway, "up", lambda: bool(reasons(gateway)))
        gateway.__enter__()


def reasons(gateway: Serve) -> dict[str, str]:
    try:
        found: dict[str, str] = fetch(gateway.url + "/healthz")["reasons"]
    except OSError:
        return {}
    return found


def test_a_damaged_page_is_told_at_the_start_and_mended_by_a_restore(tmp_path: Path) -> None:
    gateway = Serve(tmp_path)
    store_events(gateway.data, 1, 300)
    backup.make(gateway.data, tmp_path / "backups")
    store_events(gateway.data, 301, 360)
    damage(gateway.data / store.FILE, "page")
    without_a_clean_start(gateway)
    try:
        wait_for(lambda: "restore" in reasons(gateway).get("store", ""), "a word on the store")
        wait_for(lambda: findings(gateway, "gateway.store"), "its alert")
    finally:
        gateway.__exit__()
    done = ran("restore", tmp_path / "backups", "--data", gateway.data)
    assert done.returncode == 0, done.stderr
    assert "restored the backup" in done.stdout
    assert "cannot be read" in done.stdout
    with gateway:
        assert gateway.query("SELECT count(*) FROM event WHERE seq<=300") == [(300,)]
        assert findings(gateway, "gateway.store") == []
    assert ran("verify", "--data", gateway.data).returncode == 0


def test_what_people_did_after_the_backup_stands_after_a_restore(tmp_path: Path) -> None:
    """Nobody is called again for what somebody has seen, shelved or closed."""
    gateway = Serve(tmp_path, start="2026-07-01T18:30:00+08:00")
    store_events(gateway.data, 1, 300)
    begun = 1_782_896_400_000  # all the other devices have been silent since
    with contextlib.closing(sqlite3.connect(gateway.data / store.FILE)) as db:
        db.execute("INSERT INTO meta VALUES ('first_start', ?)", (str(begun),))
        db.commit()
    silent = "SELECT id FROM alert WHERE rule='device.silent' AND round=1 ORDER BY id"
    stands = (
        "SELECT id, rule, state, round, acked_at, acked_by, shelved_until, shelve_why, closed_by"
        " FROM alert WHERE subject<>'pm-01' ORDER BY id"
    )
    sent = (
        "SELECT n.id, a.id, n.round, n.state FROM notification n JOIN alert a ON a.id = n.alert"
        " WHERE a.subject<>'pm-01' ORDER BY 1"  # of which more is known afterwards
    )
    with gateway:
        wait_for(lambda: len(gateway.query(silent)) > 4, "alerts")
        done = ran("backup", tmp_path / "backups", "--data", gateway.data)
        assert done.returncode == 0, done.stderr
        officer = Person(gateway)
        seen, shelved, closed, *_ = (f"alerts/{name}" for (name,) in gateway.query(silent))
        own = gateway.query("SELECT id FROM alert WHERE finding=''")[0][0]
        officer.post(f"{seen}/ack")
        officer.post(f"alerts/{own}/ack")
        officer.post(f"{shelved}/shelve", minutes=60, reason="等电工")
        officer.post(f"{closed}/close", reason="误报")
        officer.post("maintenance", what="pad-w01", reason="换电池")
    before = gateway.query(stands), gateway.query(sent)
    store_events(gateway.data, 301, 360)
    damage(gateway.data / store.FILE, "page")
    assert ran("verify", "--data", gateway.data).returncode == 1
    done = ran("restore", tmp_path / "backups", "--data", gateway.data)
    assert done.returncode == 0, done.stderr
    assert "5 words of people on alerts" in done.stdout
    later = Serve(tmp_path, start="2026-07-01T18:32:00+08:00")
    with later:
        judged = "SELECT 1 FROM meta WHERE key='late_from'"
        wait_for(lambda: not later.query(judged), "the rules to have judged it again")
        assert (later.query(stands), later.query(sent)) == before
        assert later.query("SELECT what, reason FROM maintenance") == [("pad-w01", "换电池")]
        assert {one["id"] for one in Person(later).items("maintenance?active=true")}
    assert ran("verify", "--data", later.data).returncode == 0


def test_a_changed_bit_is_told_at_night(tmp_path: Path) -> None:
    gateway = Serve(tmp_path, start=NIGHT.format(1))
    store_events(gateway.data, 1, 50)
    with contextlib.closing(sqlite3.connect(gateway.data / store.FILE)) as db:
        db.execute("INSERT INTO meta VALUES ('first_start', '1780000000000')")
        db.commit()
    damage(gateway.data / store.FILE, "bit")
    with contextlib.closing(sqlite3.connect(gateway.data / store.FILE)) as db:
        assert db.execute("PRAGMA integrity_check").fetchone() == ("ok",), "SQLite sees nothing"
    with gateway:
        wait_for(lambda: findings(gateway, "gateway.store"), "its alert")
        assert "checksums: 1 of 50" in findings(gateway, "gateway.store")[0]
        assert "checksums" in reasons(gateway)["store"]
        audited = "SELECT count(*) FROM audit WHERE what='care.verify'"
        assert gateway.query(audited) == [(1,)]
        made = "SELECT count(*) FROM audit WHERE what IN ('care.backup', 'care.rehearsal')"
        wait_for(lambda: gateway.query(made) == [(2,)], "a backup and its rehearsal")
        said = findings(gateway, "gateway.backup")
        assert "checksums" in said[0], "a backup of damaged data is not called good"


def test_a_backup_that_is_cut_short_is_told_within_the_week(tmp_path: Path) -> None:
    first = Serve(tmp_path, start=NIGHT.format(1))
    store_events(first.data, 1, 50)
    with first:
        done = "SELECT about FROM audit WHERE what='care.backup' AND about LIKE '%true%'"
        wait_for(lambda: first.query(done), "the night's backup")
    made = backup.newest(first.data / "backups")
    assert made.events == 50
    file = made.folder / store.FILE
    file.write_bytes(file.read_bytes()[: 30 * 4096])
    later = Serve(tmp_path, start=NIGHT.format(8))
    with later:
        wait_for(lambda: findings(later, "gateway.backup"), "its alert")
        assert "not as it was written" in findings(later, "gateway.backup")[0]
        assert "not as it was written" in reasons(later)["backup"]
        rehearsal = "SELECT about FROM audit WHERE what='care.rehearsal'"
        assert '"ok":false' in later.query(rehearsal)[0][0]
