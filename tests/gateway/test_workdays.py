"""The calendar: make-up days, holidays, provisional years, imports, day counting."""

from __future__ import annotations

import json
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import chinese_calendar
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway import site, workdays
from gateway.errors import EnvironmentFault, InputFault
from gateway.workdays import Calendar, Day

KNOWN = workdays.load(None, None)
LAST = max(KNOWN.years)
NEXT = date(LAST + 1, 1, 1)
DATES = st.dates(date(2004, 1, 1), date(2040, 12, 31))


def year_file(folder: Path, **changes: Any) -> Path:
    file = folder / "notice.json"
    doc = {
        "year": 2027,
        "off": ["2027-01-01", "2027-02-05", "2027-02-08"],
        "work": ["2027-01-30"],
        "source": "国办发明电〔2026〕7号",
    } | changes
    file.write_text(json.dumps(doc, indent=1, ensure_ascii=False), encoding="utf-8")
    return file


def test_make_up_saturday_is_a_workday() -> None:
    assert KNOWN.day(date(2026, 2, 14)) == Day(True, makeup=True, holiday_name="春节")
    assert KNOWN.kind(date(2026, 2, 14)) == "makeup"
    assert KNOWN.kind(date(2026, 2, 7)) == "off"


def test_spring_festival_2026_is_off() -> None:
    day = date(2026, 2, 15)
    while day <= date(2026, 2, 23):
        assert not KNOWN.is_workday(day), day
        day += timedelta(days=1)
    assert KNOWN.day(date(2026, 2, 17)).holiday_name == "春节"
    assert KNOWN.kind(date(2026, 2, 24)) == "workday"


@given(st.dates(date(2004, 1, 1), date(LAST, 12, 31)))
def test_known_years_agree_with_the_packages_own_answer(day: date) -> None:
    assert KNOWN.is_workday(day) == chinese_calendar.is_workday(day)
    assert not KNOWN.is_provisional(day)


def test_the_first_unknown_year_is_provisional() -> None:
    with pytest.raises(NotImplementedError):
        chinese_calendar.is_workday(NEXT)
    assert KNOWN.day(NEXT) == Day(False, provisional=True, holiday_name="元旦")
    assert KNOWN.kind(NEXT) == "provisional"


@given(st.dates(NEXT, date(2060, 12, 31)))
def test_provisional_rule(day: date) -> None:
    fixed = {(1, 1), (5, 1), (5, 2), (10, 1), (10, 2), (10, 3)}
    assert KNOWN.is_provisional(day)
    assert KNOWN.is_workday(day) == (day.weekday() < 5 and (day.month, day.day) not in fixed)


def test_third_workday_of_each_quarter_of_2026() -> None:
    found = [KNOWN.nth_workday(2026, month, 3) for month in (1, 4, 7, 10)]
    # 4 January is a make-up Sunday, 10 October a make-up Saturday
    assert found == [date(2026, 1, 6), date(2026, 4, 3), date(2026, 7, 3), date(2026, 10, 10)]


@pytest.mark.parametrize(
    ("start", "n", "due"),
    [
        (date(2026, 7, 1), 5, date(2026, 7, 8)),
        (date(2026, 2, 13), 5, date(2026, 2, 27)),  # 14 worked, 15 to 23 春节
        (date(2026, 9, 29), 5, date(2026, 10, 12)),  # 1 to 7 国庆, 10 worked
        (date(2026, 7, 4), 1, date(2026, 7, 6)),
        (date(2026, 7, 6), 0, date(2026, 7, 6)),
        (date(2026, 7, 6), -1, date(2026, 7, 3)),
    ],
)
def test_workdays_after(start: date, n: int, due: date) -> None:
    assert KNOWN.add_workdays(start, n) == (due, False)


def test_over_new_year_into_a_provisional_year() -> None:
    known = Calendar(years={2026: KNOWN.years[2026]})
    assert known.add_workdays(date(2026, 12, 23), 5) == (date(2026, 12, 30), False)
    assert known.add_workdays(date(2026, 12, 29), 5) == (date(2027, 1, 6), True)


@given(DATES, st.integers(min_value=-60, max_value=60))
def test_day_counting_is_counting_days(start: date, n: int) -> None:
    due, provisional = KNOWN.add_workdays(start, n)
    one, two = sorted((start, due))
    between = [one + timedelta(days=at) for at in range((two - one).days + 1)]
    crossed = [day for day in between if day != start] if n else [start]
    if n:
        assert KNOWN.is_workday(due)
        assert sum(map(KNOWN.is_workday, crossed)) == abs(n)
    assert provisional == any(map(KNOWN.is_provisional, crossed))


def test_local_overrides_win(tmp_path: Path) -> None:
    file = tmp_path / "site.toml"
    file.write_text(
        '[site]\nid = "x"\n[calendar]\nextra_off = ["2026-07-03", "2030-07-03"]\n'
        'extra_work = ["2026-07-04", "2026-02-17"]\n',
        encoding="utf-8",
    )
    calendar = workdays.load(site.load(file), None)
    assert calendar.kind(date(2026, 7, 3)) == "off"
    assert calendar.kind(date(2026, 7, 4)) == "makeup"
    assert calendar.kind(date(2026, 2, 17)) == "workday"
    assert not calendar.is_provisional(date(2030, 7, 3))


