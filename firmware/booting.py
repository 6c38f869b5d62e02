"""What a boot does, once: read flash, count the boot, start the board, log the first states."""

import os

from firmware import config, kinds, wire
from firmware.clock import Boots, Clock
from firmware.flashlog import FlashLog
from firmware.kinds.body import Body
from firmware.link import Link
from firmware.report import BATTERY_REPEAT_MS, Reporter
from firmware.slots import Slots

SLOW_MS = 5000  # by then every part of a battery device has measured once
CRASHES = 10  # boots that ended in a crash, one after the other: safe mode
UNLOADED = ("booting", "config", "mounting", "factory", "slots")  # what only a boot needs


def boot(device, board, folder):
    """Fill a `main.Device`. ConfigError for a wrong file."""
    setup = config.load(folder)
    device.setup = setup
    _make(folder + "/log")
    device.boots = boots = Boots(folder).load().begin()
    board.set_clock(max(setup.made, boots.latest(), config.BUILT), False)
    device.log = log = FlashLog(folder + "/log", board.free_blocks).mount()
    device.clock = Clock(boots, board.ticks, board.period, board.slack)
    device.report = Reporter(setup.battery)
    device.safe = boots.crashes >= CRASHES
    module = kinds.load(setup.kind)
    device.watch = getattr(module, "watch", None)
    device.body = Body(setup, module, device.report, board.act)
    device.link = Link(setup, log, device.clock, boots, board, device.command)
    device.link.safe = device.safe
    slots = Slots(folder)
    if slots.trying():
        device.link.trial = True
        device.slots = slots
    now = device.clock.up()
    device.report.thin(log.room)
    holes, log.holes = log.holes, []
    for begin, end, why in holes:
        device.say(now, [(wire.LOST, {"from": begin, "to": end, "why": why})])
    if not device.safe:  # a part may be what crashes it
        readings = board.begin(device.body.channels, setup.meters, setup.relay_boot)
        device.say(now, device.body.begin(now, readings))
    if setup.battery and None in device.report.ages(now).values():
        # the only report before it sleeps: what is slow to measure gets its time
        device.health_at = now + SLOW_MS - BATTERY_REPEAT_MS
    else:
        device.say(now, [device.health(now)])


def _make(folder):
    try:
        os.mkdir(folder)
    except OSError:
        pass  # it is there
