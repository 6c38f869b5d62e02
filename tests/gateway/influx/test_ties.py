"""Whatever comes in whatever order, however often a reply is lost: the server ends up with every
event at its time, each a point of its own."""

from __future__ import annotations

import json
import tempfile
from contextlib import closing
from pathlib import Path
from typing import Any

from hypothesis import example, given, settings
from hypothesis import strategies as st

from gateway import site, store
from gateway.events import Refused, decode_one
from gateway.history.times import read, resolve
from gateway.influx import books
from gateway.influx.books import SETTLE_MS, Batch
from gateway.influx.points import Places
from gateway.influx.stage import Amended
from gateway.journal import Journal
from gateway.turns import Turn

PLACES = Places(site.load(Path(__file__).parents[2] / "data" / "site.toml"))
LOGS = ("9f3a1c22", "00c0ffee")
BEGIN = 1_782_880_000_000
FAR = 30 * 60_000


class Hall:
    """A journal, its history's anchors and the books of one server."""

    def __init__(self, folder: Path) -> None:
        self.db = store.open_writer(folder)
        self.journal = Journal()
        self.journal.load(self.db)
        self.now = BEGIN
        self.placed: list[Any] = []
        self.stage = Amended("t", lambda: self.placed)
        self.server: dict[str, str] = {}  # series and time: fields
        books.attach(self.db, "t")

    def hear(self, log: str, seq: int, t: int | None, **more: Any) -> None:
        """A copy of an event arrives."""
        event = {"log": log, "seq": seq, "boot": 1, "up": seq, "t": t, "kind": "contact"}
        raw = json.dumps(event | {"ch": "c1", "open": seq % 2 == 0} | more).encode()
        item = decode_one(raw)
        assert not isinstance(item, Refused)
        self.db.execute("BEGIN")
        self.journal.accept(self.db, "door-01", raw, item, self.now)
        stored, _ = self.journal.write(self.db)
        self.placed = resolve(self.db, stored)
        self.stage.turn(self.db, Turn(self.now, 0, stored))
        self.db.execute("COMMIT")

    def carry(self) -> Batch | None:
        """One request, taken; to be booked."""
        batch = books.next_batch(self.db, "t", PLACES, self.now, 3)
        for one in batch.owed if batch else ():
            series, said, time = one.line.rsplit(" ", 2)
            self.server[f"{series} {time}"] = said
        return batch

    def book(self, batch: Batch | None) -> None:
        if batch is not None:
            books.book(self.db, "t", PLACES, batch, (), self.now)

    def drain(self) -> None:
        self.now += SETTLE_MS
        while (batch := self.carry()) is not None:
            self.book(batch)


copy = st.tuples(
    st.just("hear"),
    st.sampled_from(LOGS),
    st.integers(1, 5),  # seq
    st.none() | st.integers(0, 3),  # t, of few instants
    st.integers(0, 2),  # up
    st.integers(1, 2),  # boot
)
step = st.one_of(
    copy,
    copy,
    st.tuples(st.sampled_from(("send", "lose", "read", "book", "wait"))),
)


FIRST = LOGS[0]
LEARNT_LATE: list[tuple[Any, ...]] = [
    ("hear", FIRST, 1, None, 1, 1),
    ("hear", FIRST, 2, 1, 2, 1),
    ("send",),
    ("send",),
    ("hear", FIRST, 1, 1, 1, 1),
]
MOVED_ON_THE_WAY: list[tuple[Any, ...]] = [
    ("hear", FIRST, 2, None, 2, 1),
    ("send",),
    ("wait",),
    ("read",),
    ("hear", FIRST, 1, 0, 0, 1),
    ("book",),
]


