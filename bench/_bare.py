"""The yardstick: a bare paho loop that decodes, stores nothing and answers every Nth reading."""

from __future__ import annotations

import sys
from typing import Any

import msgspec
import paho.mqtt.client as mqtt

from bench._load import SITE
from firmware import wire


class Reading(msgspec.Struct):
    log: str
    seq: int


def main(port: int, every: int) -> None:
    """Until killed. An answer goes to each device's every Nth reading."""
    client = mqtt.Client(mqtt.CallbackAPIVersion.VERSION2, "bare")
    client.max_inflight_messages_set(2000)
    decode = msgspec.json.Decoder(Reading).decode

    def message(_client: Any, _data: Any, found: mqtt.MQTTMessage) -> None:
        reading = decode(found.payload)
        if reading.seq % every == 0:
            device = found.topic.split("/")[3]
            client.publish(wire.topic(SITE, device, "ack"), msgspec.json.encode(reading), 1)

    client.on_message = message
    client.on_connect = lambda *_: client.subscribe(wire.topic(SITE, "+", "event"), 1)
    client.on_subscribe = lambda *_: print("ready", flush=True)
    client.connect("127.0.0.1", port)
    client.loop_forever()


if __name__ == "__main__":
    main(int(sys.argv[1]), int(sys.argv[2]))
