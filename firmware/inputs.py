"""Parts that sense by a chip: meters, light and climate, presence, keys, cards (see `parts.py`)."""

SLOW_MS = 2000  # between two readings of lux or climate; a presence that stays is told so often


class Sensor:
    """A driver that is asked every `every` ms; `read()` -> fields or None, OSError, ValueError."""

    def __init__(self, name, ch, read, every):
        self.name = name
        self._ch = ch
        self._read = read
        self._every = every
        self._at = None

    def poll(self, now):
        if self._at is not None and now - self._at < self._every:
            return []
        self._at = now
        item = self._read()
        if item is None:  # the first measurement runs
            return []
        item["ch"] = self._ch
        return [item]


class Meters:
    """The meters of one line (`Pzems`): each step gives at most one circuit's reading."""

    def __init__(self, line):
        self.name = "pzem004t"
        self.poll = line.poll


class Presence:
    """A radar or PIR: `feed()` -> True, False, or None where it knows nothing new. One that says
    the same again is alive: `still`."""

    def __init__(self, name, ch, feed):
        self.name = name
        self._ch = ch
        self._feed = feed
        self._told = None
        self._at = 0

    def poll(self, now):
        seen = self._feed()
        if seen is None:
            return []
        if seen == self._told:
            if now - self._at < SLOW_MS:
                return []
            self._at = now
            return [{"ch": self._ch, "still": True}]
        self._told, self._at = seen, now
        return [{"ch": self._ch, "present": seen}]


class Keys:
    """Five keys at a shift register: each press once, by `levels` or `names` of the keys."""

    def __init__(self, pressed, items):
        self.name = "hc165"
        self._pressed = pressed
        self._items = items
        self._down = 0

    def poll(self, now):
        down = self._pressed()
        new, self._down = down & ~self._down, down
        found = []
        for bit, item in enumerate(self._items):
            if new >> bit & 1:
                item = dict(item)
                if "press" in item:
                    item["ms"] = now
                found.append(item)
        return found


class Reader:
    """A card reader: `look()` -> the tag's hex or None. A card that stays is one tap."""

    def __init__(self, look, every=250):
        self.name = "pn532"
        self._look = look
        self._every = every
        self._at = 0
        self._last = None

    def poll(self, now):
        if now - self._at < self._every:
            return []
        self._at = now
        tag = self._look()
        was, self._last = self._last, tag
        return [{"tap": tag, "ms": now}] if tag and tag != was else []
