"""A hall's real parts as processes: the gateway, its devices' firmware, a signed-in person."""

from __future__ import annotations

import json
import os
import sqlite3
import subprocess
import sys
import threading
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from tests.parts import free_port, stop
from tests.waiting import wait_for

ROOT = Path(__file__).resolve().parents[2]
SITE = ROOT / "tests" / "data" / "site.toml"
CODE = "from gateway.cli import main; main()"
PASSWORD = "a-password-for-tests"


def hallkeeper(*arguments: object) -> list[str]:
    """The command line of one `hallkeeper …`."""
    return [sys.executable, "-c", CODE, *map(str, arguments)]


def ran(*arguments: object) -> subprocess.CompletedProcess[str]:
    """A `hallkeeper …` that is expected to end by itself."""
    return subprocess.run(
        hallkeeper(*arguments), capture_output=True, text=True, timeout=30, check=False, cwd=ROOT
    )


class Serve:
    """`hallkeeper serve` on free ports; `with` stops it and expects a clean end.

    `start` is where its clock begins (ISO 8601), `broker` a URL for one outside, `more` what else
    its command line has.
    """

    def __init__(
        self,
        folder: Path,
        *,
        site: Path = SITE,
        broker: str = "embedded",
        start: str | None = None,
        speed: float = 1,
        more: tuple[object, ...] = (),
    ) -> None:
        self.more = more
        self.folder, self.data, self.site = folder, folder / "data", site
        self.start_at, self.speed, self.broker = start, speed, broker
        self.http = free_port()
        self.mqtt = free_port() if broker == "embedded" else int(broker.rpartition(":")[2])
        self.process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.http}"

    @property
    def scheme(self) -> str:
        """How devices speak: by TLS where `hallkeeper ca init` was run on the data."""
        return "mqtts" if (self.data / "ca").exists() else "mqtt"

    @property
    def clock(self) -> list[str]:
        """The options that start a clock where this gateway's starts."""
        begin = ["--from", self.start_at] if self.start_at else []
        return [*begin, "--speed", f"{self.speed:g}"]

    def __enter__(self) -> Serve:
        self.folder.mkdir(parents=True, exist_ok=True)
        with open(self.folder / "gateway.log", "ab") as log:
            self.process = subprocess.Popen(
                hallkeeper(
                    *("serve", "--config", self.site, "--data", self.data),
                    *("--broker", self.broker, "--mqtt", f"127.0.0.1:{self.mqtt}"),
                    *("--http", f"127.0.0.1:{self.http}", *self.clock, *self.more),
                ),
                stdout=log,
                stderr=log,
                env=os.environ | {"HALLKEEPER_ADMIN_PASSWORD": PASSWORD},
                cwd=ROOT,
            )
        wait_for(self.up, "a healthy gateway")
        return self

    def __exit__(self, *_: object) -> None:
        assert self.process is not None
        assert stop(self.process) == 0, (self.folder / "gateway.log").read_text()

    def up(self) -> bool:
        """Healthy; AssertionError where it has ended."""
        assert self.process is not None
        assert self.process.poll() is None, (self.folder / "gateway.log").read_text()
        try:
            return bool(fetch(self.url + "/healthz")["ok"])
        except OSError:
            return False

    def query(self, sql: str) -> list[Any]:
        """Rows of the gateway's database, read beside it."""
        db = sqlite3.connect(f"file:{self.data}/hallkeeper.db?mode=ro", uri=True)
        try:
            return db.execute(sql).fetchall()
        finally:
            db.close()

    def metric(self, name: str) -> float:
        """The value of a metric without labels."""
        with urllib.request.urlopen(self.url + "/metrics", timeout=5) as answer:
            lines = answer.read().decode().splitlines()
        return float(next(x.split()[1] for x in lines if x.startswith(name + " ")))


class Person:
    """Somebody signed in over HTTP."""

    def __init__(self, gateway: Serve, user: str = "admin", password: str = PASSWORD) -> None:
        self._base = gateway.url + "/api/v1/"
        body = json.dumps({"user": user, "password": password}).encode()
        self.token: str = fetch(self._base + "login", body)["token"]

    def get(self, path: str) -> Any:
        """The JSON of one read call."""
        return fetch(self._base + path, None, self.token)

    def post(self, path: str, **body: Any) -> Any:
        """The JSON of one call that changes something; HTTPError where it is refused."""
        return fetch(self._base + path, json.dumps(body).encode(), self.token)

    def items(self, path: str) -> list[Any]:
        return list(self.get(path)["items"])

    def events(self) -> Iterator[tuple[str, dict[str, Any]]]:
        """(kind, data) of each server-sent event from now on; ends with the gateway."""
        asked = urllib.request.Request(
            self._base + "events", headers={"Authorization": f"Bearer {self.token}"}
        )
        kind = ""
        with urllib.request.urlopen(asked, timeout=30) as answer:
            for line in answer:
                name, _, value = line.decode().rstrip("\n").partition(": ")
                if name == "event":
                    kind = value
                elif name == "data":
                    yield kind, json.loads(value)
                elif name == "retry":
                    yield "retry", {}


def fetch(url: str, body: bytes | None = None, token: str = "") -> Any:
    """JSON of a GET, or of a POST where there is a body; a 503's body counts as an answer."""
    headers = {"Content-Type": "application/json"}
    if token:
        headers["Authorization"] = f"Bearer {token}"
    try:
        with urllib.request.urlopen(urllib.request.Request(url, body, headers), timeout=10) as got:
            return json.load(got)
    except urllib.error.HTTPError as fault:
        if fault.code != 503:
            raise
        return json.load(fault)


class Device:
    """The real firmware of one device, provisioned with the gateway's data; `with` stops it."""

    def __init__(self, gateway: Serve, name: str) -> None:
        self.gateway, self.name = gateway, name
        self.did: list[dict[str, Any]] = []
        self.process: subprocess.Popen[str] | None = None

    def __enter__(self) -> Device:
        flash = self.gateway.folder / "flash" / self.name
        flash.mkdir(parents=True, exist_ok=True)
        with open(flash.parent / f"{self.name}.log", "ab") as log:
            self.process = subprocess.Popen(
                hallkeeper(
                    *("device", self.name, "--config", self.gateway.site, "--data", flash),
                    *("--broker", f"{self.gateway.scheme}://127.0.0.1:{self.gateway.mqtt}"),
                    *self.gateway.clock,
                ),
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=log,
                text=True,
                env=os.environ | {"HALLKEEPER_DATA": str(self.gateway.data)},
                cwd=ROOT,
            )
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()
        return self

    def __exit__(self, *_: object) -> None:
        assert self.process is not None
        stop(self.process)
        self._reader.join(5)
        for pipe in (self.process.stdin, self.process.stdout):
            assert pipe is not None
            pipe.close()

    def _read(self) -> None:
        assert self.process is not None
        assert self.process.stdout is not None
        for line in self.process.stdout:
            self.did.append(json.loads(line))

    def sees(self, **what: Any) -> None:
        """One line on its standard input."""
        assert self.process is not None
        assert self.process.stdin is not None
        self.process.stdin.write(json.dumps(what) + "\n")
        self.process.stdin.flush()
