"""duty-panel: the duty desk's display, buzzer, lamp and acknowledge key.

It sounds by itself when the gateway's `time` has been missing for 75 s: silence is a fault.
"""

DEFAULTS = {}
SILENT_MS = 75000
AGAIN_MS = 30000
LOST = "网关失联，请检查"


def begin(body):
    body.sounding = False
    body.sounded_at = 0
    body.muted = False


def inputs(body, now, item):
    """The acknowledge key stops the panel's own alarm; it is an event as well."""
    if item.get("button") == "ack":
        body.muted = True
        body.act({"sound": "off"})
    return None


def watch(body, silent_ms, real_ms):
    """Called every second with how long `time` has been missing, in real ms."""
    if silent_ms < SILENT_MS:
        if body.sounding:
            body.act({"sound": "off"})
            body.act({"show": ""})
            body.act({"led": "off"})
        body.sounding = body.muted = False
        return
    if not body.sounding:
        body.act({"show": LOST})
        body.act({"led": "alarm"})
    elif body.muted or real_ms - body.sounded_at < AGAIN_MS:
        return
    body.sounding = True
    body.sounded_at = real_ms
    body.act({"sound": "alarm"})


def command(body, now, command):
    """An alarm of the gateway also lights the lamp."""
    if command["do"] == "sound":
        body.act({"led": "alarm"})
    return None
