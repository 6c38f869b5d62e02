"""An alert on its way: sensor on real firmware → channel, panel, page; and 10,000 alerts at once.

Run: python bench/alert.py [TIMES], 100 by default: some minutes; 0: only the 10,000 at once. Real
firmware (a power meter's smoke contact, a duty panel), the built page in Chromium, timed by the
frame that has the card; `hallkeeper serve` on a Mosquitto, a webhook on the loopback as the
channel; `settle` is 0, so that the figures are the gateway's own. Under load, the same with 1,000
readings a second beside it.
"""

from __future__ import annotations

import json
import queue
import statistics
import subprocess
import sys
import tempfile
import threading
import time
import urllib.request
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from playwright.sync_api import Page, sync_playwright  # noqa: E402

from gateway import alerts, store  # noqa: E402
from gateway.findings import Finding  # noqa: E402
from gateway.site import Noise  # noqa: E402
from tests.journey.hall import PASSWORD, SITE, Device, Person, Serve  # noqa: E402
from tests.waiting import wait_for  # noqa: E402

TIMES = int(sys.argv[1]) if len(sys.argv) > 1 else 100
SPARE_S = 900  # no journey is waited for longer in all
BURST = 10_000
ARGS = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run"]
ARGS += ["--disable-background-networking", "--disable-component-update", "--disable-sync"]
READS = 30
OPENED = 5


class Channel:
    """A webhook that notes when each message came."""

    def __init__(self) -> None:
        self.came: queue.SimpleQueue[float] = queue.SimpleQueue()
        channel = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                at = time.monotonic()
                text = self.rfile.read(int(self.headers["Content-Length"])).decode()
                if "疑似火情" in json.loads(text)["message"]:
                    channel.came.put(at)
                self.send_response(200)
                self.end_headers()

            def log_message(self, *_: Any) -> None:
                """Say nothing."""

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    @property
    def url(self) -> str:
        return f"json://127.0.0.1:{self.server.server_port}/"


def watch(person: Person, shown: queue.SimpleQueue[float]) -> None:
    try:
        for kind, data in person.events():
            fire = kind == "alert" and data["rule"] == "fire.contact"
            if kind == "retry" or (fire and data["state"] == "unacknowledged"):
                shown.put(time.monotonic())
    except OSError:  # the gateway has ended, and the stream with it
        return


def sounds(panel: Device, after: int) -> float:
    while {"sound": "alarm"} not in panel.did[after:]:
        time.sleep(0.001)
    return time.monotonic()


def fire(person: Person) -> dict[str, Any] | None:
    items = person.items("alerts?active=true")
    return next((a for a in items if a["rule"] == "fire.contact"), None)


WATCH = """() => {
  window.shownAt = 0;
  const look = () => {
    const cards = [...document.querySelectorAll('.alert-card')];
    if (cards.some((c) => c.textContent.includes('火')))
      window.shownAt = performance.timeOrigin + performance.now();
    else requestAnimationFrame(look);
  };
  requestAnimationFrame(look);
}"""
GONE = (
    "() => ![...document.querySelectorAll('.alert-card')].some(c => c.textContent.includes('火'))"
)


def journey(
    gateway: Serve, meter: Device, panel: Device, channel: Channel, screen: Page
) -> list[list[float]]:
    """ms from the contact to (channel, panel, page's event, page's frame), `TIMES` each."""
    person = Person(gateway)
    shown: queue.SimpleQueue[float] = queue.SimpleQueue()
    threading.Thread(target=watch, args=(Person(gateway), shown), daemon=True).start()
    shown.get(timeout=20)
    took: list[list[float]] = [[], [], [], []]
    until = time.monotonic() + SPARE_S
    while len(took[0]) < TIMES and time.monotonic() < until:
        heard = len(panel.did)
        screen.evaluate(WATCH)
        wall, began = time.time() * 1000, time.monotonic()
        meter.sees(ch="d1", what="smoke", active=True)
        page = shown.get(timeout=20)
        sound = sounds(panel, heard)
        sent = channel.came.get(timeout=20)
        for values, at in zip(took, (sent, sound, page), strict=False):
            values.append((at - began) * 1000)
        frame = screen.wait_for_function("() => window.shownAt").json_value()
        took[3].append(float(frame) - wall)
        alert = wait_for(lambda: fire(person), "the alert")
        person.post(f"alerts/{alert['id']}/ack")
        meter.sees(ch="d1", what="smoke", active=False)
        wait_for(lambda: fire(person) is None, "its end")
        screen.wait_for_function(GONE)
        while not shown.empty():
            shown.get()
        time.sleep(1.2)  # an address takes at most 60 messages a minute
    return took


def burst(data: Path) -> float:
    """Open 10,000 alerts in one transaction beside a stopped gateway; seconds."""
    db = store.open_writer(data)
    now, noise = int(time.time() * 1000), Noise()
    began = time.monotonic()
    db.execute("BEGIN IMMEDIATE")
    for n in range(BURST):
        severity = ("critical", "warning", "notice")[n % 3]
        finding = Finding("firedoor.open", f"door-{n}", "hall-1f", now, now, None, severity, ())
        db.execute(
            "INSERT INTO finding (id,rule,subject,zone,since,start,severity,cites,evidence,state,"
            "seen,changed) VALUES (?,'firedoor.open',?,'hall-1f',?,?,?,'[]','{}','open',?,?)",
            (f"f-{n:016x}", finding.subject, now, now, severity, now, now),
        )
        alerts.raised(db, now, f"f-{n:016x}", finding, noise)
    db.execute("COMMIT")
    db.close()
    return time.monotonic() - began


