"""The one writer: takes what has come, writes it in one transaction, and only then acknowledges."""

from __future__ import annotations

import contextlib
import queue
import sqlite3
import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple, TypeVar

import structlog

from firmware import wire
from gateway import audit, store
from gateway.acks import AckBook
from gateway.care import Upkeep
from gateway.denials import Denials, Denied
from gateway.errors import EnvironmentFault
from gateway.events import Refused, split_topic
from gateway.ingest import Connected, Delivery, Session, decode_state
from gateway.journal import READINGS, Journal, damaged
from gateway.live import Feed
from gateway.mqtt import Message
from gateway.pulse import Pulse
from gateway.turns import DeviceState, Stage, Turn
from gateway.vitals import Health, Metrics

log = structlog.get_logger()

T = TypeVar("T")
TICK_S = 0.2
BATCH = 2048
REOPEN_S = 1.0
NEWEST = 1000  # events whose checksums are looked at after a fault of the disk


class Work(NamedTuple):
    """A function to be run in the turn's transaction."""

    run: Callable[[sqlite3.Connection, int], Any]
    done: Future[Any]


class Stop(NamedTuple):
    """The last item: what came before it is still written."""


Item = Delivery | Connected | Denied | Work | Stop


@dataclass(slots=True)
class _Came:
    """What a turn is about. `full`: more had come than it takes. `states` and `accepted`, the
    number of events, are known once it is heard; `fault` is what hearing it ran into."""

    items: list[Item]
    deliveries: list[Delivery]
    full: bool
    states: list[DeviceState] = field(default_factory=list)
    accepted: int | None = None
    fault: sqlite3.Error | None = None


