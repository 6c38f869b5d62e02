"""Series and energy: any order of arrival, repeats and packing give what a plain count gives."""

from __future__ import annotations

import random
from itertools import pairwise
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from gateway import store
from gateway.history import buckets, series
from gateway.history.buckets import Reading
from gateway.history.hot import Hot
from gateway.history.times import Said, lanes

ZONE = ZoneInfo("Asia/Shanghai")
DAY = 1_782_835_200_000  # 2026-07-01 00:00 in Shanghai
FIELD_W, FIELD_WH = 1, 5


def reading(seq: int, t: int, w: float, wh: float | None) -> Said:
    payload = {"ch": "c1", "w": w} | ({} if wh is None else {"wh": wh})
    return Said(
        device="pm-01",
        log="9f3a1c22",
        seq=seq,
        boot=1,
        time=t,
        estimated=False,
        stale=False,
        kind="power",
        told=payload,
        new=True,
    )


def kept(folder: Path, batches: list[list[Said]]) -> store.sqlite3.Connection:
    db = store.open_writer(folder)
    hot = Hot(ZONE)
    hot.load(db)
    for batch in batches:
        hot.keep(db, lanes(batch))
    return db


def contents(db: store.sqlite3.Connection) -> list[object]:
    return [
        db.execute("SELECT * FROM rollup ORDER BY 1, 2, 3, 4").fetchall(),
        db.execute("SELECT * FROM energy WHERE uwh <> 0 ORDER BY 1, 2").fetchall(),
        db.execute("SELECT * FROM sample ORDER BY channel, t, boot, seq").fetchall(),
    ]


readings = st.lists(
    st.tuples(
        st.integers(0, 7_200_000),
        st.integers(0, 2_000_000),
        st.one_of(st.none(), st.integers(0, 5_000)),
    ),
    min_size=1,
    max_size=25,
).map(
    lambda rows: [
        reading(seq, DAY + t, w / 1000, None if wh is None else float(wh))
        for seq, (t, w, wh) in enumerate(rows, 1)
    ]
)


