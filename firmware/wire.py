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

_CH = ("ch", ID, None)
# kind: ((field, type, choices or None), …); a "?" before a field's name makes it optional.
KINDS = {
    RATING: (("level", LEVEL, None), ("?visit", VISIT, None)),
    CONTACT: (_CH, ("open", BOOL, None)),
    LOCK: (_CH, ("locked", BOOL, None)),
    PRESENCE: (_CH, ("present", BOOL, None)),
    LUX: (_CH, ("lx", NUM, None)),
    CLIMATE: (_CH, ("c", NUM, None), ("rh", NUM, None)),
    POWER: (
        _CH,
        ("w", NUM, None),
        ("?v", NUM, None),
        ("?a", NUM, None),
        ("?pf", NUM, None),
        ("?wh", NUM, None),
    ),
    AC: (
        _CH,
        ("on", BOOL, None),
        ("mode", TEXT, ("cool", "heat", "dry", "fan", "auto")),
        ("set", NUM, None),
        ("?src", TEXT, ("measured", "heard", "assumed")),
    ),
    RELAY: (
        _CH,
        ("on", BOOL, None),
        ("cause", TEXT, ("command", "manual", "boot")),
        ("?cmd", TEXT, None),
    ),
    DETECTOR: (
        _CH,
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

# kinds that are thinned on a full flash; all others go out at once beside the backlog
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


MAX_TEXT = 256  # characters of one text field
MAX_INT = 1 << 53
_ID_SIGNS = "abcdefghijklmnopqrstuvwxyz0123456789-"
_VISIT_SIGNS = _ID_SIGNS + "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
_HEX_SIGNS = "0123456789abcdefABCDEF"


def made_of(text, signs, most):
    """True when `text` is a string of 1 to `most` characters out of `signs`."""
    if not isinstance(text, str) or not 0 < len(text) <= most:
        return False
    return all(sign in signs for sign in text)


def is_id(text):
    """True for [a-z0-9-]{1,32}."""
    return made_of(text, _ID_SIGNS, 32)


def is_number(value):
    """True for an int or a finite float of at most 2**53 either way; False for a bool."""
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        return False
    return -MAX_INT <= value <= MAX_INT  # NaN compares false


def _whole(value):
    return isinstance(value, int) and not isinstance(value, bool) and -MAX_INT <= value <= MAX_INT


def _fits(type_, value):
    if type_ == BOOL:
        return isinstance(value, bool)
    if type_ == NUM:
        return is_number(value)
    if type_ == INT:
        return _whole(value)
    if type_ == LEVEL:
        return _whole(value) and 1 <= value <= 5
    if type_ == ID:
        return is_id(value)
    if type_ == HEX:
        return made_of(value, _HEX_SIGNS, 64)
    if type_ == VISIT:
        return made_of(value, _VISIT_SIGNS, 32)
    if type_ == TEXT:
        return isinstance(value, str) and len(value) <= MAX_TEXT
    if type_ == MAP:
        if not isinstance(value, dict) or len(value) > 32:
            return False
        for key in value:
            if not isinstance(key, str) or len(key) > 32:
                return False
            if value[key] is not None and not is_number(value[key]):
                return False
        return True
    return False


def fault(kind, fields):
    """Why `fields` is no event of `kind`, or None when it is one. Unknown fields are a fault."""
    if kind not in KINDS:
        return "unknown kind"
    known = []
    for name, type_, choices in KINDS[kind]:
        optional = name[0] == "?"
        if optional:
            name = name[1:]
        known.append(name)
        if name not in fields:
            if optional:
                continue
            return name + " is missing"
        value = fields[name]
        if not _fits(type_, value) or (choices and value not in choices):
            return name + " is not valid"
    for name in fields:
        if name not in known:
            return name + " is unknown"
    return None


def checked(kind, fields):
    """`fields`, where they are an event of `kind`. ValueError says why not."""
    why = fault(kind, fields)
    if why:
        raise ValueError(why)
    return fields


def _string(text):
    """`text` as a JSON string (MicroPython's own `dumps` agrees with CPython's but for escapes)."""
    out = ['"']
    for sign in text:
        if sign in '"\\':
            out.append("\\" + sign)
        elif ord(sign) < 32 or ord(sign) == 127:
            out.append("\\u%04x" % ord(sign))
        else:
            out.append(sign)
    out.append('"')
    return "".join(out)


def number(value):
    """A number as text with at most 3 decimals, without trailing zeros."""
    if isinstance(value, int):
        return str(value)
    text = "%.3f" % value
    text = text.rstrip("0").rstrip(".")
    return "0" if text in ("-0", "") else text


def value_text(value):
    """A field's value as compact JSON."""
    if value is None:
        return "null"
    if value is True:
        return "true"
    if value is False:
        return "false"
    if isinstance(value, str):
        return _string(value)
    if isinstance(value, dict):
        pairs = [_string(key) + ":" + value_text(value[key]) for key in sorted(value)]
        return "{" + ",".join(pairs) + "}"
    return number(value)


def encode(log, seq, boot, up, t, kind, fields):
    """One event as JSON text, its keys in the contract's order. `t` may be None."""
    out = [
        '{"log":"%s","seq":%d,"boot":%d,"up":%d,"t":%s,"kind":"%s"'
        % (log, seq, boot, up, "null" if t is None else "%d" % t, kind)
    ]
    for name, _, _ in KINDS[kind]:
        if name[0] == "?":
            name = name[1:]
        if name in fields:
            out.append(',"%s":%s' % (name, value_text(fields[name])))
    out.append("}")
    return "".join(out)


def state_text(state, **more):
    """A device's state: `ready` with log, first, boot, fw and kind; `asleep`, `off`, `lost`."""
    out = ['{"state":"%s"' % state]
    for name in ("log", "first", "boot", "fw", "kind", "safe", "trial"):
        if name in more:
            out.append(',"%s":%s' % (name, value_text(more[name])))
    out.append("}")
    return "".join(out)
