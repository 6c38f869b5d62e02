"""Infra-red in and out by the RP2040's PIO: the Pico W's counterpart of the ESP32's RMT.

Programs after the PIO chapter, request lines of the DMA after the DMA chapter of the "RP2040
Datasheet" (Raspberry Pi Ltd). Both state machines are of PIO 0: the Wi-Fi's bus asks for one of the
other first. Never run on a chip: the tests interpret the assembled programs.
"""

import array

import rp2

TYPE_CHECKING = False
if TYPE_CHECKING:  # inside a program, asm_pio gives these names
    from rp2.asm_pio import (
        invert,
        isr,
        jmp,
        label,
        mov,
        noblock,
        nop,
        null,
        osr,
        out,
        pin,
        pull,
        push,
        wait,
        wrap,
        wrap_target,
        x,
        x_dec,
        y,
        y_dec,
    )

SENDER, LISTENER = 0, 1  # state machines
PERIOD = 26  # ticks of the sender in one period of the carrier: 9 light, 17 dark
TICKS = 38 * PERIOD  # a millisecond
SPACE = 4  # ticks of a space besides those that its word counts
COUNT = 2  # cycles of the listener to a microsecond
EDGE_US = 2  # of a width pass between two counts
RX_REQUEST = 4  # a PIO's first receive request to the DMA
OVER = 0xFFFFFFFF  # in place of a space: the silence after a frame


@rp2.asm_pio(
    sideset_init=rp2.PIO.OUT_LOW, out_shiftdir=rp2.PIO.SHIFT_RIGHT, fifo_join=rp2.PIO.JOIN_TX
)
def _send():
    wrap_target()
    pull().side(0)  # waits here, dark
    out(x, 12).side(0)
    label("mark")
    nop().side(1)[8]
    nop().side(0)
    jmp(x_dec, "mark").side(0)[15]
    out(y, 20).side(0)
    label("space")
    jmp(y_dec, "space").side(0)
    wrap()


@rp2.asm_pio()
def _listen():
    pull()
    mov(y, osr)  # the longest space of a frame, in counts
    wrap_target()
    wait(0, pin, 0)  # a receiver is low while it sees the carrier
    mov(x, invert(null))
    label("low")
    jmp(pin, "rose")
    jmp(x_dec, "low")
    label("rose")
    mov(isr, invert(x))
    push(noblock)
    mov(x, y)
    label("high")
    jmp(x_dec, "still")
    jmp("fell")  # too long: x has gone below 0 and is OVER
    label("still")
    jmp(pin, "high")
    label("fell")
    mov(isr, x)
    push(noblock)
    wrap()


def words(times):
    """A word for each mark and its space: periods less one below, ticks from bit 12 on.

    A mark is a whole number of periods; its space makes up for what that took or left, so that
    every mark begins within a tick of where `times` (µs) has it.
    """
    found = array.array("I", bytes((len(times) + 1) // 2 * 4))
    due = done = 0  # µs, ticks
    for at in range(0, len(times), 2):
        periods = max((times[at] * TICKS + PERIOD * 500) // (PERIOD * 1000), 1)
        space = times[at + 1] if at + 1 < len(times) else 0
        due += times[at] + space
        done += periods * PERIOD + SPACE
        rest = max((due * TICKS + 500) // 1000 - done, 0)
        done += rest
        found[at // 2] = rest << 12 | periods - 1
    return found


def sender(where):
    """`send(microseconds)` on that pin: back when the frame's last words are in the FIFO."""
    engine = rp2.StateMachine(SENDER, _send, freq=TICKS * 1000, sideset_base=where)
    engine.active(1)
    return lambda times: engine.put(words(times))


def listener(where, edges, quiet_us):
    """`listen()` -> marks and spaces (µs) of a frame that ended `quiet_us` ago, or None.

    The DMA carries the widths, so that neither flash writes nor a frame being sent lose one. Light
    of more than `edges` widths without such a silence is none of a remote's and is thrown away.
    """
    engine = rp2.StateMachine(LISTENER, _listen, freq=COUNT * 1000000, in_base=where, jmp_pin=where)
    got = array.array("I", bytes(4 * edges))
    dma = rp2.DMA()
    ctrl = dma.pack_ctrl(inc_read=False, treq_sel=RX_REQUEST + LISTENER)
    seen = [0]

    def begin():
        seen[0] = 0
        dma.config(read=engine, write=got, count=edges, ctrl=ctrl, trigger=True)

    def listen():
        here = edges - dma.count  # pyright: ignore[reportAttributeAccessIssue]
        at = seen[0]
        while at < here and got[at] != OVER:
            at += 1
        seen[0] = at
        if at == here < edges:
            return None
        frame = None
        if at < here:
            frame = [got[n] + EDGE_US for n in range(at)]
            for n in range(1, at, 2):
                frame[n] = quiet_us - got[n] + EDGE_US
        dma.active(0)
        while engine.rx_fifo():
            engine.get()
        begin()
        return frame

    begin()
    engine.put(quiet_us)
    engine.active(1)
    return listen
