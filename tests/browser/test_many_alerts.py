"""More alerts than the page reads, on the gateway's own HTTP side: all are counted, the worst is
on top, and the page is of use meanwhile."""

from __future__ import annotations

import sqlite3
from pathlib import Path

from playwright.sync_api import Browser, expect

from gateway import alerts, people
from gateway.findings import Finding
from gateway.site import Noise
from tests.gateway.api.house import HASH, PASSWORD, House, serving

expect.set_options(timeout=15_000)
OPEN = 2300  # the pages read at most 2,000


def burst(db: sqlite3.Connection, now: int) -> None:
    """The newest of all is the one that is critical; a hundred are acknowledged."""
    for n in range(OPEN):
        at, severity = now + n, "critical" if n == OPEN - 1 else "warning"
        finding = Finding("firedoor.open", f"door-{n}", "hall-1f", at, at, None, severity, ())
        db.execute(
            "INSERT INTO finding (id,rule,subject,zone,since,start,severity,cites,evidence,state,"
            "seen,changed) VALUES (?,?,?,?,?,?,?,'[]','{}','open',?,?)",
            (f"f-{n:06}", *finding.key[:2], "hall-1f", at, at, severity, at, at),
        )
        alerts.raised(db, at, f"f-{n:06}", finding, Noise())
        if n < 100:
            alerts.acknowledge(db, at, f"a-{n:06}", "wang", Noise())


def test_all_are_counted_and_the_worst_is_on_top(
    built: None, browser: Browser, tmp_path: Path
) -> None:
    house = House(tmp_path)
    house.submit(lambda db, now: people.create(db, now, "chen", "duty", HASH, "test")).result()
    house.submit(burst).result()
    context = browser.new_context(viewport={"width": 390, "height": 844})
    page = context.new_page()
    faults: list[str] = []
    page.on("pageerror", lambda fault: faults.append(str(fault)))
    with serving(house) as base:
        context.request.post(base + "/api/v1/login", data={"user": "chen", "password": PASSWORD})
        page.goto(base + "/#/alerts")
        strip = page.locator(".strip")

        def others(n: int) -> None:
            expect(strip).to_contain_text(f"另有 {n} 条")

        others(OPEN - 101)
        expect(strip.locator(".strip-main")).to_contain_text(f"door-{OPEN - 1}")
        rows = page.locator(".alerts-table tbody tr")
        expect(rows).to_have_count(100)
        expect(rows.first).to_contain_text(f"door-{OPEN - 1}")
        with page.expect_response("**/ack"):  # at once, whatever is still being read
            rows.first.get_by_role("button").first.click()
        others(OPEN - 102)
        expect(strip.locator(".strip-main")).to_contain_text("door-100")
        # another officer acknowledges one that this page has not read, and no stream tells of it
        house.submit(
            lambda db, now: alerts.acknowledge(db, now, f"a-{OPEN - 2:06}", "li", Noise())
        ).result()
        others(OPEN - 103)
        assert page.evaluate("document.documentElement.scrollWidth") <= 390
        page.screenshot(path=tmp_path / "many.png")
        context.close()
    house.close()
    assert faults == []
