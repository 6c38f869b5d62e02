"""A browser on a real hall: gateway, broker and firmware; what happens is seen without reload."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

import pytest
from conftest import Open
from playwright.sync_api import expect
from test_pages import violations

from gateway.clock import parse_instant
from gateway.ratings import DWELL_MS
from tests.journey.hall import PASSWORD, Device, Person, Serve
from tests.waiting import wait_for

WORDS = {
    "zh": ("账号", "密码", "登录", "开", "关"),
    "en": ("Account", "Password", "Sign in", "on", "off"),
}


class Real(NamedTuple):
    """A running hall; `url` is what `open_page` asks for."""

    gateway: Serve
    pad: Device
    meter: Device
    url: str

    def citizens(self, count: int) -> None:
        """So many presses, each more than the dwell after the one before."""
        for _ in range(count):
            self.citizen()

    def citizen(self) -> None:
        """One press, once the last dwell is over; back when it is stored."""
        stored = "SELECT count(*), max(at) FROM event WHERE kind='rating'"
        before, last = self.gateway.query(stored)[0]
        person = Person(self.gateway)
        wait_for(
            lambda: parse_instant(person.get("now")["now"]) > (last or 0) + DWELL_MS,
            "the dwell to be over",
        )
        self.pad.sees(press=5)
        wait_for(lambda: self.gateway.query(stored)[0][0] > before, "the press to be stored")


@pytest.fixture(scope="module")
def real(built: None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Real]:
    folder = tmp_path_factory.mktemp("hall")
    with (
        Serve(folder, start="2026-07-01T09:10:00+08:00", speed=60) as gateway,
        Device(gateway, "pad-w01") as pad,
        Device(gateway, "pm-01") as meter,
        Device(gateway, "occ-01") as room,
    ):
        room.sees(ch="p1", present=True)
        ready = "SELECT count(*) FROM device WHERE state='ready'"
        wait_for(lambda: gateway.query(ready) == [(3,)], "three devices to be ready")
        hall = Real(gateway, pad, meter, gateway.url + "/")
        hall.citizens(5)
        yield hall


def minutes(clock: str) -> int:
    """Of HH:MM…, since midnight."""
    return int(clock[:2]) * 60 + int(clock[3:5])


@pytest.mark.parametrize("width", [1440, 390])
@pytest.mark.parametrize("lang", ["zh", "en"])
def test_presses_and_a_lamp_are_seen_as_they_happen(
    real: Real, open_page: Open, lang: str, width: int
) -> None:
    user, password, sign_in, on, off = WORDS[lang]
    page = open_page(real, "overview", width=width, lang=lang, signed=False)
    page.get_by_label(user).fill("admin")
    page.get_by_label(password).fill(PASSWORD)
    page.get_by_role("button", name=sign_in).click()
    expect(page.locator(".conn.live")).to_be_visible()
    page.evaluate("window.stayed = true")

    count = page.get_by_test_id("rating-n")
    before = int(count.inner_text())
    real.citizens(4)
    expect(count).to_have_text(str(before))  # nobody sees a single press
    real.citizens(1)
    expect(count).to_have_text(str(before + 5))

    lamp = page.locator('[data-id="l-hall"]')
    real.meter.sees(ch="c1", w=612)
    expect(lamp).to_contain_text(f"{on} 612 W")
    real.meter.sees(ch="c1", w=0)
    expect(lamp).to_contain_text(off)
    expect(lamp).not_to_contain_text("612 W")

    shown = page.locator("header .clock, header time").first
    person = Person(real.gateway)
    begin = person.get("now")["now"][11:16]
    wait_for(lambda: person.get("now")["now"][11:16] > begin, "the hall's next minute")
    assert abs(minutes(shown.inner_text()) - minutes(person.get("now")["now"][11:])) < 3

    assert page.evaluate("window.stayed") is True
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    assert violations(page) == []
