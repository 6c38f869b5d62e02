"""When a reading becomes an event: states at boot, at each change and again; samples paced.

What is not read any more is not told again either: its age in `health` tells of it.
Pure: every call gets `now` (ms of uptime) and gives back events as (kind, fields).
"""

from firmware import wire

REPEAT_MS = 270000  # at least every 5 min
BATTERY_REPEAT_MS = 12 * 3600000
FAST_MS = 10000  # a sample that moved
SLOW_MS = 60000  # a sample that stands still
FRESH_MS = 10000  # a reading that is older is not told as that of now
STEP_MS = 1000  # a step of power must last so long, and is told within 2 s
STEP_W = 50
STEP_PART = 0.1
# what may stop answering, and has an age; a contact's pin is read in every turn
SENSED = (wire.POWER, wire.LUX, wire.CLIMATE, wire.PRESENCE)
_MAIN = {wire.POWER: "w", wire.LUX: "lx", wire.CLIMATE: "c"}
_LEAST = {wire.POWER: 0.5, wire.LUX: 5, wire.CLIMATE: 0.2}  # what counts as moved

# (free blocks at most, least ms between two samples of a channel); none at all below the last
THINNING = ((29, 60000), (14, 300000), (6, 1800000))
NO_SAMPLES = 2


def spacing(room):
    """Least ms between two samples of one channel with `room` blocks left; None: no samples."""
    if room <= NO_SAMPLES:
        return None
    least = 0
    for most, ms in THINNING:
        if room <= most:
            least = ms
    return least


def is_step(sent, value):
    """True for a step that must be told at once: 50 W, or 10 % (and more than 1 W)."""
    change = abs(value - sent)
    return change >= STEP_W or (change >= 1 and change >= STEP_PART * abs(sent))


class _State:
    def __init__(self, kind, fields):
        self.kind = kind
        self.fields = fields
        self.at = 0


class _Sample:
    def __init__(self, kind):
        self.kind = kind
        self.fields = None  # the latest reading
        self.sent = None
        self.at = 0
        self.step_at = None  # since when it stands a step away from what was sent


class Reporter:
    """What was last told of each channel, and what is due."""

    def __init__(self, battery=False):
        self._battery = battery
        self._repeat = BATTERY_REPEAT_MS if battery else REPEAT_MS
        self._slow = BATTERY_REPEAT_MS if battery else SLOW_MS
        self._states = {}
        self._samples = {}
        self._read = {}  # (kind, ch) of what is sensed -> when it was last read, None: never
        self._spacing = 0
        self.thinned = 0

    def thin(self, room):
        """Tell how many blocks of flash are left."""
        self._spacing = spacing(room)

    def spacing(self):
        """Least ms between two samples of one channel; None: none at all."""
        return self._spacing

    def expect(self, kind, ch):
        """A channel that is to be read: one that never is stands in `ages` as well."""
        if kind in SENSED:
            self._read.setdefault((kind, ch))

    def still(self, now, ch):
        """A state was read again and has not changed."""
        if (wire.PRESENCE, ch) in self._read:
            self._read[(wire.PRESENCE, ch)] = now

    def state(self, now, kind, fields, key=None, again=False):
        """A state as read now; an event where it is new or differs (or `again`)."""
        key = key or (kind, fields.get("ch"), fields.get("what"))
        if kind in SENSED:
            self._read[key[:2]] = now
        told = self._states.get(key)
        if told and told.fields == fields and not again:
            return []
        told = _State(kind, fields)
        told.at = now
        self._states[key] = told
        return [(kind, fields)]

    def known(self, kind, ch):
        """The last told fields of a state, or None."""
        told = self._states.get((kind, ch, None))
        return told.fields if told else None

    def sample(self, now, kind, fields):
        """A reading of power, lux or climate; an event where it is the channel's first."""
        key = (kind, fields["ch"])
        sample = self._samples.get(key)
        if not sample:
            sample = self._samples[key] = _Sample(kind)
        sample.fields = fields
        self._read[key] = now
        if sample.sent is None:
            return self._send(sample, now)
        if kind == wire.POWER and is_step(sample.sent["w"], fields["w"]):
            if sample.step_at is None:
                sample.step_at = now
        else:
            sample.step_at = None
        return []

    def _send(self, sample, now):
        if self._spacing is None or (sample.sent is not None and now - sample.at < self._spacing):
            self.thinned += 1
            if sample.sent is None:
                sample.sent = sample.fields
            sample.at = now if self._spacing is None else sample.at
            sample.step_at = None
            return []
        sample.sent = sample.fields
        sample.at = now
        sample.step_at = None
        return [(sample.kind, sample.fields)]

    def _due_at(self, sample):
        if sample.step_at is not None:
            return sample.step_at + STEP_MS
        name = _MAIN[sample.kind]
        moved = abs(sample.fields[name] - sample.sent[name]) >= _LEAST[sample.kind]
        due = sample.at + (FAST_MS if moved else self._slow)
        if self._spacing:
            due = max(due, sample.at + self._spacing)
        return due

    def due(self, now):
        """Repeats of states and samples whose time has come."""
        events = []
        for key in self._states:
            told = self._states[key]
            if now - told.at >= self._repeat and self._is_read(now, key, told.at):
                told.at = now
                events.append((told.kind, told.fields))
        for key in self._samples:
            sample = self._samples[key]
            if now >= self._due_at(sample) and self._is_read(now, key, sample.at):
                events += self._send(sample, now)
        return events

    def _is_read(self, now, key, since):
        """Whether it was read of late and after `since`; what has no age is read in every turn."""
        read = self._read.get(key[:2])
        return read is None or (read > since and now - read <= FRESH_MS)

    def next_due(self, now):
        """Ms until something is due, at most a minute."""
        wait = 60000
        for key in self._states:
            told = self._states[key]
            if self._is_read(now, key, told.at):
                wait = min(wait, told.at + self._repeat - now)
        for key in self._samples:
            sample = self._samples[key]
            if self._is_read(now, key, sample.at):
                wait = min(wait, self._due_at(sample) - now)
        return max(wait, 0)

    def ages(self, now):
        """Seconds since each sensed channel was last read; None where this boot never has."""
        ages = {}
        for key in self._read:
            read = self._read[key]
            ages[key[1]] = None if read is None else (now - read) // 1000
        return ages
