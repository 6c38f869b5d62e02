"""Desired, reported, verified: whether what was switched really switched.

The relay's own feedback and the meter must both bear it out. What does not obey is asked again, at
most three times in all; then the thing is *manual*: nothing switches it until somebody resets it,
save that a hazard is still cut. A switch-on by hand after an automatic off is left alone for a
while, and after a hazard there is no "on" until an electrician's check is on record. Times Unix ms.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from gateway.commands import request
from gateway.hardware import AIRCON, Reading, Thing

MOST_TRIES = 3
RELAY_MS = 5_000  # a relay says at once what it does
AIRCON_MS = 15_000  # an AC within a few seconds
METER_MS = 70_000  # a meter speaks at least once a minute
SETTLE_MS = 2_000  # and within two seconds of a lasting step

OBEYED, DISOBEYED, UNSURE = "obeyed", "disobeyed", "unsure"


@dataclass(frozen=True, slots=True)
class Wanted:
    """One row of `control` that is under way."""

    subject: str
    desired: str
    args: Mapping[str, Any]
    cause: str
    person: str | None
    tries: int
    asked_at: int
    done_at: int | None


def verdict(
    wanted: Wanted, thing: Thing, relay: Reading, meter: Reading, now: int, speed: float = 1
) -> str:
    """Whether a command that its device says is done really had its effect by `now`.

    `speed` is the house clock's: the parts themselves do not run faster.
    """
    assert wanted.done_at is not None
    waited = (now - wanted.done_at) / speed
    patience = AIRCON_MS if thing.use == AIRCON else RELAY_MS
    if thing.use == AIRCON:
        right = _as_set(wanted, relay.fields)
    else:
        right = relay.fields.get("on") is (wanted.desired == "on")
    if not right:
        return DISOBEYED if waited >= patience else UNSURE
    if thing.meter is None or wanted.desired != "off":
        return OBEYED
    w = meter.fields.get("w")
    since_off = (meter.at - wanted.done_at) / speed
    if w is not None and w <= thing.limit_w and meter.at >= wanted.asked_at:
        return OBEYED
    if w is not None and w > thing.limit_w and since_off >= SETTLE_MS:
        return DISOBEYED if waited >= patience else UNSURE
    return OBEYED if waited >= METER_MS else UNSURE  # a meter that says nothing is another matter


def _as_set(wanted: Wanted, ac: Mapping[str, Any]) -> bool:
    if wanted.desired == "set":
        return ac.get("on") is False or ac.get("set") == wanted.args.get("set")
    return ac.get("on") is (wanted.desired == "on")


def next_after(outcome: str, tries: int) -> str:
    """`again` or `manual`, after a command that was not obeyed.

    `outcome`: the command's own state, or `disobeyed`. One that was never answered has been
    repeated by itself, and one that expired comes too late.
    """
    repeats = outcome in ("refused", DISOBEYED)
    return "again" if repeats and tries < MOST_TRIES else "manual"


@dataclass(frozen=True, slots=True)
class Standing:
    """What forbids switching a thing now; times Unix ms, None where it does not."""

    manual_since: int | None = None
    hazard_at: int | None = None
    respect_until: int | None = None


def forbids(standing: Standing, do: str, now: int, *, hazard: bool, person: bool) -> str | None:
    """Why this may not be asked now: `hazard`, `manual` or `respect`; None where it may.

    `hazard`: it is a hazard that asks. A person is not bound by what a person did by hand.
    """
    if do == "on" and standing.hazard_at is not None:
        return "hazard"
    if hazard:
        return None
    if standing.manual_since is not None:
        return "manual"
    if not person and standing.respect_until is not None and now < standing.respect_until:
        return "respect"
    return None


# --- in the caller's transaction ------------------------------------------------------------


def standing(db: sqlite3.Connection, subject: str) -> Standing:
    row = db.execute(
        "SELECT manual_since, hazard_at, respect_until FROM control WHERE subject=?", (subject,)
    ).fetchone()
    return Standing(*row) if row else Standing()


def ask(
    db: sqlite3.Connection,
    now: int,
    thing: Thing,
    do: str,
    args: Mapping[str, Any],
    *,
    cause: str,
    person: str | None,
    ttl_ms: int,
    tries: int = 1,
) -> str:
    """Want something of a thing and send its command; the command's id."""
    made = request(
        *(db, now, thing.target.device, thing.target.ch, do, dict(args)),
        cause=cause,
        person=person,
        ttl_ms=ttl_ms,
    )
    db.execute(
        "INSERT INTO control (subject,desired,args,command,cause,person,tries,asked_at,state)"
        " VALUES (?,?,?,?,?,?,?,?,'asked') ON CONFLICT (subject) DO UPDATE SET"
        " desired=excluded.desired, args=excluded.args, command=excluded.command,"
        " cause=excluded.cause, person=excluded.person, tries=excluded.tries,"
        " asked_at=excluded.asked_at, done_at=NULL, state='asked', respect_until=NULL",
        (thing.subject, do, json.dumps(dict(args)), made, cause, person, tries, now),
    )
    return made


