"""Mosquitto's log: which lines tell of a refusal, whose it was, and that no line does any harm."""

from __future__ import annotations

from hypothesis import example, given
from hypothesis import strategies as st

from gateway import refusals
from gateway.mosquitto import MOST, PENDING, Reader, Refusal

STAMP = "2026-11-24T18:46:22: "
DEVICES = frozenset({"pad-w01", "pm-01"})
SSL = "OpenSSL Error[0]: error:0A000086:SSL routines::"


def read(*lines: str) -> list[Refusal]:
    reader = Reader()
    return [found for line in lines if (found := reader.line(STAMP + line)) is not None]


def whys(*lines: str) -> list[tuple[str | None, str]]:
    return [(one.device(DEVICES), refusals.code(one.reason)) for one in read(*lines)]


def handshake(fault: str) -> list[str]:
    return [
        "New connection from 192.168.7.9:41000 on port 8883.",
        f"OpenSSL Error[0]: error:0A000086:SSL routines::{fault}",
        "Client <unknown> disconnected: Protocol error.",
    ]


def test_each_fault_of_a_handshake_has_its_reason() -> None:
    for fault, why in {
        "certificate verify failed": "verify",
        "peer did not return a certificate": "no-certificate",
        "wrong version number": "no-tls",
        "http request": "no-tls",
        "tlsv1 alert unknown ca": "distrusts-us",
        "sslv3 alert bad certificate": "distrusts-us",
        "sslv3 alert certificate expired": "distrusts-us",
        "no shared cipher": "tls",
    }.items():
        assert whys(*handshake(fault)) == [(None, why)], fault
        assert read(*handshake(fault))[0].reason == f"TLS refused: {fault} (from 192.168.7.9)"


def test_a_fault_that_shows_at_once_has_its_address_in_its_own_line() -> None:
    line = "Client connection from 10.0.0.2 failed: error:0A00010B:SSL routines::%s."
    came = [f"New connection from 10.0.0.{n}:9 on port 8883." for n in (1, 2)]
    first, second = read(
        *(*came, line % "wrong version number", SSL + "certificate verify failed"),
        "Client <unknown> disconnected: Protocol error.",
    )
    assert first.reason == "TLS refused: wrong version number (from 10.0.0.2)"
    assert second.reason == "TLS refused: certificate verify failed (from 10.0.0.1)"


def test_what_the_embedded_broker_says_of_certificates() -> None:
    for reason, why in {
        "failed to verify certificate: x509: certificate signed by unknown authority": "foreign",
        "x509: certificate has expired or is not yet valid: current time 2 is after 1": "expired",
        "remote error: tls: unknown certificate authority": "distrusts-us",
        "remote error: tls: expired certificate": "distrusts-us",
        "remote error: tls: bad certificate": "distrusts-us",
        "client didn't provide a certificate": "no-certificate",
    }.items():
        assert refusals.code(f"TLS refused: {reason} (from 127.0.0.1)") == why, reason


def test_a_device_whose_power_fails_was_not_refused() -> None:
    assert not read(
        "New connection from 192.168.7.9:41000 on port 8883.",
        "New client connected from 192.168.7.9:41000 as pad-w01 (p2, c0, k60, u'pad-w01').",
        SSL + "unexpected eof while reading",
        "Client pad-w01 closed its connection.",
        "New connection from 192.168.7.9:41001 on port 8883.",
        "Client <unknown> closed its connection.",
    )


def test_whose_topic_it_was_is_judged_by_the_name_the_broker_knows() -> None:
    denied = "Denied PUBLISH from %s (d0, q1, r0, m2, 'hall/1/s/pad-w01/event', ... (2 bytes))"
    connected = "New client connected from 10.0.0.1:9 as %s (p2, c1, k60, u'%s')."
    (one,) = read(connected % ("pad-w01-0a", "pm-01"), denied % "pad-w01-0a")
    assert one.device(DEVICES) == "pm-01"
    assert one.topic == "hall/1/s/pad-w01/event"
    assert one.reason == "publish not allowed (client 'pad-w01-0a', user 'pm-01')"
    assert refusals.code(one.reason) == "topic-denied"
    for client, device in {"pad-w01-0a": "pad-w01", "pm-01": "pm-01", "x": None}.items():
        assert whys(denied % client) == [(device, "topic-denied")]
    assert whys(connected % ("pad-w01-0a", "guest"), denied % "pad-w01-0a") == [
        (None, "topic-denied")
    ]
    gone = "Client pad-w01-0a disconnected."
    assert whys(connected % ("pad-w01-0a", "pm-01"), gone, denied % "pad-w01-0a") == [
        ("pad-w01", "topic-denied")
    ]


