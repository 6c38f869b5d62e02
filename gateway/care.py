"""How the gateway looks after itself: disk, clock, slow commits, backups, as findings and audit.

`Care` is a stage: it sees each turn's two clocks and what the keeper's thread measured, and turns
what is wrong into a finding of `rules.house` that is told like any other.
"""

from __future__ import annotations

import sqlite3
from dataclasses import dataclass, field
from typing import Any

from gateway import audit
from gateway.disk import Disk, Latency
from gateway.ledger import Ledger
from gateway.rules import house
from gateway.rules.model import Rule
from gateway.site import Noise
from gateway.turns import Changes, Turn
from gateway.vitals import Health

SUBJECT = "gateway"
JUMP_MS = 2000
_HEALTH = {house.STORE.id: "store", house.BACKUP.id: "backup"}
DAY_MS = 86_400_000
DROPPED_MS = 3_600_000
_DROPPED = "broker.dropped"  # meta: the count that was last told


@dataclass(slots=True)
class Jumps:
    """Leaps of the house's clock against real time that only goes forward."""

    speed: float = 1
    _last: tuple[int, float] | None = None

    def by(self, now: int, mono: float) -> int:
        """ms that the clock leapt since it was last asked; 0 for at most `JUMP_MS`."""
        last, self._last = self._last, (now, mono)
        if last is None:
            return 0
        leap = now - last[0] - round((mono - last[1]) * 1000 * self.speed)
        return leap if abs(leap) > JUMP_MS else 0


@dataclass(slots=True)
class Upkeep:
    """What the writer, the stage and the keeper's thread share. `keep_ms`: how long readings
    are kept, None for ever; `unsynced`: the machine's clock has followed no other for days;
    `dropped`: what the broker has thrown away since it began, None where it does not say."""

    disk: Disk
    keep_ms: int | None = None
    latency: Latency = field(default_factory=Latency)
    unsynced: bool = False
    dropped: int | None = None

    def note_dropped(self, total: int) -> None:
        """How many messages the broker says it has thrown away since it began."""
        self.dropped = total


class Care:
    """Stage `care`."""

    name = "care"

    def __init__(
        self, upkeep: Upkeep, health: Health, speed: float, noise: Noise, timezone: str
    ) -> None:
        self._upkeep = upkeep
        self._health = health
        self._jumps = Jumps(speed)
        self._ledger = Ledger(lambda *_: None, noise, timezone)
        self._standing: set[str] = set()
        self._told_dropped: int | None = None
        self._dropped_at = -DROPPED_MS

    def load(self, db: sqlite3.Connection, now: int) -> None:  # noqa: ARG002
        """Read back what is wrong, and say so on /healthz again."""
        self._ledger.load(db)
        self._standing = set()
        told = db.execute("SELECT value FROM meta WHERE key=?", (_DROPPED,)).fetchone()
        self._told_dropped = None if told is None else int(told[0])
        self._dropped_at = -DROPPED_MS
        for rule in house.RULES:
            evidence = self._ledger.standing(db, rule, SUBJECT)
            if evidence is not None:
                self._standing.add(rule.id)
                if rule.id in _HEALTH:
                    self._health.note(_HEALTH[rule.id], str(evidence.get("said")))

    def turn(self, db: sqlite3.Connection, turn: Turn) -> None:
        self._ledger.changes = []
        disk, latency = self._upkeep.disk, self._upkeep.latency
        self._health.note("disk", disk.said())
        low = {"free_mb": disk.free // 1_000_000} if disk.low else None
        self._stands(db, turn.now, house.DISK, low)
        slow = latency.worst(turn.mono)
        self._stands(db, turn.now, house.SLOW, None if slow is None else {"s": round(slow, 1)})
        leap = self._jumps.by(turn.now, turn.mono)
        if leap:
            audit.append(db, turn.now, audit.GATEWAY, "clock.jumped", {"by_ms": leap})
            self._ledger.happened(db, house.CLOCK, SUBJECT, {"by_ms": leap}, turn.now)
        self._dropped(db, turn.now)
        unsynced = {"unsynced": True} if self._upkeep.unsynced else None
        self._stands(db, turn.now, house.CLOCK, unsynced)

    def _dropped(self, db: sqlite3.Connection, now: int) -> None:
        """The broker has thrown away more than when last told, at most once an hour. The count is
        kept, so that what it dropped while the gateway was down is told too."""
        total = self._upkeep.dropped
        if total is None or total == self._told_dropped or now < self._dropped_at + DROPPED_MS:
            return
        known = self._told_dropped
        if known is not None:
            more = total if total < known else total - known  # less: it was started anew
            if more:
                self._dropped_at = now
                audit.append(db, now, audit.GATEWAY, "broker.dropped", {"messages": more})
                self._ledger.happened(db, house.DROPPED, SUBJECT, {"messages": more}, now)
        self._told_dropped = total
        db.execute("INSERT OR REPLACE INTO meta VALUES (?, ?)", (_DROPPED, str(total)))

    def committed(self, turn: Turn) -> Changes:  # noqa: ARG002
        changes, self._ledger.changes = self._ledger.changes, []
        return changes

    def report(
        self, db: sqlite3.Connection, now: int, task: str, rule: Rule, said: str, ok: bool
    ) -> None:
        """What came of a task of the keeper: audited, and its finding opened or ended."""
        _mark(db, task, now)
        audit.append(db, now, audit.GATEWAY, f"care.{task}", {"ok": ok, "said": said})
        self._stands(db, now, rule, None if ok else {"task": task, "said": said}, task)
        standing = self._ledger.standing(db, rule, SUBJECT)
        self._health.note(_HEALTH[rule.id], None if standing is None else str(standing.get("said")))

    def stands(self, rule: Rule) -> bool:
        """Whether a finding of a rule is open."""
        return rule.id in self._standing

    def _stands(
        self,
        db: sqlite3.Connection,
        now: int,
        rule: Rule,
        evidence: dict[str, Any] | None,
        task: str | None = None,
    ) -> None:
        """Open or end a finding where that changes anything. One that a task opened is ended by
        the same task only."""
        wrong = evidence is not None
        if wrong == (rule.id in self._standing):
            return
        if not wrong and task is not None:
            standing = self._ledger.standing(db, rule, SUBJECT)
            if standing is not None and standing.get("task") != task:
                return
        self._ledger.stands(db, rule, SUBJECT, evidence, now)
        self._standing ^= {rule.id}


def marks(db: sqlite3.Connection) -> dict[str, int]:
    """When each task was last done, and `first_start`, in Unix ms of the house's clock."""
    rows = db.execute(
        "SELECT key, value FROM meta WHERE key='first_start' OR key LIKE 'care.%'"
    ).fetchall()
    return {key.removeprefix("care."): int(value) for key, value in rows}


def _mark(db: sqlite3.Connection, task: str, now: int) -> None:
    db.execute("INSERT OR REPLACE INTO meta VALUES (?, ?)", (f"care.{task}", str(now)))
