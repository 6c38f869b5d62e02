"""An update's manifest: JSON `{"version", "board", "files": {name: [bytes, sha256 hex]}}`, signed.

The signature is Ed25519 over the SHA-256 of the manifest's bytes; the files are bound by their own
SHA-256 inside it.
"""

import hashlib
import json

from firmware import ed25519

MAX_BYTES = 8192
MAX_FILES = 100
MAX_NAME = 64
_CHARS = "abcdefghijklmnopqrstuvwxyz0123456789_/."


class Refused(ValueError):
    """This update is not for this device; the text says why."""


def version(text):
    """`1.2.10` as (1, 2, 10). Refused for anything else."""
    try:
        found = tuple(int(part) for part in text.split("."))
    except (ValueError, AttributeError):
        raise Refused("version")
    if len(found) != 3 or min(found) < 0:
        raise Refused("version")
    return found


def _is_name(name):
    if not 0 < len(name) <= MAX_NAME or any(char not in _CHARS for char in name):
        return False
    return all(part.strip(".") for part in name.split("/"))


def checked(raw, signature, public, board, running, feed=None):
    """The manifest's object. Refused unless it is signed, of this board, and newer than `running`.

    Nothing of `raw` is looked at before its signature holds.
    """
    if len(raw) > MAX_BYTES:
        raise Refused("too long")
    if not ed25519.verify(public, signature, hashlib.sha256(raw).digest(), feed):
        raise Refused("signature")
    try:
        found = json.loads(raw)
        files = found["files"]
        for name in files:
            size, digest = files[name]
            if not _is_name(name) or not isinstance(size, int) or size < 0 or len(digest) != 64:
                raise Refused("file " + name)
        if found["board"] != board:
            raise Refused("for another board: " + str(found["board"]))
        if version(found["version"]) <= version(running):
            raise Refused("not newer: " + found["version"])
    except (KeyError, TypeError, AttributeError) as fault:
        raise Refused("malformed: " + str(fault))
    if not 0 < len(files) <= MAX_FILES:
        raise Refused("files")
    return found