def asked(gateway: Serve, person: Person, path: str) -> float:
    """p99-ish worst of READS calls, ms."""
    took = []
    for _ in range(READS):
        request = urllib.request.Request(
            f"{gateway.url}/api/v1/{path}", headers={"Authorization": f"Bearer {person.token}"}
        )
        began = time.monotonic()
        with urllib.request.urlopen(request, timeout=30) as answer:
            answer.read()
        took.append((time.monotonic() - began) * 1000)
    return max(took)


def line(name: str, value: str) -> None:
    print(f"{name:<44}{value:>24}")


def spread(values: list[float]) -> str:
    top = sorted(values)[min(len(values) - 1, len(values) * 99 // 100)]
    return f"{statistics.median(values):.0f} / {top:.0f} ms"


def show(title: str, took: list[list[float]]) -> None:
    print(f"{title}: {len(took[0])} times, p50 / p99", flush=True)
    names = ("channel", "panel sounds", "page's event", "page's frame")
    for name, values in zip(names, took, strict=True):
        line(f"  contact to {name}", spread(values))


def signed(screen: Page, gateway: Serve, where: str) -> float:
    """Open a page of the dashboard, signed in and live; ms."""
    screen.request.post(f"{gateway.url}/api/v1/login", data={"user": "admin", "password": PASSWORD})
    began = time.monotonic()
    screen.goto("about:blank")
    screen.goto(f"{gateway.url}/#/{where}")
    screen.wait_for_selector(".conn.live")
    screen.wait_for_selector(".loading", state="detached")
    return (time.monotonic() - began) * 1000


def opened(screen: Page, gateway: Serve, where: str) -> str:
    """Of OPENED times: the median and the slowest."""
    took = [signed(screen, gateway, where) for _ in range(OPENED)]
    return f"{statistics.median(took):.0f}, slowest {max(took):.0f} ms"


REDRAWN = """() => new Promise((done) => {
  const began = performance.now();
  document.querySelectorAll('.segments button')[1].click();
  requestAnimationFrame(() => setTimeout(() => done(performance.now() - began)));
})"""

TURNED = """() => new Promise((done) => {
  const began = performance.now();
  location.hash = '#/alerts';
  const look = () => document.querySelector('.alerts-table tbody tr')
    ? setTimeout(() => done(performance.now() - began)) : requestAnimationFrame(look);
  requestAnimationFrame(look);
})"""


def main() -> None:
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path="/usr/bin/chromium", args=ARGS)
        run(browser.new_page(viewport={"width": 390, "height": 844}))
        browser.close()


def journeys(
    gateway: Serve, meter: Device, panel: Device, channel: Channel, screen: Page, port: int
) -> None:
    """At rest, then beside 1,000 readings a second."""
    signed(screen, gateway, "duty")
    show("at rest", journey(gateway, meter, panel, channel, screen))
    load = {
        **{"port": port, "devices": 100, "seconds": SPARE_S, "warm": 0},
        **{"rate": 1000, "window": 2000, "log": "00000001"},
    }
    process = subprocess.Popen([sys.executable, "-m", "bench._load", json.dumps(load)], cwd=ROOT)
    try:
        time.sleep(3)
        show("1,000 readings a second", journey(gateway, meter, panel, channel, screen))
    finally:
        process.kill()
        process.wait()


def run(screen: Page) -> None:
    channel = Channel()
    with tempfile.TemporaryDirectory() as folder:
        site = Path(folder) / "site.toml"
        more = "".join(f'[[device]]\nid = "m-{n}"\nkind = "power-meter"\n' for n in range(100))
        text = SITE.read_text("utf-8").replace('settle = "2s"', 'settle = "0s"')
        text = text.replace("env:HALLKEEPER_NOTIFY_DUTY", channel.url)
        site.write_text(text.replace('id = "fengxian"', 'id = "bench"') + more, "utf-8")
        from tests.parts import mosquitto  # the load's bare client brings no passwords

        with mosquitto(Path(folder)) as broker:
            at = f"mqtt://127.0.0.1:{broker.port}"
            with (
                Serve(Path(folder), site=site, broker=at) as gateway,
                Device(gateway, "pm-01") as meter,
                Device(gateway, "desk-01") as panel,
            ):
                ready = "SELECT count(*) FROM device WHERE state='ready'"
                wait_for(lambda: gateway.query(ready) == [(2,)], "both devices")
                if TIMES:
                    journeys(gateway, meter, panel, channel, screen, broker.port)
            print(f"{BURST} alerts at once")
            line("  written", f"{burst(gateway.data):.1f} s")
            begun = time.monotonic()
            gateway.__enter__()
            person = Person(gateway)
            count = f"SELECT count(*) >= {BURST // 3} FROM notification"
            wait_for(lambda: gateway.query(count) == [(1,)], "the critical ones told", 120)
            line(
                "  critical ones in the outbox, from the start", f"{time.monotonic() - begun:.1f} s"
            )
            for path in (
                *("alerts?active=true", "alerts?active=true&order=worst", "findings", "now"),
                "alerts?active=true&limit=1000",
            ):
                line(f"  GET /{path}, slowest of {READS}", f"{asked(gateway, person, path):.0f} ms")
            line("  page without a list, opened and drawn", opened(screen, gateway, "rules"))
            line("  page of all alerts, opened and drawn", opened(screen, gateway, "alerts"))
            screen.evaluate("location.hash = '#/rules'")
            screen.wait_for_selector(".alerts-table", state="detached")
            line("  page of all alerts from another page", f"{screen.evaluate(TURNED):.0f} ms")
            line("  a tap on it, to the next frame", f"{screen.evaluate(REDRAWN):.0f} ms")
            gateway.__exit__()
    channel.server.shutdown()


if __name__ == "__main__":
    main()
