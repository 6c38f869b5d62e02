"""The report over a store: what is old is still told, by the hour."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import Any

from gateway.history.hot import Hot
from gateway.usage.report import report
from gateway.usage.scope import scope
from tests.gateway.api.house import House
from tests.gateway.usage.hall import DAY, HOUR, MIDNIGHT, ZONE, fill, office, silent

FIRST = MIDNIGHT - 63 * DAY  # a Wednesday, too
OLD = date(2026, 5, 20)


def asked(house: House, on: date) -> dict[str, Any]:
    of = house.context
    return report(scope(house.db, of.site, of.calendar, on, on, house.at))


def test_a_day_whose_minutes_are_dropped_is_still_told_by_the_hour(tmp_path: Path) -> None:
    house = House(tmp_path, MIDNIGHT)
    begin = MIDNIGHT - 42 * DAY
    hole = (begin + 9 * HOUR, begin + 12 * HOUR)
    meters = {"pm-01/c1": silent(office(1600, 30), hole), "pm-02/c1": lambda t: 80.0}
    fill(house, meters, FIRST, MIDNIGHT)
    before = asked(house, OLD)
    assert before["curve"]["step"] == "10min"

    def prune(db: Any, now: int) -> None:
        hot = Hot(ZONE)
        hot.load(db)
        at: int | None = 0
        while at is not None:
            at = hot.packing.prune(db, at, now - 36 * DAY)

    house.submit(prune).result()
    after = asked(house, OLD)
    for name in ("total", "usual", "uses", "waste", "circuits", "days", "basis"):
        assert after[name] == before[name], name
    assert (after["curve"]["step"], len(after["curve"]["items"])) == ("1h", 24)
    assert [p["value"] is None for p in after["curve"]["items"]].count(True) == 3
    assert after["gaps"]["items"][0]["from"].startswith("2026-05-20T09:00")
    assert after["gaps"]["count"] == 1
    house.close()
