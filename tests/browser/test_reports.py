"""An episode confirmed from the page; sheets on paper; the QR page on a phone, by keyboard, without
script."""

from __future__ import annotations

import re
import zlib
from pathlib import Path

from conftest import Hall, Open
from playwright.sync_api import Browser, Locator, Page, expect
from test_pages import AXE

from gateway.api.access import COOKIE
from tests.gateway.api.house import NOON, House, client, serving

PAPER = 1032  # px: A4 on its side less its margins
INKS = """
.report .report-table thead th { color: rgb(1, 2, 3) !important }
@media print { @page { @bottom-center { color: rgb(4, 5, 6) } } }
"""


def pages_in(pdf: bytes) -> list[bytes]:
    """What is drawn on each page of a PDF of Chromium's."""
    objects = {
        int(number): body
        for number, body in re.findall(rb"(?s)(?:^|\n)(\d+) 0 obj\n(.*?)\nendobj", pdf)
    }
    found = [body for body in objects.values() if re.search(rb"/Type /Page\b", body)]
    drawn = [objects[int(re.search(rb"/Contents (\d+) 0 R", body)[1])] for body in found]
    return [zlib.decompress(body.partition(b"stream\n")[2]) for body in drawn]


def ink(*colour: int) -> bytes:
    """How Chromium's PDF asks for a colour."""
    return " ".join(f"{part / 255:.4f}"[1:].rstrip("0") for part in colour).encode() + b" rg"


def test_an_episode_is_charged_to_a_counter_by_name(hall: Hall, open_page: Open) -> None:
    page = open_page(hall, "reports")
    page.locator(".report-choice select").first.select_option("hygiene")
    first = page.locator(".episodes li").first
    confirm = first.get_by_role("button", name="确认", exact=True)
    expect(confirm).to_be_disabled()  # nobody is charged yet
    first.get_by_role("combobox").select_option(index=1)
    confirm.focus()
    with page.expect_response(lambda r: "/sheets/episodes/" in r.url):
        page.keyboard.press("Enter")
    last = hall.calls()[-1]
    assert last["path"].endswith("/sheets/episodes/f-0")
    assert last["body"]["decision"] == "confirm"
    assert last["body"]["unit"]


def test_a_printed_sheet_is_the_sheet_alone(hall: Hall, open_page: Open) -> None:
    page = open_page(hall, "reports", theme="dark")
    page.emulate_media(media="print")
    for gone in (".rail", ".top", ".strip", ".report-choice", ".episodes", ".report .actions"):
        for found in page.locator(gone).all():
            expect(found).to_be_hidden()
    expect(page.locator(".report .print-only")).to_be_visible()  # whose sheet it is
    looks = "(e) => [getComputedStyle(e).color, getComputedStyle(document.body).backgroundColor]"
    assert page.locator(".report-table td").first.evaluate(looks) == [
        *("rgb(0, 0, 0)", "rgb(255, 255, 255)")
    ]
    assert b"/MediaBox [0 0 841" in page.pdf(prefer_css_page_size=True)  # A4, on its side


def test_a_long_sheet_on_paper(built: None, browser: Browser, tmp_path: Path) -> None:
    house = House(tmp_path)
    roster = [("w01", f"人员{n:03}", "2026-06-01", "2026-06-30") for n in range(90)]
    house.db.executemany(
        "INSERT INTO roster (counter, person, first, last, made_at, made_by)"
        " VALUES (?, ?, ?, ?, 0, 'test')",
        roster,
    )
    context = browser.new_context(bypass_csp=True)  # for the inks
    try:
        with serving(house) as base:
            context.add_cookies([{"name": COOKIE, "value": house.person("manager"), "url": base}])
            page = context.new_page()
            page.goto(f"{base}/#/reports")
            page.add_style_tag(content=INKS)
            for kind in ("stars", "hygiene", "ratings-month"):  # the widest
                page.locator(".report-choice select").first.select_option(kind)
                expect(page.locator(".report tbody tr").first).to_be_visible()
                page.emulate_media(media="print")
                page.set_viewport_size({"width": PAPER, "height": 700})
                assert page.evaluate("document.documentElement.scrollWidth") <= PAPER, kind
                page.emulate_media(media="null")
                page.set_viewport_size({"width": 390, "height": 844})
                expect(page.locator(".report tbody tr").first).to_be_visible()  # on a phone too
            page.locator(".report-choice select").first.select_option("stars")
            expect(page.locator(".report tbody").first.locator("tr")).to_have_count(len(roster))
            printed = pages_in(page.pdf(prefer_css_page_size=True))
            context.close()
        assert len(printed) > 2
        assert all(ink(1, 2, 3) in drawn for drawn in printed[:3])  # the heads again
        assert all(ink(4, 5, 6) in drawn for drawn in printed)  # the number of the page
    finally:
        house.close()


