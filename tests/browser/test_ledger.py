"""台账 on the gateway's own HTTP side: each tab done by the person whose work it is."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect
from test_duty import reach
from test_pages import violations

from gateway import demoledger, people
from gateway.clock import parse_instant
from gateway.schedules import local_day
from tests.gateway.api.house import HASH, PASSWORD, House, serving

expect.set_options(timeout=15_000)
MORNING = parse_instant("2026-07-01T08:50:00+08:00")
DAY = 86_400_000
STAFF = {"chen": "duty", "zhao": "manager", "li": "facilities", "wang": "counter", "wall": "viewer"}


@dataclass
class Office:
    """A house with its people, and a browser for each of them."""

    house: House
    base: str
    sign_in: Callable[..., Page]

    def row(self, sql: str) -> tuple[Any, ...] | None:
        found: tuple[Any, ...] | None = self.house.db.execute(sql).fetchone()
        return found

    def audited(self, what: str) -> list[tuple[str, dict[str, Any]]]:
        rows = self.house.db.execute(
            "SELECT who, about FROM audit WHERE what = ? ORDER BY rowid", (what,)
        )
        return [(who, json.loads(data)) for who, data in rows]


@pytest.fixture(scope="module")
def office(
    built: None, browser: Browser, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Office]:
    house = House(tmp_path_factory.mktemp("ledger"), MORNING)

    def staff(db: Any, now: int) -> None:
        db.execute("INSERT INTO meta VALUES ('first_start', ?)", (str(MORNING - 2 * DAY),))
        people.create(db, now, "admin", "admin", HASH, "test")
        for name, role in STAFF.items():
            counter = "w01" if role == "counter" else None
            people.create(db, now, name, role, HASH, "test", counter)

    house.submit(staff).result()
    faults: list[str] = []
    contexts: list[BrowserContext] = []

    with serving(house) as base:
        today = local_day(MORNING, "Asia/Shanghai")
        site, calendar = house.context.site, house.context.calendar
        assert demoledger.fill(base, PASSWORD, site, calendar, today)
        assert not demoledger.fill(base, PASSWORD, site, calendar, today)
        assert not demoledger.fill(base, "not the word", site, calendar, today)

        def sign_in(name: str, where: str, *, width: int = 1440, lang: str = "zh") -> Page:
            context = browser.new_context(viewport={"width": width, "height": 844})
            contexts.append(context)
            context.set_default_timeout(20_000)
            context.add_init_script(f"localStorage.setItem('hk.lang','{lang}')")
            login = {"user": name, "password": PASSWORD}
            assert context.request.post(base + "/api/v1/login", data=login).ok
            page = context.new_page()
            page.on("pageerror", lambda fault: faults.append(str(fault)))
            page.on("response", lambda r: r.status >= 500 and faults.append(f"{r.status} {r.url}"))
            go(page, f"{base}/#/ledger/{where}")
            return page

        yield Office(house, base, sign_in)
        for context in contexts:
            context.close()
    house.close()
    assert faults == []


def go(page: Page, address: str) -> None:
    page.goto(address)
    page.wait_for_selector(".conn.live")
    page.wait_for_selector(".ledger .card")
    page.wait_for_selector(".loading", state="detached")


def act(page: Page, name: str, **said: str) -> None:
    """Open an action's form by its button, fill it in, send it."""
    page.get_by_role("button", name=name, exact=True).first.click()
    form = page.get_by_role("form", name=name)
    for field, value in said.items():
        part = form.locator(f"[name={field}]")
        if part.evaluate("e => e.tagName") == "SELECT":
            part.select_option(value)
        else:
            part.fill(value)
    form.get_by_role("button", name=f"确认{name}").click()


