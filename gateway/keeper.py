"""The thread that looks after the data: disk, nightly checks and backups, a weekly rehearsal.

What is long runs as a process of its own at the lowest priority (the same commands that people
use), so that neither the writer nor the pages wait for it. What is due is computed from stored
times and the house's clock.
"""

from __future__ import annotations

import contextlib
import ctypes
import os
import sqlite3
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Mapping
from concurrent.futures import Future
from contextlib import closing
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import structlog

from gateway import care, store, verify
from gateway.care import Care, Upkeep
from gateway.context import Submit
from gateway.errors import EnvironmentFault
from gateway.rules import house
from gateway.rules.model import Rule

log = structlog.get_logger()

LOOK_S = 1.0
DUE_S = 2.0
NIGHT = 3  # o'clock, when the hall sleeps
WEEK = 7
UNSYNCED_S = 3 * 86_400.0
_UNSYNC = 0x40  # STA_UNSYNC of adjtimex(2)


@dataclass(frozen=True, slots=True)
class Task:
    """Something that is done at night every so many days; `rule`: what its failure is."""

    name: str
    every: int
    rule: Rule


TASKS = (
    Task("verify", 1, house.STORE),
    Task("backup", 1, house.BACKUP),
    Task("rehearsal", WEEK, house.BACKUP),
)


def due(task: Task, marks: Mapping[str, int], now: int, tz: str) -> bool:
    """Whether a night has come since the task was last done (or the gateway first started) that
    is at least `every` days later. A clock that was set back makes nothing due for ever."""
    last = marks.get(task.name, marks.get("first_start"))
    if last is None:
        return False
    if last > now:
        return True
    zone = ZoneInfo(tz)
    local = datetime.fromtimestamp(last / 1000, zone)
    night = local.replace(hour=NIGHT, minute=0, second=0, microsecond=0)
    if night <= local:
        night += timedelta(days=1)
    night += timedelta(days=task.every - 1)
    return now >= night.timestamp() * 1000


class Unsynced:
    """Whether the machine's clock has followed no other for three days. `synced`: None where that
    is not known."""

    def __init__(self) -> None:
        self._since: float | None = None

    def __call__(self, synced: bool | None, mono: float) -> bool:
        if synced is not False:
            self._since = None
            return False
        if self._since is None:
            self._since = mono
        return mono - self._since >= UNSYNCED_S


def clock_synced() -> bool | None:
    """Whether the kernel says that the clock is kept by NTP; None where it does not say."""
    try:
        libc = ctypes.CDLL(None, use_errno=True)
        words = (ctypes.c_long * 64)()  # struct timex, modes = 0: only read
        if libc.adjtimex(ctypes.byref(words)) < 0:
            return None
    except (OSError, AttributeError):
        return None
    status = ctypes.cast(words, ctypes.POINTER(ctypes.c_int))[10]  # after modes, three longs
    return not status & _UNSYNC


class Keeper:
    """`run()` of the thread; `folder`: where backups go, None for none, of which `keep` stay."""

    def __init__(
        self,
        data: Path,
        folder: Path | None,
        keep: int,
        tz: str,
        now: Callable[[], int],
        upkeep: Upkeep,
        stage: Care,
        submit: Submit,
    ) -> None:
        self._data, self._folder, self._keep, self._tz = data, folder, keep, tz
        self._now, self._upkeep, self._stage, self._submit = now, upkeep, stage, submit
        self._over = threading.Event()
        self._check = threading.Event()
        self._process: subprocess.Popen[str] | None = None
        self._thread = threading.Thread(target=self._main, name="keeper", daemon=True)

    def start(self) -> None:
        self._upkeep.disk.look()
        self._upkeep.disk.hold()
        self._check.set()
        self._thread.start()

    def check(self) -> None:
        """Have the structure looked at: something was wrong with the disk."""
        self._check.set()

    def stop(self) -> None:
        self._over.set()
        process = self._process
        if process is not None:
            process.terminate()
        if self._thread.ident is not None:
            self._thread.join(10)

    def _main(self) -> None:
        due_at, unsynced = time.monotonic() + DUE_S, Unsynced()
        while not self._over.is_set():
            with contextlib.suppress(OSError):
                self._upkeep.disk.look()
                self._upkeep.disk.hold()
            if self._check.is_set():
                self._check.clear()
                self._structure()
            mono = time.monotonic()
            if mono >= due_at:
                due_at = mono + DUE_S
                self._upkeep.unsynced = unsynced(clock_synced(), mono)
                self._tasks()
            self._over.wait(LOOK_S)

    def _structure(self) -> None:
        """At each start and after each fault of the disk: are the pages whole?"""
        try:
            with closing(store.open_reader(self._data)) as db:
                wrong = verify.structure(db)
        except (sqlite3.Error, EnvironmentFault) as fault:
            wrong = str(fault)
        if wrong is not None:
            log.error("store.damaged", said=wrong)
            self._report("start", house.STORE, store.damage(self._data, wrong), False)
        else:
            self._report_well("start", house.STORE)

    def _tasks(self) -> None:
        try:
            with closing(store.open_reader(self._data)) as db:
                marks = care.marks(db)
        except (sqlite3.Error, EnvironmentFault) as fault:
            log.error("keeper.cannot_read", fault=str(fault))
            return
        for task in TASKS:
            if self._over.is_set() or (task.rule is house.BACKUP and self._folder is None):
                continue
            if due(task, marks, self._now(), self._tz):
                self._do(task)

    def _do(self, task: Task) -> None:
        data, folder = str(self._data), str(self._folder)
        command = {
            "verify": ["verify", "--data", data],
            "backup": ["backup", folder, "--data", data, "--keep", str(self._keep)],
            "rehearsal": ["restore", folder, "--rehearse"],
        }[task.name]
        ok, said = self._run(command)
        if not self._over.is_set():
            log.info("keeper.done", task=task.name, ok=ok, said=said)
            self._report(task.name, task.rule, said, ok)

    def _run(self, command: list[str]) -> tuple[bool, str]:
        """Whether it went well, and its last line."""
        self._process = process = subprocess.Popen(
            [sys.executable, "-m", "gateway.cli", *command],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        with contextlib.suppress(OSError):
            os.setpriority(os.PRIO_PROCESS, process.pid, 19)
        if self._over.is_set():  # `stop` may have looked before there was a process
            process.terminate()
        out, _ = process.communicate()
        self._process = None
        lines = [line for line in out.splitlines() if line.strip()]
        said = lines[-1].removeprefix("hallkeeper: ") if lines else f"exit {process.returncode}"
        return process.returncode == 0, said

    def _report(self, task: str, rule: Rule, said: str, ok: bool) -> None:
        self._told(self._submit(lambda db, now: self._stage.report(db, now, task, rule, said, ok)))

    def _report_well(self, task: str, rule: Rule) -> None:
        """Ends what an earlier check at the start found; silent where there was nothing."""

        def work(db: sqlite3.Connection, now: int) -> None:
            if self._stage.stands(rule):
                self._stage.report(db, now, task, rule, "the structure is whole", True)

        self._told(self._submit(work))

    def _told(self, done: Future[None]) -> None:
        """Nobody waits for the writer; what it could not write is logged."""

        def after(future: Future[None]) -> None:
            fault = future.exception()
            if fault is not None and not self._over.is_set():
                log.error("keeper.not_written", fault=str(fault))

        done.add_done_callback(after)
