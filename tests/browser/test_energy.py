"""能耗 on the gateway's own API and a store with weeks of readings: each thing the page says."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect
from test_pages import UNITS, VISIBLE, violations

from gateway.site import Circuit, Source
from tests.gateway.api.house import House, serving
from tests.gateway.usage.hall import DAY, HOUR, MIDNIGHT, change, fill, office, silent

AT = MIDNIGHT + 15 * HOUR + HOUR // 2  # Wednesday 2026-07-01, 15:30
HOLE = (MIDNIGHT + 9 * HOUR, MIDNIGHT + 10 * HOUR)
Show = Callable[..., Page]


@pytest.fixture(scope="module")
def house(built: None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    """Five weeks of three meters, one of them silent from nine to ten today; twelve circuits."""
    made = House(tmp_path_factory.mktemp("energy"), AT)
    meters = {
        "pm-01/c1": office(1600, 30),
        "pm-01/c2": silent(office(900, 60), HOLE),
        "pm-02/c1": lambda t: 80.0,
    }
    fill(made, meters, MIDNIGHT - 36 * DAY, AT)
    more = tuple(
        Circuit(
            f"x-{n}", f"备用回路{n}", "hall-1f", "counter", Source("pm-02", f"c{n}"), None, 10, None
        )
        for n in range(2, 11)
    )
    change(made, tariff=0.5, circuits=(*made.context.site.circuits, *more))
    yield made
    made.close()


@pytest.fixture(scope="module")
def base(house: House) -> Iterator[str]:
    with serving(house) as address:
        yield address


@pytest.fixture(scope="module")
def token(house: House) -> str:
    return house.person("viewer")


@pytest.fixture
def show(token: str, base: str, browser: Browser) -> Iterator[Show]:
    """show("energy/week", width=1440, lang="zh") → the page, signed in and read."""
    opened: list[BrowserContext] = []
    faults: list[str] = []

    def make(
        where: str = "energy", width: int = 1440, lang: str = "zh", theme: str = "light"
    ) -> Page:
        context = browser.new_context(viewport={"width": width, "height": 900})
        opened.append(context)
        context.add_init_script(
            f"localStorage.setItem('hk.lang','{lang}');localStorage.setItem('hk.theme','{theme}')"
        )
        context.add_cookies([{"name": "hallkeeper", "value": token, "url": base}])
        page = context.new_page()
        page.on("pageerror", lambda fault: faults.append(str(fault)))
        page.goto(f"{base}/#/{where}")
        expect(page.locator(".conn.live")).to_be_visible()
        expect(page.locator(".loading")).to_have_count(0)
        return page

    yield make
    for context in opened:
        context.close()
    assert faults == []


# what is written into each canvas, its last drawing only
WRITTEN = """
window.written = [];
const { fillText, clearRect } = CanvasRenderingContext2D.prototype;
const of = (ctx) => {
  window.written = window.written.filter((w) => w.canvas.isConnected);
  let found = window.written.find((w) => w.canvas === ctx.canvas);
  if (!found) window.written.push(found = { canvas: ctx.canvas, texts: [] });
  return found;
};
CanvasRenderingContext2D.prototype.clearRect = function (...box) {
  of(this).texts = [];
  return clearRect.apply(this, box);
};
CanvasRenderingContext2D.prototype.fillText = function (text, ...more) {
  of(this).texts.push(text);
  return fillText.call(this, text, ...more);
};
"""


@contextmanager
def other(house: House, **fields: object) -> Iterator[str]:
    """The same store behind a site with other fields."""
    before = house.context
    change(house, **fields)
    try:
        with serving(house) as address:
            yield address
    finally:
        house.context = before


def fact(page: Page, name: str) -> str:
    return page.locator(f'[data-fact="{name}"]').inner_text()


def saved(page: Page, button: str) -> tuple[str, bytes]:
    with page.expect_download() as info:
        page.get_by_role("button", name=button).click()
    path = info.value.path()
    return info.value.suggested_filename, Path(path).read_bytes()


LONG = "energy/2026-06-01/2026-07-01"


@pytest.mark.parametrize(
    ("where", "lang", "theme", "width"),
    [
        ("energy", "zh", "light", 1440),
        ("energy", "en", "dark", 390),
        (LONG, "zh", "dark", 390),
        (LONG, "en", "light", 1440),
    ],
)
def test_it_fits_is_accessible_and_speaks_one_language(
    show: Show, where: str, lang: str, theme: str, width: int
) -> None:
    page = show(where, width, lang, theme)
    page.locator(".energy-table summary").click()
    assert violations(page) == []
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    wrong = r"[A-Za-z]{3,}" if lang == "zh" else r"[\u4e00-\u9fff\uff00-\uffef]"
    texts = [t for t in page.evaluate(VISIBLE) if set(re.findall(wrong, t)) - UNITS]
    assert texts == (["中"] if lang == "en" and "中" in texts else [])


def test_today_stands_against_four_wednesdays(show: Show) -> None:
    page = show()
    total, usual = fact(page, "total"), fact(page, "usual")
    assert "2026-07-01 0 时至 15:30" in total
    assert "总量为各回路之和" in total
    assert "此前 4 个周三（同为工作日）的中位数 · 同一时刻" in usual
    assert re.search(r"比中位数 [+−±]\d+%", usual)
    key = page.locator(".energy-curve .plot-key")
    expect(key).to_contain_text("此前 4 个周三（同为工作日）：最低至最高")
    expect(key).to_contain_text("中位数")


def test_fewer_days_make_a_line_and_none_is_said(show: Show) -> None:
    page = show("energy/2026-06-03/2026-06-03")
    key = page.locator(".energy-curve .plot-key")
    expect(key).to_contain_text("上一个可比的周三")
    expect(key).not_to_contain_text("最低至最高")
    page = show("energy/2026-05-27/2026-05-27")
    expect(page.locator(".energy-curve")).to_contain_text("没有可比的日子，没有对照带")
    assert "没有可比的日子" in fact(page, "usual")


def test_a_gap_is_hatched_and_told(show: Show) -> None:
    page = show()
    expect(page.locator(".energy-curve .plot-key")).to_contain_text("缺测")
    expect(page.locator(".energy-gaps")).to_contain_text("缺测 1 处（按 10 分钟）")
    expect(page.locator(".energy-gaps li")).to_have_text(["09:00–10:00 一号窗口插座"])
    # what is drawn over the hole: hatching, and no accent-coloured line of the total
    pixels = page.evaluate(
        """() => {
          const canvas = document.querySelector('.energy-curve canvas');
          const over = document.querySelector('.energy-curve .u-over').getBoundingClientRect();
          const box = canvas.getBoundingClientRect(), scale = canvas.width / box.width;
          const colour = (from, to) => {
            const x = (over.left - box.left + over.width * from / 24) * scale;
            const w = over.width * (to - from) / 24 * scale;
            const { data } = canvas.getContext('2d').getImageData(x, 0, w, canvas.height);
            let blue = 0;
            for (let i = 0; i < data.length; i += 4)
              if (data[i + 3] > 200 && data[i] < 60 && data[i + 2] > 140) blue++;
            return blue;
          };
          return [colour(9.2, 9.8), colour(10.3, 10.9)];
        }"""
    )
    assert pixels[1] > 20 > pixels[0] + 10 or pixels[0] * 3 < pixels[1], pixels
    page = show("energy/yesterday")
    expect(page.locator(".energy-gaps")).to_contain_text("读数完整，没有缺测")
    expect(page.locator(".energy-curve .plot-key")).not_to_contain_text("缺测")


def test_uses_and_how_the_rest_is_known(show: Show) -> None:
    page = show("energy/yesterday")
    rows = page.locator(".uses li")
    assert [row.split("\n")[0] for row in rows.all_inner_texts()] == [
        "照明",
        "空调",
        "窗口",
        "其余",
    ]
    expect(rows.nth(1)).to_contain_text("没有这类回路")
    expect(rows.nth(3)).to_contain_text("1.9 kWh")  # 80 W all day
    expect(page.locator("main")).to_contain_text("其余 = 受保护回路")
    page.locator(".energy-table summary").click()
    expect(page.locator(".energy-table tbody tr")).to_have_count(24)


def test_waste_is_kwh_and_yuan(show: Show) -> None:
    page = show()
    assert "0.7 kWh" in fact(page, "waste")  # 90 W from midnight to eight
    assert "下班后用电 · 0.36 元" in fact(page, "waste")


def test_what_was_permitted_is_no_waste_and_is_told_apart(show: Show, house: House) -> None:
    """Overtime from midnight to four takes its half of the 90 W out, until it is withdrawn."""
    values = ("p1", "overtime", '["hall-1f"]', MIDNIGHT, MIDNIGHT + 4 * HOUR, "", "a", "b", AT)
    permit = f"INSERT INTO permit VALUES ({','.join('?' * 9)}, NULL, NULL)"
    house.submit(lambda db, _: db.execute(permit, values)).result()
    page = show()
    assert "0.4 kWh" in fact(page, "waste")
    assert "下班后用电 · 0.18 元" in fact(page, "waste")
    assert "另有 0.4 kWh 有许可，不计" in fact(page, "waste")
    withdrawn = "UPDATE permit SET withdrawn_at=?, withdrawn_by='b'"
    house.submit(lambda db, _: db.execute(withdrawn, (AT,))).result()
    page.reload()
    expect(page.locator('[data-fact="waste"]')).to_contain_text("0.36 元")
    assert "许可" not in fact(page, "waste")


def test_zero_waste_and_no_reading_look_different(show: Show, house: House) -> None:
    page = show("energy/2026-05-01/2026-05-02")
    expect(page.locator(".empty")).to_contain_text("没有用电读数")
    expect(page.locator('[data-fact="waste"]')).to_have_count(0)
    dark = tuple(c for c in house.context.site.circuits if c.use == "protected" or c.id == "x-2")
    with other(house, circuits=dark) as address:  # nothing that is switched was ever heard
        page.goto(f"{address}/#/energy")
        expect(page.locator('[data-fact="waste"]')).to_contain_text("不知道有没有浪费")
        expect(page.locator('[data-fact="waste"] .huge')).to_have_text("—")
    still = replace(dark[0], use="counter", meter=Source("pm-03", "c1"))
    fill(house, {"pm-03/c1": lambda t: 0.0}, MIDNIGHT, AT)
    with other(house, circuits=(still,)) as address:
        page.goto(f"{address}/#/energy")
        expect(page.locator('[data-fact="waste"]')).to_contain_text("没有浪费")
        expect(page.locator('[data-fact="waste"] .huge')).to_have_text("0.0 kWh")


def test_no_tariff_is_said_and_nothing_costs_zero(show: Show, house: House) -> None:
    before = house.context
    page = show()
    expect(page.locator("main")).to_contain_text("元")
    with other(house, tariff=None) as address:
        page.goto(f"{address}/#/energy")
        expect(page.get_by_text("站点文件没有登记电价，金额不显示。")).to_be_visible()
        assert not re.search(r"\d 元|约 ", page.locator("main").inner_text())
    assert house.context is before


def test_the_main_meter_gives_the_rest(show: Show, house: House) -> None:
    page = show()
    with other(house, main_meter=Source("pm-01", "c1")) as address:
        page.goto(f"{address}/#/energy/yesterday")
        expect(page.locator("main")).to_contain_text("总量取自总表")
        expect(page.locator("main")).to_contain_text("其余 = 总表减去前三项")
        expect(page.locator(".uses")).to_contain_text("0.0 kWh")  # never below zero
        expect(page.locator("main")).to_contain_text("前三项之和比总表多")


def test_all_circuits_can_be_seen(show: Show) -> None:
    page = show()
    expect(page.locator(".rank li")).to_have_count(10)
    expect(page.get_by_text("前 10 / 共 12")).to_be_visible()
    more = page.get_by_role("button", name="显示全部 12 个")
    more.focus()
    page.keyboard.press("Enter")
    expect(page.locator(".rank li")).to_have_count(12)
    expect(page.locator(".rank li").last).to_contain_text("没有读数")
    expect(page.locator(".energy-gaps")).to_contain_text("从未上线、不计入：备用回路2")


def test_the_range_moves_the_whole_page_and_stays_in_the_address(show: Show) -> None:
    page = show()
    expect(page.locator(".heat-month")).to_have_count(1)
    page.get_by_role("button", name="90 天").focus()
    page.keyboard.press("Enter")
    expect(page).to_have_url(re.compile("#/energy/90d$"))
    expect(page.locator(".heat-month caption").first).to_contain_text("2026 年 04 月")
    expect(page.locator(".heat-month")).to_have_count(4)
    expect(page.locator('[data-fact="total"]')).to_contain_text("2026-04-03 至今")
    expect(page.locator(".energy-curve h3")).to_have_text("每日用电")
    page.get_by_label("从", exact=True).fill("2026-06-08")
    page.keyboard.press("Enter")
    expect(page).to_have_url(re.compile("#/energy/2026-06-08/2026-07-01$"))
    page.reload()
    expect(page.locator('[data-fact="total"]')).to_contain_text("2026-06-08 至今")
    expect(page.locator(".heat-month")).to_have_count(2)
    page.go_back()
    expect(page.locator('[data-fact="total"]')).to_contain_text("2026-04-03 至今")
    # a day of the calendar by the keyboard
    page.locator('[data-day="2026-06-10"]').focus()
    page.keyboard.press("ArrowLeft")
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Enter")
    expect(page).to_have_url(re.compile("#/energy/2026-06-16/2026-06-16$"))
    expect(page.locator('[data-fact="total"]')).to_contain_text("2026-06-16 全天")
    expect(page.locator(".heat-day.in")).to_have_count(1)


def test_the_days_are_those_of_the_halls_own_clock(show: Show, house: House) -> None:
    """Also where a day has 23 hours, and where its midnight is far from Shanghai's."""
    page = show()
    noon = 12 * HOUR
    for zone, on in (("Europe/Berlin", "2026-03-29"), ("Pacific/Auckland", "2026-09-27")):
        tz = ZoneInfo(zone)
        begin = int(datetime.fromisoformat(on).replace(tzinfo=tz).timestamp()) * 1000
        with other(house, timezone=zone) as address:
            house.at = begin + noon
            page.goto(f"{address}/#/energy")
            expect(page.locator(".empty").first).to_contain_text(f"{on} 没有用电读数")
            house.at = begin + DAY + noon
            page.goto(f"{address}/#/energy/yesterday")
            page.reload()
            expect(page.locator(".empty").first).to_contain_text(f"{on} 没有用电读数")
            house.at = AT


