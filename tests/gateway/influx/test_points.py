"""An event as a point."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from gateway import site
from gateway.history.times import Said
from gateway.influx.points import Places, line
from gateway.influx.target import Target, target
from gateway.site import Influx
from tests.gateway.api.house import NOON, House

HALL = site.load(Path(__file__).parents[2] / "data" / "site.toml")
PLACES = Places(HALL)


def said(device: str, kind: str, **payload: Any) -> Said:
    return Said(device, "9f3a1c22", 7, 1, NOON, False, False, kind, payload)


@pytest.mark.parametrize(
    ("event", "point"),
    [
        (
            said("pm-01", "power", ch="c1", w=120, v=None, wh=3.5),
            "power,channel=c1,device=pm-01,site=fengxian,zone=hall-1f w=120,wh=3.5",
        ),
        (
            said("pm-01", "detector", ch="d1", what="smoke", active=True),
            "detector,channel=d1,device=pm-01,site=fengxian,what=smoke,zone=hall-1f active=true",
        ),
        (
            said("ac-01", "ac", ch="a1", on=True, mode="cool", set=26),
            'ac,channel=a1,device=ac-01,site=fengxian,zone=hall-1f mode="cool",on=true,set=26',
        ),
        (
            said("pad-w01", "rating", level=5, visit="A-17"),
            "rating,device=pad-w01,site=fengxian,zone=hall-1f level=5i",
        ),
        (
            said("reader-01", "tap", tag="04a1b2c3d4"),
            "tap,device=reader-01,site=fengxian n=1i",
        ),
        (
            said("desk-01", "button", name='a"b\nc\ud800'),
            'button,device=desk-01,site=fengxian n=1i,name="a\\"b c?"',
        ),
        (
            said("pm-01", "health", mem=1, ages={"c1": 4}, battery=3),
            "health,device=pm-01,site=fengxian battery=3,mem=1i",
        ),
        (
            said("pm-01", "new thing", ch="c1"),
            'other,device=pm-01,site=fengxian kind="new thing",n=1i',
        ),
    ],
)
def test_a_point(event: Said, point: str) -> None:
    assert line(event, PLACES, beside=False) == f"{point} {NOON}"


def test_the_later_of_two_of_one_instant_has_its_number() -> None:
    made = line(said("door-01", "contact", ch="c1", open=True), PLACES, beside=True)
    assert made.startswith("contact,channel=c1,device=door-01,seq=7,site=fengxian,zone=hall-1f ")


def test_where_it_goes() -> None:
    from dataclasses import replace

    assert target(HALL, {}) is None
    named = target(
        HALL, {"HALLKEEPER_INFLUX_URL": "http://h:8086/", "HALLKEEPER_INFLUX_TOKEN": "s"}
    )
    assert named == Target("http://h:8086", "hallkeeper", "hallkeeper", "s")
    told = replace(HALL, influx=Influx("http://u:pw@h:8428", "env:T", "o", "b"))
    found = target(told, {"T": "secret"})
    assert found == Target("http://u:pw@h:8428", "o", "b", "secret")
    assert found is not None
    assert found.name == "http://h:8428 o/b"


def test_no_books_where_none_is_named(tmp_path: Path) -> None:
    made = House(tmp_path)
    made.event("pm-01", 1, "power", NOON, ch="c1", w=1)
    for table in ("influx", "influx_again", "influx_refused"):
        assert made.db.execute(f"SELECT count(*) FROM {table}").fetchone()[0] == 0
    made.close()
