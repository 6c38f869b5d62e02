"""What keeps two events of one series and one instant two points: tags beside the series' own.

An event with a time of its own (or that has been told it since) goes without, unless one that had
its time earlier has the same instant: then `log` and `seq` name it. One whose time is a guess is
marked `estimated`, with its `log` and `boot`: it never meets those that know theirs, and within a
boot guesses keep their distances when they move. So nothing that comes later can take a point's
place, whatever its time turns out to be.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from gateway.history.times import COLUMNS, Said, read
from gateway.influx.points import series

Row = Sequence[Any]
"""id, COLUMNS, t_at"""

NEAR = 256  # numbers of a log among which two may share an instant
CLOSE_MS = 600_000  # times that are looked for together in another log

_ID, _DEVICE, _LOG, _SEQ, _BOOT, _UP, _T, _AT, _KIND, _T_AT = 0, 1, 2, 3, 4, 5, 6, 7, 8, 10
Key = tuple[object, ...]
Rank = tuple[int, bool, int]
Span = tuple[int, int]  # numbers of a log, both ends included


def more_tags(
    db: sqlite3.Connection, rows: Sequence[Row], said: Sequence[Said]
) -> list[dict[str, str]]:
    """For each row, read as `said`, the tags that its point needs beside its series' own."""
    return _Ties(db, rows, said).tags()


class _Ties:
    def __init__(self, db: sqlite3.Connection, rows: Sequence[Row], said: Sequence[Said]) -> None:
        self._db, self._rows = db, rows
        self._said = {row[_ID]: event for row, event in zip(rows, said, strict=True)}
        self._rivals: dict[Key, list[Rank]] = {key: [] for row in rows for key in _keys(row)}

    def tags(self) -> list[dict[str, str]]:
        for device, log, (first, last) in self._spans():
            for row in self._db.execute(
                "SELECT id, device, log, seq, boot, up, t, at, kind, NULL, t_at FROM event"
                " WHERE device = ? AND log = ? AND seq BETWEEN ? AND ?",
                (device, log, first, last),
            ):
                for key in _keys(row):
                    if key in self._rivals:
                        self._rivals[key].append(_rank(row))
        return [self._of(row) for row in self._rows]

    def _of(self, row: Row) -> dict[str, str]:
        mine, own = self._said[row[_ID]], row[_T] is not None
        found = {} if own else {"estimated": "true", "log": mine.log, "boot": str(mine.boot)}
        rank = _rank(row)
        if any(
            rival < rank and self._same(mine, self._read(rival[-1]))
            for key in _keys(row)
            for rival in self._rivals[key]
        ):
            found |= {"log": mine.log, "seq": str(mine.seq)}
        return found

    @staticmethod
    def _same(a: Said, b: Said) -> bool:
        return a.time == b.time and series(a) == series(b)

    def _read(self, number: int) -> Said:
        if number not in self._said:
            row = self._db.execute(
                f"SELECT {COLUMNS} FROM event WHERE id = ?", (number,)
            ).fetchone()
            (self._said[number],) = read(self._db, [tuple(row)])
        return self._said[number]

    def _spans(self) -> Iterator[tuple[str, str, Span]]:
        """Where in which logs a rival may be."""
        numbers: dict[tuple[str, str], list[int]] = {}
        times: dict[str, list[int]] = {}
        for row in self._rows:
            numbers.setdefault((row[_DEVICE], row[_LOG]), []).append(row[_SEQ])
            if row[_T] is not None:
                times.setdefault(row[_DEVICE], []).append(row[_T])
        where = {key: [(seq, seq) for seq in seqs] for key, seqs in numbers.items()}
        for device, instants in times.items():
            logs = self._db.execute("SELECT log FROM log WHERE device = ?", (device,)).fetchall()
            for (log,) in logs if len(logs) > 1 else ():
                where.setdefault((device, log), []).extend(
                    (
                        _position(self._db, device, log, first),
                        _position(self._db, device, log, last),
                    )
                    for first, last in _joined(((t, t) for t in instants), CLOSE_MS)
                )
        for (device, log), spans in where.items():
            for span in _joined(((a - NEAR, b + NEAR) for a, b in spans), 0):
                yield device, log, span


def _rank(row: Row) -> Rank:
    """Of two at one instant the one with the lower rank had its time, and may have gone, first."""
    t_at = row[_T_AT] or 0
    return t_at, t_at > row[_AT], row[_ID]


def _keys(row: Row) -> tuple[Key, ...]:
    """Rows of one series and instant have a key in common; others may."""
    if row[_T] is not None:
        return ((row[_DEVICE], row[_KIND], row[_T]),)
    boot = (row[_DEVICE], row[_LOG], row[_BOOT], row[_KIND])
    return (*boot, "up", row[_UP]), (*boot, "at", row[_AT])


def _position(db: sqlite3.Connection, device: str, log: str, t: int) -> int:
    """About which number of a log has this time: exact where its times only rise."""
    low, high = db.execute(
        "SELECT min(seq), max(seq) FROM event WHERE device = ? AND log = ?", (device, log)
    ).fetchone()
    while low is not None and low < high:
        middle = (low + high) // 2
        found = db.execute(
            "SELECT seq, t FROM event WHERE device = ? AND log = ? AND seq >= ? AND t IS NOT NULL"
            " ORDER BY seq LIMIT 1",
            (device, log, middle),
        ).fetchone()
        if found is None or found[1] >= t:
            high = middle
        else:
            low = found[0] + 1
    return low or 0


def _joined(spans: Iterable[Span], gap: int) -> Iterator[Span]:
    """Spans in order, those at most `gap` apart made one."""
    begin = end = None
    for first, last in sorted(spans):
        if end is not None and begin is not None and first <= end + gap:
            end = max(end, last)
            continue
        if begin is not None and end is not None:
            yield begin, end
        begin, end = first, last
    if begin is not None and end is not None:
        yield begin, end
