"""Becomes one device: run as `python -I -S launch.py`, it turns this process into MicroPython.

A script of its own without imports of the package, so that a device starts in milliseconds. The
process is the device: `kill -9` hits the firmware itself.
"""

from __future__ import annotations

import json
import os
import signal
import stat
import sys

RESTART = 75
# As a board's main.py: the slot that is in use, or on trial, else the firmware that came with us.
# `FIRMWARE` is its folder.
BOOT = """\
import sys
sys.path.insert(0, FIRMWARE)
from slots import Slots
sys.path.pop(0)
slots = Slots(".")
sys.path.insert(0, slots.boot())
try:
    from firmware import host
    host.run()
except Exception as fault:
    if not slots.trying():
        raise
    sys.print_exception(fault, sys.stderr)
    sys.exit(75)
"""


def _nonblocking(fd: int, flags: int) -> None:
    """Give a pipe or terminal its own non-blocking description; leave anything else."""
    mode = os.fstat(fd).st_mode
    if not (stat.S_ISFIFO(mode) or os.isatty(fd)):
        return
    try:
        new = os.open(f"/proc/self/fd/{fd}", flags | os.O_NONBLOCK)
    except OSError:
        return
    os.dup2(new, fd)
    os.close(new)


def main() -> int:
    options = json.loads(os.environ["HALLKEEPER_HOST"])
    sys.path[:0] = [options["site_packages"]]
    import micropython_run  # type: ignore[import-not-found]

    _nonblocking(0, os.O_RDONLY)
    _nonblocking(1, os.O_WRONLY)
    _nonblocking(2, os.O_WRONLY)
    reading, writing = os.pipe()
    os.set_blocking(reading, False)
    os.set_blocking(writing, False)
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: None)
    signal.set_wakeup_fd(writing)
    options["stop"] = reading
    os.environ["HALLKEEPER_HOST"] = json.dumps(options)
    os.environ["MICROPYPATH"] = ".frozen:" + options["firmware"]
    os.chdir(options["folder"])
    boot = BOOT.replace("FIRMWARE", repr(options["firmware"] + "/firmware"))
    code = int(micropython_run.run_main(["micropython", "-X", "heapsize=1m", "-c", boot]))
    if code == RESTART:
        os.close(reading)
        os.close(writing)
        options["reset"] = "soft"
        os.environ["HALLKEEPER_HOST"] = json.dumps(options)
        os.execv(sys.executable, [sys.executable, "-I", "-S", __file__])
    return code


if __name__ == "__main__":
    sys.exit(main())
