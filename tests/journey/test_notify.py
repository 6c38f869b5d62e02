"""A detector speaks: the panel sounds, the duty officer is told, though the gateway is killed."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.gateway.test_notify import Receiver
from tests.journey.hall import Device, Person, Serve
from tests.waiting import wait_for

NIGHT = "2026-07-01T22:40:00+08:00"
ROW = "SELECT state, tries FROM notification WHERE role='duty'"


def test_a_kill_between_row_and_delivery(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with Receiver("hang") as receiver:
        monkeypatch.setenv("HALLKEEPER_NOTIFY_DUTY", receiver.url)
        gateway = Serve(tmp_path, start=NIGHT)
        gateway.__enter__()
        with Device(gateway, "desk-01") as panel, Device(gateway, "pm-01") as meter:
            meter.sees(ch="d1", what="smoke", active=True)
            wait_for(lambda: receiver.got, "the first try")
            wait_for(lambda: {"sound": "alarm"} in panel.did, "the siren")
            assert gateway.query(ROW) == [("queued", 0)]
            assert gateway.process is not None
            gateway.process.kill()
            gateway.process.wait()
        with gateway:
            person = Person(gateway)
            wait_for(lambda: gateway.query(ROW) == [("sent", 1)], "the delivery")
            first, second = receiver.got
            assert first["message"] == second["message"]
            assert "疑似火情" in first["message"]
            told = {n["to"]: n["state"] for n in person.items("alerts")[0]["notifications"]}
            assert told == {
                "siren": "sent",
                "duty": "sent",
                "facilities": "unaddressed",
                "manager": "unaddressed",
            }
            assert "secret-token" not in str(person.items("alerts"))
