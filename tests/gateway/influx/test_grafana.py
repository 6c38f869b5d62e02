"""The Grafana dashboards: every query of the one for VictoriaMetrics gives data from a real one;
the one for InfluxDB 2 has the same panels and asks for what is sent. (Its Flux was put to
InfluxData's own type checker by hand: docs/reference/influx.md.)"""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

from firmware import wire
from tests.faults.test_influx import copying, drained, standing
from tests.gateway.api.house import NOON, House
from tests.influxes import victoria
from tests.waiting import wait_for

BOARD, FLUX = Path("docs/grafana/hallkeeper.json"), Path("docs/grafana/hallkeeper-influxdb2.json")
METERS = {"pm-01/c1": 100, "pm-01/c2": 40, "pm-02/c1": 60, "pm-02/c2": 20}
UNCOUNTED = {"pm-03/c1": 12}  # a meter without `wh`


def board(path: Path) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return found


def filled(query: str, made: dict[str, Any]) -> str:
    """With the dashboard's own defaults."""
    query = query.replace("$site", "fengxian")
    for variable in made["templating"]["list"]:
        if variable["type"] == "textbox":
            query = query.replace(f"${variable['name']}", variable["query"])
    return query


def test_each_panel_has_data(tmp_path: Path) -> None:
    house, made = House(tmp_path / "hall"), board(BOARD)
    with victoria(tmp_path) as server:
        with copying(house, server.url):
            wait_for(lambda: standing(house, server.url), "its books")
            seq = 0
            for n in range(6):
                at = NOON + n * 10_000
                house.event("pm-03", n + 1, "power", at, ch="c1", w=UNCOUNTED["pm-03/c1"])
                for name, w in METERS.items():
                    seq += 1
                    device, ch = name.split("/")
                    house.event(device, seq, "power", at, ch=ch, w=w, wh=n * 5 * w)
                house.event("occ-01", n + 1, "climate", at, ch="t1", c=24.5, rh=40)
                house.event("ac-01", n + 1, "ac", at, ch="a1", on=True, mode="cool", set=26)
                house.event("pad-w01", n + 1, "rating", at, level=5 - n % 2)
                house.event("door-01", n + 1, "contact", at, ch="c1", open=n % 2 == 1)
            wait_for(lambda: drained(house, server.url), "all of it")
        server.get("/internal/force_flush")
        found: dict[str, list[float]] = {}
        for panel in made["panels"]:
            values = found[panel["title"].split(" / ")[1]] = []
            for asked in panel["targets"]:
                expr = filled(asked["expr"], made)
                time = str(NOON // 1000 + 60)
                said = json.loads(server.get("/api/v1/query", query=expr, time=time, nocache="1"))
                rows = said["data"]["result"]
                assert rows, (panel["title"], asked["refId"])
                values += [float(row["value"][1]) for row in rows]
    house.close()
    by_use = found.pop("Energy a day by use")
    uncounted = 12 / 12 / 1000  # the mean of five minutes in which it was heard
    assert by_use == [2.5, 1.5, 1, 0.5 + uncounted], "lights, AC, counters, the rest"
    assert sum(found.pop("Energy a day")) == sum(by_use)
    powers = sorted({**METERS, **UNCOUNTED}.values())
    assert sorted(found.pop("Power of each circuit")) == powers
    assert set(found.pop("Seconds since a device spoke")) == {10}
    assert found == {
        "Temperature of each zone": [24.5],
        "AC set points": [26],
        "Ratings a day": [6],
        "Mean level a day": [4.5],
        "Doors and windows (1 = open)": [1],
    }


def test_the_flux_board_has_the_same_panels_and_asks_for_what_is_sent() -> None:
    metrics, flux = board(BOARD), board(FLUX)
    assert metrics["uid"] != flux["uid"]
    shape = [(p["title"], p["type"], len(p["targets"])) for p in metrics["panels"]]
    assert [(p["title"], p["type"], len(p["targets"])) for p in flux["panels"]] == shape
    names = {v["name"] for v in flux["templating"]["list"]}
    assert names == {v["name"] for v in metrics["templating"]["list"]}
    for panel in flux["panels"]:
        for target in panel["targets"]:
            query = target["query"]
            assert "expr" not in target
            assert target["datasource"] == {"type": "influxdb", "uid": "${source}"}
            assert set(re.findall(r"\$\{(\w+)\}", query)) <= names
            for kind, field in re.findall(
                r'_measurement == "(\w+)" and r._field == "(\w+)"', query
            ):
                assert field in {name.lstrip("?") for name, _, _ in wire.KINDS[kind]}
