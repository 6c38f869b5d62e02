"""A device and a real Mosquitto that both want certificates: who gets in, and why others do not."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import trustme

from gateway import refusals
from gateway.mosquitto import Reader
from tests.device.test_device import Running, device
from tests.parts import free_port, mosquitto
from tests.waiting import wait_for

NAME = "broker.hall"


class Hall:
    """A CA, the certificate the broker shows, the CA and certificate that the pad holds."""

    def __init__(self) -> None:
        self.ca = trustme.CA()
        self.shown = self.ca.issue_cert(NAME)
        self.trusted = self.ca
        self.own = self.ca.issue_cert("pad", common_name="pad")


@contextmanager
def pad(hall: Hall, folder: Path) -> Iterator[tuple[Running, Path]]:
    """The pad, and the broker's log."""
    port = free_port()
    hall.ca.cert_pem.write_to_path(str(folder / "ca.pem"))
    hall.shown.cert_chain_pems[0].write_to_path(str(folder / "broker.pem"))
    hall.shown.private_key_pem.write_to_path(str(folder / "broker.key"))
    hall.trusted.cert_pem.write_to_path(str(folder / "trusted.pem"))
    hall.own.cert_chain_pems[0].write_to_path(str(folder / "pad.pem"))
    hall.own.private_key_pem.write_to_path(str(folder / "pad.key"))
    tls = {"ca": "trusted.pem", "cert": "pad.pem", "key": "pad.key", "name": NAME}
    who = {"site": "s", "device": "pad", "kind": "rating-pad"}
    link = {"client_id": "pad-1", "user": None, "tls": tls}
    (folder / "given.json").write_text(json.dumps({**who, "broker": link}))
    extra = (
        f"listener {port} 127.0.0.1\ncafile {folder / 'ca.pem'}\n"
        f"certfile {folder / 'broker.pem'}\nkeyfile {folder / 'broker.key'}\n"
        "require_certificate true\n"
    )
    given = ("--credentials", str(folder / "given.json"))
    with (
        mosquitto(folder, extra) as broker,
        device("pad", broker, folder, *given, url=f"mqtts://127.0.0.1:{port}") as running,
    ):
        yield running, broker.folder / "mosquitto.log"


def _refused(hall: Hall, folder: Path) -> tuple[str, set[str]]:
    """What the pad said twice, and the reasons that the gateway reads from the broker's log; the
    pad never got in."""
    with pad(hall, folder) as (running, log):
        wait_for(lambda: sum(b"link: " in x for x in running.said) >= 2, "two refused tries")
        assert not running.states()
        reader = Reader()
        read = [found for x in log.read_text().splitlines() if (found := reader.line(x))]
        assert {one.reason[-16:] for one in read} == {"(from 127.0.0.1)"}
        return running.said[0].decode(), {refusals.code(one.reason) for one in read}


def test_the_right_ca_connects(tmp_path: Path) -> None:
    with pad(Hall(), tmp_path) as (running, log):
        wait_for(running.states, "ready")
        running.sees(press=5)
        wait_for(lambda: running.of("rating"), "the press")
        lines = log.read_text().splitlines()
        assert any("as pad-1" in x for x in lines)
    reader = Reader()  # leaving is no refusal
    assert not any(reader.line(x) for x in log.read_text().splitlines())


def test_a_broker_of_a_foreign_ca_is_refused(tmp_path: Path) -> None:
    hall = Hall()
    hall.trusted = trustme.CA()
    said, whys = _refused(hall, tmp_path)
    assert "cert" in said.lower()
    assert whys == {"distrusts-us"}


def test_a_broker_of_another_name_is_refused(tmp_path: Path) -> None:
    hall = Hall()
    hall.shown = hall.ca.issue_cert("other.hall")
    said, whys = _refused(hall, tmp_path)
    assert "cert" in said.lower()
    assert whys == {"distrusts-us"}


def test_an_expired_broker_is_refused(tmp_path: Path) -> None:
    hall = Hall()
    now = datetime.now(UTC)
    hall.shown = hall.ca.issue_cert(
        NAME, not_before=now - timedelta(days=9), not_after=now - timedelta(days=1)
    )
    said, whys = _refused(hall, tmp_path)
    assert "cert" in said.lower()
    assert whys == {"distrusts-us"}


def test_a_pad_of_a_foreign_ca_is_refused(tmp_path: Path) -> None:
    hall = Hall()
    hall.own = trustme.CA().issue_cert("pad", common_name="pad")
    _, whys = _refused(hall, tmp_path)
    assert whys == {"verify"}


def test_an_expired_pad_is_refused(tmp_path: Path) -> None:
    hall = Hall()
    now = datetime.now(UTC)
    hall.own = hall.ca.issue_cert(
        "pad", not_before=now - timedelta(days=9), not_after=now - timedelta(days=1)
    )
    _, whys = _refused(hall, tmp_path)
    assert whys == {"verify"}
