"""The journal: each (device, log, seq) stored exactly once, and how far each log is acknowledged.

`Journal` is fed the messages of one turn and writes them in the caller's transaction. What it
keeps in memory is only which numbers of each log have come, read back at `load`; after a
transaction that failed it must be loaded again.
"""

from __future__ import annotations

import sqlite3
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from operator import attrgetter
from zlib import crc32

import msgspec

from firmware import wire
from gateway.events import Event, Refused, Unknown
from gateway.intervals import Intervals

KEEP_REJECTS = 10_000
HEAD_BYTES = 512
READINGS = frozenset({wire.POWER, wire.LUX, wire.CLIMATE, wire.HEALTH})
"""Kinds of which only the rollups are kept for ever, and which wait where the disk is full."""

_INSERT = "INSERT INTO event (device,log,seq,boot,up,t,at,t_at,kind,payload,crc) VALUES (?,?,?,?,?,?,?,?,?,?,?)"  # noqa: E501
_FIND = "SELECT boot,up,t,at,t_at,kind,payload FROM event WHERE device=? AND log=? AND seq=?"


class StoredEvent(msgspec.Struct, frozen=True, gc=False):
    """An event as the journal has it now. `t` is the believed one or None; `new` is False when it
    was stored before and this copy brought an earlier arrival or a time; `t_at` is the arrival of
    the copy that gave `t`, `raw` the event's JSON as first sent."""

    device: str
    log: str
    seq: int
    boot: int
    up: int
    t: int | None
    at: int
    event: Event | Unknown
    new: bool
    t_at: int | None = None
    kind: str = ""
    raw: str = ""


@dataclass(frozen=True, slots=True)
class LostRange:
    """Numbers that will never come; `why` is `lost` (said by an event) or `first` (by a ready).

    `at` is the event's own time where it is believed, else the arrival. `record` is what said so,
    which may name more than never came: (from, to, its words).
    """

    device: str
    log: str
    first: int
    last: int
    why: str
    at: int
    record: tuple[int, int, str]


def _merged(row: StoredEvent, at: int, t: int | None) -> StoredEvent:
    """An event after another copy: the earliest arrival counts, and the earliest believed time."""
    if at < row.at:
        row = msgspec.structs.replace(row, at=at)
    if t is not None and (row.t_at is None or at < row.t_at):
        row = msgspec.structs.replace(row, t=t, t_at=at)
    return row


class _Log:
    """What is known of one log of one device."""

    __slots__ = ("boot", "duplicates", "last_at", "pruned", "received", "stored", "top", "written")

    def __init__(self) -> None:
        self.received = Intervals()
        self.top = self.boot = self.stored = self.duplicates = self.last_at = self.pruned = 0
        self.written = 0  # how far it was complete at the last write


Key = tuple[str, str]  # device, log