def test_the_axis_of_days_is_labelled_in_any_zone(show: Show, house: House) -> None:
    page = show()
    page.add_init_script(WRITTEN)
    with other(house, timezone="America/New_York") as address:
        page.goto(f"{address}/#/energy/2026-06-10/2026-06-29")
        expect(page.locator('[data-fact="total"]')).to_contain_text("共 20 天")
        written = [set(texts) for texts in page.evaluate("window.written.map((w) => w.texts)")]
        assert len(written) == 2
        assert all(sum(bool(re.match(r"06-\d\d$", t)) for t in texts) > 2 for texts in written)


def test_a_little_is_told_from_nothing(show: Show, house: House) -> None:
    """Three watts since midnight: no two labels of an axis are the same, no figure is 0.0."""
    page = show()
    page.add_init_script(WRITTEN)
    fill(house, {"pm-03/c2": lambda t: 3.0}, MIDNIGHT, AT)
    little = replace(house.context.site.circuits[0], use="counter", meter=Source("pm-03", "c2"))
    with other(house, circuits=(little,), main_meter=None) as address:
        page.goto(f"{address}/#/energy")
        expect(page.locator('[data-fact="total"] .huge')).to_have_text("0.05 kWh")
        assert "0.02 kWh" in fact(page, "waste")
        assert "下班后用电 · 0.01 元" in fact(page, "waste")
        expect(page.locator(".rank li")).to_contain_text("0.05 kWh")
        expect(page.locator(".rank li")).to_contain_text("下班后 0.02 kWh")
        for drawn in page.evaluate("window.written.map((w) => w.texts)"):
            assert len(drawn) == len(set(drawn)) > 8, drawn


