"""Proving who one is by password, and what happens to those who guess."""

from __future__ import annotations

import math
import threading
import time
from collections import OrderedDict
from collections.abc import Callable
from threading import BoundedSemaphore

from fastapi import Request

from gateway import audit, people
from gateway.api.asked import written
from gateway.api.problems import Problem
from gateway.context import Context

FREE = {"name": 5, "address": 30}  # failures in a row before the first wait
FIRST_S, LONGEST_S = 60, 3600  # the wait doubles with each further failure
FORGET_S = 2 * LONGEST_S
MOST = 10_000  # keys remembered


def wait_after(failures: int, free: int) -> float:
    """Seconds to wait after so many failures in a row: none, then 1, 2, 4 … minutes, an hour."""
    if failures < free:
        return 0
    return float(min(LONGEST_S, FIRST_S * 2.0 ** min(failures - free, 10)))


class Attempts:
    """Failures in a row: of a name from one address, and of an address. `now` in seconds."""

    def __init__(self) -> None:
        self._seen: OrderedDict[tuple[str, str, str], tuple[int, float]] = OrderedDict()
        self._lock = threading.Lock()

    def begin(self, name: str, address: str, now: float) -> float:
        """Seconds until the next attempt is heard. 0 where this one is: it counts against the name
        at once, until `passed`, so that many at a time are no way around the count."""
        with self._lock:
            keys = _keys(name, address)
            left = max(self._wait(key, now) for key in keys)
            if left == 0:
                self._count(keys[0], now)
            return left

    def failed(self, name: str, address: str, now: float) -> None:
        """What was begun was wrong: it counts against the address too."""
        with self._lock:
            self._count(_keys(name, address)[1], now)

    def _count(self, key: tuple[str, str, str], now: float) -> None:
        count, at = self._seen.pop(key, (0, now))
        self._seen[key] = (1 if now - at > FORGET_S else count + 1, now)
        while len(self._seen) > MOST:
            self._seen.popitem(last=False)

    def passed(self, name: str, address: str) -> None:
        """The right password: the name is no longer under suspicion, the address still is."""
        with self._lock:
            self._seen.pop(_keys(name, address)[0], None)

    def _wait(self, key: tuple[str, str, str], now: float) -> float:
        count, at = self._seen.get(key, (0, now))
        return max(0.0, at + wait_after(count, FREE[key[0]]) - now)


def _keys(name: str, address: str) -> list[tuple[str, str, str]]:
    return [("name", name, address), ("address", "", address)]


class Prover:
    """`prove(name, password, request)` wherever a password is asked for, with one memory."""

    def __init__(self, ctx: Context, clock: Callable[[], float] = time.monotonic) -> None:
        self._ctx, self._clock = ctx, clock
        self._attempts = Attempts()
        # argon2 is dear: a flood of log-ins must not take every core
        self.hashing = BoundedSemaphore(2)

    def prove(self, name: str, password: str, request: Request) -> str | None:
        """The role of the person whose password this is, else None; Problem 429 while locked."""
        address = request.client.host if request.client else ""
        left = self._attempts.begin(name, address, self._clock())
        if left > 0:
            seconds = math.ceil(left)
            detail = f"too many wrong passwords; wait {seconds} s"
            raise Problem(429, detail, {"Retry-After": str(seconds)})
        with self.hashing:
            role = people.verify(self._ctx.reader(), name, password)
        if role is not None:
            self._attempts.passed(name, address)
            return role
        self._attempts.failed(name, address, self._clock())
        about = {"from": address, "at": request.url.path.rpartition("/")[2]}
        written(self._ctx, lambda db, now: audit.append(db, now, name, "login.refused", about))
        return None
