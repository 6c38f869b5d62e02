"""An event as a point."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from influxdb_client import Point, WritePrecision

from gateway import site
from gateway.history.times import Said
from gateway.influx.points import Places, fields, line
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
    assert line(event, PLACES, {}) == f"{point} {NOON}"


def test_more_tags_stand_among_its_own() -> None:
    made = line(said("door-01", "contact", ch="c1", open=True), PLACES, {"seq": "7"})
    assert made.startswith("contact,channel=c1,device=door-01,seq=7,site=fengxian,zone=hall-1f ")


texts = st.text(st.characters(codec="utf-8"), min_size=1, max_size=12)
tags = st.text(st.characters(codec="utf-8", exclude_characters="\\"), min_size=1, max_size=12)


@given(tags, texts, st.floats(-(2.0**53), 2.0**53), st.integers(-(2**53), 2**53), st.booleans())
def test_the_client_would_write_the_same_line(
    tag: str, text: str, number: float, whole: int, truth: bool
) -> None:
    """Our writer is the client's, many times as fast."""
    events = [
        said("pm-01", "power", ch="c1", w=number, wh=float(whole)),
        said("d-1", "lost", **{"from": whole, "to": whole, "why": text}),
        said("d-1", "done", cmd=text, ok=truth),
    ]
    for event in events:
        point = Point(event.kind).tag("site", "fengxian").tag("device", event.device)
        zone, ch = PLACES.zone(event.device, event.payload.get("ch", "")), event.payload.get("ch")
        point.tag("zone", zone).tag("channel", ch)
        clean = "".join(" " if sign < " " else sign for sign in tag)
        point.tag("log", clean)
        for name, value in fields(event).items():
            point.field(name, value)
        made = point.time(event.time, WritePrecision.MS).to_line_protocol()
        assert line(event, PLACES, {"log": clean}) == made


def test_where_it_goes() -> None:
    from dataclasses import replace

    assert target(HALL, {}) is None
    named = target(
        HALL, {"HALLKEEPER_INFLUX_URL": " http://h:8086/ ", "HALLKEEPER_INFLUX_TOKEN": "s\n"}
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
