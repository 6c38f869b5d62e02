"""The log: JSON lines on stderr, each event only so often, so that no fault fills a disk."""

from __future__ import annotations

import contextlib
import json
import logging
import sys
import time
from collections.abc import MutableMapping
from typing import Any, TextIO, cast

import structlog

MOST, PER_S = 30, 60.0  # lines of one event a minute; critical ones are never held back


class Limit:
    """A structlog processor: drops what is over the limit, and says later how much that was."""

    def __init__(self, most: int = MOST, per_s: float = PER_S) -> None:
        self._most, self._per_s = most, per_s
        self._since: dict[str, float] = {}
        self._count: dict[str, int] = {}

    def __call__(
        self,
        logger: Any,  # noqa: ARG002 - structlog's order
        method: str,  # noqa: ARG002
        event: MutableMapping[str, Any],
    ) -> MutableMapping[str, Any]:
        """Raises structlog.DropEvent for a line too many."""
        return self.at(time.monotonic(), str(event.get("event")), event)

    def at(
        self, mono: float, name: str, event: MutableMapping[str, Any]
    ) -> MutableMapping[str, Any]:
        """The same at `mono`, in seconds."""
        over = 0
        if mono - self._since.get(name, -self._per_s) >= self._per_s:
            over = self._count.get(name, 0) - self._most
            self._since[name], self._count[name] = mono, 0
        self._count[name] += 1
        if self._count[name] > self._most:
            raise structlog.DropEvent
        if over > 0:
            event["left_out"] = over
        return event


def configure() -> None:
    """For the whole process."""
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            Limit(),
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.format_exc_info,
            structlog.processors.JSONRenderer(serializer=_json),
        ],
        wrapper_class=structlog.make_filtering_bound_logger(logging.INFO),
        logger_factory=structlog.WriteLoggerFactory(cast(TextIO, _Stderr())),
    )


class _Stderr:
    """Where the log goes. It may lie on the disk that is full: no word is worth the gateway."""

    def write(self, text: str) -> None:
        with contextlib.suppress(OSError):
            sys.stderr.write(text)

    def flush(self) -> None:
        with contextlib.suppress(OSError):
            sys.stderr.flush()


def _json(value: Any, **options: Any) -> str:
    return json.dumps(value, ensure_ascii=False, **options)
