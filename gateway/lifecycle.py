"""The life of an alert (告警) in ISA-18.2's terms, as a pure function of (alert, event, now).

Two facts make its state: does the condition hold, and has somebody acknowledged this round. Beside
them it may be put aside: shelved by a person, suppressed by design (maintenance), out of service.
A critical one is never aside. Acknowledging never clears; a return to normal never acknowledges a
critical or a warning; whatever raises it anew begins a round, and each round is told from the foot
of the ladder. Times Unix ms.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Literal

Severity = Literal["critical", "warning", "notice"]

UNACKNOWLEDGED, ACKNOWLEDGED, RETURNED, NORMAL = (
    "unacknowledged",
    "acknowledged",
    "returned",
    "normal",
)
SHELVED, SUPPRESSED, OUT = "shelved", "suppressed", "out-of-service"
STATES = (UNACKNOWLEDGED, ACKNOWLEDGED, RETURNED, NORMAL, SHELVED, SUPPRESSED, OUT)

MAX_SHELF_MS = 8 * 3_600_000
MAX_MAINTENANCE_MS = 4 * 3_600_000

# why a round began: a key of the catalogue, and what a message says of it
FIRST, REOPENED, REMINDER, BACK = "first", "reopened", "reminder", "back"


@dataclass(frozen=True, slots=True)
class Alert:
    """What the life cycle knows of an alert.

    `until`: when `aside` ends, None for out of service. `clears_at`: the condition is over, and
    counts as over from then. `answered_at`: when it was acknowledged or closed.
    """

    severity: str
    active: bool = False
    acked: bool = True
    closed: bool = False
    aside: str | None = None
    until: int | None = None
    round: int = 0
    told_from: int = 0
    why: str = FIRST
    clears_at: int | None = None
    answered_at: int | None = None

    @property
    def state(self) -> str:
        """One of `STATES`."""
        if self.closed:
            return NORMAL
        if self.aside is not None:
            return self.aside
        if self.active:
            return ACKNOWLEDGED if self.acked else UNACKNOWLEDGED
        return NORMAL if self.acked else RETURNED


@dataclass(frozen=True, slots=True)
class Raise:
    """The condition holds. `after`: it is told only if it lasts so long (ms); `held`: it flaps,
    and is not told anew."""

    after: int = 0
    held: bool = False


@dataclass(frozen=True, slots=True)
class Return:
    """The condition is over; it counts as over once it has been for `after` ms."""

    after: int = 0


@dataclass(frozen=True, slots=True)
class Acknowledge:
    """Somebody has seen it."""


@dataclass(frozen=True, slots=True)
class Shelve:
    """Put aside for `ms`."""

    ms: int


@dataclass(frozen=True, slots=True)
class Suppress:
    """What it is about is under maintenance until then (None: out of service)."""

    until: int | None


@dataclass(frozen=True, slots=True)
class Unsuppress:
    """The maintenance is over, or what was out of service is back."""


@dataclass(frozen=True, slots=True)
class Close:
    """Somebody takes it off the list."""


@dataclass(frozen=True, slots=True)
class Tick:
    """Time has come this far. `remind`: ms after which an answered one that still holds is told
    again, None for never."""

    remind: int | None = None


Event = Raise | Return | Acknowledge | Shelve | Suppress | Unsuppress | Close | Tick


class Refused(Exception):
    """This may not be done to this alert; the message says why, `why` as a code."""

    def __init__(self, why: str, text: str) -> None:
        super().__init__(text)
        self.why = why


def after(alert: Alert, event: Event, now: int) -> Alert:
    """The alert after the event. Raises Refused where a person asks for what may not be."""
    match event:
        case Raise():
            return _raised(alert, event, now)
        case Return(wait):
            if not alert.active or alert.clears_at is not None:
                return alert
            return replace(alert, clears_at=now + wait) if wait else _over(alert)
        case Acknowledge():
            return _acknowledged(alert, now)
        case Shelve(ms):
            return _shelved(alert, ms, now)
        case Suppress(until):
            if alert.severity == "critical" or alert.closed or alert.state == NORMAL:
                return alert
            if until is not None:
                until = min(until, now + MAX_MAINTENANCE_MS)
            return replace(alert, aside=OUT if until is None else SUPPRESSED, until=until)
        case Unsuppress():
            return _back(alert, now) if alert.aside in (SUPPRESSED, OUT) else alert
        case Close():
            return _closed(alert, now)
        case Tick(remind):
            return _later(alert, remind, now)


def due(alert: Alert, remind: int | None) -> int | None:
    """When time alone changes the alert next; None where it does not."""
    moments = [alert.clears_at]
    if alert.aside is not None:
        moments.append(alert.until)
    elif (
        remind is not None
        and alert.active
        and alert.acked
        and alert.answered_at is not None
        and alert.clears_at is None
    ):
        moments.append(alert.answered_at + remind)
    return min((at for at in moments if at is not None), default=None)


def _raised(alert: Alert, event: Raise, now: int) -> Alert:
    if alert.active and not alert.closed:
        return replace(alert, clears_at=None)
    if event.held and alert.round and alert.severity != "critical":
        return replace(alert, active=True, clears_at=None)
    why = FIRST if alert.round == 0 else REOPENED
    wait = 0 if alert.severity == "critical" else event.after
    return _round(replace(alert, active=True, clears_at=None), why, now + wait)


def _round(alert: Alert, why: str, at: int) -> Alert:
    """Told from the foot of the ladder."""
    return replace(
        alert,
        acked=False,
        closed=False,
        answered_at=None,
        round=alert.round + 1,
        told_from=at,
        why=why,
    )


def _over(alert: Alert) -> Alert:
    acked = alert.acked or alert.severity == "notice"
    return replace(alert, active=False, clears_at=None, acked=acked)


def _acknowledged(alert: Alert, now: int) -> Alert:
    if alert.acked:
        return alert  # seen already: the first name stands
    aside = None if alert.aside == SHELVED else alert.aside
    until = alert.until if aside else None
    alert = replace(alert, acked=True, answered_at=now, aside=aside, until=until)
    return _over(alert) if alert.clears_at is not None else alert


def _shelved(alert: Alert, ms: int, now: int) -> Alert:
    if alert.severity == "critical":
        raise Refused("critical", "a critical alert cannot be shelved")
    if alert.state == NORMAL:
        raise Refused("over", "the alert is over")
    if alert.aside in (SUPPRESSED, OUT):
        raise Refused("aside", "it is put aside already, by maintenance")
    if not 0 < ms <= MAX_SHELF_MS:
        raise Refused("minutes", "shelved for 1 minute to 8 hours")
    return replace(alert, aside=SHELVED, until=now + ms)


def _back(alert: Alert, now: int) -> Alert:
    """No longer aside; what still holds and nobody has seen is told again."""
    alert = replace(alert, aside=None, until=None)
    return _round(alert, BACK, now) if alert.active and not alert.acked else alert


def _closed(alert: Alert, now: int) -> Alert:
    if alert.closed or (alert.state == NORMAL and alert.round == 0):
        raise Refused("over", "the alert is closed")
    if alert.severity == "critical" and alert.active:
        raise Refused("lasts", "a critical alert cannot be closed while it lasts")
    return replace(alert, closed=True, acked=True, answered_at=now, aside=None, until=None)


def _later(alert: Alert, remind: int | None, now: int) -> Alert:
    if alert.clears_at is not None and now >= alert.clears_at:
        alert = _over(alert)
    if alert.aside is not None:
        ended = alert.until is not None and now >= alert.until
        return _back(alert, now) if ended else alert
    reminds = remind is not None and alert.active and alert.acked and alert.clears_at is None
    if reminds and alert.answered_at is not None:
        assert remind is not None
        if now >= alert.answered_at + remind:
            return _round(alert, REMINDER, now)
    return alert
