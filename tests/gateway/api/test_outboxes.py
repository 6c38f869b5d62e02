"""What has yet to leave the house is told by GET /outboxes and by /metrics."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable

import httpx

from gateway.commands import request
from tests.gateway.api.house import House


def test_what_waits_is_told(
    house: House, as_role: Callable[[str], httpx.Client], anyone: httpx.Client
) -> None:
    def work(db: sqlite3.Connection, now: int) -> None:
        request(db, now - 90_000, "pm-01", "r1", "off", {}, cause="f", ttl_ms=600_000)
        request(db, now - 30_000, "pm-02", None, "identify", {}, cause="", ttl_ms=600_000)
        db.execute(
            "INSERT INTO notification (alert, step, kind, role, url_index, channel, text, state,"
            " tries, next_at, made_at, answer) VALUES"
            " ('a-1', 0, 'message', 'duty', 0, 'wecom', 'x', 'queued', 3, ?1, ?2, 'HTTP 503'),"
            " ('a-2', 0, 'message', 'duty', 0, 'wecom', 'x', 'sent', 1, ?1, ?2 - 5, 'ok')",
            (now, now - 60_000),
        )

    house.submit(work).result()
    found = {
        one["name"]: one for one in as_role("facilities").get("/api/v1/outboxes").json()["items"]
    }
    assert [found[name]["waiting"] for name in ("messages", "commands")] == [1, 2]
    assert (found["messages"]["fault"], found["commands"]["fault"]) == ("HTTP 503", None)
    told = anyone.get("/metrics").text
    for line in (
        *('waiting{outbox="messages"} 1.0', 'waiting{outbox="commands"} 2.0'),
        *('oldest_seconds{outbox="messages"} 60.0', 'oldest_seconds{outbox="commands"} 90.0'),
        *('failing{outbox="messages"} 1.0', 'failing{outbox="commands"} 0.0'),
    ):
        assert f"hallkeeper_outbox_{line}\n" in told
