"""值班 at 390 px on the gateway's own HTTP side: acknowledge, hand over, check, sign, switch."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect
from test_pages import violations

from gateway import alerts, people
from gateway.clock import parse_instant
from gateway.findings import Finding
from gateway.site import Noise
from tests.gateway.api.house import HASH, PASSWORD, House, serving

expect.set_options(timeout=15_000)  # a busy machine hashes two passwords in a few seconds
EVENING = parse_instant("2026-07-01T22:41:00+08:00")
FINDING = "f-0000000000000001"


@dataclass
class Night:
    """A house at 22:41 with the east exit locked, and a phone signed in as `chen`."""

    house: House
    page: Page
    base: str

    def enter(self, name: str) -> None:
        """Somebody else signs in on the same phone."""
        body = {"user": name, "password": PASSWORD}
        self.page.context.request.post(self.base + "/api/v1/login", data=body)
        self.page.reload()
        self.page.wait_for_selector(".conn.live")

    def row(self, sql: str) -> tuple[object, ...] | None:
        found: tuple[object, ...] | None = self.house.db.execute(sql).fetchone()
        return found


def prepare(db: sqlite3.Connection, now: int) -> None:
    """Two officers, a locked exit and its alert, the exit's and the lamp's last words."""
    for name, role in (
        ("chen", "duty"),
        ("zhao", "duty"),
        ("fang", "facilities"),
        ("wall", "viewer"),
    ):
        people.create(db, now, name, role, HASH, "test")
    made = Finding("exit.locked", "east-exit", "hall-1f", now, now, None, "critical", (), {})
    db.execute(
        "INSERT INTO finding (id, rule, subject, zone, since, start, severity, cites, evidence,"
        " state, seen, changed) VALUES (?, ?, ?, ?, ?, ?, 'critical', '[]', '{}', 'open', ?, ?)",
        (FINDING, made.rule, made.subject, made.zone, now, now, now, now),
    )
    alerts.raised(db, now, FINDING, made, Noise())
    for device, kind, ch, fields in (
        ("door-02", "contact", "c1", '{"open":false}'),
        ("door-02", "lock", "l1", '{"locked":true}'),
        ("pm-01", "power", "c1", '{"w":412.0}'),
        ("pm-01", "relay", "r1", '{"on":true}'),
    ):
        db.execute(
            "INSERT INTO last_value (device, kind, ch, what, t, boot, seq, log, fields)"
            " VALUES (?, ?, ?, '', ?, 1, 1, '9f3a1c22', ?)",
            (device, kind, ch, now, fields),
        )


@pytest.fixture(params=["zh", "en"])
def lang(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def night(built: None, browser: Browser, tmp_path: Path, lang: str) -> Iterator[Night]:
    house = House(tmp_path, EVENING)
    house.event("door-02", 1, "health", EVENING)
    house.event("pm-01", 1, "health", EVENING)
    house.submit(prepare).result()
    context = browser.new_context(viewport={"width": 390, "height": 844}, has_touch=True)
    context.add_init_script(
        f"localStorage.setItem('hk.lang','{lang}');localStorage.setItem('hk.theme','dark')"
    )
    context.set_default_timeout(20_000)
    page = context.new_page()
    faults: list[str] = []
    page.on("pageerror", lambda fault: faults.append(str(fault)))
    with serving(house) as base:
        context.request.post(base + "/api/v1/login", data={"user": "chen", "password": PASSWORD})
        page.goto(base + "/#/duty")
        page.wait_for_selector(".conn.live")
        page.wait_for_selector(".loading", state="detached")
        yield Night(house, page, base)
        context.close()
    house.close()
    assert faults == []


WORDS = {
    "zh": ("确认", "开班", "确认开班", "交班", "确认交班", "密码不对", "值班记录"),
    "en": (
        *("Acknowledge", "Open a shift", "Open a shift", "Hand over", "Hand over"),
        *("password is wrong", "Duty log"),
    ),
}


def fill(page: Page, other: str, theirs: str = PASSWORD) -> None:
    page.locator("input[name=mine]").fill(PASSWORD)
    page.locator("input[name=other]").fill(other)
    page.locator("input[name=theirs]").fill(theirs)


def test_the_locked_exit_is_acknowledged_and_the_shift_handed_over(night: Night, lang: str) -> None:
    page = night.page
    ack, open_, open_go, hand, hand_go, wrong, log = WORDS[lang]
    card = page.locator(".alert-card").first
    expect(card).to_contain_text("东安全出口")
    assert page.locator("main .card").first.evaluate("e => e.classList.contains('alert-card')")
    assert violations(page) == []
    card.get_by_role("button", name=ack).tap()
    expect(page.locator(".alert-card")).to_have_count(0)
    assert night.row("SELECT acked_by FROM alert") == ("chen",)

    page.get_by_role("button", name=open_).tap()
    fill(page, "zhao", "not the word")
    page.locator(".form .primary", has_text=open_go).first.tap()
    expect(page.locator(".form-fault").filter(has_text=wrong)).to_be_visible()
    fill(page, "zhao")
    page.locator(".form .primary", has_text=open_go).first.tap()
    expect(page.locator(".on-duty .strong")).to_contain_text("chen")

    page.get_by_role("button", name=hand).tap()
    assert violations(page) == []
    fill(page, "zhao")
    page.locator(".form .primary", has_text=hand_go).first.tap()
    expect(page.locator(".on-duty .strong")).to_contain_text("zhao")
    assert night.row("SELECT officer, second FROM shift WHERE before IS NOT NULL") == (
        *("zhao", "chen"),
    )
    page.get_by_role("button", name=log).tap()
    expect(page.locator(".duty-log li").first).to_be_visible()
    found = page.locator(".shift-log")  # what was frozen when zhao took over
    expect(found).to_contain_text("东安全出口")
    expect(found.locator("li", has_text="大厅照明").first).to_be_visible()
    found.locator("select").select_option(label=found.locator("option").last.inner_text())
    expect(found.locator("option:checked")).to_contain_text("chen")
    assert violations(page) == []
    assert page.evaluate("document.documentElement.scrollWidth") <= 390


def reach(page: Page, css: str) -> None:
    """Tab until the focus is there; every stop on the way must be seen."""
    for _ in range(120):
        page.keyboard.press("Tab")
        if page.evaluate("css => document.activeElement.matches(css)", css):
            return
    raise AssertionError(f"the keyboard does not reach {css}")


@pytest.mark.parametrize("lang", ["zh"], indirect=True)
def test_the_same_by_keyboard(night: Night, lang: str) -> None:
    page = night.page
    reach(page, ".alert-card .primary")
    page.keyboard.press("Enter")
    expect(page.locator(".alert-card")).to_have_count(0)
    for name in ("chen", "zhao"):  # open, then hand over
        page.locator("body").evaluate("() => document.activeElement.blur()")
        reach(page, ".wide-button")
        page.keyboard.press("Enter")
        expect(page.locator("input[name=mine]")).to_be_visible()
        for text in (PASSWORD, "zhao", PASSWORD):
            page.keyboard.press("Tab")
            page.keyboard.type(text)
        page.keyboard.press("Enter")
        expect(page.locator(".on-duty .strong")).to_contain_text(name)


@pytest.mark.parametrize("lang", ["zh"], indirect=True)
def test_the_closing_check_and_a_lamp_that_may_not_go_out(night: Night, lang: str) -> None:
    page = night.page
    closing = page.get_by_role("region", name="关门检查")
    expect(closing).to_contain_text("大厅照明")
    closing.get_by_role("button", name="记录关门检查").tap()
    expect(closing.get_by_role("list", name="关门记录")).to_contain_text("chen")

    lamp = page.locator(".switches li", has_text="大厅照明")
    lamp.get_by_role("button", name="大厅照明 操作").tap()
    lamp.get_by_label("原因").fill("下班")
    lamp.get_by_role("button", name="断开").tap()
    expect(lamp.locator(".form-fault").first).to_contain_text("区域未确认无人，不能关灯")
    assert night.row("SELECT count(*) FROM command") == (0,)


PERMIT = {
    "zh": ("登记", "进入登记", "登记豁免", "撤销", "结束须晚于开始", "没有现行或将行的豁免"),
    "en": (
        *("Register", "Register an entry", "Register a permit", "Withdraw"),
        *("the end must be after the beginning", "No permit is in force or to come"),
    ),
}


def test_an_entry_and_a_permit_from_the_phone(night: Night, lang: str) -> None:
    page = night.page
    jump, entry, permit, withdraw, order, none = PERMIT[lang]
    page.get_by_role("navigation").get_by_role("button", name=jump, exact=True).tap()
    register = page.get_by_role("region", name=entry, exact=True)
    expect(register).to_be_in_viewport()
    register.locator("input[name=who]").focus()  # by keyboard
    page.keyboard.type("保洁张")
    page.keyboard.press("Tab")
    page.keyboard.type("清洁")
    page.keyboard.press("Enter")
    expect(register.get_by_role("listitem")).to_contain_text("保洁张")
    assert night.row("SELECT who, reason, registered_by FROM entry") == ("保洁张", "清洁", "chen")
    given = page.get_by_role("region", name=permit, exact=True)
    expect(given.locator("form")).to_have_count(0)  # an officer gives none, but sees them
    expect(given).to_contain_text(none)

    night.enter("fang")
    given.locator("input[name=reason]").fill("月末结账")
    expect(given.locator("input[name=to-day]")).to_have_value("2026-07-02")  # two hours from 22:41
    end = given.locator("input[name=to-time]")
    end.fill("20:00")
    given.locator(".date-open").nth(1).tap()  # the calendar, by keyboard: one day back
    for key in ("PageUp", "PageDown", "ArrowLeft"):
        page.keyboard.press(key)
    expect(given.locator(".calendar b")).to_have_text({"zh": "2026年7月", "en": "July 2026"}[lang])
    assert violations(page) == []
    page.keyboard.press("Enter")
    expect(given.locator(".calendar")).to_have_count(0)
    expect(given.locator("input[name=to-day]")).to_have_value("2026-07-01")
    given.locator(".primary").tap()
    expect(given.locator(".form-fault").first).to_contain_text(order)
    end.fill("23:30")
    given.locator(".primary").tap()
    expect(given.locator(".permits li")).to_contain_text("月末结账")
    assert violations(page) == []
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    given.get_by_role("button", name=withdraw).tap()
    expect(given).to_contain_text(none)
    assert night.row("SELECT approved_by, withdrawn_by FROM permit") == ("fang", "fang")

    night.enter("wall")  # a wall screen acts on nothing
    expect(page.locator(".alert-card")).to_be_visible()
    expect(page.locator("main .primary")).to_have_count(0)


@pytest.mark.parametrize("lang", ["zh"], indirect=True)
def test_both_sign_a_round_on_one_phone(night: Night, lang: str) -> None:
    board = night.page.get_by_role("region", name="巡查")
    expect(board.get_by_role("button", name="签字").first).to_be_visible()
    rounds = board.locator(".round-list > li")
    signed = rounds.nth(
        next(i for i, text in enumerate(rounds.all_inner_texts()) if "签字" in text)
    )
    signed.get_by_role("button", name="签字").tap()
    form = signed.locator("form")
    for part, who in (("patroller", "chen"), ("supervisor", "zhao")):
        expect(form.locator("select option").first).to_have_attribute("value", part)
        form.locator("input[name=user]").fill(who)
        form.locator("input[name=password]").fill("not the word")
        form.locator(".primary").tap()
        expect(form.locator(".form-fault")).to_contain_text("密码不对")
        form.locator("input[name=password]").fill(PASSWORD)
        form.locator(".primary").tap()
        expect(signed.locator(".signatures")).to_contain_text(f"{who} ")
    expect(form).to_have_count(0)
    assert violations(night.page) == []
