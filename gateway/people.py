"""Accounts, roles, sessions: who may sign in, and for how long.

Sessions live in the machine's own time, whatever clock the hall runs on: a demonstration at sixty
times the speed must not sign people out after twelve minutes.
"""

from __future__ import annotations

import getpass
import hashlib
import os
import re
import secrets
import sqlite3
import time
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

from pwdlib import PasswordHash

from gateway import audit, store
from gateway.errors import InputFault

ROLES = ("viewer", "counter", "duty", "facilities", "manager", "auditor", "admin")
ANY = frozenset(ROLES)

SESSION_MS = 12 * 3600_000
WALL_MS = 30 * 86400_000  # a wall screen is signed in once a month
MIN_PASSWORD = 8
_NAME = re.compile(r"[^\s/]{1,32}")
# Records made by nobody are signed `gateway`; the dots would be lost from an address.
_TAKEN = frozenset({audit.GATEWAY, ".", ".."})
_HASHER = PasswordHash.recommended()
_NOBODY = _HASHER.hash(secrets.token_urlsafe(16))


@dataclass(frozen=True, slots=True)
class Who:
    """A signed-in person; `token` is the hash that names their session."""

    name: str
    role: str
    counter: str | None
    token: str


class Taken(InputFault):
    """The name is somebody's."""


class LastAdmin(InputFault):
    """Without this account nobody could keep accounts any more."""

    def __init__(self, name: str) -> None:
        super().__init__(f"{name} is the last administrator: make another one first")


def wall_clock() -> int:
    """The machine's own time in Unix ms: sessions are measured in it."""
    return time.time_ns() // 1_000_000


def create(
    db: sqlite3.Connection,
    now: int,
    name: str,
    role: str,
    password_hash: str,
    by: str,
    counter: str | None = None,
) -> None:
    """Insert an account in the caller's transaction. InputFault on a bad or taken name or role.

    `counter` is the counter that a `counter` account leads."""
    if counter is not None and role != "counter":
        raise InputFault(f"counter {counter!r}: only the role counter leads one")
    if not _NAME.fullmatch(name) or not name.isprintable():
        raise InputFault(f"name {name!r}: 1–32 visible characters without spaces or slashes")
    if name in _TAKEN:
        raise InputFault(f"name {name!r}: kept for the gateway itself")
    if role not in ROLES:
        raise InputFault(f"role {role!r}: one of {', '.join(ROLES)}")
    if db.execute("SELECT 1 FROM account WHERE name = ?", (name,)).fetchone():
        raise Taken(f"name {name!r}: there is such an account already")
    db.execute(
        "INSERT INTO account (name, role, hash, counter, made_at) VALUES (?, ?, ?, ?, ?)",
        (name, role, password_hash, counter, now),
    )
    about = {"name": name, "role": role} | ({"counter": counter} if counter else {})
    audit.append(db, now, by, "account.add", about)


def hashed(password: str) -> str:
    """The argon2 hash of a password. InputFault where it is too short."""
    if len(password) < MIN_PASSWORD:
        raise InputFault(f"the password needs at least {MIN_PASSWORD} characters")
    return _HASHER.hash(password)


def add(name: str, role: str, data: Path, counter: str | None = None) -> None:
    """`hallkeeper user add`: works beside a running gateway, in one short transaction."""
    if role not in ROLES:
        raise InputFault(f"role {role!r}: one of {', '.join(ROLES)}")
    given = os.environ.get("HALLKEEPER_PASSWORD")
    password = _HASHER.hash(given) if given else hashed(_asked())
    with closing(store.open_writer(data)) as db:
        db.execute("BEGIN IMMEDIATE")
        try:
            create(db, wall_clock(), name, role, password, "hallkeeper user add", counter)
        except BaseException:
            db.execute("ROLLBACK")
            raise
        db.execute("COMMIT")
    print(f"{name} may sign in as {role}")


def _asked() -> str:
    try:
        first = getpass.getpass("Password: ")
        if first != getpass.getpass("Again: "):
            raise InputFault("the two passwords differ")
    except EOFError:
        raise InputFault("no password: give it on a terminal or in HALLKEEPER_PASSWORD") from None
    return first


def first_start(db: sqlite3.Connection, now: int) -> str | None:
    """Make `admin` where there is none; the random password to print once, or None.

    Call it inside the writer's transaction. The password comes from HALLKEEPER_ADMIN_PASSWORD
    where that is set, of any length: it is the operator's own choice.
    """
    if db.execute("SELECT 1 FROM account WHERE name = 'admin'").fetchone():
        return None
    given = os.environ.get("HALLKEEPER_ADMIN_PASSWORD")
    password = given or secrets.token_urlsafe(12)
    create(db, now, "admin", "admin", _HASHER.hash(password), "first start")
    return None if given else password


