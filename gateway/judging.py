"""The rules, live: a stage of the pipeline that keeps findings true as evidence comes.

The engine lags the clock by `settle`: what arrives within it costs nothing and a finding is
told as soon as it is derived. Evidence that is later goes back to a snapshot and runs again from
there; the difference amends findings. What is over when it is learnt neither alerts nor switches.
"""

from __future__ import annotations

import json
import sqlite3
from bisect import insort
from collections.abc import Iterable
from typing import Any

import structlog

from gateway import permits
from gateway.clock import iso
from gateway.engine import Engine
from gateway.findings import Finding
from gateway.ledger import Ledger
from gateway.placing import Placing
from gateway.records import Records
from gateway.rules import catalogue
from gateway.rules.devices import CLOCK
from gateway.site import Site
from gateway.snapshots import SnapshotFault, frozen, packed, thawed, unpacked
from gateway.switching import Switch
from gateway.turns import Changes, Turn
from gateway.watches import Program

log = structlog.get_logger()

_FINE_MS, _COARSE_MS, _DISK_MS = 30_000, 600_000, 900_000
_FINE_KEPT, _COARSE_KEPT = 10, 24
_OPEN_KEPT = 1  # of them as they are: one more costs 5 ms to open, and a hall of 2,500 meters 2 MB
_DISK_KEPT_MS = 8 * 86_400_000
_RECORDS_KEPT_MS = 4 * 3_600_000
_RECORDS_MOST = 150_000  # in memory; what is late beyond them is read back from the journal
_SET_BACK_MS, _SET_FORWARD_MS = 2000, 86_400_000
_REST_MS, _REST_SHARE = 5_000, 5_000  # after going back: a 5000th of the way, at most 5 s
_BACKLOG_MS = 60_000  # evidence so old is a backlog: more of it comes, and may end what it begins
_DRAIN_MOST_MS = 60_000  # a backlog is waited for so long at most
_BEHIND_MS = 10_000  # a gateway that is farther behind judges late evidence as such

Key = tuple[str, str, int]


