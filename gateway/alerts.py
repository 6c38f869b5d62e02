"""Alerts (告警) in the database: each change is `lifecycle.after`, written in the caller's
transaction together with what happened. Times Unix ms.

An alert tells of a finding, or stands by itself where the gateway tells of itself (`stand`): a dead
channel, a circuit that does not obey, a calendar that is missing.
"""

from __future__ import annotations

import hashlib
import json
import sqlite3
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from gateway import lifecycle, noise
from gateway.findings import Finding
from gateway.lifecycle import (
    Acknowledge,
    Alert,
    Close,
    Event,
    Raise,
    Return,
    Shelve,
    Suppress,
    Tick,
    Unsuppress,
)
from gateway.noise import Flapping
from gateway.site import Noise

_COLUMNS = (
    "severity, active, acked, closed, aside, shelved_until, round, told_from, why, clears_at,"
    " answered_at"
)
_WHAT = {
    Raise: "raise",
    Return: "return",
    Acknowledge: "acknowledge",
    Shelve: "shelve",
    Suppress: "suppress",
    Unsuppress: "unsuppress",
    Close: "close",
    Tick: "time",
}


@dataclass(frozen=True, slots=True)
class Deed:
    """Who did it, and what is to be kept of it."""

    who: str | None = None
    about: str | None = None


BY_ITSELF = Deed()


def alert_of(finding_id: str) -> str:
    """The id of a finding's alert."""
    return "a-" + finding_id[2:]


def raised(
    db: sqlite3.Connection, now: int, finding_id: str, finding: Finding, settings: Noise
) -> None:
    """A finding opened, or opened again."""
    name = alert_of(finding_id)
    _make(db, now, name, finding_id, finding.rule, finding.subject, finding.severity)
    _raise(db, now, name, settings)
    under = in_maintenance(db, now, finding.subject, finding.zone)
    if under is not None:
        apply(db, now, name, Suppress(under[0]), settings)


def returned(db: sqlite3.Connection, now: int, finding_id: str, settings: Noise) -> None:
    """The condition is over; a notice nobody acknowledged goes to normal by itself."""
    apply(db, now, alert_of(finding_id), Return(settings.min_off), settings)


def stand(
    db: sqlite3.Connection,
    now: int,
    rule: str,
    subject: str,
    severity: str,
    about: Mapping[str, Any],
    settings: Noise,
) -> str:
    """Raise an alert of the gateway about itself; its id."""
    name = "a-" + hashlib.sha256(f"{rule}\0{subject}".encode()).hexdigest()[:16]
    _make(db, now, name, "", rule, subject, severity)
    db.execute("UPDATE alert SET severity=? WHERE id=?", (severity, name))
    tells(db, name, about)
    _raise(db, now, name, settings)
    return name


def tells(db: sqlite3.Connection, name: str, about: Mapping[str, Any]) -> None:
    """What its messages say beside what they all say; keys of the catalogue's `about`."""
    text = json.dumps(dict(about), ensure_ascii=False)
    db.execute("UPDATE alert SET about=? WHERE id=?", (text, name))


def _make(
    db: sqlite3.Connection,
    now: int,
    name: str,
    finding: str,
    rule: str,
    subject: str,
    severity: str,
) -> None:
    db.execute(
        "INSERT OR IGNORE INTO alert (id,finding,rule,subject,severity,state,opened,acked,round,"
        "changed) VALUES (?,?,?,?,?,'normal',?,1,0,?)",
        (name, finding, rule, subject, severity, now, now),
    )


def _raise(db: sqlite3.Connection, now: int, name: str, settings: Noise) -> None:
    active, closed = db.execute("SELECT active, closed FROM alert WHERE id=?", (name,)).fetchone()
    if active and not closed:
        apply(db, now, name, Raise(), settings)
        return
    _settle(db, now, name, settings)
    was = _flapping(db, name)
    flaps = noise.flapped(was, now, settings.flap_set, settings.flap_clear, settings.flap_within)
    db.execute(
        "UPDATE alert SET raised=?, flapping=? WHERE id=?",
        (json.dumps(flaps.raised), flaps.held, name),
    )
    # the raise that makes it flap is still told, and says how often; those after it are not
    apply(db, now, name, Raise(settings.min_on, held=was.held), settings)