def verify(db: sqlite3.Connection, name: str, password: str) -> str | None:
    """The role of the person whose password this is, else None; takes as long either way."""
    row = db.execute("SELECT role, hash, disabled FROM account WHERE name = ?", (name,)).fetchone()
    good = _HASHER.verify(password, row[1] if row else _NOBODY)
    return str(row[0]) if row and good and not row[2] else None


def open_session(db: sqlite3.Connection, name: str, role: str, at: int) -> tuple[str, int]:
    """A new session of `name`: (token, until). `at` and `until` by `wall_clock`."""
    token = secrets.token_urlsafe(32)
    until = at + (WALL_MS if role == "viewer" else SESSION_MS)
    db.execute("DELETE FROM session WHERE until <= ?", (at,))
    db.execute(
        "INSERT INTO session (token, name, made_at, until) VALUES (?, ?, ?, ?)",
        (token_hash(token), name, at, until),
    )
    return token, until


def close_session(db: sqlite3.Connection, token: str) -> None:
    """End the session with this token hash."""
    db.execute("DELETE FROM session WHERE token = ?", (token,))


def who(db: sqlite3.Connection, token: str, at: int) -> Who | None:
    """The person a token speaks for, or None where it is unknown, over, or the account disabled."""
    key = token_hash(token)
    row = db.execute(
        "SELECT a.name, a.role, a.counter FROM session s JOIN account a ON a.name = s.name"
        " WHERE s.token = ? AND s.until > ? AND NOT a.disabled",
        (key, at),
    ).fetchone()
    return Who(row[0], row[1], row[2], key) if row else None


def still(db: sqlite3.Connection, person: Who, at: int) -> bool:
    """Whether a session found earlier is good yet, with the same role."""
    row = db.execute(
        "SELECT 1 FROM session s JOIN account a ON a.name = s.name"
        " WHERE s.token = ? AND s.until > ? AND NOT a.disabled AND a.role = ?",
        (person.token, at, person.role),
    ).fetchone()
    return row is not None


def change_password(db: sqlite3.Connection, now: int, person: Who, password_hash: str) -> None:
    """Set a new password and end the person's other sessions."""
    db.execute("UPDATE account SET hash = ? WHERE name = ?", (password_hash, person.name))
    db.execute("DELETE FROM session WHERE name = ? AND token <> ?", (person.name, person.token))
    audit.append(db, now, person.name, "account.password", {"name": person.name})


def appoint(
    db: sqlite3.Connection, now: int, name: str, role: str, counter: str | None, by: str
) -> bool:
    """Give an account another role, or a counter's lead another counter; False where there is none.

    Its sessions end, so that nothing goes on under the role it had. LastAdmin, and InputFault on a
    role that is none or a counter without the role `counter`."""
    if role not in ROLES:
        raise InputFault(f"role {role!r}: one of {', '.join(ROLES)}")
    if counter is not None and role != "counter":
        raise InputFault(f"counter {counter!r}: only the role counter leads one")
    row = db.execute("SELECT role, counter FROM account WHERE name = ?", (name,)).fetchone()
    if row is None:
        return False
    if tuple(row) == (role, counter):
        return True
    if role != "admin":
        _keep_an_admin(db, name)
    db.execute("UPDATE account SET role = ?, counter = ? WHERE name = ?", (role, counter, name))
    db.execute("DELETE FROM session WHERE name = ?", (name,))
    about = {"name": name, "role": role, "before": row[0]}
    audit.append(db, now, by, "account.role", about | ({"counter": counter} if counter else {}))
    return True


def _keep_an_admin(db: sqlite3.Connection, name: str) -> None:
    """LastAdmin where this account is the only one that may keep accounts."""
    rows = db.execute("SELECT name FROM account WHERE role = 'admin' AND NOT disabled").fetchall()
    if [row[0] for row in rows] == [name]:
        raise LastAdmin(name)


def switch(db: sqlite3.Connection, now: int, name: str, on: bool, by: str) -> bool:
    """Enable or disable an account; False where there is none. Its sessions end when disabled.

    LastAdmin where nobody could keep accounts afterwards."""
    if not on:
        _keep_an_admin(db, name)
    done = db.execute("UPDATE account SET disabled = ? WHERE name = ?", (not on, name))
    if not done.rowcount:
        return False
    if not on:
        db.execute("DELETE FROM session WHERE name = ?", (name,))
    audit.append(db, now, by, "account.enable" if on else "account.disable", {"name": name})
    return True


def reset(db: sqlite3.Connection, now: int, name: str, password_hash: str, by: str) -> bool:
    """Another's new password, set by an administrator; False where there is no such account."""
    done = db.execute("UPDATE account SET hash = ? WHERE name = ?", (password_hash, name))
    if not done.rowcount:
        return False
    db.execute("DELETE FROM session WHERE name = ?", (name,))
    audit.append(db, now, by, "account.reset", {"name": name})
    return True


def token_hash(token: str) -> str:
    """What a token is stored as."""
    return hashlib.sha256(token.encode()).hexdigest()
