"""Parts: what turns a driver's values into readings, and commands into a driver's calls.

A part has `name`, `poll(now)` -> [reading, …] and, where it does something, `act(item)`; `now` is
real ms. `make(wiring, board, relay_boot)` builds one from its entry in board.json.
"""

SLOW_MS = 2000  # between two readings of lux or climate


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
    """A radar or PIR: `feed()` -> True, False, or None where it knows nothing new."""

    def __init__(self, name, ch, feed):
        self.name = name
        self._ch = ch
        self._feed = feed
        self._told = None

    def poll(self, now):
        seen = self._feed()
        if seen is None or seen == self._told:
            return []
        self._told = seen
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


class Relay:
    """A contactor's coil; `invert` where a low level pulls it.

    `feedback`: the `Contact` on its auxiliary contact, where one is wired.
    """

    def __init__(self, ch, write, invert, feedback=None):
        self.name = "relay"
        self._feedback = feedback
        self._ch = ch
        self._write = write
        self._invert = invert

    def poll(self, now):
        return self._feedback.poll(now) if self._feedback else []

    def act(self, item):
        if item.get("ch") == self._ch and "on" in item:
            self._write(1 if item["on"] != self._invert else 0)


class Lamp:
    """A light: on for any `led` but `off`."""

    def __init__(self, write):
        self.name = "lamp"
        self._write = write

    def poll(self, now):
        return []

    def act(self, item):
        if "led" in item:
            self._write(0 if item["led"] == "off" else 1)


class Buzzer:
    """Sounds as (hertz, ms) steps; `alarm` goes on until `off`."""

    SOUNDS = {
        "thanks": ((1760, 80), (2349, 120)),
        "alarm": ((2700, 300), (0, 200)),
        "ok": ((2349, 60),),
        "bad": ((400, 300),),
    }

    def __init__(self, play):
        self.name = "buzzer"
        self._play = play
        self._steps = ()
        self._at = 0
        self._until = None
        self._loop = False

    def act(self, item):
        if "sound" not in item:
            return
        sound = item["sound"]
        self._steps = () if sound == "off" else self.SOUNDS.get(sound, self.SOUNDS["ok"])
        self._loop = sound == "alarm"
        self._at = 0
        self._until = None
        if not self._steps:
            self._play(0)

    def poll(self, now):
        if not self._steps or (self._until is not None and now < self._until):
            return []
        if self._at >= len(self._steps):
            if not self._loop:
                self._steps = ()
                self._play(0)
                return []
            self._at = 0
        hertz, ms = self._steps[self._at]
        self._play(hertz)
        self._until = now + ms
        self._at += 1
        return []


class Screen:
    """A display that shows what `show` says."""

    def __init__(self, display):
        self.name = "ssd1306"
        self._display = display

    def poll(self, now):
        return []

    def act(self, item):
        if "show" in item:
            self._display.text(item["show"])


class Remote:
    """An infra-red sender: an air conditioner's state as one frame of its make.

    `listen()` -> marks and spaces of a frame that was heard, or None: the people's own remote.
    Its own frame comes back by the receiver and is no news; frames of other makes are noise.
    """

    def __init__(self, ch, send, make, listen=None):
        self.name = "ir"
        self._ch = ch
        self._send = send
        self._make = make
        self._listen = listen
        self._sent = None

    def poll(self, now):
        times = self._listen() if self._listen else None
        if not times:
            return []
        from firmware.drivers import ir

        try:
            state = ir.parse(self._make, times)
        except ValueError:
            return []
        echo, self._sent = state == self._sent, None
        if echo:
            return []
        state["ch"] = self._ch
        state["src"] = "heard"
        return [state]

    def act(self, item):
        if item.get("ch") == self._ch and "mode" in item:
            from firmware.drivers import ir

            self._send(ir.frame(self._make, item["on"], item["mode"], item["set"]))
            self._sent = {name: item[name] for name in ("on", "mode", "set")}