@settings(max_examples=60, deadline=None)
@given(readings, st.randoms(use_true_random=False))
def test_any_order_and_repetition_gives_the_same(said: list[Said], dice: random.Random) -> None:
    import tempfile

    mixed = said + [dice.choice(said) for _ in range(len(said) // 2)]
    dice.shuffle(mixed)
    size = dice.randint(1, 6)
    with tempfile.TemporaryDirectory() as folder:
        straight = kept(Path(folder) / "a", [said])
        crooked = kept(
            Path(folder) / "b", [mixed[i : i + size] for i in range(0, len(mixed), size)]
        )
        assert contents(straight) == contents(crooked)
        brute = sorted(
            (e.time, e.seq, round(e.payload["w"] * 1000), e.payload.get("wh")) for e in said
        )
        rows = straight.execute(
            "SELECT sum(n), min(low), max(high), sum(sum) FROM rollup WHERE field=1 AND step=60000"
        ).fetchone()
        watts = [w for _, _, w, _ in brute]
        assert tuple(rows) == (len(watts), min(watts), max(watts), sum(watts))
        spent = 0
        for (t1, _, w1, h1), (t2, _, w2, h2) in pairwise(brute):
            a = Reading(t1, w1, None if h1 is None else round(h1 * 1000))
            b = Reading(t2, w2, None if h2 is None else round(h2 * 1000))
            spent += sum(uwh for _, uwh in buckets.spent(a, b))
        billed = straight.execute("SELECT coalesce(sum(uwh), 0) FROM energy").fetchone()[0]
        assert billed == spent
        straight.close()
        crooked.close()


def test_a_packed_day_reads_as_before_and_takes_late_rows(tmp_path: Path) -> None:
    said = [reading(n, DAY + n * 10_000, 100.0 + n % 7, None) for n in range(1, 200)]
    db = kept(tmp_path, [said])
    hot = Hot(ZONE)
    hot.load(db)
    found = series.find(db, "pm-01/c1", "w")
    assert found is not None
    before = series.series(db, found, DAY, DAY + 3_600_000, 10_000, ZONE, 600_000)
    assert hot.packing.compact(db, DAY + 2 * 86_400_000)
    assert not hot.packing.compact(db, DAY + 2 * 86_400_000)
    assert db.execute("SELECT count(*) FROM sample").fetchone()[0] == 0
    assert series.series(db, found, DAY, DAY + 3_600_000, 10_000, ZONE, 600_000) == before
    hot.keep(db, lanes([reading(500, DAY + 15_000, 900.0, None)]))
    after = series.series(db, found, DAY, DAY + 3_600_000, 10_000, ZONE, 600_000)
    assert [s.high for s in after[:3]] == [None, 900.0, 102.0]
    db.close()


def test_what_is_too_old_leaves_its_hours_and_days(tmp_path: Path) -> None:
    """Chunks and minutes go, a week of minutes a turn; a plot of that time shows the hours."""
    day, hour = 86_400_000, 3_600_000
    said = [reading(n, DAY + n * hour // 2, 100.0 + n % 7, None) for n in range(48 * 20)]
    db = kept(tmp_path, [said])
    hot = Hot(ZONE)
    hot.load(db)
    while hot.packing.compact(db, DAY + 20 * day):
        pass
    found = series.find(db, "pm-01/c1", "w")
    assert found is not None

    def shown(begin: int, step: int) -> list[float]:
        read = series.series(db, found, begin, begin + day, step, ZONE, 600_000)
        return [s.mean for s in read if s.mean is not None]

    hours, energy = shown(DAY, hour), list(series.energy(db, DAY, DAY + 20 * day))
    newer = shown(DAY + 16 * day, 60_000)
    turns, at = 0, hot.packing.prune(db, 0, DAY + 15 * day + hour)
    while at is not None:
        turns, at = turns + 1, hot.packing.prune(db, at, DAY + 15 * day + hour)
    assert turns == 3
    left = "SELECT step, min(t) FROM rollup WHERE field = 1 GROUP BY step ORDER BY step"
    assert db.execute(left).fetchall() == [(60_000, DAY + 15 * day), (hour, DAY), (day, DAY)]
    assert db.execute("SELECT min(day), count(*) FROM chunk").fetchone() == (DAY + 15 * day, 5)
    assert shown(DAY, hour) == hours
    assert shown(DAY, 60_000) == shown(DAY, 30_000) == hours
    assert len(newer) == 48
    assert shown(DAY + 16 * day, 60_000) == newer
    assert list(series.energy(db, DAY, DAY + 20 * day)) == energy
    db.close()


@pytest.mark.parametrize(
    ("counters", "watt_hours"),
    [((1000, 1500), 500), ((1000, 200), 200), ((None, None), 60_000 * 100 / 3_600_000)],
)
def test_energy_of_a_minute(
    tmp_path: Path, counters: tuple[float | None, float | None], watt_hours: float
) -> None:
    """A counter's difference, what it shows after a reset, or the power for as long as it stood."""
    first, second = counters
    db = kept(tmp_path, [[reading(1, DAY, 100.0, first), reading(2, DAY + 60_000, 100.0, second)]])
    billed = db.execute("SELECT sum(uwh) FROM energy").fetchone()[0] / 1e6
    assert billed == pytest.approx(watt_hours, abs=0.001)
    db.close()


@settings(max_examples=60, deadline=None)
@given(readings, st.randoms(use_true_random=False))
def test_rows_that_move_leave_no_trace(said: list[Said], dice: random.Random) -> None:
    """Estimates that a later anchor puts right, in one turn with others, as if never made."""
    import tempfile

    guessed = [replace(e, time=DAY + dice.randint(0, 7_200_000), estimated=True) for e in said]
    moved = [replace(e, estimated=dice.random() < 0.5, new=False) for e in said]
    fresh = [reading(1000 + n, DAY + n * 61_000, 10.0, None) for n in range(5)]
    turn = moved + fresh
    dice.shuffle(turn)
    with tempfile.TemporaryDirectory() as folder:
        straight = kept(Path(folder) / "a", [said + fresh])
        crooked = kept(Path(folder) / "b", [guessed, turn])
        assert contents(straight) == contents(crooked)
        straight.close()
        crooked.close()


def test_energy_across_a_packed_day(tmp_path: Path) -> None:
    """The first row after packed days, and a late one at their edge, find their neighbours."""
    day = 86_400_000
    rows = [
        reading(1, DAY + day - 60_000, 100.0, 1000.0),
        reading(2, DAY + day + 60_000, 100.0, 1010.0),
        reading(3, DAY + day, 100.0, 1005.0),
    ]
    (tmp_path / "a").mkdir()
    straight = kept(tmp_path / "a", [rows])
    crooked = kept(tmp_path / "b", [rows[:1]])
    hot = Hot(ZONE)
    hot.load(crooked)
    assert hot.packing.compact(crooked, DAY + day)
    hot.keep(crooked, lanes([rows[1]]))
    hot.packing.compact(crooked, DAY + 3 * day)
    hot.keep(crooked, lanes([rows[2]]))
    energy = "SELECT * FROM energy WHERE uwh <> 0 ORDER BY 1, 2"
    assert crooked.execute(energy).fetchall() == straight.execute(energy).fetchall()
    straight.close()
    crooked.close()


def test_no_measurement_stops_the_others(tmp_path: Path) -> None:
    db = kept(tmp_path, [[reading(1, DAY, 1e300, 1e300), reading(2, DAY + 1, 5.0, None)]])
    assert db.execute("SELECT n, sum FROM rollup WHERE step = 60000").fetchall() == [(1, 5000)]
    db.close()
