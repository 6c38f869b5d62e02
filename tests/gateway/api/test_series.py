"""GET /series: what is known, and nothing of the time to come."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable

import httpx
import pytest

from firmware import wire
from gateway.events import Refused, decode
from gateway.history.stage import History
from gateway.journal import Journal
from gateway.turns import Turn
from tests.gateway.api.house import House

Role = Callable[[str], httpx.Client]


def test_a_state_stands_until_now_and_no_longer(house: House, as_role: Role) -> None:
    def work(db: sqlite3.Connection, now: int) -> None:
        journal, history = Journal(), History("Asia/Shanghai")
        journal.load(db)
        history.load(db, now)
        fields = {"ch": "a1", "on": True, "mode": "cool", "set": 24}
        raw = wire.encode("9f3a1c22", 1, 1, 0, now - 120_000, wire.AC, fields).encode()
        for one, item in decode(raw):
            assert not isinstance(item, Refused)
            journal.accept(db, "ac-01", one, item, now)
        stored, lost = journal.write(db)
        history.turn(db, Turn(now, now / 1000, stored, lost))

    house.submit(work).result()

    asked = {"channel": "ac-01/a1", "field": "set", "step": "60s"}
    span = {"from": "2026-07-01T12:25:00+08:00", "to": "2026-07-01T12:40:00+08:00"}
    items = as_role("viewer").get("/api/v1/series", params=asked | span).json()["items"]
    known = {one["t"][11:16]: one["mean"] for one in items}
    assert list(known) == [f"12:{minute}" for minute in range(25, 40)]
    assert {t for t, mean in known.items() if mean == 24} == {"12:28", "12:29", "12:30"}
    assert {t for t, mean in known.items() if mean is None} == set(known) - {
        *("12:28", "12:29", "12:30")
    }


def test_a_days_step_is_the_halls_own_day(as_role: Role) -> None:
    asked = {"channel": "pm-01/c1", "field": "w"}
    span = {"from": "2026-06-28T10:00:00+08:00", "to": "2026-07-01T12:00:00+08:00"}

    def begins(step: str) -> list[str]:
        answer = as_role("viewer").get("/api/v1/series", params=asked | span | {"step": step})
        return [one["t"][:16] for one in answer.json()["items"]]

    assert begins("1d") == [f"2026-{day}T00:00" for day in ("06-28", "06-29", "06-30", "07-01")]
    assert begins("6h")[:2] == ["2026-06-28T06:00", "2026-06-28T12:00"]


@pytest.mark.parametrize("step", ["500ms", "1500ms", "0s", "9999999999999999", "401d", "soon"])
def test_a_step_that_is_none(as_role: Role, step: str) -> None:
    asked = {"channel": "pm-01/c1", "field": "w", "step": step}
    answer = as_role("viewer").get("/api/v1/series", params=asked)
    assert (answer.status_code, answer.json()["detail"][:5]) == (422, "step:")
