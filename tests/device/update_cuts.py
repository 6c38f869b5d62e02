"""An update over a real littlefs, cut at each flash operation. MicroPython only.

Prints JSON: {"cuts", "wrong", "unmountable", "old", "new"}: after a cut either the old slot boots,
or the new one and every byte of it is right; and the same update can be made again. What lies at
the root (the loader, who the device is) is never touched: `wrong` counts that too. With the
argument `early` the slot is put on trial before it is written: the harness must see that.
Files that a cut leaves open are closed by the collector later, which prints a harmless MemoryError.
"""

import json
import os
import sys

from firmware.slots import Slots
from firmware.update import Update
from tests.device import signing
from tests.device.cuts import Cut, Flash

MADE = signing.update()
KEY = signing.public()
EARLY = sys.argv[1:] == ["early"]


def mount(flash, fresh=False):
    if fresh:
        os.VfsLfs2.mkfs(flash)
    os.mount(os.VfsLfs2(flash), "/f")


def make():
    update = Update("/f", MADE[0], MADE[1], KEY, "esp32", "1.0.0")
    if EARLY:
        Slots("/f").begin_trial("b")
    for name in sorted(signing.FILES):
        data = signing.FILES[name]
        for at in range(0, len(data), 512):
            update.write(name, data[at : at + 512])
    update.finish()


ROOT = {
    "main.py": b"m" * 600,
    "slots.py": b"s" * 2500,
    "device.json": b"{}",
    "font.bin": b"f" * 900,
}


def untouched():
    for name, data in ROOT.items():
        with open("/f/" + name, "rb") as file:
            if file.read() != data:
                return False
    return True


def whole():
    for name in signing.FILES:
        try:
            with open("/f/b/" + name, "rb") as file:
                if file.read() != signing.FILES[name]:
                    return False
        except OSError:
            return False
    return True


def life():
    """The update, its trial, its self-test."""
    make()
    Slots("/f").boot()
    Slots("/f").good()


def main():
    told = {"cuts": 0, "wrong": 0, "unmountable": 0, "old": 0, "new": 0}
    operations = 1
    while True:
        flash = Flash()
        mount(flash, True)
        for name, data in ROOT.items():
            with open("/f/" + name, "wb") as file:
                file.write(data)
        flash.left = operations
        done = False
        try:
            life()
            done = True
        except (Cut, OSError):
            pass
        flash.left = None
        try:
            os.umount("/f")
        except OSError as fault:
            print("umount", repr(fault), file=sys.stderr)
        if done:
            break
        told["cuts"] += 1
        operations += 1
        try:
            mount(flash)
        except OSError as fault:
            print("cut", operations, repr(fault), file=sys.stderr)
            told["unmountable"] += 1
            continue
        slot = Slots("/f").boot()
        told["new" if slot == "b" else "old"] += 1
        if not untouched():
            told["wrong"] += 1
        if slot == "b" and not whole():
            told["wrong"] += 1
        if slot == "a" and not EARLY:
            make()
            if Slots("/f").boot() != "b" or not whole():
                told["wrong"] += 1
        os.umount("/f")
    print(json.dumps(told))


main()
