"""When a device is told how far its log is stored: after each commit, at most twice a second."""

from __future__ import annotations

EVERY_S = 0.5


class AckBook:
    """Which logs are to be acknowledged, and when each device may next hear of it."""

    def __init__(self) -> None:
        self._due: dict[str, dict[str, None]] = {}
        self._not_before: dict[str, float] = {}

    def add(self, device: str, log: str) -> None:
        """This log is to be acknowledged, also if its pointer has not moved."""
        self._due.setdefault(device, {})[log] = None

    def ready(self, now: float) -> list[tuple[str, str]]:
        """(device, log) to be sent at `now`, a monotonic time in seconds: one for each device, of
        several logs the one that has waited longest."""
        out = []
        for device in [d for d in self._due if self._not_before.get(d, 0.0) <= now]:
            logs = self._due[device]
            log = next(iter(logs))
            del logs[log]
            if not logs:
                del self._due[device]
            self._not_before[device] = now + EVERY_S
            out.append((device, log))
        return out

    def next_at(self) -> float | None:
        """When the next is due; None with nothing to send."""
        if not self._due:
            return None
        return min(self._not_before.get(device, 0.0) for device in self._due)
