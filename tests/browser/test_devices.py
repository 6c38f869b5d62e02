"""设备 on the gateway's own HTTP side, and with a pad's real firmware that is told to blink."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from pathlib import Path

import pytest
from conftest import Hall, Open
from playwright.sync_api import Browser, Page, expect
from test_pages import violations

from gateway import credentials, people
from gateway.events import Event, decode_one
from gateway.journal import StoredEvent
from gateway.staleness import Staleness
from gateway.turns import Turn
from tests.gateway.api.house import HASH, NOON, House, serving
from tests.gateway.api.house import PASSWORD as WORD
from tests.journey import deployed
from tests.journey.hall import PASSWORD, Device, Person, Serve
from tests.journey.test_tls import SECRET, Client, shows, strangers
from tests.waiting import wait_for

expect.set_options(timeout=15_000)
MINUTE = 60_000
DAY = 24 * 60 * MINUTE
WORDS = {
    "zh": {
        "silent": "离线",
        "stale": "已 23 分",
        "dead": "c2（一号窗口插座）",
        "unset": "未对时",
        "denied": "无权使用该主题",
        "days": "剩 5 天",
        "restart": "重启",
        "waiting": "待发送",
        "again": "同样的命令还在执行",
        "begin": "开始检修",
        "left": "检修中，还剩 1 小时",
        "end": "提前结束",
        "back": "← 设备",
        "commands": "设备指令",
    },
    "en": {
        "silent": "Silent",
        "stale": "silent for 23 min",
        "dead": "c2 (一号窗口插座)",
        "unset": "not set",
        "denied": "it may not use that topic",
        "days": "5 days left",
        "restart": "Restart",
        "waiting": "waiting to be sent",
        "again": "a command like it is under way",
        "begin": "Begin maintenance",
        "left": "under maintenance, 1 h",
        "end": "End now",
        "back": "← Devices",
        "commands": "Commands to devices",
    },
}


def prepare(db: sqlite3.Connection, now: int) -> None:
    """A manager; a meter with a refusal and a health report, a door sensor's flat battery."""
    people.create(db, now, "chen", "manager", HASH, "test")
    db.execute(
        "INSERT INTO device (id, state, state_at, fw, kind, rejected)"
        " VALUES ('pm-01', 'ready', ?, '1.0.0', 'power-meter', 1)",
        (now,),
    )
    db.execute(
        "INSERT INTO reject (at, topic, device, reason, head) VALUES (?,?,'pm-01',?,X'')",
        (now, "hall/1/fengxian/pm-02/event", "publish not allowed"),
    )
    for device, fields in (
        ("pm-01", '{"held":3,"dropped":0,"ages":{"c1":4,"c2":700}}'),
        ("door-02", '{"held":0,"dropped":2,"battery":15.0}'),
    ):
        db.execute(
            "INSERT INTO last_value (device, kind, ch, what, t, boot, seq, log, fields)"
            " VALUES (?, 'health', '', '', ?, 1, 1, '9f3a1c22', ?)",
            (device, now - MINUTE, fields),
        )


@pytest.fixture
def house(tmp_path: Path) -> Iterator[House]:
    made = House(tmp_path, NOON)
    made.event("pm-01", 1, "health", NOON - MINUTE, at=NOON - MINUTE)
    made.event("pm-01", 4, "health", NOON - MINUTE, at=NOON - MINUTE)
    made.event("door-02", 1, "health", None, at=NOON - MINUTE)
    made.event("occ-01", 1, "health", NOON - 23 * MINUTE, at=NOON - 23 * MINUTE)
    made.submit(prepare).result()
    credentials.save(tmp_path, credentials.certified("pm-01", "00", NOON + 5 * DAY + 1))
    yield made
    made.close()


