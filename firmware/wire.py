"""What goes over the wire, shared by device and gateway: kinds, fields, limits, topics.

Runs on MicroPython and CPython alike; the gateway builds its strict decoder from these tables,
so a change of the wire begins here.
"""

VERSION = 1
MAX_BYTES = 4096  # of one MQTT payload
MAX_BATCH = 32  # events in one array
MAX_DEPTH = 8  # levels of nesting
FUTURE_MS = 60000  # a time farther ahead of its arrival is not believed
STALE_MS = 7 * 86400000  # an event this much older than its arrival serves no rule

ID = "id"  # [a-z0-9-]{1,32}
BOOL = "bool"
INT = "int"
NUM = "num"
TEXT = "text"
HEX = "hex"
LEVEL = "level"  # 5 (very satisfied) … 1
VISIT = "visit"  # [A-Za-z0-9-]{1,32}
MAP = "map"

RATING = "rating"
CONTACT = "contact"
LOCK = "lock"
PRESENCE = "presence"
LUX = "lux"
CLIMATE = "climate"
POWER = "power"
AC = "ac"
RELAY = "relay"
DETECTOR = "detector"
TAP = "tap"
BUTTON = "button"
TAMPER = "tamper"
DONE = "done"
LOST = "lost"
HEALTH = "health"

# kind: ((field, type, choices or None), …); a "?" before a field's name makes it optional.
KINDS = {
    RATING: (("level", LEVEL, None), ("?visit", VISIT, None)),
    CONTACT: (("ch", ID, None), ("open", BOOL, None)),
    LOCK: (("ch", ID, None), ("locked", BOOL, None)),
    PRESENCE: (("ch", ID, None), ("present", BOOL, None)),
    LUX: (("ch", ID, None), ("lx", NUM, None)),
    CLIMATE: (("ch", ID, None), ("c", NUM, None), ("rh", NUM, None)),
    POWER: (
        ("ch", ID, None),
        ("w", NUM, None),
        ("?v", NUM, None),
        ("?a", NUM, None),
        ("?pf", NUM, None),
        ("?wh", NUM, None),
    ),
    AC: (
        ("ch", ID, None),
        ("on", BOOL, None),
        ("mode", TEXT, ("cool", "heat", "dry", "fan", "auto")),
        ("set", NUM, None),
        ("?src", TEXT, ("measured", "heard", "assumed")),
    ),
    RELAY: (
        ("ch", ID, None),
        ("on", BOOL, None),
        ("cause", TEXT, ("command", "manual", "boot")),
        ("?cmd", TEXT, None),
    ),
    DETECTOR: (
        ("ch", ID, None),
        ("what", TEXT, ("smoke", "spark", "heat", "smell")),
        ("active", BOOL, None),
    ),
    TAP: (("tag", HEX, None), ("?ch", ID, None)),
    BUTTON: (("name", TEXT, None),),
    TAMPER: (("moved", BOOL, None),),
    DONE: (("cmd", TEXT, None), ("ok", BOOL, None), ("?why", TEXT, None)),
    LOST: (("from", INT, None), ("to", INT, None), ("why", TEXT, None)),
    HEALTH: (
        ("?mem", INT, None),
        ("?rssi", INT, None),
        ("?held", INT, None),
        ("?dropped", INT, None),
        ("?reset", TEXT, None),
        ("?battery", NUM, None),
        ("?ages", MAP, None),
    ),
}

# kinds never thinned on a full flash, and published at once beside the backlog
URGENT = (RATING, CONTACT, LOCK, PRESENCE, AC, RELAY, DETECTOR, TAP, BUTTON, TAMPER, DONE, LOST)
SAMPLES = (POWER, LUX, CLIMATE, HEALTH)

DEVICE_KINDS = (
    "rating-pad",
    "opening-sensor",
    "room-sensor",
    "power-meter",
    "ac-controller",
    "patrol-reader",
    "duty-panel",
)
ACTIONS = ("on", "off", "set", "sound", "show", "identify", "restart", "update")


def topic(site, device, leaf):
    """hall/1/<site>/<device>/<leaf>"""
    return "hall/1/" + site + "/" + device + "/" + leaf


def time_topic(site):
    """The gateway's clock, published every 20 s."""
    return "hall/1/" + site + "/time"
