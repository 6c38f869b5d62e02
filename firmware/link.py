"""From the log to the gateway: connect, say `ready`, send what is not covered, resend, take acks.

A broker's PUBACK is not delivery: an event leaves the log only when the gateway's `ack` covers it.
All waits here are real milliseconds, whatever speed the device's clock runs at.
"""

import asyncio
import json
import os

from firmware import mqtt, wire
from firmware.config import VERSION

KEEPALIVE_S = 20
PING_MS = 12000
DEAD_MS = 35000  # nothing heard for so long: the line is half open
TIME_WAIT_MS = 2000  # the first publish waits so long for the first `time`
BATCH = 8  # events a payload: 32 would take 10 KB of RAM more, and are hardly faster
WINDOW = 256  # numbers under way beyond the last ack
PUBACKS = 8  # publishes under way
RESEND_MS = 5000
RESEND_MOST_MS = 60000
BACKOFF_MS = 500
BACKOFF_MOST_MS = 15000
AWAKE_MS = 30000  # a battery device sleeps when all has been covered for so long
AWAKE_LEAST_MS = 2000  # real, however fast its clock runs: what was sent at `ready` still comes


class Fatal(Exception):
    """A bug ended one of the link's tasks: the device must restart."""


class Link:
    """`command(payload, retained)` is called for each command; `poke` when the log has grown."""

    def __init__(self, setup, log, clock, boots, board, command):
        self._setup = setup
        self._log = log
        self._clock = clock
        self._boots = boots
        self._board = board
        self._command = command
        self._wake = asyncio.Event()
        self._client = None
        self._cursor = 1  # the next number to send
        self._urgent = []
        self._gaps = []  # numbers of `lost` records that go first
        self._pids = set()
        self._since = None  # since when something under way has seen no ack
        self._patience = RESEND_MS
        self._session = False
        self._covered_at = 0
        self._waited = 0
        self.time_at = board.real_ms()  # when `time` was last heard
        self.safe = False
        self.trial = False  # an update is on trial in this boot
        self.beat = 0  # counts the pump's turns: the watchdog's proof of progress

    # -- what the rest of the device calls ---------------------------------------------------

    def poke(self, urgent=()):
        """New events are on flash; `urgent` are the seqs that may not wait behind a backlog."""
        self._urgent.extend(urgent)
        del self._urgent[: -4 * wire.MAX_BATCH]
        self._wake.set()

    def connected(self):
        return self._session

    def sent(self):
        """True when nothing new waits to be handed to the broker."""
        return self._session and self._cursor >= self._log.next and not self._pids

    async def say_ready(self):
        """The state once more, where what it says has changed."""
        if self._client and self._session:
            await self._publish(self._client, "state", self._ready(), True)

    async def say_off(self):
        """A clean stop: `off`, retained, and a goodbye, within a second."""
        if self._client and self._session:
            try:
                text = wire.state_text("off")
                self._pids.add(await self._client.publish(self._topic("state"), text, 1, True))
                for _ in range(100):
                    if not self._pids:
                        break
                    await asyncio.sleep(0.01)
                await self._client.disconnect()
            except (OSError, EOFError):
                pass

    # -- connecting --------------------------------------------------------------------------

    def _topic(self, leaf):
        return wire.topic(self._setup.site, self._setup.device, leaf)

    async def run(self):
        """For ever: a session, then a pause that grows, with jitter. Raises Fatal."""
        backoff = BACKOFF_MS
        while True:
            began = self._board.real_ms()
            try:
                asleep = await self._once()
            except (OSError, EOFError, ValueError, asyncio.TimeoutError) as fault:
                asleep = False
                self._board.note("link: " + (str(fault).strip() or fault.__class__.__name__))
            self._session = False
            if asleep:
                await self._sleep()
                backoff = BACKOFF_MS
                continue
            if self._board.real_ms() - began > 10000:
                backoff = BACKOFF_MS
            self.beat += 1  # a board without Wi-Fi is no board that hangs
            jitter = int.from_bytes(os.urandom(2), "little") / 65536
            await asyncio.sleep(backoff * (0.5 + jitter) / 1000)
            backoff = min(backoff * 2, BACKOFF_MOST_MS)
            self.beat += 1

    async def _sleep(self):
        """Until an event comes; a battery board sleeps deep here, and does not come back."""
        self._board.doze()
        while not self._log.held():
            self._wake.clear()
            self.beat += 1
            await _within(self._wake, 1000)

    async def _once(self):
        """One connection from CONNECT to its end. True when it ended to sleep."""
        await self._board.network()
        self.beat += 1
        reader, writer = await asyncio.wait_for(self._board.dial(self._setup), 10)
        mqtt.at_once(writer)
        client = mqtt.Client(reader, writer, self._message, self._puback)
        self._client = client
        try:
            setup = self._setup
            will = (self._topic("state"), wire.state_text("lost"), True)
            packet = mqtt.connect_packet(
                setup.client_id, setup.user, setup.password, KEEPALIVE_S, will
            )
            await asyncio.wait_for(client.connect(packet), 10)
            return await self._serve(client)
        finally:
            self._session = False
            client.close()

    async def _serve(self, client):
        ended = asyncio.Event()
        outcome = []

        async def guard(work):
            try:
                outcome.append((None, await work))
            except (OSError, EOFError) as fault:
                outcome.append((fault, None))
            except asyncio.CancelledError:
                raise
            except Exception as fault:  # noqa: BLE001 - a bug: told by Fatal below, never hidden
                outcome.append((Fatal(fault.__class__.__name__ + ": " + str(fault)), None))
            ended.set()

        tasks = [
            asyncio.create_task(guard(client.run())),
            asyncio.create_task(guard(self._keep(client))),
            asyncio.create_task(guard(self._talk(client))),
        ]
        try:
            await ended.wait()
        finally:
            for task in tasks:
                task.cancel()
        fault, answer = outcome[0]
        if fault:
            raise fault
        return answer

    async def _keep(self, client):
        """Ping, and give up a line on which nothing comes back."""
        silent = 0
        while True:
            client.heard = False
            try:
                await asyncio.wait_for(client.ping(), PING_MS / 1000)
            except asyncio.TimeoutError:  # a full buffer: nobody takes anything at the other end
                if not client.heard:
                    raise OSError("half open")
            waited = 0
            while waited < PING_MS:
                await asyncio.sleep(0.5)
                waited += 500
            silent = 0 if client.heard else silent + PING_MS
            if silent >= DEAD_MS - PING_MS:
                raise OSError("half open")

    async def _talk(self, client):
        pid = await client.subscribe(
            [
                (self._topic("ack"), 1),
                (self._topic("cmd"), 1),
                (wire.time_topic(self._setup.site), 0),
            ]
        )
        for _ in range(500):
            if client.granted(pid) is not None:
                break
            await asyncio.sleep(0.01)
        else:
            raise OSError("no SUBACK")
        if client.granted(pid)[0] & 128:
            raise OSError("not allowed to read its acks")
        self._pids = set()
        self._urgent = []
        self._gaps = self._log.lost_told()
        self._cursor = self._log.first
        self._since = None
        self._patience = RESEND_MS
        self._covered_at = self._board.real_ms()
        await self._publish(client, "state", self._ready(), True)
        self._session = True
        while self._clock.now() is None and self._waited < TIME_WAIT_MS:  # once a boot
            await asyncio.sleep(0.02)
            self._waited += 20
        return await self._pump(client)

    def _ready(self):
        more = {"safe": True} if self.safe else {}
        if self.trial:
            more["trial"] = True
        return wire.state_text(
            "ready",
            log=self._log.log,
            first=self._log.first,
            boot=self._boots.boot,
            fw=VERSION,
            kind=self._setup.kind,
            **more,
        )

    # -- sending -----------------------------------------------------------------------------

    async def _publish(self, client, leaf, text, retain=False):
        self._pids.add(await client.publish(self._topic(leaf), text, 1, retain))

    async def _pump(self, client):
        while True:
            self.beat += 1
            if self._resend_if_due():  # a restored gateway has to hear from where on it is here
                await self._publish(client, "state", self._ready(), True)
            text = self._take() if len(self._pids) < PUBACKS else None
            if text:
                if self._since is None:
                    self._since = self._board.real_ms()
                await self._publish(client, "event", text)
                continue
            if self._setup.battery and self._may_sleep():
                await self._publish(client, "state", wire.state_text("asleep"), True)
                while self._pids:
                    self.beat += 1
                    self._wake.clear()
                    await _within(self._wake, 1000)
                await client.disconnect()
                return True
            self._wake.clear()
            await _within(self._wake, 1000)

    def _may_sleep(self):
        quiet = self._board.real_ms() - self._covered_at
        if self.trial:  # its minute of self-test must not end in a boot
            return False
        awake = max(AWAKE_LEAST_MS, AWAKE_MS // self._board.speed)  # by the device's own clock
        return not self._log.held() and not self._pids and quiet > awake

    def _take(self):
        """The next payload: an urgent event on its own, or a batch in order, or None."""
        log = self._log
        while self._gaps:  # else the window would end at a gap of which nobody has been told
            seq = self._gaps.pop(0)
            if seq >= log.first:
                text, _ = self._batch(seq, 1)
                if text:
                    return text
        behind = log.next - self._cursor > wire.MAX_BATCH or not self._open()
        while self._urgent:
            if not behind:
                self._urgent = []
                break
            seq = self._urgent.pop(0)
            if seq < self._cursor or seq < log.first:
                continue
            text, _ = self._batch(seq, 1)
            if text:
                return text
        if self._cursor >= log.next or not self._open():
            return None
        text, self._cursor = self._batch(self._cursor, BATCH)
        return text

    def _open(self):
        return self._cursor - self._log.first < WINDOW

    def _batch(self, seq, most):
        """(payload, next seq): as many events from `seq` on as one payload holds."""
        log, clock = self._log, self._clock
        events, after = log.read(seq, most)
        out = bytearray(b"[")
        for number, kind, boot, up, fields in events:
            stamp = clock.stamp(boot, up)
            raw = wire.encode(log.log, number, boot, up, stamp, kind, fields).encode()
            if len(out) > 1:
                if len(out) + len(raw) + 2 > wire.MAX_BYTES:
                    after = number
                    break
                out.extend(b",")
            out.extend(raw)
        if len(out) == 1:
            return None, after
        out.extend(b"]")
        return out, after

    def _resend_if_due(self):
        if self._since is None or self._cursor <= self._log.first:
            return False
        now = self._board.real_ms()
        if now - self._since < self._patience:
            return False
        self._cursor = self._log.first
        self._gaps = self._log.lost_told()
        self._since = now
        self._patience = min(self._patience * 2, RESEND_MOST_MS)
        return True

    # -- hearing -----------------------------------------------------------------------------

    def _puback(self, pid):
        self._pids.discard(pid)
        self._wake.set()

    def _message(self, topic, payload, retained):
        if topic == self._topic("ack"):
            self._ack(payload)
        elif topic == self._topic("cmd"):
            self._command(payload, retained)
        elif topic == wire.time_topic(self._setup.site):
            self._time(payload)

    def _ack(self, payload):
        ack = _object(payload)
        log, seq = ack.get("log"), ack.get("seq")
        if not isinstance(log, str) or log.lower() != self._log.log:
            return
        if not isinstance(seq, int) or isinstance(seq, bool) or not self._log.covered(seq):
            return
        now = self._board.real_ms()
        self._patience = RESEND_MS
        self._covered_at = now
        self._cursor = max(self._cursor, self._log.first)
        self._since = now if self._cursor > self._log.first else None
        self._wake.set()

    def _time(self, payload):
        t = _object(payload).get("t")
        if isinstance(t, int) and not isinstance(t, bool):
            self.time_at = self._board.real_ms()
            if self._clock.learn(t):
                self._board.set_clock(t, True)


def _object(payload):
    """A JSON object, or an empty one for anything else."""
    try:
        found = json.loads(payload)
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}


async def _within(event, ms):
    try:
        await asyncio.wait_for(event.wait(), ms / 1000)
    except asyncio.TimeoutError:
        pass
