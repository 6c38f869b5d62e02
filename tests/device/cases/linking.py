"""A whole device on a virtual board and a broker that is an object: resending, silence, stalls."""

import asyncio
import json
import os

from firmware import link, main
from firmware.flashlog import FlashLog
from tests.device.virtual import Board, Line, device

T = 1782896400000


class Hurried:
    """`asyncio` as `link.py` uses it, whose sleep moves the board's time instead of waiting."""

    def __init__(self, board):
        self._board = board
        self.TimeoutError = asyncio.TimeoutError
        self.CancelledError = asyncio.CancelledError
        self.Event = asyncio.Event
        self.create_task = asyncio.create_task

    async def sleep(self, seconds):
        self._board.now += int(seconds * 1000)
        await asyncio.sleep(0)

    async def wait_for(self, what, seconds):
        return await asyncio.wait_for(what, seconds)


async def _stop(task):
    while not task.done():  # a wait that ends in the same moment swallows the cancel
        task.cancel()
        await asyncio.sleep(0.001)


async def _until(done, board, step=0):
    for _ in range(3000):
        if done():
            return
        board.now += step
        await asyncio.sleep(0.001)
    raise AssertionError("in vain")


def test_a_broker_that_pubacks_and_forgets(folder):
    async def live():
        board = Board()
        pad = device(folder, "rating-pad", board)
        seen = []  # times at which the press came

        def stored(events):
            for event in events:
                if event["kind"] == "rating":
                    seen.append(board.now)
            return events[-1]["seq"] if len(seen) > 2 else None

        board.line = Line(stored, T)
        task = asyncio.create_task(pad.link.run())
        await _until(lambda: board.line.states, board)
        pad.say(pad.clock.up(), [("rating", {"level": 5})])
        await _until(lambda: seen, board)
        await _until(lambda: pad.link.poke() or len(seen) > 1, board, 50)
        assert 5000 <= seen[1] - seen[0] < 6500, seen
        await _until(lambda: pad.link.poke() or len(seen) > 2, board, 50)
        assert 10000 <= seen[2] - seen[1] < 13000, seen  # the wait doubles
        await _until(lambda: not pad.log.held(), board, 50)
        await _stop(task)
        times = {event["t"] for event in board.line.events if event["kind"] == "rating"}
        assert len(times) == 1
        assert None not in times

    asyncio.run(live())


def test_a_half_open_line_is_given_up_within_90_seconds(folder):
    async def live():
        board = Board()
        pad = device(folder, "rating-pad", board)
        board.line = Line(lambda _: None, T)
        await asyncio.sleep(0)
        real, link.asyncio = link.asyncio, Hurried(board)
        try:
            task = asyncio.create_task(pad.link.run())
            await _until(lambda: board.line.states, board)
            await _until(lambda: board.line.pings > 3, board)
            assert not board.said  # a broker that answers is kept
            board.line.deaf = True
            since = board.now
            await _until(lambda: board.said, board)
            assert board.said[0] == "link: half open"
            assert board.now - since <= 90000
            await _stop(task)
        finally:
            link.asyncio = real

    asyncio.run(live())


def test_a_line_that_takes_nothing_more_is_given_up(folder):
    async def live():
        board = Board()
        pad = device(folder, "rating-pad", board)
        board.line = Line(lambda _: None, T)
        kept, link.PING_MS = link.PING_MS, 500
        try:
            task = asyncio.create_task(pad.link.run())
            await _until(lambda: board.line.states, board)
            board.line.full = True
            pad.say(pad.clock.up(), [("rating", {"level": 5})])  # its sender waits for the buffer
            await _until(lambda: board.said, board)
            assert board.said[0] == "link: half open"
        finally:
            link.PING_MS = kept
        board.line.full = False
        await _stop(task)

    asyncio.run(live())


def test_a_broker_that_denies_the_acks_is_told(folder):
    async def live():
        board = Board()
        pad = device(folder, "rating-pad", board)
        board.line = Line(lambda _: None, T)
        board.line.denied = True
        task = asyncio.create_task(pad.link.run())
        await _until(lambda: board.said, board)
        assert board.said[0] == "link: not allowed to read its acks"
        assert not board.line.states
        await _stop(task)

    asyncio.run(live())


