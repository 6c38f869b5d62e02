"""The link behind a counter's QR code: signed, for one counter, until a day. Pure but for the key.

A link is `<counter>.<last day as yymmdd>.<signature>`, the signature HMAC-SHA256 over both, cut to
96 bits. The page's form carries a slip: an instant, a random part and a signature of its own, good
once and for a quarter of an hour.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import secrets
import sqlite3
from dataclasses import dataclass
from datetime import date, datetime

SLIP_MS = 15 * 60_000
_META = "qr_key"


@dataclass(frozen=True, slots=True)
class Link:
    """A link that is genuine; whether it is still good is the caller's to ask."""

    counter: str
    last: date  # included


def key(db: sqlite3.Connection) -> bytes | None:
    """The key of this house's links, or None before the first was made."""
    row = db.execute("SELECT value FROM meta WHERE key = ?", (_META,)).fetchone()
    return bytes.fromhex(row[0]) if row else None


def made_key(db: sqlite3.Connection) -> bytes:
    """The key, drawn in the caller's transaction where there is none yet."""
    db.execute("INSERT OR IGNORE INTO meta VALUES (?, ?)", (_META, secrets.token_hex(32)))
    found = key(db)
    assert found is not None
    return found


def link(secret: bytes, counter: str, last: date) -> str:
    """The link of a counter, good up to and including `last`."""
    body = f"{counter}.{last:%y%m%d}"
    return f"{body}.{_sign(secret, 'link', body)}"


def opened(secret: bytes, text: str) -> Link | None:
    """What a link says, or None where it was not made here."""
    body, _, signature = text.rpartition(".")
    counter, _, last = body.rpartition(".")
    if not counter or not _same(signature, _sign(secret, "link", body)):
        return None
    return Link(counter, datetime.strptime(last, "%y%m%d").date())


def slip(secret: bytes, counter: str, now: int) -> str:
    """What makes one sending of the form good."""
    body = f"{now}.{secrets.token_hex(8)}"
    return f"{body}.{_sign(secret, f'slip {counter}', body)}"


def slip_good(secret: bytes, counter: str, text: str, now: int) -> bool:
    """Whether a slip was given out for this counter, not longer ago than a quarter of an hour."""
    body, _, signature = text.rpartition(".")
    if not _same(signature, _sign(secret, f"slip {counter}", body)):
        return False
    return 0 <= now - int(body.partition(".")[0]) <= SLIP_MS


def _same(given: str, right: str) -> bool:
    return hmac.compare_digest(given.encode("utf-8", "replace"), right.encode())


def _sign(secret: bytes, what: str, body: str) -> str:
    mac = hmac.new(secret, f"{what}\0{body}".encode("utf-8", "surrogatepass"), hashlib.sha256)
    return base64.urlsafe_b64encode(mac.digest()[:12]).decode()
