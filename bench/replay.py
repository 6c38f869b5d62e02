# ruff: noqa: E402
"""`hallkeeper replay` from JSON lines to findings: events a second and peak memory by length.

`python bench/replay.py [LINES…]`; the default is 300,000 and 1,000,000 (10000000 for the long one).
Each length runs in a process of its own, on a day's reference site over as many days as it takes.
"""

from __future__ import annotations

import json
import os
import random
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path[0] = str(ROOT)  # not bench/, which has a firmware.py of its own

from rich.console import Console
from rich.table import Table

from gateway.clock import parse_instant

SITE = ROOT / "tests" / "data" / "site.toml"
BEGIN = parse_instant("2026-06-29T00:00:00")
STEP = 1_000  # ms between two events of the hall
_RUN = "from gateway.cli import main; main()"


def write(path: Path, count: int) -> None:
    """One event a second, mostly power; a fifth up to 5 s late, one in fifty twice."""
    dice = random.Random(count)
    seqs: dict[str, int] = {}
    with path.open("w") as out:
        for n in range(count):
            t = BEGIN + n * STEP
            device, fields = _reading(dice, n)
            seq = seqs[device] = seqs.get(device, 0) + 1
            late = dice.randrange(5000) if dice.random() < 0.2 else 40
            payload = {"log": "9f3a1c22", "seq": seq, "boot": 1, "up": n * STEP, "t": t, **fields}
            line = {"at": t + late, "topic": f"hall/1/fengxian/{device}/event", "payload": payload}
            text = json.dumps(line, separators=(",", ":")) + "\n"
            out.write(text * (2 if n % 50 == 0 else 1))


def _reading(dice: random.Random, n: int) -> tuple[str, dict[str, object]]:
    by_day = 9 <= n * STEP // 3_600_000 % 24 < 19
    what = dice.random()
    if what < 0.6:
        watts = round(dice.gauss(400 if by_day else 3, 1), 3)
        return "pm-01", {"kind": "power", "ch": dice.choice(("c1", "c2")), "w": watts}
    if what < 0.75:
        return "pm-02", {"kind": "power", "ch": "c1", "w": round(dice.gauss(60, 5), 3)}
    if what < 0.85:
        return "occ-01", {"kind": "presence", "ch": "p1", "present": by_day}
    if what < 0.9:
        return "occ-02", {"kind": "presence", "ch": "p1", "present": dice.random() < 0.3}
    if what < 0.95:
        return "ac-01", {"kind": "ac", "ch": "a1", "on": by_day, "mode": "cool", "set": 26}
    return dice.choice(("door-01", "door-02", "door-03", "door-04")), {
        "kind": "contact",
        "ch": "c1",
        "open": by_day and dice.random() < 0.2,
    }


def measure(path: Path) -> tuple[float, float, int]:
    """(seconds of one core, peak MB, findings) of one replay in a process of its own."""
    command = [sys.executable, "-c", _RUN, "replay", "--config", str(SITE), str(path)]
    with tempfile.TemporaryFile() as out:
        process = subprocess.Popen(command, stdout=out, cwd=ROOT)
        _, status, usage = os.wait4(process.pid, 0)
        assert status == 0
        out.seek(0)
        found = sum(1 for _ in out)
    return usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024, found


def main(lengths: list[int]) -> None:
    table = Table(title="hallkeeper replay, JSON lines to findings (start included)")
    for head in ("lines", "s of one core", "lines/s", "peak MB", "findings"):
        table.add_column(head, justify="right")
    with tempfile.TemporaryDirectory() as folder:
        for count in lengths:
            path = Path(folder) / f"{count}.jsonl"
            write(path, count)
            lines = count + -(-count // 50)
            seconds, peak, found = measure(path)
            table.add_row(
                f"{lines:,}",
                f"{seconds:.1f}",
                f"{lines / seconds:,.0f}",
                f"{peak:.0f}",
                f"{found:,}",
            )
            path.unlink()
    Console(width=100).print(table)


if __name__ == "__main__":
    main([int(n) for n in sys.argv[1:]] or [300_000, 1_000_000])
