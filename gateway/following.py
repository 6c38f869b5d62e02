"""Follows a file that another process appends to, in a thread of its own: from its end on, through
rotation, truncation and absence, so many bytes at a time."""

from __future__ import annotations

import os
import stat
import threading
import time
from collections.abc import Callable
from pathlib import Path

import structlog

log = structlog.get_logger()

LOOK_S = 0.25
MOST_BYTES = 1 << 20
"""Read in one look."""
BEHIND_BYTES = 16 << 20
"""More than this that was not read yet is passed over."""
LINE_BYTES = 4096  # of a line; the rest of a longer one is dropped
MISSED_S = 10.0  # a rotation leaves the name free for a moment
_PIECE = 1 << 16


class Lines:
    """Bytes as they come to whole lines. Whatever they are, they are text."""

    def __init__(self) -> None:
        self._part = bytearray()

    def feed(self, piece: bytes) -> list[str]:
        *whole, rest = piece.split(b"\n")
        found = []
        for end in whole:
            self._take(end)
            found.append(bytes(self._part).decode(errors="replace").rstrip("\r"))
            self._part.clear()
        self._take(rest)
        return found

    def clear(self) -> None:
        self._part.clear()

    def _take(self, piece: bytes) -> None:
        self._part += piece[: LINE_BYTES - len(self._part)]


class Follower:
    """`take(lines)` is given what was appended since `start`; `note(reason)` is told why the file
    cannot be had, and None when it can be again. Both on this thread."""

    def __init__(
        self,
        path: Path,
        take: Callable[[list[str]], None],
        note: Callable[[str | None], None],
    ) -> None:
        self._path = path
        self._take = take
        self._note = note
        self._lines = Lines()
        self._file: int | None = None
        self._at = 0
        self._missed: float | None = None  # since when the name leads nowhere
        self._told = False
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="broker-log", daemon=True)

    def start(self) -> None:
        """From the present end of the file, or from the beginning of one that comes later."""
        try:
            self._open()
            assert self._file is not None
            self._at = os.lseek(self._file, 0, os.SEEK_END)
        except OSError:
            self._close()
        self._thread.start()

    def stop(self) -> None:
        self._stop.set()
        if self._thread.ident is not None:
            self._thread.join(2)
        self._close()

    def _run(self) -> None:
        while not self._stop.wait(LOOK_S):
            self.look(time.monotonic())

    def look(self, mono: float) -> None:
        """Read what has come, at most `MOST_BYTES`. `mono`: real seconds."""
        try:
            if self._file is None:
                self._open()
            there = os.stat(self._path)
        except OSError as fault:
            self._absent(fault.strerror or str(fault), mono)
            there = None
        else:
            self._missed = None
            if self._told:
                self._told = False
                self._note(None)
        try:
            self._read(there)
        except OSError as fault:  # the disk's; by its name it is found again
            log.warning("broker.log_lost", file=str(self._path), reason=str(fault))
            self._close()

    def _absent(self, why: str, mono: float) -> None:
        if self._missed is None:
            self._missed = mono
        if not self._told and mono - self._missed >= MISSED_S:
            self._told = True
            log.warning("broker.log_unreadable", file=str(self._path), reason=why)
            self._note(f"{self._path}: cannot be read ({why})")

    def _open(self) -> None:
        # a pipe without a writer must not hold this thread, let alone its stop
        file = os.open(self._path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
        if not stat.S_ISREG(os.fstat(file).st_mode):
            os.close(file)
            raise OSError(0, "not a plain file")
        self._file, self._at = file, 0
        self._lines.clear()

    def _close(self) -> None:
        if self._file is not None:
            os.close(self._file)
            self._file = None

    def _read(self, there: os.stat_result | None) -> None:
        """`there`: what the name leads to. An old file is left for it when something stands in the
        new one: its writer keeps the old one for a moment after it was renamed."""
        left = MOST_BYTES
        while self._file is not None and left > 0:
            here = os.fstat(self._file)
            if here.st_size < self._at:  # truncated: what is there now is new
                self._skip(0)
            elif here.st_size - self._at > BEHIND_BYTES:
                log.warning("broker.log_passed_over", bytes=here.st_size - self._at)
                self._skip(here.st_size)
            piece = os.read(self._file, _PIECE)
            if piece:
                self._at += len(piece)
                left -= len(piece)
                self._take(self._lines.feed(piece))
            elif there is None or not there.st_size or os.path.samestat(here, there):
                return
            else:
                self._close()
                self._open()

    def _skip(self, to: int) -> None:
        assert self._file is not None
        self._at = os.lseek(self._file, to, os.SEEK_SET)
        self._lines.clear()
