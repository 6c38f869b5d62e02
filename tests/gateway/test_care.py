"""The gateway's own troubles as findings: disk, clock, slow commits, what the keeper found."""

from __future__ import annotations

import json
import os
from contextlib import closing
from datetime import datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway import store
from gateway.care import Care, Jumps, Upkeep
from gateway.disk import MB, Disk, Latency
from gateway.keeper import TASKS, UNSYNCED_S, Unsynced, clock_synced, due
from gateway.rules import house
from gateway.site import Noise
from gateway.turns import Turn
from gateway.vitals import Health

NOW = 1_782_896_400_000
TZ = "Asia/Shanghai"


@pytest.fixture
def made(tmp_path: Path) -> tuple[Care, Upkeep, Health]:
    upkeep, health = Upkeep(Disk(tmp_path, 5 * MB)), Health()
    return Care(upkeep, health, 1, Noise(), TZ), upkeep, health


def test_a_disk_below_its_floor_is_a_finding_until_there_is_room(
    made: tuple[Care, Upkeep, Health], tmp_path: Path
) -> None:
    care, upkeep, health = made
    with closing(store.open_writer(tmp_path)) as db:
        care.load(db, NOW)
        upkeep.disk.low, upkeep.disk.free, upkeep.disk.floor = True, 3 * MB, 5 * MB
        care.turn(db, Turn(NOW, 0.0))
        care.turn(db, Turn(NOW + 200, 0.2))
        assert [c["rule"] for _, c in care.committed(Turn(NOW, 0.0))] == []
        assert "3 MB free of the 5 MB" in health()["disk"]
        found = db.execute('SELECT rule, subject, "end", state FROM finding').fetchall()
        assert found == [("gateway.disk", "gateway", None, "open")]
        assert db.execute("SELECT state FROM alert").fetchall() == [("unacknowledged",)]
        care.load(db, NOW)  # a restart
        care.turn(db, Turn(NOW + 400, 0.4))
        upkeep.disk.low = False
        care.turn(db, Turn(NOW + 600, 0.6))
        assert health() == {}
        assert db.execute('SELECT "end" FROM finding').fetchall() == [(NOW + 600,)]


def test_its_findings_are_told_in_the_halls_own_time_zone(tmp_path: Path) -> None:
    upkeep = Upkeep(Disk(tmp_path, 5 * MB))
    care = Care(upkeep, Health(), 1, Noise(), "Asia/Urumqi")
    with closing(store.open_writer(tmp_path)) as db:
        care.load(db, NOW)
        upkeep.disk.low = True
        care.turn(db, Turn(NOW, 0.0))
        ((_, told),) = care.committed(Turn(NOW, 0.0))
        assert told["start"] == "2026-07-01T15:00:00.000+06:00"


def test_the_floor_and_the_reserve(tmp_path: Path) -> None:
    free = os.statvfs(tmp_path).f_bavail * os.statvfs(tmp_path).f_frsize
    disk = Disk(tmp_path, 1 * MB)
    disk.look()
    disk.hold()
    assert not disk.low
    assert (tmp_path / "reserve").stat().st_size == MB // 2
    assert disk.release()
    assert not disk.release()
    full = Disk(tmp_path, free * 2)
    full.look()
    full.hold()
    assert full.low
    assert full.said() is not None
    assert not (tmp_path / "reserve").exists()


def test_a_leap_of_the_clock_is_audited_and_told(
    made: tuple[Care, Upkeep, Health], tmp_path: Path
) -> None:
    care, _, _ = made
    with closing(store.open_writer(tmp_path)) as db:
        care.load(db, NOW)
        for now, mono in ((NOW, 1.0), (NOW + 1900, 1.0), (NOW + 3_600_000, 2.0)):
            care.turn(db, Turn(now, mono))
        said = db.execute("SELECT what, about FROM audit").fetchall()
        assert said == [("clock.jumped", '{"by_ms":3597100}')]
        assert db.execute("SELECT rule, state FROM alert").fetchall() == [
            ("gateway.clock", "unacknowledged")
        ]


def test_what_the_broker_drops_is_told_once_an_hour_and_counted_over_restarts(
    made: tuple[Care, Upkeep, Health], tmp_path: Path
) -> None:
    care, upkeep, _ = made
    with closing(store.open_writer(tmp_path)) as db:

        def told(total: int | None, hours: float, restart: bool = False) -> list[int]:
            upkeep.dropped = total
            if restart:
                care.load(db, NOW)
            care.turn(db, Turn(NOW + int(hours * 3_600_000), 1.0 + hours * 3600))
            rows = db.execute("SELECT about FROM audit WHERE what='broker.dropped' ORDER BY id")
            return [json.loads(about)["messages"] for (about,) in rows]

        care.load(db, NOW)
        assert told(None, 0) == []
        assert told(40, 1) == []  # from before our time
        assert told(43, 2) == [3]
        assert told(50, 2.5) == [3]  # not yet again
        assert told(60, 3) == [3, 17]
        assert told(65, 4, restart=True) == [3, 17, 5]
        assert told(2, 5.5) == [3, 17, 5, 2]  # the broker was started anew
        assert told(0, 7) == [3, 17, 5, 2]
        found = db.execute("SELECT count(*) FROM alert WHERE rule='gateway.dropped'").fetchone()
        assert found == (4,)


