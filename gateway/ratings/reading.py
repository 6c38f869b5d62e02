"""Ratings out of the store: every channel's, in order, a month at a time, and what they sum to."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from gateway.cases import book
from gateway.history.times import COLUMNS, read
from gateway.ratings.counting import FEW, Press, Sums, Tally, judged
from gateway.site import Counter, Site

LOOK_BACK_MS = 3600_000  # presses before the first day that may hold a dwell open
_CHUNK_DAYS = 31


@dataclass(frozen=True, slots=True)
class Rated:
    """A rating or a duplicate, where it was given, and whether an appeal has taken it out."""

    press: Press
    counter: str
    counts: bool
    excluded: bool


def presses(db: sqlite3.Connection, pads: Sequence[str], begin: int, end: int) -> list[Press]:
    """The stored presses of these pads with an event time in [begin, end)."""
    rows: list[Any] = []
    for pad in pads:
        query = f"SELECT {COLUMNS} FROM event WHERE kind = 'rating' AND device = ? AND t"
        rows += db.execute(f"{query} >= ? AND t < ?", (pad, begin, end)).fetchall()
        rows += db.execute(f"{query} IS NULL", (pad,)).fetchall()
    return [
        Press(
            *(said.time, said.boot, said.seq, said.log, said.device),
            *(int(said.payload["level"]), said.payload.get("visit")),
        )
        for said in read(db, rows)
        if begin <= said.time < end
    ]


def opinions(
    db: sqlite3.Connection, counters: Iterable[Counter], begin: int, end: int
) -> list[Press]:
    """What was given on the QR page and on paper in [begin, end), not struck out."""
    return made_since(db, counters, None, begin, end)


def made_since(
    db: sqlite3.Connection, counters: Iterable[Counter], since: int | None, begin: int, end: int
) -> list[Press]:
    """The same, of those entered at `since` or later only."""
    places = {counter.id: place(counter) for counter in counters}
    query = (
        "SELECT id, channel, counter, t, level, visit FROM opinion"
        " WHERE t >= ? AND t < ? AND struck_at IS NULL"
    )
    bounds: tuple[int, ...] = (begin, end)
    if since is not None:
        query, bounds = f"{query} AND made_at >= ?", (*bounds, since)
    rows = db.execute(query, bounds)
    return [
        Press(t, 0, 0, name, places[counter], level, visit, channel)
        for name, channel, counter, t, level, visit in rows
        if counter in places
    ]


def place(counter: Counter) -> str:
    """Where a counter's ratings are given: its pad, so that a visit counts once on all channels."""
    return counter.pad or f"counter/{counter.id}"


def days(first: date, last: date, zone: ZoneInfo) -> tuple[int, int]:
    """[begin, end) in Unix ms of whole local days."""
    begin = datetime(first.year, first.month, first.day, tzinfo=zone)
    after = last + timedelta(days=1)
    end = datetime(after.year, after.month, after.day, tzinfo=zone)
    return round(begin.timestamp() * 1000), round(end.timestamp() * 1000)


def rated(
    db: sqlite3.Connection,
    site: Site,
    first: date,
    last: date,
    channel: str | None = None,
) -> Iterator[Rated]:
    """Every rating of whole local days, in order of time, with at most a month in memory.

    `channel`: only those of it (what counts is judged over all of them).
    """
    zone = ZoneInfo(site.timezone)
    out = frozenset((one.device, one.log, one.seq) for one in book.upheld(db))
    at = {place(counter): counter.id for counter in site.counters}
    pads = [counter.pad for counter in site.counters if counter.pad]
    while first <= last:
        upto = min(last, first + timedelta(days=_CHUNK_DAYS - 1))
        begin, end = days(first, upto, zone)
        found = presses(db, pads, begin - LOOK_BACK_MS, end)
        found += opinions(db, site.counters, begin - LOOK_BACK_MS, end)
        for press, counts in judged(found, zone):
            if press.time >= begin and channel in (None, press.channel):
                yield Rated(press, at[press.pad], counts, press.name in out)
        first = upto + timedelta(days=1)


def sums(found: Iterable[Rated], key: Callable[[Rated], Any]) -> dict[Any, Sums]:
    """The ratings' sums by a key."""
    groups: dict[Any, Sums] = {}
    for one in found:
        group = groups.get(name := key(one))
        if group is None:
            group = groups[name] = Sums()
        group.add(one.press, counts=one.counts, excluded=one.excluded)
    return groups


