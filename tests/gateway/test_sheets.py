"""The sheets: their points, ranks and days, and that the spreadsheet says what the sheet says."""

from __future__ import annotations

import io
from datetime import date
from pathlib import Path

import openpyxl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway import ratings, workdays
from gateway.errors import InputFault
from gateway.ratings import Tally, queue
from gateway.reports import book, hygiene, keeping, periods, sheets, stars
from gateway.reports.model import Sheet, Text, ranks
from tests.gateway.api.house import NOON, House

CALENDAR = workdays.load(None, None)
MONTH = "2026-07"


@pytest.fixture
def house(tmp_path: Path):
    made = House(tmp_path)
    yield made
    made.close()


@pytest.mark.parametrize(
    ("quarter", "due"),
    [
        ("2025-Q4", date(2026, 1, 6)),  # 1–3 January off, Sunday the 4th is worked
        ("2026-Q1", date(2026, 4, 3)),
        ("2026-Q2", date(2026, 7, 3)),
        ("2026-Q3", date(2026, 10, 10)),  # off to the 7th; Saturday the 10th is worked
    ],
)
def test_third_workday_of_each_quarter_of_2026(quarter: str, due: date) -> None:
    assert periods.due(periods.parse(quarter), CALENDAR) == (due, False)


def test_a_due_day_in_a_year_without_notice_is_provisional() -> None:
    assert periods.due(periods.parse("2026-Q4"), CALENDAR)[1]


def test_periods_by_name() -> None:
    assert periods.parse("2026-W27").first == date(2026, 6, 29)
    assert periods.parse("2024-02").last == date(2024, 2, 29)
    assert periods.parse("2026-Q4").last == date(2026, 12, 31)
    for wrong in ("2026", "2026-13", "2026-Q5", "2026-W54", "2026-7", ""):
        with pytest.raises(InputFault):
            periods.parse(wrong)
    with pytest.raises(InputFault):
        sheets.period_of("stars", "2026-Q3")


@given(
    st.dates(date(1990, 1, 1), date(2090, 1, 1)),
    st.sampled_from(["week", "month", "quarter", "half"]),
)
def test_a_day_lies_in_its_period_and_names_it(day: date, length: str) -> None:
    found = periods.of(day, length)
    assert found.first <= day <= found.last
    assert periods.parse(found.name) == found
    assert periods.of(found.first, length) == periods.of(found.last, length) == found


@pytest.mark.parametrize(
    ("item", "confirmed", "left"),
    [
        ("thrift-1", 16, 0), ("thrift-1", 17, 0), ("thrift-1", 3, 6.5), ("thrift-1", 0, 8),
        ("thrift-2", 15, 0.5), ("thrift-3", 3, 5.5), ("thrift-3", 14, 0),
    ],
)  # fmt: skip
def test_half_a_point_for_each_confirmed_episode(item: str, confirmed: int, left: float) -> None:
    assert hygiene.score(item, confirmed) == left


def test_stars_have_points_of_their_own() -> None:
    assert stars.star_points(Tally((1, 1, 1, 1, 1))) == 6  # and 3.8 in the ratings report
    assert Tally((1, 1, 1, 1, 1)).mean == pytest.approx(3.8)
    assert stars.star_points(Tally((0, 0, 0, 0, 5))) == 15
    assert stars.star_points(Tally((0, 0, 0, 0, 4))) is None
    best = {field: most for field, (most, _) in stars.ITEMS.items()} | {"plus": 0, "minus": 0}
    assert sum(best[f] for f in best if f.startswith("image")) == 20
    assert stars.group(best, "image") == 15  # 4 × 5 of 15
    assert stars.total(15, best) == 60  # of the 75 that the parts make
    assert stars.total(None, best) is None
    assert stars.group({k: v for k, v in best.items() if k != "skill-1"}, "skill") is None


def test_ties_are_ties() -> None:
    assert ranks([9, 10, 10, None, 8]) == [3, 1, 1, None, 4]
    assert ranks([0.1 + 0.2, 0.3]) == [1, 1]


def build(house: House, kind: str, period: str = MONTH) -> Sheet:
    hall, calendar = house.context.site, house.context.calendar
    found = sheets.period_of(kind, period)
    return sheets.build(house.reader(), hall, calendar, kind, found, house.at)


def rows(sheet: Sheet, key: str) -> list[dict]:
    section = next(s for s in sheet.sections if s.key == key)
    return [dict(zip((c.key for c in section.columns), row, strict=True)) for row in section.rows]


def rate(house: House, *levels: int) -> None:
    for seq, level in enumerate(levels, 1):
        house.event("pad-w01", seq, "rating", NOON + seq * 20_000, level=level)


PERIOD = {
    "meeting": "2026-H2",
    "ratings-week": "2026-W27",
    "ratings-month": MONTH,
    "ratings-quarter": "2026-Q3",
}


