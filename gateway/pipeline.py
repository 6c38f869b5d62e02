"""`serve`: its options as values, and one house after another until it is told to stop."""

from __future__ import annotations

import signal
from pathlib import Path

from gateway import broker, logs, site, store
from gateway.clock import Clock, parse_instant
from gateway.errors import InputFault
from gateway.house import Ending, House, Options
from gateway.site import Site


def serve(
    config: Path,
    data: Path,
    *,
    broker: str,
    mqtt: str,
    http: str,
    start: str | None,
    speed: float,
    broker_log: Path | None = None,
) -> None:
    """Run until SIGTERM or Ctrl-C; SIGHUP reads the site file anew. Raises InputFault and
    EnvironmentFault before it is up."""
    options = parse(config, data, broker, mqtt, http, start, speed, broker_log)
    hall = site.load(config)
    logs.configure()
    with store.locked(data):
        ending = Ending()
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, ending)
        following: Site | None = hall
        while following is not None and not ending.asked:
            ending.house = house = House(options, following, ending)
            signal.signal(signal.SIGHUP, house.reload)
            following = house.run()


def parse(
    config: Path,
    data: Path,
    outside: str,
    mqtt: str,
    http: str,
    start: str | None,
    speed: float,
    broker_log: Path | None = None,
) -> Options:
    """The options of `serve` as values. Raises InputFault."""
    if broker_log is not None and outside == "embedded":
        raise InputFault(
            "--broker-log is for a Mosquitto (--broker mqtt://…): the embedded one needs none"
        )
    return Options(
        config,
        data,
        None if outside == "embedded" else broker.outside(outside),
        broker.address(mqtt),
        broker.address(http),
        Clock(None if start is None else parse_instant(start), speed),
        speed,
        broker_log,
    )
