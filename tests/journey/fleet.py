"""Devices as processes of their real firmware, and what their flash says they logged."""

from __future__ import annotations

import contextlib
import json
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import Any

from firmware.flashlog import FlashLog
from gateway import site
from gateway.provision import provision
from tests.parts import stop
from tests.waiting import wait_for

CODE = "from gateway.cli import main; main()"
BOUNCE_S = 0.11  # presses closer than 100 ms are one press
FLASH_BLOCKS = 64


class Device:
    """One device, provisioned with the gateway's `data`; killed and started as often as asked."""

    def __init__(self, name: str, config: Path, data: Path, port: int, folder: Path) -> None:
        self.name, self.folder = name, folder
        self.kills = self.echoes = 0
        self._config, self._port = config, port
        self._lock = threading.Lock()
        self._pressed_at = 0.0
        folder.mkdir(parents=True, exist_ok=True)
        self._credentials = folder.with_suffix(".json")
        made = provision(name, site.load(config), data, "127.0.0.1", port)
        self._credentials.write_text(json.dumps(made))
        self._process = self._start()

    def _start(self) -> subprocess.Popen[str]:
        process = subprocess.Popen(
            [
                *(sys.executable, "-c", CODE, "device", self.name, "--config", str(self._config)),
                *("--broker", f"mqtt://127.0.0.1:{self._port}", "--data", str(self.folder)),
                *("--credentials", str(self._credentials)),
            ],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
        )
        threading.Thread(target=self._listen, args=(process,), daemon=True).start()
        return process

    def _listen(self, process: subprocess.Popen[str]) -> None:
        assert process.stdout is not None
        with process.stdout as out:
            for line in out:
                self.echoes += '"sound"' in line and "thanks" in line

    def see(self, what: dict[str, Any]) -> None:
        """What its sensors see from now on; lost where it is killed before it reads this."""
        with self._lock:
            assert self._process.stdin is not None
            self._process.stdin.write(json.dumps(what) + "\n")
            self._process.stdin.flush()

    def press(self, level: int) -> None:
        """A press that is no bounce, and its thanks, unless the pad is killed in between."""
        wait_for(lambda: time.monotonic() - self._pressed_at > BOUNCE_S, "a key let go")
        kills, echoes = self.kills, self.echoes
        self.see({"press": level})
        wait_for(lambda: self.echoes > echoes or self.kills > kills, "the pad's thanks")
        self._pressed_at = time.monotonic()

    def kill(self) -> None:
        """kill -9, and a new start on the same flash."""
        with self._lock:
            self._process.kill()
            self._end()
            self._process = self._start()
            self.kills += 1

    def stop(self) -> None:
        """A clean stop."""
        with self._lock:
            stop(self._process)
            self._end()

    def start(self) -> None:
        with self._lock:
            self._process = self._start()

    def _end(self) -> None:
        self._process.wait()
        assert self._process.stdin is not None
        with contextlib.suppress(BrokenPipeError):
            self._process.stdin.close()

    def flash(self) -> tuple[str, int, int]:
        """(log, lowest number held, highest number drawn) of a stopped device, off its flash."""
        log = FlashLog(str(self.folder / "log"), lambda: FLASH_BLOCKS).mount()
        assert log.log is not None
        return log.log, log.first, log.next - 1
