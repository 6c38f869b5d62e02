"""Parts that do something: relays, lamp, buzzer, display, infra-red (see `parts.py`)."""

PAGE_MS = 3000


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
    """A display that shows what `show` says; a long text page by page."""

    def __init__(self, display):
        self.name = "ssd1306"
        self._display = display
        self._text = ""
        self._page = 0
        self._pages = 1
        self._at = None

    def poll(self, now):
        if self._pages < 2:
            return []
        if self._at is None:
            self._at = now
        elif now - self._at >= PAGE_MS:
            self._at = now
            self._page = (self._page + 1) % self._pages
            self._display.text(self._text, self._page)
        return []

    def act(self, item):
        if "show" in item:
            self._text = item["show"]
            self._page, self._pages, self._at = 0, 1, None
            self._pages = self._display.text(self._text)


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