def test_a_hazard_from_registration_to_its_end_by_two_people(office: Office) -> None:
    chen = office.sign_in("chen", "cases", width=390)
    assert violations(chen) == []
    rows = chen.locator(".case-row")
    expect(rows.first).to_contain_text("逾期 1 个工作日")
    chen.get_by_role("button", name="登记办件").click()
    chen.locator("main form select").first.select_option("hazard")
    chen.get_by_label("事由").fill("配电箱前堆放杂物")
    chen.get_by_label("整改期限").fill("2026-07-03")
    assert violations(chen) == []
    chen.get_by_role("button", name="登记", exact=True).click()
    expect(chen.locator(".way [aria-current]")).to_have_text("登记")
    expect(chen.locator(".case-due")).to_contain_text("还剩 2 个工作日")
    act(chen, "下发", to="后勤", note="两日内清理")
    expect(chen.locator(".way [aria-current]")).to_have_text("下发")

    # Somebody else writes while the form is open: nothing is sent, and what was typed stays.
    number = chen.url.rpartition("/")[2]
    chen.get_by_role("button", name="整改完成", exact=True).click()
    chen.locator(".act-form [name=note]").fill("已清理")
    zhao = office.sign_in("zhao", f"cases/{number}")
    act(zhao, "备注", note="请拍照留存")
    expect(chen.locator(".act-form")).to_contain_text("打开表单后有新的记录")
    chen.locator(".act-form .primary").click()
    expect(chen.locator(".form-fault", has_text="期间已有人处理")).to_be_visible()
    expect(chen.locator(".case-log")).to_contain_text("请拍照留存")
    expect(chen.locator(".act-form [name=note]")).to_have_value("已清理")
    chen.locator(".act-form .primary").click()
    expect(chen.locator(".way [aria-current]")).to_have_text("整改")
    expect(chen.get_by_role("button", name="复查", exact=True)).to_have_count(0)

    act(zhao, "复查", passed="yes", note="合格")
    act(zhao, "销号")
    expect(zhao.locator(".way [aria-current]")).to_have_text("销号")
    expect(chen.locator(".way [aria-current]")).to_have_text("销号")  # told, not asked
    assert violations(chen) == []
    assert chen.evaluate("document.documentElement.scrollWidth") <= 390
    assert [who for who, _ in office.audited("case.rectify")] == ["chen"]
    assert [who for who, about in office.audited("case.close") if about["id"] == number] == ["zhao"]


def test_an_appeal_takes_two_more_names_and_a_contact_a_reason(office: Office) -> None:
    zhao = office.sign_in("zhao", "cases")
    zhao.get_by_role("link", name="纸质差评：材料要求前后不一").click()
    act(zhao, "裁定申诉", upheld="yes", note="已核实")
    expect(zhao.get_by_role("region", name="申诉")).to_contain_text("待第二人复核")
    expect(zhao.get_by_role("button", name="复核裁定")).to_have_count(0)
    li = office.sign_in("li", zhao.url.rpartition("ledger/")[2])
    act(li, "复核裁定")
    expect(zhao.get_by_role("region", name="申诉")).to_contain_text("评价不计入统计")

    chen = office.sign_in("chen", "cases")
    chen.get_by_role("link", name="反映等候时间过长").click()
    card = chen.get_by_role("region", name="联系方式")
    expect(card).not_to_contain_text("12345")
    card.get_by_role("button", name="查看").click()
    card.get_by_label("查看原因").fill("回访")
    card.locator("form .primary").click()
    expect(card).to_contain_text("12345")
    assert violations(chen) == []
    card.get_by_role("button", name="隐藏").click()
    expect(card).not_to_contain_text("12345")
    assert [(who, about["reason"]) for who, about in office.audited("contact.read")] == [
        ("chen", "回访")
    ]