def in_steps(found: Iterable[Rated], today: date, zone: ZoneInfo) -> Iterator[Rated]:
    """Of the unfinished day, only every full five ratings of a counter: an open day moves in steps,
    so that nobody who watches sees who has just rated."""
    begin, _ = days(today, today, zone)
    held: dict[str, list[Rated]] = {}
    for one in found:
        if one.press.time < begin:
            yield one
            continue
        waiting = held.setdefault(one.counter, [])
        waiting.append(one)
        if sum(w.counts and not w.excluded for w in waiting) == FEW:
            yield from waiting
            waiting.clear()


def visits(db: sqlite3.Connection, first: date, last: date) -> dict[tuple[str, str], int]:
    """(counter, day) → how many visits were registered, by the last word on each."""
    rows = db.execute(
        "SELECT counter, day, n FROM visit_count WHERE day >= ? AND day <= ? ORDER BY id",
        (first.isoformat(), last.isoformat()),
    )
    return {(counter, day): n for counter, day, n in rows}


def day_of(time: int, zone: ZoneInfo) -> str:
    """The local day of an instant, as text."""
    return datetime.fromtimestamp(time / 1000, zone).date().isoformat()


def summary(
    db: sqlite3.Connection,
    site: Site,
    first: date,
    last: date,
    by: str,
    *,
    channel: str | None = None,
    today: date | None = None,
) -> list[dict[str, Any]]:
    """One item a counter or department of the site, in the file's order, or one of the hall, for
    whole days.

    `today`: show that day in steps of five. The hall's levels and mean leave out the counters below
    five where these have, together, fewer than five: they could be told by taking the others off.
    `of` says how many ratings they are of.
    """
    zone = ZoneInfo(site.timezone)
    found: Iterable[Rated] = rated(db, site, first, last, channel)
    if today is not None:
        found = in_steps(found, today, zone)
    registered = visits(db, first, last)
    by_day: dict[tuple[str, str], int] = {}

    def seen() -> Iterator[Rated]:
        for one in found:
            if registered and one.counts and not one.excluded:
                key = one.counter, day_of(one.press.time, zone)
                by_day[key] = by_day.get(key, 0) + 1
            yield one

    tallied = sums(seen(), lambda one: one.counter)
    groups: dict[str, list[Counter]] = {}
    for counter in site.counters:
        name = {"counter": counter.id, "department": counter.department, "hall": site.id}[by]
        groups.setdefault(name, []).append(counter)
    items = []
    for name, counters in groups.items():
        parts = [tallied.get(counter.id, Sums()) for counter in counters]
        tally = sum((part.tally for part in parts), Tally())
        mine = {c.id for c in counters}
        known = {key: n for key, n in registered.items() if key[0] in mine}
        left = sum(max(0, n - by_day.get(key, 0)) for key, n in known.items())
        item = {by: name} | shown(tally, left if known else None)
        if by == "hall":
            item |= _told_apart([part.tally for part in parts])
        items.append(
            item
            | {
                "visits": sum(known.values()) if known else None,
                "channels": {
                    channel: sum(part.channels[channel] for part in parts)
                    for channel in ("pad", "qr", "paper")
                },
                "excluded": tally.excluded,
            }
        )
    return items


def shown(tally: Tally, unrated: int | None = None) -> dict[str, Any]:
    """A tally as the API shows it. `unrated` is null where no visits were registered."""
    enough = tally.n >= FEW
    return {
        "n": tally.n,
        "duplicates": tally.duplicates,
        "unrated": unrated,
        "levels": (
            {str(level): tally.levels[level - 1] for level in (5, 4, 3, 2, 1)} if enough else None
        ),
        "mean": tally.mean if enough else None,
    }


def _told_apart(parts: list[Tally]) -> dict[str, Any]:
    """Levels and mean of a whole whose parts are shown beside it, and of how many ratings."""
    rest = sum(part.n for part in parts if part.n < FEW)
    told = [part for part in parts if part.n >= FEW or rest >= FEW]
    tally = sum(told, Tally())
    found = shown(tally)
    return {"levels": found["levels"], "mean": found["mean"], "of": tally.n}


def hours(
    db: sqlite3.Connection, site: Site, first: date, last: date, *, today: date | None = None
) -> dict[tuple[str, int], Tally]:
    """(counter, hour of the day 0…23) → tally over whole days; `today` as in `summary`."""
    zone = ZoneInfo(site.timezone)
    found: Iterable[Rated] = rated(db, site, first, last)
    if today is not None:
        found = in_steps(found, today, zone)

    def key(one: Rated) -> tuple[str, int]:
        return one.counter, datetime.fromtimestamp(one.press.time / 1000, zone).hour

    return {name: made.tally for name, made in sums(found, key).items()}
