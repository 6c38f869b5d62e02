"""Logins and messages that the broker turned away, for the audit: each one where they are few,
a count of them where they come in floods, so that no flood fills the disk."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

WINDOW_S = 60.0
EACH = 10  # rows of their own in a window


class Denied(NamedTuple):
    """A login, publish or subscription that the broker turned away."""

    at: int
    device: str | None
    topic: str  # empty for a login
    reason: str


class Denials:
    """Decides which of them get a row of the audit."""

    def __init__(self) -> None:
        self._began = float("-inf")
        self._told = self._more = 0

    def rows(self, denied: Sequence[Denied], mono: float) -> list[dict[str, Any]]:
        """What the rows are about; at most `EACH` and one that counts the rest in a window."""
        rows: list[dict[str, Any]] = []
        if mono - self._began >= WINDOW_S:
            if self._more:
                rows.append({"more": self._more})
            self._told = self._more = 0
            if denied:
                self._began = mono
        for one in denied:
            if self._told < EACH:
                self._told += 1
                rows.append({"device": one.device, "topic": one.topic, "reason": one.reason})
            else:
                self._more += 1
        return rows
