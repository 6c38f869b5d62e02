"""Boot and supervise: config, clock, log, the kind's body, the link; each event to flash first."""

import asyncio
import gc
import os

from firmware import config, kinds, wire
from firmware.clock import Boots, Clock
from firmware.commands import Commands
from firmware.flashlog import FlashLog
from firmware.kinds.body import Body
from firmware.link import Fatal, Link
from firmware.report import BATTERY_REPEAT_MS, REPEAT_MS, Reporter
from firmware.slots import Slots

CRASHES = 10  # boots that ended in a crash, one after the other: safe mode
GOOD_MS = 60000  # a boot that has lived so long was a good one
TRIAL_MS = 600000  # an update that is not good by then goes back
SAFE_MS = 600000  # safe mode tries again after so long
TURN_MS = 1000  # the longest the main loop sleeps
STALL_MS = 30000  # no turn of the link's pump for so long: the watchdog bites


class Device:
    """A booted device. `boot()` once, then `run()`."""

    def __init__(self, board, folder):
        self._board = board
        self._folder = folder
        self._health_at = 0
        self._restart = False
        self._delivery = None
        self._told_reset = False

    def boot(self):
        """Read flash, count the boot, log the first states. ConfigError for a wrong file."""
        board = self._board
        self.setup = config.load(self._folder)
        _make(self._folder + "/log")
        self.boots = Boots(self._folder).load().begin()
        board.set_clock(max(self.setup.made, self.boots.latest(), config.BUILT), False)
        self.log = FlashLog(self._folder + "/log", board.free_blocks).mount()
        self.clock = Clock(self.boots, board.ticks, board.period, board.slack)
        self.report = Reporter(self.setup.battery)
        self.commands = Commands(self._folder).load()
        self.safe = self.boots.crashes >= CRASHES
        module = kinds.load(self.setup.kind)
        self._watch = getattr(module, "watch", None)
        self.body = Body(self.setup, module, self.report, board.act)
        self.link = Link(self.setup, self.log, self.clock, self.boots, board, self._command)
        self.link.safe = self.safe
        self.slots = Slots(self._folder)
        self.link.trial = self.slots.trying()
        now = self.clock.up()
        self.report.thin(self.log.room)
        holes, self.log.holes = self.log.holes, []
        for begin, end, why in holes:
            self.say(now, [(wire.LOST, {"from": begin, "to": end, "why": why})])
        if not self.safe:  # a part may be what crashes it
            readings = board.begin(self.body.channels, self.setup.meters, self.setup.relay_boot)
            self.say(now, self.body.begin(now, readings))
        self.say(now, [self._health(now)])
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

    def _health(self, now):
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
        self._health_at = now
        return (wire.HEALTH, fields)

    # -- commands ----------------------------------------------------------------------------

    def _command(self, payload, retained):
        wall = self.clock.now()
        if wall is None:
            wall = self._board.wall()
        self.say(self.clock.up(), self.commands.handle(payload, retained, wall, self._carry_out))

    def _carry_out(self, command):
        if command["do"] == "restart":
            self._restart = True
            return True, None, []
        if command["do"] == "update":
            return self._update(command.get("args", {}))
        if self.safe:
            return False, "safe mode", []
        return self.body.command(self.clock.up(), command)

    def _update(self, args):
        """A piece of an update; the last one restarts into it, on trial."""
        from firmware import delivery, manifest  # loaded only where an update comes

        if self._delivery is None:
            self._delivery = delivery.Delivery(
                *(self._folder, self.setup.public or None, self._board.name, config.VERSION),
                self._board.feed,
            )
        try:
            self._restart = self._delivery.take(args) or self._restart
        except manifest.Refused as fault:
            return False, str(fault), []
        except OSError as fault:
            return False, "flash: " + str(fault), []
        return True, None, []

    def _judge_trial(self):
        """On trial: good after a minute with a session at the broker, back where that fails."""
        up = self.clock.up()
        if up > GOOD_MS and self.link.connected():
            self.slots.good()
            self.link.trial = False
            return True
        if up > TRIAL_MS:
            self._board.note("update: no session within its trial, back to the old firmware")
            self._restart = True
        return False

    # -- running -----------------------------------------------------------------------------

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
                    self._restart = self._restart or self.safe
                if self.link.trial and self._judge_trial():
                    await self.link.say_ready()
                if self._restart:
                    await self._drain()
                    break
            await self.link.say_off()
        finally:
            for task in others + [link]:
                task.cancel()
        if self._restart:
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
            if self._watch:
                real = self._board.real_ms()
                self._watch(self.body, real - self.link.time_at, real)
        spacing = self.report.spacing()
        every = BATTERY_REPEAT_MS if self.setup.battery else REPEAT_MS
        if spacing is not None and now - self._health_at >= max(every, spacing):
            events.append(self._health(now))
        self.say(now, events)

    async def _drain(self):
        """Before a restart: what was just said (the `done`) reaches the broker, within 2 s."""
        for _ in range(100):
            if self.link.sent():
                return
            await asyncio.sleep(0.02)


def _make(folder):
    try:
        os.mkdir(folder)
    except OSError:
        pass  # it is there


def run(board, folder):
    """Boot and run until stopped. A crash is counted on flash, then the board restarts."""

    async def live():
        await Device(board, folder).boot().run()

    try:
        asyncio.run(live())
    except (SystemExit, KeyboardInterrupt, config.ConfigError):
        raise
    except Exception as fault:  # noqa: BLE001 - told, counted, and the device starts anew
        board.note("crash: " + fault.__class__.__name__ + ": " + str(fault))
        _print(fault)
        boots = Boots(folder).load()
        boots.crashes += 1
        boots.save()
        board.restart()


def _print(fault):
    import sys

    if hasattr(sys, "print_exception"):
        sys.print_exception(fault, sys.stderr)  # pyright: ignore[reportArgumentType]
