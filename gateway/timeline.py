"""When an event happened (contract, 1: event time): pure functions over the copies of one log.

A *copy* is `(seq, at, boot, up, t, name, value)`: `at` its arrival, `t` -1 where the device did not
know, `name` a number for (device, kind, ch), `value` what the engine takes. All in ms.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from firmware.wire import FUTURE_MS, STALE_MS

Copy = tuple[int, int, int, int, int, int, Any]
Placed = tuple[int, int, int, str, int, Any]
"""(t, boot, seq, log, name, value): an event with its time, as the engine sorts them."""
Name = tuple[str, str, str]
"""(device, kind, ch) of an event; ch is empty where the kind has none."""


def is_believed(t: int, at: int) -> bool:
    """A device's own time, at most a minute ahead of its arrival."""
    return 0 <= t <= at + FUTURE_MS


def rank(copy: Copy, names: Sequence[Name]) -> tuple[Any, ...]:
    """The lowest of an event's copies counts: the earliest-arrived with a believed t, else the
    earliest-arrived. Of two that came at one instant the content decides, not which was read
    first."""
    _, at, boot, up, t, name, value = copy
    believed = is_believed(t, at)
    return not believed, at, boot, up, t if believed else -1, names[name], repr(value)


def unite(copies: list[Copy], names: Sequence[Name]) -> Copy:
    """One event out of its copies.

    The result's `at` is the earliest arrival, its `t` -1 when no copy's t is believed.
    """
    first = min(copy[1] for copy in copies)
    seq, at, boot, up, t, name, value = (
        copies[0] if len(copies) == 1 else min(copies, key=lambda copy: rank(copy, names))
    )
    return seq, first, boot, up, t if is_believed(t, at) else -1, name, value


def is_stale(t: int, at: int) -> bool:
    """More than seven days older than its first arrival: serves no rule."""
    return t < at - STALE_MS


def estimate(at: int, up: int, anchor: tuple[int, int] | None) -> int:
    """The time of an event without a believed t; `anchor` is (t, up) of its boot's anchor."""
    if anchor is None:
        return at
    t = anchor[0] + up - anchor[1]
    return t if t <= at + FUTURE_MS else at


def place(log: str, blocks: Iterable[list[Copy]], names: Sequence[Name]) -> Iterator[list[Placed]]:
    """Give each event of one log its time. `blocks`: its copies sorted by their numbers.

    Events that wait for the anchor of their boot are held back until it comes or the log ends.
    """
    anchors: dict[int, tuple[int, int]] = {}
    waiting: dict[int, list[Copy]] = {}
    for events in _united(blocks, names):
        placed: list[Placed] = []
        for event in events:
            seq, at, boot, up, t, name, value = event
            if t >= 0:
                if t < at - STALE_MS:
                    continue
                if boot not in anchors:
                    anchors[boot] = (t, up)
                    placed += _estimated(log, waiting.pop(boot, ()), (t, up))
                placed.append((t, boot, seq, log, name, value))
            elif boot in anchors:
                placed += _estimated(log, (event,), anchors[boot])
            else:
                waiting.setdefault(boot, []).append(event)
        yield placed
    for events in waiting.values():
        yield list(_estimated(log, events, None))


def _estimated(
    log: str, events: Iterable[Copy], anchor: tuple[int, int] | None
) -> Iterator[Placed]:
    for seq, at, boot, up, _, name, value in events:
        t = estimate(at, up, anchor)
        if not is_stale(t, at):
            yield t, boot, seq, log, name, value


def _united(blocks: Iterable[list[Copy]], names: Sequence[Name]) -> Iterator[list[Copy]]:
    """Blocks of events, each number once; copies of one number may straddle two blocks."""
    before: Copy | None = None
    same: list[Copy] = []  # all copies of its number, where there are several
    for block in blocks:
        events: list[Copy] = []
        for copy in block:
            if before is not None:
                if copy[0] == before[0]:
                    same = same or [before]
                    same.append(copy)
                    continue
                if same:
                    events.append(unite(same, names))
                    same = []
                elif before[4] <= before[1] + FUTURE_MS:
                    events.append(before)
                else:
                    events.append((*before[:4], -1, *before[5:]))
            before = copy
        yield events
    if before is not None:
        yield [unite(same or [before], names)]


def grouped(blocks: Iterable[list[Copy]]) -> Iterator[list[list[Copy]]]:
    """The copies of each number together; those of one number may straddle two blocks."""
    open_copies: list[Copy] = []
    for block in blocks:
        groups: list[list[Copy]] = []
        for copy in block:
            if open_copies and copy[0] == open_copies[0][0]:
                open_copies.append(copy)
                continue
            if open_copies:
                groups.append(open_copies)
            open_copies = [copy]
        yield groups
    if open_copies:
        yield [open_copies]
