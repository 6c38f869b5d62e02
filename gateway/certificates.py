"""Certificates that end: whose they are, how long they still last, and the alerts about them.

Three things show one: devices (issued by the hall's own authority), the broker (and the gateway
itself, renewed together with it), and the authority. Each is told of when at most 30, 7 and 1 days
are left, once a step, until it is renewed. Times Unix ms.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path

from gateway import alerts, authority, credentials
from gateway.clock import iso
from gateway.lifecycle import Return
from gateway.selfalerts import CERT_AUTHORITY, CERT_BROKER, CERT_DEVICE, OWN
from gateway.site import Site
from gateway.turns import Changes, Turn

DAY_MS = 86_400_000
STEPS = (1, 7, 30)  # days left
EVERY_S = 60.0
LOOK_S = 1.0  # how soon a renewal is seen
BROKER_KEY = "broker_certificate"  # in `meta`: what the broker showed last
_SEVERITY = {
    CERT_DEVICE: {30: "notice", 7: "warning", 1: "warning"},
    CERT_BROKER: {30: "notice", 7: "warning", 1: "critical"},
    CERT_AUTHORITY: {30: "notice", 7: "warning", 1: "critical"},
}


@dataclass(frozen=True, slots=True)
class Certificate:
    """`rule` says whose kind it is, `subject` whose: a device's id, else `gateway`."""

    rule: str
    subject: str
    expires: int


def held(data: Path, devices: Iterable[str], broker: int | None) -> list[Certificate]:
    """Every certificate that the hall's own parts show; `broker`: the end of the one its broker
    showed last, None where it showed none."""
    folder = data / authority.FOLDER
    ends = [end for end in (broker, authority.expiry(folder / "own.pem")) if end is not None]
    found = [Certificate(CERT_BROKER, "gateway", min(ends))] if ends else []
    whole = authority.expiry(folder / "ca.pem")
    if whole is not None:
        found.append(Certificate(CERT_AUTHORITY, "gateway", whole))
    for device in devices:
        kept = credentials.load(data, device)
        if kept is not None and kept.certificate and kept.expires is not None:
            found.append(Certificate(CERT_DEVICE, device, kept.expires))
    return found


def days_left(expires: int, now: int) -> int:
    """Whole days; negative once it has ended."""
    return (expires - now) // DAY_MS


def step(expires: int, now: int) -> int | None:
    """The step that is reached: the fewest of `STEPS` that still holds the time left, or None."""
    return next((days for days in STEPS if expires - now <= days * DAY_MS), None)


class CertWatch:
    """Stage `certificates`. `shown()`: the end of the certificate the broker shows, or None."""

    name = "certificates"

    def __init__(self, site: Site, data: Path, shown: Callable[[], int | None]) -> None:
        self._site = site
        self._data = data
        self._shown = shown
        self._devices = [device.id for device in site.devices]
        self._next = self._look = 0.0
        self._stamp: tuple[int, ...] = ()
        self._broker: int | None = None
        self._standing: dict[tuple[str, str], tuple[str, int]] = {}  # its alert and step

    def load(self, db: sqlite3.Connection, now: int) -> None:  # noqa: ARG002
        self._next = self._look = 0.0
        self._broker = broker_expires(db)
        rows = db.execute(
            "SELECT rule, subject, id, about FROM alert WHERE rule IN (?,?,?) AND active=1"
            " AND finding=''",
            (CERT_DEVICE, CERT_BROKER, CERT_AUTHORITY),
        )
        self._standing = {
            (rule, subject): (name, int(json.loads(about)["within_days"]))
            for rule, subject, name, about in rows
        }

    def turn(self, db: sqlite3.Connection, turn: Turn) -> None:
        shown = self._shown()
        if shown is not None and shown != self._broker:
            self._broker = shown
            db.execute("INSERT OR REPLACE INTO meta VALUES (?, ?)", (BROKER_KEY, str(shown)))
        elif not self._due(turn.mono):
            return
        self._next = turn.mono + EVERY_S
        due: dict[tuple[str, str], tuple[int, Certificate]] = {}
        for one in held(self._data, self._devices, self._broker):
            reached = step(one.expires, turn.now)
            if reached is not None:
                due[one.rule, one.subject] = reached, one
        for key in [*self._standing]:
            if key not in due or due[key][0] != self._standing[key][1]:
                name, _ = self._standing.pop(key)
                alerts.apply(db, turn.now, name, Return(), self._site.noise)
        for key, (reached, one) in due.items():
            if key not in self._standing:
                self._standing[key] = self._tell(db, turn.now, one, reached), reached

    def _due(self, mono: float) -> bool:
        """Once a minute, and as soon as a certificate has been made."""
        if mono >= self._look:
            self._look = mono + LOOK_S
            stamp = _changed(self._data)
            if stamp != self._stamp:
                self._stamp = stamp
                return True
        return mono >= self._next

    def _tell(self, db: sqlite3.Connection, now: int, one: Certificate, reached: int) -> str:
        severity = _SEVERITY.get(one.rule, {}).get(reached, OWN[one.rule][0])
        ends = iso(one.expires, self._site.timezone)[:16].replace("T", " ")
        about = {"expires": ends, "within_days": reached}
        return alerts.stand(db, now, one.rule, one.subject, severity, about, self._site.noise)

    def committed(self, turn: Turn) -> Changes:  # noqa: ARG002
        return []


def _changed(data: Path) -> tuple[int, ...]:
    """When files were last put into the folders that hold certificates; 0 for one that lacks."""
    folders = (data / authority.FOLDER, data / credentials.FOLDER)
    return tuple(one.stat().st_mtime_ns if one.is_dir() else 0 for one in folders)


def broker_expires(db: sqlite3.Connection) -> int | None:
    """The end of the certificate that the broker showed last, None where it showed none."""
    found = db.execute("SELECT value FROM meta WHERE key=?", (BROKER_KEY,)).fetchone()
    return int(found[0]) if found else None