@given(st.lists(st.integers(-2000, 2000), max_size=20), st.sampled_from([1, 10, 60]))
def test_an_even_clock_never_leaps(jitter: list[int], speed: int) -> None:
    jumps, mono, off = Jumps(speed), 100.0, 0
    for j in jitter:
        mono += 0.25
        off = max(-1000, min(1000, off + j))
        at = NOW + round((mono - 100) * 1000 * speed)
        assert jumps.by(at, mono) == 0


def test_a_failed_task_is_wrong_until_it_succeeds(
    made: tuple[Care, Upkeep, Health], tmp_path: Path
) -> None:
    care, _, health = made
    with closing(store.open_writer(tmp_path)) as db:
        care.load(db, NOW)
        care.report(db, NOW, "rehearsal", house.BACKUP, "x: not whole", False)
        assert health() == {"backup": "x: not whole"}
        care.report(db, NOW + 1, "backup", house.BACKUP, "made", True)
        assert health() == {"backup": "x: not whole"}, "a new backup does not unsay a rehearsal"
        health.note("backup", None)
        care.load(db, NOW + 2)
        assert health() == {"backup": "x: not whole"}, "told again after a restart"
        care.report(db, NOW + 3, "rehearsal", house.BACKUP, "good", True)
        assert health() == {}
        whats = [what for (what,) in db.execute("SELECT what FROM audit ORDER BY id")]
        assert whats == ["care.rehearsal", "care.backup", "care.rehearsal"]
        assert db.execute("SELECT state FROM finding").fetchall() == [("ended",)]


def test_slow_commits() -> None:
    latency = Latency()
    for n in range(4):
        latency.note(1.5, float(n))
    latency.note(0.9, 4.0)
    assert latency.worst(5.0) is None
    latency.note(2.7, 5.0)
    assert latency.worst(6.0) == 2.7
    assert latency.worst(302.0) is None


def ms(text: str, tz: str = TZ) -> int:
    return int(datetime.fromisoformat(text).replace(tzinfo=ZoneInfo(tz)).timestamp() * 1000)


@pytest.mark.parametrize(
    ("task", "last", "now", "is_due"),
    [
        ("backup", "2026-07-01 02:59", "2026-07-01 02:59:59", False),
        ("backup", "2026-07-01 02:59", "2026-07-01 03:00", True),
        ("backup", "2026-07-01 03:00", "2026-07-02 02:59", False),
        ("backup", "2026-07-01 12:00", "2026-07-02 03:00", True),
        ("rehearsal", "2026-07-01 03:00:20", "2026-07-08 02:59", False),
        ("rehearsal", "2026-07-01 03:00:20", "2026-07-08 03:00", True),
        ("verify", "2026-07-01 12:00", "2026-06-01 12:00", True),
    ],
)
def test_what_is_due_at_night(task: str, last: str, now: str, is_due: bool) -> None:
    one = next(t for t in TASKS if t.name == task)
    assert due(one, {task: ms(last)}, ms(now), TZ) is is_due
    assert due(one, {"first_start": ms(last)}, ms(now), TZ) is is_due


@given(st.integers(0, 400 * 24), st.sampled_from([TZ, "Europe/London", "America/New_York"]))
def test_each_day_has_one_night(hours: int, tz: str) -> None:
    """Asked every half hour, a nightly task is done once a local day, also where clocks change."""
    begin = NOW + hours * 3_600_000
    task, marks = TASKS[0], {"verify": begin}
    done = []
    for half in range(7 * 48):
        now = begin + half * 1_800_000
        if due(task, marks, now, tz):
            marks["verify"] = now
            done.append(datetime.fromtimestamp(now / 1000, ZoneInfo(tz)).date())
    assert len(set(done)) == len(done)
    assert set(done) >= {done[0] + timedelta(days=n) for n in range(1, 6)}


def test_three_days_without_another_clock() -> None:
    unsynced = Unsynced()
    assert not unsynced(False, 0.0)
    assert not unsynced(False, UNSYNCED_S - 1)
    assert unsynced(False, UNSYNCED_S)
    assert not unsynced(True, UNSYNCED_S + 1)
    assert not unsynced(False, UNSYNCED_S + 2)
    assert not unsynced(None, 9 * UNSYNCED_S)
    assert clock_synced() in (True, False, None)
