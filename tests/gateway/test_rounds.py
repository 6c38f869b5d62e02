"""Patrol rounds: states at their edges, and flags."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest

from gateway import rounds, site
from gateway.clock import parse_instant
from gateway.rounds import Tap

HALL = site.load(Path(__file__).parents[1] / "data" / "site.toml")
TAGS = ("04a1b2c3d4", "04a1b2c3d5", "04a1b2c3d6")
DAY = date(2026, 7, 1)


def at(clock: str) -> int:
    return parse_instant(f"2026-07-01T{clock}+08:00")


def daily(taps: list[Tap], now: str | int = "23:00:00") -> rounds.Round:
    seen = at(now) if isinstance(now, str) else now
    found = rounds.rounds(HALL, lambda day: day.weekday() < 5, taps, DAY, 1, seen)
    assert len(found) == 5
    return next(r for r in found if r.route == "daily")


def walk(*clocks: str) -> list[Tap]:
    return [Tap(at(c), tag, "reader-01") for c, tag in zip(clocks, TAGS, strict=False)]


@pytest.mark.parametrize(
    ("clocks", "now", "state"),
    [
        ((), "16:59:59", "coming"),
        ((), "17:00:00", "due"),
        ((), "19:00:00", "missed"),
        (("17:00:00", "17:01:00", "18:59:59.999"), "23:00:00", "done"),
        (("17:00:00", "17:01:00", "19:00:00"), "23:00:00", "done"),
        (("17:00:00", "17:01:00", "19:00:00.001"), "23:00:00", "late"),
        (("17:00:00", "17:01:00", "19:00:00.001"), "19:00:00", "missed"),
        (("16:59:59.999", "17:01:00", "17:02:00"), "23:00:00", "missed"),
    ],
)
def test_states(clocks: tuple[str, ...], now: str, state: str) -> None:
    assert daily(walk(*clocks), now).state == state


def test_late_until_the_next_span_ends() -> None:
    next_end = parse_instant("2026-07-02T19:00:00+08:00")
    two = walk("17:00:00", "17:01:00")
    assert daily([*two, Tap(next_end - 1, TAGS[2], "reader-01")], next_end).state == "late"
    assert daily([*two, Tap(next_end, TAGS[2], "reader-01")], next_end).state == "missed"


def test_flags() -> None:
    taps = [
        Tap(at("17:00:00"), TAGS[1], "reader-01"),
        Tap(at("17:00:10"), TAGS[0], "reader-01"),
        Tap(at("17:05:00"), TAGS[0], "reader-01"),
        Tap(at("17:06:00"), "deadbeef", "reader-01"),
        Tap(at("17:06:30"), "04b2000001", "reader-01"),
        Tap(at("17:07:00"), "deadbeef", "pad-w01"),
    ]
    assert [(f.what, f.checkpoint) for f in daily(taps).flags] == [
        ("out-of-order", "cp-power-room"),
        ("too-fast", "cp-power-room"),
        ("repeated", "cp-power-room"),
        ("foreign", None),
    ]


def test_workday_routes_rest_on_saturday() -> None:
    found = rounds.rounds(HALL, lambda day: day.weekday() < 5, [], date(2026, 7, 4), 1, 0)
    assert [r.route for r in found] == ["daily"]
