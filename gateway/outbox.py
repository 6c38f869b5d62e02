"""The outbox: one row for each message of a step to one address, written once. Times Unix ms."""

from __future__ import annotations

import sqlite3
from dataclasses import dataclass

from gateway import failpoint
from gateway.ladder import DIGEST, Step, digest_at
from gateway.noise import quiet_until
from gateway.rota import QUEUED, Channels, told
from gateway.site import Site

HELD = "held"


@dataclass(frozen=True, slots=True)
class Message:
    """What is told: of which alert and round, at which step, due at `at`."""

    alert: str
    round: int
    step: Step
    text: str
    at: int
    critical: bool


def put(
    db: sqlite3.Connection, now: int, message: Message, url_index: int, scheme: str, state: str
) -> bool:
    """One row; False where this step has been told to this address before."""
    step = message.step
    made = db.execute(
        "INSERT OR IGNORE INTO notification (alert,round,step,kind,role,url_index,channel,text,"
        "state,next_at,made_at,sent_at) VALUES (?,?,?,?,?,?,?,?,?,?,?,?)",
        (
            *(message.alert, message.round, step.offset, step.kind, step.role, url_index),
            *(scheme, message.text, state, message.at, now, now if state == "sent" else None),
        ),
    )
    failpoint.hit("outbox.row")
    return made.rowcount == 1


def queue(
    db: sqlite3.Connection,
    now: int,
    site: Site,
    channels: Channels,
    message: Message,
    *,
    held: bool,
) -> int:
    """A row for each address that the step goes to; how many are to be delivered.

    Quiet hours put off what is not critical; `held`: a storm, so it is written and not sent.
    """
    due = message.at
    if message.step.kind == DIGEST:
        due = digest_at(now, site.hours.arrive, site.timezone)
    elif not message.critical:
        due = quiet_until(max(due, now), site.noise.quiet, site.timezone)
    queued = 0
    ready = Message(
        *(message.alert, message.round, message.step, message.text),
        *(due, message.critical),
    )
    for index, scheme, state in told(site, channels, message.step.role, message.at):
        then = HELD if held and state == QUEUED else state
        queued += put(db, now, ready, index, scheme, then) and then == QUEUED
    return queued


def recent(db: sqlite3.Connection, since: int) -> int:
    """How many alerts that are not critical were told of since then: what makes a storm."""
    row = db.execute(
        "SELECT count(DISTINCT n.alert) FROM notification n INDEXED BY notification_made"
        " JOIN alert a ON a.id = n.alert WHERE n.made_at > ? AND n.kind IN ('message','update')"
        " AND n.state <> 'held' AND a.severity <> 'critical'",
        (since,),
    ).fetchone()
    return int(row[0])
