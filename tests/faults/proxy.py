"""A TCP proxy between MQTT clients and their broker that delays, repeats, swaps and swallows.

It reads packets, so that what it does to them is still MQTT: whole PUBLISHes come late, twice or
in another order, or nothing comes any more although the connection stands (half open).
"""

from __future__ import annotations

import asyncio
import contextlib
import random
import threading
from collections.abc import Callable
from dataclasses import dataclass

from tests.parts import free_port

PUBLISH = 3
Heard = Callable[[str, bytes], None]


@dataclass(slots=True)
class Weather:
    """What happens to packets from now on."""

    delay_s: float = 0.0  # each packet waits up to so long
    repeat: float = 0.0  # how likely a client's PUBLISH comes twice
    swap: float = 0.0  # how likely a client's PUBLISH comes after the packet that follows it
    swallow: bool = False  # nothing comes through, and nobody is told
    refuse: bool = False  # new connections are closed at once


class Proxy:
    """Runs on a thread of its own; `with` ends it. `heard(topic, payload)` sees each PUBLISH on
    its way to a client, before the client does."""

    def __init__(self, to: int, heard: Heard = lambda topic, payload: None, seed: int = 1) -> None:
        self.port = free_port()
        self.weather = Weather()
        self.connections = self.repeated = self.swapped = self.swallowed = 0
        self.faults: list[BaseException] = []
        self._to, self._heard, self._dice = to, heard, random.Random(seed)
        self._writers: set[asyncio.StreamWriter] = set()
        self._tasks: set[asyncio.Task[None]] = set()
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)

    def __enter__(self) -> Proxy:
        self._thread.start()
        self._server = self._on_loop(asyncio.start_server(self._serve, "127.0.0.1", self.port))
        return self

    def __exit__(self, *_: object) -> None:
        self._on_loop(self._end())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()
        if self.faults:
            raise self.faults[0]

    def cut(self) -> None:
        """Every connection ends now."""
        self._on_loop(self._cut())

    def _on_loop(self, work):  # type: ignore[no-untyped-def]
        return asyncio.run_coroutine_threadsafe(work, self._loop).result(10)

    async def _cut(self) -> None:
        for writer in list(self._writers):
            writer.transport.abort()

    async def _end(self) -> None:
        self._server.close()
        await self._cut()
        for task in list(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        if self.weather.refuse:
            writer.transport.abort()
            return
        try:
            there, to = await asyncio.open_connection("127.0.0.1", self._to)
        except OSError:
            writer.transport.abort()
            return
        self._writers |= {writer, to}
        ways = [
            self._loop.create_task(self._up(reader, to)),
            self._loop.create_task(self._down(there, writer)),
        ]
        self._tasks |= set(ways)
        await asyncio.wait(ways, return_when=asyncio.FIRST_COMPLETED)
        for way in ways:
            way.cancel()
        for one in (writer, to):
            one.transport.abort()
        self._writers -= {writer, to}
        self._tasks -= set(ways)

    async def _up(self, reader: asyncio.StreamReader, to: asyncio.StreamWriter) -> None:
        held: bytes | None = None
        while True:
            packet = await self._packet(reader, wait_s=0.05 if held else None)
            weather = self.weather
            if packet is None:  # nothing followed the one that is held
                await self._write(to, held or b"")
                held = None
            elif packet[0] >> 4 != PUBLISH:
                await self._write(to, packet + (held or b""))
                held = None
            elif held is None and self._dice.random() < weather.swap:
                held = packet
                self.swapped += 1
            else:
                twice = self._dice.random() < weather.repeat
                self.repeated += twice
                await self._write(to, packet * (1 + twice) + (held or b""))
                held = None

    async def _down(self, reader: asyncio.StreamReader, to: asyncio.StreamWriter) -> None:
        while True:
            packet = await self._packet(reader)
            assert packet is not None
            if packet[0] >> 4 == PUBLISH:
                try:
                    self._heard(*_said(packet))
                except BaseException as fault:  # noqa: BLE001 - raised when the test ends
                    self.faults.append(fault)
            await self._write(to, packet)

    async def _packet(
        self, reader: asyncio.StreamReader, wait_s: float | None = None
    ) -> bytes | None:
        """The next whole packet; None where none begins within `wait_s`. Ends with the stream."""
        try:
            head = await asyncio.wait_for(reader.readexactly(1), wait_s)
        except TimeoutError:
            return None
        except (asyncio.IncompleteReadError, OSError):
            raise asyncio.CancelledError from None
        length = shift = 0
        try:
            while True:
                byte = await reader.readexactly(1)
                head += byte
                length |= (byte[0] & 127) << shift
                shift += 7
                if byte[0] < 128:
                    break
            return head + await reader.readexactly(length)
        except (asyncio.IncompleteReadError, OSError):
            raise asyncio.CancelledError from None

    async def _write(self, to: asyncio.StreamWriter, packets: bytes) -> None:
        if self.weather.delay_s:
            await asyncio.sleep(self._dice.uniform(0, self.weather.delay_s))
        if self.weather.swallow:
            self.swallowed += len(packets)
            return
        to.write(packets)
        with contextlib.suppress(OSError):
            await to.drain()


def _said(packet: bytes) -> tuple[str, bytes]:
    """(topic, payload) of a PUBLISH."""
    at = next(n for n in range(1, 5) if packet[n] < 128) + 1
    length = int.from_bytes(packet[at : at + 2], "big")
    topic = packet[at + 2 : at + 2 + length].decode()
    return topic, packet[at + 2 + length + (2 if packet[0] & 6 else 0) :]
