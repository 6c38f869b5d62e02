"""Acks are at most two a second for each device, and no log of a device waits for ever."""

from __future__ import annotations

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from gateway.acks import EVERY_S, AckBook

commits = st.lists(
    st.tuples(st.sampled_from("ab"), st.sampled_from(["old", "new"]), st.integers(0, 40)),
    min_size=1,
    max_size=60,
)


@given(commits, st.integers(1, 8))
def test_each_commit_is_told_within_a_second(said: list[tuple[str, str, int]], tick: int) -> None:
    """`said`: (device, log, ticks of 1/16 s until the next commit); also with a log that another
    one of its device, which never pauses, would leave no room for."""
    book = AckBook()
    now, next_look = 0, 0
    waits: dict[tuple[str, str], int] = {}
    sent: dict[str, list[int]] = {"a": [], "b": []}
    for device, log, pause in [*said, ("a", "old", 40)]:
        book.add(device, log)
        waits.setdefault((device, log), now)
        until = now + pause
        while next_look <= until:
            now = max(now, next_look)
            for key in book.ready(now / 16):
                assert now - waits.pop(key) <= 16 + 2 * tick  # a look may be late
                sent[key[0]].append(now)
            next_look = now + tick
        now = until
    assert not waits
    assert book.next_at() is None
    for times in sent.values():
        assert all(b - a >= EVERY_S * 16 for a, b in pairwise(times))