def test_a_duty_by_keyboard_and_an_entry_struck_out(office: Office) -> None:
    page = office.sign_in("li", "duties", width=390)
    today = page.get_by_role("region", name="今天应做")
    reach(page, '[data-id="equipment-check~2026-07-01"] .primary')
    page.keyboard.press("Enter")
    page.keyboard.press("Tab")
    if not page.evaluate("document.activeElement.matches('[name=state]')"):
        reach(page, "[name=state]")
    page.keyboard.type("完好")
    page.keyboard.press("Enter")
    expect(today).to_contain_text("今天没有待做的事项")
    done = page.get_by_role("region", name="已完成")
    expect(done).to_contain_text("设施状况 完好")
    assert violations(page) == []
    act(page, "作废", note="记错")
    expect(today).to_contain_text("消防设施每日检查")
    assert [about["why"] for who, about in office.audited("register.strike")][-1] == "记错"

    go(page, f"{office.base}/#/ledger/registers/courier")
    lines = page.locator(".ledger-rows > .entry")
    before = lines.count()
    act(page, "登记快递", direction="out", document="许可证", to="申请人")
    expect(lines).to_have_count(before + 1)
    mine = lines.filter(has_text="许可证")
    mine.get_by_role("button", name="作废").click()
    mine.locator("[name=note]").fill("重复登记")
    mine.locator("form .primary").click()
    expect(page.locator(".entry.struck", has_text="许可证")).to_contain_text("重复登记")
    expect(lines).to_have_count(before + 1)


def test_hot_work_demands_its_ticks(office: Office) -> None:
    page = office.sign_in("zhao", "registers/hot-work")
    given = {"kind": "hot-work", "zones": ["hall-1f"], "reason": "焊接"}
    given |= {"from": "2026-07-02T18:00:00+08:00", "to": "2026-07-02T19:00:00+08:00"}
    assert page.request.post(office.base + "/api/v1/permits", data=given).ok
    page.get_by_role("button", name="审批动火作业").click()
    form = page.get_by_role("form", name="审批动火作业")
    for name, value in {
        **{"place": "机房", "work": "切割", "applicant": "后勤", "supervisor": "赵"},
        **{"height_m": "2.5", "to-time": "20:00"},
    }.items():
        form.locator(f"[name={name}]").fill(value)
    send = form.locator(".primary")
    send.click()
    assert form.locator("[name=watcher]").evaluate("e => e.validity.valueMissing")
    form.locator("[name=watcher]").fill("钱")
    send.click()
    assert form.locator("[name=cleared_5m]").evaluate("e => e.validity.valueMissing")
    form.locator("[name=cleared_5m]").check()
    form.locator("[name=extinguishers]").check()
    # what the page does not foresee is said by the field's own name
    height = form.locator("[name=height_m]")
    height.evaluate("e => e.removeAttribute('max')")
    for field, wrong, right, name in (
        (form.locator("[name=to-time]"), "00:01", "20:00", "“结束日期”、“结束时刻”"),
        (height, "900", "2.5", "“离地高度（米）”"),
    ):
        field.fill(wrong)
        send.click()
        expect(form.locator("..").locator(".form-fault")).to_have_text(f"没有完成：请核对：{name}")
        field.fill(right)
    send.click()
    expect(page.locator(".entry", has_text="切割")).to_contain_text("下方看护人 钱")
    expect(page.get_by_role("region", name="未经核对的动火豁免")).to_contain_text("焊接")
    assert office.row("SELECT count(*) FROM permit WHERE kind = 'hot-work'") == (3,)
    assert violations(page) == []


@pytest.mark.parametrize(
    ("lang", "opens", "shown", "wrong"),
    [
        ("zh", "打开月份选择", ("2026年", "2025年", "12月"), "请填写月份"),
        ("en", "Open the months", ("2026", "2025", "December"), "Give a month"),
    ],
)
def test_a_month_is_typed_or_picked_in_the_pages_language(
    office: Office, lang: str, opens: str, shown: tuple[str, ...], wrong: str
) -> None:
    page = office.sign_in("zhao", "attendance", width=390, lang=lang)
    field = page.locator(".ledger-tools input")
    expect(field).to_have_value("2026-07")
    page.get_by_role("button", name=opens).click()
    months = page.get_by_role("dialog")
    expect(months.locator("b")).to_have_text(shown[0])
    assert violations(page) == []
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    page.keyboard.press("PageUp")
    expect(months.locator("b")).to_have_text(shown[1])
    for key in ("ArrowDown", "ArrowDown", "ArrowLeft"):
        page.keyboard.press(key)
    expect(months.get_by_role("button", name=shown[2], exact=True)).to_be_focused()
    page.keyboard.press("Enter")
    expect(months).to_have_count(0)
    expect(field).to_have_value("2025-12")
    expect(field).to_be_focused()
    page.get_by_role("button", name=opens).click()
    page.keyboard.press("Escape")
    expect(months).to_have_count(0)
    field.fill("2025-13")
    assert wrong in field.evaluate("e => e.validationMessage")
    with page.expect_response("**/attendance?month=2026-05*"):
        field.fill("2026-05")
        page.keyboard.press("Tab")


