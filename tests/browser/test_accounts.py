"""人员 on the gateway's own HTTP side: add, disable, a new password; for administrators only."""

from __future__ import annotations

from pathlib import Path

import pytest
from playwright.sync_api import Browser, expect
from test_pages import violations

from gateway import people
from gateway.clock import parse_instant
from tests.gateway.api.house import HASH, PASSWORD, House, serving

expect.set_options(timeout=15_000)
WORDS = {
    "zh": (
        *("已有此登录名", "停用", "已停用", "重设密码", "登录均已结束", "仅管理员"),
        *("更改角色", "这是最后一名管理员"),
    ),
    "en": (
        *("there is such a name already", "Disable", "Disabled", "New password"),
        *("every session of this person has ended", "Only an administrator"),
        *("Change the role", "this is the last administrator"),
    ),
}


@pytest.mark.parametrize("lang", ["zh", "en"])
def test_an_administrator_keeps_accounts(
    built: None, browser: Browser, tmp_path: Path, lang: str
) -> None:
    taken, disable, disabled, reset, ended, only, post, last = WORDS[lang]
    house = House(tmp_path, parse_instant("2026-07-01T10:00:00+08:00"))
    for name, role in (("root", "admin"), ("chen", "duty")):
        house.submit(
            lambda db, now, n=name, r=role: people.create(db, now, n, r, HASH, "test")  # type: ignore[misc]
        ).result()
    context = browser.new_context(viewport={"width": 390, "height": 844})
    context.add_init_script(f"localStorage.setItem('hk.lang','{lang}')")
    page = context.new_page()
    faults: list[str] = []
    page.on("pageerror", lambda fault: faults.append(str(fault)))
    with serving(house) as base:
        context.request.post(base + "/api/v1/login", data={"user": "root", "password": PASSWORD})
        page.goto(base + "/#/accounts")
        page.wait_for_selector(".conn.live")
        rows = page.locator(".accounts .switches > li")
        expect(rows.filter(has_text="chen")).to_be_visible()
        assert violations(page) == []

        new = page.locator(".accounts form").last
        for times in range(2):  # by keyboard; the second time the name is taken
            new.locator("input[name=name]").focus()
            page.keyboard.type("zhao")
            page.keyboard.press("Tab")
            page.keyboard.press("Tab")
            page.keyboard.type(PASSWORD)
            page.keyboard.press("Enter")
            if not times:
                expect(rows.filter(has_text="zhao")).to_be_visible()
        expect(new.locator(".form-fault")).to_contain_text(taken)
        assert house.db.execute("SELECT role FROM account WHERE name='zhao'").fetchone() == (
            *("duty",),
        )

        zhao = rows.filter(has_text="zhao")
        zhao.locator("button[aria-expanded]").click()
        assert violations(page) == []
        zhao.locator("input[name=password]").fill("another long word")
        zhao.get_by_role("button", name=reset, exact=True).click()
        expect(zhao.locator(".form-done", has_text=ended)).to_be_visible()
        zhao.locator("select[name=role]").focus()  # by keyboard: a counter's lead, of its counter
        zhao.locator("select[name=role]").select_option("counter")
        page.keyboard.press("Tab")
        zhao.locator("select[name=counter]").select_option("w01")
        assert violations(page) == []
        page.keyboard.press("Tab")
        page.keyboard.press("Enter")
        expect(zhao.locator(".switch-name")).to_contain_text("企业开办专窗")
        expect(zhao.locator(".form-done").first).to_contain_text(ended)
        assert house.db.execute(
            "SELECT role, counter FROM account WHERE name='zhao'"
        ).fetchone() == (*("counter", "w01"),)
        zhao.get_by_role("button", name=disable, exact=True).click()
        expect(zhao.locator("b")).to_have_text(disabled)
        kept = house.db.execute(
            "SELECT who, what FROM audit WHERE what LIKE 'account.%' AND who='root' ORDER BY id"
        ).fetchall()
        assert [tuple(row) for row in kept] == [
            *(("root", f"account.{what}") for what in ("add", "reset", "role", "disable")),
        ]
        mine = rows.filter(has_text="root")  # nobody disables themselves
        mine.locator("button[aria-expanded]").click()
        expect(mine.get_by_role("button", name=disable, exact=True)).to_have_count(0)
        mine.locator("select[name=role]").select_option("duty")
        mine.get_by_role("button", name=post, exact=True).click()
        expect(mine.locator(".form-fault").first).to_contain_text(last)
        assert page.evaluate("document.documentElement.scrollWidth") <= 390
        page.screenshot(path=tmp_path / "accounts.png", full_page=True)

        context.request.post(base + "/api/v1/login", data={"user": "chen", "password": PASSWORD})
        page.reload()
        expect(page.locator("main")).to_contain_text(only)
        expect(page.locator(".rail a[href='#/accounts']")).to_have_count(0)
        context.close()
    house.close()
    assert faults == []
