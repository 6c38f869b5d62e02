"""ac-controller: reads and sets an air conditioner's on, mode and temperature.

The state counts as `measured` where a clamp or contact confirms it; frames of the remote are
`heard`; what was only sent is `assumed`.
"""

from firmware import wire

DEFAULTS = {"a1": wire.AC}
LOWEST = 16
HIGHEST = 30


def inputs(body, now, item):
    """A reading may name only what changed: the rest stands as last known."""
    ch = item.get("ch")
    if body.channels.get(ch) != wire.AC:
        return None
    fields = _merged(body, ch, item)
    why = wire.fault(wire.AC, fields)
    if why:
        raise ValueError(why)
    return body.report.state(now, wire.AC, fields)


def _merged(body, ch, more):
    known = body.report.known(wire.AC, ch) or {"on": False, "mode": "cool", "set": 26}
    fields = {name: known[name] for name in ("on", "mode", "set")}
    fields["src"] = "measured"
    fields.update(more)
    fields["ch"] = ch
    return fields


def command(body, now, command):
    """`on`, `off`, and `set` with any of `set` (°C), `mode` and `on`."""
    ch, do, args = command.get("ch"), command["do"], command.get("args", {})
    if do not in ("on", "off", "set"):
        return None
    if body.channels.get(ch) != wire.AC:
        return False, "no such channel", []
    more = {"on": do == "on"} if do != "set" else {}
    if do == "set":
        more = {name: args[name] for name in ("on", "mode", "set") if name in args}
    fields = _merged(body, ch, more)
    if not more or wire.fault(wire.AC, fields) or not LOWEST <= fields["set"] <= HIGHEST:
        return False, "bad args", []
    body.act({"ch": ch, "on": fields["on"], "mode": fields["mode"], "set": fields["set"]})
    return True, None, body.report.state(now, wire.AC, fields)
