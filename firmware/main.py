"""Boot and supervise: config, clock, log, the kind's body, the link; each event to flash first."""

import asyncio
import gc
import sys

import firmware
from firmware import wire
from firmware.clock import Boots
from firmware.link import Fatal
from firmware.report import BATTERY_REPEAT_MS, REPEAT_MS

TYPE_CHECKING = False
if TYPE_CHECKING:
    from firmware.clock import Clock
    from firmware.config import Setup
    from firmware.flashlog import FlashLog
    from firmware.kinds.body import Body
    from firmware.link import Link
    from firmware.report import Reporter

GOOD_MS = 60000  # a boot that has lived so long was a good one
TRIAL_MS = 600000  # an update that is not good by then goes back
SAFE_MS = 600000  # safe mode tries again after so long
TURN_MS = 1000  # the longest the main loop sleeps
STALL_MS = 30000  # no turn of the link's pump for so long: the watchdog bites


class Device:
    """A booted device. `boot()` once (`booting.py` fills it), then `run()`."""

    setup: "Setup"
    boots: Boots
    log: "FlashLog"
    clock: "Clock"
    report: "Reporter"
    body: "Body"
    link: "Link"

    def __init__(self, board, folder):
        self._board = board
        self._folder = folder
        self.health_at = 0  # when it last told how it fares
        self._told_reset = False
        self._orders = None
        self.restart = False
        self.safe = False
        self.watch = None  # the kind's hook of that name
        self.slots = None  # only while an update is on trial

    def boot(self):
        """Read flash, count the boot, log the first states. ConfigError for a wrong file."""
        from firmware import booting

        booting.boot(self, self._board, self._folder)
        return self

    # -- events ------------------------------------------------------------------------------

    def say(self, now, events):
        """Events onto flash, then to the link."""
        if not events:
            return
        boot = self.boots.boot
        todo = [(boot, now, kind, fields) for kind, fields in events]
        seqs = self._write(todo)
        urgent = [seq for seq, event in zip(seqs, todo) if event[2] not in wire.SAMPLES]
        self.link.poke(urgent)

    def _write(self, todo):
        seqs = []
        for _ in range(3):
            before = self.log.next
            try:
                if self.log.room <= 0:
                    self._free()
                return seqs + self.log.append(todo)
            except OSError as fault:
                self._board.note("flash: " + str(fault))
                done = self.log.next - before
                seqs += list(range(before, before + done))
                todo = todo[done:]
                if not todo:
                    return seqs
        self._board.note("flash: gave up %d events" % len(todo))
        self.log.dropped += len(todo)
        return seqs

    def _free(self):
        """A full log: samples of the oldest file go, told as `lost` before they do."""
        first, runs = self.log.give_up()
        if not runs:
            return
        boot, now = self.boots.boot, self.clock.up()
        self.log.append(
            [(boot, now, wire.LOST, {"from": a, "to": b, "why": "flash full"}) for a, b in runs]
        )
        self.log.drop(first, runs)
        self._board.act({"led": "log-full"})

    def health(self, now):
        """How it fares, as an event."""
        fields = {
            "held": self.log.held(),
            "dropped": self.log.dropped + self.report.thinned,
            "ages": self.report.ages(now),
        }
        if not self._told_reset:
            fields["reset"] = "safe_mode" if self.safe else self._board.reset_cause
            self._told_reset = True
        if hasattr(gc, "mem_free"):
            fields["mem"] = gc.mem_free()
        battery = self._board.battery()
        if battery is not None:
            fields["battery"] = battery
        self.health_at = now
        return (wire.HEALTH, fields)

    def command(self, payload, retained):
        """A command has come."""
        if self._orders is None:
            from firmware import orders

            self._orders = orders.Orders(self, self._board, self._folder)
        self._orders.take(payload, retained)

    # -- running -----------------------------------------------------------------------------

    def _judge_trial(self):
        """On trial: good after a minute with a session at the broker, back where that fails."""
        up = self.clock.up()
        if self.slots and up > GOOD_MS and self.link.connected():
            self.slots.good()
            self.link.trial = False
            return True
        if up > TRIAL_MS:
            self._board.note("update: no session within its trial, back to the old firmware")
            self.restart = True
        return False

    async def run(self):
        """Until told to stop or restart. Raises what crashed."""
        board = self._board
        link = asyncio.create_task(self.link.run())
        others = [asyncio.create_task(board.listen()), asyncio.create_task(board.watch_stop())]
        began = board.real_ms()
        turned, beat = began, -1
        try:
            while not board.stopped.is_set():
                if link.done():
                    await link  # raises what ended it
                    raise Fatal("link ended")
                self._turn(await board.readings(self._wait()))
                real = board.real_ms()
                if self.link.beat != beat:
                    turned, beat = real, self.link.beat
                if real - turned < STALL_MS:
                    board.feed()
                if self.boots.crashes and real - began > (SAFE_MS if self.safe else GOOD_MS):
                    self.boots.crashes = 0
                    self.boots.save()
                    self.restart = self.restart or self.safe
                if self.link.trial and self._judge_trial():
                    await self.link.say_ready()
                if self.restart:
                    await self._drain()
                    break
            await self.link.say_off()
        finally:
            for task in others + [link]:
                task.cancel()
        if self.restart:
            board.restart()

    def _wait(self):
        if self.safe:
            return TURN_MS
        due = self.report.next_due(self.clock.up())
        return max(5, min(TURN_MS, int(due / self._board.speed) + 1))

    def _turn(self, items):
        now = self.clock.up()
        self.report.thin(self.log.room)
        events = []
        if not self.safe:
            for item in items:
                try:
                    events += self.body.input(now, item)
                except ValueError as fault:
                    self._board.note("reading refused: " + str(fault))
            events += self.body.tick(now)
            if self.watch:
                real = self._board.real_ms()
                self.watch(self.body, real - self.link.time_at, real)
        spacing = self.report.spacing()
        every = BATTERY_REPEAT_MS if self.setup.battery else REPEAT_MS
        if spacing is not None and now - self.health_at >= max(every, spacing):
            events.append(self.health(now))
        self.say(now, events)

    async def _drain(self):
        """Before a restart: what was just said (the `done`) reaches the broker, within 2 s."""
        for _ in range(100):
            if self.link.sent():
                return
            await asyncio.sleep(0.02)


def unload():
    """Give back the RAM of the modules that only a boot needs; they can be imported again."""
    from firmware import booting

    for name in booting.UNLOADED:
        if sys.modules.pop("firmware." + name, None):
            delattr(firmware, name)


def run(board, folder):
    """Boot and run until stopped. A crash is counted on flash, then the board restarts."""

    async def live():
        device = Device(board, folder).boot()
        unload()
        await device.run()

    try:
        asyncio.run(live())
    except Exception as fault:  # noqa: BLE001 - told, counted, and the device starts anew
        from firmware import config

        if isinstance(fault, config.ConfigError):
            raise
        board.note("crash: " + fault.__class__.__name__ + ": " + str(fault))
        _print(fault)
        try:
            boots = Boots(folder).load()
            boots.crashes += 1
            boots.save()
        except OSError as worse:
            board.note("flash: " + str(worse))
        board.restart()


def _print(fault):
    if hasattr(sys, "print_exception"):
        sys.print_exception(fault, sys.stderr)  # pyright: ignore[reportArgumentType]
