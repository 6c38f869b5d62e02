"""Time on a device: a boot number, an uptime that never wraps, and the wall clock once learnt.

A boot's offset (Unix ms at its uptime 0) is learnt from the gateway's `time` and kept on flash, so
that events of an earlier boot still get their `t` when they are sent later.
"""

import json
import os

FLOOR = 1577836800000  # 2020-01-01: no gateway's clock stands before it
KEPT = 48  # boots whose offset is kept


class Boots:
    """The small file that outlives a boot: its number, crashes in a row, learnt offsets."""

    def __init__(self, folder):
        self._path = folder + "/boots"
        self.boot = 0
        self.crashes = 0
        self.offsets = {}

    def load(self):
        """Read the file; a missing or damaged one starts at nothing. Returns self."""
        for path in (self._path, self._path + ".t"):
            try:
                with open(path) as file:
                    kept = json.loads(file.read())
                self.boot = int(kept["boot"])
                self.crashes = int(kept["crashes"])
                self.offsets = {int(key): int(kept["offsets"][key]) for key in kept["offsets"]}
                return self
            except (OSError, ValueError, KeyError, TypeError):
                continue
        return self

    def save(self):
        """Write beside, then rename: a cut leaves the old file or the new one."""
        for boot in sorted(self.offsets)[:-KEPT]:
            del self.offsets[boot]
        offsets = {str(boot): self.offsets[boot] for boot in self.offsets}
        with open(self._path + ".t", "w") as file:
            kept = {"boot": self.boot, "crashes": self.crashes, "offsets": offsets}
            file.write(json.dumps(kept))
        os.rename(self._path + ".t", self._path)

    def latest(self):
        """The latest time (Unix ms) that any boot has learnt; 0 where none has."""
        return max(self.offsets.values()) if self.offsets else 0

    def begin(self):
        """A new boot: its number is on flash before anything else happens in it."""
        self.boot += 1
        self.save()
        return self


class Clock:
    """`ticks()` gives ms that wrap at `period` (a power of two); call `up` at least once a day."""

    def __init__(self, boots, ticks, period, slack=250):
        self._boots = boots
        self._ticks = ticks
        self._mask = period - 1
        self._slack = slack
        self._last = ticks()
        self._up = 0

    def up(self):
        """Milliseconds since this boot; never wraps, never goes back."""
        now = self._ticks()
        self._up += (now - self._last) & self._mask
        self._last = now
        return self._up

    def learn(self, t):
        """The gateway says it is `t` (Unix ms). True when this boot had not known the time."""
        if not isinstance(t, int) or isinstance(t, bool) or not FLOOR < t < 1 << 53:
            return False
        offset = t - self.up()
        boot = self._boots.boot
        known = self._boots.offsets.get(boot)
        if known is not None and abs(offset - known) <= self._slack:
            return False
        self._boots.offsets[boot] = offset
        self._boots.save()
        return known is None

    def now(self):
        """Unix ms, or None where this boot has not learnt the time."""
        return self.stamp(self._boots.boot, self.up())

    def stamp(self, boot, up):
        """The Unix ms of an uptime of this boot or an earlier one, or None."""
        offset = self._boots.offsets.get(boot)
        return None if offset is None else offset + up
