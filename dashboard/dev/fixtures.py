"""A stand-in for the gateway: serves the built dashboard and a made-up hall, with live events.

    python3 dashboard/dev/fixtures.py [--port 8090] [--empty]

Any account signs in, except the password `wrong`. For the tests it can be steered, which the real
gateway cannot: POST /dev/emit {"event","data"} sends one event to every open page, POST /dev/down
cuts the connections and refuses new ones, POST /dev/up ends that; GET /dev/calls lists what pages
posted. `--empty` starts a hall that has nothing to show yet.
"""

from __future__ import annotations

import argparse
import json
import queue
import threading
from datetime import datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlparse

import devices
import duty
import energy
import hall
import ledger
import records
import reports

STATIC = Path(__file__).resolve().parents[2] / "gateway" / "static"
TYPES = {
    ".html": "text/html; charset=utf-8",
    ".js": "text/javascript",
    ".css": "text/css",
    ".svg": "image/svg+xml",
}


class State:
    """What may change while the fixtures are served."""

    def __init__(self, empty: bool) -> None:
        self.empty = empty
        self.down = False
        self.calls: list[dict[str, Any]] = []
        self.streams: set[queue.Queue[tuple[str, Any] | None]] = set()
        self.lock = threading.Lock()

    def emit(self, event: tuple[str, Any] | None) -> None:
        with self.lock:
            for stream in self.streams:
                stream.put(event)


def answer(state: State, path: str, q: dict[str, str]) -> Any:
    """The body of a GET, or None for 404."""
    day = hall.DAY
    tables: dict[str, Any] = {
        "/me": lambda: {"user": "admin", "role": "admin"},
        "/site": lambda: hall.SITE,
        "/now": lambda: {
            "now": hall.at(),
            "day": day,
            "channels": {} if state.empty else hall.channels(),
            "devices": {} if state.empty else hall.devices(),
        },
        "/devices": lambda: items([] if state.empty else devices.rows()),
        "/certificates": lambda: items([] if state.empty else devices.certificates()),
        "/rejects": lambda: items([] if state.empty else devices.rejects(q.get("device"))),
        "/commands": lambda: items([] if state.empty else devices.commands()),
        "/findings": lambda: items([] if state.empty else findings(q)),
        "/alerts": lambda: items([] if state.empty else records.alerts()),
        "/patrols": lambda: items([] if state.empty else records.rounds()),
        "/shifts": lambda: items([] if state.empty else duty.shifts()),
        "/shifts/s-1/log": lambda: items(duty.log()),
        "/closing-checks/now": duty.closing,
        "/circuits": lambda: items([] if state.empty else duty.circuits()),
        "/permits": lambda: items([] if state.empty else duty.permits()),
        "/entries": lambda: items([] if state.empty else duty.entries()),
        "/closing-checks": lambda: items([] if state.empty else duty.closing()["checks"]),
        "/notifications": lambda: items([] if state.empty else duty.messages()),
        "/rules": lambda: items(records.rules()),
        "/ratings/hours": lambda: items([] if state.empty else reports.hours()),
        "/ratings/staff": lambda: items([] if state.empty else reports.staff()),
        "/cases": lambda: items([] if state.empty else ledger.cases()),
        "/duties": lambda: items([] if state.empty else ledger.duties()),
        "/duties/table": lambda: items(ledger.table()),
        "/appointments": lambda: items([] if state.empty else appointments(q)),
        "/appointments/barred": lambda: items([] if state.empty else ledger.barred()),
        "/attendance": lambda: items([] if state.empty else ledger.attendance()),
        "/sheets": lambda: items(reports.periods()),
        "/sheets/fields": lambda: items([]),
        "/sheets/episodes": lambda: items([] if state.empty else reports.episodes()),
        "/ratings/summary": lambda: items(
            records.few() if state.empty else records.ratings(q["by"])
        ),
        "/energy/report": lambda: energy.report(q["from"], q["to"], empty=state.empty),
        "/series": lambda: items([] if state.empty else samples(q)),
    }
    if path.startswith("/findings/"):
        return next((f for f in records.FINDINGS if f["id"] == path.split("/")[2]), None)
    if path.startswith("/devices/"):
        return devices.whole(path[9:])
    if path.startswith("/alerts/"):
        return next((records.whole(a) for a in records.alerts() if a["id"] == path[8:]), None)
    if path.startswith("/sheets/") and path not in tables:
        return reports.sheet(path.split("/")[2], q["period"], empty=state.empty)
    if path.startswith("/registers/"):
        return items([] if state.empty else ledger.register(path.split("/")[2]))
    if path.startswith("/cases/"):
        return ledger.case(path.split("/")[2])
    make = tables.get(path)
    return make() if make else None


