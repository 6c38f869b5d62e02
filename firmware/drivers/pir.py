"""PIR module HC-SR501: one output, high while something warm moves.

"HC-SR501 PIR motion detector" data sheet, "Instructions": about one minute after power-up the
output may go high by itself (warm-up); after a low it is blocked for 2.5 s by default.
"""

WARM_MS = 60000
HOLD_MS = 30000  # someone who sits still is still there


class Pir:
    """`read()` -> 0 or 1; `now()` -> ms."""

    def __init__(self, read, now, hold=HOLD_MS):
        self._read = read
        self._now = now
        self._began = now()
        self._seen = None
        self._hold = hold

    def present(self):
        """True, False, or None while it warms up."""
        now = self._now()
        if now - self._began < WARM_MS:
            return None
        if self._read():
            self._seen = now
        return self._seen is not None and now - self._seen < self._hold