@settings(max_examples=80, deadline=None)
@given(st.lists(step, max_size=30))
@example(LEARNT_LATE)
@example(MOVED_ON_THE_WAY)
def test_every_event_ends_at_its_place_and_takes_nobody_elses(steps: list[tuple[Any, ...]]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        hall = Hall(Path(folder))
        said: dict[tuple[str, int], tuple[int, int]] = {}
        flying: Batch | None = None
        with closing(hall.db):
            for what, *more in steps:
                hall.now += 1
                if what == "hear":
                    log, seq, t, up, boot = more
                    boot, up = said.setdefault((log, seq), (boot, up))  # copies are alike
                    time = None if t is None else BEGIN - 5 + t
                    hall.hear(log, seq, time, up=up, boot=boot)
                elif what == "send":
                    hall.book(hall.carry())
                elif what == "lose":
                    hall.carry()
                elif what == "read" and flying is None:
                    flying = hall.carry()
                elif what == "book":
                    hall.book(flying)
                    flying = None
                elif what == "wait":
                    hall.now += FAR
            hall.book(flying)
            hall.drain()
            check(hall)


def check(hall: Hall) -> None:
    """Each event is there, by itself, at the time that the journal gives it; what knows its time
    was never anywhere else."""
    rows = hall.db.execute(
        "SELECT id, device, log, seq, boot, up, t, at, kind, payload, t_at FROM event"
    ).fetchall()
    events = read(hall.db, [row[1:-1] for row in rows])
    lines = [one.line.rsplit(" ", 2) for one in books.points(hall.db, rows, PLACES)]
    due = {f"{series} {time}": fields for series, fields, time in lines}
    assert len(due) == len(rows)
    assert {key: hall.server.get(key) for key in due} == due
    assert [line[2] for line in lines] == [str(event.time) for event in events]
    told = {key for key in due if ",estimated=true" not in key}
    assert {key for key in hall.server if ",estimated=true" not in key} == told
    assert len(told) == sum(not event.estimated for event in events)


def test_two_logs_that_share_an_instant_are_both_kept(tmp_path: Path) -> None:
    """A device whose flash was wiped begins a new log in the same millisecond."""
    hall = Hall(tmp_path)
    for log in LOGS:
        hall.hear(log, 1, BEGIN - 5, open=log == LOGS[0])
    hall.hear(LOGS[1], 2, BEGIN - 5, open=True)
    hall.drain()
    place = "channel=c1,device=door-01"
    assert hall.server == {
        f"contact,{place},site=fengxian,zone=hall-1f {BEGIN - 5}": "open=true",
        f"contact,{place},log=00c0ffee,seq=1,site=fengxian,zone=hall-1f {BEGIN - 5}": "open=false",
        f"contact,{place},log=00c0ffee,seq=2,site=fengxian,zone=hall-1f {BEGIN - 5}": "open=true",
    }
    hall.db.close()


def test_a_long_old_log_is_looked_into_where_it_overlaps(tmp_path: Path) -> None:
    hall = Hall(tmp_path)
    hall.db.execute("PRAGMA synchronous=OFF")
    for seq in range(1, 1200):
        hall.now = BEGIN + seq * 1000
        hall.hear(LOGS[0], seq, hall.now)
    hall.drain()
    hall.hear(LOGS[1], 1, BEGIN + 500_000)
    hall.drain()
    assert len(hall.server) == 1200
    hall.db.close()


def test_a_copy_with_another_value_changes_nothing(tmp_path: Path) -> None:
    """The first word counts: an amended point is one whose time has become known."""
    hall = Hall(tmp_path)
    hall.hear(LOGS[0], 1, BEGIN, open=True)
    hall.drain()
    before = dict(hall.server)
    hall.hear(LOGS[0], 1, BEGIN, open=False)
    hall.drain()
    assert hall.server == before
    hall.db.close()


def test_a_time_learnt_late_puts_a_point_beside_the_guess(tmp_path: Path) -> None:
    hall = Hall(tmp_path)
    hall.hear(LOGS[0], 1, None)
    hall.drain()
    (guess,) = hall.server
    assert ",estimated=true," in guess
    assert guess.endswith(f" {BEGIN}")
    hall.hear(LOGS[0], 1, BEGIN - 90_000)
    hall.drain()
    exact = f"contact,channel=c1,device=door-01,site=fengxian,zone=hall-1f {BEGIN - 90_000}"
    assert set(hall.server) == {guess, exact}
    hall.db.close()
