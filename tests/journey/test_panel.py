"""The duty panel with its real firmware: an alert shows and sounds; card and key answer it."""

from __future__ import annotations

from pathlib import Path

from tests.journey.hall import Device, Person, Serve
from tests.waiting import wait_for

ALERT = "SELECT state, acked_by FROM alert WHERE rule='power.hazard'"


def test_card_then_key_acknowledge_in_the_officers_name(tmp_path: Path) -> None:
    with (
        Serve(tmp_path) as gateway,
        Device(gateway, "desk-01") as panel,
        Device(gateway, "pm-01") as meter,
    ):
        person = Person(gateway)
        wait_for(lambda: person.get("devices/desk-01")["state"] == "ready", "the panel")
        panel.sees(button="ack")  # before anything has happened: answers nothing
        meter.sees(ch="d1", what="spark", active=True)
        wait_for(lambda: {"sound": "alarm"} in panel.did, "the siren")
        wait_for(lambda: any("一号窗口插座" in d.get("show", "") for d in panel.did), "the text")

        panel.sees(button="ack")  # without a card: nobody's word
        wait_for(lambda: any("请先刷卡" in d.get("show", "") for d in panel.did), "the hint")
        assert gateway.query(ALERT) == [("unacknowledged", None)]
        wait_for(lambda: panel.did.count({"sound": "alarm"}) > 1, "it to sound again")

        panel.sees(tap="04a1b2c3d4")  # a checkpoint's tag is no officer's card
        panel.sees(button="ack")
        wait_for(lambda: panel.did.count({"sound": "alarm"}) > 2, "it to sound once more")
        assert gateway.query(ALERT) == [("unacknowledged", None)]

        panel.sees(tap="04b2000001")
        panel.sees(button="ack")
        wait_for(lambda: gateway.query(ALERT) == [("acknowledged", "值班员")], "the answer")
        wait_for(lambda: panel.did[-1] == {"sound": "off"}, "silence")
        kept = gateway.query("SELECT who, about FROM audit WHERE what='alert.ack'")
        assert [who for who, _ in kept] == ["值班员"]
        assert "desk-01" in kept[0][1]
