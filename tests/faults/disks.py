"""Disks that are small, that lose their power, and system calls that fail: what needs root is
tried, and skips with the system's own words where it is not allowed."""

from __future__ import annotations

import contextlib
import fcntl
import os
import shutil
import signal
import struct
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.parts import stop
from tests.waiting import wait_for

_SHUTDOWN = 0x8004587D  # FS_IOC_SHUTDOWN
_NO_LOG_FLUSH = 2


def strace() -> str:
    found = shutil.which("strace")
    assert found is not None, "strace is missing; `make setup` installs it"
    return found


@contextlib.contextmanager
def injecting(pid: int, calls: str, what: str, folder: Path) -> Iterator[None]:
    """System calls of a process fail, wait or kill it, as strace's `inject` says."""
    said = folder / "strace"
    with open(said, "wb") as err:
        process = subprocess.Popen(
            [
                *(strace(), "-f", "-p", str(pid), "-e", f"trace={calls}"),
                *("-e", f"inject={calls}:{what}"),
            ],
            stderr=err,
        )
    wait_for(lambda: said.stat().st_size > 0, "strace to attach")
    if "attached" not in said.read_text():
        stop(process)
        pytest.skip(f"strace may not attach here: {said.read_text().strip()}")
    try:
        yield
    finally:
        process.send_signal(signal.SIGINT)
        process.wait()


def mounted(*arguments: str) -> None:
    done = subprocess.run(["mount", *arguments], capture_output=True, text=True, check=False)
    if done.returncode:
        pytest.skip(f"nothing may be mounted here (root may): {done.stderr.strip()}")


def unmounted(folder: Path) -> None:
    subprocess.run(["umount", str(folder)], check=True)


@contextlib.contextmanager
def small_disk(folder: Path, megabytes: int) -> Iterator[Path]:
    """A tmpfs of so many MB."""
    folder.mkdir()
    mounted("-t", "tmpfs", "-o", f"size={megabytes}m", "none", str(folder))
    try:
        yield folder
    finally:
        subprocess.run(["umount", "-l", str(folder)], check=True)


class Disk:
    """An ext4 whose power can be cut: what was not synced is gone."""

    def __init__(self, image: Path, folder: Path) -> None:
        self.image, self.folder = image, folder

    def cut(self) -> None:
        """Nothing is written from now on, not even what is in memory."""
        handle = os.open(self.folder, os.O_RDONLY)
        try:
            fcntl.ioctl(handle, _SHUTDOWN, struct.pack("I", _NO_LOG_FLUSH))
        finally:
            os.close(handle)

    def power_on(self) -> None:
        """Mount what is there; everything that had a file open must have ended."""
        unmounted(self.folder)
        mounted("-o", "loop", str(self.image), str(self.folder))


@contextlib.contextmanager
def ext4(folder: Path) -> Iterator[Disk]:
    """ext4 on a loop device, its image in a tmpfs."""
    with small_disk(folder, 96) as ram:
        image, where = ram / "image", folder.with_name(folder.name + ".disk")
        with open(image, "wb") as file:
            file.truncate(64 << 20)
        subprocess.run(["mkfs.ext4", "-q", str(image)], check=True)
        where.mkdir()
        mounted("-o", "loop", str(image), str(where))
        try:
            yield Disk(image, where)
        finally:
            unmounted(where)


def fill(ballast: Path, leave: int = 0) -> None:
    """Write until so many bytes are free."""
    with open(ballast, "ab", buffering=0) as file, contextlib.suppress(OSError):
        while shutil.disk_usage(ballast.parent).free > leave:
            file.write(b"\0" * 4096)