def test_a_login_without_leave_in_the_words_of_both_versions() -> None:
    came = "New connection from 10.0.0.1:9 on port 8883."
    for line in (
        "Client pad-w01-0a disconnected, not authorised.",
        "Client pad-w01-0a [10.0.0.1:9] disconnected: not authorised.",
    ):
        (one,) = read(came, line)
        assert one.device(DEVICES) == "pad-w01"
        assert one.reason == "login refused: not authorised (client 'pad-w01-0a', from 10.0.0.1)"
        assert refusals.code(one.reason) == "not-authorised"
    assert whys(came, "Client <unknown> disconnected, not authorised.") == [
        (None, "not-authorised")
    ]


def test_two_that_came_at_once_are_both_named() -> None:
    came = [f"New connection from 10.0.0.{n}:9 on port 8883." for n in (1, 2, 3, 4)]
    end = ["Client <unknown> disconnected: Protocol error."]
    fault = [SSL + "certificate verify failed"]
    assert read(*came[:2], *fault, *end)[0].reason.endswith("(from 10.0.0.1 or 10.0.0.2)")
    assert read(*came, *fault, *end)[0].reason.endswith("or 10.0.0.3 or others)")
    assert read(*fault, *end)[0].reason.endswith("(from an unknown address)")
    newer = ["Client <unknown> [10.0.0.2:9] disconnected: Protocol error."]
    assert read(*came, *fault, *newer)[0].reason.endswith("(from 10.0.0.2)")


def test_any_digits_may_stamp_a_line_and_a_stranger_forges_none() -> None:
    end = "Client pm-01 disconnected, not authorised."
    for stamp in ("", "1732474000: ", "24/11/26 18.46: ", "2026-11-24T18:46:22+0800: "):
        assert Reader().line(stamp + end) is not None, stamp
    for line in (
        f"Received PUBLISH from : {end}",
        f"Sending CONNACK to x: {end}",
        f"Client x: {end} has exceeded timeout, disconnecting.",
        "Client : New client connected from 1:1 as x (p2, c1, k60, u'pm-01'). disconnected.",
    ):
        assert not read(line), line


WORDS = st.sampled_from(
    [
        *("New connection from ", "New client connected from ", "::1:7", " as ", "<unknown>"),
        *("Client ", "OpenSSL Error[0]: ", "Denied PUBLISH from ", " (d0, q1, r0, m2, '", "', ..."),
        *(" (2 bytes))", " disconnected, not authorised.", " (p2, c1, k60, u'", "').", " on port "),
        *("\x00", "\ufffd", "'", " [", "]", ": ", "pad-w01", "\n"),
    ]
)


@given(st.lists(st.one_of(st.text(max_size=40), st.lists(WORDS, max_size=8).map("".join))))
@example(
    ["(" * 5000, "Client " + " [" * 2000, "Denied PUBLISH from " + " (d0, q1, r0, m2, '" * 300]
)
def test_any_text_is_a_refusal_or_none(lines: list[str]) -> None:
    reader = Reader()
    for line in lines:
        found = reader.line(line)
        if found is not None:
            found.device(DEVICES)
            assert refusals.code(found.reason) in refusals.CODES


def test_what_is_remembered_has_a_bound() -> None:
    reader = Reader()
    for n in range(2 * MOST):
        reader.line(f"New connection from 10.0.0.1:{n} on port 8883.")
        reader.line(f"New client connected from 10.9.9.9:1 as c{n} (p2, c1, k60, u'u').")
    assert len(reader._users) == MOST
    assert len(reader._pending) == PENDING
