"""`hallkeeper demo`: a hall that lives, and that leaves nothing behind."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import psutil

from gateway import site, store
from tests.parts import free_port
from tests.waiting import wait_for

SITE = Path(__file__).parent.parent / "data" / "site.toml"


def test_every_device_of_the_hall_lives_and_all_end_together(tmp_path: Path) -> None:
    data = tmp_path / "data"
    demo = subprocess.Popen(
        [
            *(sys.executable, "-m", "gateway.cli", "demo", "--site", str(SITE)),
            *("--data", str(data), "--from", "2026-07-01T09:00:00+08:00", "--speed", "60"),
            *("--mqtt", f"127.0.0.1:{free_port()}", "--http", f"127.0.0.1:{free_port()}"),
        ],
        env={**os.environ, "HALLKEEPER_ADMIN_PASSWORD": "hallkeeper"},
        stdout=subprocess.DEVNULL,
        stderr=(tmp_path / "said").open("wb"),
    )
    family = [psutil.Process(demo.pid)]
    try:
        wait_for((data / store.FILE).exists, "the store", 60)
        db = store.open_reader(data)
        wait_for(
            lambda: db.execute("SELECT 1 FROM sqlite_master WHERE name='event'").fetchone(),
            "its tables",
            60,
        )
        devices = {d.id for d in site.load(SITE).devices}
        wait_for(
            lambda: {r[0] for r in db.execute("SELECT DISTINCT device FROM event")} == devices,
            "every device to be heard",
            90,
        )
        wait_for(
            lambda: db.execute("SELECT 1 FROM event WHERE kind='rating'").fetchone(),
            "somebody to press a key",
            90,
        )
        db.close()
        family += family[0].children(recursive=True)
    finally:
        demo.send_signal(signal.SIGTERM)
        assert demo.wait(30) == 0
    _, left = psutil.wait_procs(family, timeout=5)
    assert left == []
