"""The report's arithmetic: nothing is counted twice, and nothing falls between two spans."""

from __future__ import annotations

from datetime import date

from hypothesis import given
from hypothesis import strategies as st

from gateway.usage import pure
from gateway.usage.pure import HOUR, MINUTE

spans = st.lists(st.integers(0, 3000), min_size=2, max_size=12, unique=True).map(
    lambda edges: [
        (a * MINUTE, b * MINUTE)
        for a, b in zip(sorted(edges)[::2], sorted(edges)[1::2], strict=False)
    ]
)


def minutes(found: list[tuple[int, int]]) -> set[int]:
    return {m for a, b in found for m in range(a // MINUTE, b // MINUTE)}


@given(spans, spans)
def test_without_takes_away_and_nothing_else(
    all_of: list[pure.Span], taken: list[pure.Span]
) -> None:
    assert minutes(pure.without(all_of, taken)) == minutes(all_of) - minutes(taken)


@given(spans, st.integers(0, 3000))
def test_hours_of_weighs_each_minute_once(given_: list[pure.Span], cut: int) -> None:
    until = cut * MINUTE
    inside = {m for m in minutes(given_) if m < cut}
    weighed = sum(
        share * max(0, min(hour + HOUR, until) - hour)
        for a, b, share in pure.hours_of(given_, until)
        for hour in range(a, b, HOUR)
    )
    assert round(weighed / MINUTE, 6) == len(inside)


def test_days_are_held_against_their_like() -> None:
    off = {date(2026, 6, 19)}  # a Friday that is a holiday
    works = lambda day: day.weekday() < 5 and day not in off  # noqa: E731
    assert pure.comparable(date(2026, 7, 3), works) == [
        date(2026, 6, 26),
        date(2026, 6, 12),
        date(2026, 6, 5),
        date(2026, 5, 29),
    ]
    assert pure.comparable(date(2026, 6, 19), works) == []


def test_the_rest_is_never_negative() -> None:
    assert pure.the_rest(10.0, [4.0, None, 5.0]) == (1.0, 0.0)
    assert pure.the_rest(8.0, [4.0, 5.0]) == (0.0, 1.0)
    assert pure.the_rest(None, [4.0]) == (None, 0.0)


def test_a_gap_begins_with_the_first_word_and_the_running_step_is_none() -> None:
    assert pure.gaps_between([(2, 3), (6, 6)], 0, 15, 85, 10) == [(10, 20), (40, 60), (70, 80)]
    assert pure.gaps_between([], 0, 0, 30, 10) == [(0, 30)]
