"""One gateway: its parts joined, from the broker to the page."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import socket
import sqlite3
import sys
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import structlog
import uvicorn

from gateway import (
    audit,
    authority,
    broker,
    credentials,
    memory,
    notify,
    people,
    site,
    stages,
    store,
    workdays,
)
from gateway.broker import Address, EmbeddedBroker, Endpoint
from gateway.brokerlog import BrokerLog
from gateway.callout import Callout, Login
from gateway.care import DAY_MS, Care, Upkeep
from gateway.clock import Clock
from gateway.context import Context
from gateway.denials import Denied
from gateway.disk import MB, Disk
from gateway.errors import EnvironmentFault, InputFault
from gateway.influx.target import target
from gateway.ingest import Session
from gateway.keeper import Keeper
from gateway.live import Feed
from gateway.provision import record_broker
from gateway.site import Site
from gateway.supervisor import Supervisor
from gateway.vitals import Health, Metrics
from gateway.writer import Writer

if TYPE_CHECKING:
    from gateway.influx.copier import Copier

log = structlog.get_logger()

STOP_S = 0.3  # how long a page's open streams are waited for


@dataclass(frozen=True, slots=True)
class Options:
    """What `hallkeeper serve` was asked for, parsed."""

    config: Path
    data: Path
    outside: Endpoint | None
    mqtt: Address
    http: Address
    clock: Clock
    speed: float
    broker_log: Path | None = None


class Ending:
    """SIGTERM or Ctrl-C, also while one house ends and the next is built. Not by the loop's own
    handlers: between two loops a signal would kill the process where it stands."""

    def __init__(self) -> None:
        self.asked = False
        self.house: House | None = None

    def __call__(self, *_: object) -> None:
        self.asked = True
        if self.house is not None:
            self.house.end()


class House:
    """One gateway of one state of the site file. `run` blocks until it is told to stop, or to go
    on with another state: then everything is built anew on the same data."""

    def __init__(self, options: Options, hall: Site, ending: Ending) -> None:
        self.options = options
        self._ending = ending
        self.site = hall
        self.calendar = workdays.load(hall, options.data)
        self.feed, self.health, self.metrics = Feed(), Health(), Metrics()
        self.addresses = notify.addresses(hall, os.environ)
        self.influx = target(hall, os.environ)
        self._supervisor = Supervisor(os.environ)
        self._devices = frozenset(device.id for device in hall.devices)
        self._session: Session | None = None
        self._embedded: EmbeddedBroker | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._server: uvicorn.Server | None = None
        self._fault: str | None = None
        self._reload_asked = False
        self._following: Site | None = None
        kept = hall.care.keep_readings_days
        floor = hall.care.disk_floor_mb
        self.upkeep = Upkeep(
            Disk(options.data, None if floor is None else floor * MB),
            None if kept is None else kept * DAY_MS,
        )
        self.care = Care(self.upkeep, self.health, options.speed, hall.noise, hall.timezone)
        self._writer = Writer(
            *(options.data, hall.id, self._devices, options.clock.now, stages.of(self)),
            *(self.feed, self.health, self.metrics, self._stalled, self._died),
            *(self.upkeep, self._harmed, self._supervisor.alive),
        )
        self._notifier = notify.Notifier(
            *(options.data, f"厅守 · {hall.name}", self.addresses, self._writer.submit),
            *(options.clock.now, options.speed),
        )
        self._copier: Copier | None = None
        if self.influx is not None:
            from gateway.influx.copier import Copier  # and with it an HTTP client

            self._copier = Copier(
                *(options.data, hall, self.influx, self._writer.submit, options.clock.now),
                self.metrics.registry,
            )

        self._broker_log: BrokerLog | None = None
        if options.broker_log is not None:
            self._broker_log = BrokerLog(
                *(options.broker_log, self._devices, options.clock.now, self._writer.put),
                lambda reason: self.health.note("broker-log", reason),
            )
        backups = hall.care.backup
        self._keeper = Keeper(
            options.data,
            None if backups == "off" else options.data / backups,
            hall.care.backups_kept,
            hall.timezone,
            options.clock.now,
            self.upkeep,
            self.care,
            self._writer.submit,
        )

    def publish(self, topic: str, payload: bytes) -> bool:
        """To a device, at QoS 1; False where there is no connection."""
        return self._session is not None and self._session.publish(topic, payload)

    def connected(self) -> bool:
        return self._session is not None and self._session.up

    def broker_expires(self) -> int | None:
        return None if self._session is None else self._session.broker_expires

    def wake(self) -> None:
        """There is something to deliver."""
        self._notifier.wake()

    def run(self) -> Site | None:
        """The site to go on with, or None when it is over."""
        with broker.listening(self.options.http) as door:
            db = store.open_writer(self.options.data)
            password = begin(db, self.options.clock.now(), self.options.config, self.site.timezone)
            asyncio.run(self._serve(db, door, password))
        if self._fault is not None:
            raise EnvironmentFault(self._fault)
        return self._following

    def reload(self, *_: object) -> None:
        """Read the site file again (SIGHUP): a good one takes effect, a faulty one is told of."""
        self._reload_asked = True
        if self._server is not None and self._loop is not None and not self._loop.is_closed():
            self._loop.call_soon_threadsafe(self._reload)

    def _reload(self) -> None:
        if not self._reload_asked:
            return
        self._reload_asked = False
        try:
            following = site.load(self.options.config)
            workdays.load(following, self.options.data)
        except InputFault as fault:
            first, *more = str(fault).splitlines()
            log.error("site.refused", faults=[first, *more])
            rest = f" (and {len(more)} more)" if more else ""
            self.health.note("site", f"the changed site file is not in force: {first}{rest}")
            self._record("site.refused", {"faults": [first, *more]})
            return
        log.info("site.reloaded", name=following.name)
        self._record("site.reloaded", {"file": self.options.config.name, "name": following.name})
        self._following = following
        self._end()

    def _record(self, what: str, about: dict[str, Any]) -> None:
        self._writer.submit(lambda db, now: audit.append(db, now, audit.GATEWAY, what, about))

    async def _serve(
        self, db: sqlite3.Connection, door: socket.socket, password: str | None
    ) -> None:
        self._loop = asyncio.get_running_loop()
        try:
            endpoint = await self._open_broker()
            record_broker(self.options.data, endpoint)
            self._session = Session(
                *(endpoint, self.site.id, self.options.clock.now, self._writer.put),
                lambda reason: self.health.note("broker", reason),
                self.upkeep.note_dropped,
                wide=self._embedded is None,
                taken=lambda: self._died(
                    f"{endpoint.address}: another gateway has taken over this hall's session;"
                    " one hall has one gateway: stop the one that is too many"
                ),
            )
            self.health.note("broker", f"{endpoint.address}: not connected yet")
            self._writer.start(db, self._session)
            self._notifier.start()
            if self._copier is not None:
                self._copier.start()
            self._keeper.start()
            self._session.start()
            if self._broker_log is not None:
                self._broker_log.start()
            self._greet(endpoint, password)
            self._supervisor.up()
            await self._http(door)
        finally:
            await asyncio.to_thread(self._close)
            if self._embedded is not None:
                await self._embedded.stop()

    async def _open_broker(self) -> Endpoint:
        if self.options.outside is not None:
            return self.options.outside
        data = self.options.data
        callout = Callout(
            *(self.site.id, self._devices, lambda device: credentials.load(data, device)),
            self._login_denied,
            lambda seen: credentials.settle(data, seen),
        )
        files = authority.files(data)
        self._embedded = EmbeddedBroker(data, self.options.mqtt, callout, self._denied, files)
        await self._embedded.start()
        return self._embedded.endpoint

    async def _http(self, door: socket.socket) -> None:
        from gateway.api import app

        config = uvicorn.Config(
            app.build(self._context()), log_config=None, access_log=False, lifespan="on"
        )
        server = self._server = _Server(config)
        assert self._loop is not None
        self._loop.call_soon(self._reload)  # asked for while this was being built
        self._loop.call_soon(self._told_to_end)
        memory.settle()
        await server.serve([door])

    def end(self) -> None:
        """For good, as soon as it is up. From a signal handler."""
        if self._server is not None and self._loop is not None and not self._loop.is_closed():
            self._loop.call_soon_threadsafe(self._told_to_end)

    def _told_to_end(self) -> None:
        if self._ending.asked:
            self._supervisor.ending()
            self._following = None
            self._end()

    def _end(self) -> None:
        assert self._server is not None
        assert self._loop is not None
        logging.getLogger("uvicorn.error").setLevel(logging.CRITICAL)  # streams end on purpose
        self._server.should_exit = True
        self._loop.call_later(STOP_S, setattr, self._server, "force_exit", True)

    def _close(self) -> None:
        if self._session is not None:
            self._session.stop()
        if self._broker_log is not None:
            self._broker_log.stop()
        self._notifier.stop()
        if self._copier is not None:
            self._copier.stop()
        self._keeper.stop()
        self._writer.stop()

    def _context(self) -> Context:
        options = self.options
        return Context(
            site=self.site,
            calendar=self.calendar,
            now=options.clock.now,
            speed=options.speed,
            data=options.data,
            config=options.config,
            submit=self._writer.submit,
            reader=_Readers(options.data).reader,
            live=self.feed,
            metrics=self.metrics.registry,
            health=self.health,
        )

    def _greet(self, endpoint: Endpoint, password: str | None) -> None:
        print(
            f"厅守 Hallkeeper · {self.site.name}: http://{self.options.http}/"
            f" · MQTT {endpoint.address} · {self.options.data}"
        )
        if password is not None:
            print(f"admin / {password}   (shown this once)")
        sys.stdout.flush()

    def _login_denied(self, login: Login, reason: str) -> None:
        device = login.user if login.user in self._devices else None
        said = (
            f"login refused: {reason} (user {login.user[:64]!r}, client {login.client_id[:64]!r})"
        )
        self._writer.put(Denied(self.options.clock.now(), device, "", said))

    def _denied(self, client_id: str, reason: str, subject: str) -> None:
        device = client_id.rpartition("-")[0]
        known = device if device in self._devices else None
        topic = subject.replace(".", "/")
        self._writer.put(Denied(self.options.clock.now(), known, topic, reason))

    def _stalled(self) -> None:
        if self._embedded is not None and self._loop is not None:
            self.metrics.broker_restarts.inc()
            self._loop.call_soon_threadsafe(self._embedded.kick)

    def _harmed(self) -> None:
        self._keeper.check()

    def _died(self, reason: str) -> None:
        self._fault = reason
        if self._loop is not None and self._server is not None:
            self._loop.call_soon_threadsafe(self._end)


def begin(db: sqlite3.Connection, now: int, config: Path, timezone: str) -> str | None:
    """What each start writes: its fencing number, the first account. The password to show once."""
    db.execute("BEGIN IMMEDIATE")
    db.execute(
        "INSERT INTO meta VALUES ('fence','1') ON CONFLICT (key)"
        " DO UPDATE SET value = CAST(value AS INTEGER) + 1"
    )
    db.execute("INSERT OR IGNORE INTO meta VALUES ('first_start', ?)", (str(now),))
    db.execute("INSERT OR REPLACE INTO meta VALUES ('config', ?)", (str(config.resolve()),))
    db.execute("INSERT OR REPLACE INTO meta VALUES ('timezone', ?)", (timezone,))
    password = people.first_start(db, now)
    audit.append(db, now, audit.GATEWAY, "gateway.start", {})
    db.execute("COMMIT")
    return password


class _Readers:
    """A read-only connection for each thread that asks."""

    def __init__(self, data: Path) -> None:
        self._data = data
        self._local = threading.local()

    def reader(self) -> sqlite3.Connection:
        db: sqlite3.Connection | None = getattr(self._local, "db", None)
        if db is None:
            db = self._local.db = store.open_reader(self._data)
        return db


class _Server(uvicorn.Server):
    """Leaves the signals to the house, which has more to stop than this."""

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield
