"""The board of `hallkeeper device`: stdin sets what the sensors see, stdout tells what is done.

The world outside (doors, loads, the air conditioner) is kept in `world.json`: a restart of the
device does not close a door. Relays do fall back to their power-up position.
"""

import asyncio
import json
import os
import time

from firmware import wire

# what a sensor reads again and again, changed or not
_SENSED = (("present", wire.PRESENCE), ("lx", wire.LUX), ("c", wire.CLIMATE), ("w", wire.POWER))
SENSE_MS = 2000  # as a chip does; at most once a real second
_DEAD = "!dead"  # in world.json: channels whose sensors say nothing any more
_WORLD = {
    "contact": {"open": False},
    "lock": {"locked": False},
    "presence": {"present": False},
    "lux": {"lx": 0},
    "climate": {"c": 22, "rh": 45},
    "power": {"w": 0},
    "ac": {"on": False, "mode": "cool", "set": 26},
}
MAX_LINE = 4096
PERIOD = 1 << 40
FLASH_BLOCKS = 64  # 256 KiB of 4 KiB blocks, as on the boards
EXIT_RESTART = 75


def _real_ms():
    if hasattr(time, "ticks_ms"):
        return int(time.ticks_ms())  # pyright: ignore[reportArgumentType] - an int on every port
    return time.time_ns() // 1000000


