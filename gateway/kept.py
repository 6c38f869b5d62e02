"""What a state directory of `hallkeeper replay` keeps, so that a later run goes on from there.

An event is one row, the union of the copies that came so far. Beside the events lie a snapshot of
the engine a day and the findings that it had let go by then. What a run brings changes the past
from some instant on, `back`: seven days at most where logs come as they grow. The run judges again
from the newest snapshot before it. All of a run is one transaction: one that fails leaves the
directory as it was. Times Unix ms.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Collection, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import msgspec

from firmware.wire import STALE_MS
from gateway import permits
from gateway.arrivals import Arrivals
from gateway.engine import Engine, Record
from gateway.errors import EnvironmentFault, InputFault
from gateway.findings import Finding, order
from gateway.graph import Graph
from gateway.intervals import Intervals
from gateway.snapshots import SnapshotFault, frozen, thawed
from gateway.timeline import Copy, Name, estimate, grouped, is_believed, is_stale, rank

FILE = "replay.db"
DAY = 86_400_000
NEVER = 1 << 62
_VERSION = 1
_BLOCK = 4096  # records read at once
_DAILY_MS = STALE_MS + 2 * DAY  # snapshots older than this: one in eight stays
_UNPLACED = -1  # an event without a time of its own whose time is still to be told

_SCHEMA = """
CREATE TABLE meta (key TEXT PRIMARY KEY, value);
CREATE TABLE log (id INTEGER PRIMARY KEY, device TEXT NOT NULL, log TEXT NOT NULL,
  UNIQUE (device, log));
CREATE TABLE name (id INTEGER PRIMARY KEY, device TEXT NOT NULL, kind TEXT NOT NULL,
  ch TEXT NOT NULL);
CREATE TABLE event (
  log INTEGER NOT NULL,
  seq INTEGER NOT NULL,
  at INTEGER NOT NULL,      -- earliest arrival
  won INTEGER NOT NULL,     -- arrival of the copy that counts; the rest is its content
  boot INTEGER NOT NULL,
  up INTEGER NOT NULL,
  t INTEGER,                -- believed, or NULL
  name INTEGER NOT NULL,
  value BLOB NOT NULL,
  placed INTEGER,           -- event time; NULL where it is stale
  PRIMARY KEY (log, seq)
) WITHOUT ROWID;
CREATE INDEX event_placed ON event (placed) WHERE placed IS NOT NULL;
CREATE INDEX event_timeless ON event (log, boot) WHERE t IS NULL;
CREATE TABLE anchor (log INTEGER, boot INTEGER, seq INTEGER, t INTEGER, up INTEGER,
  PRIMARY KEY (log, boot)) WITHOUT ROWID;
CREATE TABLE refused (log INTEGER, first INTEGER, last INTEGER, PRIMARY KEY (log, first, last))
  WITHOUT ROWID;
CREATE TABLE lost (log INTEGER, seq INTEGER, gone INTEGER NOT NULL, PRIMARY KEY (log, seq))
  WITHOUT ROWID;
