"""Flapping, groups, quiet hours and the rota, of stored times alone."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway import site
from gateway.clock import parse_instant
from gateway.noise import Candidate, Flapping, calm_at, flapped, group, quiet_until, update_at
from gateway.rota import covers, on_call, told, unreachable
from gateway.site import Channel, OnCall, Span

HALL = site.load(Path(__file__).parents[1] / "data" / "site.toml")
TZ = "Asia/Shanghai"
MINUTE = 60_000


def at(text: str) -> int:
    return parse_instant(f"2026-07-{text}:00+08:00")


def test_separate_limits_set_and_clear() -> None:
    was, seen = Flapping(), []
    for minute in (0, 1, 2, 3, 10, 14, 16, 40):
        was = flapped(was, minute * MINUTE, 4, 1, 15 * MINUTE)
        seen.append(was.held)
    assert seen == [False, False, False, True, True, True, True, False]


@given(
    st.lists(st.integers(0, 10**6), min_size=1),
    st.integers(2, 9),
    st.integers(0, 9),
    st.integers(1, 10**6),
)
def test_it_is_calm_at_the_first_instant_with_few_enough_raises_left(
    gaps: list[int], sets: int, clears: int, within: int
) -> None:
    was, now, every = Flapping(), 0, []
    for gap in gaps:
        now += gap
        every.append(now)
        was = flapped(was, now, sets, clears, within)
    calm = calm_at(was, clears, within)
    assert (calm is not None) == was.held
    if calm is not None and clears < sets:
        left = [sum(t > at - within for t in every) for at in (calm - 1, calm)]
        assert left[0] > clears >= left[1]
        assert not flapped(was, max(calm, now), sets + len(every), clears, within).held


@given(st.lists(st.integers(0, 10**6)), st.integers(2, 9), st.integers(1, 10**6))
def test_flapping_remembers_no_more_than_it_needs(gaps: list[int], sets: int, within: int) -> None:
    was, now, every = Flapping(), 0, []
    for gap in gaps:
        now += gap
        every.append(now)
        then = flapped(was, now, sets, 0, within)
        recent = [t for t in every if t > now - within]
        assert len(then.raised) <= sets
        if not was.held:
            assert then.held == (len(recent) >= sets)
        was = then


def test_a_group_needs_enough_of_them() -> None:
    few = [Candidate(f"a{n}", "r", n) for n in range(3)]
    assert group(few, [], None, 4) is None
    told_alone = [Candidate("a9", "r", -1)]
    assert group(few, told_alone, None, 4) == ("a9", ("a0", "a1", "a2"))
    assert group(few, [], "a7", 4) == ("a7", ("a0", "a1", "a2"))
    assert group([], told_alone * 9, None, 4) is None


@given(st.integers(0, 10**9), st.integers(0, 10**7), st.integers(1, 10**6))
def test_updates_come_at_the_same_instants(began: int, gone: int, every: int) -> None:
    due = update_at(began, began + gone, every)
    assert due >= began + gone
    assert due - began - gone < every or gone == 0
    assert (due - began) % every == 0


@pytest.mark.parametrize(
    ("now", "end"),
    [
        ("01T21:59", "01T21:59"),
        ("01T22:00", "02T07:00"),
        ("01T06:59", "01T07:00"),
        ("01T07:00", "01T07:00"),
    ],
)
def test_quiet_hours_pass_midnight(now: str, end: str) -> None:
    assert quiet_until(at(now), Span(22 * 60, 7 * 60), TZ) == at(end)
    assert quiet_until(at(now), None, TZ) == at(now)


NIGHT = OnCall("duty", "乙", frozenset({2}), Span(20 * 60, 8 * 60))  # from Wednesday evening
DAY = OnCall("duty", "甲", frozenset(range(7)), Span(8 * 60, 20 * 60))
ROTA = replace(
    HALL,
    notify=(
        Channel("duty", "json://a", "甲"),
        Channel("duty", "json://b", "乙"),
        Channel("duty", "json://c"),
        Channel("duty", "json://d", backup=True),
    ),
    rota=(DAY, NIGHT),
)
CHANNELS = {"duty": ("json", "json", "json", "json")}


def test_who_is_on_call() -> None:
    assert covers(NIGHT, at("01T20:00"), TZ)  # 1 July 2026 is a Wednesday
    assert covers(NIGHT, at("02T07:59"), TZ)
    assert not covers(NIGHT, at("02T08:00"), TZ)
    assert not covers(NIGHT, at("02T20:00"), TZ)
    assert on_call(ROTA, "duty", at("01T19:59")) == {"甲"}
    assert on_call(ROTA, "duty", at("01T20:00")) == {"乙"}, "handed over on the minute"
    assert on_call(ROTA, "duty", at("02T20:00")) is None, "a gap tells everybody"
    assert on_call(ROTA, "manager", at("01T20:00")) is None


def test_a_step_goes_to_who_is_on_call_and_the_second_channel_waits() -> None:
    def states(now: str, channels: dict[str, tuple[str, ...]]) -> list[tuple[int, str]]:
        return [(i, state) for i, _, state in told(ROTA, channels, "duty", at(now))]

    assert states("01T12:00", CHANNELS) == [(0, "queued"), (2, "queued"), (3, "standby")]
    assert states("01T23:00", CHANNELS) == [(1, "queued"), (2, "queued"), (3, "standby")]
    assert len(states("02T23:00", CHANNELS)) == 4
    broken = {"duty": ("", "json", "", "json")}
    assert states("01T12:00", broken) == [(0, "unaddressed"), (2, "unaddressed"), (3, "queued")]
    assert told(HALL, {}, "duty", at("01T12:00")) == [(0, "", "unaddressed")]


def test_who_cannot_be_reached_is_known_beforehand() -> None:
    assert list(unreachable(ROTA, CHANNELS)) == []
    own = replace(ROTA, notify=ROTA.notify[:2])
    assert list(unreachable(own, {"duty": ("json", "")})) == [("duty", "乙")]
    assert list(unreachable(own, {"duty": ("", "")})) == [("duty", None)]
    assert [role for role, _ in unreachable(HALL, {})] == ["duty", "facilities", "manager"]
