"""What is no valid word is refused with a reason; nobody is blocked, nothing goes down."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from gateway import site
from gateway.provision import provision
from tests.gateway.test_serve import pad_client
from tests.journey.hall import SITE, Person, Serve, ran
from tests.parts import Ear, free_port, mosquitto
from tests.waiting import wait_for

BASE = "hall/1/fengxian/pad-w01/"
LOG = "9f3a1c22"


def event(seq: int, kind: str = "rating", **fields: Any) -> dict[str, Any]:
    """A press, or whatever its fields make of it."""
    common = {"log": LOG, "seq": seq, "boot": 1, "up": seq, "t": None, "kind": kind}
    return common | ({"level": 5} if kind == "rating" else {}) | fields


def text(seq: int, **fields: Any) -> bytes:
    return json.dumps(event(seq, **fields)).encode()


def deep(levels: int) -> Any:
    made: Any = 1
    for _ in range(levels):
        made = [made]
    return made


BAD_EVENTS = {
    b"\xff\xfe{": "not UTF-8",
    b"{": "no JSON",
    b"": "neither an object nor an array",
    b'"a press"': "neither an object nor an array",
    b"[]": "an array of 0 events",
    b'{"log":"9f3a1c22","seq":NaN}': "NaN is no JSON number",
    b"[" * 2000 + b"]" * 2000: "nested deeper than 8 levels",
    b"[" * 30_000: "30000 bytes (at most 4096)",
}
BAD_NUMBERED = [  # each takes a number of its log; 3 to 9
    (text(3, level=9), "<= 5"),
    (text(4, visit="x" * 5000), "bytes (at most 4096)"),
    (text(5, more=deep(12)), "nested deeper than 8 levels"),
    (text(6)[:-1] + b',"level":4}', "key twice: level"),
    (text(7, kind="power", ch="c1", w="much"), "Expected `float`"),
    (text(8, kind="lux", ch="x1", lx=0).replace(b'"lx": 0', b'"lx":1e999'), ""),
    (text(9, kind="contact", ch="c1"), "missing required field `open`"),
]
BAD_TOPICS = {
    "hall/1/fengxian/pad-w99/event": "device not in the site file: pad-w99",
    "hall/1/elsewhere/pad-w01/event": "another site: elsewhere",
    "hall/2/fengxian/pad-w01/event": "the topic is not of the form",
    "hall/1/fengxian/pad-w01/event/more": "the topic is not of the form",
    "hall/1/FENGXIAN/pad-w01/event": "the topic is not of the form",
}


@pytest.fixture
def open_hall(tmp_path: Path) -> Iterator[tuple[Serve, Ear]]:
    """A gateway at a broker that lets anybody say anything."""
    with (
        mosquitto(tmp_path) as broker,
        Serve(tmp_path / "gateway", broker=f"mqtt://127.0.0.1:{broker.port}") as gateway,
    ):
        ear = Ear(broker.port, BASE + "ack")
        yield gateway, ear
        ear.close()


def acked(ear: Ear) -> int:
    return max((json.loads(m)["seq"] for m in ear.messages("ack")), default=0)


def test_each_is_refused_with_its_reason_and_blocks_nobody(open_hall: tuple[Serve, Ear]) -> None:
    gateway, ear = open_hall
    ear.publish(BASE + "event", text(1))
    ear.publish(BASE + "event", text(2, kind="weather", sunny=True))  # unknown: stored, counted
    for payload in BAD_EVENTS:
        ear.publish(BASE + "event", payload)
    for payload, _ in BAD_NUMBERED:
        ear.publish(BASE + "event", payload)
    for topic in BAD_TOPICS:
        ear.publish(topic, text(1))
    ear.publish(BASE + "state", b'{"state":"happy"}')
    ear.publish(BASE + "event", json.dumps([event(10), event(11, level="five"), event(12)]))
    wait_for(lambda: acked(ear) == 12, "the ack of 12: no bad number stops it")

    stored = gateway.query("SELECT seq, kind FROM event ORDER BY seq")
    assert stored == [(1, "rating"), (2, "weather"), (10, "rating"), (12, "rating")]
    refused = gateway.query("SELECT first, last FROM gap WHERE why='refused' ORDER BY first")
    assert [n for first, last in refused for n in range(first, last + 1)] == [*range(3, 10), 11]

    rejects = Person(gateway).items("rejects?limit=200")
    wanted = [*BAD_EVENTS.values(), *(reason for _, reason in BAD_NUMBERED)]
    for reason in [*wanted, "no state: ", *BAD_TOPICS.values()]:
        assert any(reason in r["reason"] for r in rejects), reason
    refusals = len(BAD_EVENTS) + len(BAD_NUMBERED) + len(BAD_TOPICS) + 2
    assert len(rejects) == refusals
    assert gateway.metric("hallkeeper_rejects_total") == refusals
    assert all(len(r["head"].encode()) <= 4 * 512 for r in rejects)
    pad = Person(gateway).get("devices/pad-w01")
    assert (pad["acked"], pad["seq"], pad["missing"], pad["stored"]) == (12, 12, [], 4)
    assert gateway.up()


def test_strangers_are_let_in_nowhere(tmp_path: Path) -> None:
    with Serve(tmp_path) as gateway:
        for user in ("pad-w01", "nobody"):
            assert pad_client(user, "guess", f"{user}-00000000", gateway.mqtt) == "Not authorized"
        login = provision("pad-w01", site.load(SITE), gateway.data)["broker"]
        ear = Ear(
            *(gateway.mqtt, BASE + "ack"),
            **{"id": login["client_id"], "user": login["user"], "password": login["password"]},
        )
        ear.publish("hall/1/fengxian/pm-01/event", text(1, kind="power", ch="c1", w=1))
        ear.publish(BASE + "event", text(1))
        wait_for(lambda: acked(ear) == 1, "the ack of its own")
        ear.close()
        assert gateway.query("SELECT device FROM event") == [("pad-w01",)]

        def reasons() -> str:
            return "\n".join(r["reason"] for r in Person(gateway).items("rejects"))

        wait_for(lambda: "user 'nobody'" in reasons(), "the stranger's login")
        assert "user 'pad-w01'" in reasons()
        wait_for(lambda: "publish not allowed" in reasons(), "the foreign topic")
        assert gateway.up()


FAULTS = [
    ('timezone = "Asia/Shanghai"', 'timezone = "Mars/Base"', "timezone"),
    ('hold = "15min"', 'hold = "15 parsecs"', "hold"),
    ('kind = "entrance"', 'kind = "trapdoor"', "kind"),
    ('pad = "pad-w01"', 'pad = "pad-w99"', "pad"),
    ('due = ["17:00-19:00"]', 'due = ["17:00-25:00"]', "due"),
]


def test_five_faults_of_a_site_file_are_five_lines(tmp_path: Path) -> None:
    made = SITE.read_text("utf-8")
    for good, bad, _ in FAULTS:
        assert good in made
        made = made.replace(good, bad, 1)
    file = tmp_path / "site.toml"
    file.write_text(made, "utf-8")
    for command in (["check"], ["serve", "--data", tmp_path / "data"]):
        ended = ran(*command, "--config", file)
        assert (ended.returncode, ended.stdout) == (1, "")
        lines = ended.stderr.splitlines()
        assert len(lines) == len(FAULTS), ended.stderr
        for _, bad, key in FAULTS:
            value = bad.partition("= ")[2].strip('[]"')
            line = next(x for x in lines if value in x)
            number = made[: made.index(bad)].count("\n") + 1
            assert key in line
            assert str(number) in line
    assert not (tmp_path / "data").exists()


def one_line(*arguments: object) -> str:
    """Runs `serve`; its one line where the environment is at fault."""
    ended = ran("serve", "--config", SITE, *arguments)
    assert ended.returncode == 3, ended.stderr
    (line,) = ended.stderr.splitlines()
    return line


def test_what_the_machine_denies_is_one_line(tmp_path: Path) -> None:
    file = tmp_path / "file"
    file.write_text("")
    free = ("--mqtt", f"127.0.0.1:{free_port()}", "--http", f"127.0.0.1:{free_port()}")
    assert str(file) in one_line("--data", file / "data", *free)
    with Serve(tmp_path / "first") as first:
        assert "another gateway" in one_line("--data", first.data, *free)
        taken = f"127.0.0.1:{first.http}"
        other = ("--data", tmp_path / "other")
        assert taken in one_line(*other, "--mqtt", free[1], "--http", taken)
        taken = f"127.0.0.1:{first.mqtt}"
        assert taken in one_line(*other, "--mqtt", taken, "--http", free[3])
        assert first.up()
