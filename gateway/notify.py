"""Delivers the outbox: messages leave the house by apprise, are tried again, and are booked.

One thread looks for what is due; each delivery has a thread of its own, so that a channel that
hangs holds up no other. A message is booked after its answer: what a kill cuts off between the two
goes out once more. What is due for one address at the same time goes as one message.
"""

from __future__ import annotations

import contextlib
import random
import sqlite3
import threading
import time
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import structlog

from gateway import aliyun, failpoint, store
from gateway.context import Submit
from gateway.errors import EnvironmentFault
from gateway.notices import joined
from gateway.site import Site

log = structlog.get_logger()

Send = Callable[[str, str, str], bool]
"""(address, title, body): whether the other side took it."""
Address = tuple[str, int]
"""A role, and which of its addresses."""

DELIVERED, REFUSED, NO_ANSWER = "delivered", "refused", "no answer"
POLL_S = 0.5
SAVE_S = 10.0
MINUTE_S = 60.0
GRACE_S = 2.0
BATCH = 200
ALIVE = 2  # deliveries to one address at a time, one of them given up


@dataclass(frozen=True, slots=True)
class Pace:
    """How patient deliveries are, in real seconds: the network does not run faster with a clock.

    `delays` before the second try, the third … (the last one repeats); `gap` between two messages
    to one address; `a_minute`: how many the services take, by scheme, else `others`; `answer`: how
    long one is waited for.
    """

    delays: tuple[float, ...] = (60, 120, 300, 600, 1200, 1800)
    gap: float = 0.5
    a_minute: Mapping[str, int] = field(
        default_factory=lambda: {"wecombot": 20, "dingtalk": 20, "feishu": 60}
    )
    others: int = 60
    answer: float = 30.0
    tries: int = 50  # about a day


def backoff(tries: int, dice: float, delays: tuple[float, ...]) -> float:
    """Seconds to wait after `tries` failures (from 1), spread by ±20 %; `dice` in [0, 1)."""
    return delays[min(tries, len(delays)) - 1] * (0.8 + 0.4 * dice)


def room(sent: Sequence[float], mono: float, most: int) -> bool:
    """Whether one more may go out now: at most `most` in any minute. `sent`: when the last went."""
    return sum(at > mono - MINUTE_S for at in sent) < most


def addresses(site: Site, environment: Mapping[str, str]) -> dict[Address, str]:
    """Each role's addresses in the file's order; empty where one is missing or no address."""
    found: dict[Address, str] = {}
    count: dict[str, int] = {}
    for one in site.notify:
        index = count.get(one.to, 0)
        count[one.to] = index + 1
        name = one.url.removeprefix("env:")
        url = environment.get(name, "") if name != one.url else one.url
        found[one.to, index] = url if url and _works(url) else ""
    return found


def schemes(found: Mapping[Address, str]) -> dict[str, tuple[str, ...]]:
    """What may be shown of the addresses: for each role their schemes, in order."""
    shown: dict[str, tuple[str, ...]] = {}
    for (role, _), url in found.items():
        shown[role] = (*shown.get(role, ()), url.partition("://")[0].lower())
    return shown


def by_scheme(address: str, title: str, body: str) -> bool:
    """Deliver one message now: Aliyun's SMS and voice by our own adapter, all else by apprise."""
    if aliyun.speaks(address):
        return aliyun.send(address, body)
    import apprise

    channel = apprise.Apprise()
    return bool(channel.add(address)) and bool(channel.notify(title=title, body=body))


def _works(url: str) -> bool:
    if aliyun.speaks(url):
        return aliyun.parsed(url) is not None
    import apprise

    return apprise.Apprise.instantiate(url, suppress_exceptions=True) is not None


@dataclass
class _Delivery:
    """One message on its way; `outcome` is set by its thread, `late` once it was given up."""

    to: Address
    rows: tuple[int, ...]
    started: float
    outcome: str | None = None
    late: bool = False


@dataclass
class _Line:
    """What is known of one address."""

    sent: float = float("-inf")
    going: list[_Delivery] = field(default_factory=list)

    def free(self, mono: float, gap: float) -> bool:
        busy = any(not one.late for one in self.going) or len(self.going) >= ALIVE
        return not busy and mono - self.sent >= gap


