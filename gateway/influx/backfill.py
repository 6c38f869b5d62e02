"""`hallkeeper influx backfill`: what was stored before a server was attached, oldest first.

It keeps its place in the books, beside the running gateway, which goes on carrying what is new: a
second start, after a kill too, goes on from there, and what is sent twice overwrites itself.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import random
import sqlite3
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Protocol

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from gateway import failpoint, site, store
from gateway.errors import EnvironmentFault, InputFault
from gateway.influx import books, counting
from gateway.influx.copier import Client, Later, Pace, Send, deliver
from gateway.influx.points import Places
from gateway.influx.settling import Settled, Settling
from gateway.influx.target import URL, Target, target
from gateway.notify import backoff
from gateway.site import Site

LOCK = "influx-backfill.lock"
SAY_EVERY_S = 10.0
COUNT_TRIES = 10  # a server shows what it has taken within seconds


class Shown(Protocol):
    """Where it tells how far it is. `at`: rows of the journal done with."""

    def at(self, done: int) -> None: ...

    def say(self, text: str) -> None: ...


def run(data: Path, config: Path | None, batch: int) -> None:
    """The command. Raises InputFault, EnvironmentFault."""
    with _alone(data), contextlib.closing(_opened(data)) as db:
        hall = _hall(db, config)
        where = target(hall, os.environ)
        if where is None:
            raise InputFault(f"no server is named: write [influx] into the site file, or set {URL}")
        if where.fault is not None:
            raise InputFault(where.fault)
        _attached(db, data, where)
        pace = Pace(batch=batch)
        with contextlib.closing(Client(where, pace.answer)) as client:
            try:
                sent, refused = fill(db, hall, where, client, pace, time.sleep)
            except KeyboardInterrupt:
                raise EnvironmentFault(
                    "停止 stopped; 再次运行即可继续 run it again to go on"
                ) from None
        print(f"补录完成 backfilled: {sent} 个事件 events, {refused} 个被拒 refused")
        compare(db, hall, where)


def fill(
    db: sqlite3.Connection,
    hall: Site,
    where: Target,
    client: Client,
    pace: Pace,
    rest: Callable[[float], object],
) -> tuple[int, int]:
    """Send what is still owed of the time before; (events sent, events refused) by this run.

    Waits where the server takes nothing now; raises EnvironmentFault where only a person can help.
    """
    places, name = Places(hall), where.name
    filled, attached = db.execute(
        "SELECT filled, attached FROM influx WHERE target = ?", (name,)
    ).fetchone()
    sent = turned_away = 0

    def booked(settled: Sequence[Settled]) -> bool:
        with _transaction(db):
            for batch, refused in settled:
                books.fill(db, name, batch, refused, time.time_ns() // 1_000_000)
        return True

    held = Settling(client.started, pace.settle, booked)
    with _shown(name, filled, attached) as shown:
        while True:
            held.look()
            now = time.time_ns() // 1_000_000
            batch = books.next_old(db, name, places, now, pace.batch, held.head)
            if batch is None:
                shown.at(attached)
                if not held:
                    return sent, turned_away
                rest(pace.poll)  # until the server surely has it on its disk
                continue
            while not held.ready():  # which start of the server takes it is not known yet
                rest(pace.delays[0])
            refused = _delivered(batch, client.send, places, pace, rest, shown.say)
            failpoint.hit("backfill.taken")
            for one in refused:
                shown.say(f"拒收 refused: {one.why}: {one.line[:200]}")
            held.hold(batch, refused)
            sent += len(batch.owed) - len(refused)
            turned_away += len(refused)
            assert batch.upto is not None
            shown.at(batch.upto)


def compare(
    db: sqlite3.Connection,
    hall: Site,
    where: Target,
    rest: Callable[[float], object] = time.sleep,
) -> None:
    """Count both sides and print them. Raises EnvironmentFault where the server has fewer."""
    due = counting.journal(db, where.name)
    try:
        count = counting.counter(where, hall.id)
        found = {one: count(one) for one in due}
        for _ in range(COUNT_TRIES):
            behind = [one for one in due if found[one] < one.low]
            if not behind:
                break
            rest(1)
            found |= {one: count(one) for one in behind}
    except counting.Uncounted as fault:
        print(f"未核对 not counted: 服务器不能计数 the server does not count ({fault})")
        return
    short = 0
    for one in due:
        short += max(0, one.low - found[one])
        print(f"  {_told(one, found[one])}")
    if short:
        raise EnvironmentFault(
            f"服务器少 {short} 个点 the server holds {short} points fewer than it took:"
            " see 'When the two sides differ' in docs/reference/influx.md"
        )


def _told(due: counting.Due, found: int) -> str:
    """One line of the comparison."""
    mine = str(due.low) if due.low == due.high else f"{due.low}–{due.high}"
    if found < due.low:
        verdict = f"少 fewer: {due.low - found}"
    elif found <= due.high:
        verdict = "一致 equal"
    else:
        verdict = f"多 more: {found - due.high}"
    kind = due.measurement + (" (估计时间 estimated time)" if due.estimated else "")
    return f"{kind}: 台账 journal {mine} · 服务器 server {found} · {verdict}"


def _delivered(
    batch: books.Batch,
    send: Send,
    places: Places,
    pace: Pace,
    rest: Callable[[float], object],
    say: Callable[[str], None],
) -> list[books.Refused]:
    failures, said = 0, ""
    while True:
        try:
            return deliver(batch.owed, send, places.probe)
        except Later as later:
            answer = later.answer
            if answer.mend:
                raise EnvironmentFault(
                    f"{answer.why}: 改正后再次运行即可继续 put it right and run this again"
                ) from None
            failures += 1
            if answer.why != said:
                said = answer.why
                say(f"等待 waiting: {said}")
            pause = backoff(failures, random.random(), pace.delays)
            rest(pause if answer.after is None else max(answer.after, pace.delays[0]))


@contextlib.contextmanager
def _alone(data: Path) -> Iterator[None]:
    """One backfill at a time."""
    if not (data / store.FILE).exists():
        raise InputFault(f"{data}: no {store.FILE} here; --data is the gateway's data directory")
    handle = os.open(data / LOCK, os.O_RDWR | os.O_CREAT, 0o600)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        yield
    except BlockingIOError:
        raise EnvironmentFault(f"{data}: another backfill is running") from None
    finally:
        os.close(handle)


def _opened(data: Path) -> sqlite3.Connection:
    db = store.open_writer(data)
    # its place need not outlive a power cut: then some is sent again; so the gateway, which waits
    # for our commits, never waits for a disk's flush
    db.execute("PRAGMA synchronous=NORMAL")
    return db


def _hall(db: sqlite3.Connection, config: Path | None) -> Site:
    if config is None:
        row = db.execute("SELECT value FROM meta WHERE key = 'config'").fetchone()
        if row is None:
            raise InputFault("no gateway has run on this data yet: name its site file by --config")
        config = Path(row[0])
    return site.load(config)


def _attached(db: sqlite3.Connection, data: Path, where: Target) -> None:
    """Make sure that the target has books."""
    if db.execute("SELECT 1 FROM influx WHERE target = ?", (where.name,)).fetchone():
        return
    try:
        with store.locked(data), _transaction(db):
            books.attach(db, where.name)
    except EnvironmentFault:
        raise EnvironmentFault(
            f"the running gateway does not copy to {where.name} yet: start it anew (or SIGHUP) with"
            " this server in its site file or environment, then run the backfill"
        ) from None


@contextlib.contextmanager
def _transaction(db: sqlite3.Connection) -> Iterator[None]:
    try:
        db.execute("BEGIN IMMEDIATE")
    except sqlite3.OperationalError as fault:
        raise EnvironmentFault(f"the database cannot be written ({fault})") from fault
    try:
        yield
        db.execute("COMMIT")
    except sqlite3.OperationalError as fault:
        db.execute("ROLLBACK")
        raise EnvironmentFault(f"the database cannot be written ({fault})") from fault
    except BaseException:
        db.execute("ROLLBACK")
        raise


@contextlib.contextmanager
def _shown(name: str, filled: int, attached: int) -> Iterator[Shown]:
    """A bar on a terminal, a line now and then elsewhere."""
    if not sys.stderr.isatty():
        yield _Lines(name, filled, attached)
        return
    columns = (
        TextColumn("补录 backfill"),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn("{task.percentage:>3.0f}%"),
        TimeRemainingColumn(),
    )
    with Progress(*columns, console=Console(stderr=True)) as progress:
        yield _Bar(progress, filled, attached)


class _Bar:
    def __init__(self, progress: Progress, filled: int, attached: int) -> None:
        self._progress = progress
        self._task = progress.add_task("", total=attached, completed=filled)

    def at(self, done: int) -> None:
        self._progress.update(self._task, completed=done)

    def say(self, text: str) -> None:
        self._progress.console.print(text, highlight=False, markup=False)


class _Lines:
    def __init__(self, name: str, filled: int, attached: int) -> None:
        self._attached, self._told = attached, -1
        self._said = float("-inf")
        self.say(f"补录 backfill: {name}")
        self.at(filled)

    def at(self, done: int) -> None:
        soon = time.monotonic() < self._said + SAY_EVERY_S
        if done == self._told or (done < self._attached and soon):
            return
        self._told = done
        self._said = time.monotonic()
        share = 100 if not self._attached else 100 * done // self._attached
        self.say(f"补录 backfill: {done} / {self._attached} ({share}%)")

    def say(self, text: str) -> None:
        print(text, file=sys.stderr, flush=True)
