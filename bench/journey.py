"""A press on its way to the page: ms to stored and to shown, gateway memory, first load.

Run: python bench/journey.py. Real pad firmware, `hallkeeper serve` with its own broker, a signed-in
reader of the server-sent events; all on this machine, so the network adds nothing.
"""

from __future__ import annotations

import gzip
import queue
import re
import sqlite3
import statistics
import sys
import tempfile
import threading
import time
import urllib.request
from pathlib import Path

import psutil

ROOT = Path(__file__).resolve().parents[1]
sys.path[0] = str(ROOT)  # not bench/, which has a firmware.py of its own

from gateway.ratings import DWELL_MS  # noqa: E402
from tests.journey.hall import Device, Person, Serve  # noqa: E402
from tests.waiting import wait_for  # noqa: E402

PRESSES = 200
SPEED = 60  # of the hall's clock: the dwell between two citizens passes sooner
POLL_S = 0.001


def listen(person: Person, shown: queue.Queue[tuple[str, float]]) -> None:
    try:
        for kind, _ in person.events():
            if kind in ("rating", "retry"):
                shown.put((kind, time.monotonic()))
    except OSError:  # the gateway has ended, and the stream with it
        return


def presses(gateway: Serve, pad: Device) -> tuple[list[float], list[float]]:
    """(ms to stored, ms to shown) of each press; stored is seen by a reader beside the gateway."""
    shown: queue.Queue[tuple[str, float]] = queue.Queue()
    threading.Thread(target=listen, args=(Person(gateway), shown), daemon=True).start()
    assert shown.get(timeout=20)[0] == "retry"
    db = sqlite3.connect(f"file:{gateway.data}/hallkeeper.db?mode=ro", uri=True)
    count = "SELECT count(*) FROM event WHERE kind='rating'"
    to_stored, to_shown = [], []
    for n in range(1, PRESSES + 1):
        time.sleep(DWELL_MS / 1000 / SPEED + 0.05)  # the next citizen
        begin = time.monotonic()
        pad.sees(press=5)
        while db.execute(count).fetchone()[0] < n:
            time.sleep(POLL_S)
        to_stored.append((time.monotonic() - begin) * 1000)
        to_shown.append((shown.get(timeout=20)[1] - begin) * 1000)
    db.close()
    return to_stored, to_shown


def memory(gateway: Serve) -> tuple[float, float]:
    """MiB resident of (the gateway, its broker)."""
    assert gateway.process is not None
    own = psutil.Process(gateway.process.pid)
    broker = sum(child.memory_info().rss for child in own.children(recursive=True))
    return own.memory_info().rss / 2**20, broker / 2**20


def first_load(url: str) -> tuple[int, int, int]:
    """Bytes of the page and all that it names: (plain, with gzip -9, as sent to a browser)."""

    def sent(path: str, encoding: str) -> bytes:
        asked = urllib.request.Request(f"{url}/{path}", headers={"Accept-Encoding": encoding})
        with urllib.request.urlopen(asked, timeout=5) as answer:
            return bytes(answer.read())

    page = sent("", "identity")
    named = [path.decode() for path in re.findall(rb'(?:src|href)="\./([^"]+)"', page)]
    plain = [sent(path, "identity") for path in ["", *named]]
    packed = sum(len(gzip.compress(part, 9)) for part in plain)
    return sum(map(len, plain)), packed, sum(len(sent(path, "gzip")) for path in ["", *named])


def line(name: str, value: str) -> None:
    print(f"{name:<34}{value:>18}")


def spread(values: list[float]) -> str:
    return f"{statistics.median(values):.1f} / {statistics.quantiles(values, n=100)[98]:.1f} ms"


def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        start = "2026-07-01T09:30:00+08:00"
        with (
            Serve(Path(folder), start=start, speed=SPEED) as gateway,
            Device(gateway, "pad-w01") as pad,
        ):
            ready = "SELECT count(*) FROM device WHERE state='ready'"
            wait_for(lambda: gateway.query(ready) == [(1,)], "the pad to be ready")
            begun = memory(gateway)
            to_stored, to_shown = presses(gateway, pad)
            now = memory(gateway)
            plain, packed, sent = first_load(gateway.url)
    print(f"{PRESSES} presses, p50 / p99")
    line("press to stored", spread(to_stored))
    line("press to shown (SSE)", spread(to_shown))
    line("gateway RSS, started / after", f"{begun[0]:.0f} / {now[0]:.0f} MiB")
    line("broker RSS, started / after", f"{begun[1]:.0f} / {now[1]:.0f} MiB")
    line("first load, plain / gzip", f"{plain} / {packed} B")
    line("first load, as sent", f"{sent} B")


if __name__ == "__main__":
    main()