class Notifier:
    """`start` and `stop` run it; `wake` says that something new is due."""

    def __init__(
        self,
        data: Path,
        title: str,
        to: Mapping[Address, str],
        submit: Submit,
        now: Callable[[], int],
        speed: float = 1,
        *,
        send: Send = by_scheme,
        pace: Pace | None = None,
    ) -> None:
        self._data = data
        self._title = title
        self._to = {address: url for address, url in to.items() if url}
        self._unaddressed = sorted({role for (role, _), url in to.items() if not url})
        self._submit = submit
        self._now = now
        self._speed = speed
        self._send = send
        self._pace = pace or Pace()
        self._lines = {address: _Line() for address in self._to}
        # several roles may share one address: the service counts them together
        self._spent = {url: deque[float](maxlen=1000) for url in self._to.values()}
        self._wake = threading.Event()
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._main, name="notify", daemon=True)

    def start(self) -> None:
        """What was queued before goes out at once: the channel may have been put right."""
        for role in self._unaddressed:
            reason = "a [[notify]] url is missing, or its variable is not set, or is no address"
            log.warning("notify.unaddressed", role=role, reason=reason)
        self._submit(lambda db, now: begin(db, now, tuple(self._to)))
        self._thread.start()

    def wake(self) -> None:
        self._wake.set()

    def stop(self) -> None:
        """Wait a moment for what is on its way; the rest is delivered after the next start."""
        self._stop.set()
        self._wake.set()
        if self._thread.ident is not None:
            self._thread.join(GRACE_S + SAVE_S)

    def _main(self) -> None:
        while not self._stop.is_set():
            try:
                with contextlib.closing(store.open_reader(self._data)) as db:
                    self._run(db)
            except sqlite3.Error as fault:
                log.error("notify.cannot_read", fault=str(fault))
                self._stop.wait(1)
        ends = time.monotonic() + GRACE_S
        while self._going() and time.monotonic() < ends:
            self._wake.wait(0.05)
            self._wake.clear()
            self._harvest()

    def _run(self, db: sqlite3.Connection) -> None:
        while not self._stop.is_set():
            self._harvest()
            for address in self._to:
                self._deliver(db, address)
            self._wake.wait(POLL_S)
            self._wake.clear()

    def _going(self) -> bool:
        return any(not one.late for line in self._lines.values() for one in line.going)

    def _deliver(self, db: sqlite3.Connection, address: Address) -> None:
        line, mono = self._lines[address], time.monotonic()
        url = self._to[address]
        most = self._pace.a_minute.get(url.partition("://")[0].lower(), self._pace.others)
        if not line.free(mono, self._pace.gap) or not room(self._spent[url], mono, most):
            return
        due = db.execute(
            "SELECT id, text FROM notification WHERE state='queued' AND role=? AND url_index=?"
            " AND next_at<=? ORDER BY id LIMIT ?",
            (*address, self._now(), BATCH),
        ).fetchall()
        if not due:
            return
        delivery = _Delivery(address, tuple(row["id"] for row in due), mono)
        line.going.append(delivery)
        line.sent = mono
        self._spent[url].append(mono)
        body = joined([row["text"] for row in due])
        name = f"notify-{address[0]}"
        threading.Thread(target=self._carry, args=(delivery, body), name=name, daemon=True).start()

    def _carry(self, delivery: _Delivery, body: str) -> None:
        outcome = REFUSED
        failpoint.hit("notify.taken")
        try:
            if self._send(self._to[delivery.to], self._title, body):
                outcome = DELIVERED
        except Exception as fault:  # noqa: BLE001 - a plug-in's own fault is a failed try
            log.error("notify.fault", role=delivery.to[0], fault=type(fault).__name__)
        failpoint.hit("notify.sent")
        delivery.outcome = outcome
        self._wake.set()

    def _harvest(self) -> None:
        """Book what has been answered, and give up what has waited too long."""
        mono = time.monotonic()
        for line in self._lines.values():
            for one in tuple(line.going):
                outcome = one.outcome
                if outcome is not None:
                    line.going.remove(one)
                    if outcome == DELIVERED or not one.late:
                        self._book(one, outcome)
                elif not one.late and mono - one.started >= self._pace.answer:
                    one.late = True
                    self._book(one, NO_ANSWER)

    def _book(self, delivery: _Delivery, outcome: str) -> None:
        """Until it is written nothing else goes out: it would go out twice."""
        role, index = delivery.to
        if outcome != DELIVERED:
            log.warning("notify.failed", role=role, number=index, reason=outcome)

        def work(db: sqlite3.Connection, now: int) -> None:
            book(db, now, delivery.rows, outcome, self._pace, random.random(), self._speed)

        done = self._submit(work)
        while True:
            try:
                done.result(SAVE_S)
                failpoint.hit("notify.booked")
                return
            except TimeoutError:  # it still waits for its turn: asked again, it would count twice
                log.error("notify.not_booked", fault="the store is busy")
                if self._stop.wait(1):
                    return
            except (sqlite3.Error, EnvironmentFault) as fault:
                log.error("notify.not_booked", fault=str(fault))
                if self._stop.wait(1):
                    return
                done = self._submit(work)