def dead_sensor(house: House, db: sqlite3.Connection, now: int) -> str:
    """pm-01 reports that c2 was not read for longer than it may be; the alert's id."""
    said = '{"log":"9f3a1c22","seq":9,"boot":1,"up":1,"t":null,"kind":"health","ages":{"c2":700}}'
    event = decode_one(said.encode())
    assert isinstance(event, Event)
    stage = Staleness(house.context.site)
    stage.load(db, now)
    report = StoredEvent("pm-01", "9f3a1c22", 9, 1, 1, None, now, event, new=True)
    stage.turn(db, Turn(now, 0.0, [report]))
    return str(db.execute("SELECT id FROM alert WHERE rule = 'device.stale'").fetchone()[0])


def signed_in(
    browser: Browser, base: str, user: str, word: str, lang: str = "zh", width: int = 1440
) -> Page:
    context = browser.new_context(viewport={"width": width, "height": 844})
    context.add_init_script(f"localStorage.setItem('hk.lang','{lang}')")
    context.set_default_timeout(20_000)
    page = context.new_page()
    page.goto(base)
    page.locator("input").nth(0).fill(user)
    page.locator('input[type="password"]').fill(word)
    page.locator('button[type="submit"]').click()
    expect(page.locator(".conn.live")).to_be_visible()
    return page


@pytest.mark.parametrize(("lang", "width"), [("zh", 390), ("en", 1440)])
def test_every_device_as_it_stands_and_what_is_done_with_one(
    built: None, browser: Browser, house: House, lang: str, width: int
) -> None:
    says = WORDS[lang]
    with serving(house) as base:
        page = signed_in(browser, base, "chen", WORD, lang, width)
        page.goto(base + "/#/devices")
        meter = page.locator('[data-device="pm-01"]')
        expect(meter).to_contain_text("1.0.0")
        expect(meter).to_contain_text("2–3")
        expect(meter).to_contain_text(says["denied"])
        expect(meter).to_contain_text(says["days"])
        door = page.locator('[data-device="door-02"]')
        expect(door).to_contain_text(says["unset"])
        expect(door.locator(".bad")).to_contain_text([says["unset"], "15%"])
        page.get_by_role("button", name=says["silent"]).click()
        expect(meter).to_have_count(0)
        stale = page.locator('[data-device="occ-01"].silent')
        expect(stale).to_contain_text(says["stale"])
        page.get_by_role("group").get_by_role("button").first.click()
        assert violations(page) == []

        meter.locator("a").press("Enter")  # by keyboard, and a link of its own
        expect(page).to_have_url(base + "/#/devices/pm-01")
        expect(page.get_by_role("link", name=says["back"])).to_be_focused()
        expect(page.get_by_role("cell", name=says["denied"])).to_be_visible()
        restart = page.get_by_role("button", name=says["restart"])
        form = page.locator("form", has=restart)
        for _ in range(2):
            form.locator("input").fill("升级后检查")
            restart.click()
            expect(form.locator("input")).not_to_be_empty() if _ else expect(
                form.locator("input")
            ).to_be_empty()
        expect(form).to_contain_text(says["again"])
        expect(page.locator(".dev-latest").nth(1)).to_contain_text(says["waiting"])
        asked = house.db.execute("SELECT device, do, cause, person, state FROM command").fetchall()
        assert [tuple(row) for row in asked] == [
            ("pm-01", "restart", "升级后检查", "chen", "queued")
        ]
        work = page.locator("form", has=page.get_by_role("button", name=says["begin"]))
        work.locator("input").fill("换互感器")
        work.get_by_role("button").click()
        expect(page.locator(".dev-work")).to_contain_text(says["left"])
        expect(page.locator(".dev-work")).to_contain_text("换互感器")
        assert violations(page) == []
        assert page.evaluate("document.documentElement.scrollWidth") <= width
        page.get_by_role("button", name=says["end"]).click()
        expect(page.locator(".dev-work")).to_have_count(0)
        done = [row[0] for row in house.db.execute("SELECT what FROM audit ORDER BY id")]
        assert [what for what in done if what.startswith(("device.", "maintenance."))] == [
            "device.restart",
            "maintenance.begin",
            "maintenance.end",
        ]

        # A dead sensor's alert brackets the thing's name as the language does.
        alert = house.submit(lambda db, now: dead_sensor(house, db, now)).result()
        page.goto(f"{base}/#/alerts/{alert}")
        expect(page.locator(".check", has_text=says["dead"])).to_have_count(1)
        expect(page.locator(".sentence")).to_contain_text(says["dead"])
        page.goto(base + "/#/devices/none")
        expect(page.locator(".empty")).to_be_visible()
        page.goto(base + "/#/devices")
        outbox = page.locator("li.dev", has_text=says["commands"])
        expect(outbox.locator("dd").first).to_have_text("1")
        page.context.close()