class HostBoard:
    """The face of `board.py` on this machine. `options`: speed, from (Unix ms), stop (a pipe)."""

    period = PERIOD
    name = "host"  # as an update's manifest has it

    def __init__(self, folder, options):
        self._folder = folder
        self.speed = options.get("speed", 1)
        self.slack = int(250 * self.speed)
        self._began = _real_ms()
        self._from = options.get("from")
        self._stop = options.get("stop")
        self.reset_cause = options.get("reset", "power")
        self._out = open(1, "wb", 0)
        self._err = open(2, "wb", 0)
        self._items = []
        self._came = asyncio.Event()
        self._world = {}
        self._relays = {}
        self._meters = {}
        self._address = None
        self._sense_ms = max(1000, int(SENSE_MS / self.speed))
        self._sensed = self._began
        self.stopped = asyncio.Event()

    # -- time --------------------------------------------------------------------------------

    def real_ms(self):
        """Real milliseconds, from any beginning."""
        return _real_ms()

    def ticks(self):
        """The device's own milliseconds, `speed` times as fast."""
        return int((_real_ms() - self._began) * self.speed) & (PERIOD - 1)

    def wall(self):
        """What a battery-backed clock says (Unix ms); judges commands until `time` is learnt."""
        if self._from is not None:
            return self._from + self.ticks()
        if self.speed != 1:
            return None
        return time.time_ns() // 1000000

    # -- the world ---------------------------------------------------------------------------

    def begin(self, channels, meters, relay_boot):
        """Readings of all channels as the world stands: [item, …]."""
        self._meters = meters
        try:
            with open(self._folder + "/world.json") as file:
                self._world = json.loads(file.read())
        except (OSError, ValueError):
            self._world = {}
        readings = []
        for ch in sorted(channels):
            kind = channels[ch]
            if kind == "relay":
                self._relays[ch] = self._world.get(ch, {}).get("stuck", relay_boot)
                readings.append({"ch": ch, "on": self._relays[ch]})
            elif kind in _WORLD:
                seen = self._world.setdefault(ch, dict(_WORLD[kind]))
                if not self._dead(ch):
                    readings.append(self._seen(ch, seen))
        for name in sorted(self._world):
            if "/" in name:
                ch, what = name.split("/")
                readings.append({"ch": ch, "what": what, "active": self._world[name]})
        if self._world.get("moved"):
            readings.append({"moved": True})
        return readings

    def _dead(self, ch):
        return ch in self._world.get(_DEAD, ())

    def _sense(self):
        """What the sensors read anew, as often as on a chip."""
        if _real_ms() - self._sensed < self._sense_ms:
            return
        self._sensed = _real_ms()
        for ch in sorted(self._world):
            seen = self._world[ch]
            if not isinstance(seen, dict) or self._dead(ch):
                continue
            item = self._seen(ch, seen)
            if any(name in item and not wire.fault(kind, item) for name, kind in _SENSED):
                self._items.append(item)

    def _seen(self, ch, seen):
        item = {"ch": ch}
        item.update(seen)
        relay = self._meters.get(ch)
        if "w" in item and relay is not None and not self._relays.get(relay, True):
            item["w"] = 0
            if "a" in item:
                item["a"] = 0
        return item

    def _save(self):
        with open(self._folder + "/world.t", "w") as file:
            file.write(json.dumps(self._world))
        os.rename(self._folder + "/world.t", self._folder + "/world.json")

    def happened(self, item):
        """Something of the world changed: keep it, and queue what the sensors now read."""
        ch = item.get("ch")
        if isinstance(ch, str) and isinstance(item.get("dead"), bool):
            dead = [one for one in self._world.get(_DEAD, ()) if one != ch]
            self._world[_DEAD] = dead + [ch] if item["dead"] else dead
            self._save()
            return
        if isinstance(ch, str) and ch in self._relays:
            self._relay(ch, item)
            return
        if isinstance(ch, str) and item.get("src") == "heard":  # the remote: the unit obeys as well
            self._queue(item)
            seen = {name: item[name] for name in ("on", "mode", "set") if name in item}
            self.happened(dict(seen, ch=ch))
            return
        if isinstance(ch, str) and isinstance(item.get("what"), str):
            self._world[ch + "/" + item["what"]] = item.get("active")
            self._save()
        elif isinstance(ch, str) and "tap" not in item:
            seen = self._world.setdefault(ch, {})
            for name in item:
                if name != "ch":
                    seen[name] = item[name]
            self._save()
            if self._dead(ch):
                return
            item = self._seen(ch, seen)
        elif "moved" in item:
            self._world["moved"] = item["moved"]
            self._save()
        elif "press" in item or "tap" in item:
            item["ms"] = _real_ms()
        self._queue(item)

    def _queue(self, item):
        self._items.append(item)
        self._came.set()

    def _relay(self, ch, item):
        """A relay's lever (`on`), or its contacts weld (`stuck`) where they stand."""
        if item.get("stuck") is True:
            self._world[ch] = {"stuck": self._relays[ch]}
        elif "stuck" in item:
            self._world.pop(ch, None)
        else:
            if isinstance(item.get("on"), bool):
                self._switch(ch, item["on"])
                return
            self._queue(item)
            return
        self._save()

    def _switch(self, relay, on):
        if "stuck" in self._world.get(relay, {}):
            return
        self._relays[relay] = on
        self._queue({"ch": relay, "on": on})
        for ch in sorted(self._meters):
            if self._meters[ch] == relay and ch in self._world and not self._dead(ch):
                self._queue(self._seen(ch, self._world[ch]))

    async def readings(self, ms):
        """What the sensors have seen; waits up to `ms` real milliseconds for the first."""
        ms = min(ms, self._sensed + self._sense_ms - _real_ms())
        if not self._items and ms > 0:
            try:
                await asyncio.wait_for(self._came.wait(), ms / 1000)
            except asyncio.TimeoutError:
                pass
        self._came.clear()
        self._sense()
        items, self._items = self._items, []
        return items

    async def listen(self):
        """Read stdin until its end; a bad line is a note, never a crash."""
        stdin = asyncio.StreamReader(open(0, "rb", 0))
        rest = b""
        skipping = False
        while True:
            data = await stdin.read(512)
            if not data:
                return
            lines = (rest + data).split(b"\n")
            rest = lines.pop()
            for line in lines:
                if not skipping:
                    self._line(line)
                skipping = False
            if len(rest) > MAX_LINE:
                rest, skipping = b"", True
                self.note("stdin: line too long")

    def _line(self, line):
        line = line.strip()
        if not line:
            return
        try:
            item = json.loads(line)
        except ValueError:
            item = None
        if isinstance(item, dict):
            self.happened(item)
            return
        self.note("stdin: not a JSON object: " + repr(line[:80]))

    async def watch_stop(self):
        """Sets `stopped` at the launcher's SIGTERM."""
        if self._stop is None:
            return
        pipe = asyncio.StreamReader(open(self._stop, "rb", 0))
        if await pipe.read(1):
            self.stopped.set()

    # -- doing -------------------------------------------------------------------------------

    def act(self, item):
        """One line on stdout; a relay also feeds or cuts its circuit, an AC does as told."""
        self._write(self._out, _line_of(item))
        ch = item.get("ch")
        if ch in self._relays:
            self._switch(ch, item["on"])
        elif ch is not None and "mode" in item:
            self._world[ch] = {name: item[name] for name in item if name != "ch"}
            self._save()
            self._queue(item)  # its clamp

    def note(self, text):
        """One line on stderr."""
        self._write(self._err, text + "\n")

    def _write(self, file, text):
        try:
            file.write(text.encode())
        except OSError:
            pass  # nobody reads: a full pipe may not hold the device

    # -- network, flash, life ----------------------------------------------------------------

    async def network(self):
        """Wi-Fi is up."""

    async def dial(self, setup):
        """(reader, writer) to the broker. OSError; ValueError where TLS refuses the other end."""
        import socket

        address, self._address = self._address, None  # looked up anew where it does not answer
        if address is None:  # getaddrinfo holds the loop: look up once
            found = socket.getaddrinfo(setup.host, setup.port)[0][-1]
            packed = isinstance(found, (bytes, bytearray))
            address = _dotted(found) if packed else str(found[0])
        if setup.tls:
            from firmware import tls

            found = await tls.opened(address, setup)
        else:
            found = await asyncio.open_connection(address, setup.port)
        self._address = address
        return found

    def free_blocks(self):
        """Free blocks of the flash, as littlefs would count them."""
        used = 2
        small = 0
        for name in os.listdir(self._folder + "/log"):
            try:
                size = os.stat(self._folder + "/log/" + name)[6]
            except OSError:
                continue
            if size > 128:
                used += (size + 4095) // 4096
                small += 40
            else:
                small += size + 40
        return FLASH_BLOCKS - used - 2 * ((small + 2047) // 2048)

    def battery(self):
        """Per cent, or None on mains."""
        return self._world.get("battery")

    def feed(self):
        """The watchdog of this machine is the launcher."""

    def set_clock(self, ms, exact):
        """This machine's clock is not ours to set."""

    def doze(self):
        """This machine has no deep sleep: the process waits."""

    def restart(self):
        """Reset: the launcher starts the firmware again."""
        raise SystemExit(EXIT_RESTART)


def _dotted(raw):
    """The IPv4 address inside MicroPython's packed sockaddr."""
    return ".".join(str(part) for part in raw[4:8])


def _line_of(item):
    names = [name for name in ("ch", "on", "mode", "set", "sound", "show", "led") if name in item]
    names += sorted(name for name in item if name not in names)
    pairs = ['"%s":%s' % (name, wire.value_text(item[name])) for name in names]
    return "{" + ",".join(pairs) + "}\n"
