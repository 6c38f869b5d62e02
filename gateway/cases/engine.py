"""A case is the fold of its events. Pure: case, event, place (calendar) in; the next case out.

`allowed` says by a named reason why something may not be done; `step` takes what was done, also
under a calendar that has changed since: history is never refused. Deadlines are never stored here,
they follow from the events and the calendar.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import date
from typing import Any

from gateway.cases import clock as clocks
from gateway.cases.clock import Clock, Due, Place, Unit
from gateway.cases.model import (
    RUNNING,
    UNDER_WAY,
    Appeal,
    Case,
    Event,
    Kind,
    Leg,
    State,
)

MAX_DAYS = 400
_BECOMES = {
    "pause": State.PAUSED,
    "resume": State.OPEN,
    "issue": State.ISSUED,
    "report": State.REPORTED,
    "rectify": State.RECTIFIED,
    "settle": State.CLOSED,
    "callback": State.CLOSED,
    "told": State.CLOSED,
    "close": State.CLOSED,
    "strike": State.STRUCK,
}


@dataclass(frozen=True, slots=True)
class Times:
    """A case's instants, Unix ms: `due` None while nothing can be missed; `half` and `last` are
    the two reminders, None where there is no room for one."""

    due: Due | None
    due_at: int | None
    half: int | None
    last: int | None


def opened(kind: Kind, number: str, event: Event, place: Place) -> Case:
    """The case that its first event makes. `data`: title, counter, holder, source, and days, unit
    or due where the kind asks for them."""
    data = event.data
    case = Case(
        *(number, kind, str(data.get("title", "")), data.get("counter"), data.get("holder")),
        *(data.get("source"), event.at, event.who),
        last=event.n,
        done_by={"open": event.who},
    )
    if kind.dated:
        return replace(case, deadline=Due(date.fromisoformat(data["due"]), False))
    days = kind.days if kind.days is not None else int(data["days"])
    unit = Unit(data.get("unit", Unit.WORKDAYS))
    return replace(case, clock=Clock(place.day(event.at), days, unit))


def fold(number: str, kind: Kind, events: Iterable[Event], place: Place) -> Case:
    """The case after all its events, the first of which opened it."""
    first, *more = events
    case = opened(kind, number, first, place)
    for event in more:
        case = step(case, event, place)
    return case


def step(case: Case, event: Event, place: Place) -> Case:
    """The case after one more event; an unknown one changes nothing but the count."""
    what, data = event.what, event.data
    before = times(case, place)
    case = replace(case, last=event.n)
    if what in ("recomputed", "note"):
        return case
    case = replace(case, done_by={**case.done_by, what: event.who})
    if what == "recheck":
        return replace(case, state=State.RECHECKED if data["passed"] else State.ISSUED)
    if what in ("appeal", "decide", "confirm"):
        return replace(case, appeal=_appealed(case.appeal, event))
    if what == "extend":
        return _extended(case, data)
    if what == "hand-over":
        return _handed(case, event, before, place)
    if what == "reopen":
        return _reopened(case, event, place)
    if what == "pause" and case.clock:
        case = replace(case, clock=clocks.paused(case.clock, event.at, place))
    if what == "resume" and case.clock:
        case = replace(case, clock=clocks.resumed(case.clock, event.at, place))
    if what == "issue":
        case = replace(case, holder=data["to"])
    if what in _BECOMES:
        following = _BECOMES[what]
        if following not in RUNNING and following is not State.PAUSED and before.due is not None:
            case = replace(case, legs=(*case.legs, _leg(case, event.at, before)))
        case = replace(case, state=following)
    return case


def times(case: Case, place: Place) -> Times:
    """When a case is due, and its reminders (at half time, and one workday before)."""
    if case.state not in RUNNING and not _paused_in_vain(case):
        return Times(None, None, None, None)
    if case.clock is not None:
        found, base = clocks.due(case.clock, place), case.clock.base
        total = case.clock.total
        turn = clocks.after(case.clock, (total + 1) // 2, place).day
    else:
        assert case.deadline is not None
        base = place.day(_since(case))
        day = case.deadline.day
        provisional = case.deadline.provisional
        found = Due(day, provisional)
        turn = _middle(base, day, place)
    before = place.calendar.add_workdays(found.day, -1)[0]
    half = place.morning(turn) if base < turn < before else None
    last = place.morning(before) if base < before else None
    return Times(found, place.end(found.day), half, last)


def allowed(
    case: Case, what: str, who: str, data: Mapping[str, Any], now: int, place: Place
) -> str | None:
    """Why `who` may not do this to the case now, or None. Roles are the caller's to check."""
    action = case.kind.actions.get(what)
    if action is None:
        known = ", ".join(sorted(case.kind.actions))
        return f"{what} is nothing that can be done to a {case.kind.id} case: {known}"
    if case.state is State.STRUCK:
        return "the case is struck out"
    if action.states is not None and case.state not in action.states:
        return f"{what} is not possible while the case is {case.state}"
    for other in action.other_than:
        if case.done_by.get(other) == who:
            return f"{what} takes somebody else than who did {other}"
    found = times(case, place)
    overdue = found.due_at is not None and now >= found.due_at
    if what in ("pause", "extend") and overdue:
        return f"{what} is not possible after the deadline"
    if what == "extend" and case.clock and case.clock.total + data.get("days", 0) > MAX_DAYS:
        return f"at most {MAX_DAYS} days in all"
    if what == "extend" and case.deadline and not _later(case.deadline.day, data):
        return "the new deadline must lie after the old one"
    if what == "settle" and place.day(now) != place.day(case.received):
        return "settled on the spot (当场解决) means on the same day: rectify it and call back"
    if what == "hand-over" and case.state is State.PAUSED:
        return "hand-over is not possible while the case is paused: resume it first"
    if what == "reopen" and case.reopened:
        return "a case is reopened once"
    return _appealable(case, what)


