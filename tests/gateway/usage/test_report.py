"""The report over a store: what is old is still told, by the hour."""

from __future__ import annotations

import json
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest

from gateway.history.hot import Hot
from gateway.usage.report import report
from gateway.usage.scope import scope
from tests.gateway.api.house import House, client, serving
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


PERMITS = [
    *(("overtime", ["hall-1f"], 0, 4), ("overtime", ["hall-1f"], 3, 5.4)),  # overlapping
    *(("overtime", ["hall-1f", "counter-w1"], 19.25, 22), ("overtime", ["office-1f"], 30, 33)),
    ("test", ["hall-1f"], 1, 30),  # lifts no lights-out
]


@pytest.mark.parametrize("at", [10, 20.6, 40])
def test_the_sums_by_waste_are_the_reports(at: float, tmp_path: Path) -> None:
    """By HTTP, of a day and of three, with ever more permits, in a running hour and later."""
    house = House(tmp_path, MIDNIGHT + int(at * HOUR))
    meters = {"pm-01/c1": office(1600, 30), "pm-02/c1": lambda t: 80.0}
    fill(house, meters, MIDNIGHT - 2 * DAY, house.at)
    with serving(house) as base, client(base, house.person("viewer")) as http:
        sums = [_agreed(house, http)]
        for k, (kind, zones, begin, end) in enumerate(PERMITS):
            hours = (MIDNIGHT + int(h * HOUR) for h in (begin, end))
            _permit(house, (f"p{k}", kind, json.dumps(zones), *hours))
            sums.append(_agreed(house, http))
    assert sums == sorted(sums, reverse=True)
    assert sums[0] > sums[-1] > 0
    house.close()


def _permit(house: House, row: tuple[Any, ...]) -> None:
    sql = "INSERT INTO permit VALUES (?,?,?,?,?,'','a','b',1,NULL,NULL)"
    house.submit(lambda db, _: db.execute(sql, row)).result()


def _agreed(house: House, http: httpx.Client) -> float:
    """What both say of three days, in kWh."""
    uses = {c.id: c.use for c in house.context.site.circuits}
    total = 0.0
    for first, last in (("2026-06-30", "2026-06-30"), ("2026-06-30", "2026-07-02")):
        said = http.get("/api/v1/energy/report", params={"from": first, "to": last}).json()
        following = date.fromisoformat(last) + timedelta(days=1)
        asked = {"from": f"{first}T00:00:00", "to": f"{following}T00:00:00", "by": "waste"}
        items = http.get("/api/v1/energy", params=asked).json()["items"]
        by_use: dict[str, float] = {}
        for row in said["circuits"]:
            if row["waste"]:
                use = uses[row["circuit"]]
                by_use[use] = by_use.get(use, 0.0) + row["waste"]
        assert {i["use"]: i["kwh"] for i in items if i["kwh"]} == pytest.approx(by_use, abs=2e-4)
        total = sum(i["kwh"] for i in items)
        assert total == pytest.approx(said["waste"]["kwh"], abs=2e-4)
    return total
