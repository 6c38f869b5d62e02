"""Parts: what turns a driver's values into readings, and commands into a driver's calls.

A part has `name`, `poll(now)` -> [reading, …] and, where it does something, `act(item)`; `now` is
real ms. `factory.py` builds each from its entry in board.json. Contacts are here; what else senses
is in `inputs.py`, what does something in `outputs.py`: a door's sensor on batteries has no room for
what it does not need.
"""


class Contact:
    """A reed, tilt, lock or detector contact: told when it changes and stays for `hold`."""

    def __init__(self, name, read, item, field, closed, hold=30, wake=None):
        self.name = name
        self.wake = wake
        self._read = read
        self._item = item
        self._field = field
        self._true = closed
        self._hold = hold
        self._told = None
        self._seen = None
        self._since = 0

    def poll(self, now):
        seen = self._read() == self._true
        if seen != self._seen:
            self._seen, self._since = seen, now
        if self._told is not None and now - self._since < self._hold:
            return []
        if seen == self._told:
            return []
        self._told = seen
        item = dict(self._item)
        item[self._field] = seen
        return [item]

    def level(self):
        """The pin's level as last told: it wakes on the other one, also if that has come since."""
        if self._told is None:
            return self._read()
        return self._true if self._told else 1 - self._true


class Battery:
    """Per cent by voltage, straight between `empty` and `full` (raw readings of the ADC)."""

    def __init__(self, read, empty, full):
        self.name = "battery"
        self._read = read
        self._empty = empty
        self._full = full

    def poll(self, now):
        return []

    def percent(self):
        part = (self._read() - self._empty) * 100 // (self._full - self._empty)
        return max(0, min(100, part))
