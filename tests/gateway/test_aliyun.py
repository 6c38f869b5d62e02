"""Aliyun's SMS and voice against a local receiver that checks the signature and answers alike."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs

import pytest

from gateway import aliyun


class Service:
    """Takes what is signed with the secret `shh`; says no to the phone 13900000000."""

    def __init__(self) -> None:
        self.got: list[dict[str, str]] = []
        service = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                text = self.rfile.read(int(self.headers["Content-Length"])).decode()
                fields = {key: values[0] for key, values in parse_qs(text).items()}
                service.got.append(fields)
                signed = fields.pop("Signature")
                right = signed == aliyun.signature("POST", fields, "shh")
                barred = "13900000000" in text
                code = "SignatureDoesNotMatch" if not right else "isv.MOBILE" if barred else "OK"
                self.send_response(200 if right else 400)
                self.end_headers()
                self.wfile.write(json.dumps({"Code": code}).encode())

            def log_message(self, *_: Any) -> None:
                """Say nothing."""

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.thread = threading.Thread(target=self.server.serve_forever)
        self.thread.start()

    @property
    def at(self) -> str:
        return f"endpoint=http://127.0.0.1:{self.server.server_port}/"


@pytest.fixture
def service() -> Iterator[Service]:
    made = Service()
    yield made
    made.server.shutdown()
    made.thread.join(5)
    made.server.server_close()


def test_the_signature_is_the_one_of_the_documentation() -> None:
    """The worked example of the RPC signature in Aliyun's documentation."""
    fields = {
        "TimeStamp": "2016-02-23T12:46:24Z",
        "Format": "XML",
        "AccessKeyId": "testid",
        "Action": "DescribeRegions",
        "SignatureMethod": "HMAC-SHA1",
        "SignatureNonce": "3ee8c1b8-83d3-44af-a94f-4e0ad82fd6cf",
        "Version": "2014-05-26",
        "SignatureVersion": "1.0",
    }
    fields["Timestamp"] = fields.pop("TimeStamp")
    assert aliyun.signature("GET", fields, "testsecret") == "OLeaidS1JvxuMvnyHOwuJ+uX5qY="


def test_one_text_to_all_phones(service: Service) -> None:
    url = f"aliyunsms://k:shh@13800000001,13800000002?sign=政务&template=SMS_1&{service.at}"
    assert aliyun.send(url, "【紧急】安全出口上锁：东安全出口\n更多")
    (sent,) = service.got
    assert (sent["Action"], sent["SignName"]) == ("SendSms", "政务")
    assert sent["PhoneNumbers"] == "13800000001,13800000002"
    assert json.loads(sent["TemplateParam"]) == {"what": "【紧急】安全出口上锁：东安全出口"}


def test_a_call_to_each_phone(service: Service) -> None:
    url = f"aliyunvoice://k:shh@13800000001,13900000000?template=TTS_1&{service.at}"
    assert not aliyun.send(url, "一"), "one of them was refused"
    assert [one["CalledNumber"] for one in service.got] == ["13800000001", "13900000000"]


def test_what_is_not_taken(service: Service) -> None:
    assert not aliyun.send(f"aliyunsms://k:no@13800000001?sign=s&template=t&{service.at}", "一")
    assert not aliyun.send("aliyunvoice://k:s@1?template=t&endpoint=http://127.0.0.1:9/", "一")


@pytest.mark.parametrize(
    "address",
    [
        "aliyunsms://k:s@13800000001?template=t",
        "aliyunsms://k@13800000001?template=t&sign=s",
        "aliyunvoice://k:s@nobody?template=t",
        "aliyunvoice://k:s@1?sign=s",
    ],
)
def test_an_address_that_lacks_something_is_none(address: str) -> None:
    assert aliyun.speaks(address)
    assert aliyun.parsed(address) is None
    assert not aliyun.send(address, "x")
