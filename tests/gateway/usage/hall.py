"""Weeks of a hall's meters, as history keeps them, for the energy report and its page."""

from __future__ import annotations

import math
import sqlite3
import zlib
from collections.abc import Callable
from dataclasses import replace
from zoneinfo import ZoneInfo

from gateway import site
from gateway.clock import parse_instant
from gateway.history.hot import Hot
from gateway.history.times import Said, lanes
from tests.gateway.api.house import House

ZONE = ZoneInfo("Asia/Shanghai")
MINUTE, HOUR, DAY = 60_000, 3_600_000, 86_400_000
EVERY = 5 * MINUTE
MIDNIGHT = parse_instant("2026-07-01T00:00:00+08:00")  # a Wednesday; the house's day

Watts = Callable[[int], float | None]  # of an instant; None: the meter says nothing


def hour_of(t: int) -> float:
    """Hours since the local midnight."""
    return (t - MIDNIGHT) % DAY / HOUR


def office(most: float, idle: float = 0.0, wobble: float = 0.1) -> Watts:
    """From eight to six on workdays, a little different from week to week."""

    def watts(t: int) -> float:
        day = (t - MIDNIGHT) // DAY
        if day % 7 in (3, 4):  # Saturday, Sunday
            return idle
        week = 1 + wobble * math.sin(1.7 * (day // 7))
        h = hour_of(t)
        return idle if not 8 <= h < 18 else idle + most * week * math.sin((h - 8) / 10 * math.pi)

    return watts


def silent(watts: Watts, *holes: tuple[int, int]) -> Watts:
    """Nothing heard inside the holes, [begin, end) in Unix ms."""
    return lambda t: None if any(a <= t < b for a, b in holes) else watts(t)


def fill(
    house: House,
    meters: dict[str, Watts],
    begin: int,
    end: int,
    every: int = EVERY,
    zone: ZoneInfo = ZONE,
) -> None:
    """What the meters ("pm-01/c1") say from `begin` up to `end`, without counters."""
    said = []
    for channel, watts in meters.items():
        device, _, ch = channel.partition("/")
        log = f"{zlib.crc32(channel.encode()):08x}"
        for seq, t in enumerate(range(begin, end, every), 1):
            w = watts(t)
            if w is not None:
                payload = {"ch": ch, "w": round(w, 1)}
                said.append(Said(device, log, seq, 1, t, False, False, "power", payload, new=True))

    def work(db: sqlite3.Connection, now: int) -> None:
        hot = Hot(zone)
        hot.load(db)
        hot.keep(db, lanes(said))
        while hot.settle(db, now, 36_500 * DAY):
            pass

    house.submit(work).result()


def change(house: House, **fields: object) -> None:
    """The house's site with other fields."""
    hall: site.Site = replace(house.context.site, **fields)  # type: ignore[arg-type]
    house.context = replace(house.context, site=hall)
