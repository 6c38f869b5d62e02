"""Packed days: what was packed comes back, in the newest form and in the first."""

from __future__ import annotations

import random

from hypothesis import given
from hypothesis import strategies as st

from gateway.history import chunks

numbers = st.integers(-(2**53), 2**53)
fields = st.one_of(st.none(), st.integers(-(10**12), 10**12))
rows = st.lists(
    st.tuples(numbers, numbers, numbers, numbers, fields, fields, fields, fields, fields),
    max_size=40,
)


@given(rows)
def test_what_is_packed_comes_back(said: list[chunks.Row]) -> None:
    packed = chunks.pack(said)
    assert chunks.unpack(packed) == said
    for field in range(1, 6):
        assert chunks.values(packed, field) == [(row[0], row[3 + field]) for row in said]


@given(st.integers(1, 1000), st.lists(st.integers(-5000, 5000), min_size=3, max_size=60))
def test_values_in_steps_come_back(unit: int, values: list[int]) -> None:
    said: list[chunks.Row] = [
        (n * 10_000, 1, n, 7, value * unit, None, None, None, 1 if n % 3 else None)
        for n, value in enumerate(values)
    ]
    assert chunks.unpack(chunks.pack(said)) == said


def test_a_chunk_of_the_first_form_is_still_read() -> None:
    first = bytes.fromhex("78da63126564666466e667e4166160606007626100046b006c")
    assert chunks.unpack(first) == [
        (10, 1, 1, 7, 5, None, None, None, None),
        (20, 1, 2, 7, -5, None, 3, None, 9),
    ]
    assert chunks.values(first, 3) == [(10, None), (20, 3)]


def test_a_day_of_readings_every_ten_seconds_is_small() -> None:
    dice = random.Random(3)
    said: list[chunks.Row] = []
    w = 300_000
    for n in range(8640):
        w += dice.randrange(-5, 6) * 100
        said.append((n * 10_000 + dice.randrange(20), 1, n, 7, w, None, None, None, n * 800))
    assert len(chunks.pack(said)) / len(said) < 2
