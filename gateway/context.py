"""What the pipeline hands to those who read and ask: the HTTP side sees the house through this."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol, TypeVar

from prometheus_client import CollectorRegistry

from gateway.live import Feed
from gateway.site import Site

T = TypeVar("T")


class Submit(Protocol):
    """Runs a function in the one writer's transaction; the future is done after its commit.

    What the function raises undoes only what it wrote itself and comes out of the future.
    """

    def __call__(self, work: Callable[[sqlite3.Connection, int], T]) -> Future[T]: ...


@dataclass(frozen=True, slots=True)
class Context:
    """One running gateway.

    `now()` is the house's clock in Unix ms (it may start elsewhere and run fast: `--from`,
    `--speed`); `reader()` is the calling thread's own read-only connection, rows as sqlite3.Row;
    `health()` is empty while all is well, else {part: reason}.
    """

    site: Site
    calendar: Any
    now: Callable[[], int]
    speed: float
    data: Path
    config: Path
    submit: Submit
    reader: Callable[[], sqlite3.Connection]
    live: Feed
    metrics: CollectorRegistry
    health: Callable[[], dict[str, str]]
