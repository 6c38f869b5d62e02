"""Real firmware and a real gateway at closing time: who is switched off, and who is not."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from tests.journey.hall import SITE, Device, Person, Serve
from tests.waiting import wait_for

CLOSE = "2026-07-01T18:00:00.000+08:00"  # an hour after the counters close
SECOND_COUNTER = """
[[circuit]]
id = "sockets-w02"
name = "二号窗口插座"
zone = "hall-1f"
use = "counter"
meter = "pm-01/c3"
relay = "pm-01/r3"
rated_w = 2500
"""


def only(person: Person, rule: str, subject: str) -> dict[str, Any] | None:
    """The one finding of a rule and subject; None while there is none."""
    found = [f for f in person.items(f"findings?rule={rule}") if f["subject"] == subject]
    assert len(found) < 2, found
    return found[0] if found else None


def value(person: Person, channel: str, field: str) -> Any:
    return person.get("now")["channels"].get(channel, {}).get("values", {}).get(field)


def test_a_forgotten_lamp_goes_out_at_closing(tmp_path: Path) -> None:
    with (
        Serve(tmp_path, start="2026-07-01T17:59:40+08:00") as gateway,
        Device(gateway, "pm-01") as meter,
        Device(gateway, "occ-01") as room,
    ):
        meter.sees(ch="c1", w=1200)
        room.sees(ch="p1", present=False)
        person = Person(gateway)
        wait_for(lambda: value(person, "pm-01/c1", "w") == 1200, "the lamp's 1200 W")
        wait_for(lambda: value(person, "occ-01/p1", "present") is False, "the empty zone")
        assert person.get("now")["now"] < CLOSE, "too slow a machine: it is already past closing"
        assert only(person, "lights.after-close", "l-hall") is None
        opened = wait_for(lambda: only(person, "lights.after-close", "l-hall"), "the finding")
        assert (opened["since"], opened["start"]) == (CLOSE, CLOSE)
        assert (opened["zone"], opened["severity"], opened["end"]) == ("hall-1f", "warning", None)

        wait_for(lambda: {"ch": "r1", "on": False} in meter.did, "the relay to open")
        wait_for(lambda: value(person, "pm-01/c1", "w") == 0, "the meter at 0 W")
        ended = wait_for(
            lambda: (f := only(person, "lights.after-close", "l-hall")) and f["end"] and f,
            "the end of the finding",
        )
        assert ended["end"] >= "2026-07-01T18:00:02"  # switched only after `settle`
        command = "SELECT device, ch, do, cause, state, tries FROM command WHERE ch='r1'"
        wait_for(
            lambda: gateway.query(command) == [("pm-01", "r1", "off", opened["id"], "done", 1)],
            "the command to be done",
        )
        relay = gateway.query(
            "SELECT json_extract(payload,'$.cmd'), json_extract(payload,'$.on') FROM event"
            " WHERE kind='relay' AND json_extract(payload,'$.cause')='command'"
        )
        assert relay == [(gateway.query("SELECT id FROM command WHERE ch='r1'")[0][0], 0)]
        assert gateway.query("SELECT made_at - start FROM command, finding WHERE cause=finding.id")[
            0
        ][0] in range(2000, 4000)


def test_who_still_works_keeps_light_and_power(tmp_path: Path) -> None:
    site = tmp_path / "site.toml"
    site.write_text(SITE.read_text("utf-8") + SECOND_COUNTER, "utf-8")
    with (
        Serve(tmp_path, site=site, start="2026-07-01T17:51:00+08:00", speed=60) as gateway,
        Device(gateway, "pm-01") as meter,
        Device(gateway, "occ-01") as room,
        Device(gateway, "desk-01") as desk,
    ):
        room.sees(ch="p1", present=True)
        for channel, watts in (("c1", 1200), ("c2", 20), ("c3", 100)):
            meter.sees(ch=channel, w=watts)
        person = Person(gateway)

        # Lit and occupied: told, never dark (rulebook X9).
        lamp = wait_for(lambda: only(person, "lights.after-close", "l-hall"), "the lamp's finding")

        # A counter's standby: warned of after its hold, cut five minutes later.
        idle = wait_for(lambda: only(person, "power.standby", "sockets-w01"), "the idle counter")
        busy = wait_for(lambda: only(person, "power.standby", "sockets-w02"), "the busy counter")
        assert idle["start"] == busy["start"] == "2026-07-01T18:15:00.000+08:00"
        warned = wait_for(
            lambda: gateway.query("SELECT finding, device, ch, do, state FROM pending_switch"),
            "the warning",
        )
        assert warned == [(idle["id"], "pm-01", "r2", "off", "waiting")]
        wait_for(lambda: any("一号窗口插座" in d.get("show", "") for d in desk.did), "the panel")
        assert {"ch": "r2", "on": False} not in meter.did

        wait_for(lambda: {"ch": "r2", "on": False} in meter.did, "the relay to open")
        wait_for(lambda: only(person, "power.standby", "sockets-w01")["end"], "its end")
        wait_for(
            lambda: gateway.query("SELECT state FROM command WHERE ch='r2'") == [("done",)],
            "the command to be done",
        )
        waited = gateway.query(
            "SELECT c.made_at - f.start FROM command c JOIN finding f"
            " ON f.id = c.cause WHERE c.ch='r2'"
        )[0][0]
        assert waited >= 5 * 60_000
        assert only(person, "power.standby", "sockets-w02")["end"] is None
        still = only(person, "lights.after-close", "l-hall")
        assert still
        assert (still["id"], still["end"]) == (lamp["id"], None)
        assert value(person, "pm-01/c3", "w") == 100
        switched = {json.dumps(c) for c in gateway.query("SELECT ch, do FROM command WHERE ch<>''")}
        assert switched == {'["r2", "off"]'}
