"""An episode confirmed from the page; the QR page on a phone, by keyboard, without script."""

from __future__ import annotations

from pathlib import Path

from conftest import Hall, Open
from playwright.sync_api import Browser, expect
from test_pages import AXE

from tests.gateway.api.house import House, client, serving


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
