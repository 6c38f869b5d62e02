"""Firmware to devices: an image in pieces, each an `update` command, one after the other.

`request` books an update in the caller's transaction. `UpdateStage` sends its pieces, each once the
one before is answered, goes on where the device or the gateway has restarted in between, and books
how it ended by what the device itself says: refused, on trial, done, or gone back. Times Unix ms.
"""

from __future__ import annotations

import base64
import json
import sqlite3
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from firmware import wire
from firmware.delivery import EXPECTED
from gateway import images
from gateway.commands import ANSWER_S, Publish, new_id
from gateway.errors import InputFault
from gateway.events import STRUCTS
from gateway.images import Image
from gateway.turns import Changes, DeviceState, Turn

PIECE = 1024  # bytes; as base64 within a command, and again in the RAM of a small device
MAX_SENT = 6  # times one piece is sent without an answer
MAX_ROUNDS = 5  # times it begins anew
TTL_MS = 60_000  # of a piece
WAIT_MS = 24 * 3_600_000  # for a device that is not there
TRIAL_MS = 30 * 60_000  # for one that restarts into it; it judges itself in ten minutes
OPEN = "('queued','sending','trial')"
_DONE: Any = STRUCTS[wire.DONE]
_COLUMNS = "id,device,image,version,size,made_at,state,at,round,boot,changed_at"


@dataclass(frozen=True, slots=True)
class Job:
    """An update that is not over."""

    id: str
    device: str
    image: str
    version: str
    size: int
    made_at: int
    state: str
    at: int
    round: int
    boot: int | None
    changed_at: int

    @property
    def piece(self) -> str:
        """The id of the command that carries its next piece: the same however often it is sent."""
        return f"u-{self.id}.{self.round}.{self.at}"


def request(db: sqlite3.Connection, now: int, device: str, image: Image, person: str) -> str:
    """Book an update; its id. Raises InputFault where one is under way already."""
    made = new_id(db, "firmware_update", "f", now)
    row = db.execute("SELECT fw FROM device WHERE id=?", (device,)).fetchone()
    try:
        db.execute(
            "INSERT INTO firmware_update"
            " (id,device,image,version,board,size,person,made_at,changed_at,was)"
            " VALUES (?,?,?,?,?,?,?,?,?,?)",
            (
                *(made, device, image.digest, image.version, image.board, len(image.raw)),
                *(person, now, now, row[0] if row else None),
            ),
        )
    except sqlite3.IntegrityError:
        raise InputFault(f"{device}: an update is under way already") from None
    return made


def answered(job: Job, ok: bool, why: str | None, taken: int, boot: int | None) -> Job | str:
    """The job after the answer to its piece of `taken` bytes; text: why it is refused."""
    if ok:
        at = job.at + taken
        return replace(job, at=at, boot=boot, state="trial" if at >= job.size else "sending")
    begins_anew = why is not None and (why.startswith(EXPECTED) or why == "interrupted")
    if begins_anew and job.round < MAX_ROUNDS:
        return replace(job, at=0, round=job.round + 1)
    return why or "refused"


def judged(job: Job, fw: str | None, boot: int | None, trial: bool) -> tuple[str, str | None]:
    """(state, why) of a job on trial whose device says `ready` with this firmware."""
    if fw == job.version:
        return ("trial", None) if trial else ("done", None)
    if job.boot is not None and boot is not None and boot > job.boot:
        return "failed", f"it did not pass its self-test: the device went back to {fw}"
    return "trial", None


