"""Which of the two slots of firmware boots. Imports nothing of the firmware: a copy of this file
lies at the flash's root, outside the slots, for `main.py`.

The file `slot` says which one is in use: `{"now", "trial", "tries"}`. It is replaced by one rename,
so that a power cut leaves the old state or the new one. A slot on trial is booted once: if it does
not call itself `good` in that boot, the next boot goes back.
"""

import json
import os

SLOTS = ("a", "b")


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

    def trying(self):
        """The boot that runs now is on trial."""
        return self.trial is not None and self.tries > 0

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
        """The slot that an update may overwrite; None while one is on trial."""
        if self.trial is not None:
            return None
        return SLOTS[1 - SLOTS.index(self.now)]

    def begin_trial(self, slot):
        """The next boot starts `slot`."""
        self.trial, self.tries = slot, 0
        self._save()
