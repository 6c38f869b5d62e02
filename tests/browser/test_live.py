"""What changes while one looks: presses, lamps, alerts, a lost connection; and the keyboard."""

from __future__ import annotations

import pytest
import records
from conftest import Hall, Open
from playwright.sync_api import expect

LAMP = {
    "channel": "pm-02/c1",
    "kind": "power",
    "at": "2026-07-01T18:12:03.000+08:00",
    "known": True,
}


@pytest.mark.parametrize("width", [1440, 390])
def test_a_press_is_counted_and_a_lamp_changes_without_reload(
    hall: Hall, open_page: Open, width: int
) -> None:
    page = open_page(hall, "overview", width=width)
    page.evaluate("window.stayed = true")
    count = page.get_by_test_id("rating-n")
    before = int(count.inner_text())
    hall.emit("rating", {"counter": "w01", "n": 24})
    expect(count).to_have_text(str(before + 1))
    lamp = page.locator('[data-id="l-hall-2f"]')
    expect(lamp).to_contain_text("关")
    hall.emit("channel", {**LAMP, "values": {"w": 300}})
    expect(lamp).to_contain_text("开 300 W")
    hall.emit("channel", {**LAMP, "known": False, "values": {"w": 300}})
    expect(lamp).to_contain_text("未知")
    assert page.evaluate("window.stayed") is True


def test_a_finding_comes_and_goes(hall: Hall, open_page: Open) -> None:
    page = open_page(hall, "overview")
    finding = {
        "id": "f-99",
        "rule": "firedoor.open",
        "subject": "fire-door-1",
        "zone": "office-1f",
        "since": "2026-07-01T18:11:00.000+08:00",
        "start": "2026-07-01T18:12:00.000+08:00",
        "end": None,
        "severity": "warning",
        "cites": ["消防 三.2"],
        "evidence": {},
        "state": "open",
    }
    hall.emit("finding", finding)
    row = page.locator(".now .row", has_text="防火门未关闭")
    expect(row).to_be_visible()
    hall.emit("finding", {**finding, "end": "2026-07-01T18:12:30.000+08:00", "state": "ended"})
    expect(row).to_have_count(0)


@pytest.mark.parametrize("width", [1440, 390])
def test_a_lost_connection_is_said_and_ends(hall: Hall, open_page: Open, width: int) -> None:
    page = open_page(hall, "overview", width=width)
    hall.down()
    banner = page.get_by_role("alert").filter(has_text="连接已断开")
    expect(banner).to_be_visible(timeout=10_000)
    expect(banner).to_contain_text("18:12")
    hall.up()
    expect(banner).to_have_count(0, timeout=20_000)
    expect(page.locator(".conn.live")).to_be_visible()


def test_one_thumb_acknowledges_the_locked_exit(hall: Hall, open_page: Open) -> None:
    page = open_page(hall, "overview", width=390)
    page.get_by_role("navigation").get_by_role("link", name="值班").click()
    card = page.get_by_role("region", name="安全出口上锁")
    expect(card).to_contain_text("东安全出口")
    button = card.get_by_role("button", name="确认")
    box = button.bounding_box()
    assert box
    assert box["height"] >= 44
    with page.expect_response("**/api/v1/alerts/a-1/ack"):
        button.click()
    assert [c["path"] for c in hall.calls()] == ["/api/v1/alerts/a-1/ack"]


def test_a_redraw_swallows_no_tap(hall: Hall, open_page: Open) -> None:
    page = open_page(hall, "duty", width=390)
    button = page.get_by_role("region", name="安全出口上锁").get_by_role("button", name="确认")
    button.hover()
    page.mouse.down()
    hall.emit("channel", {**LAMP, "values": {"w": 300}})
    expect(page.locator(".check").get_by_text("二楼照明")).to_be_visible()
    with page.expect_response("**/api/v1/alerts/a-1/ack"):
        page.mouse.up()


FLASHING = """() => document.getAnimations().filter(a => a.animationName === 'flash')
  .map(a => a.effect.getTiming().duration)"""
