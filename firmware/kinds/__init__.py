"""One file per device kind: a module with `DEFAULTS` and the hooks it needs (see `body.py`)."""


def load(kind):
    """The module of a kind by its name in the site file."""
    return __import__("firmware.kinds." + kind.replace("-", "_"), None, None, ("DEFAULTS",))