def test_who_was_not_seen_is_confirmed_by_name(office: Office) -> None:
    lead = office.sign_in("wang", "appointments")
    expect(lead.get_by_role("link", name="考勤")).to_have_count(0)
    act(
        *(lead, "登记预约"),
        **{"counter": "w01", "matter": "刻章备案", "day": "2026-07-01"},
        **{"from-time": "19:00", "to-time": "19:30", "card": "610329"},
    )
    coming = lead.get_by_role("region", name="今天及以后的预约")
    expect(coming).to_contain_text("刻章备案")
    office.house.at += DAY
    page = office.sign_in("chen", "appointments")
    asked = page.get_by_role("region", name="待确认：疑似失约")
    expect(asked.locator(".ap-row")).to_have_count(2)
    assert violations(page) == []
    row = asked.locator(".ap-row", has_text="刻章备案")
    row.get_by_role("button", name="确认失约").click()
    row.locator("[name=note]").fill("电话未接")
    row.locator("form .primary").click()
    expect(asked.locator(".ap-row")).to_have_count(1)
    past = page.get_by_role("region", name="以往的预约").locator(".ap-row", has_text="刻章备案")
    expect(past).to_contain_text("本年失约 1 次")
    # On Saturday, 07-04, ten minutes before the other one begins: the entry is still to come.
    office.house.at += 2 * DAY + 60 * 60_000
    go(page, f"{office.base}/#/ledger/duties")
    page.reload()
    go(page, f"{office.base}/#/ledger/appointments")
    row = page.get_by_role("region", name="今天及以后的预约").locator(".ap-row")
    expect(row).to_contain_text("未登记进入")
    row.get_by_role("button", name="进入登记").click()
    row.locator("[name=who]").fill("申请人")
    row.locator("form .primary").click()
    expect(row).to_contain_text("09:50 已登记进入 申请人")
    office.house.at = MORNING
    assert b"610329" not in (office.house.data / "hallkeeper.db").read_bytes()


def test_a_file_of_punches_is_looked_at_then_taken(office: Office) -> None:
    page = office.sign_in("zhao", "attendance")
    faulty = "工号,姓名,时间\n7,孙,2026-07-01 08:50\n7,孙,昨天\n"
    pick = page.locator("input[type=file]")

    def file(text: str) -> dict[str, Any]:
        return {"name": "七月.csv", "mimeType": "text/csv", "buffer": text.encode("gb18030")}

    pick.set_input_files([file(faulty)])
    expect(page.locator(".faults")).to_contain_text("第 3 行 没有日期 昨天")
    assert violations(page) == []
    expect(page.get_by_role("button", name="导入", exact=True)).to_have_count(0)
    page.get_by_role("button", name="取消").click()
    pick.set_input_files([file(faulty.replace("昨天", "2026-07-02 09:15"))])
    expect(page.locator(".look")).to_contain_text("读到 2 次打卡，1 人")
    page.get_by_role("button", name="导入", exact=True).click()
    expect(page.locator(".form-done")).to_contain_text("新增 2 次")
    expect(page.locator(".ledger-table")).to_contain_text("07-02 上午 20 分")
    assert [who for who, about in office.audited("attendance.import")][-1] == "zhao"


def test_a_wall_screen_sees_the_duties_and_offers_nothing(office: Office) -> None:
    page = office.sign_in("wall", "cases", lang="en")
    expect(page.locator(".segments a")).to_have_count(1)
    expect(page.locator(".duty-row").first).to_be_visible()
    expect(page.locator("main .actions")).to_have_count(0)
