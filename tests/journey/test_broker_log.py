"""A Mosquitto with the settings of `deploy/`: who gets in, and what the gateway tells of the
others, from the broker's log."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.journey.deployed import hall
from tests.journey.hall import SITE, Device, Person, ran
from tests.journey.test_tls import SECRET, Client, shows, strangers
from tests.waiting import wait_for

VERIFY = "verify"  # OpenSSL tells Mosquitto no more than this
WHY = {
    "foreign": VERIFY,
    "expired": VERIFY,
    "no certificate": "no-certificate",
    "no TLS": "no-tls",
    "distrusts us": "distrusts-us",
}


def test_real_firmware_gets_in_and_each_refusal_is_told_with_its_reason(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HALLKEEPER_CA_PASSWORD", SECRET)
    with hall(tmp_path, "pad-w01", "pm-01") as (gateway, broker):
        person = Person(gateway)
        with Device(gateway, "pad-w01") as pad:
            pad.sees(press=4)
            asked = "SELECT 1 FROM event WHERE device='pad-w01' AND kind='rating'"
            wait_for(lambda: gateway.query(asked), "the press")
            wait_for(lambda: gateway.query("SELECT 1 FROM log WHERE acked > 0"), "its ack")
        assert person.items("rejects") == []

        def newest(before: int) -> list[dict[str, str]]:
            return wait_for(lambda: person.items("rejects")[: -before or None], "a refusal")

        told = 0
        for what, context in strangers(gateway):
            client = Client(gateway, "pad-w01", context)
            (one,) = newest(told)
            told += 1
            assert "Success" not in client.answer
            client.close()
            assert (one["why"], one["device"], one["topic"]) == (WHY[what], None, ""), what
            assert one["reason"].endswith("(from 127.0.0.1)")

        broker.rotate()
        for device, cert in (("pm-01", "pm-01"), ("pad-w01", "pm-01")):
            client = Client(gateway, device, shows(gateway, cert))
            assert client.answer == ["Success"]
            client.client.publish("hall/1/fengxian/pad-w01/event", b"{}", qos=1)
            (one,) = newest(told)
            told += 1
            client.close()
            assert (one["why"], one["device"]) == ("topic-denied", "pm-01")
            assert one["topic"] == "hall/1/fengxian/pad-w01/event"
        meter = next(d for d in person.items("devices") if d["id"] == "pm-01")
        assert (meter["rejected"], meter["last_reject"]["why"]) == (2, "topic-denied")
        assert not gateway.query("SELECT 1 FROM event WHERE device='pad-w01' AND payload='{}'")
        audited = gateway.query("SELECT about FROM audit WHERE what='broker.denied'")
        assert len(audited) == told


def test_what_the_option_needs(tmp_path: Path) -> None:
    asked = ("serve", "--config", SITE, "--data", tmp_path, "--broker-log", tmp_path / "log")
    told = ran(*asked)
    assert (told.returncode, told.stderr.count("\n")) == (1, 1)
    assert "--broker-log" in told.stderr
