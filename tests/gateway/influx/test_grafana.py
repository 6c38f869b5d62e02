"""Every query of the Grafana dashboard gives data from a real VictoriaMetrics."""

from __future__ import annotations

import json
from pathlib import Path

from tests.faults.test_influx import copying, drained, standing
from tests.gateway.api.house import NOON, House
from tests.influxes import victoria
from tests.waiting import wait_for

BOARD = Path("docs/grafana/hallkeeper.json")


def test_each_panel_has_data(tmp_path: Path) -> None:
    house = House(tmp_path / "hall")
    with victoria(tmp_path) as server:
        with copying(house, server.url):
            wait_for(lambda: standing(house, server.url), "its books")
            for n in range(6):
                at = NOON + n * 10_000
                house.event("pm-01", n + 1, "power", at, ch="c1", w=100, wh=n * 500)
                house.event("occ-01", n + 1, "climate", at, ch="t1", c=24.5, rh=40)
                house.event("ac-01", n + 1, "ac", at, ch="a1", on=True, mode="cool", set=26)
                house.event("pad-w01", n + 1, "rating", at, level=5 - n % 2)
                house.event("door-01", n + 1, "contact", at, ch="c1", open=n % 2 == 1)
            wait_for(lambda: drained(house, server.url), "all of it")
        server.get("/internal/force_flush")
        found = {}
        for panel in json.loads(BOARD.read_text(encoding="utf-8"))["panels"]:
            for asked in panel["targets"]:
                expr = asked["expr"].replace("$site", "fengxian")
                time = str(NOON // 1000 + 60)
                said = json.loads(server.get("/api/v1/query", query=expr, time=time, nocache="1"))
                rows = said["data"]["result"]
                assert rows, panel["title"]
                found[panel["title"].split(" / ")[1]] = float(rows[0]["value"][1])
    house.close()
    assert found == {
        "Power of each circuit": 100,
        "Energy a day": 2.5,
        "Temperature of each zone": 24.5,
        "AC set points": 26,
        "Ratings a day": 6,
        "Mean level a day": 4.5,
        "Doors and windows (1 = open)": 1,
        "Seconds since a device spoke": 10,
    }
