"""The site's ladder as a pure function of stored times: which steps an alert has reached.

A step is due once its round has been unacknowledged for its offset. Unix ms.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from gateway import rules
from gateway.lifecycle import UNACKNOWLEDGED
from gateway.rota import Channels
from gateway.selfalerts import OWN

Ladder = tuple[tuple[int, str], ...]

SIREN, DIGEST, AUDIENCE, EVERYONE = "siren", "digest", "audience", "everyone"


@dataclass(frozen=True, slots=True)
class Step:
    """One message to one kind of recipient; `offset` in ms after the round began."""

    offset: int
    kind: str  # message | digest | siren, and update | recovery beside the ladder
    role: str


@dataclass(frozen=True, slots=True)
class Steps:
    """Which steps are due by now, and when the next may be (Unix ms), None where none is left."""

    due: tuple[Step, ...]
    following: int | None


def steps(ladder: Ladder, audience: tuple[str, ...], state: str, began: int, now: int) -> Steps:
    """All steps that an alert in this state has reached; the outbox knows which it has had."""
    if state != UNACKNOWLEDGED:
        return Steps((), None)
    due: dict[Step, None] = {}
    following = None
    for offset, target in ladder:
        if began + offset <= now:
            due |= dict.fromkeys(_step(offset, target, audience))
        elif following is None or began + offset < following:
            following = began + offset
    return Steps(tuple(due), following)


def _step(offset: int, target: str, audience: tuple[str, ...]) -> Iterator[Step]:
    if target == SIREN:
        yield Step(offset, SIREN, SIREN)
        return
    kind = DIGEST if target == DIGEST else "message"
    for role in audience if target in (AUDIENCE, DIGEST) else (target,):
        yield Step(offset, kind, role)


def audience_of(rule: str, channels: Channels) -> tuple[str, ...]:
    """The roles that a rule tells; `everyone` is every role with an address."""
    known = rules.by_id.get(rule)
    if known is not None:
        told = tuple(str(role) for role in known.tells)
    elif rule in OWN:
        told = tuple(str(role) for role in OWN[rule][1])
        told = tuple(role for role in told if role in channels) or told[:1]
    else:
        told = ("duty",)
    if EVERYONE in told:
        return tuple(channels) or (EVERYONE,)
    return told


def digest_at(now: int, arrive: int, tz: str) -> int:
    """The next morning's `arrive` (minutes after midnight) after `now`, in Unix ms."""
    local = datetime.fromtimestamp(now / 1000, ZoneInfo(tz))
    morning = local.replace(hour=arrive // 60, minute=arrive % 60, second=0, microsecond=0)
    if morning <= local:
        morning += timedelta(days=1)
    return int(morning.timestamp() * 1000)