def test_a_viewer_is_offered_nothing_to_do(built: None, browser: Browser, house: House) -> None:
    house.submit(lambda db, now: people.create(db, now, "wall", "viewer", HASH, "test")).result()
    with serving(house) as base:
        page = signed_in(browser, base, "wall", WORD)
        page.goto(base + "/#/devices/pm-01")
        expect(page.locator(".dev-whole")).to_be_visible()
        expect(page.locator("form")).to_have_count(0)
        page.goto(base + "/#/devices")
        expect(page.locator('[data-device="pm-01"]')).to_be_visible()
        expect(page.locator('[data-device="pad-w01"]')).to_have_count(0)
        page.context.close()


def test_a_lost_connection_keeps_what_was_known(hall: Hall, open_page: Open) -> None:
    page = open_page(hall, "devices")
    cards = page.locator("[data-device]").count()
    assert cards > 5
    hall.emit("device", {"id": "pm-01", "state": "lost"})
    expect(page.locator('[data-device="pm-01"]')).to_contain_text("连接中断")
    hall.down()
    expect(page.locator(".conn.live")).to_have_count(0)
    expect(page.locator("[data-device]")).to_have_count(cards)


def test_a_pad_blinks_when_it_is_told_to(built: None, browser: Browser, tmp_path: Path) -> None:
    """The page, the gateway, the broker, the firmware, and back."""
    with Serve(tmp_path) as gateway, Device(gateway, "pad-w01") as pad:
        page = signed_in(browser, gateway.url + "/", "admin", PASSWORD)
        page.goto(gateway.url + "/#/devices/pad-w01")
        expect(page.locator(".dev-whole")).to_contain_text("在线")
        page.get_by_role("button", name="识别").click()
        expect(page.locator(".dev-latest").first).to_contain_text("已完成")
        assert {"led": "identify"} in pad.did
        page.context.close()


def test_whom_a_mosquitto_refused_and_why(
    built: None, browser: Browser, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A real broker's log, the gateway that reads it, the page, in both languages."""
    monkeypatch.setenv("HALLKEEPER_CA_PASSWORD", SECRET)
    with deployed.hall(tmp_path, "pm-01") as (gateway, _):
        person = Person(gateway)
        for n, (_, context) in enumerate(strangers(gateway), start=1):
            Client(gateway, "pm-01", context).close()
            wait_for(lambda n=n: len(person.items("rejects")) == n)
        meter = Client(gateway, "pm-01", shows(gateway, "pm-01"))
        meter.client.publish("hall/1/fengxian/pad-w01/event", b"{}", qos=1)
        wait_for(lambda: len(person.items("rejects")) == n + 1)
        meter.close()
        for lang, says, width in (
            (
                "zh",
                ("证书未通过验证（过期或不是信任的机构签发）", "没有出示证书", "未加密的连接"),
                390,
            ),
            ("en", ("expired or not of a trusted authority", "no certificate", "encryption"), 1440),
        ):
            page = signed_in(browser, gateway.url + "/", "admin", PASSWORD, lang, width)
            page.goto(gateway.url + "/#/devices")
            table = page.locator("table.refused")
            for words in (*says, WORDS[lang]["denied"], "(from 127.0.0.1)"):
                expect(table.get_by_text(words).first).to_be_visible()
            expect(page.locator('[data-device="pm-01"]')).to_contain_text(WORDS[lang]["denied"])
            expect(table.get_by_role("link", name="pm-01")).to_have_count(1)
            assert page.evaluate("document.documentElement.scrollWidth") <= width
            assert violations(page) == []
            page.context.close()