def test_import(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    workdays.import_year(year_file(tmp_path, names={"2027-02-08": "春节"}), tmp_path)
    printed = capsys.readouterr().out
    assert "2027-02-05 workday -> off" in printed
    assert "2027-02-08 workday -> off 春节" in printed
    assert "2027-01-30 off -> workday" in printed
    assert "2027-10-01 off -> workday" in printed
    assert "4 days change" in printed
    calendar = workdays.load(None, tmp_path)
    assert calendar.faults == ()
    assert calendar.day(date(2027, 2, 8)) == Day(False, holiday_name="春节")
    assert calendar.kind(date(2027, 1, 30)) == "makeup"
    assert calendar.kind(date(2027, 1, 4)) == "workday"


def test_an_import_may_move_a_day_of_the_december_before(tmp_path: Path) -> None:
    workdays.import_year(year_file(tmp_path, work=["2026-12-26"]), tmp_path)
    assert workdays.load(None, tmp_path).kind(date(2026, 12, 26)) == "makeup"


@pytest.mark.parametrize(
    ("changes", "fault"),
    [
        ({"year": "2027"}, ':2: year = "2027": must be a number'),
        ({"off": []}, ":3: off: must be a list"),
        ({"off": ["2027-02-30"]}, ':4: off = "2027-02-30": must be a date'),
        ({"off": ["2028-01-01"]}, ':4: off = "2028-01-01": must be a day of 2027'),
        ({"off": ["2027-01-01", "2027-01-01"]}, ':5: off = "2027-01-01": must be named once'),
        ({"work": ["2027-01-29"]}, ':9: work = "2027-01-29": must be a Saturday'),
        ({"off": ["2027-01-30"]}, ':7: work = "2027-01-30": must be named once'),
        ({"source": ""}, ": source: must name the notice"),
        ({"holidays": []}, "holidays: unknown key; allowed: year, off, work, source, names"),
        ({"names": {"2027-02-08": 1}}, "names.2027-02-08: must be text"),
    ],
)
def test_faulty_import(tmp_path: Path, changes: dict[str, Any], fault: str) -> None:
    with pytest.raises(InputFault) as caught:
        workdays.import_year(year_file(tmp_path, **changes), tmp_path)
    assert fault in str(caught.value)
    assert not (tmp_path / "calendar").exists()


def test_import_of_what_is_no_json(tmp_path: Path) -> None:
    file = tmp_path / "x.json"
    file.write_text('{"year": 2027,\n oops}', encoding="utf-8")
    with pytest.raises(InputFault, match=r"x\.json:2: not JSON"):
        workdays.import_year(file, tmp_path)
    with pytest.raises(InputFault, match="cannot be read"):
        workdays.import_year(tmp_path / "no.json", tmp_path)
    with pytest.raises(EnvironmentFault, match="cannot be written"):
        workdays.import_year(year_file(tmp_path), file)  # the data directory is a file


def test_import_before_the_gateway_has_run(tmp_path: Path) -> None:
    workdays.import_year(year_file(tmp_path), tmp_path / "new" / "data")
    assert [*(tmp_path / "new" / "data" / "calendar").iterdir()]


def test_import_into_what_cannot_be_written(tmp_path: Path) -> None:
    (tmp_path / "calendar").write_text("a file where the folder should be")
    with pytest.raises(EnvironmentFault, match="cannot be written"):
        workdays.import_year(year_file(tmp_path), tmp_path)


def test_a_broken_year_falls_back_and_says_so(tmp_path: Path) -> None:
    workdays.import_year(year_file(tmp_path), tmp_path)
    file = tmp_path / "calendar" / "2027.json"
    file.write_bytes(file.read_bytes()[:40])
    (tmp_path / "calendar" / "2028.json").write_text("[]")
    calendar = workdays.load(None, tmp_path)
    assert [fault.split(":")[0] for fault in calendar.faults] == [
        str(file),
        str(tmp_path / "calendar" / "2028.json"),
    ]
    assert calendar.day(date(2027, 2, 8)) == Day(True, provisional=True)
    assert [w.key for w in calendar.warnings(date(2026, 7, 1))] == [workdays.BROKEN] * 2


def test_warnings_before_an_unknown_year() -> None:
    calendar = Calendar(years={2026: KNOWN.years[2026]})
    assert calendar.warnings(date(2026, 10, 31)) == []
    days = [date(2026, 11, 1) + timedelta(days=at) for at in range(61)]
    said = [calendar.warnings(day) for day in days]
    assert all([(w.key, w.year) for w in found] == [(workdays.MISSING, 2027)] for found in said)
    due = [day for day, found in zip(days, said, strict=True) if found[0].due]
    assert due[:7] == [date(2026, 11, 1) + timedelta(weeks=at) for at in range(7)]
    assert due[7:] == [date(2026, 12, 15) + timedelta(days=at) for at in range(17)]
    assert [(w.year, w.due) for w in calendar.warnings(date(2027, 3, 1))] == [(2027, True)]
