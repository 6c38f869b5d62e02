"""Certificates that end are told of at 30, 7 and 1 days, once each, until they are renewed."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from hypothesis import given
from hypothesis import strategies as st

from firmware.config import BUILT
from gateway import authority, certificates, credentials, site, store
from gateway.callout import Login, decide
from gateway.certificates import DAY_MS, STEPS, CertWatch, days_left, held, step
from gateway.clock import parse_instant
from gateway.credentials import Credential
from gateway.errors import InputFault
from gateway.provision import provision
from gateway.turns import Turn

HALL = site.load(Path(__file__).parents[1] / "data" / "site.toml")
NOW = parse_instant("2027-03-01T09:00:00+08:00")
PAD = "pad-w01"


@pytest.fixture
def data(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv(authority.ENV, "a-passphrase-for-tests")
    authority.init(tmp_path, ["10.0.0.5", "hall.example"], NOW)
    return tmp_path


class House:
    """The stage over a real store; `broker` is what the broker shows."""

    def __init__(self, data: Path) -> None:
        self.db = store.open_writer(data)
        self.broker: int | None = None
        self.data = data
        self.restart()

    def restart(self) -> None:
        self.stage = CertWatch(HALL, self.data, lambda: self.broker)
        self.stage.load(self.db, NOW)
        self._mono = 0.0

    def turn(self, now: int) -> None:
        self._mono += certificates.EVERY_S
        self.stage.turn(self.db, Turn(now, self._mono))

    def alert(self, rule: str) -> Any:
        return self.db.execute(
            "SELECT subject, severity, active, round FROM alert WHERE rule=?", (rule,)
        ).fetchone()


@pytest.fixture
def house(data: Path) -> Iterator[House]:
    made = House(data)
    yield made
    made.db.close()


@given(st.integers(-40 * DAY_MS, 400 * DAY_MS))
def test_a_step_is_the_fewest_days_that_hold_what_is_left(left: int) -> None:
    found = step(NOW + left, NOW)
    assert found == next((d for d in sorted(STEPS) if left <= d * DAY_MS), None)
    assert days_left(NOW + left, NOW) * DAY_MS <= left < (days_left(NOW + left, NOW) + 1) * DAY_MS


def test_each_step_is_told_of_once_and_a_renewal_clears_it(house: House) -> None:
    provision(PAD, HALL, house.data, days=100, now=NOW)
    end = NOW + 100 * DAY_MS
    house.turn(end - 30 * DAY_MS - 1)
    assert house.alert("certificate.device") is None
    for days, severity, told in ((30, "notice", 1), (7, "warning", 2), (1, "warning", 3)):
        for now in (end - days * DAY_MS, end - days * DAY_MS + 3_600_000):
            house.turn(now)
            assert house.alert("certificate.device") == (PAD, severity, 1, told)
        house.restart()
        house.turn(now + 1)
        assert house.alert("certificate.device")[3] == told
    house.turn(end + DAY_MS)
    assert house.alert("certificate.device") == (PAD, "warning", 1, 3)
    provision(PAD, HALL, house.data, renew=True, now=end + DAY_MS)
    house.turn(end + DAY_MS)
    assert house.alert("certificate.device")[2] == 0


def test_the_brokers_and_the_authoritys_own(house: House) -> None:
    house.turn(NOW)
    assert house.alert("certificate.broker") is None
    house.broker = NOW + 6 * DAY_MS  # what a Mosquitto shows, or one not restarted since
    house.turn(NOW)
    assert house.alert("certificate.broker") == ("gateway", "warning", 1, 1)
    house.restart()
    assert certificates.broker_expires(house.db) == house.broker
    house.broker = NOW + 900 * DAY_MS
    house.turn(NOW)
    assert house.alert("certificate.broker")[2] == 0
    whole = authority.expiry(house.data / "ca" / "ca.pem")
    assert whole is not None
    house.turn(whole - DAY_MS // 2)
    assert house.alert("certificate.authority") == ("gateway", "critical", 1, 1)


def test_a_certificate_begins_at_the_build_and_never_outlives_its_authority(data: Path) -> None:
    leaf = authority.issue(data, PAD, NOW, 40 * 365)
    cert = x509.load_pem_x509_certificate(leaf.cert.encode())
    assert cert.not_valid_before_utc.timestamp() * 1000 <= BUILT
    assert leaf.expires == authority.expiry(data / "ca" / "ca.pem")
    later = NOW + 5 * 365 * DAY_MS
    assert authority.issue(data, PAD, later, 30).expires == later + 30 * DAY_MS
    unset = authority.issue(data, PAD, 0, 30)  # a machine whose clock stands in 1970
    assert unset.expires > BUILT


def test_ca_renew_keeps_the_brokers_names(data: Path) -> None:
    folder = data / "ca"
    before = (folder / "ca.pem").read_bytes()
    authority.renew(data, ["new.example"], NOW + 100 * DAY_MS, 400)
    assert (folder / "ca.pem").read_bytes() == before
    cert = x509.load_pem_x509_certificate((folder / "broker.pem").read_bytes())
    names = cert.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    assert {"hallkeeper", "hall.example", "new.example"} <= set(
        names.get_values_for_type(x509.DNSName)
    )
    assert "10.0.0.5" in map(str, names.get_values_for_type(x509.IPAddress))
    assert authority.expiry(folder / "own.pem") == NOW + 500 * DAY_MS


def test_the_old_certificate_is_good_until_the_new_one_is_shown(data: Path) -> None:
    old = provision(PAD, HALL, data, days=20, now=NOW)["broker"]
    new = provision(PAD, HALL, data, renew=True, now=NOW)["broker"]
    assert new["client_id"] == old["client_id"]

    def refused(made: dict[str, Any], stored: Credential | None) -> str | None:
        login = Login(PAD, "", old["client_id"], True, "", made["tls"]["cert"])
        return decide(login, frozenset({PAD}), stored)

    stored = credentials.load(data, PAD)
    assert stored is not None
    assert refused(old, stored) is None
    assert refused(new, stored) is None
    credentials.settle(data, stored)
    assert "older one" in str(refused(old, credentials.load(data, PAD)))
    assert refused(new, credentials.load(data, PAD)) is None
    credentials.settle(data, stored)  # what has changed since is left alone
    assert refused(new, credentials.load(data, PAD)) is None


@pytest.mark.parametrize("left", [None, "garbage"])
def test_ca_renew_mends_an_init_that_was_killed(data: Path, left: str | None) -> None:
    for name in ("broker.pem", "broker-key.pem", "own.pem", "own-key.pem"):
        (data / "ca" / name).unlink()
    if left is not None:
        (data / "ca" / "broker.pem").write_text(left)
    authority.renew(data, ["new.example"], NOW, 400)
    cert = x509.load_pem_x509_certificate((data / "ca" / "broker.pem").read_bytes())
    names = cert.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    assert names.get_values_for_type(x509.DNSName) == ["hallkeeper", "localhost", "new.example"]


def test_what_cannot_be_renewed_says_so(data: Path, tmp_path: Path) -> None:
    with pytest.raises(InputFault, match="no certificate to renew"):
        provision("pm-01", HALL, data, renew=True, now=NOW)
    with pytest.raises(InputFault, match="no certificate to renew"):
        provision("pm-01", HALL, tmp_path / "without", renew=True, now=NOW)
    with pytest.raises(InputFault, match="ca init makes one"):
        authority.renew(tmp_path / "without", [], NOW)


def test_a_hall_without_certificates_has_nothing_to_tell(tmp_path: Path) -> None:
    provision(PAD, HALL, tmp_path)
    assert held(tmp_path, [PAD, "pm-01"], None) == []
