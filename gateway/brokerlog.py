"""A Mosquitto's log, followed: whom it turns away, told like what the embedded broker refuses."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from gateway.denials import Denied
from gateway.following import Follower
from gateway.mosquitto import Reader, Refusal

EACH = 20
"""Refusals of one piece of the log that are told each; a flood beyond is told as a number."""


class BrokerLog:
    """`put` is told of each refusal, on a thread of its own; `note(reason)` of a log that cannot be
    read, and None when it can be again."""

    def __init__(
        self,
        path: Path,
        devices: frozenset[str],
        now: Callable[[], int],
        put: Callable[[Denied], None],
        note: Callable[[str | None], None],
    ) -> None:
        self._devices = devices
        self._now = now
        self._put = put
        self._reader = Reader()
        self._follower = Follower(path, self._take, note)

    def start(self) -> None:
        self._follower.start()

    def stop(self) -> None:
        self._follower.stop()

    def _take(self, lines: list[str]) -> None:
        told, now = 0, self._now()
        for line in lines:
            refusal = self._reader.line(line)
            if refusal is not None:
                told += 1
                if told <= EACH:
                    self._put(self._denied(refusal, now))
        if told > EACH:
            self._put(Denied(now, None, "", f"{told - EACH} more in the broker's log"))

    def _denied(self, refusal: Refusal, now: int) -> Denied:
        return Denied(now, refusal.device(self._devices), refusal.topic, refusal.reason)
