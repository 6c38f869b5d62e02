"""Whole lives by `main.run`: crash boots and safe mode; memory that does not grow with events."""

import asyncio
import gc
import json

from firmware import link, main
from firmware.clock import Boots
from tests.device.virtual import Board, Line, commission, device

T = 1782896400000


class Crashing(Board):
    """Its parts raise as they begin."""

    def begin(self, channels, meters, relay_boot):
        raise OSError(5)


def _lived(board, folder):
    """A life to its end; what it exited with."""
    try:
        main.run(board, folder)
    except SystemExit as end:
        return end.args[0]
    return 0


def _told(line, kind):
    return [event for event in line.events if event["kind"] == kind]


def test_ten_crash_boots_lead_to_safe_mode(folder):
    commission(folder, "rating-pad")
    for number in range(10):
        board = Crashing()
        assert _lived(board, folder) == 75
        assert Boots(folder).load().crashes == number + 1
        assert board.said[0][:15] == "crash: OSError:"
    board = Crashing()  # the eleventh does not touch them
    board.step = 1000
    line = board.line = Line(lambda events: events[-1]["seq"], T)
    order = {"id": "c-1", "do": "identify", "exp": T + 3600000}
    line.on_ready = lambda: line.tell("hall/1/s/dev/cmd", order)
    assert _lived(board, folder) == 75  # it tries again after ten minutes
    assert 600000 < board.now < 700000
    assert line.states[0]["safe"] is True
    assert line.states[0]["boot"] == 11
    assert _told(line, "health")[0]["reset"] == "safe_mode"
    done = _told(line, "done")[0]
    assert (done["ok"], done["why"]) == (False, "safe mode")
    assert Boots(folder).load().crashes == 0


def test_nine_crash_boots_do_not_and_a_good_minute_ends_the_count(folder):
    commission(folder, "rating-pad")
    for _ in range(9):
        _lived(Crashing(), folder)
    board = Board()
    board.step = 1000

    def stop(events):
        if board.now > 70000:
            board.stopped.set()
        return events[-1]["seq"]

    line = board.line = Line(stop, T)
    board.coming_at = {71: [{"press": 5}]}
    assert _lived(board, folder) == 0
    assert "safe" not in line.states[0]
    assert _told(line, "health")[0]["reset"] == "power"
    assert _told(line, "rating")
    assert Boots(folder).load().crashes == 0


def test_a_power_cut_is_no_crash(folder):
    commission(folder, "rating-pad")
    for number in range(12):  # each ends without a word

        async def live():
            return main.Device(Board(), folder).boot()

        booted = asyncio.run(live())
        assert booted.boots.boot == number + 1
        assert not booted.safe


def _growth(folder, rounds, keeps):
    """By how much a pad and its world grow from the second round of events on."""

    async def live():
        board = Board()
        pad = device(folder, "rating-pad", board)
        board.line = Line(lambda events: events[-1]["seq"], T)
        task = asyncio.create_task(pad.link.run())
        found = []
        for turn in range(rounds):
            for number in range(200):
                board.now += 200
                pad._turn([{"press": 1 + number % 5}])
                if (
                    number % (40 if turn else 2) == 0
                ):  # at first all the commands that are remembered
                    pad._turn([{"tap": "04a1b2c3d4"}])
                    order = {"id": "c-%d-%d" % (turn, number), "do": "identify", "exp": T * 2}
                    pad.command(json.dumps(order), False)
                if number == 100:  # the line breaks, and is there again
                    board.line.fail = True
                    while board.line.fail:
                        await asyncio.sleep(0.001)
                while pad.log.held():
                    await asyncio.sleep(0)
            for heap in (board.said, board.fed, board.line.events, board.line.states):
                heap.clear()
            if not keeps:
                board.did.clear()
            gc.collect()
            gc.collect()
            found.append(gc.mem_alloc())
        while not task.done():
            task.cancel()
            await asyncio.sleep(0.001)
        return found

    kept, link.BACKOFF_MS = link.BACKOFF_MS, 1
    try:
        found = asyncio.run(live())
    finally:
        link.BACKOFF_MS = kept
    return found[-1] - found[1]


if hasattr(gc, "mem_alloc"):  # CPython's timers and caches would be counted, not the device

    def test_memory_does_not_grow_with_events(folder):
        assert _growth(folder, 6, False) < 600  # of 800 events: a byte for each would be more

    def test_the_harness_sees_what_grows(folder):
        assert _growth(folder, 4, True) > 800