def appointments(q: dict[str, str]) -> list[Any]:
    if q.get("proposed") == "true":
        return ledger.unmet()
    return ledger.appointments()[:1] if "from" in q else ledger.appointments()[1:]


def items(rows: list[Any]) -> dict[str, Any]:
    return {"items": rows, "next": None}


def findings(q: dict[str, str]) -> list[Any]:
    active = q.get("active")
    return [
        f for f in records.FINDINGS if active is None or (active == "true") == (f["end"] is None)
    ]


def samples(q: dict[str, str]) -> list[Any]:
    begin, end = (datetime.fromisoformat(q[k].replace("Z", "+00:00")) for k in ("from", "to"))
    step = timedelta(seconds=int(q["step"].rstrip("s")))
    return hall.series(q["channel"], q["field"], begin, end, step)


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    state: State

    def log_message(self, *_: Any) -> None:
        """Quiet: the tests read their own output."""

    def reply(self, status: int, body: Any, kind: str = "application/json") -> None:
        data = body if isinstance(body, bytes) else json.dumps(body, ensure_ascii=False).encode()
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(data)))
        self.send_header("Cache-Control", "no-store")
        if self.path.endswith("/login") and status == 200:
            self.send_header("Set-Cookie", "hk=1; Path=/; SameSite=Strict")
        if self.path.endswith("/logout"):
            self.send_header("Set-Cookie", "hk=; Path=/; Max-Age=0")
        self.end_headers()
        self.wfile.write(data)

    def do_GET(self) -> None:
        url = urlparse(self.path)
        if url.path == "/dev/calls":
            return self.reply(200, self.state.calls)
        if not url.path.startswith("/api/v1/"):
            return self.file(url.path)
        if self.state.down:
            return self.close()
        if "hk=1" not in self.headers.get("Cookie", ""):
            return self.reply(401, {"detail": "sign in"})
        if url.path == "/api/v1/events":
            return self.stream()
        query = {k: v[0] for k, v in parse_qs(url.query).items()}
        body = answer(self.state, url.path.removeprefix("/api/v1"), query)
        return self.reply(404, {"detail": "not found"}) if body is None else self.reply(200, body)

    def do_POST(self) -> None:
        data = json.loads(self.rfile.read(int(self.headers.get("Content-Length", 0))) or b"{}")
        match self.path:
            case "/dev/emit":
                self.state.emit((data["event"], data["data"]))
            case "/dev/down":
                self.state.down = True
                self.state.emit(None)
            case "/dev/up":
                self.state.down = False
            case "/api/v1/login" if data["password"] == "wrong":
                return self.reply(401, {"detail": "wrong"})
            case _:
                self.state.calls.append({"path": self.path, "body": data})
        return self.reply(200, {"ok": True, "token": "t"})

    def close(self) -> None:
        self.close_connection = True
        self.connection.close()

    def stream(self) -> None:
        mine: queue.Queue[tuple[str, Any] | None] = queue.Queue()
        with self.state.lock:
            self.state.streams.add(mine)
        self.send_response(200)
        self.send_header("Content-Type", "text/event-stream")
        self.send_header("Connection", "close")
        self.end_headers()
        self.close_connection = True
        try:
            while True:
                try:
                    event = mine.get(timeout=1)
                except queue.Empty:
                    self.wfile.write(b": still here\n\n")
                    continue
                if event is None:
                    return
                name, data = event
                self.wfile.write(f"event: {name}\ndata: {json.dumps(data)}\n\n".encode())
        except OSError:
            return  # the page has gone
        finally:
            with self.state.lock:
                self.state.streams.discard(mine)

    def file(self, path: str) -> None:
        file = (STATIC / path.lstrip("/")).resolve()
        if not file.is_file() or STATIC not in file.parents:
            file = STATIC / "index.html"
        self.reply(200, file.read_bytes(), TYPES.get(file.suffix, "application/octet-stream"))


def serve(port: int, empty: bool = False) -> ThreadingHTTPServer:
    """A server on 127.0.0.1, not yet running; port 0 picks a free one."""
    handler = type("Bound", (Handler,), {"state": State(empty)})
    server = ThreadingHTTPServer(("127.0.0.1", port), handler)
    server.daemon_threads = True
    return server


if __name__ == "__main__":
    cli = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    cli.add_argument("--port", type=int, default=8090)
    cli.add_argument("--empty", action="store_true")
    args = cli.parse_args()
    print(f"http://127.0.0.1:{args.port}/")
    serve(args.port, args.empty).serve_forever()