class Journal:
    """Feed a turn with `accept`, `refuse` and `holds_from`, then `write` it."""

    def __init__(self) -> None:
        self._logs: dict[Key, _Log] = {}
        self._rows: dict[tuple[str, str, int], StoredEvent] = {}
        self._same: set[tuple[str, str, int]] = set()  # rows that are as they were stored
        self._lost: list[LostRange] = []
        self._refused: list[tuple[str, str, int, int]] = []
        self._rejects: list[tuple[int, str, str | None, str, bytes]] = []
        self._touched: dict[Key, _Log] = {}
        self._storing = False

    def load(self, db: sqlite3.Connection) -> None:
        """Forget the turn and read back what the database has."""
        self._clear()
        stores(db, lambda device, log, seq: self._storing and (device, log, seq) in self._rows)
        self._logs = {}
        for device, log, acked, top, boot, stored, duplicates, last_at, pruned in db.execute(
            "SELECT device,log,acked,top,boot,stored,duplicates,last_at,pruned FROM log"
        ).fetchall():
            book = self._logs[device, log] = _Log()
            book.pruned = pruned
            book.top, book.boot, book.stored = top, boot, stored
            book.duplicates, book.last_at = duplicates, last_at
            book.received.add(1, acked)
            for (seq,) in db.execute(
                "SELECT seq FROM event WHERE device=? AND log=? AND seq>? ORDER BY seq",
                (device, log, acked),
            ):
                book.received.add(seq)
            for first, last in db.execute(
                "SELECT first,last FROM gap WHERE device=? AND log=? AND last>?",
                (device, log, acked),
            ):
                book.received.add(first, last)
            book.written = book.received.head

    def accept(
        self, db: sqlite3.Connection, device: str, raw: bytes, event: Event | Unknown, at: int
    ) -> None:
        """One event that arrived at `at`."""
        log, seq, boot, t, kind = event.log.lower(), event.seq, event.boot, event.t, event.kind
        if t is not None and t > at + wire.FUTURE_MS:
            t = None
        book = self._touched.get((device, log)) or self._book(device, log)
        if at != book.last_at or boot != book.boot:
            book.last_at, book.boot = max(book.last_at, at), max(book.boot, boot)
        received, key = book.received, (device, log, seq)
        if not received.follows(seq):
            if seq in received:  # a copy, or one that was given up and comes after all
                row = self._rows.get(key) or self._find(db, key, event)
                if row is not None or seq <= book.pruned:  # there, or dropped for its age
                    book.duplicates += 1
                    if row is not None:
                        self._merge(key, row, at, t)
                    return
            received.add(seq)
        book.stored += 1
        t_at = None if t is None else at
        text = raw.decode()
        self._rows[key] = StoredEvent(
            device, log, seq, boot, event.up, t, at, event, True, t_at, kind, text
        )
        if kind == wire.LOST:
            record = event.from_, event.to, event.why  # type: ignore[union-attr]
            self._give_up(device, log, record, "lost", at if t is None else t)

    def refuse(self, topic: str, device: str | None, raw: bytes, why: Refused, at: int) -> None:
        """What was turned away. `device` only where the site has it: then a readable number counts
        as received, so that one bad record never blocks the rest."""
        self._rejects.append((at, topic[:256], device, why.reason[:500], raw[:HEAD_BYTES]))
        if device is not None and why.log is not None and why.seq is not None:
            book = self._book(device, why.log)
            if why.seq not in book.received:
                book.received.add(why.seq)
                self._refused.append((device, why.log, why.seq, at))

    def holds_from(self, device: str, log: str, first: int, at: int) -> None:
        """A device says that `first` is the lowest number it still holds, or its next one."""
        self._book(device, log)
        self._give_up(device, log, (1, first - 1, "first"), "first", at)

    def has(self, device: str, log: str, seq: int) -> bool:
        """Whether a number has come, or counts as received."""
        book = self._logs.get((device, log.lower()))
        return book is not None and seq in book.received

    def prune(self, db: sqlite3.Connection, after: int, before: int, most: int) -> int | None:
        """Drop readings that arrived in [after, before) and are acknowledged, looking at `most`
        events: their rollups stay. Where to go on, or None when none is left.

        The newest event stays: its id would be given again, and copiers have gone past it.
        """
        newest = db.execute("SELECT max(id) FROM event").fetchone()[0]
        rows = db.execute(
            "SELECT id,device,log,seq,kind,at FROM event WHERE at>=? AND at<? ORDER BY at LIMIT ?",
            (after, before, most),
        ).fetchall()
        gone = []
        for number, device, log, seq, kind, _ in rows:
            book = self._logs[device, log]
            if kind in READINGS and seq <= book.received.head and number != newest:
                gone.append((number,))
                book.pruned = max(book.pruned, seq)
                self._touched[device, log] = book
        db.executemany("DELETE FROM event WHERE id=?", gone)
        self._write_logs(db)
        self._clear()
        if len(rows) < most:
            return None
        first, last = int(rows[0][5]), int(rows[-1][5])
        return last + 1 if first == last else last

    def write(self, db: sqlite3.Connection) -> tuple[list[StoredEvent], list[LostRange]]:
        """Write the turn into the caller's transaction: what is new, or better known, of it."""
        inserts, updates = [], []
        stored = [row for key, row in self._rows.items() if key not in self._same]
        begun: dict[Key, int] = {}  # the checksum of the first two columns
        for row in stored:
            device, log, seq, boot, up, t, at, t_at, kind, raw = _columns(row)
            start = begun.get((device, log))
            if start is None:
                start = begun[device, log] = crc32(f"{device}\0{log}\0".encode())
            crc = (
                crc32(
                    b"%d\0%d\0%d\0%d\0%d\0%d\0%b\0%b"
                    % (seq, boot, up, t, at, t_at, kind.encode(), raw.encode()),
                    start,
                )
                if t is not None
                else checksum(*_columns(row))
            )
            if row.new:
                inserts.append((device, log, seq, boot, up, t, at, t_at, kind, raw, crc))
            else:
                updates.append((t, at, t_at, crc, device, log, seq))
        lost = self._lost
        self._storing = True
        try:
            db.executemany(_INSERT, inserts)
        finally:
            self._storing = False
        db.executemany(
            "UPDATE event SET t=?,at=?,t_at=?,crc=? WHERE device=? AND log=? AND seq=?", updates
        )
        db.executemany(
            "INSERT OR IGNORE INTO gap (device,log,first,last,why,at) VALUES (?,?,?,?,?,?)",
            [(r.device, r.log, r.first, r.last, r.why, r.at) for r in lost]
            + [(device, log, seq, seq, "refused", at) for device, log, seq, at in self._refused],
        )
        self._write_logs(db)
        self._write_rejects(db)
        self._clear()
        return stored, lost

    @property
    def touched(self) -> set[Key]:
        """The logs that this turn is about, to be acknowledged after its commit. Before `write`."""
        return set(self._touched)

    @property
    def rejected(self) -> int:
        """How many this turn turned away. Before `write`."""
        return len(self._rejects)

    def pointer(self, device: str, log: str) -> int:
        """The highest n with every one of 1…n stored or counting as received, as of the last
        `write`; 0 for none."""
        book = self._logs.get((device, log))
        return 0 if book is None else book.written

    def newest_logs(self) -> list[Key]:
        """For each device the log that it wrote last."""
        newest: dict[str, tuple[int, str]] = {}
        for (device, log), book in self._logs.items():
            newest[device] = max(newest.get(device, (-1, "")), (book.last_at, log))
        return [(device, log) for device, (_, log) in newest.items()]

    def _book(self, device: str, log: str) -> _Log:
        book = self._logs.get((device, log))
        if book is None:
            book = self._logs[device, log] = _Log()
        self._touched[device, log] = book
        return book

    def _find(
        self, db: sqlite3.Connection, key: tuple[str, str, int], event: Event | Unknown
    ) -> StoredEvent | None:
        found = db.execute(_FIND, key).fetchone()
        if found is None:
            return None
        boot, up, t, at, t_at, kind, raw = found
        row = self._rows[key] = StoredEvent(*key, boot, up, t, at, event, False, t_at, kind, raw)
        self._same.add(key)
        return row

    def _merge(self, key: tuple[str, str, int], row: StoredEvent, at: int, t: int | None) -> None:
        merged = _merged(row, at, t)
        if merged is not row:
            self._rows[key] = merged
            self._same.discard(key)

    def _give_up(
        self, device: str, log: str, record: tuple[int, int, str], why: str, at: int
    ) -> None:
        received = self._logs[device, log].received
        first, last = max(record[0], 1), record[1]
        gone = received.missing(first, last)
        if why == "first" and gone:
            record = gone[0][0], gone[-1][1], why
        self._lost += [LostRange(device, log, a, b, why, at, record) for a, b in gone]
        received.add(first, last)

    def _write_logs(self, db: sqlite3.Connection) -> None:
        rows = []
        for (device, log), book in self._touched.items():
            book.top, book.written = max(book.top, book.received.top), book.received.head
            rows.append(
                (
                    *(device, log, book.received.head, book.top, book.boot),
                    *(book.stored, book.duplicates, book.last_at, book.pruned),
                )
            )
        db.executemany(
            "INSERT OR REPLACE INTO log"
            " (device,log,acked,top,boot,stored,duplicates,last_at,pruned)"
            " VALUES (?,?,?,?,?,?,?,?,?)",
            rows,
        )

    def _write_rejects(self, db: sqlite3.Connection) -> None:
        if not self._rejects:
            return
        db.executemany(
            "INSERT INTO reject (at,topic,device,reason,head) VALUES (?,?,?,?,?)",
            self._rejects[-KEEP_REJECTS:],
        )
        db.execute(
            "DELETE FROM reject WHERE id <= (SELECT max(id) FROM reject) - ?", (KEEP_REJECTS,)
        )
        by_device = Counter(device for _, _, device, _, _ in self._rejects if device is not None)
        db.executemany(
            "INSERT INTO device (id, rejected) VALUES (?, ?)"
            " ON CONFLICT (id) DO UPDATE SET rejected = rejected + excluded.rejected",
            by_device.items(),
        )

    def _clear(self) -> None:
        self._rows, self._lost, self._refused, self._rejects = {}, [], [], []
        self._touched, self._same = {}, set()


def stores(db: sqlite3.Connection, admits: Callable[[str, str, int], bool]) -> None:
    """Make this connection one that may insert events: the schema's triggers ask `admits` of each
    rating, so that nothing but the journal can enter one."""
    db.create_function("journal_stores", 3, admits)


def checksum(*columns: str | int | None) -> int:
    """CRC32 of an event row's columns from `device` to `payload`."""
    return crc32("\0".join(map(str, columns)).encode())


_columns = attrgetter("device", "log", "seq", "boot", "up", "t", "at", "t_at", "kind", "raw")


def damaged(db: sqlite3.Connection, newest: int | None = None) -> Iterable[int]:
    """Ids of the event rows, or of the `newest` ones, whose CRC does not match: SQLite itself
    would not notice."""
    for row in db.execute(
        "SELECT id,crc,device,log,seq,boot,up,t,at,t_at,kind,payload FROM event"
        " WHERE id > (SELECT coalesce(max(id), 0) FROM event) - ? ORDER BY id",
        (2**62 if newest is None else newest,),
    ):
        if checksum(*tuple(row)[2:]) != row[1]:
            yield row[0]
