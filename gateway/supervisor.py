"""systemd's side of the house (sd_notify(3)): up, going, ending. Without systemd nothing happens.

The writer's loop feeds the watchdog with each of its passes, so that one that hangs brings a
restart; no timer does it for the loop. A pass that the disk refuses feeds it as well: a restart
mends no full disk, and /healthz tells of it.
"""

from __future__ import annotations

import contextlib
import os
import socket
from collections.abc import Mapping

PARTS = 4  # how often a watchdog's time is fed within


class Supervisor:
    """`environ` is the process's environment: NOTIFY_SOCKET, WATCHDOG_USEC, WATCHDOG_PID."""

    def __init__(self, environ: Mapping[str, str]) -> None:
        address = environ.get("NOTIFY_SOCKET", "")
        self._address = "\0" + address[1:] if address.startswith("@") else address
        mine = environ.get("WATCHDOG_PID", "") in ("", str(os.getpid()))
        usec = environ.get("WATCHDOG_USEC", "")
        self._every = int(usec) / 1e6 / PARTS if mine and usec.isdigit() else None
        self._fed = 0.0

    def up(self) -> None:
        """The house takes events and pages."""
        self._say("READY=1")

    def ending(self) -> None:
        """It was told to stop."""
        self._say("STOPPING=1")

    def alive(self, mono: float) -> None:
        """The loop has come round. `mono`: real seconds."""
        if self._every is not None and mono - self._fed >= self._every:
            self._fed = mono
            self._say("WATCHDOG=1")

    def _say(self, text: str) -> None:
        if not self._address:
            return
        with (
            contextlib.suppress(OSError),  # a supervisor that does not listen is no fault of ours
            socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as door,
        ):
            door.setblocking(False)
            door.sendto(text.encode(), self._address)
