"""Reading meters over time in sums, so that a season of many meters comes as few rows."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from firmware import wire
from gateway.history import buckets
from gateway.history.kinds import FIELDS, SCALE
from gateway.usage.pure import Part, Span

_W = FIELDS[wire.POWER].index("w") + 1
_IN = (
    " FROM json_each(:ids) CROSS JOIN rollup r"
    f" ON r.channel = json_each.value AND r.field = {_W} AND r.step = :level"
)


@dataclass(frozen=True, slots=True)
class Meter:
    """A meter's channel that has been heard: its number, and its first word's minute (Unix ms)."""

    id: int
    first: int


def meters(db: sqlite3.Connection) -> dict[str, Meter]:
    """{"device/ch": meter} of every meter ever heard. Minutes are dropped with age, hours stay."""
    first = (
        "(SELECT t FROM rollup WHERE channel = channel.id AND field = :w AND step = {} ORDER BY t"
        " LIMIT 1)"
    )
    rows = db.execute(
        f"SELECT device || '/' || ch, id, {first.format(buckets.MINUTE)},"
        f" {first.format(buckets.HOUR)} FROM channel WHERE kind = :kind",
        {"w": _W, "kind": wire.POWER},
    )
    return {
        name: Meter(number, minute if minute is not None and minute < hour + buckets.HOUR else hour)
        for name, number, minute, hour in rows
        if hour is not None
    }


def power(
    db: sqlite3.Connection, ids: Iterable[int], begin: int, end: int, step: int
) -> dict[int, tuple[float, int]]:
    """{step's number from `begin`: (sum of the meters' mean watts, how many were heard)}."""
    rows = db.execute(
        f"SELECT slot, sum(mean), count(*) FROM (SELECT (r.t - :begin) / :step AS slot,"
        f" sum(r.sum) * 1.0 / sum(r.n) AS mean {_IN} AND r.t >= :begin AND r.t < :end"
        " GROUP BY r.channel, slot) GROUP BY slot",
        _asked(ids, begin, end, step),
    )
    return {slot: (mean / SCALE, n) for slot, mean, n in rows}


def runs(
    db: sqlite3.Connection, ids: Iterable[int], begin: int, end: int, step: int
) -> dict[int, list[tuple[int, int]]]:
    """{meter: (first, last) number of each run of steps in which it was heard}."""
    rows = db.execute(
        "SELECT channel, slot, lag(slot) OVER one, lead(slot) OVER one FROM"
        f" (SELECT DISTINCT r.channel, (r.t - :begin) / :step AS slot {_IN}"
        " AND r.t >= :begin AND r.t < :end)"
        " WINDOW one AS (PARTITION BY channel ORDER BY slot)",
        _asked(ids, begin, end, step),
    )
    found: dict[int, list[tuple[int, int]]] = {}
    for channel, slot, before, after in rows:
        if before != slot - 1:
            found.setdefault(channel, []).append((slot, slot))
        elif after != slot + 1:
            begun = found[channel][-1][0]
            found[channel][-1] = (begun, slot)
    return found


def heard(db: sqlite3.Connection, ids: Iterable[int], spans: Sequence[Span]) -> list[int]:
    """For each span, how many hours' words of these meters begin in it."""
    counts = dict(
        db.execute(
            "SELECT s.key, count(*) FROM json_each(:spans) s CROSS JOIN json_each(:ids) c"
            f" CROSS JOIN rollup r ON r.channel = c.value AND r.field = {_W} AND r.step = :level"
            " AND r.t >= json_extract(s.value, '$[0]') AND r.t < json_extract(s.value, '$[1]')"
            " GROUP BY s.key",
            {"ids": json.dumps(list(ids)), "spans": json.dumps(spans), "level": buckets.HOUR},
        ).fetchall()
    )
    return [counts.get(n, 0) for n in range(len(spans))]


def energy_in(
    db: sqlite3.Connection, ids: Iterable[int], parts: Sequence[tuple[int, Part]]
) -> dict[tuple[int, int], float]:
    """{(meter, key): kWh} of the hours in (key, part), each hour by the part's share."""
    asked = json.dumps([(key, a, b, share) for key, (a, b, share) in parts])
    rows = db.execute(
        "WITH part (key, a, b, share) AS MATERIALIZED (SELECT json_extract(value, '$[0]'),"
        " json_extract(value, '$[1]'), json_extract(value, '$[2]'), json_extract(value, '$[3]')"
        " FROM json_each(:parts))"
        " SELECT e.channel, part.key, sum(e.uwh * part.share) FROM json_each(:ids) c"
        " CROSS JOIN part CROSS JOIN energy e ON e.channel = c.value"
        " AND e.t >= part.a AND e.t < part.b GROUP BY e.channel, part.key",
        {"ids": json.dumps(list(ids)), "parts": asked},
    )
    return {(channel, key): uwh / 1e9 for channel, key, uwh in rows}


def _asked(ids: Iterable[int], begin: int, end: int, step: int) -> dict[str, object]:
    level = buckets.HOUR if step % buckets.HOUR == 0 else buckets.MINUTE
    return {"ids": json.dumps(list(ids)), "begin": begin, "end": end, "step": step, "level": level}
