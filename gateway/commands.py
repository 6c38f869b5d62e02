"""Commands to devices: an outbox in the database, sent when the device is there, answered once.

`request` writes the row in the caller's transaction. `CommandStage` sends it after the commit,
holds what a device cannot take now until its next `ready`, repeats what is not answered under the
same id (a device carries an id out once), and books the answers with the events that bring them.
"""

from __future__ import annotations

import json
import secrets
import sqlite3
from collections.abc import Callable, Mapping
from typing import Any, Protocol

import msgspec

from firmware import wire
from gateway.events import STRUCTS
from gateway.turns import Changes, Turn

ANSWER_S = 5.0  # real seconds; the network's timers do not run faster with the house's clock
MAX_TRIES = 3
SWITCHES = ("on", "off", "set")
_CROCKFORD = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
_RANDOM = (1 << 80) - 1  # of a ULID
_DONE: Any = STRUCTS[wire.DONE]


class Command(msgspec.Struct, frozen=True):
    """A command that is not yet answered. `sent` is real seconds, None where it is to be sent."""

    id: str
    device: str
    ch: str | None
    do: str
    args: str
    exp: int
    state: str
    tries: int


class Publish(Protocol):
    """Queue a message; False where there is no connection."""

    def __call__(self, topic: str, payload: bytes) -> bool: ...


def new_id(db: sqlite3.Connection, table: str, sort: str, now: int) -> str:
    """`sort` ("c") and a ULID of `now` in Unix ms, for a row of `table`. Within a millisecond each
    is the next number after the one before, so that ids sort by their making."""
    first = now << 80
    ids = (_ulid(sort, first), _ulid(sort, first | _RANDOM))
    (last,) = db.execute(f"SELECT max(id) FROM {table} WHERE id BETWEEN ? AND ?", ids).fetchone()
    return _ulid(sort, first | secrets.randbits(80) if last is None else _number(last) + 1)


def _ulid(sort: str, number: int) -> str:
    return f"{sort}-" + "".join(_CROCKFORD[(number >> shift) & 31] for shift in range(125, -1, -5))


def _number(name: str) -> int:
    number = 0
    for sign in name[2:]:
        number = number << 5 | _CROCKFORD.index(sign)
    return number


def request(
    db: sqlite3.Connection,
    now: int,
    device: str,
    ch: str | None,
    do: str,
    args: dict[str, Any],
    *,
    cause: str,
    person: str | None = None,
    ttl_ms: int,
) -> str:
    """Ask a device to do something, in the caller's transaction; the command's id.

    `ttl_ms` is time of the house's clock after which it must no longer be carried out.
    """
    assert do in wire.ACTIONS, do
    made = new_id(db, "command", "c", now)
    fence = db.execute("SELECT value FROM meta WHERE key='fence'").fetchone()
    db.execute(
        "INSERT INTO command (id,device,ch,do,args,cause,person,made_at,exp,state,fence)"
        " VALUES (?,?,?,?,?,?,?,?,?,'queued',?)",
        (
            *(made, device, ch, do, json.dumps(args, separators=(",", ":"))),
            *(cause, person, now, now + ttl_ms, int(fence[0]) if fence else 0),
        ),
    )
    return made


def next_step(command: Command, now: int, mono: float, sent: float | None, there: bool) -> str:
    """What is due for an unanswered command: `send`, `expire`, `fail` or `wait`.

    `sent`: when it was last sent (real seconds), None if not since its device was last ready.
    """
    if command.state == "queued" and command.exp <= now:
        return "expire"
    if sent is not None and mono - sent < ANSWER_S:
        return "wait"
    if command.state == "sent" and (command.tries >= MAX_TRIES or command.exp <= now):
        return "fail"
    return "send" if there else "wait"


def encode(command: Command) -> bytes:
    """The wire's form of a command."""
    made: dict[str, Any] = {"id": command.id}
    if command.ch is not None:
        made["ch"] = command.ch
    made |= {"do": command.do, "args": json.loads(command.args), "exp": command.exp}
    return json.dumps(made, separators=(",", ":"), ensure_ascii=False).encode()


