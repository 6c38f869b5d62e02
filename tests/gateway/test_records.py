"""Records that are packed are found, added and removed as in one sorted list."""

from __future__ import annotations

from bisect import insort
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway import records
from gateway.records import Records

# few instants and few places, so that many are in one and at a border between two blocks
PLACES = st.tuples(
    st.integers(0, 40), st.integers(1, 2), st.integers(0, 30), st.sampled_from("ab"), st.just(7)
)
VALUES = st.sampled_from((None, True, False, 0, 21.5, "cool", (True, "heat", 26.0), (1, 9, "x")))
BATCHES = st.lists(st.tuples(st.sampled_from(("add", "remove")), st.lists(PLACES, max_size=30)))


@pytest.fixture(autouse=True, scope="module")
def small_blocks() -> Any:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(records, "BLOCK", 4)
        patch.setattr(records, "OPEN", 8)
        yield


@given(BATCHES, st.data())
def test_they_are_one_sorted_list(
    batches: list[tuple[str, list[tuple[Any, ...]]]], data: st.DataObject
) -> None:
    plain: list[Any] = []
    packed = Records()
    for what, places in batches:
        known = {record[:5]: record for record in plain}
        if what == "add":
            new = [(*p, data.draw(VALUES)) for p in dict.fromkeys(places) if p not in known]
            for record in new:
                insort(plain, record)
            packed.add(new)
        else:
            gone = [known[p] for p in dict.fromkeys(places) if p in known]
            gone += [(*p[:3], "", -1, None) for p in places]  # marks, which no list holds
            plain = [record for record in plain if record not in gone]
            packed.remove(gone)
        assert list(packed.between(-1, 99)) == plain
        assert len(packed) == len(plain)
    after, upto = sorted(data.draw(st.tuples(st.integers(-1, 41), st.integers(-1, 41))))
    assert list(packed.between(after, upto)) == [r for r in plain if after < r[0] <= upto]
    packed.forget(after)
    assert list(packed.between(after, 99)) == [r for r in plain if after < r[0]]
    assert list(Records(plain).between(-1, 99)) == plain


@given(st.integers(0, 100))
def test_the_newest_are_about_so_many(most: int) -> None:
    packed = Records((t, 1, t, "a", 7, True) for t in range(60))
    since = packed.newest(most)
    if since is None:
        assert most >= 60
    else:
        kept = len([*packed.between(since - 1, 99)])
        assert most < kept <= max(most, records.OPEN + records.BLOCK) + records.BLOCK


def test_what_is_forgotten_is_gone() -> None:
    packed = Records((t, 1, t, "a", 7, True) for t in range(60))
    packed.forget(50)
    assert [r[0] for r in packed.between(50, 99)] == [*range(51, 60)]
    assert len(packed) < 60 - 50 + records.BLOCK
    packed.forget(58)
    assert [r[0] for r in packed.between(-1, 99)] == [59]


def test_values_come_back_with_their_types() -> None:
    values = [None, True, 0, 1, 1.0, "tag", (True, "cool", None), (1, 2, "full")]
    given = [(n, 1, n, "a", 7, value) for n, value in enumerate(values * 5)]
    back = [*Records(given).between(-1, 99)]
    assert [(r, type(r[5])) for r in back] == [(r, type(r[5])) for r in given]


def test_what_comes_now_opens_no_block(monkeypatch: pytest.MonkeyPatch) -> None:
    """The rules go on several times a second: only what is late may cost an unpacking."""
    packed = Records([(t, 1, t, "a", 7, None) for t in range(100)])
    monkeypatch.setattr(records, "_unpacked", None)
    packed.add([(100, 1, 100, "a", 7, True)])
    assert [record[0] for record in packed.between(97, 100)] == [98, 99, 100]
