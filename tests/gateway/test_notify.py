"""Messages to a real receiver that refuses, hangs and answers late: all arrive, none is lost."""

from __future__ import annotations

import json
import queue
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from gateway import site
from gateway.notify import NO_ANSWER, Notifier, Pace, addresses, backoff, book, schemes
from gateway.site import Channel
from tests.gateway.api.house import House, client, serving
from tests.waiting import wait_for

HALL = site.load(Path(__file__).parents[1] / "data" / "site.toml")
QUICK = Pace(delays=(0.05, 0.1), gap=0.01, answer=5)


class Receiver:
    """An HTTP door on the loopback. `answers` are given in turn, then 200; "hang" waits."""

    def __init__(self, *answers: int | str) -> None:
        self.got: list[dict[str, Any]] = []
        self.open = threading.Event()
        self._answers: queue.SimpleQueue[int | str] = queue.SimpleQueue()
        for answer in answers:
            self._answers.put(answer)
        receiver = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                length = int(self.headers["Content-Length"])
                receiver.got.append(json.loads(self.rfile.read(length)))
                answer = receiver.next()
                if answer == "hang":
                    receiver.open.wait(30)
                    answer = 200
                self.send_response(int(answer))
                self.end_headers()

            def log_message(self, *_: Any) -> None:
                """Say nothing."""

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self._thread = threading.Thread(target=self._server.serve_forever)

    def next(self) -> int | str:
        return 200 if self._answers.empty() else self._answers.get()

    def heal(self) -> None:
        """From now on everything is taken."""
        self._answers = queue.SimpleQueue()

    @property
    def url(self) -> str:
        return f"json://127.0.0.1:{self._server.server_port}/secret-token?rto=20"

    def __enter__(self) -> Receiver:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.open.set()
        self._server.shutdown()
        self._thread.join(5)
        self._server.server_close()


@pytest.fixture
def house(tmp_path: Path) -> Iterator[House]:
    made = House(tmp_path)
    yield made
    made.close()


@contextmanager
def notifying(house: House, url: str, pace: Pace = QUICK) -> Iterator[Notifier]:
    made = Notifier(
        house.data, "厅守", {("duty", 0): url}, house.submit, lambda: house.at, pace=pace
    )
    made.start()
    try:
        yield made
    finally:
        made.stop()


def queue_up(house: House, *texts: str, due: int = 0, alert: str = "a1") -> None:
    def work(db: Any, now: int) -> None:
        for text in texts:
            db.execute(
                "INSERT INTO notification (alert,step,kind,role,url_index,channel,text,state,"
                "next_at,made_at) VALUES (?,(SELECT count(*) FROM notification),'message','duty',"
                "0,'json',?,'queued',?,?)",
                (alert, text, now + due, now),
            )

    house.submit(work).result()


def rows(house: House) -> list[tuple[str, int, str | None]]:
    found = house.reader().execute("SELECT state, tries, answer FROM notification ORDER BY id")
    return [tuple(row) for row in found]


def test_a_channel_that_fails_twice_then_accepts(house: House) -> None:
    queue_up(house, "门开着")
    with Receiver(500, 503) as receiver, notifying(house, receiver.url):

        def passed() -> bool:
            house.at += 20  # the house's clock: the tries wait for it
            return rows(house) == [("sent", 3, "delivered")]

        wait_for(passed, "the delivery")
        assert [one["message"] for one in receiver.got] == ["门开着"] * 3
        assert receiver.got[0]["title"] == "厅守"


def test_what_is_due_together_goes_as_one_message(house: House) -> None:
    queue_up(house, *(f"第 {n} 条\n细节" for n in range(8)))
    queue_up(house, "明早", due=3_600_000)
    with Receiver() as receiver, notifying(house, receiver.url):
        wait_for(lambda: rows(house)[0][0] == "sent", "the delivery")
        assert [one["message"] for one in receiver.got] == [
            "\n".join(f"第 {n} 条" for n in range(8))
        ]
        assert rows(house)[8] == ("queued", 0, None)
        house.at += 3_600_000
        wait_for(lambda: rows(house)[8][0] == "sent", "the morning's")