def test_too_long_a_range_is_refused_in_words(show: Show) -> None:
    page = show("energy/2024-01-01/2026-07-01")
    expect(page.get_by_role("alert")).to_contain_text("最多可看 400 天")


@pytest.mark.parametrize(
    ("lang", "button", "heads"),
    [
        ("zh", "导出 CSV", ["汇总", "曲线", "按用途", "回路排名", "日历", "缺测"]),
        ("en", "CSV", ["Summary", "Curve", "By use", "Circuits", "Calendar", "Gaps"]),
    ],
)
def test_csv_holds_all_that_is_shown(show: Show, lang: str, button: str, heads: list[str]) -> None:
    page = show("energy/2026-06-15/2026-07-01", lang=lang)
    shown = page.locator('[data-fact="total"] .huge').inner_text().split()[0]
    name, data = saved(page, button)
    assert name == "fengxian-energy-2026-06-15_2026-07-01.csv"
    assert data.startswith(b"\xef\xbb\xbf")
    text = data.decode("utf-8-sig")
    tables = [list(csv.reader(io.StringIO(part))) for part in text.split("\r\n\r\n")]
    assert [rows[0][0] for rows in tables] == heads
    summary, curve, uses, ranking, days, gaps = tables
    assert f"{float(summary[5][1]):.1f}" == shown
    assert len(curve) == 2 + 17  # a heading, the columns' heads, each day
    assert [float(v) for v in curve[3][3:6]] == sorted(float(v) for v in curve[3][3:6])
    assert len(uses) == 2 + 17 + 1
    assert len(ranking) == 2 + 12
    assert len(days) == 2 + 30 + 31  # both months of the calendar
    assert gaps[2] == ["2026-07-01 09:00", "2026-07-01 10:00", "一号窗口插座"]
    if lang == "en":
        assert not re.search(r"[\u4e00-\u9fff]", ",".join(curve[1] + uses[1] + ranking[1]))


