"""Figures of the firmware: RAM, .mpy bytes, boot and press latencies, flash wear and capacity.

Run: python bench/firmware.py. RAM is the heap of MicroPython's 32-bit WebAssembly build (npm, in
tools/), which has the boards' object sizes, the loader included; TLS is mbedTLS's own memory, which
that build lacks: it is counted apart, on the unix build, with the C library's own numbers.
"""

from __future__ import annotations

import base64
import contextlib
import json
import os
import shutil
import signal
import socket
import ssl
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

import trustme

ROOT = Path(__file__).resolve().parents[1]
sys.path[0] = str(ROOT)  # not bench/, where this file would stand for the package

from firmware import wire  # noqa: E402
from firmware.flashlog import FlashLog  # noqa: E402
from gateway import flashing, wiring  # noqa: E402
from tests import upython  # noqa: E402
from tests.device.test_device import Running  # noqa: E402
from tests.parts import mosquitto  # noqa: E402
from tests.waiting import wait_for  # noqa: E402

BLOCK_CYCLES = 100_000  # a NOR block's rated erases
LOG_BLOCKS = 64
EVENTS_A_DAY = 500
PRESSES = 100
TRIES = 5  # when node collects, the WebAssembly port at times loses a callback and stands still
RAM_S = 90
LIMITS = {"rating-pad": 96, "opening-sensor": 64}  # KiB
# each kind's own event and how many a second it can give at most: keys bounce for 100 ms, a contact
# holds for 30 ms, samples come every 10 s (two sensors, eight circuits), a card is looked for
# every 250 ms, a key is two scans of 20 ms down and two up, an air conditioner answers one frame
HIGHEST = {
    "rating-pad": ("rating", 10),
    "opening-sensor": ("contact", 25),
    "room-sensor": ("climate", 0.2),
    "power-meter": ("power", 0.8),
    "ac-controller": ("ac", 1),
    "patrol-reader": ("tap", 4),
    "duty-panel": ("button", 12),
}
BACKLOG = 5000
ACKS_S = 0.5  # the contract: at most two acks a second
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
    command = [f"{where.stdout.strip()}/node", "--expose-gc", ROOT / "bench/_ram.mjs", folder, kind]
    said = ""
    for _ in range(TRIES):
        try:
            run = subprocess.run(command, capture_output=True, text=True, check=True, timeout=RAM_S)
        except (subprocess.CalledProcessError, subprocess.TimeoutExpired) as fault:
            said = f"{fault.__class__.__name__}: {str(fault.stderr)[-800:]}"
            continue
        found: dict[str, int] = json.loads(run.stdout.splitlines()[-1])
        return found
    raise SystemExit(f"{kind}: {said} (run `make setup`?)")


# malloc_stats is the C library's own: in the signal's handler it tells of this process
TOLD = """import ctypes, signal, sys
libc = ctypes.CDLL(None)
libc.signal.argtypes = (ctypes.c_int, ctypes.c_void_p)
libc.signal(signal.SIGUSR1, ctypes.cast(libc.malloc_stats, ctypes.c_void_p))
from micropython_run import run_main
sys.exit(run_main(sys.argv))"""


