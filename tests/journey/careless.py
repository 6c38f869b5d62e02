"""The negative control: a gateway that acknowledges at receipt and stores a little later.

`python careless.py PORT SITE DB`: what most collectors do. A batch is written every half second,
so a kill loses what was acknowledged since.
"""

from __future__ import annotations

import json
import queue
import sqlite3
import sys
import time
from typing import Any

import paho.mqtt.client as mqtt

EVERY_S = 0.5


def main(port: int, site: str, path: str) -> None:
    """Until killed."""
    db = sqlite3.connect(path)
    db.execute("CREATE TABLE IF NOT EXISTS event (device, log, seq, UNIQUE (device, log, seq))")
    waiting: queue.SimpleQueue[tuple[str, str, int]] = queue.SimpleQueue()
    client = mqtt.Client(mqtt.CallbackAPIVersion.VERSION2, "careless", clean_session=False)

    def connected(*_: Any) -> None:
        client.subscribe(f"hall/1/{site}/+/event", 1)

    def ready(*_: Any) -> None:
        client.publish(f"hall/1/{site}/time", json.dumps({"t": time.time_ns() // 1_000_000}))
        print("ready", flush=True)

    def message(_client: Any, _data: Any, found: mqtt.MQTTMessage) -> None:
        events = json.loads(found.payload)
        device = found.topic.split("/")[3]
        for event in events if isinstance(events, list) else [events]:
            waiting.put((device, event["log"], event["seq"]))
            ack = json.dumps({"log": event["log"], "seq": event["seq"]})
            client.publish(f"hall/1/{site}/{device}/ack", ack, 1)

    client.on_connect, client.on_subscribe, client.on_message = connected, ready, message
    client.reconnect_delay_set(1, 1)
    while True:
        try:
            client.connect("127.0.0.1", port)
            break
        except OSError:
            time.sleep(0.1)
    client.loop_start()
    while True:
        time.sleep(EVERY_S)
        batch = []
        while not waiting.empty():
            batch.append(waiting.get())
        db.executemany("INSERT OR IGNORE INTO event VALUES (?,?,?)", batch)
        db.commit()


if __name__ == "__main__":
    main(int(sys.argv[1]), sys.argv[2], sys.argv[3])
