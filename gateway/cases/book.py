"""Cases in the database: events appended by the one writer, what follows from them kept beside.

Every change is audited in the caller's transaction. Times Unix ms.
"""

from __future__ import annotations

import hashlib
import json
import secrets
import sqlite3
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from gateway import audit, deadlines
from gateway.cases import engine
from gateway.cases.clock import Place
from gateway.cases.model import KINDS, Case, Event
from gateway.deadlines import Standing
from gateway.site import DutiesOf, Noise, Site
from gateway.workdays import Calendar


@dataclass(frozen=True, slots=True)
class Upheld:
    """A rating that an upheld appeal takes out of numerator and denominator; it stays on record."""

    case: str
    device: str
    log: str
    seq: int
    why: str
    decided_by: str
    confirmed_by: str
    confirmed_at: int


@dataclass(frozen=True, slots=True)
class Desk:
    """What keeping cases and duties takes: where days are counted, how quiet alerts are, and when
    duties fall due."""

    place: Place
    noise: Noise
    duties: DutiesOf


def desk(site: Site, calendar: Calendar) -> Desk:
    """This hall's."""
    spans = site.hours.open
    opens = min((span.begin for span in spans), default=9 * 60)
    closes = max((span.end for span in spans), default=17 * 60)
    return Desk(Place(calendar, site.timezone, opens, closes), site.noise, site.duties)


def open_case(
    db: sqlite3.Connection,
    desk: Desk,
    kind: str,
    at: int,
    who: str,
    data: Mapping[str, Any],
    *,
    now: int,
    source: str | None = None,
) -> Case:
    """Open a case received at `at`. With a `source` it is opened once: the case that is there
    already is given back. `data` is what `engine.opened` takes, checked by the caller."""
    number = "c-" + (_of_source(source) if source else secrets.token_hex(8))
    if source and (found := find(db, number, desk)):
        return found
    whole = {key: value for key, value in data.items() if value is not None}
    if source:
        whole["source"] = source
    db.execute(
        "INSERT INTO case_file (id, kind, received, counter, source) VALUES (?, ?, ?, ?, ?)",
        (number, kind, at, whole.get("counter"), source),
    )
    event = Event(1, at, who, "open", whole)
    _append(db, number, event)
    case = engine.opened(KINDS[kind], number, event, desk.place)
    keep(db, case, now, desk)
    audit.append(db, now, who, "case.open", {"id": number, "kind": kind, **whole})
    return case


def act(
    db: sqlite3.Connection,
    case: Case,
    what: str,
    who: str,
    data: Mapping[str, Any],
    now: int,
    desk: Desk,
) -> Case:
    """Add an event; `engine.allowed` has been asked, in the same transaction."""
    whole = {key: value for key, value in data.items() if value is not None}
    event = Event(case.last + 1, now, who, what, whole)
    _append(db, case.id, event)
    after = engine.step(case, event, desk.place)
    keep(db, after, now, desk)
    audit.append(db, now, who, f"case.{what}", {"id": case.id, "kind": case.kind.id, **whole})
    return after


def keep(db: sqlite3.Connection, case: Case, now: int, desk: Desk) -> bool:
    """Put down what follows from the events: for lists, for what is due next, and as a finding.

    Whether a finding opened or ended."""
    found, phase = engine.times(case, desk.place), engine.phase(case, now, desk.place)
    due = found.due
    db.execute(
        "INSERT INTO case_now (id, state, holder, due_day, provisional, due_at, wake_at)"
        " VALUES (?, ?, ?, ?, ?, ?, ?) ON CONFLICT (id) DO UPDATE SET state=excluded.state,"
        " holder=excluded.holder, due_day=excluded.due_day, provisional=excluded.provisional,"
        " due_at=excluded.due_at, wake_at=excluded.wake_at",
        (
            *(case.id, str(case.state), case.holder, due and due.day.isoformat()),
            *(bool(due and due.provisional), found.due_at, phase.until),
        ),
    )
    if phase.name is None or phase.since is None or due is None:
        return deadlines.stand(db, now, case.id, None, desk.noise)
    overdue = phase.name == "overdue"
    rule = deadlines.CASE_OVERDUE if overdue else deadlines.CASE_REMINDER
    evidence = {"kind": case.kind.id, "due": due.day.isoformat(), "provisional": due.provisional}
    wanted = Standing(rule, phase.since, case.kind.cites, evidence)
    return deadlines.stand(db, now, case.id, wanted, desk.noise)


def find(db: sqlite3.Connection, number: str, desk: Desk) -> Case | None:
    """The case with this id as it is now, or None."""
    row = db.execute("SELECT kind FROM case_file WHERE id = ?", (number,)).fetchone()
    if row is None:
        return None
    return engine.fold(number, KINDS[row[0]], events(db, number), desk.place)


def events(db: sqlite3.Connection, number: str) -> list[Event]:
    """All that was done to a case, in order."""
    rows = db.execute(
        "SELECT n, at, who, what, data FROM case_event WHERE case_id = ? ORDER BY n", (number,)
    )
    return [Event(n, at, who, what, json.loads(data)) for n, at, who, what, data in rows]


def recompute(db: sqlite3.Connection, now: int, desk: Desk) -> list[str]:
    """Hold every case under way against today's calendar; a due day that moves is an event, an
    audit row and a line. Returns the ids of those that moved."""
    moved = []
    rows = db.execute(
        "SELECT id, due_day, provisional FROM case_now WHERE due_day IS NOT NULL ORDER BY due_day"
    ).fetchall()
    for number, was, provisional in rows:
        case = find(db, number, desk)
        if case is None:
            continue
        due = engine.times(case, desk.place).due
        if due is None or (due.day.isoformat(), due.provisional) == (was, bool(provisional)):
            continue
        data = {
            "was": was,
            "was_provisional": bool(provisional),
            "due": due.day.isoformat(),
            "provisional": due.provisional,
        }
        act(db, case, "recomputed", audit.GATEWAY, data, now, desk)
        moved.append(number)
    return moved


def upheld(db: sqlite3.Connection) -> list[Upheld]:
    """The pad ratings that upheld appeals take out of the counts, each with reason and names."""
    rows = db.execute(
        "SELECT DISTINCT f.id, f.source FROM case_event e JOIN case_file f ON f.id = e.case_id"
        " WHERE e.what = 'confirm' AND f.source LIKE 'rating %'"
    ).fetchall()
    out = []
    for number, source in rows:
        appeal = engine.appeal_of(events(db, number))
        if appeal is None or not appeal.stands:
            continue
        assert appeal.decided_by is not None
        assert appeal.confirmed_by is not None
        assert appeal.confirmed_at is not None
        _, device, log, seq = source.split(" ")
        out.append(
            Upheld(
                *(number, device, log, int(seq), appeal.decided_why or ""),
                *(appeal.decided_by, appeal.confirmed_by, appeal.confirmed_at),
            )
        )
    return out


def rating_source(device: str, log: str, seq: int) -> str:
    """What names the pad rating that opens a case."""
    return f"rating {device} {log} {seq}"


def _of_source(source: str) -> str:
    return hashlib.sha256(source.encode()).hexdigest()[:16]


def _append(db: sqlite3.Connection, number: str, event: Event) -> None:
    db.execute(
        "INSERT INTO case_event (case_id, n, at, who, what, data) VALUES (?, ?, ?, ?, ?, ?)",
        (
            *(number, event.n, event.at, event.who, event.what),
            json.dumps(dict(event.data), ensure_ascii=False, separators=(",", ":")),
        ),
    )