def test_a_slow_wifi_and_a_silent_broker_do_not_bring_the_watchdog(folder):
    async def live():
        board = Board()
        board.step = 1000

        class Patient(Hurried):
            """Sleeps until the board's time has gone on, as the main loop moves it."""

            async def sleep(self, seconds):
                until = board.now + int(seconds * 1000)
                while board.now < until:
                    await asyncio.sleep(0)

        async def network():
            await link.asyncio.sleep(19)

        async def dial(setup):
            await link.asyncio.sleep(24)  # as long as dial, CONNACK and SUBACK may take together
            raise OSError("no SUBACK")

        board.network, board.dial = network, dial
        pad = device(folder, "rating-pad", board)
        real, link.asyncio = link.asyncio, Patient(board)
        try:
            task = asyncio.create_task(pad.run())
            await _until(lambda: board.now > 3600000, board)
            await _stop(task)
        finally:
            link.asyncio = real
        assert len(board.said) > 60  # tries
        gaps = [b - a for a, b in zip(board.fed, board.fed[1:])]  # noqa: B905 - MicroPython
        assert max(gaps) < 8000, max(gaps)

    asyncio.run(live())


def test_a_dead_task_brings_the_watchdog(folder):
    async def live():
        board = Board()
        board.step = 1000
        pad = device(folder, "rating-pad", board)

        async def never():
            await asyncio.sleep(3600)

        pad.link.run = never  # its pump makes no turn any more
        task = asyncio.create_task(pad.run())
        await _until(lambda: board.now > 120000, board)
        assert 0 < board.fed[-1] <= main.STALL_MS + 2000
        await _stop(task)

    asyncio.run(live())


def test_a_dead_sensor_is_told_by_the_heartbeat(folder):
    async def live():
        board = Board()
        board.first = [{"ch": "t1", "c": 22, "rh": 40}, {"ch": "x1", "lx": 300}]
        room = device(folder, "room-sensor", board, {"t1": "climate", "x1": "lux"})
        for minute in range(1, 12):
            board.now = minute * 60000
            room._turn([{"ch": "x1", "lx": 300}])  # t1's part says nothing any more
        said = room.log.read(1, 1000)[0]
        assert len([e for e in said if e[1] == "climate"]) == 1
        assert len([e for e in said if e[1] == "lux"]) > 10
        found = [e for e in said if e[1] == "health"][-1]
        assert found[4]["ages"]["t1"] >= 300
        assert found[4]["ages"]["x1"] <= 60

    asyncio.run(live())


def test_a_sleeper_tells_of_a_sensor_that_was_dead_before_it_woke(folder):
    async def live():
        board = Board()
        board.first = [{"ch": "x1", "lx": 300}]
        room = device(folder, "room-sensor", board, {"t1": "climate", "x1": "lux"}, battery=True)

        def reports():
            return [e[4]["ages"] for e in room.log.read(1, 1000)[0] if e[1] == "health"]

        board.now = 4900
        room._turn([])
        assert reports() == []  # a slow part may still measure
        board.now = 5000
        room._turn([])
        assert reports() == [{"t1": None, "x1": 5}]
        board.now = 60000
        room._turn([])
        assert len(reports()) == 1

    asyncio.run(live())


def test_a_sleeper_whose_sensors_answer_reports_at_once(folder):
    async def live():
        board = Board()
        board.first = [{"ch": "t1", "c": 22, "rh": 40}]
        room = device(folder, "room-sensor", board, {"t1": "climate"}, battery=True)
        said = room.log.read(1, 1000)[0]
        assert [e[4]["ages"] for e in said if e[1] == "health"] == [{"t1": 0}]

    asyncio.run(live())


def test_a_sleeper_stays_awake_for_half_a_minute_of_its_own_clock(folder):
    async def live():
        board = Board()
        door = device(folder, "opening-sensor", board, battery=True)
        for speed, awake in ((1, 30000), (5, 6000), (60, 2000)):
            board.speed, board.now = speed, 0
            assert not door.log.held() or door.log.covered(door.log.next - 1)
            board.now = awake
            assert not door.link._may_sleep()
            board.now = awake + 1
            assert door.link._may_sleep()

    asyncio.run(live())