CREATE TABLE snapshot (t INTEGER PRIMARY KEY, state BLOB NOT NULL);
CREATE TABLE finding (start INTEGER, rule TEXT, subject TEXT, body BLOB, upto INTEGER);
CREATE INDEX finding_order ON finding (start, rule, subject, body);
"""
_COLUMNS = "seq, at, won, boot, up, t, name, value, placed"
_PUT = "INSERT OR REPLACE INTO event VALUES (?,?,?,?,?,?,?,?,?,?)"
_RECORDS = """
SELECT e.placed, e.boot, e.seq, l.log, e.name, e.value, e.log
FROM event e JOIN log l ON l.id = e.log
WHERE e.placed > ? AND e.placed <= ? ORDER BY e.placed, e.boot, e.seq, l.log
"""

_pack = msgspec.msgpack.encode
_unpack = msgspec.msgpack.decode
Given = tuple[list[permits.Permit], list[int]]
Row = tuple[Any, ...]


@contextmanager
def opened(folder: Path) -> Iterator[Kept]:
    """The state in a directory, for one run at a time. Raises InputFault or EnvironmentFault."""
    file = folder / FILE
    try:
        folder.mkdir(parents=True, exist_ok=True)
        if any(folder.glob("run-*.bin")):
            raise InputFault(f"{folder}: written by an older version; start a new --state")
        db = sqlite3.connect(file, isolation_level=None, timeout=0)
    except (OSError, sqlite3.OperationalError) as fault:
        raise EnvironmentFault(f"{folder}: cannot be used ({fault})") from fault
    try:
        yield _begun(db, file)
    except (sqlite3.OperationalError, sqlite3.IntegrityError) as fault:
        busy = "locked" in str(fault)
        raise EnvironmentFault(
            f"{file}: {'another run is using it' if busy else f'cannot be used ({fault})'}"
        ) from fault
    except (sqlite3.DatabaseError, SnapshotFault, msgspec.MsgspecError) as fault:
        raise InputFault(f"{file}: damaged ({fault}); start a new --state") from fault
    finally:
        db.close()  # what is not committed is as if it had not been


def _begun(db: sqlite3.Connection, file: Path) -> Kept:
    db.execute("PRAGMA cache_size=-32768")  # KiB
    db.execute("BEGIN IMMEDIATE")
    version = db.execute("PRAGMA user_version").fetchone()[0]
    if version not in (0, _VERSION):
        raise InputFault(f"{file}: written by another version; start a new --state")
    if not version:
        for statement in _SCHEMA.split(";\n"):
            db.execute(statement)
        db.execute(f"PRAGMA user_version={_VERSION}")
    return Kept(db)


class Kept:
    """One open state directory. `take` and `give` bring in what is new, lowering `back`."""

    def __init__(self, db: sqlite3.Connection) -> None:
        self._db = db
        self.back = NEVER
        self._names: list[Name] = [
            (device, kind, ch)
            for device, kind, ch in db.execute("SELECT device, kind, ch FROM name ORDER BY id")
        ]
        self._name_of = {name: n for n, name in enumerate(self._names)}

    # --- what a run brings ----------------------------------------------------------------------

    def take(self, arrivals: Arrivals) -> None:
        """Take in what arrived."""
        names = [self._name(name) for name in arrivals.names]
        for log in sorted({*arrivals.logs(), *arrivals.refused}):
            _Log(self, self._log(log), names).take(arrivals, log)

    def give(self, given: list[permits.Permit], entries: Iterable[int]) -> Given:
        """All permits and entries there are, these among them."""
        row = self._db.execute("SELECT value FROM meta WHERE key='given'").fetchone()
        old, known = (
            msgspec.json.decode(row[0], type=tuple[list[permits.Permit], list[int]])
            if row
            else ([], [])
        )
        every = list({**{p.id: p for p in old}, **{p.id: p for p in given}}.values())
        entered = sorted({*known, *entries})
        changed = permits.first_change(permits.spans(old), permits.spans(every))
        self._changed(changed, min({*entered} - {*known}, default=None))
        self._db.execute(
            "INSERT OR REPLACE INTO meta VALUES ('given', ?)",
            (msgspec.json.encode((every, entered)),),
        )
        return every, entered

    def _changed(self, *instants: int | None) -> None:
        self.back = min((self.back, *(t for t in instants if t is not None)))

    def _name(self, name: Name) -> int:
        known = self._name_of.get(name)
        if known is None:
            known = self._name_of[name] = len(self._names)
            self._names.append(name)
            self._db.execute("INSERT INTO name VALUES (?,?,?,?)", (known, *name))
        return known

    def _log(self, log: tuple[str, str]) -> int:
        self._db.execute("INSERT OR IGNORE INTO log (device, log) VALUES (?,?)", log)
        found: int = self._db.execute(
            "SELECT id FROM log WHERE device=? AND log=?", log
        ).fetchone()[0]
        return found

    # --- judging ----------------------------------------------------------------------------

    def bounds(self, devices: Collection[str]) -> tuple[int, int] | None:
        """The instants of the earliest and the latest event of these devices."""
        logs = [
            str(log)
            for log, device in self._db.execute("SELECT id, device FROM log")
            if device in devices
        ]
        ends = [
            self._db.execute(
                f"SELECT placed FROM event WHERE placed IS NOT NULL AND log IN ({','.join(logs)})"
                f" ORDER BY placed {way} LIMIT 1"
            ).fetchone()
            for way in ("ASC", "DESC")
        ]
        return (ends[0][0], ends[1][0]) if ends[0] and ends[1] else None

    def resume(self, engine: Engine, mark: str, upto: int) -> int | None:
        """Bring the engine to the newest snapshot before `back` and not after `upto`.

        The instant up to which it has judged, None at the beginning. What is later is forgotten;
        all is, where `mark` says that the snapshots are not this program's.
        """
        db = self._db
        same = db.execute("SELECT value FROM meta WHERE key='mark'").fetchone() == (mark,)
        db.execute("INSERT OR REPLACE INTO meta VALUES ('mark', ?)", (mark,))
        row = db.execute(
            "SELECT t, state FROM snapshot WHERE t < ? AND t <= ? ORDER BY t DESC LIMIT 1",
            (self.back if same else -1, upto),
        ).fetchone()
        at = row[0] if row else -1
        db.execute("DELETE FROM snapshot WHERE t > ?", (at,))
        db.execute("DELETE FROM finding WHERE upto > ?", (at,))
        if row is None:
            return None
        engine.restore(thawed(row[1]))
        return int(at)

    def records(self, graph: Graph, after: int, upto: int) -> Iterator[list[Record]]:
        """What was said in (after, upto], in blocks in the order of time."""
        keys = [
            graph.input_key(device, kind, ch) if device in graph.devices else -1
            for device, kind, ch in self._names
        ]
        lost = [kind == "lost" for _, kind, _ in self._names]
        cursor = self._db.cursor()
        cursor.execute(_RECORDS, (after, upto))
        while rows := cursor.fetchmany(_BLOCK):
            block: list[Record] = []
            for placed, boot, seq, log, name, packed, number in rows:
                if keys[name] < 0:
                    continue
                value = _unpack(packed)
                if lost[name] and not self._is_gone(number, seq):
                    value = None
                elif type(value) is list:
                    value = tuple(value) or None
                block.append((placed, boot, seq, log, keys[name], value))
            yield block

    def _is_gone(self, log: int, seq: int) -> bool:
        row = self._db.execute("SELECT gone FROM lost WHERE log=? AND seq=?", (log, seq)).fetchone()
        return bool(row and row[0])

    def snapshot(self, engine: Engine) -> None:
        """Keep the engine as it is once an instant is judged; old snapshots are thinned."""
        db, t = self._db, engine.t
        db.execute("INSERT OR REPLACE INTO snapshot VALUES (?,?)", (t, frozen(engine.snapshot())))
        db.execute("DELETE FROM snapshot WHERE t < ? AND (t / ?) % 8 != 0", (t - _DAILY_MS, DAY))

    def found(self, findings: Iterable[Finding], upto: int) -> None:
        """Findings that a snapshot at `upto` or later has let go; NEVER: that still may change."""
        self._db.executemany(
            "INSERT INTO finding VALUES (?,?,?,?,?)",
            ((*order(finding), _pack(finding), upto) for finding in findings),
        )

    def commit(self) -> None:
        self._db.execute("COMMIT")

    def findings(self) -> Iterator[Finding]:
        """Every finding, in the order of the output."""
        for (body,) in self._db.execute(
            "SELECT body FROM finding ORDER BY start, rule, subject, body"
        ):
            yield msgspec.msgpack.decode(body, type=Finding)


class _Log:
    """Takes in what came of one log: copies united with the rows there are, times told anew."""

    def __init__(self, kept: Kept, number: int, names: list[int]) -> None:
        self._kept, self._db, self._number, self._names = kept, kept._db, number, names
        self._anchors = {
            boot: (seq, t, up)
            for boot, seq, t, up in self._db.execute(
                "SELECT boot, seq, t, up FROM anchor WHERE log=?", (number,)
            )
        }
        self._moved: set[int] = set()  # boots whose anchor is another
        self._doubtful: set[int] = set()  # boots whose anchor is no longer what it was

    def take(self, arrivals: Arrivals, log: tuple[str, str]) -> None:
        top = self._db.execute(
            "SELECT max(seq) FROM event WHERE log=?", (self._number,)
        ).fetchone()[0]
        lost = []
        for block in grouped(arrivals.copies(log)):
            rows = []
            for copies in block:
                old = None
                if top is not None and copies[0][0] <= top:
                    old = self._row(copies[0][0])
                row = self._united(copies, old)
                if row is not None:
                    rows.append((self._number, *row))
                    if self._kept._names[row[6]][1] == "lost":
                        lost.append((self._number, row[0]))
            self._db.executemany(_PUT, rows)
        self._db.executemany(
            "INSERT OR IGNORE INTO refused VALUES (?,?,?)",
            ((self._number, first, last) for first, last in arrivals.refused.get(log, ())),
        )
        self._place()
        self._db.executemany("INSERT OR IGNORE INTO lost VALUES (?,?,0)", lost)
        self._judge_lost()

    def _row(self, seq: int) -> Row | None:
        row: Row | None = self._db.execute(
            f"SELECT {_COLUMNS} FROM event WHERE log=? AND seq=?", (self._number, seq)
        ).fetchone()
        return row

    def _united(self, copies: list[Copy], old: Row | None) -> Row | None:
        """The row of an event with these copies, None where nothing is new."""
        kept, names = self._kept, self._names
        at = min(copy[1] for copy in copies)
        ours = [(*copy[:5], names[copy[5]], copy[6]) for copy in copies]
        if old is not None:
            seq, first, won, boot, up, t, name, value, placed = old
            known = _unpack(value)
            known = tuple(known) if type(known) is list else known
            ours.insert(0, (seq, won, boot, up, -1 if t is None else t, name, known))
            at = min(at, first)
        best = ours[0] if len(ours) == 1 else min(ours, key=lambda c: rank(c, kept._names))
        if old is not None and best is ours[0] and at == old[1]:
            return None
        seq, won, boot, up, t, name, value = best
        believed = is_believed(t, won)
        stale = believed and is_stale(t, at)
        placed = None if stale else t if believed else _UNPLACED
        if old is not None:
            kept._changed(old[8])
            anchor = self._anchors.get(old[3])
            if anchor is not None and anchor[0] == seq:
                self._doubtful.add(old[3])
        if believed and not stale:
            kept._changed(t)
            anchor = self._anchors.get(boot)
            if anchor is None or seq < anchor[0]:
                self._anchors[boot] = (seq, t, up)
                self._moved.add(boot)
        return seq, at, won, boot, up, t if believed else None, name, _pack(value), placed

    def _place(self) -> None:
        """Write the anchors and give the events without a time of their own theirs."""
        db, number = self._db, self._number
        for boot in self._doubtful:
            row = db.execute(
                "SELECT seq, t, up FROM event WHERE log=? AND boot=? AND t IS NOT NULL"
                " AND placed IS NOT NULL ORDER BY seq LIMIT 1",
                (number, boot),
            ).fetchone()
            self._anchors.pop(boot, None)
            db.execute("DELETE FROM anchor WHERE log=? AND boot=?", (number, boot))
            if row:
                self._anchors[boot] = row
        moved = self._moved | self._doubtful
        db.executemany(
            "INSERT OR REPLACE INTO anchor VALUES (?,?,?,?,?)",
            ((number, boot, *self._anchors[boot]) for boot in moved if boot in self._anchors),
        )
        for boot in moved:
            self._tell("t IS NULL AND boot=?", boot)
        self._tell("t IS NULL AND placed=?", _UNPLACED)

    def _tell(self, which: str, value: int) -> None:
        db, number, changed = self._db, self._number, self._kept._changed
        told = []
        for seq, at, boot, up, before in db.execute(
            f"SELECT seq, at, boot, up, placed FROM event WHERE log=? AND {which}", (number, value)
        ):
            anchor = self._anchors.get(boot)
            t = estimate(at, up, anchor[1:] if anchor else None)
            placed = None if is_stale(t, at) else t
            if placed != before:
                told.append((placed, number, seq))
                changed(placed, None if before == _UNPLACED else before)
        db.executemany("UPDATE event SET placed=? WHERE log=? AND seq=?", told)

    def _judge_lost(self) -> None:
        """Which `lost` records name a number that never came."""
        db, number = self._db, self._number
        for seq, gone in db.execute("SELECT seq, gone FROM lost WHERE log=?", (number,)).fetchall():
            row = self._row(seq)
            assert row is not None
            now = self._kept._names[row[6]][1] == "lost" and self._misses(_unpack(row[7]))
            if now != bool(gone):
                db.execute("UPDATE lost SET gone=? WHERE log=? AND seq=?", (now, number, seq))
                self._kept._changed(row[8])

    def _misses(self, value: list[Any]) -> bool:
        first, last = max(value[0], 1), value[1]
        came = Intervals()
        for (seq,) in self._db.execute(
            "SELECT seq FROM event WHERE log=? AND seq BETWEEN ? AND ?",
            (self._number, first, last),
        ):
            came.add(seq)
        for span in self._db.execute(
            "SELECT first, last FROM refused WHERE log=?", (self._number,)
        ):
            came.add(*span)
        return bool(came.missing(first, last))
