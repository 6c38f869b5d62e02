"""A browser on the built dashboard, over the stand-in gateway of dashboard/dev."""

from __future__ import annotations

import json
import subprocess
import sys
import threading
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "dashboard" / "dev"))

import fixtures  # noqa: E402
from playwright.sync_api import Browser, Page, sync_playwright  # noqa: E402

ARGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]


class Hall:
    """The stand-in, steered from a test."""

    def __init__(self, port: int) -> None:
        self.url = f"http://127.0.0.1:{port}/"

    def emit(self, event: str, data: dict[str, Any]) -> None:
        self._post("dev/emit", {"event": event, "data": data})

    def down(self) -> None:
        self._post("dev/down", {})

    def up(self) -> None:
        self._post("dev/up", {})

    def calls(self) -> list[dict[str, Any]]:
        """What the pages have posted so far."""
        with urllib.request.urlopen(self.url + "dev/calls", timeout=5) as answer:
            return list(json.load(answer))

    def _post(self, path: str, body: dict[str, Any]) -> None:
        data = json.dumps(body).encode()
        urllib.request.urlopen(urllib.request.Request(self.url + path, data), timeout=5).close()


@pytest.fixture(scope="session")
def built() -> None:
    """The dashboard, built if it is not there yet."""
    if not (fixtures.STATIC / "index.html").is_file():
        subprocess.run(["npm", "run", "build"], cwd=ROOT / "dashboard", check=True)


def _serve(empty: bool) -> Iterator[Hall]:
    server = fixtures.serve(0, empty)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield Hall(server.server_address[1])
    server.shutdown()
    server.server_close()
    thread.join(5)


@pytest.fixture
def hall(built: None) -> Iterator[Hall]:
    yield from _serve(empty=False)


@pytest.fixture
def empty_hall(built: None) -> Iterator[Hall]:
    yield from _serve(empty=True)


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        started = playwright.chromium.launch(executable_path="/usr/bin/chromium", args=ARGS)
        yield started
        started.close()


Open = Callable[..., Page]


@pytest.fixture
def open_page(browser: Browser) -> Iterator[Open]:
    """open_page(hall, hash, width=1440, lang="zh", theme="light") → a page, signed in and live.

    Fails the test at its end if the page threw or asked another host for anything.
    """
    faults: list[str] = []
    contexts = []

    def make(
        hall: Hall,
        where: str,
        *,
        width: int = 1440,
        lang: str = "zh",
        theme: str = "light",
        signed: bool = True,
    ) -> Page:
        context = browser.new_context(viewport={"width": width, "height": 844})
        contexts.append(context)
        context.add_init_script(
            f"localStorage.setItem('hk.lang','{lang}');localStorage.setItem('hk.theme','{theme}')"
        )
        if signed:
            context.add_cookies([{"name": "hk", "value": "1", "url": hall.url}])
        page = context.new_page()
        page.on("pageerror", lambda fault: faults.append(str(fault)))
        page.on(
            "request",
            lambda asked: (
                asked.url.startswith((hall.url, "data:", "blob:"))
                or faults.append(f"asked another host: {asked.url}")
            ),
        )
        page.goto(f"{hall.url}#/{where}")
        if signed:
            page.wait_for_selector(".conn.live")
            page.wait_for_selector(".loading", state="detached")
        return page

    yield make
    for context in contexts:
        context.close()
    assert not faults, faults
