"""What a server has taken, but may still lose.

InfluxDB answers when a batch is on its disk. VictoriaMetrics answers before: killed within the next
seconds it has forgotten what it took. So a batch is booked only after some seconds in which that
server was not started anew; if it was, everything that is not booked goes out once more.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence

import structlog

from gateway.influx.books import Batch, Refused

log = structlog.get_logger()

Settled = tuple[Batch, Sequence[Refused]]


class Settling:
    """`started()`: when the server was started, 0 where it needs no settling, None where it does
    not answer. `book` writes what is settled, False where it could not."""

    def __init__(
        self,
        started: Callable[[], float | None],
        settle_s: float,
        book: Callable[[Sequence[Settled]], bool],
    ) -> None:
        self._ask, self._settle_s, self._book = started, settle_s, book
        self._started: float | None = None
        self._held: list[tuple[float, Settled]] = []
        self.head: int | None = None
        """How far the journal is sent; None: as far as is booked."""

    def __bool__(self) -> bool:
        """Whether something is held."""
        return bool(self._held)

    @property
    def flying(self) -> set[int]:
        """What is sent apart from the rest, and held."""
        return {
            one.event for _, (batch, _) in self._held if batch.upto is None for one in batch.owed
        }

    def ready(self) -> bool:
        """Before a batch is sent: know which start of the server takes it. False without answer."""
        if self._started is None:
            self._started = self._ask()
        return self._started is not None

    def hold(self, batch: Batch, refused: Sequence[Refused]) -> bool:
        """A batch was taken. False where it should have been booked at once, and could not."""
        if not self._started:
            return self._book([(batch, refused)])
        if batch.upto is not None:
            self.head = batch.upto
            batch = Batch((), batch.upto, batch.later)  # its lines are not needed any more
        self._held.append((time.monotonic(), (batch, refused)))
        return True

    def look(self) -> None:
        """Book what is settled, or begin again where the server has been started anew."""
        before = time.monotonic() - self._settle_s
        due = [settled for at, settled in self._held if at <= before]
        if not due:
            return
        started = self._ask()
        if started is None:
            return
        if started != self._started:
            log.info("influx.restarted", again=len(self._held))
            self._started, self.head = started, None
            self._held.clear()
        elif self._book(due):
            del self._held[: len(due)]
