"""The log on a flash with one bad block, for each block in turn. MicroPython only.

`worn`: the block takes a write and keeps something else, as a worn NOR block does; littlefs reads
back and moves elsewhere. `eio`: the driver answers -EIO. Prints JSON: {"blocks", "lost",
"unmountable", "refused", "hit"}: `lost` are numbers that `append` had returned and a mount has not.
"""

import json
import sys

from tests.device.cuts import SAMPLES, Flash, mount, unmount

EIO = 5


class Bad(Flash):
    """From `begin` on, `bad` is a block that no longer works."""

    def __init__(self, bad, how):
        Flash.__init__(self)
        self.bad = bad
        self.how = how
        self.on = False
        self.hit = 0

    def writeblocks(self, block, buffer, offset=0):
        if self.on and block == self.bad:
            self.hit += 1
            if self.how == "eio":
                return -EIO
            buffer = bytes(byte & 0xFE for byte in buffer)
        Flash.writeblocks(self, block, buffer, offset)
        return 0

    def ioctl(self, op, arg):
        if op == 6 and self.on and arg == self.bad and self.how == "eio":
            self.hit += 1
            return -EIO
        return Flash.ioctl(self, op, arg)


def main(how):
    told = {"blocks": 0, "lost": 0, "unmountable": 0, "refused": 0, "hit": 0}
    for bad in range(2, 10):
        flash = Bad(bad, how)
        log = mount(flash, True)
        told["blocks"] += 1
        kept = []
        for number in range(160):
            flash.on = number >= 20
            kind = ("rating", "contact")[number % 2]
            try:
                kept += log.append([(1, 1000 + number, kind, SAMPLES[kind])])
            except OSError:
                told["refused"] += 1
        told["hit"] += flash.hit > 0
        flash.on = False
        unmount()
        try:
            again = mount(flash)
        except OSError as fault:
            print(bad, repr(fault), file=sys.stderr)
            told["unmountable"] += 1
            continue
        held = [event[0] for event in again.read(1, 1000)[0]]
        told["lost"] += len([seq for seq in kept if seq not in held])
        unmount()
    print(json.dumps(told))


if __name__ == "__main__":
    main(sys.argv[1])
