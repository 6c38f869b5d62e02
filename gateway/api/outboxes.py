"""What has yet to leave the house, and what keeps it."""

from __future__ import annotations

import os
import sqlite3
from dataclasses import dataclass
from typing import Any

from fastapi import APIRouter
from prometheus_client import CollectorRegistry, Gauge

from gateway.api.asked import shown
from gateway.context import Context
from gateway.influx import books
from gateway.influx.target import target


@dataclass(frozen=True, slots=True)
class Outbox:
    """`oldest`: since when its oldest item waits, Unix ms; `refused`: items set aside for good."""

    name: str
    to: str | None
    waiting: int
    oldest: int | None
    fault: str | None
    refused: int
    last_refused: str | None = None


def router(ctx: Context) -> APIRouter:
    made = APIRouter(tags=["outboxes"])
    tz = ctx.site.timezone

    @made.get("/outboxes")
    def outboxes() -> dict[str, Any]:
        """Messages, commands, and the copy in InfluxDB where there is one: what waits and why."""
        return {
            "items": [
                {
                    "name": one.name,
                    "to": one.to,
                    "waiting": one.waiting,
                    "oldest": shown(one.oldest, tz),
                    "fault": one.fault,
                    "refused": one.refused,
                    "last_refused": one.last_refused,
                }
                for one in standing(ctx, ctx.reader())
            ],
            "next": None,
        }

    return made


def standing(ctx: Context, db: sqlite3.Connection) -> list[Outbox]:
    """Every outbox as it is now."""
    found = [_messages(db), _commands(db)]
    where = target(ctx.site, os.environ)
    if where is not None:
        books_ = books.standing(db, where.name)
        if books_ is None:
            found.append(Outbox("influx", where.name, 0, None, None, 0))
        else:
            found.append(
                Outbox(
                    *("influx", where.name, books_.waiting, books_.oldest, books_.fault),
                    *(books_.refused, books_.last_refused),
                )
            )
    return found


def _messages(db: sqlite3.Connection) -> Outbox:
    waiting, oldest = db.execute(
        "SELECT count(*), min(made_at) FROM notification WHERE state = 'queued'"
    ).fetchone()
    fault = db.execute(
        "SELECT answer FROM notification WHERE state = 'queued' AND tries > 0"
        " ORDER BY id DESC LIMIT 1"
    ).fetchone()
    return Outbox("messages", None, waiting, oldest, fault[0] if fault else None, 0)


def _commands(db: sqlite3.Connection) -> Outbox:
    """What devices have yet to answer; what they never do expires and is then no longer here."""
    waiting, oldest = db.execute(
        "SELECT count(*), min(made_at) FROM command WHERE state IN ('queued', 'sent')"
    ).fetchone()
    return Outbox("commands", None, waiting, oldest, None, 0)


class Gauges:
    """The outboxes as Prometheus sees them; set at each scrape."""

    def __init__(self, ctx: Context) -> None:
        self._ctx = ctx
        into = self.registry = CollectorRegistry()

        def gauge(name: str, text: str) -> Gauge:
            return Gauge(f"hallkeeper_outbox_{name}", text, ["outbox"], registry=into)

        self._waiting = gauge("waiting", "Items that have yet to leave")
        self._age = gauge("oldest_seconds", "For how long the oldest of them waits")
        self._faulty = gauge("failing", "1 while the last try failed")
        self._refused = gauge("refused", "Items that the other side would not have")

    def read(self) -> None:
        now = self._ctx.now()
        for one in standing(self._ctx, self._ctx.reader()):
            age = 0.0 if one.oldest is None else max(0, now - one.oldest) / 1000
            self._waiting.labels(one.name).set(one.waiting)
            self._age.labels(one.name).set(age)
            self._faulty.labels(one.name).set(int(one.fault is not None))
            self._refused.labels(one.name).set(one.refused)
