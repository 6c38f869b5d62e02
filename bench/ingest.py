"""Messages a second through the whole gateway, rules and storing included, beside a bare paho loop.

Run: python bench/ingest.py [mosquitto|nats …]. A message is one reading of a meter.

"Every" has so many meters that none sends twice within the half second between two acks of the
contract: each reading is answered by an ack of its own. "1 %" has so few that an ack covers about
a hundred. The bare loop answers every reading, or each hundredth of a meter, and stores nothing.
Both take turns, each time on a new broker, and the median of the rounds counts. The window is wider
than what lies between two acks, so that neither waits for the other's rule. Latency is from the
publish of a reading to the ack that covers it: its commit lies in between; beside each rate stands
what an fsync took in the same seconds.
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
import threading
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

MANY, FEW = 2500, 50
SECONDS, WARM = 8.0, 2.0
ROUNDS = int(os.environ.get("ROUNDS", "3"))
RATES = (100, 1000, 5000)
ENV = os.environ | {"PYTHONPATH": str(ROOT)}
MOSQUITTO = "max_queued_messages 0\nmax_inflight_messages 20000\nset_tcp_nodelay true"
HEAD = f"""
[site]
id = "{SITE}"
name = "bench"
timezone = "{{zone}}"
[hours]
open = ["09:00-12:00", "13:00-17:00"]
arrive = "08:00"
clear_after_close = "1h"
[season]
cooling = ["06-01", "09-30"]
heating = ["11-15", "03-15"]
"""


def open_now() -> str:
    """A time zone in which it is between ten and eleven: lamps that burn in a closed hall are a
    finding each, and 2,500 of those at once are no everyday load."""
    ahead = (10 - time.gmtime().tm_hour + 12) % 24 - 12
    return f"Etc/GMT{-ahead:+d}" if ahead else "Etc/GMT"


def site_file(path: Path, meters: int) -> None:
    """Meters of lighting circuits, ten to a zone."""
    text = [HEAD.format(zone=open_now())]
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


def _healthy(port: int) -> bool:
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/healthz", timeout=5):
            return True
    except OSError:  # a 503 is one, too
        return False


@contextlib.contextmanager
def fsyncs(folder: Path) -> Iterator[list[float]]:
    """Milliseconds of a 4 KiB write and its fdatasync, thirty a second, while it lasts."""
    took: list[float] = []
    over = threading.Event()

    def probe() -> None:
        with open(folder / "probe", "wb") as file:
            while not over.wait(0.033):
                began = time.perf_counter()
                file.write(b"x" * 4096)
                file.flush()
                os.fdatasync(file.fileno())
                took.append((time.perf_counter() - began) * 1000)

    thread = threading.Thread(target=probe)
    thread.start()
    try:
        yield took
    finally:
        over.set()
        thread.join()


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
    for name, meters, every, window in (("every", MANY, 1, 2000), ("1 %", FEW, 100, 20_000)):
        settings = {"devices": meters, "window": window}
        bares, wholes = [], []
        for n in range(ROUNDS):
            with broker_at(broker, folder / f"bare-{meters}-{n}") as port, bare(every, port) as by:
                bares.append(run(by, port=port, **settings))
            show(broker, f"bare paho, {name}", bares[-1])
            with (
                broker_at(broker, folder / f"whole-{meters}-{n}") as port,
                gateway(folder / f"gateway-{meters}-{n}", meters, port) as by,
            ):
                wholes.append(run(by, port=port, **settings))
            show(broker, f"gateway, {name}", wholes[-1], wholes[-1]["rate"] / bares[-1]["rate"])
        ratios = [w["rate"] / b["rate"] for w, b in zip(wholes, bares, strict=True)]
        low, high = (statistics.median(one["rate"] for one in many) for many in (bares, wholes))
        print(
            f"{broker:10} {name}: bare {low:,.0f}/s, gateway {high:,.0f}/s, the medians'"
            f" ratio {high / low:.2f}; the rounds' {', '.join(f'{r:.2f}' for r in ratios)}",
            flush=True,
        )
    with (
        broker_at(broker, folder / "rates") as port,
        gateway(folder / "gateway-rates", MANY, port) as by,
    ):
        for rate in RATES:
            with fsyncs(folder) as took:
                found = run(by, port=port, devices=MANY, rate=rate, warm=4.0)
            show(broker, f"gateway, at {rate}/s", found)
            took.sort()
            print(
                f"{broker:10} fsync in these seconds: p50 {took[len(took) // 2]:.1f},"
                f" p99 {took[len(took) * 99 // 100]:.1f} ms",
                flush=True,
            )


def main(brokers: list[str]) -> None:
    with tempfile.TemporaryDirectory() as scratch:
        for broker in brokers:
            measure(broker, Path(scratch) / broker)


if __name__ == "__main__":
    main(sys.argv[1:] or ["mosquitto", "nats"])
