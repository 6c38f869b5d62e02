"""Whom of a role a step tells: its addresses, who is on call, who has no address that works.

`who is on call` is judged at the instant at which the step was due, so that a restart or a long
stop tells the same people. Times Unix ms.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime
from zoneinfo import ZoneInfo

from gateway.site import OnCall, Site

Channels = Mapping[str, tuple[str, ...]]
"""For each role the schemes of its addresses; an empty one does not work."""

QUEUED, STANDBY, UNADDRESSED = "queued", "standby", "unaddressed"


def covers(turn: OnCall, at: int, tz: str) -> bool:
    """Whether this turn of the rota is on at `at`; past midnight it is still its first day's."""
    local = datetime.fromtimestamp(at / 1000, ZoneInfo(tz))
    minute, day = local.hour * 60 + local.minute, local.weekday()
    if turn.span.begin < turn.span.end:
        return day in turn.days and turn.span.begin <= minute < turn.span.end
    if minute >= turn.span.begin:
        return day in turn.days
    return minute < turn.span.end and (day - 1) % 7 in turn.days


def on_call(site: Site, role: str, at: int) -> frozenset[str] | None:
    """Who of the role is on call; None without a rota, or where it leaves a gap: then everybody."""
    names = {t.who for t in site.rota if t.role == role and covers(t, at, site.timezone)}
    return frozenset(names) or None


def told(site: Site, channels: Channels, role: str, at: int) -> list[tuple[int, str, str]]:
    """(index, scheme, state) of each address of the role that a step of `at` goes to."""
    mine = [c for c in site.notify if c.to == role]
    schemes = channels.get(role) or ("",)
    names = on_call(site, role, at)
    rows = []
    for index, scheme in enumerate(schemes):
        channel = mine[index] if index < len(mine) else None
        if names is not None and channel is not None and channel.who not in (None, *names):
            continue
        backup = channel is not None and channel.backup
        rows.append((index, scheme, (STANDBY if backup else QUEUED) if scheme else UNADDRESSED))
    if any(state == QUEUED for *_, state in rows):
        return rows
    # nobody of the first rank can be reached: the second is asked at once
    return [(i, scheme, QUEUED if state == STANDBY else state) for i, scheme, state in rows]


def unreachable(site: Site, channels: Channels) -> Iterator[tuple[str, str | None]]:
    """(role, person or None for the whole role) of whom a step may name and none can reach."""
    named = {who for rungs in site.escalation.values() for _, who in rungs}
    roles = {c.to for c in site.notify} | (named & {c.to for c in site.notify})
    for role in sorted(roles):
        mine = [c for c in site.notify if c.to == role]
        works = [bool(scheme) for scheme in channels.get(role, ())]
        works += [False] * (len(mine) - len(works))
        if not any(works):
            yield role, None
            continue
        for who in sorted({t.who for t in site.rota if t.role == role}):
            if not any(w and c.who in (None, who) for c, w in zip(mine, works, strict=True)):
                yield role, who
