"""The case engine: due days against an oracle that counts day by day, and each kind's own way."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway import workdays
from gateway.cases import engine
from gateway.cases.clock import Place, Unit, left
from gateway.cases.model import KINDS, Case, Event, State
from gateway.workdays import Calendar
from tests.gateway.cases import oracle
from tests.gateway.cases.oracle import Did

KNOWN = workdays.load(None, None)
TZ = "Asia/Shanghai"
ZONE = ZoneInfo(TZ)
DAY = st.dates(date(2025, 12, 1), date(2026, 12, 31))


def place(calendar: Calendar = KNOWN) -> Place:
    return Place(calendar, TZ, 9 * 60, 17 * 60)


def at(day: str | date, time: str = "10:00") -> int:
    moment = datetime.fromisoformat(f"{day}T{time}:00").replace(tzinfo=ZONE)
    return int(moment.timestamp() * 1000)


class Book:
    """A case and what is done to it; a refused action is a failed test."""

    def __init__(self, kind: str, start: int, calendar: Calendar = KNOWN, **data: Any) -> None:
        self.place = place(calendar)
        self.events = [Event(1, start, "clerk", "open", {"title": "t", **data})]
        self.kind = KINDS[kind]

    @property
    def case(self) -> Case:
        return engine.fold("c-1", self.kind, self.events, self.place)

    def may(self, what: str, when: int, who: str = "clerk", **data: Any) -> str | None:
        return engine.allowed(self.case, what, who, data, when, self.place)

    def do(self, what: str, when: int, who: str = "clerk", **data: Any) -> None:
        assert self.may(what, when, who, **data) is None
        self.events.append(Event(len(self.events) + 1, when, who, what, data))

    @property
    def due(self) -> str | None:
        found = engine.times(self.case, self.place).due
        return found and found.day.isoformat()


@pytest.mark.parametrize(
    ("start", "days", "due", "provisional"),
    [
        ("2026-02-11", 5, "2026-02-25", False),  # 春节: 14 Feb worked, 15–23 off
        ("2026-09-28", 5, "2026-10-10", False),  # 国庆: 1–7 October off, 10 October worked
        ("2026-12-28", 5, "2027-01-05", True),  # into a year with no notice yet
        ("2026-12-24", 5, "2026-12-31", False),
        ("2026-07-03", 1, "2026-07-06", False),  # Friday: 企业开办 +1
        ("2026-07-04", 2, "2026-07-07", False),  # received on a Saturday
    ],
)
def test_workdays(start: str, days: int, due: str, provisional: bool) -> None:
    book = Book("promise", at(start), days=days)
    found = engine.times(book.case, book.place).due
    assert found is not None
    assert (found.day.isoformat(), found.provisional) == (due, provisional)
    assert oracle.due(date.fromisoformat(start), days, [], KNOWN) == (found.day, provisional)
    assert engine.times(book.case, book.place).due_at == at(due, "17:00")


@pytest.mark.parametrize(
    ("month", "third"),
    [(1, "2026-01-06"), (4, "2026-04-03"), (7, "2026-07-03"), (10, "2026-10-10")],
)
def test_third_workday_of_each_quarter(month: int, third: str) -> None:
    assert KNOWN.nth_workday(2026, month, 3).isoformat() == third
    book = Book("promise", at(date(2026, month, 1) - timedelta(days=1)), days=3)
    assert book.due == third


STEPS = st.lists(
    st.tuples(
        st.integers(0, 5),
        st.sampled_from(["pause", "resume", "extend", "hand-over"]),
        st.integers(1, 5),
        st.booleans(),
    ),
    max_size=8,
)
SHIFTS = st.tuples(st.frozensets(DAY, max_size=40), st.frozensets(DAY, max_size=20))


def calendar(shifts: tuple[frozenset[date], frozenset[date]], known: bool) -> Calendar:
    off, work = shifts
    return Calendar(off, work - off, dict(KNOWN.years) if known else {2026: KNOWN.years[2026]})


@settings(max_examples=200, deadline=None)
@given(
    start=st.dates(date(2025, 12, 20), date(2026, 12, 31)),
    days=st.integers(1, 6),
    steps=STEPS,
    shifts=SHIFTS,
    later=SHIFTS,
    every_day=st.booleans(),
)
def test_any_history_is_due_when_the_days_are_counted_one_by_one(
    start: date, days: int, steps: list, shifts: Any, later: Any, every_day: bool
) -> None:
    first, second = calendar(shifts, True), calendar(later, False)
    unit = "days" if every_day else "workdays"
    book = Book("promise", at(start), first, days=days, unit=unit)
    did: list[Did] = []
    day, evening = start, False
    for gap, what, n, late in steps:
        day += timedelta(days=gap)
        evening = late or (evening and gap == 0)
        now = at(day, f"{18 if evening else 10}:{len(did):02}")
        data = {"days": n, "to": "back office", "note": "x", "form": "f", "leader": "l"}
        if book.may(what, now, **data) is not None:
            continue
        book.do(what, now, **data)
        did.append(Did(what, day, n, evening))
        assert shown(book) == oracle.due(start, days, did, first, every_day=every_day)
    book.place = place(second)  # the same history under another calendar
    assert shown(book) == oracle.due(start, days, did, second, every_day=every_day)


@given(today=DAY, n=st.integers(0, 30), shifts=SHIFTS, every_day=st.booleans())
def test_what_is_left_is_what_was_added(today: date, n: int, shifts: Any, every_day: bool) -> None:
    where = place(calendar(shifts, known=True))
    if every_day:
        due, unit = today + timedelta(days=n), Unit.DAYS
    else:
        due, unit = where.calendar.add_workdays(today, n)[0], Unit.WORKDAYS
    assert left(today, due, unit, where) == n
    assert left(due, today, unit, where) == -n


def shown(book: Book) -> tuple[date, bool] | None:
    found = engine.times(book.case, book.place).due
    return found and (found.day, found.provisional)


def test_a_new_notice_moves_the_deadline_and_settles_it() -> None:
    years = dict(KNOWN.years)
    notice = workdays.YearTable(
        2027, frozenset({date(2027, 1, 1), date(2027, 1, 4)}), frozenset(), "n"
    )
    book = Book("promise", at("2026-12-28"), days=5)
    assert shown(book) == (date(2027, 1, 5), True)
    book.place = place(Calendar(years=years | {2027: notice}))
    assert shown(book) == (date(2027, 1, 6), False)


def test_promise_paused_handed_over_extended_reopened() -> None:
    book = Book("promise", at("2026-07-01"), days=5)  # a Wednesday
    assert book.due == "2026-07-08"
    book.do("pause", at("2026-07-02"), note="缺章程")
    assert book.due is None
    assert book.may("hand-over", at("2026-07-03"), to="x", note="x")
    book.do("resume", at("2026-07-10"))
    assert book.due == "2026-07-16"  # 2 July counted; 4 more from the day after
    assert book.may("resume", at("2026-07-10"))
    book.do("extend", at("2026-07-13"), days=2, form="延1", leader="王主任", note="专家评审")
    assert book.due == "2026-07-20"
    book.do("hand-over", at("2026-07-14"), to="税务", note="移交", days=3)
    assert book.due == "2026-07-17"
    assert book.case.holder == "税务"
    assert "deadline" in (book.may("extend", at("2026-07-17", "17:00"), days=1) or "")
    assert engine.phase(book.case, at("2026-07-17", "17:00"), book.place).name == "overdue"
    assert engine.phase(book.case, at("2026-07-17", "16:59"), book.place).name == "reminder"
    book.do("close", at("2026-07-20"), outcome="办结")
    assert engine.late(book.case, at("2026-07-20"), book.place)
    assert [leg.late for leg in book.case.legs] == [False, True]
    book.do("reopen", at("2026-07-21"), note="证照有误")
    assert book.due == "2026-07-24"
    book.do("close", at("2026-07-22"), outcome="办结")
    assert "once" in (book.may("reopen", at("2026-07-23"), note="x") or "")


@pytest.mark.parametrize(
    ("begun", "over", "due"),
    [
        ("2026-07-03 16:59", "2026-07-08 09:00", "2026-07-09"),  # on the last day: one is left
        ("2026-07-03 16:59", "2026-07-03 17:30", "2026-07-03"),  # over on the same day: none lost
        ("2026-07-02 08:00", "2026-07-08 09:00", "2026-07-09"),
        ("2026-07-01 10:00", "2026-07-02 09:00", "2026-07-06"),
    ],
)
def test_a_pause_of_a_two_day_promise(begun: str, over: str, due: str) -> None:
    book = Book("promise", at("2026-07-01", "09:00"), days=2)
    book.do("pause", at(*begun.split()), note="补正")
    book.do("resume", at(*over.split()))
    assert book.due == due


def test_reminders_at_half_time_and_one_workday_before() -> None:
    book = Book("bad-rating", at("2026-07-01"))
    times = engine.times(book.case, book.place)
    assert (times.half, times.last) == (at("2026-07-06", "09:00"), at("2026-07-07", "09:00"))
    assert times.due_at == at("2026-07-08", "17:00")
    names = [
        engine.phase(book.case, at(day, time), book.place).name
        for day, time in (
            *(("2026-07-06", "08:59"), ("2026-07-06", "09:00")),
            *(("2026-07-08", "16:59"), ("2026-07-08", "17:00")),
        )
    ]
    assert names == [None, "reminder", "reminder", "overdue"]
    one = engine.times(Book("start-up", at("2026-07-01")).case, place())
    assert (one.half, one.last) == (None, None)


def test_bad_rating_on_the_spot_or_rectified_and_called_back() -> None:
    spot = Book("bad-rating", at("2026-07-01"))
    assert "same day" in (spot.may("settle", at("2026-07-02"), note="x") or "")
    spot.do("settle", at("2026-07-01", "16:00"), note="当场解释")
    assert spot.case.state is State.CLOSED
    slow = Book("bad-rating", at("2026-07-01"))
    assert slow.may("callback", at("2026-07-02"), outcome="x", note="x")
    slow.do("rectify", at("2026-07-09"), note="补发材料")
    assert slow.due is None
    slow.do("callback", at("2026-07-10"), outcome="满意", note="电话")
    assert slow.case.state is State.CLOSED
    assert engine.late(slow.case, at("2026-07-10"), slow.place)


def test_complaint_is_reported_in_two_days_and_closed_when_told() -> None:
    book = Book("complaint", at("2026-07-03"))  # a Friday
    assert book.due == "2026-07-07"
    book.do("report", at("2026-07-07", "16:59"), note="核实")
    assert book.case.state is State.REPORTED
    assert not engine.late(book.case, at("2026-08-01"), book.place)
    book.do("told", at("2026-07-08"), note="已告知")
    assert book.case.state is State.CLOSED
    book.do("reopen", at("2026-07-09"), note="不满意")
    assert book.due == "2026-07-13"


def test_hazard_is_struck_off_only_after_somebody_elses_recheck() -> None:
    book = Book("hazard", at("2026-07-01"), due="2026-07-10")
    assert book.due == "2026-07-10"
    assert book.may("rectify", at("2026-07-02"), note="x")
    book.do("issue", at("2026-07-01", "11:00"), to="综窗", note="清理通道")
    assert book.may("close", at("2026-07-02"))
    book.do("rectify", at("2026-07-03"), "wang", note="已清理")
    assert "somebody else" in (book.may("recheck", at("2026-07-03"), "wang", passed=True) or "")
    book.do("recheck", at("2026-07-04"), "li", passed=False, note="仍有杂物")
    assert (book.case.state, book.due) == (State.ISSUED, "2026-07-10")
    book.do("rectify", at("2026-07-13"), "wang", note="已清理")
    assert book.case.legs[-1].late
    book.do("recheck", at("2026-07-13"), "li", passed=True, note="合格")
    book.do("close", at("2026-07-13"))
    assert book.case.state is State.CLOSED


def test_hazard_extended_only_forward_and_in_time() -> None:
    book = Book("hazard", at("2026-07-01"), due="2026-07-10")
    assert book.may("extend", at("2026-07-02"), due="2026-07-10", leader="l", note="n")
    assert book.may("extend", at("2026-07-10", "17:00"), due="2026-07-20")
    book.do("extend", at("2026-07-10"), due="2026-07-20", leader="l", note="n")
    assert book.due == "2026-07-20"


def test_an_upheld_appeal_needs_three_people_and_stops_no_clock() -> None:
    book = Book("bad-rating", at("2026-07-01"))
    assert book.may("decide", at("2026-07-02"), "boss", upheld=True)
    book.do("appeal", at("2026-07-02"), "clerk", note="误按")
    assert book.due == "2026-07-08"
    assert "somebody else" in (book.may("decide", at("2026-07-02"), "clerk") or "")
    book.do("decide", at("2026-07-02"), "boss", upheld=True, note="监控核实")
    for who in ("clerk", "boss"):
        assert "somebody else" in (book.may("confirm", at("2026-07-03"), who) or "")
    assert book.case.appeal is not None
    assert not book.case.appeal.stands
    book.do("confirm", at("2026-07-03"), "second")
    assert book.case.appeal.stands
    assert (book.case.appeal.decided_by, book.case.appeal.confirmed_by) == ("boss", "second")
    assert book.due == "2026-07-08"
    assert book.may("appeal", at("2026-07-04"), note="again")


def test_what_is_struck_out_is_over() -> None:
    book = Book("complaint", at("2026-07-01"))
    book.do("strike", at("2026-07-02"), note="重复登记")
    assert book.due is None
    assert all(book.may(what, at("2026-07-03")) for what in book.kind.actions)


def test_an_unknown_action_is_named() -> None:
    assert "told" in (Book("complaint", at("2026-07-01")).may("dance", at("2026-07-01")) or "")