@pytest.mark.parametrize("kind", sheets.KINDS)
def test_every_sheet_is_read_again_as_it_was_written(house: House, kind: str) -> None:
    rate(house, 5, 4, 3, 2, 1, 5, 5)
    house.db.execute(
        "INSERT INTO roster (counter,person,first,last,made_at,made_by)"
        " VALUES ('w01','甲','2026-07-01','2026-07-31',0,'li')"
    )
    period = PERIOD.get(kind, MONTH)
    made = build(house, kind, period)
    into = io.BytesIO()
    book.write(made, "厅", into)
    read = openpyxl.load_workbook(into)
    assert read.sheetnames == [s.title.zh for s in made.sections] + ["来源与设置"]
    for section in build(house, kind, period).sections:
        page = read[section.title.zh]
        assert page.freeze_panes == "B2"
        head, *body = page.iter_rows(values_only=True)
        assert list(head) == [c.title.zh for c in section.columns]
        assert len(body) == len(list(section.rows))
        for got, row in zip(body, section.rows, strict=True):
            for value, wanted in zip(got, row, strict=True):
                if isinstance(wanted, date):
                    assert value.date() == wanted
                elif isinstance(wanted, Text):
                    assert value == wanted.zh
                elif isinstance(wanted, (int, float)):
                    assert value == pytest.approx(wanted)
                else:
                    assert value in (wanted, "—" if wanted is None else None)
    about = list(read["来源与设置"].iter_rows(values_only=True))
    for setting in made.settings:
        assert (setting.title.zh, setting.value, "法定" if setting.law else "建议") in about
    for note in made.notes:
        assert ("说明", note.zh, None) in about
    formats = {c.number_format for p in read for r in p.iter_rows() for c in r}
    assert "0.00" in formats or kind == "zeros"


def test_the_joint_meetings_pack(house: House) -> None:
    rate(house, 5, 4, 3, 2, 1)
    charge(house, "f-1", "lights.vacant", "w01")
    charge(house, "f-2", "lights.vacant", None)
    house.db.execute("INSERT INTO case_file VALUES ('p-1','complaint',?,NULL,NULL)", (NOON,))
    house.db.execute("INSERT INTO case_now (id, state) VALUES ('p-1','open')")
    house.db.execute(
        "INSERT INTO register_entry VALUES ('r-1','duty','friday-clean~2026-07-03',?,'li','{}')",
        (NOON + 2 * 86_400_000,),
    )
    house.at = NOON + 3 * 86_400_000
    pack = build(house, "meeting", "2026-H2")
    assert (pack.first, pack.last) == (date(2026, 7, 1), date(2026, 12, 31))
    assert pack.due == date(2026, 12, 31)  # the duty joint-meeting of that half-year
    whole, *counters = rows(pack, "ratings")
    assert (whole["n"], whole["mean"]) == (5, pytest.approx(3.8))
    assert sum(row["n"] for row in counters) == sum(row["n"] for row in rows(pack, "months")) == 5
    told = {row["kind"].zh: row for row in rows(pack, "cases")}
    assert (told["投诉"]["received"], told["投诉"]["open"], told["投诉"]["late"]) == (1, 1, 0)
    found = next(row for row in rows(pack, "findings") if row["rule"].zh == "无人时照明未关")
    assert (found["n"], found["confirmed"], found["severity"].zh) == (2, 1, "提示")
    duties = {row["duty"].en: row for row in rows(pack, "duties")}
    friday = next(row for name, row in duties.items() if name.startswith("Friday"))
    assert (friday["due"], friday["done"], friday["late"], friday["missed"]) == (1, 1, 0, 0)
    hand = rows(pack, "zeros")[0]
    assert (hand["value"], hand["source"].zh) == (None, "人工登记（0/6 个月）")
    assert build(house, "meeting", "2026-H1").due == date(2026, 6, 30)


def test_two_people_of_one_name_have_points_of_their_own(house: House) -> None:
    for person, department in (("甲", ""), ("甲", "市场监督管理局"), ("甲", "税务局")):
        keeping.enter(
            *(house.db, NOON, "li", "stars", MONTH, person, "plus", 1 + len(department)), department
        )
    entered = keeping.of_people(house.reader(), "stars", MONTH)
    assert entered["甲", "市场监督管理局"] == {"plus": 8}
    assert entered["甲", "税务局"] == {"plus": 4}
    assert keeping.of_people(house.reader(), "stars", "2026-08") == {}  # a month of its own


QUEUE = "窗口,日期,办件数,取号人\n企业开办专窗,2026-06-30,12,x\nw01,2026/07/01,9,x\n"


def test_the_queue_machines_file(house: House) -> None:
    hall, day = house.context.site, date(2026, 7, 1)
    served = queue.parse(QUEUE, "q.csv", hall, day)
    assert [(one.counter, one.day.day, one.n) for one in served] == [("w01", 30, 12), ("w01", 1, 9)]
    assert queue.keep(house.db, NOON, "li", served, "q.csv") == 2
    assert queue.keep(house.db, NOON, "li", served, "q.csv") == 0  # there already
    rate(house, 5, 4, 3, 2, 1)
    (item,) = ratings.summary(house.reader(), hall, day, day, "counter")
    assert (item["visits"], item["unrated"]) == (9, 4)
    assert "x" not in str([tuple(row) for row in house.db.execute("SELECT * FROM visit_count")])
    bad = "counter,date,served\nw01,2026-07-02,1\nw99,2026-07-01,1\nw01,x,1\nw01,2026-07-01,-1\n"
    with pytest.raises(InputFault) as fault:
        queue.parse(bad, "q.csv", hall, day)
    assert [line.partition(": ")[0] for line in str(fault.value).splitlines()] == [
        *("q.csv:2", "q.csv:3", "q.csv:4", "q.csv:5")
    ]
    with pytest.raises(InputFault, match="窗口"):
        queue.parse("a,b\n", "q.csv", hall, day)


