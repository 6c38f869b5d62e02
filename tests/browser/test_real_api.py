"""The dashboard on the gateway's own HTTP side (a real store and server, no broker)."""

from __future__ import annotations

from pathlib import Path

from playwright.sync_api import Browser, expect

from gateway import people
from tests.gateway.api.house import House, argon2, serving

WORD = "ein langes Kennwort"


def test_sign_in_and_watch_a_lamp(built: None, browser: Browser, tmp_path: Path) -> None:
    house = House(tmp_path)
    hashed = argon2(WORD)
    house.submit(lambda db, now: people.create(db, now, "chen", "admin", hashed, "test")).result()
    context = browser.new_context(viewport={"width": 1440, "height": 900})
    page = context.new_page()
    faults: list[str] = []
    page.on("pageerror", lambda fault: faults.append(str(fault)))
    page.on("response", lambda r: r.status >= 500 and faults.append(f"{r.status} {r.url}"))
    try:
        with serving(house) as base:
            page.goto(base)
            page.get_by_label("账号").fill("chen")
            page.get_by_label("密码").fill(WORD)
            page.get_by_role("button", name="登录").click()
            expect(page.locator(".conn.live")).to_be_visible()
            lamp = page.locator('[data-id="l-hall"]')
            expect(lamp).to_contain_text("未知")
            value = {
                "channel": "pm-01/c1",
                "kind": "power",
                "at": "2026-07-01T12:30:00.000+08:00",
                "known": True,
                "values": {"w": 412},
            }
            house.live.publish("channel", value)
            expect(lamp).to_contain_text("开 412 W")
            for name in ("告警", "值班", "能耗", "安全", "评价", "台账", "报表", "设备", "规则"):
                page.get_by_role("link", name=name, exact=True).first.click()
                expect(page.locator(".nav[aria-current]").first).to_contain_text(name)
                expect(page.locator(".loading")).to_have_count(0)
                expect(page.locator(".failed")).to_have_count(0)
            context.close()
    finally:
        house.close()
    assert faults == []