def test_the_overview_draws_the_day_beside_meters_that_never_spoke(show: Show) -> None:
    """Nine of the twelve never did: the total is of the others, against the same weekdays."""
    key = show("overview").locator(".card.power .chart-legend")
    expect(key).to_contain_text("过去 24 小时")
    expect(key).to_contain_text("同星期、同为上班或休息日的中位数")
    expect(key).to_contain_text("只有部分回路有读数")  # from nine to ten


def test_what_is_lost_is_said_and_comes_back(show: Show) -> None:
    page = show()
    page.route("**/api/v1/energy/report*", lambda route: route.abort())
    page.get_by_role("button", name="昨天").click()
    failed = page.locator(".failed")
    expect(failed).to_contain_text("连不上网关")
    expect(page.locator('[data-fact="total"]')).to_have_count(0)  # no other range's figures
    page.unroute("**/api/v1/energy/report*")
    failed.get_by_role("button").click()
    expect(page.locator('[data-fact="total"]')).to_contain_text("2026-06-30 全天")


@pytest.mark.parametrize(
    ("lang", "note"),
    [
        ("zh", r"没有更新：连不上网关.*。以下是 15:30:\d\d 读到的数据。"),
        ("en", r"Not refreshed: .+\. This was read at 15:30:\d\d\."),
    ],
)
def test_figures_that_could_not_be_refreshed_say_so(
    show: Show, house: House, lang: str, note: str
) -> None:
    page = show(lang=lang)
    with serving(house) as address:
        page.goto(f"{address}/#/energy")
        expect(page.locator('[data-fact="total"]')).to_be_visible()
        known = fact(page, "total")
        expect(page.locator(".energy-stale")).to_have_count(0)
    expect(page.locator(".energy-stale")).to_have_text(re.compile(note))  # the gateway is gone
    assert fact(page, "total") == known
    assert violations(page) == []


def test_before_the_first_reading_it_says_what_is_normal(
    built: None, browser: Browser, tmp_path: Path
) -> None:
    house = House(tmp_path)
    context = browser.new_context(viewport={"width": 390, "height": 844})
    with serving(house) as address:
        context.add_cookies(
            [{"name": "hallkeeper", "value": house.person("viewer"), "url": address}]
        )
        page = context.new_page()
        page.goto(f"{address}/#/energy")
        expect(page.locator(".empty")).to_contain_text("还没有用电记录")
        assert violations(page) == []
        context.close()
    house.close()