def test_the_queue_machines_file(built: None, browser: Browser, tmp_path: Path) -> None:
    """As the machine writes it, GB 18030 with other columns; unrated visits stand beside the n."""
    house = House(tmp_path)
    for seq in range(1, 6):
        house.event("pad-w01", seq, "rating", NOON - seq * 60_000, level=5, visit=f"A{seq}")
    table = "窗口,姓名,日期,办件数\nw01,王,{day},10\n"
    context = browser.new_context(viewport={"width": 390, "height": 844})
    context.add_init_script("localStorage.setItem('hk.lang','zh')")

    def send(page: Page, day: str) -> Locator:
        raw = table.format(day=day).encode("gb18030")
        form = page.get_by_role("region", name="排队机办件数")
        form.locator("input[type=file]").set_input_files(
            {"name": "队列.csv", "mimeType": "text/csv", "buffer": raw}
        )
        return form

    try:
        with serving(house) as base:
            context.add_cookies([{"name": COOKIE, "value": house.person("manager"), "url": base}])
            page = context.new_page()
            page.goto(f"{base}/#/ratings")
            page.get_by_text("录入：", exact=False).click()
            form = send(page, "昨天")
            expect(form.locator(".faults")).to_contain_text("第 2 行 没有日期 昨天")
            expect(form.get_by_role("button", name="导入")).to_have_count(0)
            form = send(page, "2026-07-01")
            expect(form.locator(".look")).to_contain_text("企业开办专窗 2026-07-01 10")
            form.get_by_role("button", name="导入").click()
            expect(form.get_by_role("status")).to_contain_text("读入 1 条，其中 1 条")
            page.reload()
            expect(page.locator(".rate-rows")).to_contain_text("未评价 5（办件 10）")
            assert page.evaluate("document.documentElement.scrollWidth") <= 390
            context.close()
        kept = house.db.execute("SELECT counter, day, n, made_by FROM visit_count").fetchall()
        assert kept == [("w01", "2026-07-01", 10, "a-manager")]
    finally:
        house.close()


def test_the_qr_page_takes_one_rating(browser: Browser, tmp_path: Path) -> None:
    house = House(tmp_path)
    try:
        with serving(house) as base, client(base, house.person("manager")) as manager:
            asked = {"counter": "w01", "until": "2026-07-31"}
            url = manager.post("/api/v1/ratings/links", json=asked).json()["url"]
            context = browser.new_context(
                viewport={"width": 390, "height": 844}, bypass_csp=True
            )  # for axe
            page = context.new_page()
            page.goto(url)
            assert page.evaluate("document.documentElement.scrollHeight") <= 844
            page.evaluate(AXE)
            assert page.evaluate("axe.run().then((r) => r.violations.map((v) => v.id))") == []
            page.keyboard.press("Tab")
            page.keyboard.press("Enter")
            expect(page.get_by_role("status")).to_contain_text("谢谢您的评价")
            assert context.cookies() == []
            context.close()
        rows = house.db.execute("SELECT channel, level FROM opinion").fetchall()
        assert rows == [("qr", 5)]
    finally:
        house.close()
