"""The embedded broker with the hall's own authority: who gets in, what is told of the others."""

from __future__ import annotations

import base64
import json
import os
import ssl
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import paho.mqtt.client as mqtt
import pytest
import trustme
from paho.mqtt.enums import CallbackAPIVersion

from gateway import authority
from tests.journey.hall import SITE, Device, Person, Serve, hallkeeper
from tests.waiting import wait_for

SECRET = "a-passphrase-for-tests"


def ran(*arguments: object, secret: str = SECRET) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        hallkeeper(*arguments),
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
        stdin=subprocess.DEVNULL,
        env=os.environ | {"HALLKEEPER_CA_PASSWORD": secret},
    )


@pytest.fixture(scope="module")
def hall(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Serve]:
    folder = tmp_path_factory.mktemp("tls")
    made = ran("ca", "init", "--data", folder / "data")
    assert made.returncode == 0, made.stderr
    for device in ("pad-w01", "pm-01"):
        provision(folder, device)
    with Serve(folder) as gateway:
        yield gateway


def provision(folder: Path, device: str, *more: str) -> None:
    out = folder / device
    told = ran(
        *("provision", device, "--config", SITE, "--data", folder / "data", "--out", out, *more),
    )
    assert told.returncode == 0, told.stderr


class Client:
    """A paho client that shows a certificate; `answer` is what the broker made of it."""

    def __init__(self, hall: Serve, device: str, context: ssl.SSLContext | None) -> None:
        who = json.loads((hall.folder / device / "device.json").read_text())
        self.answer: list[str] = []
        self.client = mqtt.Client(
            CallbackAPIVersion.VERSION2, who["broker"]["client_id"], reconnect_on_failure=False
        )
        self.client.username_pw_set(device, "")
        if context is not None:
            self.client.tls_set_context(context)
        self.client.on_connect = lambda _c, _d, _f, reason, _p: self.answer.append(str(reason))
        self.client.on_disconnect = lambda *_: self.answer.append("cut")
        try:
            self.client.connect("127.0.0.1", hall.mqtt)
        except (ssl.SSLError, ConnectionError) as fault:
            self.answer.append(str(fault))
        self.client.loop_start()
        wait_for(lambda: self.answer, "an answer")

    def close(self) -> None:
        self.client.disconnect()
        self.client.loop_stop()


def shows(hall: Serve, device: str) -> ssl.SSLContext:
    """A client's context with the certificate that `provision` wrote for a device."""
    folder = hall.folder / device
    context = _trusting(hall)
    pem = ssl.DER_cert_to_PEM_cert((folder / "cert.der").read_bytes())
    body = base64.encodebytes((folder / "key.der").read_bytes()).decode()
    key = f"-----BEGIN EC PRIVATE KEY-----\n{body}-----END EC PRIVATE KEY-----\n"
    (folder / "both.pem").write_text(pem + key)
    context.load_cert_chain(folder / "both.pem")
    return context


def _trusting(hall: Serve) -> ssl.SSLContext:
    """A client's context without a certificate of its own."""
    context = ssl.create_default_context(cafile=str(hall.data / "ca" / "ca.pem"))
    context.check_hostname = False
    return context


def foreign(hall: Serve, ca: trustme.CA, **how: Any) -> ssl.SSLContext:
    context = _trusting(hall)
    ca.issue_cert("pad-w01", common_name="pad-w01", **how).configure_cert(context)
    return context


def ended(hall: Serve) -> ssl.SSLContext:
    """Of the hall's own authority, and over since a day after it began."""
    leaf = authority.issue(hall.data, "pad-w01", 0, 1)
    context = _trusting(hall)
    (hall.folder / "ended.pem").write_text(leaf.cert + leaf.key)
    context.load_cert_chain(hall.folder / "ended.pem")
    return context


def strangers(hall: Serve) -> Iterator[tuple[str, ssl.SSLContext | None]]:
    """What each of those shows that no broker lets in, and what it is."""
    yield "foreign", foreign(hall, trustme.CA())
    yield "expired", ended(hall)
    yield "no certificate", _trusting(hall)
    yield "no TLS", None
    trusts_another = ssl.create_default_context()
    trusts_another.maximum_version = ssl.TLSVersion.TLSv1_2  # as a board's; else Go is confused
    trustme.CA().configure_trust(trusts_another)
    yield "distrusts us", trusts_another


def _audited(hall: Serve, *words: str) -> bool:
    rows = hall.query("SELECT about FROM audit WHERE what LIKE '%denied%'")
    return any(all(word in str(row[0]) for word in words) for row in rows)


