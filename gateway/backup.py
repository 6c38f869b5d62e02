"""`hallkeeper backup` and `hallkeeper restore`: copies that say themselves whether they are whole.

A backup is a folder named for its instant: the database as one file, the other files of the data
directory, and `manifest.json` with a checksum of each, written last.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import shutil
import sqlite3
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from gateway import salvage, store, verify
from gateway.disk import floor_of
from gateway.errors import EnvironmentFault, InputFault

MANIFEST = "manifest.json"
KEEP = 7
_STAMP = "%Y%m%dT%H%M%SZ"
_FOLDERS = ("credentials", "calendar", "ca")  # what the data directory holds beside the database
_FILES = ("gateway.json",)
_ROOM = 1_000_000
_RESTORING, _RESTORED = "restoring", "restored"  # folders of `data`: being made, ready


@dataclass(frozen=True, slots=True)
class Backup:
    """One whole backup: its folder and what its manifest says. `faults`: what was wrong with the
    database that it is a copy of."""

    folder: Path
    made: str
    events: int
    files: dict[str, str]  # name -> SHA-256, hex
    faults: tuple[str, ...] = ()


def make(data: Path, folder: Path, keep: int = KEEP) -> Backup:
    """Copy one instant of `data` into a new folder of `folder`, beside a running gateway or
    without one, and drop all but the newest `keep`. Raises EnvironmentFault.

    A copy of a database that is damaged is kept, but takes no sound one's place and is not what is
    restored unless it is named: then InputFault is raised with what is wrong."""
    db = store.open_reader(data)
    made = datetime.now(UTC)
    part = folder / f"{made.strftime(_STAMP)}.part"
    try:
        folder.mkdir(parents=True, exist_ok=True)
        size = sum(f.stat().st_size for f in data.glob(f"{store.FILE}*"))
        _room(folder, size, spare=folder.stat().st_dev == data.stat().st_dev)
        shutil.rmtree(part, ignore_errors=True)
        part.mkdir(parents=True)
        store.copy(db, part / store.FILE)
        for name in _others(data):
            (part / name).parent.mkdir(exist_ok=True)
            shutil.copy2(data / name, part / name)
            store.sync(part / name)
        manifest = _manifest(part, made.isoformat(timespec="seconds"))
        (part / MANIFEST).write_text(json.dumps(manifest, indent=1) + "\n", encoding="utf-8")
        store.sync(part / MANIFEST)
        store.sync(part)
        done = folder / made.strftime(_STAMP)
        shutil.rmtree(done, ignore_errors=True)  # of the same second
        part.replace(done)
        store.sync(folder)
    except (OSError, sqlite3.Error) as fault:
        shutil.rmtree(part, ignore_errors=True)
        raise EnvironmentFault(f"{folder}: no backup could be made ({fault})") from fault
    finally:
        db.close()
    found = whole(done)  # before an older one goes
    damaged = [f for f in _all(folder) if _faults(f)]
    for old in [*damaged[:-1], *(_sound(folder)[:-keep] if keep > 0 else [])]:
        shutil.rmtree(old, ignore_errors=True)
    if found.faults:
        raise InputFault(
            f"{data}: {found.faults[0]}; {done} is a copy of it as it is, and older backups stay;"
            " see `hallkeeper restore --help`"
        )
    return found


def whole(folder: Path) -> Backup:
    """The backup in a folder, every byte of it as it was written. Raises InputFault."""
    try:
        raw = json.loads((folder / MANIFEST).read_text(encoding="utf-8"))
        found = Backup(folder, str(raw["made"]), int(raw["events"]), dict(raw["files"]), _told(raw))
    except (OSError, ValueError, KeyError, TypeError) as fault:
        raise InputFault(f"{folder}: no whole backup: {MANIFEST} cannot be read") from fault
    for name, digest in found.files.items():
        try:
            wrong = _digest(folder / name) != digest
        except OSError as fault:
            raise InputFault(f"{folder}: no whole backup: {name} is missing") from fault
        if wrong:
            raise InputFault(f"{folder}: no whole backup: {name} is not as it was written")
    return found


def newest(source: Path) -> Backup:
    """`source` itself, or the newest one in it of a sound database. Raises InputFault where it is
    not whole."""
    if (source / MANIFEST).exists():
        return whole(source)
    every = _sound(source)
    if not every:
        raise InputFault(f"{source}: no backup is here")
    return whole(every[-1])


def restore(source: Path, data: Path) -> list[str]:
    """Put a backup in the place of what `data` holds, which is kept aside, and take over from
    there what came after the backup and can still be read. What was done, a line each.

    The new database is made whole beside the old one and put in its place at the end: until then
    `data` is as it was, whatever fails. Raises InputFault for a backup that is not whole,
    EnvironmentFault while a gateway runs or where there is no room."""
    found = newest(source)
    with store.locked(data):
        try:
            said = _finish(data)
            part, former = data / _RESTORING, data / store.FILE
            shutil.rmtree(part, ignore_errors=True)
            part.mkdir(mode=0o700)
            for name in found.files:
                target = (part if name == store.FILE else data) / name
                if target.exists():
                    continue  # a device may have been provisioned since
                target.parent.mkdir(mode=0o700, exist_ok=True)
                shutil.copy2(found.folder / name, target)
                store.sync(target)
            db = store.open_writer(part)
            try:
                taken = salvage.run(former, db) if former.exists() else []
                db.execute("DELETE FROM session")  # one that was ended since would be good again
                faults = verify.check(db, lambda _: None)
            finally:
                db.close()
            store.sync(part / store.FILE)
            part.replace(data / _RESTORED)
            aside = _aside(data)
            _finish(data)
        except (OSError, sqlite3.OperationalError) as fault:
            shutil.rmtree(data / _RESTORING, ignore_errors=True)
            raise EnvironmentFault(f"{data}: nothing was restored ({fault})") from fault
    said.append(f"restored the backup of {found.made} with {found.events} events")
    if aside is not None:
        said += [f"the former database is kept in {aside}", *taken]
    if faults:
        raise InputFault(f"{data}: restored, but {faults[0]}")
    return said


def _finish(data: Path) -> list[str]:
    """Put a restored database in its place, also one that an earlier run left ready."""
    ready = data / _RESTORED
    said = []
    if (ready / store.FILE).exists() and not (data / store.FILE).exists():
        (ready / store.FILE).replace(data / store.FILE)
        said.append("put in place what an interrupted restore had left ready")
    shutil.rmtree(ready, ignore_errors=True)
    if data.is_dir():
        store.sync(data)
    return said


def rehearse(source: Path) -> str:
    """Check every backup of `source`, restore the newest into a folder that is then removed, and
    check that. What was found good, in a line. Raises InputFault and EnvironmentFault."""
    found = newest(source)
    for other in _all(source):
        whole(other)
    _room(found.folder, (found.folder / store.FILE).stat().st_size, spare=True)
    with _temporary(source) as folder:
        restore(found.folder, folder)
        db = store.open_reader(folder)
        try:
            events = int(db.execute("SELECT count(*) FROM event").fetchone()[0])
        finally:
            db.close()
    if events != found.events:
        raise InputFault(f"{found.folder}: {found.events} events went in, {events} come out")
    return f"the backup of {found.made} can be restored: {events} events"


@contextlib.contextmanager
def _temporary(source: Path) -> Iterator[Path]:
    where = source if not (source / MANIFEST).exists() else source.parent
    folder = where / f".rehearsal-{os.getpid()}"
    for left in where.glob(".rehearsal-*"):  # of one that was killed
        shutil.rmtree(left, ignore_errors=True)
    try:
        folder.mkdir()
        yield folder
    except OSError as fault:
        raise EnvironmentFault(f"{where}: cannot be written ({fault.strerror})") from fault
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _all(folder: Path) -> list[Path]:
    """Finished backups, the oldest first."""
    if not folder.is_dir():
        return []
    return sorted(f for f in folder.iterdir() if f.is_dir() and _is_stamp(f.name))


def _sound(folder: Path) -> list[Path]:
    """Those that are no copies of a damaged database."""
    return [f for f in _all(folder) if not _faults(f)]


def _faults(backup: Path) -> tuple[str, ...]:
    """What a backup says was wrong with its database; nothing where it says nothing."""
    try:
        return _told(json.loads((backup / MANIFEST).read_text(encoding="utf-8")))
    except (OSError, ValueError, TypeError, AttributeError):
        return ()


def _told(manifest: dict[str, Any]) -> tuple[str, ...]:
    return tuple(map(str, manifest.get("faults", ())))


def _is_stamp(name: str) -> bool:
    try:
        datetime.strptime(name, _STAMP)
    except ValueError:
        return False
    return True


def _others(data: Path) -> list[str]:
    """The other files of a data directory that belong into a backup."""
    found = [name for name in _FILES if (data / name).is_file()]
    for folder in _FOLDERS:
        if (data / folder).is_dir():
            inside = sorted(f for f in (data / folder).iterdir() if f.is_file())
            found += [f"{folder}/{f.name}" for f in inside if not f.name.startswith(".")]
    return found


def _manifest(folder: Path, made: str) -> dict[str, Any]:
    db = store.open_file(folder / store.FILE)
    try:
        events = db.execute("SELECT count(*) FROM event").fetchone()[0]
        schema = db.execute("PRAGMA user_version").fetchone()[0]
        faults = verify.check(db, lambda _: None)
    finally:
        db.close()
    names = sorted(str(f.relative_to(folder)) for f in folder.rglob("*") if f.is_file())
    files = {name: _digest(folder / name) for name in names}
    return {"made": made, "schema": schema, "events": events, "faults": faults, "files": files}


def _digest(path: Path) -> str:
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _room(folder: Path, size: int, spare: bool) -> None:
    """Raises EnvironmentFault where a copy would not fit, or with `spare` would leave less than
    the floor: on the data's own disk readings would not be taken any more."""
    disk = shutil.disk_usage(folder)
    left = floor_of(disk.total) if spare else 0
    if disk.free < size + _ROOM + left:
        raise EnvironmentFault(
            f"{folder}: no room for a copy: {size / 1e6:.1f} MB are needed,"
            + (f" {left / 1e6:.1f} MB are to be left free," if left else "")
            + f" {disk.free / 1e6:.1f} MB are free"
        )


def _aside(data: Path) -> Path | None:
    """Move the database that is here out of the way; None where there is none."""
    here = sorted(data.glob(f"{store.FILE}*"))
    here = [f for f in here if f.name in {store.FILE, f"{store.FILE}-wal", f"{store.FILE}-shm"}]
    if not here:
        return None
    folder = data / f"former-{datetime.now(UTC).strftime(_STAMP)}"
    folder.mkdir()
    for file in here:
        file.replace(folder / file.name)
    return folder
