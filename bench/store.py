"""The history: durable rows a second, bytes a point, and how fast series and energy are read.

Run: python bench/store.py [--full]. 300 meters over 9 days (a million readings), or 90 days with
--full (ten million). A reading is a `power` event with watts and its counter: one row, two values.
It goes the gateway's own way (last value, series, rollups, energy) in transactions of 2,000 with
synchronous=FULL; days older than 31 (--full) or 3 are packed as the gateway packs them. Beside it
a VictoriaMetrics with the same values, written and asked over its own HTTP.
"""

from __future__ import annotations

import json
import random
import resource
import shutil
import statistics
import subprocess
import sys
import tempfile
import threading
import time
import urllib.parse
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

ROOT = Path(__file__).resolve().parents[1]
sys.path[0] = str(ROOT)  # not bench/, which has a firmware.py of its own

from gateway import store  # noqa: E402
from gateway.history import last, series  # noqa: E402
from gateway.history.hot import Hot  # noqa: E402
from gateway.history.times import Channel, Said, lanes  # noqa: E402
from tests.parts import free_port, listening, stop  # noqa: E402
from tests.waiting import wait_for  # noqa: E402

METERS, BATCH = 300, 2000
ZONE = ZoneInfo("Asia/Shanghai")
DAY = 86_400_000
BEGIN = 1_782_835_200_000  # 2026-07-01 00:00 in Shanghai
EVERY = 233_000  # ms between two readings of a meter: ten million in 90 days


