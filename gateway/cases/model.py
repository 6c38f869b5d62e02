"""The kinds of case: their clocks, the articles they rest on, and what may be done with each."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from types import MappingProxyType
from typing import Any

from gateway.cases.clock import Clock, Due, Unit

DESK = frozenset({"duty", "facilities", "manager", "admin"})
LEADS = frozenset({"manager", "admin"})
STAFF = DESK | {"counter"}
NOBODY: frozenset[str] = frozenset()  # the gateway's own doing


class State(StrEnum):
    OPEN = "open"  # 已登记
    ISSUED = "issued"  # 已下发
    PAUSED = "paused"  # 补正中
    REPORTED = "reported"  # 窗口已反馈
    RECTIFIED = "rectified"  # 已整改
    RECHECKED = "rechecked"  # 已复查
    CLOSED = "closed"  # 已办结、销号
    STRUCK = "struck"  # 已作废


_OVER = frozenset({State.CLOSED, State.STRUCK})
UNDER_WAY = frozenset(State) - _OVER
"""States in which somebody still has something to do."""
RUNNING = frozenset({State.OPEN, State.ISSUED})
"""States in which the deadline can be missed."""


@dataclass(frozen=True, slots=True)
class Action:
    """What may be done: from which states, by which roles, what must be told with it.

    `states` None: any state but struck. `other_than` names the actions whose latest doer must be
    somebody else.
    """

    states: frozenset[State] | None
    roles: frozenset[str]
    needs: tuple[str, ...] = ()
    other_than: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Kind:
    """One kind of case. `days` None: the case brings its own deadline or number of days."""

    id: str
    cites: tuple[str, ...]
    days: int | None
    actions: Mapping[str, Action]
    dated: bool = False  # its deadline is a day that somebody set
    restarts: bool = False  # a hand-over starts the count anew
    opened_by: frozenset[str] = STAFF


def _actions(**own: Action) -> Mapping[str, Action]:
    """What every kind allows, and what this one does."""
    return MappingProxyType(
        {
            "note": Action(None, STAFF, ("note",)),
            "strike": Action(None, LEADS, ("note",)),
            "reopen": Action(frozenset({State.CLOSED}), DESK, ("note",)),
            "hand-over": Action(UNDER_WAY, STAFF, ("to", "note")),
        }
        | own
    )


_OPEN = frozenset({State.OPEN})

KINDS: Mapping[str, Kind] = MappingProxyType(
    {
        kind.id: kind
        for kind in (
            Kind(
                "bad-rating",
                ("好差评 第四条",),
                5,
                _actions(
                    settle=Action(_OPEN, STAFF, ("note",)),
                    rectify=Action(_OPEN, STAFF, ("note",)),
                    callback=Action(frozenset({State.RECTIFIED}), STAFF, ("outcome", "note")),
                    appeal=Action(None, STAFF, ("note",)),
                    decide=Action(None, LEADS, ("upheld", "note"), ("appeal",)),
                    confirm=Action(None, DESK | {"auditor"}, (), ("appeal", "decide")),
                ),
                opened_by=DESK,
            ),
            Kind(
                "complaint",
                ("投诉 三(三)2",),
                2,
                _actions(
                    report=Action(_OPEN, STAFF, ("note",)),
                    told=Action(frozenset({State.OPEN, State.REPORTED}), DESK, ("note",)),
                ),
                opened_by=DESK,
            ),
            Kind(
                "hazard",
                ("消防 二.4", "消防 六.2"),
                None,
                _actions(
                    issue=Action(_OPEN, DESK, ("to", "note")),
                    rectify=Action(frozenset({State.ISSUED}), STAFF, ("note",)),
                    recheck=Action(
                        frozenset({State.RECTIFIED}), DESK, ("passed", "note"), ("rectify",)
                    ),
                    close=Action(frozenset({State.RECHECKED}), DESK),
                    extend=Action(RUNNING, LEADS, ("due", "leader", "note")),
                ),
                dated=True,
            ),
            Kind(
                "promise",
                ("限时办结 六", "限时办结 七"),
                None,
                _actions(
                    pause=Action(_OPEN, STAFF, ("note",)),
                    resume=Action(frozenset({State.PAUSED}), STAFF),
                    extend=Action(
                        frozenset({State.OPEN, State.PAUSED}),
                        STAFF,
                        ("days", "form", "leader", "note"),
                    ),
                    close=Action(frozenset({State.OPEN, State.PAUSED}), STAFF, ("outcome",)),
                ),
                restarts=True,
            ),
            Kind(
                "start-up",
                ("企业开办 一",),
                1,
                _actions(close=Action(_OPEN, STAFF, ("outcome", "rating_asked"))),
            ),
        )
    }
)


@dataclass(frozen=True, slots=True)
class Event:
    """Something that was done to a case by a named person (or the gateway), in order of `n`."""

    n: int
    at: int  # Unix ms
    who: str
    what: str
    data: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Leg:
    """One stretch of counting that is over: until when it was due, and when it ended."""

    holder: str | None
    due: Due
    ended: int
    late: bool


@dataclass(frozen=True, slots=True)
class Appeal:
    """申诉 (好差评 第五条). It is upheld once a second person has confirmed the decision."""

    by: str
    at: int
    why: str
    upheld: bool | None = None
    decided_by: str | None = None
    decided_why: str | None = None
    confirmed_by: str | None = None
    confirmed_at: int | None = None

    @property
    def stands(self) -> bool:
        """Whether the rating leaves the count."""
        return bool(self.upheld) and self.confirmed_by is not None


@dataclass(frozen=True, slots=True)
class Case:
    """What a case is after its events. `counter` is the counter it concerns, `holder` who has it
    now; `source` names what opened it by itself. `clock` counts, or `deadline` was set."""

    id: str
    kind: Kind
    title: str
    counter: str | None
    holder: str | None
    source: str | None
    received: int
    opened_by: str
    state: State = State.OPEN
    clock: Clock | None = None
    deadline: Due | None = None
    legs: tuple[Leg, ...] = ()
    appeal: Appeal | None = None
    reopened: bool = False
    done_by: Mapping[str, str] = field(default_factory=dict)
    last: int = 0

    @property
    def unit(self) -> Unit:
        return self.clock.unit if self.clock else Unit.WORKDAYS
