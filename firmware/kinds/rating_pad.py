"""rating-pad (好差评 评价器): five keys of equal size, a card reader for the B post, a tilt switch.

No key enters or removes a rating for staff. Presses less than 100 ms after one that counted are
bounce; every other press is an event, thanked for by light and sound.
"""

from firmware import wire

DEFAULTS = {}
BOUNCE_MS = 100
IDLE = "请您评价 · 监督热线 12345"
_THANKS_MS = 3000


def begin(body):
    body.pressed = None
    body.thanked = None
    body.act({"show": body.setup.text or IDLE})


def inputs(body, now, item):
    """A press. `ms` is the key scan's own time; other readings are left to `body.py`."""
    if "press" not in item:
        return None
    fields = {"level": item["press"]}
    if item.get("visit") is not None:
        fields["visit"] = item["visit"]
    wire.checked(wire.RATING, fields)
    at = item.get("ms", now)
    if body.pressed is not None and at - body.pressed < BOUNCE_MS:
        return []
    body.pressed = at
    body.thanked = now
    body.act({"led": "thanks"})
    body.act({"sound": "thanks"})
    body.act({"show": "谢谢您的评价"})
    return [(wire.RATING, fields)]


def tick(body, now):
    if body.thanked is not None and now - body.thanked >= _THANKS_MS:
        body.thanked = None
        body.act({"show": body.setup.text or IDLE})
        body.act({"led": "off"})