class Judging:
    """Stage `rules`. `switch` decides what a new finding may switch and asks for it."""

    name = "rules"

    def __init__(self, site: Site, program: Program, switch: Switch) -> None:
        self._site = site
        self._program = program
        self._ledger = Ledger(
            lambda db, now, name, finding: switch(db, now, name, finding, self._engine),
            site.noise,
            site.timezone,
            clocks=catalogue.enabled(site.rules.get(CLOCK.id, {})),
        )
        self._mark = program.mark(site)
        self._placing = Placing(program.graph)
        self._engine: Engine
        self._records = Records()
        self._snapshots: list[tuple[int, Any]] = []  # all but the newest packed
        self._disk_at = 0
        self._permits_seen: str | None = None
        self._entries: set[int] = set()
        self._told_failed = False
        self._turn_at = 0
        self._late: int | None = None  # evidence from here on is not judged yet
        self._rested_at = 0
        self._drains: tuple[int, int] | None = None  # first and last word of a backlog

    # --- the stage ------------------------------------------------------------------------

    def load(self, db: sqlite3.Connection, now: int) -> None:
        """Take up from the newest snapshot; without one, from the beginning (at most 8 days)."""
        beginning = _beginning(db, now)
        if beginning > now:  # the clock was set back to before it
            beginning = now - self._site.settle - 1
        spans, self._entries, self._permits_seen = _given(db)
        self._engine = Engine(self._program, beginning)
        kept = self._kept(db, now)
        if kept:
            self._engine.start(spans)
            self._engine.restore(kept[1])
            self._engine.set_spans(spans)
        else:
            self._engine = Engine(self._program, max(beginning, now - _DISK_KEPT_MS))
            self._engine.start(spans)
        self._engine.changed = {}
        since = self._engine.t if kept else self._engine.beginning - 1
        self._reload(db, since, self._engine.t)
        self._snapshots = [(self._engine.t if kept else since, self._engine.snapshot())]
        self._disk_at = now
        self._told_failed = False
        self._turn_at = now
        self._late = _late_from(db)
        self._rested_at = now
        self._drains = None
        self._ledger.load(db)

    def turn(self, db: sqlite3.Connection, turn: Turn) -> None:
        """Judge up to `now - settle`; write findings, alerts and what is to be switched."""
        ledger, watch = self._ledger, self._program.lost
        leapt = not -_SET_BACK_MS <= turn.now - self._turn_at <= _SET_FORWARD_MS
        if leapt:  # the clock was set: judge from where it is now, as after a restart
            self.load(db, turn.now)
        self._turn_at = turn.now
        ledger.changes = []
        if not self._told_failed:
            self._told_failed = True
            ledger.failed(db, self._engine.failed, turn.now)
        for said in turn.stored:
            if said.t is None or ledger.clocks_off:
                ledger.clock(db, said, turn.now)
        if watch is not None:
            for lost in {(one.device, one.at, one.record): one for one in turn.lost}.values():
                ledger.lost(db, watch, lost, turn.now)
        add, remove = ((), ()) if leapt else self._placing.take(db, turn.stored)  # loaded already
        reached = self._engine.t
        back = min((r[0] for r in (*add, *remove) if r[0] <= reached), default=None)
        self._records.remove(remove)
        self._records.add(add)
        permit_back = self._permits(db)
        if permit_back is not None and permit_back <= reached:
            back = permit_back if back is None else min(back, permit_back)
            self._rested_at, self._drains = turn.now, None  # somebody waits to see it
        elif back is not None and turn.now - back > _BACKLOG_MS:
            self._drains = (self._drains[0] if self._drains else turn.now, turn.now)
        if back is not None:
            self._wait_with(db, back)
        target = max(_heard_to(turn) - self._site.settle, reached)
        rested = not 0 < self._rested_at - turn.now <= _REST_MS  # the clock may have been set back
        if self._late is not None and rested and not self._draining(turn.now):
            self._rested_at = turn.now + min(_REST_MS, (reached - self._late) // _REST_SHARE)
            self._run_again(db, self._late, target, turn.now)
        elif target > reached:
            self._run(reached, target)
            ledger.write(db, self._taken(), turn.now, amends=False)
        self._keep(db, turn.now)

    def committed(self, turn: Turn) -> Changes:  # noqa: ARG002
        return self._ledger.changes

    # --- time forward and back --------------------------------------------------------------

    def _run(self, after: int, target: int) -> None:
        self._engine.run(self._records.between(after, target))
        self._engine.advance(target)
        self._engine.out.clear()

    def _taken(self) -> dict[Key, Finding]:
        taken, self._engine.changed = self._engine.changed or {}, {}
        return taken

    def _wait_with(self, db: sqlite3.Connection, back: int) -> None:
        """Evidence at `back` is new. A device that drains its backlog brings some in every turn:
        we go back for all of it together, and a restart must know of it too."""
        if self._late is None or back < self._late:
            self._late = back
            db.execute("DELETE FROM engine_snapshot WHERE t >= ?", (back,))
            db.execute("INSERT OR REPLACE INTO meta VALUES ('late_from', ?)", (str(back),))

    def _draining(self, now: int) -> bool:
        """Whether a device is still telling what it kept: half a backlog shows things going on
        that are long over, and would tell people of them."""
        if self._drains is None:
            return False
        first, last = self._drains
        if 0 <= now - last < self._site.settle and now - first < _DRAIN_MOST_MS:
            return True
        self._drains = None
        return False

    def _run_again(self, db: sqlite3.Connection, back: int, target: int, now: int) -> None:
        """Derive everything from `back` on once more."""
        self._late = None
        db.execute("DELETE FROM meta WHERE key='late_from'")
        at, state = self._snapshot_before(db, back)
        self._snapshots = [s for s in self._snapshots if s[0] <= at] or [(at, state)]
        self._engine.restore(state)
        self._engine.set_spans(self._engine_spans(db))
        known = {f.key: f for f in self._standing()}
        self._engine.changed = {}
        for mark in (*range(at + _COARSE_MS, target, _COARSE_MS), target):
            self._run(self._snapshots[-1][0], mark)
            self._remember(mark)
        truth = {**known, **self._taken()}
        self._ledger.withdraw(db, at, truth, now)
        self._ledger.write(db, truth, now, amends=True)

    def _remember(self, t: int) -> None:
        """A snapshot at the instant reached; those before the newest few are packed."""
        self._snapshots.append((t, self._engine.snapshot()))
        if len(self._snapshots) > _OPEN_KEPT:
            at, state = self._snapshots[-1 - _OPEN_KEPT]
            if not isinstance(state, bytes):
                self._snapshots[-1 - _OPEN_KEPT] = (at, packed(state))

    def _snapshot_before(self, db: sqlite3.Connection, back: int) -> tuple[int, Any]:
        for at, state in reversed(self._snapshots):
            if at < back:
                return at, unpacked(state) if isinstance(state, bytes) else state
        kept = self._kept(db, back - 1)
        if kept:
            self._reload(db, kept[0], kept[0])
            return kept
        fresh = Engine(self._program, self._engine.beginning)
        fresh.start(self._engine_spans(db))
        self._reload(db, fresh.beginning - 1, fresh.t)
        return fresh.beginning - 1, fresh.snapshot()

    def _kept(self, db: sqlite3.Connection, upto: int) -> tuple[int, Any] | None:
        """The newest snapshot on disk that can be read; a damaged one is told of and removed."""
        rows = db.execute(
            "SELECT t, state FROM engine_snapshot WHERE program=? AND t<=? ORDER BY t DESC",
            (self._mark, upto),
        )
        damaged = []
        found = None
        for t, state in rows:
            try:
                found = int(t), thawed(state)
                break
            except SnapshotFault as fault:
                log.warning("rules.snapshot_left_out", of=iso(t), fault=str(fault))
                damaged.append((t,))
        db.executemany("DELETE FROM engine_snapshot WHERE t=?", damaged)
        return found

    def _reload(self, db: sqlite3.Connection, since: int, beginning: int) -> None:
        """The records after `since`; what is older than the beginning counts from there on."""
        records = [
            r if r[0] >= beginning else (beginning, *r[1:]) for r in self._placing.load(db, since)
        ]
        entry = self._program.graph.entry_input
        for at in self._entries:
            if at > since:
                insort(records, (at, 0, 0, "", entry, None))
        self._records = Records(records)

    def _standing(self) -> Iterable[Finding]:
        engine = self._engine
        yield from (f for f in engine.current if f is not None)
        yield from (f for many in engine.running for f in many)
        for route in self._program.routes:
            yield from engine.mem[route.node].findings()

    def _keep(self, db: sqlite3.Connection, now: int) -> None:
        """Snapshots in memory and on disk, and records only as far back as they reach."""
        t = self._engine.t
        if t >= self._snapshots[-1][0] + _FINE_MS:
            self._remember(t)
            fine = self._snapshots[-_FINE_KEPT:]
            coarse: list[tuple[int, Any]] = []
            for one in self._snapshots[:-_FINE_KEPT]:
                if not coarse or one[0] >= coarse[-1][0] + _COARSE_MS:
                    coarse.append(one)
            self._snapshots = [
                s for s in (*coarse[-_COARSE_KEPT:], *fine) if s[0] >= t - _RECORDS_KEPT_MS
            ]
            most = self._records.newest(_RECORDS_MOST)
            if most is not None:
                self._snapshots = [s for s in self._snapshots if s[0] >= most] or [
                    self._snapshots[-1]
                ]
            self._records.forget(self._snapshots[0][0])
        if now >= self._disk_at + _DISK_MS and self._late is None:
            self._disk_at = now
            db.execute(
                "INSERT OR REPLACE INTO engine_snapshot (t, program, state) VALUES (?,?,?)",
                (t, self._mark, frozen(self._engine.snapshot())),
            )
            db.execute(
                "DELETE FROM engine_snapshot WHERE t < ? OR (t < ? AND t NOT IN"
                " (SELECT min(t) FROM engine_snapshot GROUP BY t / 21600000))",
                (now - _DISK_KEPT_MS, now - 4 * _DISK_MS),
            )

    # --- permits and entries ----------------------------------------------------------------

    def _permits(self, db: sqlite3.Connection) -> int | None:
        """Take in what people registered; the earliest instant that it changes, if any."""
        row = db.execute("SELECT value FROM meta WHERE key='permits'").fetchone()
        if (row[0] if row else None) == self._permits_seen:
            return None
        before = self._engine.spans
        spans, entries, self._permits_seen = _given(db)
        change = permits.first_change(before, spans)
        edges = [] if change is None else [change]
        entry = self._program.graph.entry_input
        for at in entries - self._entries:
            self._records.add(((at, 0, 0, "", entry, None),))
            edges.append(at)
        self._entries = entries
        self._engine.set_spans(spans)
        return min(edges, default=None)

    def _engine_spans(self, db: sqlite3.Connection) -> permits.Spans:
        return self._engine.spans or _given(db)[0]


def _heard_to(turn: Turn) -> int:
    """Up to when evidence has come: now, unless the gateway itself is behind. To derive what is
    still in its own queue twice would put it farther behind."""
    if not turn.full:
        return turn.now
    newest = max((one.t for one in turn.stored if one.t is not None), default=turn.now)
    return min(turn.now, max(newest, turn.now - _BEHIND_MS))


def _late_from(db: sqlite3.Connection) -> int | None:
    row = db.execute("SELECT value FROM meta WHERE key='late_from'").fetchone()
    return int(row[0]) if row else None


def _beginning(db: sqlite3.Connection, now: int) -> int:
    row = db.execute("SELECT value FROM meta WHERE key='first_start'").fetchone()
    return int(row[0]) if row else now


def _given(db: sqlite3.Connection) -> tuple[permits.Spans, set[int], str | None]:
    """(what permits lift, instants of entries, the mark of this state of both)."""
    row = db.execute("SELECT value FROM meta WHERE key='permits'").fetchone()
    given = [
        permits.Permit(name, kind, tuple(json.loads(zones)), begin, end)
        for name, kind, zones, begin, end in db.execute(
            'SELECT id, kind, zones, "from", "to" FROM permit WHERE withdrawn_at IS NULL'
        )
    ]
    entries = {at for (at,) in db.execute("SELECT at FROM entry")}
    return permits.spans(given), entries, row[0] if row else None
