"""74HC165 parallel-in shift register: eight keys on three pins, each key to ground.

Nexperia, "74HC165; 74HCT165", Rev. 6 of 23 April 2020: "Functional description", table 3 (PL low
loads; CP's rising edge shifts towards Q7, whose input D7 comes first).
"""


class Hc165:
    """`load` and `clock` take a level, `data()` gives one. Chip enable is wired low."""

    def __init__(self, load, clock, data):
        self._load = load
        self._clock = clock
        self._data = data
        self._last = None
        self._stable = 0

    def scan(self):
        """Bit n is set where key n (input Dn) is down."""
        self._clock(0)
        self._load(0)
        self._load(1)
        found = 0
        for _ in range(8):
            found = found << 1 | (0 if self._data() else 1)
            self._clock(1)
            self._clock(0)
        return found

    def pressed(self):
        """As `scan`, once two scans in a row agree: contacts bounce, wires catch sparks."""
        now = self.scan()
        if now == self._last:
            self._stable = now
        self._last = now
        return self._stable
