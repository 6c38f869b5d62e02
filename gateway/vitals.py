"""How the gateway itself is: what is wrong now, and what it has counted."""

from __future__ import annotations

import threading

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram


class Health:
    """{part: reason} of what is wrong; empty while all is well. Safe on any thread."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._wrong: dict[str, str] = {}

    def note(self, part: str, reason: str | None) -> None:
        """What is wrong with a part, or None once it is right again."""
        with self._lock:
            if reason is None:
                self._wrong.pop(part, None)
            else:
                self._wrong[part] = reason

    def __call__(self) -> dict[str, str]:
        with self._lock:
            return dict(self._wrong)


class Metrics:
    """The pipeline's own figures, in a registry of its own."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        made = {"registry": self.registry}
        self.messages = Counter("hallkeeper_messages", "MQTT messages received", **made)
        self.events = Counter("hallkeeper_events", "Events stored, by kind", ["kind"], **made)
        self.duplicates = Counter("hallkeeper_duplicates", "Copies of stored events", **made)
        self.rejects = Counter("hallkeeper_rejects", "Messages and logins turned away", **made)
        self.lost = Counter("hallkeeper_lost_events", "Event numbers recorded as lost", **made)
        self.acks = Counter("hallkeeper_acks", "Application acks sent", **made)
        self.faults = Counter("hallkeeper_faults", "Failed turns and stages", ["part"], **made)
        self.broker_restarts = Counter("hallkeeper_broker_restarts", "Broker started anew", **made)
        self.queue = Gauge("hallkeeper_queue", "Messages waiting for the writer", **made)
        self.commit = Histogram(
            "hallkeeper_commit_seconds",
            "Time of a turn's commit",
            buckets=(0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.5, 1, 3),
            **made,
        )
