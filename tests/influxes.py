"""Servers to copy to: a scriptable one on the loopback, and a real VictoriaMetrics."""

from __future__ import annotations

import contextlib
import gzip
import json
import queue
import subprocess
import sys
import threading
import urllib.parse
import urllib.request
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from tests.parts import free_port, listening, program, stop
from tests.waiting import wait_for

Reply = tuple[int, dict[str, str], str]  # status, headers, body
TAKEN: Reply = (204, {}, "")
Rule = Callable[[list[str]], Reply | None]


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that is gone is no fault of ours."""
        if not isinstance(sys.exc_info()[1], ConnectionError):
            super().handle_error(request, client_address)


class FakeInflux:
    """Takes v2 writes. `says` are given in turn (a reply, "hang", "reset": close without a word,
    "lose": take the points and close without a word); then `rule(lines)`, and what that does not
    answer is taken. `points` is what it holds: {(series, time): fields}; `batches` is
    every request's lines; `behind`: another server that gets what is taken. `counts`: what it
    answers to each Flux query, in turn; else it knows no queries."""

    def __init__(self, *says: Reply | str, rule: Rule | None = None, behind: str = "") -> None:
        self.points: dict[tuple[str, str], str] = {}
        self.batches: list[list[str]] = []
        self.tokens: set[str | None] = set()
        self.released = threading.Event()
        self.refuses: Callable[[str], Reply | None] = lambda _: None  # of the GETs it passes on
        self.started = 0  # when this VictoriaMetrics was started; 0: it is none
        self.queries: list[str] = []
        self.counts: list[int] = []
        self._says: queue.SimpleQueue[Reply | str] = queue.SimpleQueue()
        self.say(*says)
        self.rule: Rule = rule or (lambda _: None)
        fake = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                if self.headers.get("Content-Encoding") == "gzip":
                    body = gzip.decompress(body)
                if self.path.startswith("/api/v2/query"):
                    self.answer(*fake.asked(json.loads(body)["query"]))
                    return
                lines = body.decode().splitlines()
                fake.batches.append(lines)
                fake.tokens.add(self.headers.get("Authorization"))
                said = fake.next(lines)
                if said == "hang":
                    fake.released.wait(30)
                if said in ("lose", TAKEN):
                    fake.take(lines)
                    if behind:
                        request = urllib.request.Request(behind + self.path, data=body)
                        urllib.request.urlopen(request).close()
                if isinstance(said, str):
                    self.close_connection = True
                    return
                self.answer(*said)

            def do_GET(self) -> None:
                said = fake.refuses(self.path) if behind else (404, {}, "not found")
                if self.path == "/metrics" and fake.started:
                    said = 200, {}, f"vm_app_start_timestamp {fake.started}\n"
                if said is not None:
                    self.answer(*said)
                    return
                with urllib.request.urlopen(behind + self.path) as found:
                    self.answer(found.status, {}, found.read().decode())

            def answer(self, status: int, headers: dict[str, str], text: str) -> None:
                self.send_response(status)
                for name, value in headers.items():
                    self.send_header(name, value)
                self.send_header("Content-Length", str(len(text)))
                self.end_headers()
                self.wfile.write(text.encode())

            def log_message(self, *_: Any) -> None:
                """Say nothing."""

        self._server = _Server(("127.0.0.1", 0), Handler)
        self._thread = threading.Thread(target=self._server.serve_forever)
        self.url = f"http://127.0.0.1:{self._server.server_port}"

    def say(self, *says: Reply | str) -> None:
        for one in says:
            self._says.put(one)

    def asked(self, query: str) -> Reply:
        """A Flux count as InfluxDB 2 answers it: annotated CSV."""
        self.queries.append(query)
        if not self.counts:
            return 404, {}, "not found"
        rows = (
            "#datatype,string,long,long\r\n#group,false,false,false\r\n#default,_result,,\r\n"
            f",result,table,_value\r\n,,0,{self.counts.pop(0)}\r\n\r\n"
        )
        return 200, {"Content-Type": "text/csv; charset=utf-8"}, rows

    def next(self, lines: list[str]) -> Reply | str:
        if not self._says.empty():
            return self._says.get()
        return self.rule(lines) or TAKEN

    def take(self, lines: list[str]) -> None:
        for line in lines:
            series, rest = line.split(" ", 1)
            fields, time = rest.rsplit(" ", 1)
            self.points[series, time] = fields

    def __enter__(self) -> FakeInflux:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.released.set()
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()


class Victoria:
    """A VictoriaMetrics on `port`."""

    def __init__(self, folder: Path) -> None:
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self._folder = folder
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        self._folder.mkdir(parents=True, exist_ok=True)
        with open(self._folder / "log", "ab") as log:
            self._process = subprocess.Popen(
                [
                    *(program("victoria-metrics"), "-retentionPeriod=100y"),
                    *(f"-httpListenAddr=127.0.0.1:{self.port}", "-memory.allowedBytes=64MB"),
                    "-dedup.minScrapeInterval=1ms",  # a point sent twice is one
                    f"-storageDataPath={self._folder / 'data'}",
                ],
                stdout=log,
                stderr=log,
            )
        wait_for(lambda: listening(self.port), "victoria-metrics to listen")

    def kill(self) -> None:
        """kill -9: what it took last may not be on its disk."""
        assert self._process is not None
        self._process.kill()
        self._process.wait()

    def stop(self) -> None:
        if self._process is not None:
            stop(self._process)

    def get(self, path: str, **query: str) -> str:
        """The text of a GET."""
        url = f"{self.url}{path}?{urllib.parse.urlencode(query)}"
        with urllib.request.urlopen(url) as answer:
            return str(answer.read().decode())

    def samples(self, match: str) -> list[tuple[str, tuple[tuple[str, str], ...], int, float]]:
        """(metric, its labels, ms, value) of all it holds, sorted."""
        self.get("/internal/force_flush")
        found = []
        for row in self.get("/api/v1/export", **{"match[]": match}).splitlines():
            one = json.loads(row)
            labels = dict(one["metric"])
            name = labels.pop("__name__")
            for t, value in zip(one["timestamps"], one["values"], strict=True):
                found.append((name, tuple(sorted(labels.items())), t, value))
        return sorted(found)


@contextlib.contextmanager
def victoria(folder: Path) -> Iterator[Victoria]:
    """A running VictoriaMetrics."""
    server = Victoria(folder / "victoria")
    server.start()
    try:
        yield server
    finally:
        server.stop()
