"""Both sides counted: how many points of each kind the journal has for a server, and how many the
server says it holds. Asked in MetricsQL where it answers `/api/v1/query` (VictoriaMetrics), else in
Flux (InfluxDB 2)."""

from __future__ import annotations

import contextlib
import json
import sqlite3
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import urllib3

from firmware import wire
from gateway.influx.points import COUNT, OTHER, counted
from gateway.influx.target import Target

ANSWER_S = 60.0
LEAST_MS = 600_000  # a server that cannot count so short a time cannot count
GUESS_BACK_MS = 400 * 86_400_000  # how long before its arrival a guessed time is looked for


class Uncounted(Exception):
    """The server did not tell; the text says why."""


@dataclass(frozen=True, slots=True)
class Due:
    """Points of one measurement, those marked `estimated` or those that are not. `low`: what the
    server has been given for certain, `high`: what it may have been given by now; `begin` and `end`
    (Unix ms, both included): when they happened."""

    measurement: str
    field: str
    estimated: bool
    low: int
    high: int
    begin: int
    end: int


def journal(db: sqlite3.Connection, target: str) -> list[Due]:
    """What a target should have of the rows that are stored now."""
    sent, filled, attached = db.execute(
        "SELECT sent, filled, attached FROM influx WHERE target = ?", (target,)
    ).fetchone()
    apart = _counts(
        db,
        "FROM event WHERE id IN (SELECT event FROM influx_again WHERE target = ?1"
        " UNION SELECT event FROM influx_refused WHERE target = ?1)"
        " AND (id <= ?2 OR id > ?3 AND id <= ?4)",
        (target, filled, attached, sent),
    )
    given = _counts(
        db, "FROM event WHERE id <= ?1 OR id > ?2 AND id <= ?3", (filled, attached, sent)
    )
    every = _counts(db, "FROM event", ())
    return [
        Due(
            *(measurement, field, estimated),
            given.get((measurement, field, estimated), _NONE).n
            - apart.get((measurement, field, estimated), _NONE).n,
            *(found.n, found.begin, found.end),
        )
        for (measurement, field, estimated), found in sorted(every.items())
    ]


@dataclass(frozen=True, slots=True)
class _Found:
    n: int
    begin: int
    end: int


_NONE = _Found(0, 0, 0)
_Counts = dict[tuple[str, str, bool], _Found]


def _counts(db: sqlite3.Connection, which: str, args: tuple[object, ...]) -> _Counts:
    """By (measurement, field, whether their time is a guess)."""
    found: _Counts = {}
    named = {kind: counted(kind) for kind in wire.KINDS}
    some = [kind for kind, (_, every) in named.items() if not every]
    there = " OR ".join(
        f"kind = '{kind}' AND json_extract(payload, '$.{named[kind][0]}') IS NOT NULL"
        for kind in some
    )
    listed = ", ".join(f"'{kind}'" for kind in some)
    for kind, has, guess, n, begin, end, first, last in db.execute(
        f"SELECT kind, kind NOT IN ({listed}) OR {there}, t IS NULL, count(*), min(t), max(t),"
        f" min(at), max(at) {which} GROUP BY 1, 2, 3",
        args,
    ):
        if kind in named and not has:
            continue  # it lacks the field by which its kind is counted
        name = (kind, named[kind][0]) if kind in named else (OTHER, COUNT)
        made = _Found(n, begin, end)
        if guess:
            made = _Found(n, max(0, first - GUESS_BACK_MS), last + wire.FUTURE_MS)
        before = found.get((*name, bool(guess)), _Found(0, made.begin, made.end))
        found[*name, bool(guess)] = _Found(
            before.n + n, min(before.begin, made.begin), max(before.end, made.end)
        )
    return found


Count = Callable[[Due], int]


def counter(target: Target, site: str) -> Count:
    """How to ask this server. Raises Uncounted where it answers neither way."""
    pool = urllib3.PoolManager(timeout=ANSWER_S, retries=False)
    headers = {"Authorization": f"Token {target.token}"} if target.token else {}

    def metrics(query: str, at: str | None = None) -> dict[str, Any]:
        fields = {"query": query, "nocache": "1"} | ({"time": at} if at else {})
        answer = pool.request("GET", f"{target.url}/api/v1/query", fields=fields, headers=headers)
        if answer.status != 200:
            raise Uncounted(f"{answer.status}: {answer.data[:200].decode(errors='replace')}")
        said = json.loads(answer.data)
        if not isinstance(said, dict) or said.get("status") != "success":
            raise Uncounted(f"it says {str(said)[:200]}")
        return said

    try:
        metrics("1")
    except (Uncounted, ValueError, urllib3.exceptions.HTTPError):
        return _flux(target, site)
    with contextlib.suppress(urllib3.exceptions.HTTPError):  # what it took last can be seen sooner
        pool.request("GET", f"{target.url}/internal/force_flush", headers=headers)

    def count(due: Due) -> int:
        mark = '="true"' if due.estimated else '=""'
        of = f'{due.measurement}_{due.field}{{site="{site}",estimated{mark}}}'

        def within(begin: int, end: int) -> int:
            """In [begin, end); halves where the server finds it too much."""
            query = f"sum(count_over_time({of}[{end - begin}ms]))"
            try:
                answer = metrics(query, f"{(end - 1) / 1000:.3f}")
            except Uncounted:
                if end - begin < LEAST_MS:
                    raise
                middle = (begin + end) // 2
                return within(begin, middle) + within(middle, end)
            found: list[Any] = answer["data"]["result"]
            return sum(int(float(one["value"][1])) for one in found)

        try:
            return within(due.begin, due.end + 1)
        except (ValueError, KeyError, TypeError, urllib3.exceptions.HTTPError) as fault:
            raise Uncounted(f"{type(fault).__name__}: {fault}") from fault

    return count


def _flux(target: Target, site: str) -> Count:
    from influxdb_client import InfluxDBClient  # type: ignore[attr-defined]
    from influxdb_client.rest import ApiException

    def count(due: Due) -> int:
        mark = "exists r.estimated" if due.estimated else "not exists r.estimated"
        asked = (
            f'from(bucket: "{target.bucket}")'
            f" |> range(start: time(v: {due.begin * 1_000_000}),"
            f" stop: time(v: {(due.end + 1) * 1_000_000}))"
            f' |> filter(fn: (r) => r._measurement == "{due.measurement}" and'
            f' r._field == "{due.field}" and r.site == "{site}" and {mark})'
            " |> group() |> count()"
        )
        try:
            with InfluxDBClient(
                target.url, target.token, org=target.org, timeout=int(ANSWER_S * 1000)
            ) as client:
                tables = client.query_api().query(asked)
        except ApiException as fault:
            raise Uncounted(f"{fault.status}: {fault.reason}") from fault
        except (urllib3.exceptions.HTTPError, OSError) as fault:
            raise Uncounted(f"no answer ({type(fault).__name__})") from fault
        return sum(int(record.get_value()) for table in tables for record in table.records)

    return count
