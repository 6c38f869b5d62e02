"""ac-controller: reads and sets an air conditioner's on, mode and temperature.

The state counts as `measured` where a clamp or contact confirms it; frames of the remote are
`heard`; what was only sent is `assumed`. A clamp knows on and off; mode and temperature are those
last sent or heard.
"""

from firmware import wire

DEFAULTS = {"a1": wire.AC}
LOWEST = 16
HIGHEST = 30
FOLLOW_MS = 60000  # a unit takes so long to start or stop at most


def begin(body):
    body.clamps = set()  # channels that are measured
    body.sent = {}  # channel -> (what was sent, until when the clamp is waited for)


def inputs(body, now, item):
    """A reading may name only what changed: the rest stands as last known."""
    ch = item.get("ch")
    if body.channels.get(ch) != wire.AC:
        return None
    base, _ = body.sent.get(ch, (None, 0))
    if base and base["on"] != item.get("on"):
        base = None  # not what was sent
    fields = _merged(body, ch, item, base)
    wire.checked(wire.AC, fields)
    if fields["src"] == "measured":
        body.clamps.add(ch)
    if base or fields["src"] == "heard":
        body.sent.pop(ch, None)
    return body.report.state(now, wire.AC, fields)


def _merged(body, ch, more, base=None):
    known = base or body.report.known(wire.AC, ch) or {"on": False, "mode": "cool", "set": 26}
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
    known = body.report.known(wire.AC, ch)
    body.act({"ch": ch, "on": fields["on"], "mode": fields["mode"], "set": fields["set"]})
    body.sent.pop(ch, None)
    if ch not in body.clamps:
        fields["src"] = "assumed"
    elif not known or known["on"] != fields["on"]:
        body.sent[ch] = (fields, now + FOLLOW_MS)
        return True, None, []
    return True, None, body.report.state(now, wire.AC, fields)


def tick(body, now):
    """A unit that did not follow: its state as measured is told again."""
    events = []
    for ch in sorted(body.sent):
        if now >= body.sent[ch][1]:
            del body.sent[ch]
            events += body.report.state(now, wire.AC, _merged(body, ch, {}), again=True)
    return events
