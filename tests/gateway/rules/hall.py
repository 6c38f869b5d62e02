"""A small hall for the rules' tables: a script of what devices say, the findings that must come.

Times are texts: `"18:00"`, `"18:00:00.001"` on the case's day, `"+1 08:00"` on the day after,
or `"2026-02-14 18:00"`. All local.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, timedelta
from functools import lru_cache
from pathlib import Path
from typing import Any

from firmware import wire
from gateway import permits, replay, rules, site, workdays
from gateway.arrivals import Arrivals
from gateway.clock import iso, parse_instant
from gateway.events import Event, Unknown, decode_one
from gateway.findings import Finding
from gateway.site import Circuit, Sensor
from gateway.watches import Program

SITE = site.load(Path(__file__).parents[2] / "data" / "site.toml")
CALENDAR = workdays.load(SITE, None)
DELAY = 150  # ms from an event to its arrival
_LIFE_LOG = "00000001"
_MINUTE = 60_000

Act = tuple[str, str, dict[str, Any]]
"""(device, kind, fields)"""


@dataclass(frozen=True)
class Said:
    """An event whose making and arrival differ from the usual. `up` in ms, `t` None: not known."""

    at: str
    act: Act
    t: str | None = None
    up: int = 1000
    boot: int = 1
    log: str = "9f3a1c22"
    seq: int | None = None


@dataclass(frozen=True)
class Case:
    """`script`: (time, act) or Said, in the order of their numbers; `found`: see `Row`.

    Every device says a health event each five minutes from the first to the last instant, but
    for those in `dead` (`"*"`: none does). `permits`: (kind, zone, from, to). `cites` are those of
    every finding, `evidence` is part of the first one's.
    """

    name: str
    script: Sequence[tuple[str, Act] | Said]
    found: Sequence[tuple[str, str, str, str | None]]
    day: str = "2026-07-01"
    until: str | None = None
    permits: Sequence[tuple[str, str, str, str]] = ()
    entries: Sequence[str] = ()
    dead: tuple[str, ...] = ()
    settings: tuple[str, ...] = ()
    more: tuple[Sensor | Circuit, ...] = ()  # besides those of the site file
    cites: tuple[str, ...] | None = None
    evidence: dict[str, Any] = field(default_factory=dict)


def instant(text: str, day: str) -> int:
    """Unix ms of a time text."""
    head, _, tail = text.partition(" ")
    if not tail:
        return parse_instant(f"{day}T{text}")
    if head.startswith("+"):
        head = (date.fromisoformat(day) + timedelta(days=int(head))).isoformat()
    return parse_instant(f"{head}T{tail}")


@lru_cache(maxsize=32)
def _hall(settings: tuple[str, ...], more: tuple[Sensor | Circuit, ...]) -> Program:
    hall = replay.with_settings(SITE, list(settings))
    hall = replace(
        hall,
        sensors=(*hall.sensors, *(m for m in more if isinstance(m, Sensor))),
        circuits=(*hall.circuits, *(m for m in more if isinstance(m, Circuit))),
    )
    program = rules.program(hall, CALENDAR)
    assert not program.faults
    return program


def judge(case: Case) -> list[Finding]:
    """Every finding of a case, of all rules, through the replay's own way."""
    arrivals = Arrivals()
    seqs: dict[tuple[str, str], int] = {}
    instants = []
    for item in case.script:
        said = item if isinstance(item, Said) else _usual(item, case.day)
        device = said.act[0]
        t = None if said.t is None else instant(said.t, case.day)
        at = instant(said.at, case.day) + (0 if isinstance(item, Said) else DELAY)
        instants.append(at if t is None else t)
        seq = said.seq or seqs.get((device, said.log), 0) + 1
        seqs[device, said.log] = seq
        _hear(arrivals, at, said.log, seq, said.boot, said.up, t, said.act)
    end = None if case.until is None else instant(case.until, case.day)
    first, last = min(instants), max(instants) if end is None else end
    _live(arrivals, first, last, case.dead)
    zones = [
        permits.Permit(f"p{n}", kind, (zone,), instant(begin, case.day), instant(over, case.day))
        for n, (kind, zone, begin, over) in enumerate(case.permits)
    ]
    entries = sorted(instant(e, case.day) for e in case.entries)
    return list(
        replay.findings(
            _hall(case.settings, case.more), arrivals, permits.spans(zones), entries, end
        )
    )


def _usual(item: tuple[str, Act], day: str) -> Said:
    time, act = item
    return Said(time, act, t=time, up=instant(time, day) % 10**9)