_CONTACTS = {
    # part: (fields beside ch, the field, the pin's level that makes it true)
    "contact": ("open", 1),
    "lock": ("locked", 0),
    "detector": ("active", 0),
    "tilt": ("moved", 1),
    "running": ("on", 0),
}


def _contact(wiring, board):
    what = wiring["part"]
    field, level = _CONTACTS[what]
    item = {} if what == "tilt" else {"ch": wiring["ch"]}
    if what == "detector":
        item["what"] = wiring["what"]
    wake = wiring["pin"] if what == "contact" else None
    read = board.pin_in(wiring["pin"])
    return Contact(what, read, item, field, wiring.get("level", level), wake=wake)


def make(wiring, board, relay_boot):
    """The part of one entry of board.json's `parts`. KeyError names what the entry lacks."""
    what = wiring["part"]
    if what in _CONTACTS:
        return _contact(wiring, board)
    if what == "relay":
        invert = bool(wiring.get("invert"))
        level = 1 if relay_boot != invert else 0
        feedback = None
        if "feedback" in wiring:
            read = board.pin_in(wiring["feedback"])
            closed = wiring.get("closed", 0)
            feedback = Contact(what, read, {"ch": wiring["ch"]}, "on", closed)
        return Relay(wiring["ch"], board.pin_out(wiring["pin"], level), invert, feedback)
    if what == "lamp":
        return Lamp(board.pin_out(wiring["pin"], 0))
    if what == "battery":
        return Battery(board.adc(wiring["pin"]), wiring["empty"], wiring["full"])
    if what == "buzzer":
        return Buzzer(board.tone(wiring["pin"]))
    if what == "ir":
        listen = board.heard(wiring["receiver"]) if "receiver" in wiring else None
        return Remote(wiring["ch"], board.pulses(wiring["pin"]), wiring["make"], listen)
    return _driven(what, wiring, board)


def _driven(what, wiring, board):
    """Parts with a driver of their own, loaded only where one is wired."""
    if what == "pzem004t":
        from firmware.drivers.pzem004t import Pzems

        return Meters(Pzems(board.uart(wiring["bus"]), wiring["meters"]))
    if what == "pir":
        from firmware.drivers.pir import Pir

        motion = Pir(board.pin_in(wiring["pin"], False), board.real_ms)
        return Presence(what, wiring["ch"], motion.present)
    if what == "bh1750":
        from firmware.drivers.bh1750 import Bh1750

        light = Bh1750(board.i2c(wiring["bus"]), wiring.get("addr", 0x23))
        return Sensor(what, wiring["ch"], light.read, SLOW_MS)
    if what == "sht3x":
        from firmware.drivers.sht3x import Sht3x

        climate = Sht3x(board.i2c(wiring["bus"]), wiring.get("addr", 0x44))
        return Sensor(what, wiring["ch"], climate.read, SLOW_MS)
    if what == "ld2410":
        from firmware.drivers.ld2410 import Ld2410

        radar = Ld2410()
        line = board.uart(wiring["bus"])
        return Presence(what, wiring["ch"], lambda: radar.feed(line.read() or b""))
    if what == "hc165":
        from firmware.drivers.hc165 import Hc165

        register = Hc165(
            board.pin_out(wiring["load"], 1),
            board.pin_out(wiring["clock"], 0),
            board.pin_in(wiring["data"], False),
        )
        return Keys(register.pressed, wiring["keys"])
    if what == "pn532":
        from firmware.drivers.pn532 import I2cLine, Pn532, UartLine

        line = UartLine(board.uart(wiring["uart"])) if "uart" in wiring else None
        line = line or I2cLine(board.i2c(wiring["bus"]))
        return Reader(Pn532(line, board.real_ms).look)
    if what == "ssd1306":
        from firmware.drivers.ssd1306 import Ssd1306

        return Screen(Ssd1306(board.i2c(wiring["bus"]), wiring.get("addr", 0x3C)))
    raise KeyError("no part " + what)
