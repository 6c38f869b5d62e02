"""What the gateway says on its own: the clock for the devices, and a word to itself, by which it
sees that the broker delivers."""

from __future__ import annotations

import time
from collections.abc import Callable

import structlog

from firmware import wire
from gateway.ingest import Session

log = structlog.get_logger()

TIME_EVERY_S = 20.0
CANARY_EVERY_S = 5.0
CANARY_LATE_S = 10.0


class Pulse:
    """`stalled()` is called when the broker delivers nothing although it says it is connected."""

    def __init__(
        self, site: str, session: Session, now: Callable[[], int], stalled: Callable[[], None]
    ) -> None:
        self._topic = wire.time_topic(site)
        self._session = session
        self._now = now
        self._stalled = stalled
        self._time_at = 0.0
        self._canary_at = 0.0
        self._misses = 0
        self._up_at = time.monotonic()

    def ask_time(self) -> None:
        """Somebody needs the time now."""
        self._time_at = 0.0

    def beat(self) -> None:
        """Call after each turn."""
        session, mono = self._session, time.monotonic()
        if not session.up:
            self._canary_at = mono
            if mono - self._up_at >= CANARY_LATE_S:  # it may take connections and say nothing
                self._up_at = mono
                self._stalled()
            return
        self._up_at = mono
        if mono - self._time_at >= TIME_EVERY_S:
            self._time_at = mono
            session.publish(self._topic, f'{{"t":{self._now()}}}'.encode(), 0)
        waited = mono - self._canary_at
        if session.canary_back:
            if waited >= CANARY_EVERY_S:
                self._misses = 0
                self._canary_at = mono
                session.send_canary()
        elif waited >= CANARY_LATE_S:
            self._canary_at = mono
            self._misses += 1
            log.warning("broker.delivers_nothing", times=self._misses)
            session.reconnect()
            if self._misses > 1:
                self._stalled()