def _hear(
    arrivals: Arrivals, at: int, log: str, seq: int, boot: int, up: int, t: int | None, act: Act
) -> None:
    device, kind, fields = act
    event = decode_one(wire.encode(log, seq, boot, up, t, kind, fields).encode())
    assert isinstance(event, (Event, Unknown)), event
    arrivals.add(device, at, event)


def _live(arrivals: Arrivals, first: int, last: int, dead: tuple[str, ...]) -> None:
    if "*" in dead:
        return
    for device in (d.id for d in SITE.devices if d.id not in dead):
        for seq, t in enumerate(range(first, last + 1, 5 * _MINUTE), 1):
            _hear(arrivals, t + DELAY, _LIFE_LOG, seq, 1, t - first, t, (device, wire.HEALTH, {}))


def check(rule: str, case: Case) -> None:
    """Assert that the rule finds in the case what the table says, no more and no less."""
    found = [f for f in judge(case) if f.rule == rule]
    assert [_text(f.subject, f.since, f.start, f.end) for f in found] == [
        _text(subject, *(None if t is None else instant(t, case.day) for t in times))
        for subject, *times in case.found
    ]
    for finding in found:
        assert finding.severity == rules.by_id[rule].severity
        if case.cites is not None:
            assert finding.cites == case.cites
    if case.evidence:
        assert case.evidence.items() <= found[0].evidence.items()


def _text(subject: str, *times: int | None) -> tuple[str | None, ...]:
    return (subject, *(None if t is None else iso(t) for t in times))


def table(cases: dict[str, list[Case]]) -> Iterable[Any]:
    """Parameters for pytest: one a case, named by rule and case."""
    import pytest

    return [
        pytest.param(rule, case, id=f"{rule}: {case.name}")
        for rule, many in cases.items()
        for case in many
    ]


# --- what devices say ----------------------------------------------------------------------

_CONTACTS = {o.id: o.contact for o in SITE.openings}


def light(w: float) -> Act:
    return "pm-01", wire.POWER, {"ch": "c1", "w": w}


def sockets(w: float) -> Act:
    return "pm-01", wire.POWER, {"ch": "c2", "w": w}


def panel(w: float) -> Act:
    return "pm-02", wire.POWER, {"ch": "c1", "w": w}


def hall(present: bool) -> Act:
    return "occ-01", wire.PRESENCE, {"ch": "p1", "present": present}


def office(present: bool) -> Act:
    return "occ-02", wire.PRESENCE, {"ch": "p1", "present": present}


def counter(present: bool) -> Act:
    return "occ-w01", wire.PRESENCE, {"ch": "p1", "present": present}


def lux(lx: float) -> Act:
    return "occ-01", wire.LUX, {"ch": "x1", "lx": lx}


def opening(which: str, is_open: bool) -> Act:
    contact = _CONTACTS[which]
    assert contact is not None
    return contact.device, wire.CONTACT, {"ch": contact.ch, "open": is_open}


def lock(locked: bool) -> Act:
    return "door-02", wire.LOCK, {"ch": "l1", "locked": locked}


def ac(on: bool, mode: str = "cool", degrees: float = 26, src: str = "measured") -> Act:
    fields = {"ch": "a1", "on": on, "mode": mode, "set": degrees, "src": src}
    return "ac-01", wire.AC, fields


def detector(what: str, active: bool) -> Act:
    return "pm-01", wire.DETECTOR, {"ch": "d1", "what": what, "active": active}


def climate(c: float) -> Act:
    return "pm-02", wire.CLIMATE, {"ch": "t1", "c": c, "rh": 40}


def relay(on: bool) -> Act:
    return "pm-02", wire.RELAY, {"ch": "r9", "on": on, "cause": "manual"}


def tap(tag: str, device: str = "reader-01") -> Act:
    return device, wire.TAP, {"tag": tag}


def tamper(device: str, moved: bool) -> Act:
    return device, wire.TAMPER, {"moved": moved}


def alive(device: str) -> Act:
    return device, wire.HEALTH, {}


def lost(device: str, first: int, last: int) -> Act:
    return device, wire.LOST, {"from": first, "to": last, "why": "flash full"}


PERSON = "04b2000001"
POST_A, POST_B = "04b1000001", "04b1000002"
POWER_ROOM, EAST_EXIT, ARCHIVE = "04a1b2c3d4", "04a1b2c3d5", "04a1b2c3d6"
