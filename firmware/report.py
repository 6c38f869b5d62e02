"""When a reading becomes an event: states at boot, at each change and again; samples paced.

Pure: every call gets `now` (ms of uptime) and gives back events as (kind, fields).
"""

from firmware import wire

REPEAT_MS = 270000  # at least every 5 min
BATTERY_REPEAT_MS = 12 * 3600000
FAST_MS = 10000  # a sample that moved
SLOW_MS = 60000  # a sample that stands still
STEP_MS = 1000  # a step of power must last so long, and is told within 2 s
STEP_W = 50
STEP_PART = 0.1
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
        self.read_at = 0
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
        self._spacing = 0
        self.thinned = 0

    def thin(self, room):
        """Tell how many blocks of flash are left."""
        self._spacing = spacing(room)

    def spacing(self):
        """Least ms between two samples of one channel; None: none at all."""
        return self._spacing

    def state(self, now, kind, fields, key=None, again=False):
        """A state as read now; an event where it is new or differs (or `again`)."""
        key = key or (kind, fields.get("ch"), fields.get("what"))
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
        sample.read_at = now
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
        for told in self._states.values():
            if now - told.at >= self._repeat:
                told.at = now
                events.append((told.kind, told.fields))
        for sample in self._samples.values():
            if now >= self._due_at(sample):
                events += self._send(sample, now)
        return events

    def next_due(self, now):
        """Ms until something is due, at most a minute."""
        wait = 60000
        for told in self._states.values():
            wait = min(wait, told.at + self._repeat - now)
        for sample in self._samples.values():
            wait = min(wait, self._due_at(sample) - now)
        return max(wait, 0)

    def ages(self, now):
        """Seconds since each sampled channel was last read."""
        return {key[1]: (self._samples[key].read_at * -1 + now) // 1000 for key in self._samples}