def test_nan_and_what_is_out_of_range_is_refused(folder):
    async def live():
        board = Board()
        room = device(folder, "room-sensor", board, {"t1": "climate"})
        before = room.log.next
        for value in (float("nan"), float("inf"), -float("inf"), True, "22", None):
            room._turn([{"ch": "t1", "c": value, "rh": 40}])
        assert room.log.next == before
        assert len(board.said) == 6
        room._turn([{"ch": "t1", "c": 22.5, "rh": 40}])
        assert room.log.next == before + 1

    asyncio.run(live())


def test_no_poison_is_ever_queued(folder):
    async def live():
        board = Board()
        pad = device(folder, "rating-pad", board)
        before = pad.log.next
        for item in ({"press": 5, "visit": "A" * 5000}, {"tap": "04" * 3000}, {"press": 6}):
            pad._turn([item])
        assert pad.log.next == before
        assert len(board.said) == 3
        heard = []
        board.line = Line(lambda events: heard.extend(events) or events[-1]["seq"], T)
        pad.say(pad.clock.up(), [("rating", {"level": 5})])
        task = asyncio.create_task(pad.link.run())
        await _until(lambda: not pad.log.held(), board, 20)
        assert max(len(json.dumps(event)) for event in heard) < 4096
        await _stop(task)

    asyncio.run(live())


def test_what_was_given_up_is_told_before_the_window_ends(folder):
    """A gap of more than a window, its `lost` record far behind it: it drains all the same."""

    async def live():
        board = Board()
        pad = device(folder, "rating-pad", board)
        log = pad.log
        log.append([(1, 1, "rating", {"level": 5})])
        begin = log.next
        for number in range(700):
            log.append([(1, number, "power", {"ch": "c1", "w": number % 90, "wh": number})])
        while not any(name[0] == "f" for name in os.listdir(folder + "/log")):
            log.append([(1, 1, "rating", {"level": 4})])
        first, runs = log.give_up()
        log.append([(1, 9, "lost", {"from": a, "to": b, "why": "full"}) for a, b in runs])
        log.drop(first, runs)
        assert runs[0][0] == begin
        again = FlashLog(folder + "/log", board.free_blocks).mount()
        assert again.lost_told() == log.lost_told() != []

        heard, gone, covered = set(), [], [0]

        def stored(events):
            for event in events:
                heard.add(event["seq"])
                if event["kind"] == "lost":
                    gone.append((event["from"], event["to"]))
            for _ in range(2000):
                following = covered[0] + 1
                ends = [end for start, end in gone if start <= following <= end]
                if not ends and following not in heard:
                    break
                covered[0] = max(ends + [following])  # noqa: RUF005 - MicroPython
            return covered[0]

        board.line = Line(stored, T)
        task = asyncio.create_task(pad.link.run())
        await _until(lambda: not log.held(), board, 20)
        await _stop(task)

    asyncio.run(live())


def test_a_clock_in_2000_is_put_forward_before_tls(folder):
    async def live():
        board = Board()
        pad = device(folder, "rating-pad", board)
        assert board.clock >= 1782864000000  # the build: certificates begin a day before it
        board.line = Line(lambda _: None, T)
        task = asyncio.create_task(pad.link.run())
        await _until(lambda: board.clock == T, board)
        board.line.tell("hall/1/s/time", {"t": 946684800000})  # a gateway whose clock is lost
        await _until(lambda: not board.line._waiting, board)
        assert board.clock == T
        await _stop(task)

    asyncio.run(live())


def test_fifty_presses_a_second_on_flash(folder):
    async def live():
        board = Board()
        pad = device(folder, "rating-pad", board)
        for _ in range(200):
            board.now += 20
            pad._turn([{"press": 5, "ms": board.now}])
        kept = [e for e in pad.log.read(1, 1000)[0] if e[1] == "rating"]
        assert len(kept) == 40  # one in 100 ms: what is nearer is bounce

    asyncio.run(live())