def test_the_ratings_report(house: House) -> None:
    rate(house, 5, 4, 3, 2, 1)
    all_ = rows(build(house, "ratings-month"), "all")[0]
    assert (all_["n"], all_["bad"], all_["mean"]) == (5, 2, pytest.approx(3.8))
    assert rows(build(house, "ratings-month"), "day")[0]["day"] == date(2026, 7, 1)
    few = rows(build(house, "ratings-month", "2026-08"), "counter")[0]
    assert (few["n"], few["mean"], few["level5"], few["flag"].zh) == (0, None, None, "n<5")


def charge(house: House, name: str, rule: str, unit: str | None, decision: str = "confirm") -> None:
    house.db.execute(
        "INSERT INTO finding (id,rule,subject,zone,since,start,severity,cites,evidence,state,seen,"
        "changed) VALUES (?,?,'x','hall-1f',?,?,'notice','[]','{}','ended',0,0)",
        (name, rule, NOON, NOON),
    )
    if unit:
        house.db.execute(
            "INSERT INTO episode_decision (finding,decision,unit,reason,made_at,made_by)"
            " VALUES (?,?,?,'',0,'li')",
            (name, decision, unit if decision == "confirm" else None),
        )


def test_hygiene_takes_confirmed_episodes_only(house: House) -> None:
    for number in range(3):
        charge(house, f"f-{number}", "lights.vacant", "w01")
    charge(house, "f-7", "lights.daylight", "w01", "reject")
    charge(house, "f-8", "ac.vacant", None)
    charge(house, "f-9", "post.vacant", None)  # no item of the table
    table = {row["unit"]: row for row in rows(build(house, "hygiene"), "units")}
    counter = table["企业开办专窗"]
    assert (counter["thrift-1"], counter["thrift-2"], counter["thrift-3"]) == (6.5, 8, 7)
    assert (counter["waiting"], counter["total"], counter["open"]) == (1, None, 9)
    assert set(table) == {"企业开办专窗", "一楼办公室"}
    for unit, share in (("w01", 1.0), ("office-1f", 0.5)):
        for item in hygiene.NEEDED:
            house.db.execute(
                "INSERT INTO sheet_field (sheet,month,subject,field,value,made_at,made_by)"
                " VALUES ('hygiene',?,?,?,?,0,'li')",
                (MONTH, unit, item, share * hygiene.ITEMS[item][0]),
            )
    sheet = build(house, "hygiene")
    table = {row["unit"]: row for row in rows(sheet, "units")}
    assert table["企业开办专窗"]["total"] == 98.5
    assert table["企业开办专窗"]["award"].zh == "流动红旗（暂定）"  # one candidate is open
    assert table["一楼办公室"]["award"].zh == "黄牌提醒（暂定）"
    house.db.execute("UPDATE finding SET state = 'withdrawn' WHERE id IN ('f-8', 'f-2')")
    sheet = build(house, "hygiene")
    table = {row["unit"]: row for row in rows(sheet, "units")}
    assert table["企业开办专窗"]["thrift-1"] == 7  # a withdrawn finding costs nothing
    assert table["企业开办专窗"]["award"].zh == "流动红旗"
    assert not sheet.provisional


def test_a_nothing_is_not_a_zero(house: House) -> None:
    told = {row["promise"].zh: row for row in rows(build(house, "zeros"), "zeros")}
    assert len(told) == 7
    assert told["真心·零推诿"]["value"] is None
    assert told["贴心·零缝隙"]["value"] == 0
    assert told["贴心·零缝隙"]["n"] == 23  # one counter, the workdays of July


def test_backlog_is_what_went_past_its_day_not_what_was_reminded_of(house: House) -> None:
    told = (("p-1", "case.reminder", "ended"), ("p-2", "case.overdue", "open"))
    for name, rule, state in (*told, ("p-3", "case.overdue", "ended"), ("p-4", "", "")):
        house.db.execute("INSERT INTO case_file VALUES (?,'promise',?,NULL,NULL)", (name, NOON))
        if rule:
            charge(house, f"f-{name}", rule, None)
            house.db.execute(
                "UPDATE finding SET subject = ?, state = ? WHERE id = ?", (name, state, f"f-{name}")
            )
    rows_ = [row for row in rows(build(house, "zeros"), "zeros") if "积压" in row["promise"].zh]
    assert [(row["value"], row["n"]) for row in rows_] == [(2, 4)]