def _flapping(db: sqlite3.Connection, name: str) -> Flapping:
    raised, held = db.execute("SELECT raised, flapping FROM alert WHERE id=?", (name,)).fetchone()
    return Flapping(tuple(json.loads(raised)), bool(held))


def _settle(db: sqlite3.Connection, now: int, name: str, settings: Noise) -> None:
    """It no longer flaps once it has been quiet for so long."""
    calm = noise.calm_at(_flapping(db, name), settings.flap_clear, settings.flap_within)
    if calm is not None and calm <= now:
        db.execute("UPDATE alert SET flapping=0, changed=? WHERE id=?", (now, name))


def _tick_due(db: sqlite3.Connection, name: str, life: Alert, settings: Noise) -> int | None:
    """When time alone changes it next, its flapping included; None where it does not."""
    calm = noise.calm_at(_flapping(db, name), settings.flap_clear, settings.flap_within)
    moments = (calm, lifecycle.due(life, reminds(settings, life.severity)))
    return min((at for at in moments if at is not None), default=None)


def read(db: sqlite3.Connection, name: str) -> Alert | None:
    """The alert's life as it stands."""
    row = db.execute(f"SELECT {_COLUMNS} FROM alert WHERE id=?", (name,)).fetchone()
    if row is None:
        return None
    severity, active, acked, closed, *rest = row
    return Alert(severity, bool(active), bool(acked), bool(closed), *rest)


def apply(
    db: sqlite3.Connection,
    now: int,
    name: str,
    event: Event,
    settings: Noise,
    deed: Deed = BY_ITSELF,
) -> Alert | None:
    """Let `event` happen to the alert; what it is then, None for no such alert. Raises Refused."""
    before = read(db, name)
    if before is None:
        return None
    then = lifecycle.after(before, event, now)
    if then != before:
        _write(db, now, name, before, then, event, settings, deed)
    return then


def _write(
    db: sqlite3.Connection,
    now: int,
    name: str,
    before: Alert,
    then: Alert,
    event: Event,
    settings: Noise,
    deed: Deed,
) -> None:
    began, over = then.round > before.round, before.active and not then.active
    db.execute(
        "UPDATE alert SET state=?, active=?, acked=?, closed=?, aside=?, shelved_until=?, round=?,"
        " told_from=?, why=?, clears_at=?, answered_at=?, tick_due=?, changed=? WHERE id=?",
        (
            *(then.state, then.active, then.acked, then.closed, then.aside, then.until),
            *(then.round, then.told_from, then.why, then.clears_at, then.answered_at),
            *(_tick_due(db, name, then, settings), now, name),
        ),
    )
    if began:
        db.execute(
            "UPDATE alert SET step_due=told_from, returned_at=NULL, closed_at=NULL, closed_by=NULL,"
            " acked_at=NULL, acked_by=NULL, leader=CASE WHEN leader=id THEN id END, update_due=NULL"
            " WHERE id=?",
            (name,),
        )
    elif over:
        db.execute("UPDATE alert SET returned_at=?, step_due=? WHERE id=?", (now, now, name))
    elif then.active and not before.active:  # again, while it flaps
        db.execute("UPDATE alert SET returned_at=NULL, step_due=? WHERE id=?", (now, name))
    if not before.acked and then.acked:
        _stop(db, name)
        if isinstance(event, Acknowledge):
            db.execute("UPDATE alert SET acked_at=?, acked_by=? WHERE id=?", (now, deed.who, name))
    if isinstance(event, Shelve):
        db.execute("UPDATE alert SET shelve_why=? WHERE id=?", (deed.about, name))
    if isinstance(event, Close):
        db.execute("UPDATE alert SET closed_at=?, closed_by=? WHERE id=?", (now, deed.who, name))
    if then.state != before.state or began:
        db.execute(
            "INSERT INTO alert_history (alert,at,what,state,round,who,about)"
            " VALUES (?,?,?,?,?,?,?)",
            (name, now, _WHAT[type(event)], then.state, then.round, deed.who, deed.about),
        )