class CommandStage:
    """Sends, holds, repeats and books. `publish` is the gateway's session.

    `switchable` are the (device, channel) that may be switched: whatever asks for another, or for
    "on" after a hazard that nobody has checked, is refused here too and never sent.
    """

    name = "commands"

    def __init__(
        self,
        site: str,
        publish: Publish,
        connected: Callable[[], bool],
        switchable: Mapping[tuple[str, str], str],
    ) -> None:
        self._site = site
        self._publish = publish
        self._connected = connected
        self._switchable = switchable
        self._there: set[str] = set()
        self._sent: dict[str, float] = {}
        self._outgoing: list[Command] = []
        self._changed: list[tuple[str, str]] = []

    def load(self, db: sqlite3.Connection, now: int) -> None:  # noqa: ARG002
        found = db.execute("SELECT id FROM device WHERE state='ready'")
        self._there = {device for (device,) in found}
        self._sent = {}
        self._outgoing, self._changed = [], []

    def turn(self, db: sqlite3.Connection, turn: Turn) -> None:
        self._outgoing, self._changed = [], []
        for said in turn.states:
            self._note(db, said.device, said.state.state == "ready")
        for stored in turn.new(wire.DONE):
            if isinstance(stored.event, _DONE):
                self._book(db, stored.device, stored.event, turn.now)
        if self._connected():
            self._send_due(db, turn)

    def committed(self, turn: Turn) -> Changes:
        for command in self._outgoing:
            if self._publish(wire.topic(self._site, command.device, "cmd"), encode(command)):
                self._sent[command.id] = turn.mono
        return [("command", {"id": id_, "state": state}) for id_, state in self._changed]

    def _note(self, db: sqlite3.Connection, device: str, there: bool) -> None:
        if not there:
            self._there.discard(device)
            return
        self._there.add(device)
        for (id_,) in db.execute(
            "SELECT id FROM command WHERE device=? AND state IN ('queued','sent')", (device,)
        ).fetchall():
            self._sent.pop(id_, None)
            db.execute("UPDATE command SET tries=0 WHERE id=?", (id_,))

    def _book(self, db: sqlite3.Connection, device: str, done: Any, now: int) -> None:
        state = "done" if done.ok else "refused"
        changed = db.execute(
            "UPDATE command SET state=?, answered_at=?, why=? WHERE id=? AND device=?"
            " AND state NOT IN ('done','refused')",
            (state, now, done.why, done.cmd, device),
        ).rowcount
        if changed:
            self._sent.pop(done.cmd, None)
            self._changed.append((done.cmd, state))

    def _send_due(self, db: sqlite3.Connection, turn: Turn) -> None:
        rows = db.execute(
            "SELECT id,device,ch,do,args,exp,state,tries FROM command"
            " WHERE state IN ('queued','sent') ORDER BY id"
        ).fetchall()
        for row in rows:
            command = Command(*row)
            step = next_step(
                command,
                turn.now,
                turn.mono,
                self._sent.get(command.id),
                command.device in self._there,
            )
            why = self._forbidden(db, command) if step == "send" else None
            if why:
                db.execute(
                    "UPDATE command SET state='refused', answered_at=?, why=? WHERE id=?",
                    (turn.now, why, command.id),
                )
                self._changed.append((command.id, "refused"))
            elif step == "send":
                db.execute(
                    "UPDATE command SET state='sent', tries=tries+1 WHERE id=?", (command.id,)
                )
                self._outgoing.append(command)
                self._changed.append((command.id, "sent"))
            elif step in ("expire", "fail"):
                state, why = ("expired", None) if step == "expire" else ("failed", "no answer")
                db.execute("UPDATE command SET state=?, why=? WHERE id=?", (state, why, command.id))
                self._sent.pop(command.id, None)
                self._changed.append((command.id, state))

    def _forbidden(self, db: sqlite3.Connection, command: Command) -> str | None:
        """Why this must not be sent, whoever asked for it; None where it may."""
        if command.do not in SWITCHES:
            return None
        subject = self._switchable.get((command.device, command.ch or ""))
        if subject is None:
            return "protected, or nothing that may be switched"
        danger = db.execute(
            "SELECT 1 FROM control WHERE subject=? AND hazard_at IS NOT NULL", (subject,)
        ).fetchone()
        return "hazard" if command.do == "on" and danger else None
