"""The disk under the data: how much is left, and a reserve that alerts may still use.

Below the floor readings wait at the devices, and everything else is stored as before.
Where a write finds no room at all, the reserve is given up: alerts, doors and ratings live on it.
"""

from __future__ import annotations

import contextlib
import os
import shutil
from collections import deque
from pathlib import Path

RESERVE = "reserve"
MB = 1_000_000
_FLOOR_MOST, _FLOOR_SHARE = 256 * MB, 0.05
_RESERVE_MOST = 16 * MB


def floor_of(total: int) -> int:
    """Bytes of a file system of so many that are to be left free, where the site says nothing."""
    return min(_FLOOR_MOST, int(total * _FLOOR_SHARE))


class Disk:
    """The file system of `data`. `floor`: bytes to be left free; None: 5 % of it, at most 256 MB.

    `look` and `hold` belong to one thread, `release` to the writer's; `low` and `free` are read
    by any.
    """

    def __init__(self, data: Path, floor: int | None = None) -> None:
        self._path = data / RESERVE
        self._data = data
        self._floor = floor
        self.floor = floor or 0
        self.free = 0
        self.low = False

    def look(self) -> None:
        """Measure. Once low, it is well again only a quarter above the floor."""
        total, _, free = shutil.disk_usage(self._data)
        self.floor = self._floor or floor_of(total)
        self.free = free
        self.low = free < self.floor + (self.floor // 4 if self.low else 0)

    def hold(self) -> None:
        """Set the reserve aside where there is room for it above the floor."""
        size = min(_RESERVE_MOST, self.floor // 2)
        if size <= 0 or self._path.exists() or self.free < 2 * self.floor:
            return
        part = self._path.with_name(RESERVE + ".part")
        try:
            with open(part, "wb") as file:
                os.posix_fallocate(file.fileno(), 0, size)
            part.replace(self._path)
        except OSError:  # no room after all: the next look tells
            part.unlink(missing_ok=True)

    def release(self) -> bool:
        """Give the reserve up; False where it was gone already."""
        with contextlib.suppress(OSError):
            self._path.unlink()
            return True
        return False

    def said(self) -> str | None:
        """What is wrong with it, for a person."""
        if not self.low:
            return None
        return (
            f"nearly full: {self.free // MB} MB free of the {self.floor // MB} MB that are to be"
            " left; readings wait at the devices, alerts go on; free some room"
        )


class Latency:
    """Whether commits are slow: at least `MANY` of the last five minutes took over `SLOW_S`."""

    SLOW_S, MANY, WINDOW_S = 1.0, 5, 300.0

    def __init__(self) -> None:
        self._slow: deque[tuple[float, float]] = deque(maxlen=100)

    def note(self, seconds: float, mono: float) -> None:
        """One commit, ended at `mono` (real seconds)."""
        if seconds > self.SLOW_S:
            self._slow.append((mono, seconds))

    def worst(self, mono: float) -> float | None:
        """Seconds of the slowest one while commits are slow, else None."""
        while self._slow and self._slow[0][0] < mono - self.WINDOW_S:
            self._slow.popleft()
        return max(s for _, s in self._slow) if len(self._slow) >= self.MANY else None
