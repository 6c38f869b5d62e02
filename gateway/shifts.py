"""值班: shifts with two names, and the closing check (关门记录), as the sensors saw the house.

What stood open or on at that instant is frozen into the record; nobody types it. Times Unix ms;
everything runs in the caller's transaction.
"""

from __future__ import annotations

import json
import sqlite3
from datetime import date
from typing import Any

from gateway import audit, hardware
from gateway.clock import iso
from gateway.schedules import at, clear_minute, local_day
from gateway.site import Circuit, Site, Source
from gateway.turns import Changes, Turn
from gateway.workdays import Calendar

Thing = dict[str, Any]
"""{"id","kind","name","zone","state","locked"?,"since"}: `state` open|closed|on|off|unknown."""

_UNDONE = ("open", "on", "unknown")


def things(db: sqlite3.Connection, site: Site, now: int) -> list[Thing]:
    """Every opening, circuit and AC as its sensors saw it last; a silent device's is unknown."""
    found = []
    for opening in site.openings:
        if opening.contact is None:
            continue
        one = _thing(db, site, now, opening.contact, "contact", "open", ("open", "closed"))
        if opening.lock is not None:
            lock = _thing(db, site, now, opening.lock, "lock", "locked", (True, False))
            one["locked"] = None if lock["state"] == "unknown" else lock["state"]
        found.append({**_named(opening), "kind": "opening", **one})
    for circuit in site.circuits:
        if circuit.meter is not None or circuit.relay is not None:
            lit = _circuit(db, site, circuit, now)
            found.append({**_named(circuit), "kind": "circuit", "use": circuit.use, **lit})
    for ac in site.acs:
        one = _thing(db, site, now, ac.source, "ac", "on", ("on", "off"))
        found.append({**_named(ac), "kind": "ac", **one})
    return found


def undone(seen: list[Thing]) -> list[Thing]:
    """What is still open, on or unknown; protected circuits run day and night."""
    return [x for x in seen if x["state"] in _UNDONE and x.get("use") != "protected"]


def _named(one: Any) -> Thing:
    return {"id": one.id, "name": one.name, "zone": one.zone}


def _thing(
    db: sqlite3.Connection,
    site: Site,
    now: int,
    source: Source,
    kind: str,
    field: str,
    words: tuple[Any, Any],
) -> Thing:
    said = hardware.last(db, source, kind)
    value = said.fields.get(field)
    assumed = said.fields.get("src") == "assumed"
    if not isinstance(value, bool) or assumed or hardware.silent(db, site, source.device, now):
        return {"state": "unknown", "since": _shown(said.at, site)}
    return {"state": words[0] if value else words[1], "since": _shown(said.at, site)}


def _circuit(db: sqlite3.Connection, site: Site, circuit: Circuit, now: int) -> Thing:
    if circuit.meter is None:
        assert circuit.relay is not None
        return _thing(db, site, now, circuit.relay, "relay", "on", ("on", "off"))
    said = hardware.last(db, circuit.meter, "power")
    w = said.fields.get("w")
    if not isinstance(w, int | float) or hardware.silent(db, site, circuit.meter.device, now):
        return {"state": "unknown", "since": _shown(said.at, site), "w": None}
    state = "on" if w > circuit.on_above_w else "off"
    return {"state": state, "since": _shown(said.at, site), "w": w}


def _shown(ms: int, site: Site) -> str | None:
    return iso(ms, site.timezone) if ms else None


# --- shifts


def running(db: sqlite3.Connection) -> tuple[str, str] | None:
    """(id, officer) of the shift that runs now, or None before the first one."""
    row = db.execute("SELECT id, officer FROM shift ORDER BY begin DESC, id DESC LIMIT 1")
    found = row.fetchone()
    return None if found is None else (found[0], found[1])


def begin(
    db: sqlite3.Connection,
    site: Site,
    now: int,
    officer: str,
    second: str,
    before: str | None,
    note: str,
) -> str:
    """A shift begins, with the open alerts and the house as it stands. Its id.

    It sorts after the one before it, also in one millisecond or where the clock was set back.
    """
    count, latest = db.execute("SELECT count(*), max(begin) FROM shift").fetchone()
    number = f"s-{count + 1:08d}"
    at = max(now, latest or now)
    alerts = open_alerts(db, site)
    db.execute(
        "INSERT INTO shift (id, begin, officer, second, before, note, alerts, things)"
        " VALUES (?,?,?,?,?,?,?,?)",
        (
            *(number, at, officer, second, before, note),
            *(_json(alerts), _json(things(db, site, now))),
        ),
    )
    about = {"id": number, "officer": officer, "second": second, "alerts": len(alerts)}
    by, what = (second, "shift.handover") if before else (officer, "shift.open")
    audit.append(db, now, by, what, about)
    return number


def open_alerts(db: sqlite3.Connection, site: Site) -> list[dict[str, Any]]:
    """The alerts that are not over, the oldest first."""
    rows = db.execute(
        "SELECT a.id, a.rule, a.subject, a.severity, a.state, f.zone, a.opened, a.acked_by,"
        " a.acked_at FROM alert a LEFT JOIN finding f ON f.id = a.finding"
        " WHERE a.state <> 'normal' ORDER BY a.opened, a.id"
    )
    names = ("id", "rule", "subject", "severity", "state", "zone", "opened", "acked_by", "acked_at")
    found = [dict(zip(names, row, strict=True)) for row in rows.fetchall()]
    for one in found:
        for name in ("opened", "acked_at"):
            one[name] = one[name] and iso(one[name], site.timezone)
    return found


# --- the closing check


def due(site: Site, calendar: Calendar, day: date) -> int | None:
    """When everyone is out (安全 二.3), or None on a day that is not worked."""
    return at(day, clear_minute(site.hours), site.timezone) if calendar.is_workday(day) else None


def check(
    db: sqlite3.Connection, site: Site, now: int, day: date, due_at: int, who: str, note: str
) -> int:
    """Record what is still open or on. The row's id."""
    seen = things(db, site, now)
    made = db.execute(
        "INSERT INTO closing_check (day, due, at, who, note, things) VALUES (?,?,?,?,?,?)",
        (day.isoformat(), due_at, now, who, note, _json(seen)),
    )
    left = [x["id"] for x in undone(seen)]
    audit.append(db, now, who, "closing.check", {"day": day.isoformat(), "left": left})
    return int(made.lastrowid or 0)


class Closing:
    """Stage `closing`: at closing time, or at the first turn after it, the house is recorded."""

    name = "closing"

    def __init__(self, site: Site, calendar: Calendar) -> None:
        self._site, self._calendar = site, calendar
        self._done: date | None = None
        self._made = False

    def load(self, db: sqlite3.Connection, now: int) -> None:
        self._made = False
        day = local_day(now, self._site.timezone)
        row = db.execute(
            "SELECT 1 FROM closing_check WHERE day=? AND who=?", (day.isoformat(), audit.GATEWAY)
        ).fetchone()
        self._done = day if row else None

    def turn(self, db: sqlite3.Connection, turn: Turn) -> None:
        self._made = False
        day = local_day(turn.now, self._site.timezone)
        if self._done == day:
            return
        due_at = due(self._site, self._calendar, day)
        if due_at is None or turn.now < due_at:
            return
        check(db, self._site, turn.now, day, due_at, audit.GATEWAY, "")
        self._done, self._made = day, True

    def committed(self, turn: Turn) -> Changes:  # noqa: ARG002
        return [("shift", {"id": None})] if self._made else []


def _json(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))