def readings(days: int) -> Iterator[Said]:
    """Loads that wander and are switched, with the jitter of real clocks, in order of time."""
    dice = random.Random(7)
    watts = [dice.uniform(20, 1500) for _ in range(METERS)]
    wh = [0.0] * METERS
    for seq in range(1, days * DAY // EVERY):
        for n in range(METERS):
            if dice.random() < 0.01:
                watts[n] = dice.uniform(20, 1500)
            w = round(watts[n] * dice.uniform(0.99, 1.01), 1)
            wh[n] += w * EVERY / 3.6e6
            t = BEGIN + seq * EVERY + n * EVERY // METERS + dice.randint(0, 20)
            said = {"ch": "c1", "w": w, "wh": round(wh[n], 1)}
            yield Said(f"m-{n}", "9f3a1c22", seq, 1, t, False, False, "power", said)


def batches(days: int) -> Iterator[list[Said]]:
    batch: list[Said] = []
    for one in readings(days):
        batch.append(one)
        if len(batch) == BATCH:
            yield batch
            batch = []
    if batch:
        yield batch


def fill(db: Any, hot: Hot, days: int) -> tuple[int, float]:
    """(readings, seconds of the writing alone)."""
    n, took = 0, 0.0
    orders: dict[Channel, last.Order] = {}
    for batch in batches(days):
        began = time.perf_counter()
        db.execute("BEGIN IMMEDIATE")
        last.keep(db, lanes(batch), orders)
        hot.keep(db, lanes(batch))
        db.execute("COMMIT")
        took += time.perf_counter() - began
        n += len(batch)
        if n % 1_000_000 == 0:
            print(f"  {n:,} stored, {n / took:,.0f}/s", file=sys.stderr, flush=True)
    return n, took


def settle(db: Any, hot: Hot, now: int, keep_hot: int) -> None:
    going = True
    while going:
        db.execute("BEGIN IMMEDIATE")
        for _ in range(200):
            going = hot.settle(db, now, keep_hot)
        db.execute("COMMIT")


def timed(what: Callable[[], Any], times: int = 25) -> tuple[float, float]:
    """(median, worst) ms."""
    took = []
    for _ in range(times):
        began = time.perf_counter()
        what()
        took.append((time.perf_counter() - began) * 1000)
    return statistics.median(took), max(took)


def reads(db: Any, days: int) -> list[tuple[str, Callable[[], Any]]]:
    found = series.find(db, "m-7/c1", "w")
    assert found is not None
    end = BEGIN + days * DAY

    def one(begin: int, step: int) -> Callable[[], Any]:
        return lambda: series.series(db, found, begin, begin + DAY, step, ZONE, 600_000)

    return [
        ("one series, newest 24 h, step 2 min", one(end - DAY, 120_000)),
        ("one series, newest 24 h, raw rows", one(end - DAY, 30_000)),
        ("one series, oldest 24 h (packed), raw rows", one(BEGIN, 30_000)),
        (
            f"one series, {days} days by the hour",
            lambda: series.series(db, found, BEGIN, end, 3_600_000, ZONE, 600_000),
        ),
        (
            f"daily energy of {METERS} meters, {days} days",
            lambda: sum(1 for _ in series.energy(db, BEGIN, end, ZONE)),
        ),
    ]


def pages(db: Any, table: str) -> int:
    return int(
        db.execute(
            "SELECT coalesce(sum(pgsize), 0) FROM dbstat WHERE name = ?", (table,)
        ).fetchone()[0]
    )


def row(what: str, *figures: str) -> None:
    print(f"{what:48}" + "".join(f"{figure:>24}" for figure in figures), flush=True)


def ms(found: tuple[float, float]) -> str:
    return f"{found[0]:.1f} (worst {found[1]:.1f}) ms"


def whole(folder: Path, days: int, keep_hot: int) -> None:
    db = store.open_writer(folder)
    hot = Hot(ZONE)
    hot.load(db)
    n, took = fill(db, hot, days)
    row(f"{n:,} readings stored, each commit durable", f"{n / took:,.0f} rows/s")
    row("hot: bytes a reading / a value", _bytes(pages(db, "sample"), n))
    settle(db, hot, BEGIN + (days + 1) * DAY, keep_hot)
    packed = db.execute("SELECT coalesce(sum(n), 0), sum(length(data)) FROM chunk").fetchone()
    row(f"packed ({packed[0]:,}): bytes a reading / a value", _bytes(packed[1] or 0, packed[0]))
    rest = pages(db, "rollup") + pages(db, "energy") + pages(db, "energy_day")
    row("rollups and energy: bytes a reading", f"{rest / n:.1f}")
    reader = store.open_reader(folder)
    quiet = [(what, timed(ask)) for what, ask in reads(reader, days)]
    ended = threading.Event()

    def write() -> None:
        for batch in batches(days):
            if ended.is_set():
                return
            db.execute("BEGIN IMMEDIATE")
            later = days * DAY * 2
            hot.keep(db, lanes(_moved(one, later) for one in batch))
            db.execute("COMMIT")

    writer = threading.Thread(target=write)
    writer.start()
    busy = [timed(ask) for _, ask in reads(reader, days)]
    ended.set()
    writer.join()
    print()
    row("", "quiet", "while writing")
    for (what, calm), loaded in zip(quiet, busy, strict=True):
        row(what, ms(calm), ms(loaded))
    began = time.perf_counter()
    store.copy(reader, folder / "copy.db")
    size = (folder / "copy.db").stat().st_size / 1e6
    row(
        "the database copied whole, as a backup does",
        f"{time.perf_counter() - began:.1f} s",
        f"{size:,.0f} MB",
    )
    row(
        "peak memory of this process",
        f"{resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e3:,.0f} MB",
    )
    reader.close()
    db.close()


def _moved(one: Said, later: int) -> Said:
    return Said(
        one.device,
        one.log,
        one.seq + 10**6,
        1,
        one.time + later,
        False,
        False,
        "power",
        one.payload,
    )


def _bytes(size: int, n: int) -> str:
    return f"{size / max(1, n):.2f} / {size / max(1, n) / 2:.2f}"


def beside(folder: Path, days: int) -> None:
    """The same values in a VictoriaMetrics."""
    port = free_port()
    with open(folder / "log", "wb") as log:
        server = subprocess.Popen(
            [
                *(
                    "victoria-metrics",
                    f"-storageDataPath={folder / 'data'}",
                    "-retentionPeriod=10y",
                ),
                *(f"-httpListenAddr=127.0.0.1:{port}", "-search.latencyOffset=0s"),
            ],
            stdout=log,
            stderr=log,
        )
    url = f"http://127.0.0.1:{port}"
    try:
        wait_for(lambda: listening(port), "VictoriaMetrics to listen")
        n, took = 0, 0.0
        for batch in batches(days):
            lines = "\n".join(_line(s) for s in batch)
            began = time.perf_counter()
            ask = urllib.request.Request(f"{url}/write?precision=ms", lines.encode())
            urllib.request.urlopen(ask, timeout=30).close()
            took += time.perf_counter() - began
            n += len(batch)
        urllib.request.urlopen(f"{url}/internal/force_flush", timeout=60).close()
        urllib.request.urlopen(f"{url}/internal/force_merge", timeout=60).close()
        row(f"VictoriaMetrics: {n:,} readings, not fsynced", f"{n / took:,.0f} rows/s")
        end = BEGIN + days * DAY
        query = {"query": 'power_w{device="m-7"}', "step": "120s"}
        day = query | {"start": (end - DAY) / 1000, "end": end / 1000, "nocache": 1}
        row("VictoriaMetrics: one series, 24 h, step 2 min", ms(timed(lambda: _range(url, day))))
        rise = {"query": "increase(power_wh[1d])", "step": "1d", "nocache": 1}
        span = rise | {"start": (BEGIN + DAY) / 1000, "end": end / 1000}
        row("VictoriaMetrics: daily energy of all", ms(timed(lambda: _range(url, span), 10)))
    finally:
        stop(server, 30)
    size = sum(f.stat().st_size for f in (folder / "data").rglob("*") if f.is_file())
    row("VictoriaMetrics: bytes a reading / a value", _bytes(size, n))


def _line(said: Said) -> str:
    w, wh = said.payload["w"], said.payload["wh"]
    return f"power,device={said.device},channel=c1 w={w},wh={wh} {said.time}"


def _range(url: str, asked: dict[str, Any]) -> Any:
    ask = f"{url}/api/v1/query_range?{urllib.parse.urlencode(asked)}"
    with urllib.request.urlopen(ask, timeout=60) as answer:
        found = json.load(answer)
    assert found["data"]["result"]
    return found


def main(full: bool) -> None:
    days, keep_hot = (90, 31 * DAY) if full else (9, 3 * DAY)
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        whole(folder / "gateway", days, keep_hot)
        print()
        if shutil.which("victoria-metrics"):
            (folder / "vm").mkdir()
            beside(folder / "vm", days)


if __name__ == "__main__":
    main("--full" in sys.argv[1:])
