"""Why a message or a login was turned away, as a code that pages and catalogues have words for."""

from __future__ import annotations

OTHER = "other"

# (what the reason holds, its code), the first that fits. The words are those of events.py,
# ingest.py and callout.py, and of the TLS libraries of the brokers (Go's and OpenSSL's).
_CODES: tuple[tuple[tuple[str, ...], str], ...] = (
    (("no such device", "device not in the site file"), "unknown-device"),
    (("not provisioned",), "unprovisioned"),
    (("wrong password",), "password"),
    (("client id is not",), "client-id"),
    (  # what the other end said of our certificate, before what we say of its own
        (
            *("alert unknown ca", "alert bad certificate", "alert certificate"),
            *("tls: unknown certificate", "tls: bad certificate", "tls: expired certificate"),
            *("tls: revoked certificate", "tls: unsupported certificate"),
        ),
        "distrusts-us",
    ),
    (("no certificate", "didn't provide a certificate", "peer did not return"), "no-certificate"),
    (("certificate is that of",), "other-certificate"),
    (("an older one of this device",), "old-certificate"),
    (("has expired",), "expired"),
    (("unknown authority",), "foreign"),
    (("certificate verify failed",), "verify"),
    (("only MQTT clients",), "not-mqtt"),
    (("first record does not look like a TLS", "http request", "wrong version"), "no-tls"),
    (("TLS refused",), "tls"),
    (("login refused: not authorised",), "not-authorised"),
    (("more in the broker's log",), "more"),
    (("publish not allowed", "subscription not allowed"), "topic-denied"),
    (("the topic is not of the form",), "topic"),
    (("another site",), "site"),
    (("bytes (at most",), "size"),
    (("nested deeper",), "depth"),
    (("key twice",), "key-twice"),
    (("no JSON", "neither an object nor", "not UTF-8"), "json"),
    (("an array of",), "batch"),
    (("no state",), "state"),
)


def code(reason: str) -> str:
    """The code of a reason; `field` where it is the typed decoder's (it names the path)."""
    for words, found in _CODES:
        if any(word in reason for word in words):
            return found
    return "field" if " - at `$" in reason or "missing required field" in reason else OTHER


CODES = frozenset(found for _, found in _CODES) | {"field", OTHER}
