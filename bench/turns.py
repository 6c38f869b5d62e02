"""CPU of the writer's thread for a reading, in turns of 1,024 of 50 meters, without a broker.

Run: python bench/turns.py [turns]. Decoding, which is the session's work, is done before.
"""

from __future__ import annotations

import sys
import tempfile
import time
from pathlib import Path
from typing import Any, cast

ROOT = Path(__file__).resolve().parents[1]
sys.path[0] = str(ROOT)  # not bench/, which has a firmware.py of its own

from bench.ingest import FEW, SITE, site_file  # noqa: E402
from gateway import broker, memory, mqtt, site, store  # noqa: E402
from gateway.clock import Clock  # noqa: E402
from gateway.events import decode  # noqa: E402
from gateway.house import Ending, House, Options, begin  # noqa: E402
from gateway.ingest import AT_ONCE, Delivery  # noqa: E402
from gateway.writer import _Came  # noqa: E402

TURN = 1024
WARM = 10


class NoBroker:
    """Takes what the writer would send."""

    up = True
    canary_back = False

    def __getattr__(self, name: str) -> Any:
        return lambda *_: True


def turn(number: int, now: int) -> list[Delivery]:
    """The readings of a turn, as the session delivers them."""
    made = []
    for first in range(number * TURN, (number + 1) * TURN, AT_ONCE):
        messages = []
        for n in range(first, first + AT_ONCE):
            meter, seq, t = n % FEW, n // FEW + 1, time.time_ns() // 1_000_000
            raw = (
                b'{"log":"0a1b2c3d","seq":%d,"boot":1,"up":%d,"t":%d,"kind":"power","ch":"c1","w":%d.5}'
                % (seq, t, t, 20 + (seq * 7919 + meter) % 1500)
            )
            topic = f"hall/1/{SITE}/m-{meter}/event"
            messages.append((mqtt.Message(topic, raw, False, 1, n % 65535 + 1), decode(raw)))
        made.append(Delivery(messages, now, cast(mqtt.Connection, NoBroker())))
    return made


def main(turns: int) -> None:
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        site_file(folder / "site.toml", FEW)
        hall, clock = site.load(folder / "site.toml"), Clock(None, 1.0)
        nowhere = broker.address("127.0.0.1:1")
        options = Options(
            folder / "site.toml", folder / "data", None, nowhere, nowhere, clock, 1.0, None
        )
        writer = House(options, hall, Ending())._writer
        db = store.open_writer(options.data)
        begin(db, clock.now(), options.config, hall.timezone)
        writer._session, writer._db = cast(Any, NoBroker()), db
        writer._load()
        memory.settle()
        took = []
        for number in range(turns):
            items = turn(number, clock.now())
            came = _Came([*items], items, False)
            before = time.thread_time()
            writer._hear(came)
            writer._turn(came)
            took.append((time.thread_time() - before) / TURN * 1e6)
        took = sorted(took[WARM:])
        third = took[: len(took) // 3]
        fastest, median = sum(third) / len(third), took[len(took) // 2]
        print(f"{fastest:.1f} µs a reading (fastest third), median {median:.1f}")


if __name__ == "__main__":
    main(int(sys.argv[1]) if sys.argv[1:] else 90)
