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
        into = self.registry
        self.messages = Counter("hallkeeper_messages", "MQTT messages received", registry=into)
        self.events = Counter(
            "hallkeeper_events", "Events stored, by kind", ["kind"], registry=into
        )
        self.duplicates = Counter("hallkeeper_duplicates", "Copies of stored events", registry=into)
        self.rejects = Counter(
            "hallkeeper_rejects", "Messages and logins turned away", registry=into
        )
        self.lost = Counter(
            "hallkeeper_lost_events", "Event numbers recorded as lost", registry=into
        )
        self.held_back = Counter(
            "hallkeeper_held_back",
            "Readings left at their devices while the disk is nearly full",
            registry=into,
        )
        self.acks = Counter("hallkeeper_acks", "Application acks sent", registry=into)
        self.faults = Counter(
            "hallkeeper_faults", "Failed turns and stages", ["part"], registry=into
        )
        self.broker_restarts = Counter(
            "hallkeeper_broker_restarts", "Broker started anew", registry=into
        )
        self.queue = Gauge("hallkeeper_queue", "Messages waiting for the writer", registry=into)
        self.commit = Histogram(
            "hallkeeper_commit_seconds",
            "Time of a turn's commit",
            buckets=(0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.5, 1, 3),
            registry=into,
        )
