"""What keeps a hall's alerts from becoming noise: flapping, groups, storms, quiet hours.

All pure, of stored times: a restart changes nothing. Nothing here ever holds back a critical
alert, and nothing is left off the page. Times Unix ms.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from gateway.site import Span


@dataclass(frozen=True, slots=True)
class Flapping:
    """The instants at which an alert was raised of late, and whether it is held for it."""

    raised: tuple[int, ...] = ()
    held: bool = False


def flapped(was: Flapping, now: int, sets: int, clears: int, within: int) -> Flapping:
    """After one more raise: held from the `sets`-th within the span, until at most `clears` are
    left in it."""
    calm = calm_at(was, clears, within)
    raised = (*(at for at in was.raised if at > now - within), now)
    held = (calm is not None and now < calm) or len(raised) >= sets
    return Flapping(raised[-max(sets, clears + 1) :], held)


def calm_at(was: Flapping, clears: int, within: int) -> int | None:
    """The first instant at which at most `clears` raises are left in the span; None where it is
    not held."""
    if not was.held:
        return None
    last = len(was.raised) - clears - 1  # the raise whose going leaves `clears`
    return was.raised[last] + within if last >= 0 else 0


@dataclass(frozen=True, slots=True)
class Candidate:
    """An alert that is to be told for the first time in its round."""

    id: str
    rule: str
    told_from: int


def group(
    fresh: Sequence[Candidate],
    recent: Sequence[Candidate],
    leader: str | None,
    at_least: int,
) -> tuple[str, tuple[str, ...]] | None:
    """(leader, members) of those of one rule that are told as one; None where each is told alone.

    `recent`: those of the rule told alone within the span; `leader`: that of a group still open.
    """
    if leader is not None:
        return leader, tuple(c.id for c in fresh if c.id != leader)
    every = sorted((*recent, *fresh), key=lambda c: (c.told_from, c.id))
    if len(every) < at_least or not fresh:
        return None
    return every[0].id, tuple(c.id for c in fresh if c.id != every[0].id)


def update_at(told_from: int, now: int, every: int) -> int:
    """When a group that has grown is told of again: at whole multiples of `every`, so that it is
    the same instant however often the gateway starts."""
    return told_from + -(-max(now - told_from, 1) // every) * every


def quiet_until(at: int, quiet: Span | None, tz: str) -> int:
    """The end of the quiet hours that `at` lies in; `at` itself outside them."""
    if quiet is None:
        return at
    local = datetime.fromtimestamp(at / 1000, ZoneInfo(tz))
    minute = local.hour * 60 + local.minute
    wraps = quiet.end <= quiet.begin
    inside = (
        (minute >= quiet.begin or minute < quiet.end)
        if wraps
        else quiet.begin <= minute < quiet.end
    )
    if not inside:
        return at
    end = local.replace(hour=0, minute=0, second=0, microsecond=0) + timedelta(minutes=quiet.end)
    if end <= local:
        end += timedelta(days=1)
    return int(end.timestamp() * 1000)
