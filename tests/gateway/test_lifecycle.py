"""The whole machine as a table, and its laws under any history."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.lifecycle import (
    MAX_MAINTENANCE_MS,
    MAX_SHELF_MS,
    STATES,
    Acknowledge,
    Alert,
    Close,
    Event,
    Raise,
    Refused,
    Return,
    Shelve,
    Suppress,
    Tick,
    Unsuppress,
    after,
    due,
)

NOW = 1_782_896_400_000
MINUTE = 60_000
REMIND = 30 * MINUTE


def alert(severity: str, state: str) -> Alert:
    """One in this state, in its first round, that was answered (if it was) ten minutes ago."""
    made = Alert(severity, active=True, acked=False, round=1, told_from=NOW - 20 * MINUTE)
    answered = replace(made, acked=True, answered_at=NOW - 10 * MINUTE)
    return {
        "unacknowledged": made,
        "acknowledged": answered,
        "returned": replace(made, active=False),
        "normal": replace(answered, active=False),
        "shelved": replace(made, aside="shelved", until=NOW + MINUTE),
        "suppressed": replace(made, aside="suppressed", until=NOW + MINUTE),
        "out-of-service": replace(made, aside="out-of-service"),
        "closed": replace(answered, closed=True),
    }[state]


EVENTS: dict[str, Event] = {
    "raise": Raise(),
    "return": Return(),
    "ack": Acknowledge(),
    "shelve": Shelve(5 * MINUTE),
    "suppress": Suppress(NOW + 60 * MINUTE),
    "out": Suppress(None),
    "unsuppress": Unsuppress(),
    "close": Close(),
    "tick": Tick(REMIND),
}
NO = "refused"
U, A, R, N, S, M, O = STATES  # noqa: E741
# state before: after raise, return, ack, shelve, suppress, out, unsuppress, close, tick
WARNING: dict[str, tuple[str, ...]] = {
    U: (U, R, A, S, M, O, U, N, U),
    A: (A, N, A, S, M, O, A, N, A),
    R: (U, R, N, S, M, O, R, N, R),
    N: (U, N, N, NO, N, N, N, N, N),
    S: (S, S, A, S, M, O, S, N, S),
    M: (M, M, M, NO, M, O, U, N, M),
    O: (O, O, O, NO, M, O, U, N, O),
    "closed": (U, N, N, NO, N, N, N, NO, N),
}
CRITICAL: dict[str, tuple[str, ...]] = {
    U: (U, R, A, NO, U, U, U, NO, U),
    A: (A, N, A, NO, A, A, A, NO, A),
    R: (U, R, N, NO, R, R, R, N, R),
    N: (U, N, N, NO, N, N, N, N, N),
    "closed": (U, N, N, NO, N, N, N, NO, N),
}
NOTICE: dict[str, tuple[str, ...]] = WARNING | {U: (U, N, A, S, M, O, U, N, U)}
ROWS = [
    (severity, state, what, then)
    for severity, table in (("warning", WARNING), ("critical", CRITICAL), ("notice", NOTICE))
    for state, row in table.items()
    for what, then in zip(EVENTS, row, strict=True)
]


@pytest.mark.parametrize(("severity", "state", "what", "then"), ROWS)
def test_the_table(severity: str, state: str, what: str, then: str) -> None:
    before = alert(severity, state)
    if then == NO:
        with pytest.raises(Refused):
            after(before, EVENTS[what], NOW)
    else:
        assert after(before, EVENTS[what], NOW).state == then


def test_acknowledging_never_clears_and_returning_never_acknowledges() -> None:
    seen = after(alert("critical", U), Acknowledge(), NOW)
    assert seen.active
    over = after(alert("critical", U), Return(), NOW)
    assert not over.acked
    assert after(alert("notice", U), Return(), NOW).acked


def test_what_is_answered_and_still_holds_is_told_again() -> None:
    seen = after(alert("warning", U), Acknowledge(), NOW)
    assert due(seen, REMIND) == NOW + REMIND
    assert after(seen, Tick(REMIND), NOW + REMIND - 1) == seen
    again = after(seen, Tick(REMIND), NOW + REMIND)
    assert (again.state, again.round, again.why) == (U, 2, "reminder")
    closed = after(alert("warning", A), Close(), NOW)
    assert after(closed, Tick(REMIND), NOW + REMIND).state == U, "closing hides nothing for good"
    assert due(after(seen, Return(), NOW), REMIND) is None


def test_short_ones_and_short_gaps() -> None:
    """Minimum on: told only if it lasts. Minimum off: over only if it stays so."""
    fresh = after(Alert("warning"), Raise(after=5000), NOW)
    assert (fresh.state, fresh.told_from) == (U, NOW + 5000)
    assert after(Alert("critical"), Raise(after=5000), NOW).told_from == NOW
    going = after(fresh, Return(after=10_000), NOW)
    assert (going.state, due(going, None)) == (U, NOW + 10_000)
    assert after(going, Raise(), NOW + 9_999) == replace(going, clears_at=None)
    assert after(going, Tick(), NOW + 10_000).state == R
    assert after(going, Acknowledge(), NOW).state == N


def test_shelved_and_suppressed_come_back_and_are_told() -> None:
    for state in (S, M):
        back = after(alert("warning", state), Tick(), NOW + MINUTE)
        assert (back.state, back.round, back.why, back.told_from) == (U, 2, "back", NOW + MINUTE)
    assert due(alert("warning", O), REMIND) is None
    long = after(alert("warning", U), Suppress(NOW + 99 * MAX_MAINTENANCE_MS), NOW)
    assert long.until == NOW + MAX_MAINTENANCE_MS
    with pytest.raises(Refused):
        after(alert("warning", U), Shelve(MAX_SHELF_MS + 1), NOW)


def test_one_that_flaps_is_not_told_anew_unless_it_is_critical() -> None:
    held = after(alert("warning", R), Raise(held=True), NOW)
    assert (held.state, held.round) == (U, 1)
    assert after(alert("critical", R), Raise(held=True), NOW).round == 2


events: st.SearchStrategy[Event] = st.one_of(
    st.builds(Raise, st.sampled_from([0, 5000]), st.booleans()),
    st.builds(Return, st.sampled_from([0, 10_000])),
    st.just(Acknowledge()),
    st.builds(Shelve, st.integers(1, MAX_SHELF_MS)),
    st.builds(Suppress, st.none() | st.integers(NOW, NOW + 10**8)),
    st.just(Unsuppress()),
    st.just(Close()),
    st.builds(Tick, st.none() | st.just(REMIND)),
)
histories = st.lists(st.tuples(st.integers(0, 40 * MINUTE), events), max_size=40)


@given(st.sampled_from(["critical", "warning", "notice"]), histories)
def test_laws_of_any_history(severity: str, history: list[tuple[int, Event]]) -> None:
    now, one = NOW, Alert(severity)
    for gap, event in history:
        now += gap
        try:
            then = after(one, event, now)
        except Refused:
            assert isinstance(event, Shelve | Close)
            continue
        assert then.state in STATES
        assert one.round <= then.round <= one.round + 1
        if then.round > one.round:
            assert not then.acked, "a round begins unacknowledged"
        if then.acked and not one.acked:
            answered = isinstance(event, Acknowledge | Close)
            assert answered or severity == "notice", "only a person answers"
        if not then.active and one.active and not one.closed:
            assert one.clears_at is not None or isinstance(event, Return)
        if severity == "critical":
            assert then.aside is None
            if one.active and not one.acked:
                assert then.state in (U, R) or isinstance(event, Acknowledge), "never lost"
        elif then.aside in (S, M):
            assert then.until is not None
            assert then.until <= now + MAX_SHELF_MS
        assert after(then, Tick(REMIND), now) == after(then, Tick(REMIND), now)
        one = then


@given(histories)
def test_time_waits_for_due_and_no_longer(history: list[tuple[int, Event]]) -> None:
    """Between two moments that `due` names, time alone changes nothing."""
    now, one = NOW, Alert("warning")
    for gap, event in history:
        now += gap
        try:
            one = after(one, event, now)
        except Refused:
            continue
        at = due(one, REMIND)
        if at is None or at > now:
            far = now + 10**9 if at is None else at - 1
            assert after(one, Tick(REMIND), far) == one