def begin(db: sqlite3.Connection, now: int, to: tuple[Address, ...]) -> None:
    """A new start: failed tries are due now, and what has lost its address says so."""
    db.execute(
        "UPDATE notification SET next_at=? WHERE state='queued' AND tries>0 AND next_at>?",
        (now, now),
    )
    queued = db.execute("SELECT DISTINCT role, url_index FROM notification WHERE state='queued'")
    for address in queued.fetchall():
        if address not in to:
            db.execute(
                "UPDATE notification SET state='unaddressed'"
                " WHERE state='queued' AND role=? AND url_index=?",
                address,
            )


def book(
    db: sqlite3.Connection,
    now: int,
    rows: tuple[int, ...],
    outcome: str,
    pace: Pace,
    dice: float,
    speed: float,
) -> None:
    """Write what became of one try. Waiting is real time, so it is longer on a faster clock."""
    _book_health(db, now, rows[0], outcome)
    for row in rows:
        db.execute(
            "INSERT INTO attempt (notification, at, answer) VALUES (?,?,?)", (row, now, outcome)
        )
        if outcome == DELIVERED:
            db.execute(
                "UPDATE notification SET state='sent', tries=tries+1, sent_at=?, answer=?"
                " WHERE id=? AND state IN ('queued', 'stopped')",
                (now, outcome, row),
            )
            continue
        found = db.execute(
            "SELECT tries FROM notification WHERE id=? AND state='queued'", (row,)
        ).fetchone()
        if found is None:
            continue
        tries = found[0] + 1
        wait = int(backoff(tries, dice, pace.delays) * 1000 * speed)
        state = "queued" if tries < pace.tries else "failed"
        db.execute(
            "UPDATE notification SET state=?, tries=?, next_at=?, answer=? WHERE id=?",
            (state, tries, now + wait, outcome, row),
        )
        _second(db, now, row)


def _book_health(db: sqlite3.Connection, now: int, row: int, outcome: str) -> None:
    """How the address of these messages answers, for `notify.dead`."""
    found = db.execute(
        "SELECT role, url_index, channel FROM notification WHERE id=?", (row,)
    ).fetchone()
    if found is None:
        return
    ok = outcome == DELIVERED
    db.execute(
        "INSERT INTO channel_health (role,url_index,channel,fails,failing_since,last_ok,answer)"
        " VALUES (?1,?2,?3,?4,?5,?6,?7) ON CONFLICT (role,url_index) DO UPDATE SET channel=?3,"
        " fails=CASE WHEN ?4 THEN fails+1 ELSE 0 END,"
        " failing_since=CASE WHEN ?4 THEN coalesce(failing_since, ?5) END,"
        " last_ok=coalesce(?6, last_ok), answer=?7",
        (*found, int(not ok), None if ok else now, now if ok else None, outcome),
    )


def _second(db: sqlite3.Connection, now: int, row: int) -> None:
    """The first channel has failed: the second takes the same message at once."""
    db.execute(
        "UPDATE notification AS n SET state='queued', next_at=?2 FROM notification AS f"
        " WHERE f.id=?1 AND n.alert=f.alert AND n.round=f.round AND n.step=f.step"
        " AND n.kind=f.kind AND n.role=f.role AND n.state='standby'",
        (row, now),
    )