def test_a_late_answer_counts_and_is_not_sent_again(house: House) -> None:
    queue_up(house, "慢")
    patient = Pace(delays=(3600,), gap=0.01, answer=0.2)
    with Receiver("hang") as receiver, notifying(house, receiver.url, patient):
        wait_for(lambda: rows(house) == [("queued", 1, NO_ANSWER)], "giving up")
        receiver.open.set()
        wait_for(lambda: rows(house)[0][0] == "sent", "the late answer")
        assert len(receiver.got) == 1


def test_stopping_waits_for_what_is_on_its_way(house: House) -> None:
    queue_up(house, "一条")
    with Receiver("hang") as receiver:
        with notifying(house, receiver.url):
            wait_for(lambda: receiver.got, "the request")
            threading.Timer(0.2, receiver.open.set).start()
        assert rows(house) == [("sent", 1, "delivered")]


def test_a_new_start_tries_at_once_and_misses_lost_addresses(house: House) -> None:
    queue_up(house, "一条")
    ids = (1,)
    house.submit(lambda db, now: book(db, now, ids, "refused", Pace(), 0.5, 1)).result()
    assert rows(house) == [("queued", 1, "refused")]
    with Receiver() as receiver, notifying(house, receiver.url):
        wait_for(lambda: rows(house) == [("sent", 2, "delivered")], "the delivery")
    queue_up(house, "二条")
    with notifying(house, ""):
        wait_for(lambda: rows(house)[1][0] == "unaddressed", "the row without an address")


def test_after_the_last_try_it_is_failed(house: House) -> None:
    queue_up(house, "一条")
    for _ in range(3):
        house.submit(lambda db, now: book(db, now, (1,), "refused", Pace(tries=2), 0.5, 1)).result()
    assert rows(house) == [("failed", 2, "refused")]


def test_backoff() -> None:
    delays = Pace().delays
    assert [backoff(n, 0.5, delays) for n in (1, 2, 3, 99)] == [60, 120, 300, 1800]
    assert backoff(1, 0.0, delays) == pytest.approx(48)
    assert backoff(1, 1.0, delays) == pytest.approx(72)


def test_addresses_are_checked_beforehand_and_their_secrets_kept() -> None:
    from dataclasses import replace

    hall = replace(
        HALL,
        notify=(
            Channel("duty", "env:DUTY"),
            Channel("duty", "json://127.0.0.1/a-secret"),
            Channel("manager", "env:MANAGER"),
            Channel("facilities", "nonsense://x"),
        ),
    )
    found = addresses(hall, {"DUTY": "jsons://127.0.0.1/secret"})
    assert found["manager", 0] == found["facilities", 0] == ""
    shown = {"duty": ("jsons", "json"), "manager": ("",), "facilities": ("",)}
    assert schemes(found) == shown


def test_the_api_shows_what_was_told(house: House) -> None:
    def work(db: Any, now: int) -> None:
        db.execute(
            "INSERT INTO alert (id,finding,rule,subject,severity,state,opened)"
            " VALUES ('a1','f1','exit.locked','e1','critical','unacknowledged',?)",
            (now,),
        )

    house.submit(work).result()
    queue_up(house, "一条")
    with serving(house, house.data) as base, client(base, house.person("duty")) as duty:
        (item,) = duty.get("/api/v1/alerts").json()["items"]
        assert item["notifications"] == [
            {
                "at": "2026-07-01T12:30:00.000+08:00",
                "to": "duty",
                "channel": "json",
                "state": "queued",
                "tries": 0,
                "answer": None,
            }
        ]
        assert "step_due" not in item
        (told,) = duty.post("/api/v1/alerts/a1/ack").json()["notifications"]
        assert told == item["notifications"][0] | {"state": "stopped"}
        house.submit(lambda db, now: book(db, now, (1,), "refused", Pace(), 0.5, 1)).result()
        (kept,) = duty.get("/api/v1/notifications", params={"alert": "a1"}).json()["items"]
        assert kept["attempts"] == [{"at": "2026-07-01T12:30:00.000+08:00", "answer": "refused"}]
