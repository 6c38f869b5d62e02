"""Relays of any kind of device, with or without an auxiliary contact. Loaded where there is one."""

from firmware import wire

FOLLOW_MS = 1000  # a contactor's auxiliary contact follows its coil within this


class Relays:
    """The relays of one device (`body.Body`)."""

    def __init__(self, body):
        self._body = body
        self._on = {}
        self._feedback = set()  # relays whose real position is read
        self._ordered = {}  # such a relay -> (on, id of the command, until)

    def begin(self, now, readings):
        """Events of a boot: every relay as it stands, before any command."""
        body = self._body
        for item in readings:
            ch = item.get("ch")
            if body.channels.get(ch) == wire.RELAY and isinstance(item.get("on"), bool):
                self._feedback.add(ch)
                self._on[ch] = item["on"]
        events = []
        for ch in sorted(body.channels):
            if body.channels[ch] == wire.RELAY:
                self._on.setdefault(ch, body.setup.relay_boot)
                fields = {"ch": ch, "on": self._on[ch], "cause": "boot"}
                events += body.report.state(now, wire.RELAY, fields)
        return events

    def input(self, now, item):
        """A relay's real position was read. ValueError as `Body.input`."""
        ch = item["ch"]
        fields = {"ch": ch, "on": item.get("on"), "cause": "manual"}
        on, cmd, _ = self._ordered.get(ch, (None, None, 0))
        if cmd and on == fields["on"]:
            del self._ordered[ch]
            fields["cause"], fields["cmd"] = "command", cmd
        return self._moved(now, wire.checked(wire.RELAY, fields))

    def _moved(self, now, fields):
        was = self._on.get(fields["ch"])
        self._on[fields["ch"]] = fields["on"]
        if was == fields["on"] and "cmd" not in fields:
            return []
        return self._body.report.state(now, wire.RELAY, fields, again=True)

    def switch(self, now, command, on):
        """Carry out one command: (ok, why, events)."""
        ch = command["ch"]
        self._body.act({"ch": ch, "on": on})
        if ch in self._feedback and self._on[ch] != on:
            self._ordered[ch] = (on, command["id"], now + FOLLOW_MS)
            return True, None, []
        self._ordered.pop(ch, None)
        fields = {"ch": ch, "on": on, "cause": "command", "cmd": command["id"]}
        return True, None, self._moved(now, fields)

    def tick(self, now):
        """Relays that did not follow their command."""
        events = []
        for ch in sorted(self._ordered):
            _, cmd, until = self._ordered[ch]
            if now >= until:
                del self._ordered[ch]
                fields = {"ch": ch, "on": self._on[ch], "cause": "command", "cmd": cmd}
                events += self._moved(now, fields)
        return events