def _appealable(case: Case, what: str) -> str | None:
    appeal = case.appeal
    if what == "appeal" and appeal is not None:
        return "there is an appeal already"
    if what == "decide" and (appeal is None or appeal.upheld is not None):
        return "there is no appeal to decide"
    if what == "confirm" and (appeal is None or appeal.upheld is None or appeal.confirmed_by):
        return "there is no decision to confirm"
    return None


def possible(case: Case, who: str, role: str, now: int, place: Place) -> list[str]:
    """What `who` of this role may do to the case now, by name."""
    return [
        what
        for what, action in sorted(case.kind.actions.items())
        if role in action.roles and allowed(case, what, who, {}, now, place) is None
    ]


def needs(kind: Kind, what: str) -> tuple[str, ...]:
    """What must be told with an action; reopening a dated case takes a new deadline."""
    extra = ("due",) if what == "reopen" and kind.dated else ()
    return (*kind.actions[what].needs, *extra)


def appeal_of(events: Iterable[Event]) -> Appeal | None:
    """The appeal among a case's events; no clock touches it."""
    appeal = None
    for event in events:
        if event.what in ("appeal", "decide", "confirm"):
            appeal = _appealed(appeal, event)
    return appeal


def _appealed(appeal: Appeal | None, event: Event) -> Appeal:
    data = event.data
    if event.what == "appeal" or appeal is None:
        return Appeal(event.who, event.at, str(data.get("note", "")))
    if event.what == "decide":
        return replace(
            appeal,
            upheld=bool(data["upheld"]),
            decided_by=event.who,
            decided_why=str(data.get("note", "")),
        )
    return replace(appeal, confirmed_by=event.who, confirmed_at=event.at)


def _extended(case: Case, data: Mapping[str, Any]) -> Case:
    if case.clock is not None:
        return replace(case, clock=replace(case.clock, total=case.clock.total + int(data["days"])))
    return replace(case, deadline=Due(date.fromisoformat(data["due"]), False))


def _handed(case: Case, event: Event, before: Times, place: Place) -> Case:
    """A hand-over; where the count restarts, the day after is day 1 (限时办结 六)."""
    to = event.data["to"]
    if not case.kind.restarts or case.clock is None or before.due is None:
        return replace(case, holder=to)
    days = int(event.data.get("days") or case.clock.total)
    return replace(
        case,
        legs=(*case.legs, _leg(case, event.at, before)),
        holder=to,
        clock=Clock(place.day(event.at), days, case.clock.unit),
    )


def _reopened(case: Case, event: Event, place: Place) -> Case:
    case = replace(case, reopened=True, state=State.OPEN)
    if case.kind.dated:
        return replace(case, deadline=Due(date.fromisoformat(event.data["due"]), False))
    assert case.clock is not None
    return replace(case, clock=Clock(place.day(event.at), case.clock.total, case.clock.unit))


def _leg(case: Case, ended: int, before: Times) -> Leg:
    assert before.due is not None
    assert before.due_at is not None
    return Leg(case.holder, before.due, ended, ended >= before.due_at)


def _since(case: Case) -> int:
    """When the present stretch began: after the last leg, or at receipt."""
    return case.legs[-1].ended if case.legs else case.received


def _middle(base: date, day: date, place: Place) -> date:
    """The workday half way to a set deadline."""
    n, at = 0, base
    while at < day:
        at = place.calendar.add_workdays(at, 1)[0]
        n += at <= day
    return place.calendar.add_workdays(base, (n + 1) // 2)[0]


def _later(old: date, data: Mapping[str, Any]) -> bool:
    return "due" not in data or date.fromisoformat(data["due"]) > old


def _paused_in_vain(case: Case) -> bool:
    """By today's calendar the pause began after the deadline."""
    return case.state is State.PAUSED and case.clock is not None and case.clock.paused is None


@dataclass(frozen=True, slots=True)
class Phase:
    """`reminder` or `overdue` since an instant; `until` the next one comes, None after the last."""

    name: str | None
    since: int | None
    until: int | None


def phase(case: Case, now: int, place: Place) -> Phase:
    """Where a case stands between its start and its deadline."""
    found = times(case, place)
    name, since = None, None
    steps = (("reminder", found.half), ("reminder", found.last), ("overdue", found.due_at))
    for word, at in steps:
        if at is not None and now >= at:
            name, since = word, at
    coming = [at for _, at in steps if at is not None and at > now]
    return Phase(name, since, min(coming, default=None))


def late(case: Case, now: int, place: Place) -> bool:
    """Whether the deadline of the present stretch has passed, or that of an earlier one had."""
    found = times(case, place)
    missed = found.due_at is not None and now >= found.due_at
    return missed or any(leg.late for leg in case.legs)


def open_ended(case: Case) -> bool:
    """Whether somebody still has something to do."""
    return case.state in UNDER_WAY
