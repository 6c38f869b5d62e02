"""A hall with the Mosquitto of `deploy/`: its settings as they are shipped, but for folders and
ports, a hall's authority, and a gateway that reads its log."""

from __future__ import annotations

import os
import re
import shutil
import signal
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.journey.hall import ROOT, SITE, Serve
from tests.journey.test_tls import provision, ran
from tests.parts import free_port, listening, program, stop
from tests.waiting import wait_for

DEPLOY = ROOT / "deploy"
PASSWORD = "a-password-of-the-gateway"


class Mosquitto:
    """The broker of one hall; `devices` is the port they come to, `gateway` the gateway's own."""

    def __init__(self, folder: Path, ca: Path, site: str) -> None:
        self.folder, self.log = folder, folder / "log" / "mosquitto.log"
        self.gateway, self.devices = free_port(), free_port()
        self.log.parent.mkdir(parents=True)
        for name in ("ca.pem", "broker.pem", "broker-key.pem"):
            shutil.copy(ca / name, folder / name)
        for name in ("gateway.acl", "devices.acl"):
            text = (DEPLOY / f"mosquitto.{name}").read_text()
            (folder / name).write_text(text.replace("SITE", site))
        subprocess.run(
            [
                program("mosquitto_passwd"),
                "-b",
                "-c",
                folder / "gateway.passwd",
                "gateway",
                PASSWORD,
            ],
            check=True,
        )
        conf = (DEPLOY / "mosquitto.conf").read_text()
        for shipped, here in (
            ("/etc/mosquitto/", f"{folder}/"),
            ("/run/mosquitto/", f"{folder}/"),
            ("/var/log/hallkeeper/", f"{self.log.parent}/"),
            ("listener 1883 127.0.0.1", f"listener {self.gateway} 127.0.0.1"),
            ("listener 8883", f"listener {self.devices} 127.0.0.1"),
        ):
            assert shipped in conf
            conf = conf.replace(shipped, here)
        if os.geteuid() == 0:  # the shipped user may not read a test's files
            conf = re.sub("^user .*$", "user root", conf, flags=re.MULTILINE)
        (folder / "mosquitto.conf").write_text(conf)
        with open(folder / "mosquitto.out", "wb") as out:
            self.process = subprocess.Popen(
                [program("mosquitto"), "-c", folder / "mosquitto.conf"], stdout=out, stderr=out
            )
        wait_for(self._up, "mosquitto to listen")

    def _up(self) -> bool:
        assert self.process.poll() is None, (self.folder / "mosquitto.out").read_text()
        return listening(self.devices) and listening(self.gateway)

    def rotate(self) -> None:
        """As logrotate does it: the old log aside, an empty one made, the broker told."""
        before = self.log.rename(self.log.with_suffix(".log.1"))
        self.log.touch(before.stat().st_mode & 0o777)
        self.process.send_signal(signal.SIGHUP)
        wait_for(lambda: listening(self.gateway) and self.log.stat().st_size, "the new log")


@contextmanager
def hall(folder: Path, *devices: str) -> Iterator[tuple[Serve, Mosquitto]]:
    """A gateway and its Mosquitto, with certificates for these `devices`."""
    folder.mkdir(parents=True, exist_ok=True)
    made = ran("ca", "init", "--data", folder / "data")
    assert made.returncode == 0, made.stderr
    for device in devices:
        provision(folder, device)
    broker = Mosquitto(folder / "mosquitto", folder / "data" / "ca", "fengxian")
    url = f"mqtt://gateway:{PASSWORD}@127.0.0.1:{broker.gateway}"
    try:
        with Serve(folder, site=SITE, broker=url, more=("--broker-log", broker.log)) as gateway:
            gateway.mqtt = broker.devices
            yield gateway, broker
    finally:
        stop(broker.process)