class Writer:
    """Owns the writing connection and its thread. `stalled()` is called, on that thread, when the
    broker delivers nothing although it says it is connected; `died(reason)` when the thread ends
    by a fault of its own; `harmed()` after a turn that the disk refused; `alive(mono)` when the
    loop has come round again."""

    def __init__(
        self,
        data: Path,
        site: str,
        devices: frozenset[str],
        now: Callable[[], int],
        stages: Sequence[Stage],
        feed: Feed,
        health: Health,
        metrics: Metrics,
        stalled: Callable[[], None],
        died: Callable[[str], None],
        upkeep: Upkeep,
        harmed: Callable[[], None] = lambda: None,
        alive: Callable[[float], None] = lambda mono: None,  # noqa: ARG005
    ) -> None:
        self._data = data
        self._site = site
        self._devices = devices
        self._now = now
        self._stages = stages
        self._feed = feed
        self._health = health
        self._metrics = metrics
        self._stalled = stalled
        self._died = died
        self._upkeep = upkeep
        self._harmed = harmed
        self._alive = alive
        self._pruned_to, self._prune_day = 0, 0
        self._queue: queue.SimpleQueue[Item] = queue.SimpleQueue()
        self._came = self._taken = 0  # messages; each is counted by one thread
        self._journal = Journal()
        self._acks = AckBook()
        self._denials = Denials()
        self._session: Session | None = None
        self._thread = threading.Thread(target=self._main, name="writer", daemon=True)
        self._places: dict[str, tuple[str, str]] = {}  # of topics that are right
        self._pulse: Pulse | None = None
        self._disk = ThreadPoolExecutor(1, "commit")
        self._ahead: _Came | None = None  # heard while the turn before it was committed
        self._stopped = False

    def start(self, db: sqlite3.Connection, session: Session) -> None:
        """Take over the writing connection."""
        self._session = session
        self._db = db
        self._load()
        self._pulse = Pulse(self._site, session, self._now, self._stalled)
        self._thread.start()

    def put(self, item: Item) -> None:
        """Deliveries are put on the session's thread, the rest on any."""
        if isinstance(item, Delivery):
            self._came += len(item.messages)
        self._queue.put(item)

    def submit(self, work: Callable[[sqlite3.Connection, int], T]) -> Future[T]:
        """See `context.Submit`."""
        done: Future[T] = Future()
        if self._stopped:
            done.set_exception(EnvironmentFault("the gateway is stopping"))
        else:
            self._queue.put(Work(work, done))
        return done

    def stop(self) -> None:
        """Write what has come, close the database."""
        self._stopped = True
        self._queue.put(Stop())
        if self._thread.ident is not None:
            self._thread.join(10)

    def _main(self) -> None:
        try:
            while self._once():
                pass
            self._disk.shutdown()
            self._db.close()
        except BaseException as fault:
            self._died(f"the writer ended by a fault: {fault!r}")
            log.exception("writer.died")
            raise

    def _once(self) -> bool:
        came = self._ahead or self._take(self._patience())
        self._ahead = None
        self._metrics.queue.set(self._came - self._taken)
        try:
            if came.fault is not None:
                raise came.fault
            if came.accepted is None:
                self._hear(came)
            self._turn(came)
        except sqlite3.Error as fault:
            if self._ahead is not None:  # what was heard meanwhile fails with it
                came.items += self._ahead.items
                self._ahead = None
            self._failed(came.items, fault)
        if self._gather_acks() and self._session is not None:
            self._session.flush()
        if self._pulse is not None:
            self._pulse.beat()
        self._alive(time.monotonic())
        return not any(isinstance(item, Stop) for item in came.items)

    def _patience(self) -> float:
        """How long may be waited for something to come, in seconds."""
        due = self._acks.next_at()
        return TICK_S if due is None else min(TICK_S, max(0.0, due - time.monotonic()))

    def _take(self, wait: float) -> _Came:
        """What has come for a turn, or comes within `wait` seconds."""
        items: list[Item] = []
        room = BATCH
        try:
            item = self._queue.get(timeout=wait) if wait else self._queue.get_nowait()
            while True:
                items.append(item)
                if isinstance(item, Delivery):
                    self._taken += len(item.messages)
                    room -= len(item.messages)
                else:
                    room -= 1
                if room <= 0:
                    break
                item = self._queue.get_nowait()
        except queue.Empty:
            pass
        return _Came(items, [item for item in items if isinstance(item, Delivery)], room <= 0)

    def _turn(self, came: _Came) -> None:
        db, now, mono = self._db, self._now(), time.monotonic()
        items, deliveries, states = came.items, came.deliveries, came.states
        works = [item for item in items if isinstance(item, Work)]
        before = db.total_changes
        db.execute("BEGIN IMMEDIATE")
        self._note_denied([item for item in items if isinstance(item, Denied)], now, mono)
        rejected, touched = self._journal.rejected, self._journal.touched
        stored, lost = self._journal.write(db)
        if not items:
            self._prune(now)
        turn = Turn(now, mono, stored, lost, states, full=came.full)
        for stage in self._stages:
            self._run_stage(stage, turn)
        results = [_run_work(db, now, work) for work in works]
        took = self._commit(came.full)
        if deliveries or works:
            self._metrics.commit.observe(took)
            self._upkeep.latency.note(took, time.monotonic())
        if db.total_changes != before:  # an empty turn needs no disk and proves none
            self._health.note("journal", None)
        for work, (value, fault) in zip(works, results, strict=True):
            _settle(work.done, value, fault)
        for key in touched:
            if self._journal.pointer(*key):
                self._acks.add(*key)
        if any(isinstance(item, Connected) for item in items):
            self._greet()
        if self._pulse is not None and any(said.state.state == "ready" for said in states):
            self._pulse.ask_time()
        self._tell(turn)
        self._count(came, rejected, turn)
        self._gather_acks()
        for delivery in deliveries:  # together with what was gathered to be sent
            delivery.by.confirm([said.mid for said, _ in delivery.messages if said.qos])
        if self._session is not None:
            self._session.flush()

    def _commit(self, full: bool) -> float:
        """The seconds that it took. Where more had come than a turn takes, what comes next is
        heard meanwhile; nothing of it is written, and so nothing acknowledged, before this is."""
        if not full:
            return _committed(self._db)
        done = self._disk.submit(_committed, self._db)
        ahead = self._ahead = self._take(0)
        try:
            self._hear(ahead)
        except sqlite3.Error as fault:
            ahead.fault = fault
        finally:
            took = done.result()
        if not ahead.items:
            self._ahead = None
        return took

    def _hear(self, came: _Came) -> None:
        """Feed the journal what has come."""
        came.accepted = 0
        for delivery in came.deliveries:
            came.accepted += self._delivered(delivery, came.states)

    def _delivered(self, delivery: Delivery, states: list[DeviceState]) -> int:
        """How many events of a delivery the journal took."""
        journal, places, low = self._journal, self._places, self._upkeep.disk.low
        at, db, accepted = delivery.at, self._db, 0
        for said, events in delivery.messages:
            where = places.get(said.topic) or self._place(said, at)
            if where is None:
                continue
            device, leaf = where
            if leaf == "state":
                self._note_state(said, device, at, states)
                continue
            for raw, item in events:
                if isinstance(item, Refused):
                    journal.refuse(said.topic, device, raw, item, at)
                elif low and item.kind in READINGS and not journal.has(device, item.log, item.seq):
                    self._metrics.held_back.inc()  # not acknowledged: the device keeps it
                else:
                    journal.accept(db, device, raw, item, at)
                    accepted += 1
        return accepted

    def _place(self, said: Message, at: int) -> tuple[str, str] | None:
        """Device and leaf of a topic; None where it is refused."""
        where = split_topic(said.topic, self._site, self._devices)
        if isinstance(where, Refused):
            if said.payload or not said.retained:
                self._journal.refuse(said.topic, None, said.payload, where, at)
            return None
        self._places[said.topic] = where
        return where

    def _note_state(self, said: Message, device: str, at: int, states: list[DeviceState]) -> None:
        if not said.payload:  # a retained state that somebody has cleared
            return
        state = decode_state(said.payload)
        if isinstance(state, Refused):
            self._journal.refuse(said.topic, device, said.payload, state, at)
            return
        if state.log is not None and state.first is not None:
            self._journal.holds_from(device, state.log.lower(), state.first, at)
        states.append(DeviceState(device, state, at, said.retained))

    def _note_denied(self, denied: list[Denied], now: int, mono: float) -> None:
        for one in denied:
            self._journal.refuse(one.topic, one.device, b"", Refused(one.reason), one.at)
        for about in self._denials.rows(denied, mono):
            audit.append(self._db, now, audit.GATEWAY, "broker.denied", about)

    def _run_stage(self, stage: Stage, turn: Turn) -> None:
        """One stage; a fault of its own never keeps the journal from being written."""
        self._db.execute("SAVEPOINT stage")
        try:
            stage.turn(self._db, turn)
        except Exception as fault:
            if _of_the_disk(fault):  # the whole turn fails
                raise
            log.exception("stage.fault", stage=stage.name)
            self._metrics.faults.labels(stage.name).inc()
            self._health.note(stage.name, f"fault in its last turn: {fault!r}")
            self._db.execute("ROLLBACK TO stage")
            stage.load(self._db, turn.now)
        self._db.execute("RELEASE stage")

    def _failed(self, items: list[Item], fault: sqlite3.Error) -> None:
        """Nothing of the turn stands: nothing is acked, and the broker delivers it again."""
        log.error("turn.failed", fault=str(fault))
        self._metrics.faults.labels("journal").inc()
        self._health.note("journal", f"cannot write: {fault}")
        for item in items:
            if isinstance(item, Work):
                _settle(item.done, None, fault)
        assert self._session is not None
        with contextlib.suppress(sqlite3.Error):  # its last words may need the disk, too
            self._db.close()
        if "full" in str(fault) and self._upkeep.disk.release():
            log.warning("disk.reserve_released")
        time.sleep(REOPEN_S)
        while not self._reopen():
            self._alive(time.monotonic())
            time.sleep(REOPEN_S)
        self._harmed()
        self._session.reconnect()

    def _reopen(self) -> bool:
        try:
            self._db = store.open_writer(self._data)
            changed = list(damaged(self._db, NEWEST))
            if changed:
                raise EnvironmentFault(store.damage(self._data, f"event {changed[0]} has changed"))
            self._load()
        except (sqlite3.Error, EnvironmentFault) as fault:
            self._health.note("journal", f"cannot be opened: {fault}")
            return self._stopped
        return True

    def _prune(self, now: int) -> None:
        """In quiet turns, once a day through what is too old to be kept."""
        keep, day = self._upkeep.keep_ms, now // 86_400_000
        if keep is None or day == self._prune_day:
            return
        at = self._journal.prune(self._db, self._pruned_to, now - keep, BATCH)
        if at is None:
            self._prune_day = day
        else:
            self._pruned_to = at

    def _load(self) -> None:
        self._journal.load(self._db)
        for stage in self._stages:
            stage.load(self._db, self._now())

    def _greet(self) -> None:
        """A new connection: every device may have missed its last ack."""
        if self._pulse is not None:
            self._pulse.ask_time()
        for key in self._journal.newest_logs():
            self._acks.add(*key)

    def _tell(self, turn: Turn) -> None:
        changes = []
        for stage in self._stages:
            changes += stage.committed(turn)
        self._feed.publish_all(changes)

    def _count(self, came: _Came, rejected: int, turn: Turn) -> None:
        metrics = self._metrics
        metrics.messages.inc(sum(len(delivery.messages) for delivery in came.deliveries))
        metrics.rejects.inc(rejected)
        metrics.lost.inc(sum(r.last - r.first + 1 for r in turn.lost))
        new = {kind: len(stored) for kind, stored in turn.fresh.items()}
        for kind, n in new.items():
            metrics.events.labels(kind if kind in wire.KINDS else "unknown").inc(n)
        metrics.duplicates.inc((came.accepted or 0) - sum(new.values()))

    def _gather_acks(self) -> int:
        """How many application acks now wait for the session's flush."""
        session, sent = self._session, 0
        if session is None or not session.up:
            return 0
        for device, log_id in self._acks.ready(time.monotonic()):
            seq = self._journal.pointer(device, log_id)
            if seq:
                payload = f'{{"log":"{log_id}","seq":{seq}}}'.encode()
                session.gather(wire.topic(self._site, device, "ack"), payload)
                sent += 1
        if sent:
            self._metrics.acks.inc(sent)
        return sent


def _committed(db: sqlite3.Connection) -> float:
    began = time.monotonic()
    db.execute("COMMIT")
    return time.monotonic() - began


def _of_the_disk(fault: Exception) -> bool:
    """The disk or the database file itself, not what was asked of it."""
    return isinstance(fault, sqlite3.OperationalError) or type(fault) is sqlite3.DatabaseError


def _run_work(db: sqlite3.Connection, now: int, work: Work) -> tuple[Any, BaseException | None]:
    db.execute("SAVEPOINT work")
    try:
        value = work.run(db, now)
    except Exception as fault:
        if not db.in_transaction:  # the disk failed: the whole turn does
            raise
        db.execute("ROLLBACK TO work")
        db.execute("RELEASE work")
        return None, fault
    db.execute("RELEASE work")
    return value, None


def _settle(future: Future[Any], value: Any, fault: BaseException | None) -> None:
    if future.set_running_or_notify_cancel():
        if fault is None:
            future.set_result(value)
        else:
            future.set_exception(fault)
