"""Figures of the firmware: RAM, .mpy bytes, boot and press latencies, flash wear and capacity.

Run: python bench/firmware.py. RAM is the heap of MicroPython's 32-bit WebAssembly build (npm, in
tools/), which has the boards' object sizes; TLS is mbedTLS's own memory and counted apart.
"""

from __future__ import annotations

import contextlib
import json
import shutil
import socket
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path[0] = str(ROOT)  # not bench/, where this file would stand for the package

from firmware import wire  # noqa: E402
from gateway import flashing, wiring  # noqa: E402
from tests import upython  # noqa: E402
from tests.device.test_device import Running  # noqa: E402
from tests.parts import mosquitto  # noqa: E402
from tests.waiting import wait_for  # noqa: E402

BLOCK_CYCLES = 100_000  # a NOR block's rated erases
LOG_BLOCKS = 64
EVENTS_A_DAY = 500
PRESSES = 100
LIMITS = {"rating-pad": 96, "opening-sensor": 64}  # KiB
CHANNELS = {
    "rating-pad": {},
    "opening-sensor": {"c1": "contact", "k1": "lock"},
    "room-sensor": {"p1": "presence", "x1": "lux", "t1": "climate"},
    "power-meter": {f"c{n}": "power" for n in range(1, 9)}
    | {f"r{n}": "relay" for n in range(1, 9)},
    "ac-controller": {"a1": "ac"},
    "patrol-reader": {},
    "duty-panel": {},
}


def mpy(into: Path) -> int:
    """The firmware of a board compiled below `into`; its bytes."""
    return sum(path.stat().st_size for path in flashing.compiled(into / "firmware"))


def ram(folder: Path, kind: str) -> dict[str, int]:
    """Live heap of a whole device on the 32-bit build, bytes, by its stage (see `_ram.py`)."""
    setup = {"kind": kind, "battery": kind == "opening-sensor", "channels": CHANNELS[kind]}
    board = wiring.board_json("esp32-s3", kind, setup)
    (folder / f"{kind}.json").write_text(json.dumps(board))
    (folder / f"{kind}-setup.json").write_text(json.dumps(setup))
    (folder / "main.py").write_text(flashing.MAIN)
    (folder / "slot").write_text(flashing.FIRST_SLOT)
    shutil.copyfile(flashing.FIRMWARE / "slots.py", folder / "slots.py")
    where = subprocess.run([ROOT / "tools/node-path"], capture_output=True, text=True, check=True)
    run = subprocess.run(
        [f"{where.stdout.strip()}/node", "--expose-gc", ROOT / "bench/_ram.mjs", folder, kind],
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
    )
    if run.returncode:
        raise SystemExit(f"{kind}: {run.stdout[-1500:]}{run.stderr[-1500:]} (run `make setup`?)")
    found: dict[str, int] = json.loads(run.stdout.splitlines()[-1])
    return found


class Tap:
    """A relay between device and broker that notes when PUBACKs pass."""

    def __init__(self, port: int) -> None:
        self.passed: list[float] = []
        self._broker = port
        self._door = socket.create_server(("127.0.0.1", 0))
        self.port = int(self._door.getsockname()[1])
        threading.Thread(target=self._serve, daemon=True).start()

    def _serve(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                device, _ = self._door.accept()
                broker = socket.create_connection(("127.0.0.1", self._broker))
                for end in (device, broker):
                    end.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                for a, b, told in ((device, broker, False), (broker, device, True)):
                    threading.Thread(target=self._pass, args=(a, b, told), daemon=True).start()

    def _pass(self, source: socket.socket, sink: socket.socket, told: bool) -> None:
        with contextlib.suppress(OSError):
            while piece := source.recv(4096):
                sink.sendall(piece)
                if told and piece.startswith(b"\x40\x02"):
                    self.passed.append(time.monotonic())

    def close(self) -> None:
        self._door.close()


def latencies() -> tuple[float, list[float], list[float]]:
    """Boot to first publish; press to a subscriber, press to PUBACK; ms, sorted."""
    with tempfile.TemporaryDirectory() as name, mosquitto(Path(name)) as broker:
        tap = Tap(broker.port)
        began = time.monotonic()
        pad = Running("pad", broker, Path(name), url=f"mqtt://127.0.0.1:{tap.port}")
        wait_for(pad.states)
        boot = time.monotonic() - began
        pad.ear.publish("hall/1/s/time", json.dumps({"t": int(time.time() * 1000)}), qos=0)
        took: list[float] = []
        acked: list[float] = []
        for _ in range(PRESSES):
            count, known = len(pad.of("rating")), len(tap.passed)
            at = time.monotonic()
            pad.sees(press=5)
            while len(pad.of("rating")) == count or len(tap.passed) == known:
                time.sleep(0.0002)
            took.append((time.monotonic() - at) * 1000)
            acked.append((tap.passed[known] - at) * 1000)
            newest = max(pad.events(), key=lambda e: int(e["seq"]))
            pad.ack(newest["log"], newest["seq"])
            time.sleep(0.12)
        pad.gone()
        pad.ear.close()
        tap.close()
    return boot * 1000, sorted(took), sorted(acked)


def shown(times: list[float]) -> str:
    return f"{statistics.median(times):.1f} / {times[-1]:.1f} ms"


def main() -> None:
    cuts = ROOT / "tests" / "device" / "cuts.py"
    wear = upython.told(cuts, "erases")
    room = upython.told(cuts, "capacity")
    boot, heard, puback = latencies()
    acked = wear["rating"][0]
    years = BLOCK_CYCLES * 2 / (acked / 500 * EVENTS_A_DAY) / 365
    with tempfile.TemporaryDirectory() as name:
        size = mpy(Path(name))
        heaps = {kind: ram(Path(name), kind) for kind in wire.DEVICE_KINDS}
    rows = [
        (".mpy of the firmware", f"{size / 1024:.1f} KiB"),
        ("process start to `ready` at the broker", f"{boot:.0f} ms"),
        (f"press to PUBACK, p50 / worst of {PRESSES}", shown(puback)),
        (f"press to a subscriber, p50 / worst of {PRESSES}", shown(heard)),
        ("erases per 1,000 ratings, acked", f"{acked * 2}"),
        ("years at 500 events a day, two blocks wearing alone", f"{years:,.0f}"),
        *((f"{kind} events held in 256 KiB", f"{room[kind]:,}") for kind in sorted(room)),
    ]
    stages = ("booted", "session", "used", "ordered", "backlog")
    print("live heap, KiB " + "".join(f"{stage:>9}" for stage in stages))
    for kind, heap in heaps.items():
        limit = f"   of {LIMITS[kind]}" if kind in LIMITS else ""
        print(f"{kind:15}" + "".join(f"{heap[s] / 1024:9.1f}" for s in stages) + limit)
    for what, figure in rows:
        print(f"{what:55} {figure:>14}")


if __name__ == "__main__":
    main()
