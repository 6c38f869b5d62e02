"""登录: who guesses waits, longer each time; the page says how long, counts down, and lets them in
after. The gateway's and the page's clocks are put forward by hand."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from playwright.sync_api import Browser, expect
from test_pages import violations

from gateway import people
from gateway.api.proof import FREE
from tests.gateway.api.house import HASH, PASSWORD, House, serving

WORDS = {
    "zh": ("账号或密码不对", "暂停登录", "现在可以再试。", "2 分"),
    "en": (
        *("Wrong account or password", "signing in has to wait", "You can try again now."),
        "2 min",
    ),
}


@pytest.mark.parametrize(("lang", "width"), [("zh", 390), ("en", 1440)])
def test_who_guesses_waits_and_is_told_how_long(
    built: None, browser: Browser, tmp_path: Path, lang: str, width: int
) -> None:
    wrong, locked, again, two = WORDS[lang]
    house = House(tmp_path)
    house.submit(lambda db, now: people.create(db, now, "chen", "duty", HASH, "test")).result()
    house.submit(lambda db, now: people.create(db, now, "li", "duty", HASH, "test")).result()
    context = browser.new_context(viewport={"width": width, "height": 844})
    context.add_init_script(f"localStorage.setItem('hk.lang','{lang}')")
    page = context.new_page()
    faults: list[str] = []
    page.on("pageerror", lambda fault: faults.append(str(fault)))
    with serving(house) as base:
        page.clock.install()
        page.goto(base)
        user, password = page.locator("input[name=user]"), page.locator("input[name=password]")
        go, said = page.locator("button[type=submit]"), page.locator(".form-fault")
        timer = page.get_by_role("timer")

        def attempt(word: str, status: int) -> None:
            password.fill(word)
            with page.expect_response("**/login") as answer:
                password.press("Enter")
            assert answer.value.status == status

        user.fill("chen")
        for _ in range(FREE["name"]):
            attempt("a wrong guess", 401)
            expect(said).to_contain_text(wrong)
        attempt(PASSWORD, 429)  # not even the right one is heard now
        expect(said).to_contain_text(locked)
        expect(timer).to_contain_text(re.compile(r"(^|\D)(1 (分|min) 0|5\d) "))
        expect(go).to_be_disabled()
        assert violations(page) == []
        page.screenshot(path=tmp_path / f"locked-{lang}-{width}.png")
        page.clock.fast_forward(20_000)
        expect(timer).to_contain_text(re.compile(r"(^|\D)3\d "))
        user.fill("li")  # the wait is chen's alone
        expect(timer).to_have_count(0)
        expect(go).to_be_enabled()
        user.fill("chen")
        house.mono += 20
        attempt(PASSWORD, 429)  # the gateway's word counts, not the page's
        expect(timer).to_contain_text(re.compile(r"(^|\D)(40|3\d) "))
        house.mono += 40
        page.clock.fast_forward(40_500)
        expect(page.get_by_role("status")).to_have_text(again)
        expect(go).to_be_enabled()
        page.screenshot(path=tmp_path / f"again-{lang}-{width}.png")
        attempt("a wrong guess", 401)  # the next wait is twice as long
        attempt(PASSWORD, 429)
        expect(timer).to_contain_text(re.compile(rf"{two}|1 (分|min) 5\d"))
        house.mono += 120
        page.clock.fast_forward(120_500)
        expect(page.get_by_role("status")).to_have_text(again)
        attempt(PASSWORD, 200)
        expect(page.locator(".signin")).to_have_count(0)
        expect(page.locator(".conn.live")).to_be_visible()
        context.close()
    house.close()
    assert faults == []
