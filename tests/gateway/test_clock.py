"""Clocks and instants."""

from __future__ import annotations

import time
from datetime import datetime
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.clock import Clock, iso, parse_instant
from gateway.errors import InputFault


def test_instants() -> None:
    ms = 1_782_900_000_000
    assert iso(ms) == "2026-07-01T18:00:00.000+08:00"
    assert iso(ms, "UTC") == "2026-07-01T10:00:00.000+00:00"
    for text in (
        "2026-07-01T18:00:00+08:00",
        "2026-07-01T18:00:00",
        "2026-07-01 18:00",
        "2026-07-01T10:00:00Z",
        "20260701T180000",
    ):
        assert parse_instant(text) == ms
    assert parse_instant("2026-07-01T10:00", "UTC") == ms


@pytest.mark.parametrize("text", ["", "now", "2026-13-01", "1960-01-01", "2026-07-01T25:00", "1"])
def test_nonsense_is_named(text: str) -> None:
    with pytest.raises(InputFault, match="is no instant"):
        parse_instant(text)


@given(st.integers(min_value=0, max_value=4_102_444_800_000))
def test_text_and_back(ms: int) -> None:
    for tz in ("Asia/Shanghai", "America/New_York", "UTC"):
        assert parse_instant(iso(ms, tz)) == ms
        assert datetime.fromisoformat(iso(ms, tz)).timestamp() * 1000 == pytest.approx(ms, abs=1)


@given(
    st.integers(-(10**12), 10**13),
    st.sampled_from(
        ["Asia/Shanghai", "UTC", "Asia/Kathmandu", "Australia/Lord_Howe", "America/New_York"]
    ),
)
def test_it_is_what_datetime_says(ms: int, tz: str) -> None:
    """Also where an offset is odd, changes, or changes by half an hour."""
    moment = datetime.fromtimestamp(ms // 1000, ZoneInfo(tz)).replace(microsecond=ms % 1000 * 1000)
    assert iso(ms, tz) == moment.isoformat(timespec="milliseconds")


def test_wall_clock() -> None:
    before = time.time_ns() // 1_000_000
    assert before <= Clock().now() <= time.time_ns() // 1_000_000


def test_a_clock_starts_where_it_is_told_and_runs_as_fast_as_told() -> None:
    clock = Clock(1_000_000, speed=60)
    first_real, first = clock.monotonic(), clock.now()
    assert first >= 1_000_000
    while clock.monotonic() - first_real < 0.02:
        pass
    later = clock.now()
    assert later - first >= 0.02 * 60 * 1000 - 1
    assert later - 1_000_000 <= (clock.monotonic() - first_real + 60) * 60_000
    assert clock.real_seconds(60_000) == 1.0