def test_real_firmware_rates_over_tls(hall: Serve, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HALLKEEPER_CA_PASSWORD", SECRET)
    with Device(hall, "pad-w01") as pad:
        pad.sees(press=4)
        wait_for(
            lambda: hall.query("SELECT 1 FROM event WHERE device='pad-w01' AND kind='rating'"),
            "the press",
        )


def test_who_is_refused_and_why(hall: Serve, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HALLKEEPER_CA_PASSWORD", SECRET)
    provision(hall.folder, "pad-w01")
    good = Client(hall, "pad-w01", shows(hall, "pad-w01"))
    assert good.answer == ["Success"]
    good.client.publish("hall/1/fengxian/pm-01/event", b"{}", qos=1)
    wait_for(lambda: _audited(hall, "pm-01/event", "publish not allowed"), "another's topic")
    good.close()

    person = Person(hall)
    why = {
        "foreign": "foreign",
        "expired": "expired",
        "no certificate": "no-certificate",
        "no TLS": "no-tls",
        "distrusts us": "distrusts-us",
    }
    for what, context in strangers(hall):
        before = len(person.items("rejects"))
        client = Client(hall, "pad-w01", context)
        told = wait_for(lambda n=before: person.items("rejects")[: -n or None], what)
        assert "Success" not in client.answer
        client.close()
        assert why[what] in {row["why"] for row in told}, (what, [r["reason"] for r in told])
        assert told[0]["reason"].endswith("(from 127.0.0.1)")
    assert _audited(hall, "TLS refused", "expired")

    client = Client(hall, "pad-w01", shows(hall, "pm-01"))
    wait_for(lambda: _audited(hall, "the certificate is that of", "pm-01"), "another's certificate")
    assert "Success" not in client.answer
    client.close()
    shown = {row["why"] for row in person.items("rejects")}
    assert shown >= {"topic-denied", "other-certificate"}


def test_a_new_certificate_voids_the_former(hall: Serve) -> None:
    before = shows(hall, "pad-w01")
    provision(hall.folder, "pad-w01")
    client = Client(hall, "pad-w01", before)
    wait_for(lambda: _audited(hall, "an older one of this device"), "told of it")
    assert "Success" not in client.answer
    client.close()
    again = Client(hall, "pad-w01", shows(hall, "pad-w01"))
    assert again.answer == ["Success"]
    again.close()


def test_a_certificate_that_ends_is_told_of_until_it_is_renewed(hall: Serve) -> None:
    """The old one lets its device in until the new one is shown."""
    provision(hall.folder, "pm-01", "--days", "5")
    person = Person(hall)

    def told() -> list[Any]:
        alerts = person.items("alerts?active=true")
        return [(a["subject"], a["severity"]) for a in alerts if a["rule"] == "certificate.device"]

    wait_for(lambda: told() == [("pm-01", "warning")], "the alert")
    shown = next(d for d in person.items("devices") if d["id"] == "pm-01")["certificate"]
    assert shown["days"] == 4
    before = shows(hall, "pm-01")
    provision(hall.folder, "pm-01", "--renew")
    wait_for(
        lambda: ("pm-01", "warning") not in told() or _over(person, "certificate.device"), "over"
    )
    for context, lets in ((before, True), (shows(hall, "pm-01"), True), (before, False)):
        client = Client(hall, "pm-01", context)
        assert (client.answer == ["Success"]) is lets
        client.close()


def _over(person: Person, rule: str) -> bool:
    return all(a["state"] == "returned" for a in person.items("alerts") if a["rule"] == rule)


def test_passphrases_and_a_second_authority(tmp_path: Path) -> None:
    data = tmp_path / "data"
    short = ran("ca", "init", "--data", data, secret="short")
    assert (short.returncode, "at least 10" in short.stderr) == (1, True)
    assert ran("ca", "init", "--data", data).returncode == 0
    key = (data / "ca" / "ca-key.pem").read_text()
    assert "ENCRYPTED" in key
    assert ((data / "ca" / "ca-key.pem").stat().st_mode & 0o77) == 0
    twice = ran("ca", "init", "--data", data)
    assert (twice.returncode, twice.stderr.count("\n")) == (1, 1)
    asked = ("provision", "pad-w01", "--config", SITE, "--data", data, "--out", tmp_path / "out")
    wrong = ran(*asked, secret="another-passphrase")
    assert (wrong.returncode, wrong.stderr.count("\n")) == (1, 1)
    assert "wrong passphrase" in wrong.stderr
    assert not (tmp_path / "out").exists()
