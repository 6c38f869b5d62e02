"""patrol-reader: an NFC reader at the duty desk or carried on a round.

Every tap is an event; the log on flash carries a whole round without network.
"""

DEFAULTS = {}


def inputs(body, now, item):
    """Light and sound for a tap; the event itself is made by `body.py`."""
    if "tap" not in item:
        return None
    events = body.tap(item)
    body.act({"led": "tap"})
    body.act({"sound": "tap"})
    return events
