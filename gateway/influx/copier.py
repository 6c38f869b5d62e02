"""Carries what is owed to the InfluxDB, oldest first, on a thread of its own.

A batch is booked after its answer, and for a server that may lose what it has just taken when it is
killed, once it surely has it on its disk (`settling`): what is cut off between the two is sent once
more, and overwrites itself. Waiting is real time: the network does not run faster with a
clock.
"""

from __future__ import annotations

import contextlib
import random
import re
import sqlite3
import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import structlog
from prometheus_client import CollectorRegistry, Counter
from urllib3 import PoolManager
from urllib3.exceptions import HTTPError

from gateway import store
from gateway.context import Submit
from gateway.errors import EnvironmentFault
from gateway.influx import books
from gateway.influx.answers import Answer, Verdict, judge
from gateway.influx.books import Batch, Owed, Refused
from gateway.influx.points import Places
from gateway.influx.settling import Settled, Settling
from gateway.influx.target import Target
from gateway.notify import backoff
from gateway.site import Site

log = structlog.get_logger()

POLL_S = 1.0
SAVE_S = 10.0
GRACE_S = 2.0

Send = Callable[[Sequence[str]], Answer]


@dataclass(frozen=True, slots=True)
class Pace:
    """How patient the copier is, in real seconds; `batch`: points in one request;
    `settle`: how long VictoriaMetrics may keep what it took in memory (5 s, by its default)."""

    delays: tuple[float, ...] = (1, 2, 5, 10, 30, 60, 120)
    answer: float = 10.0
    poll: float = POLL_S
    batch: int = 2000
    settle: float = 10.0


class Later(Exception):
    """The server takes nothing now."""

    def __init__(self, answer: Answer) -> None:
        super().__init__(answer.why)
        self.answer = answer


class Client:
    """`influxdb-client` behind one call. Its retries are off: the books decide."""

    def __init__(self, target: Target, patience_s: float) -> None:
        from influxdb_client import InfluxDBClient  # type: ignore[attr-defined]
        from influxdb_client.client.write_api import SYNCHRONOUS

        self._target, self._fault = target, target.fault
        self._client = InfluxDBClient(
            *(target.url, target.token),
            timeout=int(patience_s * 1000),
            enable_gzip=True,
            org=target.org,
        )
        self._writer = self._client.write_api(write_options=SYNCHRONOUS)
        self._pool = PoolManager(timeout=patience_s, retries=False)
        self._headers = {"Authorization": f"Token {target.token}"} if target.token else {}

    def send(self, lines: Sequence[str]) -> Answer:
        """Write the points, whatever comes of it."""
        from influxdb_client import WritePrecision  # type: ignore[attr-defined]
        from influxdb_client.rest import ApiException

        if self._fault is not None:  # else the fault's own text would hold the token
            return Answer(Verdict.WAIT, self._fault, mend=True)
        try:
            self._writer.write(
                self._target.bucket,
                self._target.org,
                "\n".join(lines),
                write_precision=WritePrecision.MS,  # type: ignore[arg-type]  # text, in truth
            )
        except ApiException as fault:
            headers: Mapping[str, str] = fault.headers or {}
            return judge(
                fault.status or 0,
                str(fault.body or fault.reason or ""),
                headers.get("Retry-After"),
                datetime.now(UTC),
            )
        except (HTTPError, OSError) as fault:  # refused, hung, or the reply was lost
            return Answer(Verdict.WAIT, f"no answer ({type(fault).__name__})")
        return Answer(Verdict.TAKEN)

    def started(self) -> float | None:
        """When this VictoriaMetrics was started; 0 for any other server; None without an answer."""
        if self._fault is not None:
            return 0.0
        try:
            answer = self._pool.request("GET", f"{self._target.url}/metrics", headers=self._headers)
        except (HTTPError, OSError):
            return None
        if answer.status >= 500:
            return None
        found = re.search(rb"^vm_app_start_timestamp(?:\{.*\})? (\S+)", answer.data, re.MULTILINE)
        return float(found[1]) if found and answer.status == 200 else 0.0

    def close(self) -> None:
        self._client.close()
        self._pool.clear()


