"""The Pico's infra-red: its PIO programs, interpreted, against the table of marks and spaces."""

import sys

from tests.device import pio_interpreter as rp2

sys.modules["rp2"] = rp2

from firmware.drivers import ir, ir_pio  # noqa: E402

EDGES, MAKES = 256, ("gree", "midea")
# MicroPython interprets slowly: there the begin of each frame, and a shorter silence, have to do
CUT = 19 if sys.implementation.name == "micropython" else None
QUIET_US = 6000 if CUT else 40000


def _marks(engine):
    """[(begin, ticks, periods)] of what it drove. Every period is 26 ticks, the first 9 light.

    A mark ends with the dark part of its last period.
    """
    found = []
    edges = engine.edges[1:]
    for at in range(0, len(edges), 2):
        (up, level), (down, dark) = edges[at : at + 2]
        assert (level, dark, down - up) == (1, 0, 9)
        if found and up - found[-1][0] == found[-1][1]:
            found[-1][1] += 26
            found[-1][2] += 1
        else:
            assert not found or up - found[-1][0] > found[-1][1]
            found.append([up, 26, 1])
    return found


def _sent(times):
    send = ir_pio.sender("pin 2")
    engine = rp2.StateMachine.made[0]
    assert (engine.out, engine.freq) == ("pin 2", 38000 * 26)
    engine.finish()  # it stands at its pull before the first frame
    start = engine.cycle
    send(times)
    engine.finish()
    assert engine.edges[-1][1] == 0  # dark at rest
    return [(begin - start, ticks, periods) for begin, ticks, periods in _marks(engine)]


def test_the_carrier_keeps_to_the_table(_):
    for make in MAKES:
        times = ir.frame(make, True, "cool", 26)[:CUT]
        marks = _sent(times)
        assert len(marks) == len(times[::2])
        due = 0
        first = marks[0][0]
        for at, (begin, ticks, periods) in enumerate(marks):
            mark = times[2 * at]
            assert abs((begin - first) * 1000 / 988 - due) <= 1.1  # µs; a tick is 1.012
            assert periods == (mark * 38 + 500) // 1000  # the nearest whole number
            assert abs(ticks * 1000 / 988 - mark) <= 13.2  # half a period
            due += mark + (times[2 * at + 1] if 2 * at + 1 < len(times) else 0)


def _listener():
    listen = ir_pio.listener("pin 3", EDGES, QUIET_US)
    engine = rp2.StateMachine.made[1]
    assert (engine.input, engine.jump, engine.freq) == ("pin 3", "pin 3", 2000000)
    return listen, engine


def test_the_measured_widths_are_the_table(_):
    listen, engine = _listener()
    engine.sees([0, 5000])
    assert listen() is None
    for make in MAKES:
        times = ir.frame(make, False, "heat", 21)[:CUT]
        engine.sees(times)
        assert listen() is None  # it may go on
        engine.sees([0, QUIET_US + 100])
        heard = listen()
        assert len(heard) == len(times)
        assert max(abs(heard[at] - times[at]) for at in range(len(times))) <= 2
        if not CUT:
            assert ir.parse(make, heard) == {"on": False, "mode": "heat", "set": 21}
        assert listen() is None


def test_two_frames_between_two_looks_give_the_first(_):
    listen, engine = _listener()
    for zero in (560, 1680):
        engine.sees([4480, 4480, 560, zero, 560, QUIET_US + 100])
    heard = listen()
    assert len(heard) == 5
    assert abs(heard[3] - 560) <= 2
    assert listen() is None


def test_a_lamp_that_flickers_is_thrown_away(_):
    listen, engine = _listener()
    engine.sees([30] * (EDGES + 40))
    assert rp2.DMA.last.count == 0
    assert engine.rx_fifo() == 4  # full: the rest was dropped, the program never waits
    assert listen() is None
    assert (engine.rx_fifo(), rp2.DMA.last.count) == (0, EDGES)  # no old words in the next frame
    engine.sees([30, QUIET_US + 100])
    listen()
    engine.sees([560, 1680, 560, QUIET_US + 100])
    heard = listen()
    assert max(abs(a - b) for a, b in zip(heard, (560, 1680, 560))) <= 2  # noqa: B905


def test_a_pin_that_sticks_gives_nothing(_):
    listen, engine = _listener()
    engine.sees([2 * QUIET_US])
    assert listen() is None
    assert rp2.DMA.last.count == EDGES


def test_a_pico_hears_its_own_frame_and_the_remote(folder):
    from tests.device.cases.chip import _chip

    class Sys:
        platform = "rp2"

    board = _chip(folder, {"parts": []})
    import firmware.chip_io as chip

    real, chip.sys = chip.sys, Sys
    try:
        from firmware import factory

        wiring = {"part": "ir", "ch": "a1", "pin": 2, "receiver": 3, "make": "midea"}
        remote = factory.make(wiring, board, True)
    finally:
        chip.sys = real
    sender, listener = rp2.StateMachine.made[0], rp2.StateMachine.made[1]
    assert (sender.out.number, listener.input.number) == (2, 3)
    remote.act({"ch": "a1", "on": True, "mode": "cool", "set": 26})
    sender.finish()
    light, end = [], None  # marks and spaces as the receiver sees them
    for begin, ticks, _ in _marks(sender):
        if end is not None:
            light.append((begin - end) * 1000 // 988)
        light.append(ticks * 1000 // 988)
        end = begin + ticks
    if CUT:
        return
    silence = [0, QUIET_US + 100]
    listener.sees(light)
    listener.sees(silence)
    assert remote.poll(0) == []  # its own
    listener.sees(ir.frame("midea", False, "cool", 26))
    listener.sees(silence)
    heard = {"ch": "a1", "src": "heard", "on": False, "mode": "cool", "set": 26}
    assert remote.poll(20) == [heard]