def _stop(db: sqlite3.Connection, name: str) -> None:
    """What was still to be told of it is not: somebody has answered."""
    db.execute(
        "UPDATE notification SET state='stopped' WHERE alert=? AND state IN ('queued','standby')"
        " AND kind IN ('message','update')",
        (name,),
    )


def reminds(settings: Noise, severity: str) -> int | None:
    """After what an answered alert that still holds is told again; a notice never is."""
    times = {"critical": settings.remind_critical, "warning": settings.remind_warning}
    return times.get(severity)


# --- what people do -------------------------------------------------------------------------


def acknowledge(
    db: sqlite3.Connection, now: int, name: str, who: str, settings: Noise
) -> list[str]:
    """Somebody has seen it, and with it what it tells of; the ids that are acknowledged by it."""
    members = [
        one
        for (one,) in db.execute(
            "SELECT id FROM alert WHERE leader=? AND acked=0 AND id<>?", (name, name)
        )
    ]
    done = []
    for one in (name, *members):
        before = read(db, one)
        if before is not None and not before.acked:
            apply(db, now, one, Acknowledge(), settings, Deed(who))
            done.append(one)
    return done


def close(db: sqlite3.Connection, now: int, name: str, who: str, why: str, settings: Noise) -> None:
    """Off the list; those that it told of tell of themselves from now. Raises Refused."""
    apply(db, now, name, Close(), settings, Deed(who, why))
    db.execute(
        "UPDATE alert SET leader=NULL, step_due=told_from WHERE leader=? AND id<>?", (name, name)
    )


# --- time and maintenance -------------------------------------------------------------------


def tick(db: sqlite3.Connection, now: int, settings: Noise) -> None:
    """What time alone changes: what is over long enough, comes back, or is told again."""
    due = db.execute("SELECT id, severity FROM alert WHERE tick_due<=?", (now,)).fetchall()
    for name, severity in due:
        _settle(db, now, name, settings)
        apply(db, now, name, Tick(reminds(settings, severity)), settings)
        life = read(db, name)
        assert life is not None
        db.execute(
            "UPDATE alert SET tick_due=? WHERE id=?",
            (_tick_due(db, name, life, settings), name),
        )


def in_maintenance(
    db: sqlite3.Connection, now: int, subject: str, zone: str | None
) -> tuple[int | None] | None:
    """(its end, None while out of service) of what covers this; None where nothing does."""
    row = db.execute(
        'SELECT "to" FROM maintenance WHERE ended_at IS NULL AND ("to" IS NULL OR "to" > ?)'
        ' AND what IN (?, ?) ORDER BY "to" IS NOT NULL, "to" DESC LIMIT 1',
        (now, subject, zone or subject),
    ).fetchone()
    return None if row is None else (row[0],)


def covered(db: sqlite3.Connection, what: str) -> list[str]:
    """The alerts of something: of a subject, or of all of a zone."""
    rows = db.execute(
        "SELECT a.id FROM alert a LEFT JOIN finding f ON f.id=a.finding"
        " WHERE a.state<>'normal' AND (a.subject=?1 OR f.zone=?1)",
        (what,),
    )
    return [name for (name,) in rows]


def maintain(
    db: sqlite3.Connection, now: int, what: str, until: int | None, who: str, settings: Noise
) -> None:
    """Suppress by design what stands of `what`; critical ones go on."""
    for name in covered(db, what):
        apply(db, now, name, Suppress(until), settings, Deed(who))


def maintained(db: sqlite3.Connection, now: int, what: str, who: str, settings: Noise) -> None:
    """The work is over before its time."""
    for name in covered(db, what):
        apply(db, now, name, Unsuppress(), settings, Deed(who))