class Copier:
    """`start` and `stop` run it."""

    def __init__(
        self,
        data: Path,
        site: Site,
        target: Target,
        submit: Submit,
        now: Callable[[], int],
        registry: CollectorRegistry,
        pace: Pace | None = None,
        rest: Callable[[float], object] | None = None,
    ) -> None:
        """`rest` waits so many seconds after a failure, or until it is stopped."""
        self._data = data
        self._places = Places(site)
        self._target = target
        self._submit = submit
        self._now = now
        self._pace = pace or Pace()
        self._failures = 0
        self._said: str | None = None
        self._sent = Counter("hallkeeper_influx_points", "Points accepted", registry=registry)
        self._tries = Counter(
            "hallkeeper_influx_answers", "Answers to batches", ["verdict"], registry=registry
        )
        self._stop = threading.Event()
        self._rest = rest or self._stop.wait
        self._thread = threading.Thread(target=self._main, name="influx", daemon=True)

    def start(self) -> None:
        """Begin the books in the writer's next turn, and what is owed goes out."""
        self._submit(lambda db, now: books.attach(db, self._target.name))  # noqa: ARG005
        self._thread.start()

    def stop(self) -> None:
        """Let a request end that is under way; the rest goes out after the next start."""
        self._stop.set()
        if self._thread.ident is not None:
            self._thread.join(GRACE_S)

    def _main(self) -> None:
        with contextlib.closing(Client(self._target, self._pace.answer)) as client:
            while not self._stop.is_set():
                try:
                    with contextlib.closing(store.open_reader(self._data)) as db:
                        self._run(db, client)
                except sqlite3.Error as fault:
                    log.error("influx.cannot_read", fault=str(fault))
                    self._stop.wait(1)
                except Exception as fault:  # ours: shown, and no end of the copying
                    log.exception("influx.fault")
                    self._stop.wait(self._failed(Answer(Verdict.WAIT, f"own fault: {fault!r}")))

    def _run(self, db: sqlite3.Connection, client: Client) -> None:
        name, held = self._target.name, Settling(client.started, self._pace.settle, self._book_all)
        while not self._stop.is_set():
            if not db.execute("SELECT 1 FROM influx WHERE target = ?", (name,)).fetchone():
                self._stop.wait(self._pace.poll)
                continue
            held.look()
            batch = books.next_batch(
                *(db, name, self._places, self._now(), self._pace.batch, held.head, held.flying)
            )
            if batch is None:
                self._stop.wait(self._pace.poll)
                continue
            wait = self._deliver(batch, client.send, held)
            if wait and not self._stop.is_set():
                (self._rest if self._failures else self._stop.wait)(wait)

    def _deliver(self, batch: Batch, send: Send, held: Settling) -> float:
        """Seconds to wait before the next."""

        def counted(lines: Sequence[str]) -> Answer:
            if self._stop.is_set():
                raise Later(Answer(Verdict.WAIT, ""))
            answer = send(lines)
            self._tries.labels(answer.verdict.value).inc()
            return answer

        if not held.ready():
            return self._failed(Answer(Verdict.WAIT, "no answer"))
        try:
            refused = deliver(batch.owed, counted, self._places.probe)
        except Later as later:
            return self._failed(later.answer)
        self._failures = 0
        if self._said is not None:
            log.info("influx.works_again")
            self._said = None
            self._book(lambda db, now: books.well(db, self._target.name))  # noqa: ARG005
        for one in refused:
            log.warning("influx.refused", row=one.event, why=one.why)
        if not held.hold(batch, refused):
            return self._pace.poll
        self._sent.inc(len(batch.owed) - len(refused))
        return 0.0 if len(batch.owed) + len(batch.later) >= self._pace.batch else self._pace.poll

    def _book_all(self, settled: Sequence[Settled]) -> bool:
        name, places = self._target.name, self._places

        def work(db: sqlite3.Connection, now: int) -> None:
            for batch, refused in settled:
                books.book(db, name, places, batch, refused, now)

        return self._book(work)

    def _failed(self, answer: Answer) -> float:
        if self._stop.is_set():
            return 0.0
        self._failures += 1
        if answer.why != self._said:
            self._said = answer.why
            log.warning("influx.failed", reason=answer.why)
            self._book(lambda db, now: books.fail(db, self._target.name, answer.why, now))
        pause = backoff(self._failures, random.random(), self._pace.delays)
        return pause if answer.after is None else max(answer.after, self._pace.delays[0])

    def _book(self, work: Callable[[sqlite3.Connection, int], None]) -> bool:
        """False where it could not be written: what it was about is done once more."""
        try:
            self._submit(work).result(SAVE_S)
        except (sqlite3.Error, EnvironmentFault, TimeoutError) as fault:
            log.error("influx.not_booked", fault=str(fault))
            return False
        return True


def deliver(owed: Sequence[Owed], send: Send, probe: Callable[[], str]) -> list[Refused]:
    """Send them all, in halves where the server finds fault; returns what it will not have.

    Raises Later where it takes nothing now. Where it refuses every single point, a point that is
    surely right tells whether they are at fault or the server is.
    """
    refused: list[Refused] = []
    waiting = [list(owed)] if owed else []
    while waiting:
        batch = waiting.pop()
        answer = send([one.line for one in batch])
        if answer.verdict is Verdict.WAIT:
            raise Later(answer)
        if answer.verdict is Verdict.TAKEN:
            continue
        if len(batch) > 1:
            half = len(batch) // 2
            waiting += [batch[half:], batch[:half]]
        else:
            refused.append(Refused(batch[0].event, answer.why, batch[0].line))
    if refused and len(refused) == len(owed):
        answer = send([probe()])
        if answer.verdict is not Verdict.TAKEN:
            raise Later(Answer(Verdict.WAIT, f"it refuses every point ({answer.why})"))
    return refused
