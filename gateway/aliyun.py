"""Aliyun SMS and voice, which apprise does not speak: one signed request, no dependency.

`aliyunsms://KEYID:SECRET@PHONE,PHONE?sign=…&template=SMS_…` and
`aliyunvoice://KEYID:SECRET@PHONE?template=TTS_…&show=NUMBER`; `endpoint=http://…` for a test. The
template has one variable, `what`: the message's first line.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import secrets
import urllib.error
import urllib.request
from dataclasses import dataclass
from datetime import UTC, datetime
from urllib.parse import parse_qs, quote, unquote, urlencode, urlsplit

SMS, VOICE = "aliyunsms", "aliyunvoice"
_ENDPOINTS = {SMS: "https://dysmsapi.aliyuncs.com/", VOICE: "https://dyvmsapi.aliyuncs.com/"}
MOST = 35  # characters of a template's variable
TIMEOUT_S = 20.0


@dataclass(frozen=True, slots=True)
class Account:
    """An address, read."""

    scheme: str
    key: str
    secret: str
    phones: tuple[str, ...]
    template: str
    sign: str
    show: str
    endpoint: str


def speaks(address: str) -> bool:
    """Whether the address is of this adapter."""
    return address.partition("://")[0].lower() in _ENDPOINTS


def parsed(address: str) -> Account | None:
    """The address's parts; None where one is missing."""
    scheme = address.partition("://")[0].lower()
    try:
        parts = urlsplit(address)
    except ValueError:
        return None
    login, _, host = parts.netloc.rpartition("@")
    key, _, secret = login.partition(":")
    given = {name: values[-1] for name, values in parse_qs(parts.query).items()}
    phones = tuple(p for p in host.split(",") if p.isdecimal())
    template, sign = given.get("template", ""), given.get("sign", "")
    if not (key and secret and phones and template) or (scheme == SMS and not sign):
        return None
    endpoint = given.get("endpoint", _ENDPOINTS[scheme])
    return Account(
        *(scheme, unquote(key), unquote(secret), phones, template, sign),
        *(given.get("show", ""), endpoint),
    )


def send(address: str, body: str) -> bool:
    """Deliver the first line of a message: one text to all phones, or a call to each."""
    account = parsed(address)
    if account is None:
        return False
    what = json.dumps({"what": body.partition("\n")[0][:MOST]}, ensure_ascii=False)
    if account.scheme == SMS:
        return _asked(
            account,
            {
                "Action": "SendSms",
                "PhoneNumbers": ",".join(account.phones),
                "SignName": account.sign,
                "TemplateCode": account.template,
                "TemplateParam": what,
            },
        )
    calls = [
        _asked(
            account,
            {
                "Action": "SingleCallByTts",
                "CalledNumber": phone,
                "TtsCode": account.template,
                "TtsParam": what,
                **({"CalledShowNumber": account.show} if account.show else {}),
            },
        )
        for phone in account.phones
    ]
    return all(calls)


def signature(method: str, fields: dict[str, str], secret: str) -> str:
    """Aliyun's RPC signature, version 1.0: HMAC-SHA1 over the sorted, percent-encoded fields."""
    query = "&".join(f"{_quoted(key)}={_quoted(fields[key])}" for key in sorted(fields))
    text = f"{method}&{_quoted('/')}&{_quoted(query)}"
    made = hmac.new(f"{secret}&".encode(), text.encode(), hashlib.sha1)
    return base64.b64encode(made.digest()).decode()


def _quoted(text: str) -> str:
    return quote(text, safe="-_.~")


def _asked(account: Account, fields: dict[str, str]) -> bool:
    every = fields | {
        "AccessKeyId": account.key,
        "Format": "JSON",
        "RegionId": "cn-hangzhou",
        "SignatureMethod": "HMAC-SHA1",
        "SignatureNonce": secrets.token_hex(16),
        "SignatureVersion": "1.0",
        "Timestamp": datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
        "Version": "2017-05-25",
    }
    every["Signature"] = signature("POST", every, account.secret)
    asked = urllib.request.Request(account.endpoint, urlencode(every).encode())
    try:
        with urllib.request.urlopen(asked, timeout=TIMEOUT_S) as answer:
            said = json.load(answer)
    except (urllib.error.URLError, OSError, ValueError):
        return False
    return isinstance(said, dict) and said.get("Code") == "OK"
