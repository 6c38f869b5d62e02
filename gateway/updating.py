"""`hallkeeper firmware send` and `list`: an update is booked beside the running gateway, which
delivers it; its progress is read from the same rows."""

from __future__ import annotations

import sqlite3
import sys
import time
from contextlib import closing
from pathlib import Path

from gateway import audit, images, site, store, updates
from gateway.clock import iso
from gateway.errors import InputFault
from gateway.people import wall_clock

WHO = "hallkeeper firmware send"
POLL_S = 0.2
_STATES = {
    "queued": "waits for the device",
    "sending": "on its way",
    "trial": "taken; the device restarts into it and tests itself",
    "done": "good: the device runs it",
}


def send(device: str, path: Path, data: Path, *, wait: bool) -> None:
    """Book it, and follow it to its end. Raises InputFault where it is refused or fails."""
    try:
        raw = path.read_bytes()
    except OSError as fault:
        raise InputFault(f"{path}: {fault.strerror}") from None
    image = images.parsed(raw, str(path))
    with closing(store.open_reader(data)) as db:  # a gateway has run here
        _known(db, device)
    images.file(data, raw)
    with closing(store.open_writer(data)) as db:
        db.execute("BEGIN IMMEDIATE")
        try:
            number = book(db, wall_clock(), device, image, WHO)
        except BaseException:
            db.execute("ROLLBACK")
            raise
        db.execute("COMMIT")
    print(f"{device}: {image.version} for {image.board}, {len(raw)} bytes", flush=True)
    if wait:
        _follow(data, number, device)


def book(db: sqlite3.Connection, now: int, device: str, image: images.Image, who: str) -> str:
    """An update and its line in the audit, in the caller's transaction. Raises InputFault."""
    number = updates.request(db, now, device, image, who)
    about = {"update": number, "device": device, "version": image.version, "board": image.board}
    audit.append(db, now, who, "firmware.send", about | {"image": image.digest})
    return number


def show(data: Path) -> None:
    """`firmware list`: updates, newest first."""
    with closing(store.open_reader(data)) as db:
        tz = db.execute("SELECT value FROM meta WHERE key='timezone'").fetchone()
        rows = db.execute("SELECT * FROM firmware_update ORDER BY made_at DESC, id DESC LIMIT 50")
        for row in rows.fetchall():
            when = iso(row["made_at"], tz[0] if tz else "Asia/Shanghai")
            part = f"{row['at'] * 100 // row['size']:3} %"
            why = f": {row['why']}" if row["why"] else ""
            print(f"{when}  {row['device']}  {row['version']}  {part}  {row['state']}{why}")


def _known(db: sqlite3.Connection, device: str) -> None:
    row = db.execute("SELECT value FROM meta WHERE key='config'").fetchone()
    hall = site.load(Path(row[0])) if row else None
    if hall is not None and all(one.id != device for one in hall.devices):
        known = ", ".join(one.id for one in hall.devices)
        raise InputFault(f"{device!r} is no device of the site file (it has: {known})")


def _follow(data: Path, number: str, device: str) -> None:
    said = ""
    with closing(store.open_reader(data)) as db:
        while True:
            row = db.execute(
                "SELECT state, at, size, why FROM firmware_update WHERE id=?", (number,)
            ).fetchone()
            state = row["state"]
            if state in ("refused", "failed"):
                raise InputFault(f"{device}: {state}: {row['why']}")
            if state == "sending" and sys.stdout.isatty():
                print(f"\r{row['at'] * 100 // row['size']:3} %", end="", flush=True)
            if state != said:
                print(f"\r{device}: {_STATES[state]}", flush=True)
                said = state
            if state == "done":
                return
            time.sleep(POLL_S)