class UpdateStage:
    """Sends pieces and books. `publish` is the gateway's session; `speed` the house clock's."""

    name = "updates"

    def __init__(
        self,
        site: str,
        data: Path,
        publish: Publish,
        connected: Callable[[], bool],
        speed: float,
    ) -> None:
        self._site, self._data, self._speed = site, data, speed
        self._publish, self._connected = publish, connected
        self._there: set[str] = set()
        self._sent: dict[str, tuple[float, int]] = {}  # piece -> (when last, how often)
        self._raw: dict[str, bytes] = {}
        self._outgoing: list[tuple[str, str, bytes]] = []
        self._changed: list[dict[str, Any]] = []

    def load(self, db: sqlite3.Connection, now: int) -> None:  # noqa: ARG002
        self._there = {id_ for (id_,) in db.execute("SELECT id FROM device WHERE state='ready'")}
        self._sent, self._outgoing, self._changed = {}, [], []

    def turn(self, db: sqlite3.Connection, turn: Turn) -> None:
        self._outgoing, self._changed = [], []
        jobs = {job.device: job for job in _open(db)}
        for said in turn.states:
            self._heard(db, said, jobs, turn.now)
        if not jobs:
            self._raw = {}
            return
        for stored in turn.new(wire.DONE):
            job = jobs.get(stored.device)
            if job and isinstance(stored.event, _DONE):
                self._answer(db, job, stored.event, jobs, turn.now)
        for job in list(jobs.values()):
            self._due(db, job, turn)

    def committed(self, turn: Turn) -> Changes:
        for device, piece, payload in self._outgoing:
            if self._publish(wire.topic(self._site, device, "cmd"), payload):
                often = self._sent.get(piece, (0.0, 0))[1]
                self._sent[piece] = (turn.mono, often + 1)
        return [("device", told) for told in self._changed]

    def _heard(
        self, db: sqlite3.Connection, said: DeviceState, jobs: dict[str, Job], now: int
    ) -> None:
        state = said.state
        job = jobs.get(said.device)
        if state.state != "ready":
            self._there.discard(said.device)
            return
        self._there.add(said.device)
        if job is None:
            return
        self._sent.pop(job.piece, None)
        if job.state == "trial":
            became, why = judged(job, state.fw, state.boot, state.trial)
            if became != "trial":
                self._end(db, jobs, job, became, why, now)

    def _answer(
        self, db: sqlite3.Connection, job: Job, done: Any, jobs: dict[str, Job], now: int
    ) -> None:
        if done.cmd != job.piece or job.state not in ("queued", "sending"):
            return
        row = db.execute("SELECT boot FROM device WHERE id=?", (job.device,)).fetchone()
        taken = min(PIECE, job.size - job.at)
        after = answered(job, done.ok, done.why, taken, row[0] if row else None)
        self._sent.pop(job.piece, None)
        if isinstance(after, str):
            self._end(db, jobs, job, "refused", after, now)
            return
        jobs[job.device] = after
        db.execute(
            "UPDATE firmware_update SET state=?, at=?, round=?, boot=?, changed_at=? WHERE id=?",
            (after.state, after.at, after.round, after.boot, now, job.id),
        )
        if after.state != job.state or after.at * 10 // job.size != job.at * 10 // job.size:
            self._tell(after)

    def _due(self, db: sqlite3.Connection, job: Job, turn: Turn) -> None:
        if job.state == "trial":
            if turn.now - job.changed_at > TRIAL_MS * self._speed:
                why = "it has not come back from its restart"
                self._end(db, {}, job, "failed", why, turn.now)
            return
        if job.device not in self._there or not self._connected():
            if turn.now - job.changed_at > WAIT_MS:
                self._end(db, {}, job, "failed", "the device was not there for a day", turn.now)
            return
        when, often = self._sent.get(job.piece, (None, 0))
        if when is not None and turn.mono - when < ANSWER_S:
            return
        if often >= MAX_SENT:
            self._end(db, {}, job, "failed", "no answer", turn.now)
            return
        raw = self._image(job)
        if raw is None:
            self._end(db, {}, job, "failed", "its image is no longer there", turn.now)
            return
        if job.state == "queued":
            db.execute("UPDATE firmware_update SET state='sending' WHERE id=?", (job.id,))
            self._tell(replace(job, state="sending"))
        expires = turn.now + int(TTL_MS * self._speed)
        self._outgoing.append((job.device, job.piece, encode(job, raw, expires)))

    def _image(self, job: Job) -> bytes | None:
        if job.image not in self._raw:
            with suppress(OSError):
                self._raw[job.image] = images.kept_at(self._data, job.image).read_bytes()
        return self._raw.get(job.image)

    def _end(
        self,
        db: sqlite3.Connection,
        jobs: dict[str, Job],
        job: Job,
        state: str,
        why: str | None,
        now: int,
    ) -> None:
        db.execute(
            "UPDATE firmware_update SET state=?, why=?, changed_at=? WHERE id=?",
            (state, why, now, job.id),
        )
        jobs.pop(job.device, None)
        self._sent.pop(job.piece, None)
        self._tell(replace(job, state=state))

    def _tell(self, job: Job) -> None:
        told = {"id": job.id, "version": job.version, "state": job.state, "at": job.at}
        self._changed.append({"id": job.device, "update": told | {"size": job.size}})


def encode(job: Job, raw: bytes, exp: int) -> bytes:
    """The command that carries a job's next piece."""
    piece = base64.b64encode(raw[job.at : job.at + PIECE]).decode()
    args = {"at": job.at, "of": job.size, "data": piece}
    made = {"id": job.piece, "do": "update", "args": args, "exp": exp}
    return json.dumps(made, separators=(",", ":")).encode()


def _open(db: sqlite3.Connection) -> list[Job]:
    rows = db.execute(f"SELECT {_COLUMNS} FROM firmware_update WHERE state IN {OPEN} ORDER BY id")
    return [Job(*row) for row in rows]
