"""When an event happened (contract, 1: event time): pure functions over the copies of one log.

A *copy* is `(seq, at, boot, up, t, name, value)`: `at` its arrival, `t` -1 where the device did not
know, `name` a number for (device, kind, ch), `value` what the engine takes. All in ms.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from firmware.wire import FUTURE_MS, STALE_MS

Copy = tuple[int, int, int, int, int, int, Any]
Placed = tuple[int, int, int, str, int, Any]
"""(t, boot, seq, log, name, value): an event with its time, as the engine sorts them."""


def unite(copies: list[Copy]) -> Copy:
    """One event out of its copies, earliest arrival first: the earliest with a believed t wins.

    The result's `at` is the earliest arrival, its `t` -1 when no copy's t is believed.
    """
    first = copies[0][1]
    for seq, at, boot, up, t, name, value in copies:
        if 0 <= t <= at + FUTURE_MS:
            return seq, first, boot, up, t, name, value
    seq, at, boot, up, _, name, value = copies[0]
    return seq, at, boot, up, -1, name, value


def is_stale(t: int, at: int) -> bool:
    """More than seven days older than its first arrival: serves no rule."""
    return t < at - STALE_MS


def estimate(at: int, up: int, anchor: tuple[int, int] | None) -> int:
    """The time of an event without a believed t; `anchor` is (t, up) of its boot's anchor."""
    if anchor is None:
        return at
    t = anchor[0] + up - anchor[1]
    return t if t <= at + FUTURE_MS else at


def place(log: str, blocks: Iterable[list[Copy]]) -> Iterator[list[Placed]]:
    """Give each event of one log its time. `blocks`: its copies sorted by (seq, at).

    Events that wait for the anchor of their boot are held back until it comes or the log ends.
    """
    anchors: dict[int, tuple[int, int]] = {}
    waiting: dict[int, list[Copy]] = {}
    for events in _united(blocks):
        placed: list[Placed] = []
        for event in events:
            seq, at, boot, up, t, name, value = event
            if t >= 0:
                if is_stale(t, at):
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


def _united(blocks: Iterable[list[Copy]]) -> Iterator[list[Copy]]:
    """Blocks of events, each seq once; copies of one seq may straddle two blocks."""
    open_copies: list[Copy] = []
    for block in blocks:
        events: list[Copy] = []
        for copy in block:
            if open_copies and copy[0] != open_copies[0][0]:
                events.append(unite(open_copies) if len(open_copies) > 1 else _single(open_copies))
                open_copies = []
            open_copies.append(copy)
        yield events
    if open_copies:
        yield [unite(open_copies)]


def _single(copies: list[Copy]) -> Copy:
    copy = copies[0]
    return copy if copy[4] <= copy[1] + FUTURE_MS else unite(copies)
