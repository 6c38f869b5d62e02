"""Two slots of firmware, `a` and `b`: a signed update goes into the other one, and on trial.

A slot's file `slot` says which one is in use: `{"now", "trial", "tries"}`. It is replaced by one
rename, so that a power cut leaves the old state or the new one. A slot on trial is booted once: if
it does not call itself `good` in that boot, the next boot goes back.

The flash's own `main.py` is not part of a slot:
`slot = Slots("").boot(); sys.path.insert(0, "/" + slot); from firmware import board; board.run()`.
"""

import binascii
import hashlib
import json
import os

from firmware import manifest

SLOTS = ("a", "b")
PIECE = 1024


class Slots:
    """The state of the slots below `folder` (no slash at its end)."""

    def __init__(self, folder):
        self._folder = folder
        self.now, self.trial, self.tries = SLOTS[0], None, 0
        try:
            with open(folder + "/slot") as file:
                kept = json.loads(file.read())
            if kept["now"] in SLOTS and kept["trial"] in (None,) + SLOTS:
                self.now, self.trial = kept["now"], kept["trial"]
                self.tries = int(kept["tries"])
        except (OSError, ValueError, KeyError, TypeError):
            pass  # a new flash: slot a

    def _save(self):
        kept = {"now": self.now, "trial": self.trial, "tries": self.tries}
        with open(self._folder + "/slot.t", "w") as file:
            file.write(json.dumps(kept))
        os.rename(self._folder + "/slot.t", self._folder + "/slot")

    def boot(self):
        """The slot to start, counted before it starts. After a failed trial: the old one."""
        if self.trial is None:
            return self.now
        if self.tries:
            self.trial, self.tries = None, 0
            self._save()
            return self.now
        self.tries = 1
        self._save()
        return self.trial

    def good(self):
        """The boot on trial has passed its self-test: from now on it is the one in use."""
        if self.trial is not None and self.tries:
            self.now, self.trial, self.tries = self.trial, None, 0
            self._save()

    def spare(self):
        """The slot that an update may overwrite. Refused while one is on trial."""
        if self.trial is not None:
            raise manifest.Refused("an update is on trial")
        return SLOTS[1 - SLOTS.index(self.now)]

    def begin_trial(self, slot):
        """The next boot starts `slot`."""
        self.trial, self.tries = slot, 0
        self._save()


class Update:
    """One update being written: `write` each file in pieces, then `finish`.

    Refused with the reason by a manifest that is not for this device; nothing is erased before it
    has been judged. OSError for a full flash. A cut update begins again from nothing.
    """

    def __init__(self, folder, raw, signature, public, board, running):
        self._slots = Slots(folder)
        slot = self._slots.spare()
        self._files = manifest.checked(raw, signature, public, board, running)["files"]
        self._slot = slot
        self._base = folder + "/" + slot
        _clear(self._base)
        self._left = {name: self._files[name][0] for name in self._files}

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


def _clear(path):
    """Remove a folder and all below it, then make it anew."""
    _remove(path)
    os.mkdir(path)


def _remove(path):
    try:
        names = os.listdir(path)
    except OSError:
        return  # no folder
    for name in names:
        below = path + "/" + name
        if os.stat(below)[0] & 0x4000:
            _remove(below)
        else:
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
