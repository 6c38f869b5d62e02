"""device.json (who this device is, where its broker stands), setup.json (what hangs on it)."""

import binascii
import json

from firmware import wire

VERSION = "1.0.0"
BUILT = 1782864000000  # 2026-07-01: no board's clock stands before it when TLS judges


class ConfigError(ValueError):
    """A file on flash is missing or wrong; the text says which and why."""


class Setup:
    """Everything a device is told at commissioning. Nothing here changes while it runs."""

    # on the class, and no method: an instance must not keep this module from being unloaded
    site = ""
    device = ""
    kind = ""
    host = ""
    port = 1883
    user = None
    client_id = ""
    password = None
    tls = None  # {"ca": path, "cert": path or None, "key": path or None, "name": text}
    made = BUILT  # Unix ms at which device.json was written
    channels = ()  # channel -> kind of event
    meters = ()  # meter's channel -> the relay's that feeds its circuit
    battery = False
    relay_boot = True  # a relay's position after power-up: contactors are normally closed
    public = b""  # the key that signs updates, 32 bytes; empty: it takes none
    text = ""  # what an idle pad or panel shows


def _read(path):
    try:
        with open(path) as file:
            found = json.loads(file.read())
    except OSError:
        raise ConfigError(path + ": missing")
    except ValueError:
        raise ConfigError(path + ": not JSON")
    if not isinstance(found, dict):
        raise ConfigError(path + ": not an object")
    return found


def load(folder):
    """Read both files below `folder` into a Setup; ConfigError says what is wrong."""
    path = folder + "/device.json"
    who = _read(path)
    setup = Setup()
    try:
        broker = who["broker"]
        setup.site, setup.device, setup.kind = who["site"], who["device"], who["kind"]
        setup.host, setup.port = broker["host"], int(broker["port"])
        setup.user = broker.get("user")
        setup.client_id = broker["client_id"]
        setup.password = broker.get("password")
        setup.tls = broker.get("tls")
        setup.made = int(who.get("made", BUILT))
        if who.get("updates"):
            setup.public = binascii.unhexlify(who["updates"])
    except (KeyError, TypeError, AttributeError, ValueError) as fault:
        raise ConfigError(path + ": " + str(fault))
    if not (wire.is_id(setup.site) and wire.is_id(setup.device)):
        raise ConfigError(path + ": site or device is no id")
    if setup.kind not in wire.DEVICE_KINDS:
        raise ConfigError(path + ": unknown kind " + str(setup.kind))
    more = _read(folder + "/setup.json")
    setup.channels = more.get("channels", {})
    setup.meters = more.get("meters", {})
    setup.battery = bool(more.get("battery"))
    setup.relay_boot = bool(more.get("relay_boot", True))
    setup.text = more.get("text", "")
    return setup
