"""A gateway without a broker: a real store, the real app under a real server, events by hand."""

from __future__ import annotations

import json
import socket
import sqlite3
import threading
import zlib
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeVar

import httpx
import uvicorn
from prometheus_client import CollectorRegistry

from gateway import journal, people, site, store, workdays
from gateway.api import app
from gateway.clock import Clock, parse_instant
from gateway.context import Context
from gateway.live import Feed

T = TypeVar("T")
SITE = Path(__file__).parents[2] / "data" / "site.toml"
PASSWORD = "correct horse"
HASH = people.hashed(PASSWORD)
NOON = parse_instant("2026-07-01T12:30:00+08:00")


class House:
    """One gateway's data, clock and context; the clock stands still unless it is moved."""

    def __init__(self, data: Path, now: int = NOON) -> None:
        self.data = data
        self.db = store.open_writer(data)
        journal.stores(self.db, lambda *_: self._storing)
        self._storing = False
        self.at = now
        self.mono = 0.0
        self.reasons: dict[str, str] = {}
        self.live = Feed()
        self._lock = threading.Lock()
        self._readers = threading.local()
        self._opened: list[sqlite3.Connection] = []
        hall = site.load(SITE)
        self.context = Context(
            site=hall,
            calendar=workdays.load(hall, None),
            now=lambda: self.at,
            speed=1,
            data=data,
            config=SITE,
            submit=self.submit,
            reader=self.reader,
            live=self.live,
            metrics=CollectorRegistry(),
            health=lambda: self.reasons,
        )

    def submit(self, work: Callable[[sqlite3.Connection, int], T]) -> Future[T]:
        done: Future[T] = Future()
        with self._lock:
            self.db.execute("BEGIN IMMEDIATE")
            try:
                result = work(self.db, self.at)
            except BaseException as fault:  # noqa: BLE001 - it goes to the caller
                self.db.execute("ROLLBACK")
                done.set_exception(fault)
            else:
                self.db.execute("COMMIT")
                done.set_result(result)
        return done

    def reader(self) -> sqlite3.Connection:
        if not hasattr(self._readers, "db"):
            self._readers.db = store.open_reader(self.data)
            self._opened.append(self._readers.db)
        return self._readers.db

    def close(self) -> None:
        for db in (self.db, *self._opened):
            db.close()

    def person(self, role: str) -> str:
        """The token of a person with this role."""

        def work(db: sqlite3.Connection, now: int) -> str:
            people.create(db, now, f"a-{role}", role, HASH, "test")
            return people.open_session(db, f"a-{role}", role, people.wall_clock())[0]

        return self.submit(work).result()

    def event(self, device: str, seq: int, kind: str, t: int | None, **fields: Any) -> int:
        """Store an event as the journal does; its row id."""
        payload = {
            "log": fields.pop("log", "9f3a1c22"),
            "seq": seq,
            "boot": fields.pop("boot", 1),
            "up": fields.pop("up", seq * 1000),
            "t": t,
            "kind": kind,
        }
        at = fields.pop("at", t if t is not None else self.at)
        payload |= fields
        text = json.dumps(payload, separators=(",", ":"))

        def work(db: sqlite3.Connection, now: int) -> int:
            self._storing = True
            cursor = db.execute(
                "INSERT INTO event (device, log, seq, boot, up, t, at, t_at, kind, payload, crc)"
                " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
                (
                    device,
                    payload["log"],
                    seq,
                    payload["boot"],
                    payload["up"],
                    t,
                    at,
                    at if t is not None else None,
                    kind,
                    text,
                    zlib.crc32(text.encode()),
                ),
            )
            self._storing = False
            db.execute(
                "INSERT INTO log (device, log, acked, top, boot, stored, last_at)"
                " VALUES (?, ?, 0, ?, ?, 1, ?) ON CONFLICT DO UPDATE SET top = max(top, ?),"
                " stored = stored + 1, last_at = max(last_at, excluded.last_at)",
                (device, payload["log"], seq, payload["boot"], at, seq),
            )
            return int(cursor.lastrowid or 0)

        return self.submit(work).result()


def argon2(password: str) -> str:
    return people.hashed(password)


@contextmanager
def serving(house: House, static: Path | None = None) -> Iterator[str]:
    """The house's app under uvicorn on a free port; its base address."""
    listening = socket.socket()
    listening.bind(("127.0.0.1", 0))
    listening.listen()
    config = uvicorn.Config(
        app.build(house.context, static, lambda: house.mono),
        log_level="warning",
        timeout_graceful_shutdown=1,
    )
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listening]})
    thread.start()
    try:
        yield f"http://127.0.0.1:{listening.getsockname()[1]}"
    finally:
        server.should_exit = True
        thread.join(10)
        listening.close()


def client(base: str, token: str | None = None) -> httpx.Client:
    headers = {"Authorization": f"Bearer {token}"} if token else {}
    return httpx.Client(base_url=base, headers=headers, trust_env=False, timeout=20)


__all__ = ["NOON", "PASSWORD", "Clock", "House", "argon2", "client", "serving"]