COUNTED = """() => {
  window.tones = 0;
  const make = AudioContext.prototype.createOscillator;
  AudioContext.prototype.createOscillator = function () {
    window.tones += 1;
    return make.call(this);
  };
}"""


def test_only_what_nobody_acknowledged_flashes_and_sounds(hall: Hall, open_page: Open) -> None:
    page = open_page(hall, "duty", width=390)
    page.emulate_media(reduced_motion="reduce")
    cards = page.locator(".alert-card")
    expect(cards.first).to_be_visible()
    periods = page.evaluate(FLASHING)
    assert set(periods) == {1000}  # ms: 1 Hz, also under reduced motion
    assert len(periods) == page.locator(".flash-box").count() > 0
    page.evaluate(COUNTED)
    page.get_by_role("button", name="打开声音提醒").click()  # one tap allows it
    page.wait_for_function("tones > 0")
    page.get_by_role("navigation").get_by_role("link", name="安全").click()  # and on every page
    page.evaluate("tones = 0")
    page.wait_for_function("tones > 0")
    page.evaluate("location.hash = '#/alerts'")
    rows = page.locator("tbody tr", has_text="未确认")
    expect(rows.first).to_be_visible()
    for alert in records.alerts():
        if alert["state"] == "unacknowledged":
            hall.emit("alert", {**alert, "state": "acknowledged"})
    expect(rows).to_have_count(0)
    assert page.evaluate(FLASHING) == []


def test_shelving_needs_a_reason_and_critical_offers_none(hall: Hall, open_page: Open) -> None:
    page = open_page(hall, "alerts")
    rows = page.locator("tbody tr")
    expect(rows.first).to_contain_text("安全出口上锁")
    expect(rows.first.get_by_role("button", name="搁置")).to_have_count(0)
    second = rows.nth(1)
    second.get_by_role("button", name="搁置").first.click()
    second.locator("form button").click()
    assert hall.calls() == []
    second.get_by_label("原因").fill("等待维修")
    with page.expect_response("**/shelve"):
        second.locator("form button").click()
    assert hall.calls()[-1]["body"] == {"minutes": 15, "reason": "等待维修"}


@pytest.mark.parametrize("width", [1440, 390])
@pytest.mark.parametrize("where", ["overview", "alerts", "duty"])
def test_everything_is_reached_by_keyboard_with_a_visible_focus(
    hall: Hall, open_page: Open, where: str, width: int
) -> None:
    page = open_page(hall, where, width=width)
    wanted = page.evaluate(
        """() => [...document.querySelectorAll('a[href], button, input, select')]
          .filter(e => e.offsetParent !== null || getComputedStyle(e).position === 'fixed')
          .map((e, i) => (e.dataset.stop = String(i)))"""
    )
    reached = set()
    for _ in range(3 * len(wanted) + 60):  # a date input has several stops of its own
        page.keyboard.press("Tab")
        stop, outline = page.evaluate(
            """() => { const e = document.activeElement, s = getComputedStyle(e);
              const seen = s.outlineStyle !== 'none' && s.outlineWidth !== '0px';
              return [e.dataset.stop ?? null, seen] }"""
        )
        if stop is not None:
            assert outline, f"no visible focus on stop {stop}"
            reached.add(stop)
        if len(reached) == len(wanted):
            break
    assert reached == set(wanted)


def test_many_alerts_are_drawn_a_hundred_at_a_time(hall: Hall, open_page: Open) -> None:
    page = open_page(hall, "alerts")
    stood = page.locator("tbody tr").count()
    at = "2026-07-01T10:00:00+08:00"
    base = {"rule": "device.silent", "severity": "warning", "state": "unacknowledged"}
    for n in range(120):
        alert = base | {"id": f"b-{n}", "subject": "pm-01", "zone": None, "since": at, "opened": at}
        hall.emit("alert", alert)
    more = page.get_by_role("button", name=f"另有 {stood + 20} 条")
    expect(more).to_be_visible()
    assert page.locator("tbody tr").count() == 100
    more.click()
    expect(page.locator("tbody tr")).to_have_count(stood + 120)
