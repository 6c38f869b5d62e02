"""A signed update, written into the slot that is not in use, and put on trial (`slots.py`)."""

import binascii
import hashlib
import os

from firmware import manifest
from firmware.slots import Slots

PIECE = 1024


class Update:
    """One update being written: `write` each file in pieces, then `finish`.

    Refused with the reason by a manifest that is not for this device; nothing is erased before it
    has been judged. OSError for a full flash. A cut update begins again from nothing. `feed` is
    called now and then while something takes long.
    """

    def __init__(self, folder, raw, signature, public, board, running, feed=None):
        self._slots = Slots(folder)
        slot = self._slots.spare()
        if slot is None:
            raise manifest.Refused("an update is on trial")
        self._files = manifest.checked(raw, signature, public, board, running, feed)["files"]
        self._slot = slot
        self._base = folder + "/" + slot
        self._feed = feed
        _clear(self._base, feed)
        self._left = {name: self._files[name][0] for name in self._files}

    def files(self):
        """[(name, bytes), …], sorted by name."""
        return [(name, self._files[name][0]) for name in sorted(self._files)]

    def write(self, name, piece):
        """Append to one file. Refused for a file the manifest lacks, or more than its size."""
        if name not in self._left or len(piece) > self._left[name]:
            raise manifest.Refused("file " + name)
        self._left[name] -= len(piece)
        _make_parents(self._base, name)
        with open(self._base + "/" + name, "ab") as file:
            file.write(piece)

    def finish(self):
        """Read everything back from flash; where all of it is right, the next boot tries it."""
        for name in sorted(self._files):
            size, digest = self._files[name]
            if self._feed:
                self._feed()
            found = _digest(self._base + "/" + name)
            if found != (size, digest):
                raise manifest.Refused("file " + name)
        self._slots.begin_trial(self._slot)


def _digest(path):
    """(bytes, SHA-256 hex) of a file; (0, "") without one."""
    made = hashlib.sha256()
    size = 0
    try:
        with open(path, "rb") as file:
            while True:
                piece = file.read(PIECE)
                if not piece:
                    break
                size += len(piece)
                made.update(piece)
    except OSError:
        return 0, ""
    return size, binascii.hexlify(made.digest()).decode()


def _clear(path, feed):
    """Remove a folder and all below it, then make it anew."""
    _remove(path, feed)
    os.mkdir(path)


def _remove(path, feed):
    try:
        names = os.listdir(path)
    except OSError:
        return  # no folder
    for name in names:
        below = path + "/" + name
        if os.stat(below)[0] & 0x4000:
            _remove(below, feed)
        else:
            if feed:
                feed()
            os.remove(below)
    os.rmdir(path)


def _make_parents(base, name):
    at = name.find("/")
    while at > 0:
        try:
            os.mkdir(base + "/" + name[:at])
        except OSError:
            pass  # it is there
        at = name.find("/", at + 1)
