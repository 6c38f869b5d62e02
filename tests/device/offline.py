"""Three days without a gateway on a real littlefs of 128 KiB, then it is there again. MicroPython
only.

Prints JSON; `missing` are numbers that neither came nor were told as lost, `both` such as did both,
`urgent_missing` ratings, edges, detectors and taps that did not come.
"""

import asyncio
import gc
import json
import os
import sys

from firmware import wire
from tests.device.cuts import Flash
from tests.device.virtual import Board, Line, device

HOURS = 72
BLOCKS = 32  # 128 KiB: the meter of eight circuits fills it in half a day
STEP_MS = 60000
BEGAN = 1782896400000
CIRCUITS = ["c" + str(n) for n in range(1, 9)]


def facts(turn):
    """What happens in a minute beside the meters: edges, detectors, taps, presses."""
    if turn % 7 == 0:
        yield wire.CONTACT, {"ch": "k1", "open": turn % 2 == 0}
    if turn % 11 == 0:
        yield wire.RATING, {"level": 1 + turn % 5}
    if turn % 97 == 0:
        yield wire.TAP, {"tag": "04a1b2c3d4"}
    if turn % 360 == 0:
        yield wire.DETECTOR, {"ch": "d1", "what": "heat", "active": turn % 720 == 0}


async def live():
    flash = Flash(BLOCKS)
    os.VfsLfs2.mkfs(flash)
    os.mount(os.VfsLfs2(flash), "/f")
    board = Board(lambda: os.statvfs("/f")[3])
    meter = device("/f", "power-meter", board, dict.fromkeys(CIRCUITS, wire.POWER))
    urgent = []
    offered = 0
    for turn in range(HOURS * 3600000 // STEP_MS):
        board.now += STEP_MS
        told = []
        for kind, fields in facts(turn):
            before = meter.log.next
            meter.say(meter.clock.up(), [(kind, fields)])
            told += range(before, meter.log.next)
        urgent += told
        items = [
            {"ch": ch, "w": (turn * 37 + n * 101) % 1500, "v": 229.9, "a": 1.5, "wh": turn * 20}
            for n, ch in enumerate(CIRCUITS)
        ]
        offered += len(items)
        meter._turn(items)
        if turn % 50 == 0:
            gc.collect()
    return meter, board, urgent, offered


async def tell(meter, board):
    """The gateway is back and acknowledges as the contract says: {number: kind}, the ranges told as
    lost, and the lowest number that `ready` named."""
    heard = {}
    gone = []
    covered = [0]

    def stored(events):
        for event in events:
            seq, kind = event["seq"], event["kind"]
            if seq not in heard and kind == wire.LOST:
                gone.append((event["from"], event["to"]))
            heard[seq] = kind
        covered[0] = max(covered[0], board.line.states[0]["first"] - 1)
        on = True
        while on:
            on = covered[0] + 1 in heard
            covered[0] += on
            for begin, end in gone:
                if begin <= covered[0] + 1 <= end:
                    covered[0], on = end, True
        board.line.events.clear()
        return covered[0]

    board.line = Line(stored, BEGAN + board.now)
    link = asyncio.create_task(meter.link.run())
    while meter.log.held() and not link.done():
        before = meter.log.held()
        await asyncio.sleep(0.001)
        board.now += 20 if meter.log.held() != before else 500
    link.cancel()
    return heard, gone, board.line.states[0]["first"]


async def main():
    meter, board, urgent, offered = await live()
    last = meter.log.next - 1
    heard, lost, first = await tell(meter, board)
    gone = set(range(1, first))
    for begin, end in lost:
        gone.update(range(begin, end + 1))
    print(
        json.dumps(
            {
                "offered": offered,
                "urgent": len(urgent),
                "numbers": last,
                "stored": len(heard),
                "lost": len(gone),
                "samples": len([1 for e in heard.values() if e == wire.POWER]),
                "missing": len([n for n in range(1, last + 1) if n not in heard and n not in gone]),
                "both": len([n for n in heard if n in gone]),
                "urgent_missing": len([n for n in urgent if n not in heard]),
                "untold": first - 1,
                "thinned": meter.report.thinned,
                "dropped": meter.log.dropped,
                "full": {"led": "log-full"} in board.did,
                "said": board.said[:3],
            }
        )
    )


if __name__ == "__main__":
    sys.exit(asyncio.run(main()))
