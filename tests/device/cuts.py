"""The log over a real littlefs whose block device is cut at each of its writes. MicroPython only.

Prints JSON: {"cuts", "lost", "unmountable", "repeated", "erases": {kind: [acked, offline]}}; with
the argument `forget` a log that answers before it writes shows that the harness can fail.
"""

import json
import os
import sys

from firmware import wire
from firmware.flashlog import FlashLog

BLOCKS, SIZE = 64, 4096
SAMPLES = {
    "rating": {"level": 5},
    "contact": {"ch": "c1", "open": True},
    "lock": {"ch": "l1", "locked": True},
    "presence": {"ch": "p1", "present": True},
    "lux": {"ch": "x1", "lx": 312.5},
    "climate": {"ch": "t1", "c": 23.45, "rh": 45.1},
    "power": {"ch": "c1", "w": 120.5, "v": 229.9, "a": 0.53, "pf": 0.98, "wh": 1234567},
    "ac": {"ch": "a1", "on": True, "mode": "cool", "set": 26, "src": "measured"},
    "relay": {"ch": "r1", "on": True, "cause": "command", "cmd": "c-01J8ZQ4X"},
    "detector": {"ch": "d1", "what": "heat", "active": True},
    "tap": {"tag": "04a1b2c3d4"},
    "button": {"name": "ack"},
    "tamper": {"moved": True},
    "done": {"cmd": "c-01J8ZQ4X", "ok": True},
    "lost": {"from": 1, "to": 2, "why": "flash full"},
    "health": {"mem": 71552, "held": 3, "dropped": 0, "ages": {"c1": 3}},
}


HELD = ("rating", "contact", "climate", "power", "ac", "tap", "button")  # each kind's own


class Cut(Exception):
    pass


class Flash:
    def __init__(self, blocks=BLOCKS):
        self.blocks = blocks
        self.data = bytearray(b"\xff" * (blocks * SIZE))
        self.left = None  # operations until the cut
        self.erases = 0

    def _spend(self, block, offset, buffer):
        if self.left is None:
            return
        if self.left <= 0:
            raise Cut()
        self.left -= 1
        if self.left == 0:
            if buffer is not None:  # half of it gets there
                at = block * SIZE + offset
                self.data[at : at + len(buffer) // 2] = buffer[: len(buffer) // 2]
            raise Cut()

    def readblocks(self, block, buffer, offset=0):
        at = block * SIZE + offset
        buffer[:] = self.data[at : at + len(buffer)]

    def writeblocks(self, block, buffer, offset=0):
        self._spend(block, offset, buffer)
        at = block * SIZE + offset
        self.data[at : at + len(buffer)] = buffer

    def ioctl(self, op, arg):
        if op == 4:
            return self.blocks
        if op == 5:
            return SIZE
        if op == 6:
            self._spend(arg, 0, None)
            self.erases += 1
            self.data[arg * SIZE : (arg + 1) * SIZE] = b"\xff" * SIZE
        return 0


def mount(flash, fresh=False):
    if fresh:
        os.VfsLfs2.mkfs(flash)
    os.mount(os.VfsLfs2(flash), "/f")
    if fresh:
        os.mkdir("/f/log")
    return FlashLog("/f/log", lambda: os.statvfs("/f")[3]).mount()


def unmount():
    try:
        os.umount("/f")
    except OSError as fault:
        print("umount", repr(fault), file=sys.stderr)


def life(log, told, forget):
    """What a device does: states and samples, acks now and then, a long time offline."""
    for number in range(420):
        kind = ("rating", "power", "contact")[number % 3]
        event = (1, 1000 + number, kind, SAMPLES[kind])
        if forget:
            told["seqs"].append(log.next)
        seqs = log.append([event])
        if not forget:
            told["seqs"] += seqs
        if number in (40, 41, 90, 330) or number % 101 == 100:
            told["acked"] = log.next - 3
            log.covered(told["acked"])


def cuts(forget, step):
    lost = unmountable = repeated = count = 0
    operations = step
    while True:
        flash = Flash()
        log = mount(flash, True)
        told = {"seqs": [], "acked": 0}
        flash.left = operations
        done = False
        try:
            life(log, told, forget)
            done = True
        except (Cut, OSError):
            pass
        flash.left = None
        unmount()
        if done:
            return {"cuts": count, "lost": lost, "unmountable": unmountable, "repeated": repeated}
        count += 1
        operations += step
        try:
            again = mount(flash)
        except Exception as fault:  # noqa: BLE001 - counted, and the test fails on it
            print("cut", operations, repr(fault), file=sys.stderr)
            unmountable += 1
            unmount()
            continue
        held = [event[0] for event in again.read(1, 100000)[0]]
        for seq in told["seqs"]:
            if seq > told["acked"] and seq not in held:
                lost += 1
        new = again.append([(2, 1, "rating", {"level": 1})])
        if told["seqs"] and not forget and new[0] <= told["seqs"][-1]:
            repeated += 1
        unmount()


def erases(kind, acked):
    flash = Flash()
    log = mount(flash, True)
    before = flash.erases
    for number in range(500):
        seqs = log.append([(3, 86400000 + number * 977, kind, SAMPLES[kind])])
        if acked:
            log.covered(seqs[-1])
    unmount()
    return flash.erases - before


def capacity(kind):
    """Events until the first block of the reserve would be touched."""
    flash = Flash()
    log = mount(flash, True)
    count = 0
    while log.room > 0:
        log.append([(3, 86400000 + count * 977, kind, SAMPLES[kind])])
        count += 1
    unmount()
    return count


def main(what):
    if what == "capacity":
        print(json.dumps({kind: capacity(kind) for kind in HELD}))
        return
    if what == "erases":
        found = {kind: [erases(kind, True), erases(kind, False)] for kind in sorted(wire.KINDS)}
        print(json.dumps(found))
        return
    print(json.dumps(cuts(what == "forget", 7 if what == "forget" else 1)))


if __name__ == "__main__":
    main(sys.argv[1])