def tls() -> dict[str, int]:
    """mbedTLS's memory on the 64-bit unix build, bytes: what a session with a client certificate
    holds (`session`, of it the read certificates `context`), and at most meanwhile (`most`)."""
    name, ca = "broker.hall", trustme.CA()
    own, shown = ca.issue_cert("pad", common_name="pad"), ca.issue_cert(name)
    server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    shown.configure_cert(server)
    ca.configure_trust(server)
    server.verify_mode = ssl.CERT_REQUIRED
    told: dict[str, list[int]] = {}
    with tempfile.TemporaryDirectory() as folder, socket.create_server(("127.0.0.1", 0)) as door:
        pems = (ca.cert_pem, own.cert_chain_pems[0], own.private_key_pem)
        for leaf, pem in zip(("ca", "cert", "key"), pems, strict=True):
            text = pem.bytes().decode().split("-----")[2]
            Path(folder, f"{leaf}.der").write_bytes(base64.b64decode(text))

        def serve() -> None:
            line = server.wrap_socket(door.accept()[0], server_side=True)
            while line.recv(64):
                pass

        threading.Thread(target=serve, daemon=True).start()
        command = upython.command(ROOT / "tests/device/tls_memory.py", door.getsockname()[1])
        command[2] = TOLD
        tuned = {"MALLOC_TOP_PAD_": "0", "MALLOC_ARENA_MAX": "1"}  # the heap grows as it is used
        for limit in ("TRIM", "MMAP"):
            tuned[f"MALLOC_{limit}_THRESHOLD_"] = str(1 << 30)
        with subprocess.Popen(
            [*command, folder, name],
            env=dict(os.environ, MICROPYPATH=f".frozen:{ROOT}", **tuned),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        ) as run:
            for mark in run.stdout:
                run.send_signal(signal.SIGUSR1)
                lines: list[str] = []
                while not (lines and lines[-1].startswith("max mmap bytes")):
                    lines.append(run.stderr.readline())
                told[mark.strip()] = [int(x.split("=")[1]) for x in lines if "bytes  " in x][:2]
                run.stdin.write("\n")
                run.stdin.flush()
    began = told["begin"][1]
    return {
        "context": told["context"][1] - began,
        "session": told["session"][1] - began,
        "most": told["session"][0] - began,
    }


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


def drained() -> float:
    """Events a second from a pad with BACKLOG ratings on flash to a gateway that acknowledges as
    often as the contract lets it."""
    with tempfile.TemporaryDirectory() as name, mosquitto(Path(name)) as broker:
        flash = Path(name) / "pad"
        (flash / "log").mkdir(parents=True)
        log = FlashLog(str(flash / "log"), lambda: LOG_BLOCKS).mount()
        for number in range(BACKLOG):
            log.append([(1, number, wire.RATING, {"level": 5})])
        (flash / "boots").write_text('{"boot": 1, "crashes": 0, "offsets": {}}')
        pad = Running("pad", broker, Path(name))
        wait_for(pad.states)
        pad.ear.publish("hall/1/s/time", json.dumps({"t": int(time.time() * 1000)}), qos=0)
        began, acked = time.monotonic(), 0
        while acked < BACKLOG:
            time.sleep(ACKS_S)
            here = sorted({int(event["seq"]) for event in pad.events()})
            while acked < len(here) and here[acked] == acked + 1:
                acked += 1
            pad.ack(log.log, acked)
        took = time.monotonic() - began
        pad.gone()
        pad.ear.close()
    return BACKLOG / took


def shown(times: list[float]) -> str:
    return f"{statistics.median(times):.1f} / {times[-1]:.1f} ms"


def kib(secure: dict[str, int]) -> str:
    return f"{secure['session'] / 1024:.1f} ({secure['most'] / 1024:.1f}) KiB"


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
    secure = tls()
    rows = [
        ("TLS session on top, 64-bit build (at most meanwhile)", kib(secure)),
        (".mpy of the firmware", f"{size / 1024:.1f} KiB"),
        ("process start to `ready` at the broker", f"{boot:.0f} ms"),
        (f"press to PUBACK, p50 / worst of {PRESSES}", shown(puback)),
        (f"press to a subscriber, p50 / worst of {PRESSES}", shown(heard)),
        ("erases per 1,000 ratings, acked", f"{acked * 2}"),
        ("years at 500 events a day, two blocks wearing alone", f"{years:,.0f}"),
        ("events a second out of a backlog", f"{drained():.0f}"),
        *((f"{kind} events held in 256 KiB", f"{room[kind]:,}") for kind in sorted(room)),
    ]
    stages = ("booted", "session", "used", "ordered", "backlog")
    print("live heap, KiB " + "".join(f"{stage:>9}" for stage in stages))
    for kind, heap in heaps.items():
        limit = f"   of {LIMITS[kind]}" if kind in LIMITS else ""
        print(f"{kind:15}" + "".join(f"{heap[s] / 1024:9.1f}" for s in stages) + limit)
    for what, figure in rows:
        print(f"{what:55} {figure:>14}")
    for kind, (event, rate) in HIGHEST.items():
        print(f"{kind:15} full after {room[event] / rate / 3600:7.2f} h of {rate} {event}/s")


if __name__ == "__main__":
    main()
