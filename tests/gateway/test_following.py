"""A file that another process writes: rotated, cut, gone, full of garbage."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.brokerlog import EACH, BrokerLog
from gateway.denials import Denied
from gateway.following import BEHIND_BYTES, LINE_BYTES, MISSED_S, MOST_BYTES, Follower, Lines
from tests.waiting import wait_for


class Watched(Follower):
    """A follower that a test makes look."""

    def __init__(self, path: Path) -> None:
        self.lines: list[str] = []
        self.notes: list[str | None] = []
        self.path = path
        super().__init__(path, self.lines.extend, self.notes.append)

    def sees(self, mono: float = 0.0) -> list[str]:
        self.lines.clear()
        self.look(mono)
        return list(self.lines)

    def append(self, text: str | bytes) -> None:
        with self.path.open("ab") as file:
            file.write(text.encode() if isinstance(text, str) else text)


@pytest.fixture
def log(tmp_path: Path) -> Iterator[Watched]:
    (tmp_path / "log").write_text("of before\n")
    made = Watched(tmp_path / "log")
    made.start()
    made._stop.set()  # the test looks itself
    yield made
    made.stop()


def test_what_is_appended_line_by_line(log: Watched) -> None:
    assert log.sees() == []
    log.append("one\ntw")
    assert log.sees() == ["one"]
    log.append("o\r\n\n")
    assert log.sees() == ["two", ""]


def test_a_rotation_loses_nothing(log: Watched) -> None:
    log.append("one\n")
    old = log.path.rename(log.path.with_suffix(".1"))
    with old.open("a") as file:
        file.write("two\n")
    assert log.sees() == ["one", "two"]
    log.path.touch()  # the new file, whose writer still has the old one
    with old.open("a") as file:
        file.write("three\n")
    assert log.sees(1) == ["three"]
    with old.open("a") as file:
        file.write("four\n")
    log.append("five\n")
    assert log.sees(2) == ["four", "five"]
    log.append("six\n")
    assert log.sees(3) == ["six"]
    assert log.notes == []


def test_a_truncated_one_is_read_from_its_beginning(log: Watched) -> None:
    log.append("a long line before\nhalf")
    log.sees()
    log.path.write_text("after\n")
    assert log.sees() == ["after"]


def test_absence_is_told_when_it_lasts_and_when_it_is_over(log: Watched) -> None:
    log.path.unlink()
    for mono in (0.0, MISSED_S - 1):
        log.sees(mono)
    assert log.notes == []
    log.sees(MISSED_S)
    log.sees(MISSED_S + 1)
    assert [note is not None and str(log.path) in note for note in log.notes] == [True]
    log.append("new\n")
    assert log.sees(MISSED_S + 2) == ["new"]
    assert log.notes[1:] == [None]


@pytest.mark.parametrize("make", [os.mkfifo, os.mkdir], ids=["pipe", "folder"])
def test_what_is_no_file_holds_nothing_up(tmp_path: Path, make: Callable[[Path], None]) -> None:
    make(tmp_path / "log")
    log = Watched(tmp_path / "log")
    log.start()
    log._stop.set()
    log.sees(0)
    log.sees(MISSED_S)
    assert len(log.notes) == 1
    log.stop()


def test_garbage_and_a_line_without_end(log: Watched) -> None:
    log.append(b"\xff\x00\xfe\n" + b"x" * (3 * LINE_BYTES) + b"\nafter\n")
    garbage, long, after = log.sees()
    assert (len(garbage), len(long), after) == (3, LINE_BYTES, "after")


def test_one_look_reads_so_much_and_what_is_too_far_behind_is_passed_over(log: Watched) -> None:
    line = b"y" * 1023 + b"\n"
    log.append(line * (2 * MOST_BYTES // 1024))
    assert len(log.sees()) == MOST_BYTES // 1024
    assert len(log.sees()) == MOST_BYTES // 1024
    with log.path.open("ab") as file:
        file.truncate(file.tell() + BEHIND_BYTES + 1)
    assert log.sees() == []
    log.append("\nafter\n")
    assert log.sees()[-1] == "after"


@given(st.binary(max_size=300), st.lists(st.integers(1, 40), min_size=1, max_size=20))
def test_lines_are_the_same_however_they_are_cut(stream: bytes, cuts: list[int]) -> None:
    lines, found, at, n = Lines(), [], 0, 0
    while at < len(stream):
        size = cuts[n % len(cuts)]
        found += lines.feed(stream[at : at + size])
        at, n = at + size, n + 1
    assert found == [x.decode(errors="replace").rstrip("\r") for x in stream.split(b"\n")[:-1]]


def test_a_flood_of_refusals_is_told_as_a_number(tmp_path: Path) -> None:
    path, told = tmp_path / "log", list[Denied]()
    path.touch()
    log = BrokerLog(path, frozenset({"pm-01"}), lambda: 7, told.append, lambda note: None)
    log.start()
    try:
        with path.open("a") as file:
            file.write("1: Client pm-01-0a disconnected, not authorised.\n" * 100)
        wait_for(lambda: len(told) > EACH)
    finally:
        log.stop()
    assert told[0][:3] == (7, "pm-01", "")
    assert told[-1].reason == f"{100 - EACH} more in the broker's log"
