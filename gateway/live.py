"""What has just changed, fanned out to whoever watches: from the writer's thread to asyncio.

A watcher that cannot keep up loses its backlog and gets one `resync` instead: it reads the state
afresh, so nothing it shows is stale for long and no memory grows.
"""

from __future__ import annotations

import asyncio
import threading
from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass, field
from types import TracebackType
from typing import Any

RESYNC = "resync"


@dataclass(frozen=True, slots=True)
class Change:
    """One change: `kind` names it (`event`, `finding`, `device`, …), `id` rises by one each."""

    id: int
    kind: str
    data: dict[str, Any] = field(default_factory=dict)


class Subscription:
    """One watcher's bounded queue; `get` on the loop that subscribed, `with` to leave it."""

    def __init__(self, feed: Feed, loop: asyncio.AbstractEventLoop, size: int) -> None:
        self._feed = feed
        self._loop = loop
        self._size = size
        self._queue: deque[Change] = deque()
        self._ready = asyncio.Event()
        self._woken = False
        self._lock = threading.Lock()

    async def get(self) -> Change:
        """The next change, waiting for it."""
        while True:
            with self._lock:
                if self._queue:
                    return self._queue.popleft()
                self._woken = False
                self._ready.clear()
            await self._ready.wait()

    def offer(self, changes: list[Change]) -> None:
        """Called by the feed, on any thread."""
        with self._lock:
            if len(self._queue) + len(changes) > self._size:
                self._queue.clear()
                changes = [Change(changes[-1].id, RESYNC)]
            self._queue.extend(changes)
            if self._woken:
                return
            self._woken = True
        try:
            self._loop.call_soon_threadsafe(self._ready.set)
        except RuntimeError:  # its loop has ended: nobody listens any more
            self.close()

    def close(self) -> None:
        """Leave the feed; harmless when done twice."""
        self._feed.leave(self)

    def __enter__(self) -> Subscription:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        fault: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()


class Feed:
    """The fan-out. `publish` from any thread, `subscribe` on an event loop."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._watchers: frozenset[Subscription] = frozenset()
        self._last = 0

    def publish(self, kind: str, data: dict[str, Any]) -> None:
        """One change, seen by every present watcher."""
        self.publish_all([(kind, data)])

    def publish_all(self, changes: Iterable[tuple[str, dict[str, Any]]]) -> None:
        """Several changes in order, with one wake-up a watcher."""
        with self._lock:
            made = []
            for kind, data in changes:
                self._last += 1
                made.append(Change(self._last, kind, data))
            watchers = self._watchers
        if made:
            for watcher in watchers:
                watcher.offer(made)

    def subscribe(self, size: int = 1000) -> Subscription:
        """A new watcher on the running loop, from the next change on."""
        watcher = Subscription(self, asyncio.get_running_loop(), size)
        with self._lock:
            self._watchers |= {watcher}
        return watcher

    def leave(self, watcher: Subscription) -> None:
        with self._lock:
            self._watchers -= {watcher}

    @property
    def watchers(self) -> int:
        """How many watch now."""
        return len(self._watchers)
