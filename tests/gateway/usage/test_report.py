"""The report over a store: what is old is still told, by the hour."""

from __future__ import annotations

import json
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import httpx
import pytest

from gateway.history.hot import Hot
from gateway.usage.report import report
from gateway.usage.scope import scope
from tests.gateway.api.house import House, client, serving
from tests.gateway.usage.hall import DAY, HOUR, MIDNIGHT, ZONE, change, fill, office, silent

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


@pytest.mark.parametrize(
    ("zone", "on", "hours", "differs"),
    [
        ("Europe/Berlin", date(2026, 3, 29), 23, -0.2),  # 02:00 is 03:00
        ("Pacific/Auckland", date(2026, 4, 5), 25, +0.2),  # 02:00 comes twice
    ],
)
def test_a_day_on_which_the_clock_was_put_is_held_against_the_same_clock(
    tmp_path: Path, zone: str, on: date, hours: int, differs: float
) -> None:
    """A meter shows a hundred watts times the hour that the hall's clock shows."""
    tz = ZoneInfo(zone)

    def begin(day: date) -> int:
        return int(datetime(day.year, day.month, day.day, tzinfo=tz).timestamp()) * 1000

    now = begin(on) + (hours - 9) * HOUR + HOUR // 2  # 15:30 by the clock
    house = House(tmp_path, now)
    change(house, timezone=zone)
    watts = {"pm-01/c1": lambda t: 100.0 * datetime.fromtimestamp(t / 1000, tz).hour}
    fill(house, watts, begin(on) - 22 * DAY, now, zone=tz)
    found = asked(house, on)
    house.close()
    curve = found["curve"]["items"]
    assert len(curve) == hours * 6
    for point in curve:
        assert point["mid"] == 100.0 * int(point["t"][11:13]), point
    told = [point for point in curve if point["value"] is not None]
    assert len(told) == (hours - 9) * 6 + 3
    assert all(point["value"] == point["mid"] for point in told)
    usual = found["usual"]
    unheard = 1.5 * 5 / 60  # since the last word, five minutes ago
    assert usual["against"] - usual["kwh"] == pytest.approx(differs - unheard, abs=0.001)
