"""Any order, repetition and batching of the same messages leaves the same journal."""

from __future__ import annotations

import json
import sqlite3
import tempfile
from pathlib import Path
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from gateway import store
from gateway.events import Refused, decode_one
from gateway.intervals import Intervals
from gateway.journal import Journal, damaged

LOG = "9f3a1c22"
Copy = tuple[int, int, int | None]  # seq, arrival, t


def raw(seq: int, t: int | None) -> bytes:
    event = {"log": LOG, "seq": seq, "boot": 1, "up": seq, "t": t, "kind": "rating", "level": 5}
    return json.dumps(event).encode()


def feed(db: sqlite3.Connection, turns: list[list[Copy]]) -> Journal:
    journal = Journal()
    journal.load(db)
    for turn in turns:
        db.execute("BEGIN")
        for seq, at, t in turn:
            event = decode_one(raw(seq, t))
            assert not isinstance(event, Refused)
            journal.accept(db, "pad-1", raw(seq, t), event, at)
        journal.write(db)
        db.execute("COMMIT")
    return journal


def rows(db: sqlite3.Connection) -> list[Any]:
    return db.execute("SELECT seq, t, at, t_at FROM event ORDER BY seq").fetchall()


copies = st.lists(
    st.tuples(
        st.integers(1, 8), st.integers(1_000_000, 1_000_400), st.none() | st.integers(0, 1_060_500)
    ),
    min_size=1,
    max_size=25,
    unique_by=lambda c: (c[0], c[1]),
)


@settings(max_examples=60, deadline=None)
@given(copies, st.randoms(use_true_random=False), st.integers(1, 6))
def test_any_order_and_batching_gives_the_same_rows_and_pointer(
    sent: list[Copy], random: Any, size: int
) -> None:
    with tempfile.TemporaryDirectory() as folder:
        one = store.open_writer(Path(folder) / "one")
        first = feed(one, [sorted(sent, key=lambda c: c[1])])
        mixed = list(sent)
        random.shuffle(mixed)
        two = store.open_writer(Path(folder) / "two")
        second = feed(two, [mixed[i : i + size] for i in range(0, len(mixed), size)])
        assert rows(one) == rows(two)
        assert first.pointer("pad-1", LOG) == second.pointer("pad-1", LOG)
        assert not list(damaged(one))
        assert not list(damaged(two))
        again = Journal()
        again.load(two)
        assert again.pointer("pad-1", LOG) == second.pointer("pad-1", LOG)
        one.close()
        two.close()


def test_what_is_lost_or_refused_stops_no_ack_and_may_still_come(tmp_path: Path) -> None:
    db = store.open_writer(tmp_path)
    journal = Journal()
    journal.load(db)
    db.execute("BEGIN")
    journal.holds_from("pad-1", LOG, 3, 1000)
    journal.refuse("t", "pad-1", b"{", Refused("bad", LOG, 3), 1000)
    _, lost = journal.write(db)
    db.execute("COMMIT")
    assert [(r.first, r.last, r.why) for r in lost] == [(1, 2, "first")]
    assert journal.pointer("pad-1", LOG) == 3
    assert feed(db, [[(2, 2000, None)]]).pointer("pad-1", LOG) == 3
    assert [row[0] for row in rows(db)] == [2]
    db.close()


def test_a_flipped_bit_is_found(tmp_path: Path) -> None:
    db = store.open_writer(tmp_path)
    feed(db, [[(1, 1000, None), (2, 1000, None)]])
    # as a disk would: past the trigger that keeps ratings
    db.executescript("DROP TRIGGER IF EXISTS rating_no_update")
    db.execute("UPDATE event SET up = up + 1 WHERE seq = 2")
    assert list(damaged(db)) == [2]
    db.close()


@given(st.lists(st.tuples(st.integers(1, 60), st.integers(0, 9))))
def test_intervals_are_a_set(ranges: list[tuple[int, int]]) -> None:
    made, plain = Intervals(), set[int]()
    for first, length in ranges:
        made.add(first, first + length)
        plain |= set(range(first, first + length + 1))
    assert [n for n in range(1, 75) if n in made] == sorted(plain)
    assert made.head == next(n for n in range(1, 80) if n not in plain) - 1
    gone = [n for first, last in made.missing(1, 74) for n in range(first, last + 1)]
    assert gone == sorted(set(range(1, 75)) - plain)
