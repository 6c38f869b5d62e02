"""When duties fall due, attendance classes, and the bar of appointments: tables."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway import appointments, attendance, audit, duties, registers, site, store, workdays
from gateway.attendance import Punch
from gateway.clock import parse_instant
from gateway.errors import EnvironmentFault, InputFault
from tests.gateway.api.house import SITE

KNOWN = workdays.load(None, None)
TABLE = duties.table()
HOURS = (site.Span(540, 720), site.Span(780, 1020))
RULEBOOK = attendance.rules(site.AttendanceOf(), HOURS)


def due(duty: str, first: str, last: str) -> list[str]:
    found = duties.items(TABLE[duty], date.fromisoformat(first), date.fromisoformat(last), KNOWN)
    return [item.day.isoformat() for item in found]


@pytest.mark.parametrize(
    ("duty", "first", "last", "days"),
    [
        ("equipment-check", "2026-02-13", "2026-02-25", ["02-13", "02-14", "02-24", "02-25"]),
        ("inspection", "2026-01-01", "2026-04-30", ["01-30", "02-28", "03-31", "04-30"]),
        ("census", "2026-01-01", "2026-12-31", ["06-30", "11-30"]),
        ("drill", "2026-01-01", "2026-12-31", ["12-31"]),
        ("joint-meeting", "2026-01-01", "2026-12-31", ["06-30", "12-31"]),
        ("friday-clean", "2026-06-15", "2026-06-28", ["06-18", "06-26"]),  # 端午: 19 June is off
        ("friday-clean", "2026-10-01", "2026-10-11", ["10-09"]),  # the week of the 1st: none left
        ("study", "2026-07-01", "2026-07-31", ["07-06", "07-20"]),
        ("study", "2026-10-01", "2026-10-31", ["10-08", "10-19"]),  # Monday the 5th is off
        ("award", "2026-01-01", "2026-05-31", ["01-09", "02-10", "03-10", "04-10", "05-09"]),
        ("ratings-quarter", "2026-01-01", "2026-12-31", ["01-06", "04-03", "07-03", "10-10"]),
    ],
)
def test_when_a_duty_falls_due(duty: str, first: str, last: str, days: list[str]) -> None:
    assert due(duty, first, last) == [f"2026-{day}" for day in days]


@given(st.sampled_from([*TABLE]), st.dates(date(2024, 1, 1), date(2028, 1, 1)), st.integers(0, 60))
def test_a_span_is_the_sum_of_its_days(duty: str, first: date, n: int) -> None:
    last = first + timedelta(days=n)
    whole = duties.items(TABLE[duty], first, last, KNOWN)
    days = [first + timedelta(days=i) for i in range(n + 1)]
    assert whole == [item for day in days for item in duties.items(TABLE[duty], day, day, KNOWN)]
    assert all(KNOWN.is_workday(item.day) for item in whole)
    assert all(duties.exists(TABLE[duty], item.key, KNOWN) for item in whole)


def test_a_moved_item_falls_on_its_new_day_only() -> None:
    moved = {"study~2026-07-06": date(2026, 9, 8)}
    july = duties.items(TABLE["study"], date(2026, 7, 1), date(2026, 7, 31), KNOWN, moved)
    assert [item.key for item in july] == ["study~2026-07-20"]
    september = duties.items(TABLE["study"], date(2026, 9, 8), date(2026, 9, 8), KNOWN, moved)
    assert [item.key for item in september] == ["study~2026-07-06"]


@pytest.mark.parametrize("key", ["study~2026-07-07", "study~", "study~x", "study~0001-01-01"])
def test_what_is_no_item(key: str) -> None:
    assert not duties.exists(TABLE["study"], key, KNOWN)


HOT = {
    **{"place": "西门", "zone": "hall-1f", "work": "焊接", "applicant": "王工", "height_m": 2},
    **{"from": "2026-07-02T09:00:00+08:00", "to": "2026-07-02T11:00:00+08:00"},
    **{"cleared_5m": True, "extinguishers": True, "supervisor": "李工"},
}


@pytest.mark.parametrize(
    ("change", "named"),
    [
        ({"cleared_5m": False}, "cleared_5m"),
        ({"extinguishers": None}, "extinguishers"),
        ({"supervisor": ""}, "supervisor"),
        ({"height_m": 2.1}, "watcher"),
        ({"height_m": True}, "height_m"),
        ({"paint": "red"}, "paint"),
    ],
)
def test_hot_work_needs_every_tick(change: dict, named: str) -> None:
    assert registers.checked("hot-work", HOT)["height_m"] == 2
    assert registers.checked("hot-work", HOT | {"height_m": 3, "watcher": "赵工"})
    with pytest.raises(InputFault, match=named):
        registers.checked("hot-work", HOT | change)


@pytest.mark.parametrize(
    ("days", "until"),
    [
        (["2026-11-02", "2026-12-01", "2027-01-04"], None),  # years do not add up
        (["2026-11-02", "2026-12-01"], None),
        (["2026-08-31", "2026-02-02", "2026-03-02"], "2027-02-28"),
        (["2026-12-28", "2026-12-29", "2026-12-30", "2027-01-04"], "2027-06-30"),
        (["2026-01-05", "2026-01-06", "2026-01-07", "2026-05-06"], "2026-11-06"),
    ],
)
def test_three_no_shows_of_a_calendar_year_bar_six_months(
    days: list[str], until: str | None
) -> None:
    found = appointments.barred_until([date.fromisoformat(day) for day in days])
    assert (found and found.isoformat()) == until


def test_a_card_is_only_a_keyed_hash() -> None:
    one = appointments.card_hash("61032919900101001x", b"k" * 32)
    assert one == appointments.card_hash("610329 19900101 001X", b"k" * 32)
    assert one != appointments.card_hash("61032919900101001x", b"j" * 32)


@pytest.mark.parametrize(
    ("minutes", "word"),
    [
        *((0, "on-time"), (1, "late"), (10, "late"), (11, "undefined"), (30, "undefined")),
        (31, "absent"),
    ],
)
def test_classes_of_lateness(minutes: int, word: str) -> None:
    assert attendance.lateness(minutes, site.AttendanceOf()) == word


def test_a_hall_may_set_its_own_limits() -> None:
    hall = site.AttendanceOf(late=5 * 60_000, absent=20 * 60_000, half_day_at=2)
    said = [attendance.lateness(minutes, hall) for minutes in (5, 6, 20, 21)]
    assert said == ["late", "undefined", "undefined", "absent"]
    punches = [Punch("7", "王", datetime(2026, 7, d, 8, 58)) for d in (1, 2, 3, 6)]
    by = attendance.rules(hall, HOURS)
    assert attendance.summary(punches, KNOWN, by)[0].half_days == 2
    table = duties.of(site.DutiesOf(drill_months=6, census=((2, 29), (12, 1))))
    span = date(2026, 1, 1), date(2026, 12, 31)
    drills = duties.items(table["drill"], *span, KNOWN)
    assert [item.day for item in drills] == [date(2026, 6, 30), date(2026, 12, 31)]
    census = duties.items(table["census"], *span, KNOWN)
    assert [item.day for item in census] == [date(2026, 2, 28), date(2026, 12, 1)]
    assert duties.of(site.DutiesOf()) == duties.table()


def test_the_site_file_sets_them(tmp_path: Path) -> None:
    text = SITE.read_text(encoding="utf-8")
    own = '[attendance]\nlate = "5min"\n[duties]\ndrill_months = 6\ncensus = ["05-31"]\n'
    (tmp_path / "site.toml").write_text(own + text, encoding="utf-8")
    hall = site.load(tmp_path / "site.toml")
    assert (hall.attendance.late, hall.attendance.absent) == (5 * 60_000, 30 * 60_000)
    assert (hall.duties.drill_months, hall.duties.census) == (6, ((5, 31),))
    (tmp_path / "site.toml").write_text(own.replace("= 6", "= 7") + text, encoding="utf-8")
    with pytest.raises(InputFault, match="drill_months"):
        site.load(tmp_path / "site.toml")


def clock(minute: int) -> str:
    return f"{minute // 60:02}:{minute % 60:02}"


def day(*times: str, kind: str = "") -> list[Punch]:
    return [Punch("7", "王", datetime.fromisoformat(f"2026-07-01T{time}"), kind) for time in times]


@pytest.mark.parametrize(
    ("times", "found"),
    [
        (["08:55", "12:00", "13:00", "17:00"], ["on-time on-time", "on-time on-time"]),
        (["08:56", "12:01", "13:11", "17:20"], ["late on-time", "undefined on-time"]),
        (["09:26", "11:59", "12:50", "16:59"], ["absent early", "on-time early"]),
        (["08:50", "08:51", "12:00"], ["on-time on-time", "missing missing"]),
        (["17:00"], ["missing missing", "missing on-time"]),
    ],
)
def test_a_day_of_four_punches(times: list[str], found: list[str]) -> None:
    assert [f"{s.came} {s.left}" for s in attendance.sessions(day(*times), RULEBOOK)] == found


def test_a_machine_that_says_in_or_out() -> None:
    """Out at 12:40 leaves the morning, in at 12:20 comes for the afternoon."""
    said = [("08:50", "in"), ("12:40", "out"), ("12:20", "in"), ("17:05", "out")]
    punches = [punch for time, kind in said for punch in day(time, kind=kind)]
    found = attendance.sessions(punches, RULEBOOK)
    assert [f"{s.came} {s.left}" for s in found] == ["on-time on-time"] * 2


@pytest.mark.parametrize(
    ("hours", "halves"),
    [
        (
            ["08:30-12:00", "14:30-18:00"],
            [("morning", "08:25", "12:00"), ("afternoon", "14:30", "18:00")],
        ),
        (["08:30-18:00"], [("morning", "08:25", "13:00"), ("afternoon", "14:30", "18:00")]),
        (["08:30-12:00"], [("morning", "08:25", "12:00")]),
        (["14:00-16:00", "16:30-18:00"], [("afternoon", "14:30", "18:00")]),
    ],
)
def test_halves_by_a_halls_own_hours(
    tmp_path: Path, hours: list[str], halves: list[tuple[str, str, str]]
) -> None:
    own = 'morning = "08:25"\nafternoon = "14:30"\nsplit = "13:00"\n'
    (tmp_path / "site.toml").write_text(
        f'[site]\nid = "h"\n[hours]\nopen = {hours}\n[attendance]\n{own}', encoding="utf-8"
    )
    hall = site.load(tmp_path / "site.toml")
    by = attendance.rules(hall.attendance, hall.hours.open)
    assert [(h.name, clock(h.by), clock(h.ends)) for h in by.halves] == halves


@pytest.mark.parametrize(
    ("own", "named"),
    [
        ('split = "08:00"', "split must not be before morning"),
        ('afternoon = "12:00"', "afternoon must not be before split"),
        ('morning = "12:45"', "split must not be before morning"),
        ('late = "31min"', "absent must not be before late"),
    ],
)
def test_times_of_attendance_in_order(tmp_path: Path, own: str, named: str) -> None:
    (tmp_path / "site.toml").write_text(f'[site]\nid = "h"\n[attendance]\n{own}\n')
    with pytest.raises(InputFault, match=f"site.toml:4: attendance.*{named}"):
        site.load(tmp_path / "site.toml")


def test_a_month_counts_workdays_and_half_days() -> None:
    punches = [
        Punch("7", "王", datetime(2026, 7, d, 9, 0)) for d in (1, 2, 3, 4, 6, 7)
    ]  # the 4th is a Saturday
    (month,) = attendance.summary(punches, KNOWN, RULEBOOK)
    assert (month.days, month.counts["late"], month.half_days) == (5, 5, 1)


@pytest.mark.parametrize(
    "text",
    [
        "工号,姓名,日期,时间\n7,王,2026-07-01,08:54\n7,王,2026/7/1,12:01:30\n\n",
        "\ufeff考勤号码,姓名,日期时间\n7,王,2026-07-01 08:54\n7,王,2026年7月1日 12:01:30\n",
    ],
)
def test_files_as_machines_write_them(text: str) -> None:
    found = attendance.parse(text, "a.csv")
    assert [(p.person, p.name, p.time.isoformat()) for p in found] == [
        *(("7", "王", "2026-07-01T08:54:00"), ("7", "王", "2026-07-01T12:01:30")),
    ]


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ("", "empty"),
        ("姓名,日期\n王,2026-07-01\n", "a.csv:1: needs"),
        ("工号,时间\n7,yesterday\n8,2026-13-01 08:00\n", "a.csv:2.*\n.*a.csv:3"),
        ("工号,时间\n,2026-07-01 08:00\n", "a.csv:2: no number"),
    ],
)
def test_faulty_files_say_where(text: str, named: str) -> None:
    with pytest.raises(InputFault, match=f"(?s){named}"):
        attendance.parse(text, "a.csv")


def test_an_import_is_kept_once_and_audited(tmp_path: Path) -> None:
    data = tmp_path / "data"
    db = store.open_writer(data)
    file = tmp_path / "punches.csv"
    file.write_bytes("工号,姓名,时间\n7,王,2026-07-01 08:54\n".encode("gb18030"))
    with pytest.raises(EnvironmentFault, match="no gateway has run"):
        attendance.import_file(file, data, "li", 1)
    (tmp_path / "site.toml").write_text('[site]\nid = "h"\ntimezone = "Asia/Urumqi"\n', "utf-8")
    db.execute("INSERT INTO meta VALUES ('config', ?)", (str(tmp_path / "site.toml"),))
    for _ in range(2):
        attendance.import_file(file, data, "li", 1)
    file.write_text("工号,姓名,时间\n7,王,2026-07-01 08:54\n7,王,2026-07-01 12:00\n", "utf-8")
    attendance.import_file(file, data, "li", 2)
    times = [t for (t,) in db.execute("SELECT t FROM attendance_punch ORDER BY t")]
    assert times == [parse_instant(f"2026-07-01T{at}:00+06:00") for at in ("08:54", "12:00")]
    rows = db.execute("SELECT what, who FROM audit").fetchall()
    assert rows == [("attendance.import", "li")] * 2
    assert audit.check(db) is None
    db.close()
