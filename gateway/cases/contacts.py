"""How to reach a citizen who asked for a call-back: sealed, for one purpose, until a day.

Sealed by AES-256-GCM under a key that lies beside the database (`contact.key`, mode 0600), bound to
its case. Each look-up is an audit row, written before the text is given. After its last day the
sealed text is erased; that there was one, why, and by whom, stays.
"""

from __future__ import annotations

import os
import secrets
import sqlite3
from contextlib import suppress
from datetime import date
from pathlib import Path

from gateway import audit, crypto
from gateway.errors import EnvironmentFault, InputFault

KEY = "contact.key"
KEEP_DAYS = 90  # proposed: how long a contact is kept where nothing else is said
MOST_DAYS = 365
_NONCE = 12


def key(data: Path, name: str = KEY) -> bytes:
    """The hall's key of this name, made at its first use. Raises EnvironmentFault."""
    path = data / name
    try:
        with suppress(FileExistsError):
            handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
            with os.fdopen(handle, "wb") as file:
                file.write(secrets.token_bytes(32))
                file.flush()
                os.fsync(file.fileno())
        found = path.read_bytes()
    except OSError as fault:
        raise EnvironmentFault(f"{path}: {fault.strerror}") from fault
    if len(found) != 32:
        raise EnvironmentFault(f"{path}: is no key of 32 bytes; restore it from a backup")
    return found


def put(
    db: sqlite3.Connection,
    now: int,
    who: str,
    case: str,
    text: str,
    purpose: str,
    until: date,
    secret: bytes,
) -> None:
    """Seal a contact of a case, in the caller's transaction. InputFault where it has one."""
    if db.execute("SELECT 1 FROM contact WHERE case_id = ?", (case,)).fetchone():
        raise InputFault("the case has a contact already")
    nonce = secrets.token_bytes(_NONCE)
    sealed = nonce + crypto.aead.AESGCM(secret).encrypt(nonce, text.encode(), case.encode())
    db.execute(
        "INSERT INTO contact (case_id, purpose, until, sealed, made_by, made_at)"
        " VALUES (?, ?, ?, ?, ?, ?)",
        (case, purpose, until.isoformat(), sealed, who, now),
    )
    about = {"case": case, "purpose": purpose, "until": until.isoformat()}
    audit.append(db, now, who, "contact.keep", about)


def look_up(
    db: sqlite3.Connection, now: int, who: str, case: str, reason: str, secret: bytes
) -> str | None:
    """The contact of a case, None where there is none or it was erased; audited either way."""
    row = db.execute("SELECT sealed FROM contact WHERE case_id = ?", (case,)).fetchone()
    sealed = row[0] if row else None
    about = {"case": case, "reason": reason, "found": sealed is not None}
    audit.append(db, now, who, "contact.read", about)
    if sealed is None:
        return None
    try:
        opened = crypto.aead.AESGCM(secret).decrypt(sealed[:_NONCE], sealed[_NONCE:], case.encode())
    except crypto.exceptions.InvalidTag as fault:
        raise EnvironmentFault(f"{KEY} is not the key this contact was sealed with") from fault
    return opened.decode()


def erase_old(db: sqlite3.Connection, now: int, today: date) -> list[str]:
    """Erase the contacts whose last day is over; their cases' ids."""
    rows = db.execute(
        "SELECT case_id FROM contact WHERE sealed IS NOT NULL AND until < ? ORDER BY until",
        (today.isoformat(),),
    ).fetchall()
    cases = [case for (case,) in rows]
    for case in cases:
        erase(db, now, audit.GATEWAY, case, "age")
    return cases


def erase(db: sqlite3.Connection, now: int, who: str, case: str, why: str) -> bool:
    """Overwrite a sealed contact; False where there is none to erase."""
    db.execute("PRAGMA secure_delete=ON")
    done = db.execute(
        "UPDATE contact SET sealed = NULL, erased_at = ?, erased_why = ?"
        " WHERE case_id = ? AND sealed IS NOT NULL",
        (now, why, case),
    )
    if done.rowcount != 1:
        return False
    audit.append(db, now, who, "contact.erase", {"case": case, "why": why})
    return True
