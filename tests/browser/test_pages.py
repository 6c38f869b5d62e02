"""Every page at both widths and in both languages: accessible, fitting, in one language."""

from __future__ import annotations

import re
from typing import Any

import pytest
from conftest import ROOT, Hall, Open
from playwright.sync_api import Page, expect

PAGES = [
    "overview",
    "alerts",
    "alerts/a-1",
    "duty",
    "energy",
    "safety",
    "safety/finding/f-2",
    "ratings",
    "reports",
    "devices",
    "devices/pm-02",
    "rules",
]
LEDGER = [
    *("cases", "cases/case-1", "cases/case-2", "duties", "appointments", "attendance"),
    *("registers/extinguisher", "registers/courier", "registers/hot-work"),
]
AXE = (ROOT / "dashboard" / "node_modules" / "axe-core" / "axe.min.js").read_text("utf-8")

# Interface text only: names of the site, formulas and units are data, marked `translate="no"`.
VISIBLE = """() => {
  const walk = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT), out = [];
  while (walk.nextNode()) {
    const text = walk.currentNode.textContent.trim(), parent = walk.currentNode.parentElement;
    if (text && !parent.closest('[translate="no"], script, style')) out.push(text);
  }
  for (const e of document.querySelectorAll('[aria-label]:not([translate="no"])'))
    if (e.tagName !== 'SECTION') out.push(e.getAttribute('aria-label'));
  return out;
}"""
UNITS = {"kWh", "CSV"}


def violations(page: Page) -> list[str]:
    page.evaluate(AXE)
    found: dict[str, Any] = page.evaluate("axe.run()")
    return [
        f"{v['id']}: {n['html'][:160]} {n['any'][0]['message'] if n['any'] else ''}"
        for v in found["violations"]
        for n in v["nodes"]
    ]


@pytest.mark.parametrize("width", [1440, 390])
@pytest.mark.parametrize(("lang", "theme"), [("zh", "light"), ("en", "dark")])
@pytest.mark.parametrize("where", PAGES)
def test_a_page_fits_and_is_accessible(
    hall: Hall, open_page: Open, where: str, lang: str, theme: str, width: int
) -> None:
    page = open_page(hall, where, width=width, lang=lang, theme=theme)
    fits(page, lang, width)


@pytest.mark.parametrize(("lang", "theme", "width"), [("zh", "light", 390), ("en", "dark", 1440)])
def test_the_ledger_fits_and_is_accessible(
    hall: Hall, open_page: Open, lang: str, theme: str, width: int
) -> None:
    page = open_page(hall, "ledger", width=width, lang=lang, theme=theme)
    for where in LEDGER:
        page.evaluate(f"location.hash = '#/ledger/{where}'")
        page.wait_for_selector(f'.segments [aria-current][href*="{where.split("/")[0]}"]')
        page.wait_for_selector(".ledger .card")
        page.wait_for_selector(".loading", state="detached")
        fits(page, lang, width)
    hall.down()
    page.locator('.segments a[href$="duties"]').click()
    expect(page.locator(".failed, .banner").first).to_be_visible()
    again = page.locator(".failed button").first
    expect(again).to_be_visible()
    assert violations(page) == []
    hall.up()
    again.click()
    expect(page.locator(".duty-row").first).to_be_visible()


def fits(page: Page, lang: str, width: int) -> None:
    """Axe finds nothing, nothing is wider than the window, one language alone is read."""
    assert violations(page) == []
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    texts: list[str] = page.evaluate(VISIBLE)
    assert texts
    if lang == "zh":
        stray = [t for t in texts if set(re.findall(r"[A-Za-z]{3,}", t)) - UNITS]
    else:
        # an article's number is part of its name: 安全 一.2 is cited as "Safety 一.2"
        stray = [t for t in texts if re.search(r"[\u4e00-\u9fff]{2,}|[\uff0c\u3002\uff1b]", t)]
    assert stray == []


EMPTY = ["overview", "alerts", "energy", "safety", "ratings", "ledger", "devices"]


@pytest.mark.parametrize("lang", ["zh", "en"])
@pytest.mark.parametrize("where", EMPTY)
def test_an_empty_hall_says_what_is_normal(
    empty_hall: Hall, open_page: Open, where: str, lang: str
) -> None:
    page = open_page(empty_hall, where, width=390, lang=lang)
    assert page.locator(".empty").count() > 0
    assert violations(page) == []


@pytest.mark.parametrize("width", [1440, 390])
def test_sign_in(hall: Hall, open_page: Open, width: int) -> None:
    page = open_page(hall, "", width=width, signed=False)
    page.get_by_label("账号").fill("admin")
    page.get_by_label("密码").fill("wrong")
    assert violations(page) == []
    page.get_by_role("button", name="登录").click()
    page.get_by_text("账号或密码不对").wait_for()
    page.get_by_label("密码").fill("right")
    page.get_by_role("button", name="登录").click()
    page.wait_for_selector(".conn.live")


def test_language_and_theme_are_kept(hall: Hall, open_page: Open) -> None:
    page = open_page(hall, "overview")
    page.get_by_role("button", name="切换到夜间显示").click()
    assert page.evaluate("document.documentElement.dataset.theme") == "dark"
    page.get_by_role("button", name="切换到英文").click()
    page.get_by_role("heading", name="Findings now").wait_for()
    kept = page.evaluate("[localStorage.getItem('hk.lang'), localStorage.getItem('hk.theme')]")
    assert kept == ["en", "dark"]