def endanger(db: sqlite3.Connection, now: int, subject: str, finding: str) -> None:
    """A hazard: no "on" from now until an electrician has checked; what was asked is called off."""
    db.execute(
        "INSERT INTO control (subject, hazard_at, hazard) VALUES (?1,?2,?3)"
        " ON CONFLICT (subject) DO UPDATE SET hazard_at=?2, hazard=?3",
        (subject, now, finding),
    )
    db.execute(
        "UPDATE command SET state='refused', answered_at=?, why='hazard' WHERE do='on'"
        " AND state IN ('queued','sent')"
        " AND id IN (SELECT command FROM control WHERE subject=?)",
        (now, subject),
    )
    db.execute(
        "UPDATE control SET state='idle' WHERE subject=? AND state='asked' AND desired='on'",
        (subject,),
    )


def check(
    db: sqlite3.Connection, now: int, subject: str, electrician: str, note: str, by: str
) -> bool:
    """An electrician has looked; False where no check was called for."""
    row = db.execute(
        "SELECT hazard FROM control WHERE subject=? AND hazard_at IS NOT NULL", (subject,)
    ).fetchone()
    if row is None:
        return False
    db.execute(
        "INSERT INTO electrician_check (subject,at,electrician,note,recorded_by,finding)"
        " VALUES (?,?,?,?,?,?)",
        (subject, now, electrician, note, by, row[0]),
    )
    db.execute("UPDATE control SET hazard_at=NULL, hazard=NULL WHERE subject=?", (subject,))
    return True


def reset(db: sqlite3.Connection, subject: str) -> bool:
    """Let the gateway switch it again; False where it was not manual."""
    return (
        db.execute(
            "UPDATE control SET manual_since=NULL, manual_why=NULL, state='idle', desired=NULL"
            " WHERE subject=? AND manual_since IS NOT NULL",
            (subject,),
        ).rowcount
        > 0
    )


def give_up(db: sqlite3.Connection, now: int, subject: str, why: str) -> None:
    db.execute(
        "UPDATE control SET state='failed', manual_since=coalesce(manual_since, ?), manual_why=?"
        " WHERE subject=?",
        (now, why, subject),
    )


def under_way(db: sqlite3.Connection) -> list[tuple[Wanted, str, str | None]]:
    """What is asked and not yet known to be so, with its command's state and reason."""
    rows = db.execute(
        "SELECT c.subject, c.desired, c.args, c.cause, c.person, c.tries, c.asked_at, c.done_at,"
        " m.state, m.why FROM control c INDEXED BY control_asked JOIN command m ON m.id=c.command"
        " WHERE c.state='asked'"
    ).fetchall()
    return [(Wanted(row[0], row[1], json.loads(row[2]), *row[3:8]), row[8], row[9]) for row in rows]
