"""What every device has in common: readings to events, commands to acts.

A kind is a module with `DEFAULTS` (channels it has where the setup names none) and any of
`inputs(body, now, item)` and `command(body, now, command)`, which give None for what they leave to
this file, and `begin(body)` and `tick(body, now)`.
"""

from firmware import wire

_STATES = {"open": wire.CONTACT, "locked": wire.LOCK, "present": wire.PRESENCE}
_READERS = ("rating-pad", "patrol-reader", "duty-panel")
_MAX_SHOWN = 200


class Body:
    """One device: its channels, its reporter and its board. `act(item)` does something outside."""

    def __init__(self, setup, module, report, act):
        self.setup = setup
        self.report = report
        self.act = act
        self.channels = dict(setup.channels) or dict(module.DEFAULTS)
        self._relays = None
        if wire.RELAY in self.channels.values():
            from firmware.kinds.relays import Relays

            self._relays = Relays(self)
        self.identify_until = None
        self._module = module

    def _hook(self, name):
        return getattr(self._module, name, None)

    def begin(self, now, readings):
        """Events of a boot: every state and sample as it stands. `readings` as from the board."""
        hook = self._hook("begin")
        if hook:
            hook(self)
        events = self.report.state(now, wire.TAMPER, {"moved": False}, key="tamper")
        for ch in self.channels:
            self.report.expect(self.channels[ch], ch)
        if self._relays:
            events += self._relays.begin(now, readings)
        for item in readings:
            events += self.input(now, item)
        return events

    def input(self, now, item):
        """Events of one reading, a dict as on the host board's stdin; ValueError if none."""
        if not isinstance(item.get("ch", ""), str):
            raise ValueError("ch is no id")
        hook = self._hook("inputs")
        events = hook(self, now, item) if hook else None
        if events is not None:
            return events
        if "ch" in item:
            return self._channel(now, item)
        if "tap" in item:
            return self.tap(item)
        if "moved" in item:
            fields = wire.checked(wire.TAMPER, {"moved": item["moved"]})
            return self.report.state(now, wire.TAMPER, fields, key="tamper")
        if "button" in item:
            return [(wire.BUTTON, wire.checked(wire.BUTTON, {"name": item["button"]}))]
        raise ValueError("nothing this device can sense")

    def tap(self, item):
        """A card or tag that was read."""
        if self.setup.kind not in _READERS:
            raise ValueError("this device has no reader")
        tag = item["tap"]
        fields = {"tag": tag.lower() if isinstance(tag, str) else tag}
        if "ch" in item:
            fields["ch"] = item["ch"]
        return [(wire.TAP, wire.checked(wire.TAP, fields))]

    def _channel(self, now, item):
        ch = item["ch"]
        if not wire.is_id(ch):
            raise ValueError("ch is no id")
        if "still" in item:
            self.report.still(now, ch)
            return []
        for name in _STATES:
            if name in item:
                fields = wire.checked(_STATES[name], {"ch": ch, name: item[name]})
                return self.report.state(now, _STATES[name], fields)
        if "what" in item:
            fields = {"ch": ch, "what": item["what"], "active": item.get("active")}
            return self.report.state(now, wire.DETECTOR, wire.checked(wire.DETECTOR, fields))
        if "tap" in item:
            return self.tap(item)
        for name, kind in (("w", wire.POWER), ("lx", wire.LUX), ("c", wire.CLIMATE)):
            if name in item:
                return self.report.sample(now, kind, wire.checked(kind, dict(item)))
        if self._relays and self.channels.get(ch) == wire.RELAY:
            return self._relays.input(now, item)
        if self.channels.get(ch) == wire.AC or "mode" in item or "set" in item:
            return self.report.state(now, wire.AC, wire.checked(wire.AC, dict(item)))
        raise ValueError("nothing this device can sense")

    def command(self, now, command):
        """Carry out one judged command: (ok, why, events)."""
        hook = self._hook("command")
        answer = hook(self, now, command) if hook else None
        if answer is not None:
            return answer
        do = command["do"]
        args = command.get("args", {})
        if do in ("on", "off"):
            if self._relays and self.channels.get(command.get("ch")) == wire.RELAY:
                return self._relays.switch(now, command, do == "on")
            return False, "no such channel", []
        if do == "sound":
            self.act({"sound": _shown(args, "sound", "alarm")})
            return True, None, []
        if do == "show":
            self.act({"show": _shown(args, "text", _shown(args, "show", ""))})
            return True, None, []
        if do == "identify":
            self.act({"led": "identify"})
            return True, None, []
        return False, "not for this device", []

    def tick(self, now):
        """Relays that did not follow their command; repeats and samples that are due."""
        events = self._relays.tick(now) if self._relays else []
        hook = self._hook("tick")
        if hook:
            events += hook(self, now) or []
        return events + self.report.due(now)


def _shown(args, name, default):
    value = args.get(name, default)
    return value[:_MAX_SHOWN] if isinstance(value, str) else default
