"""Messages a second through the whole gateway, rules and storing included, beside a bare paho loop.

Run: python bench/ingest.py [mosquitto|nats …]. A message is one reading of a meter.

"Every" has so many meters that none sends twice within the half second between two acks of the
contract: each reading is answered by an ack of its own. "1 %" has so few that an ack covers about
a hundred. The bare loop answers every reading, or each hundredth, and stores nothing. Latency is
from the publish of a reading to the ack that covers it: its commit lies in between.
"""

from __future__ import annotations

import contextlib
import json
import os
import secrets
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psutil

ROOT = Path(__file__).resolve().parents[1]
sys.path[0] = str(ROOT)  # not bench/, which has a firmware.py of its own

from bench._load import SITE  # noqa: E402
from tests.parts import free_port, mosquitto, nats, stop  # noqa: E402
from tests.waiting import wait_for  # noqa: E402

MANY, FEW = 2500, 25
SECONDS, WARM = 6.0, 2.0
ENV = os.environ | {"PYTHONPATH": str(ROOT)}
MOSQUITTO = "max_queued_messages 0\nmax_inflight_messages 2000\nset_tcp_nodelay true"
HEAD = f"""
[site]
id = "{SITE}"
name = "bench"
timezone = "Asia/Shanghai"
[hours]
open = ["09:00-12:00", "13:00-17:00"]
arrive = "08:00"
clear_after_close = "1h"
[season]
cooling = ["06-01", "09-30"]
heating = ["11-15", "03-15"]
"""


def site_file(path: Path, meters: int) -> None:
    """Meters of lighting circuits, ten to a zone."""
    text = [HEAD]
    for n in range(0, meters, 10):
        text.append(f'[[zone]]\nid = "z-{n // 10}"\nname = "z"\n')
    for n in range(meters):
        text.append(
            f'[[circuit]]\nid = "c-{n}"\nname = "c"\nzone = "z-{n // 10}"\nuse = "lighting"\n'
            f'meter = "m-{n}/c1"\n[[device]]\nid = "m-{n}"\nkind = "power-meter"\n'
        )
    path.write_text("".join(text))


@contextlib.contextmanager
def gateway(folder: Path, meters: int, port: int) -> Iterator[psutil.Process]:
    """A whole gateway on the broker at `port`."""
    folder.mkdir()
    http = free_port()
    site_file(folder / "site.toml", meters)
    profile = os.environ.get("PROFILE")
    code = "from gateway.cli import main; main()" if not profile else Path(profile).read_text()
    with open(folder / "log", "wb") as log:
        process = subprocess.Popen(
            [
                *(sys.executable, "-c", code, "serve", "--config", str(folder / "site.toml")),
                *("--data", str(folder / "data"), "--broker", f"mqtt://127.0.0.1:{port}"),
                *("--http", f"127.0.0.1:{http}"),
            ],
            stdout=subprocess.PIPE,
            stderr=log,
            env=ENV,
        )
    try:
        assert process.stdout is not None
        assert b"Hallkeeper" in process.stdout.readline(), (folder / "log").read_text()
        # what was published before it has subscribed never comes: these meters send nothing twice
        wait_for(lambda: _healthy(http), "its subscription")
        yield psutil.Process(process.pid)
    finally:
        stop(process, 30)


def _healthy(http: int) -> bool:
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{http}/healthz", timeout=5) as answer:
            return bool(json.load(answer)["ok"])
    except OSError:  # a 503 as well
        return False


@contextlib.contextmanager
def bare(every: int, port: int) -> Iterator[psutil.Process]:
    process = subprocess.Popen(
        [sys.executable, "-m", "bench._bare", str(port), str(every)],
        stdout=subprocess.PIPE,
        env=ENV,
    )
    try:
        assert process.stdout is not None
        process.stdout.readline()
        yield psutil.Process(process.pid)
    finally:
        stop(process)


def run(process: psutil.Process, **asked: Any) -> dict[str, Any]:
    """Load it; its figures, with CPU seconds per 10,000 readings and RSS in MB."""
    settings: dict[str, Any] = {"seconds": SECONDS, "warm": WARM, "rate": None, "window": 2000}
    settings |= {"log": secrets.token_hex(4)} | asked
    before = process.cpu_times()
    began = time.perf_counter()
    done = subprocess.run(
        [sys.executable, "-m", "bench._load", json.dumps(settings)],
        stdout=subprocess.PIPE,
        text=True,
        check=True,
        env=ENV,
    )
    took = time.perf_counter() - began
    after = process.cpu_times()
    found: dict[str, Any] = json.loads(done.stdout)
    used = after.user + after.system - before.user - before.system
    found["cpu"] = used / max(1.0, found["rate"] * took) * 10_000
    found["rss"] = process.memory_info().rss / 1e6
    return found


def fsync_ms(folder: Path) -> tuple[float, float]:
    """Median and 99th percentile of a 4 KiB write and its fdatasync."""
    took = []
    with open(folder / "probe", "wb") as file:
        for _ in range(300):
            began = time.perf_counter()
            file.write(b"x" * 4096)
            file.flush()
            os.fdatasync(file.fileno())
            took.append((time.perf_counter() - began) * 1000)
    return statistics.median(took), sorted(took)[len(took) * 99 // 100]


def show(broker: str, what: str, found: dict[str, Any], ratio: float | None = None) -> None:
    print(
        f"{broker:10} {what:26} {found['rate']:8,.0f}/s  acks {found['answered']:6.1%}"
        f"  p50 {found['p50']:7.1f}  p95 {found['p95']:7.1f}  p99 {found['p99']:7.1f} ms"
        f"  CPU {found['cpu']:5.2f} s  RSS {found['rss']:4.0f} MB"
        + (f"  ratio {ratio:.2f}" if ratio is not None else ""),
        flush=True,
    )


@contextlib.contextmanager
def broker_at(name: str, folder: Path) -> Iterator[int]:
    """A new one for each run: a session left behind would bring its backlog."""
    folder.mkdir()
    if name == "mosquitto":
        with mosquitto(folder, MOSQUITTO) as outside:
            yield outside.port
    else:
        with nats(folder) as port:
            yield port


def measure(broker: str, folder: Path) -> None:
    """The rows of one broker."""
    folder.mkdir()
    for name, meters, every, window in (("every", MANY, 1, 2000), ("1 %", FEW, 100, 8000)):
        settings = {"devices": meters, "window": window}
        with broker_at(broker, folder / f"bare-{meters}") as port, bare(every, port) as process:
            yardstick = run(process, port=port, **settings)
        show(broker, f"bare paho, {name}", yardstick)
        with (
            broker_at(broker, folder / f"whole-{meters}") as port,
            gateway(folder / f"gateway-{meters}", meters, port) as process,
        ):
            found = run(process, port=port, **settings)
            show(broker, f"gateway, {name}", found, found["rate"] / yardstick["rate"])
            for rate in (100, 1000) if meters == MANY else ():
                found = run(process, port=port, devices=MANY, rate=rate, warm=4.0)
                show(broker, f"gateway, at {rate}/s", found)


def main(brokers: list[str]) -> None:
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        median, high = fsync_ms(folder)
        print(f"fsync of 4 KiB here: median {median:.2f} ms, p99 {high:.2f} ms")
        for broker in brokers:
            measure(broker, folder / broker)


if __name__ == "__main__":
    main(sys.argv[1:] or ["mosquitto", "nats"])
