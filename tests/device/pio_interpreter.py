"""A stand-in for the Pico's `rp2`: assembles PIO programs, and interprets the 16-bit words.

Only what `firmware/drivers/ir_pio.py` uses, after the tables of the "RP2040 Datasheet": each
instruction takes one cycle and its delay, side-set acts at its first cycle, a stalled one is tried
again each cycle; `JMP X--` decrements whether it jumps or not; a push that does not block drops its
word where the FIFO is full. The two cycles of the input's synchroniser are left out: both edges
have them. Runs under both Pythons.
"""

MASK = 0xFFFFFFFF
X, Y, NULL, ISR, OSR = 1, 2, 3, 6, 7
JMP, WAIT, OUT, PUSH_PULL, MOV = 0, 1, 3, 4, 5  # the top three bits


class Program:
    """The words of a program, where it wraps, and what `asm_pio` was told."""

    def __init__(self, options):
        self.options = options
        self.words = []
        self.jumps = {}
        self.labels = {}
        self.first = 0
        self.last = None
        self.sides = 1 if "sideset_init" in options else 0

    def word(self, word):
        self.words.append(word)
        return self

    def side(self, level):
        self.words[-1] |= level << 12
        return self

    def __getitem__(self, delay):
        assert 0 <= delay <= 31 >> self.sides
        self.words[-1] |= delay << 8
        return self

    def jmp(self, condition, label=None):
        if label is None:
            condition, label = 0, condition
        self.jumps[len(self.words)] = label
        return self.word(condition << 5)

    def end(self):
        for at in self.jumps:
            self.words[at] |= self.labels[self.jumps[at]]
        if self.last is None:
            self.last = len(self.words) - 1
        assert len(self.words) <= 32

    def names(self):
        def label(name):
            self.labels[name] = len(self.words)

        def wrap_target():
            self.first = len(self.words)

        def wrap():
            self.last = len(self.words) - 1

        def wait(polarity, source, index):
            return self.word(0x2000 | polarity << 7 | {6: 1}[source] << 5 | index)

        return {
            "label": label,
            "wrap_target": wrap_target,
            "wrap": wrap,
            "jmp": self.jmp,
            "wait": wait,
            "nop": lambda: self.word(0xA042),
            "out": lambda to, bits: self.word(0x6000 | to << 5 | bits & 31),
            "pull": lambda: self.word(0x80A0),
            "push": lambda how=0x20: self.word(0x8000 | how & 0x20),
            "mov": lambda to, source: self.word(0xA000 | to << 5 | source),
            "invert": lambda source: source | 8,
            "noblock": 1,
            "x": X,
            "y": Y,
            "null": NULL,
            "isr": ISR,
            "osr": OSR,
            "x_dec": 2,
            "y_dec": 4,
            "pin": 6,
        }


class Engine:
    """One state machine. Its input pin has `level`; `edges` [(cycle, level)] is what it drove."""

    def __init__(self, program, tx_depth=4, rx_depth=4):
        self.program = program
        self.tx, self.rx = [], []
        self.tx_depth, self.rx_depth = tx_depth, rx_depth
        self.at = self.cycle = 0
        self.held = [0] * 8  # registers by their number
        self.level = 1
        self.edges = [(0, 0)]

    def step(self):
        """One instruction, or one cycle of a stall; False for a stall."""
        program = self.program
        word = program.words[self.at]
        field = word >> 8 & 31
        if program.sides and field >> 4 != self.edges[-1][1]:
            self.edges.append((self.cycle, field >> 4))
        after = program.first if self.at == program.last else self.at + 1
        kind, low = word >> 13, word & 31
        held = self.held
        if kind == JMP:
            if self._jumps(word >> 5 & 7):
                after = low
        elif kind == WAIT:
            assert word >> 5 & 3 == 1
            assert low == 0
            if self.level != word >> 7 & 1:
                return self._stalls()
        elif kind == OUT:
            assert program.options["out_shiftdir"] == PIO.SHIFT_RIGHT
            held[word >> 5 & 7] = held[OSR] & (1 << low) - 1
            held[OSR] >>= low
        elif kind == PUSH_PULL and word & 0x80:
            if not self.tx:
                return self._stalls()
            held[OSR] = self.tx.pop(0)
        elif kind == PUSH_PULL:
            assert not word & 0x20  # one that blocks would falsify the next width
            if len(self.rx) < self.rx_depth:
                self.rx.append(held[ISR])
            held[ISR] = 0
        else:
            assert kind == MOV
            value = 0 if word & 7 == NULL else held[word & 7]
            held[word >> 5 & 7] = value ^ MASK if word >> 3 & 3 == 1 else value
        self.at = after
        self.cycle += 1 + (field & 31 >> program.sides)
        return True

    def _jumps(self, condition):
        if condition == 0:
            return True
        if condition == 6:
            return self.level
        which = {2: X, 4: Y}[condition]
        was = self.held[which]
        self.held[which] = was - 1 & MASK
        return was

    def _stalls(self):
        self.cycle += 1
        return False


class PIO:
    OUT_LOW, SHIFT_LEFT, SHIFT_RIGHT, JOIN_NONE, JOIN_TX = 2, 0, 1, 0, 1


def asm_pio(**options):
    def assembled(function):
        program = Program(options)
        names = function.__globals__
        before = dict(names)
        names.update(program.names())
        function()
        for name in program.names():
            del names[name]
        names.update(before)
        program.end()
        return program

    return assembled


class StateMachine(Engine):
    """As `rp2.StateMachine`; `made` has the ones of each number."""

    made = {}  # noqa: RUF012

    def __init__(self, number, program, freq=-1, sideset_base=None, in_base=None, jmp_pin=None):
        joined = program.options.get("fifo_join") == PIO.JOIN_TX
        Engine.__init__(self, program, 8 if joined else 4, 0 if joined else 4)
        self.number, self.freq = number, freq
        self.out, self.input, self.jump = sideset_base, in_base, jmp_pin
        self.running = False
        StateMachine.made[number] = self

    def active(self, on):
        self.running = bool(on)

    def put(self, value):
        for word in [value] if isinstance(value, int) else value:
            while len(self.tx) == self.tx_depth:
                assert self.running
                self.step()
            self.tx.append(word)

    def rx_fifo(self):
        return len(self.rx)

    def get(self):
        return self.rx.pop(0)

    def finish(self):
        """Let it work until it waits for a word."""
        while self.step():
            pass

    def sees(self, times):
        """The pin is low and high in turn for so many µs, while the DMA takes what is pushed."""
        assert self.running
        until = self.cycle
        for at, micros in enumerate(times):
            self.level = at % 2
            until += micros * self.freq // 1000000
            while self.cycle < until:
                self.step()
                if self.rx:
                    DMA.last.take()
        self.level = 1


class DMA:
    """As `rp2.DMA`: moves words from a state machine's FIFO to an array while `count` lasts."""

    last = None

    def __init__(self):
        self.count = self._at = 0
        self._source = None
        DMA.last = self

    def pack_ctrl(self, inc_read=True, treq_sel=63):
        return (inc_read, treq_sel)

    def config(self, read, write, count, ctrl, trigger):
        assert trigger
        assert ctrl == (False, 4 + read.number)  # DREQ_PIO0_RX0 is 4
        assert len(write) >= count
        self._source, self._to, self._at, self.count = read, write, 0, count
        self.take()

    def active(self, on):
        assert not on
        self._source = None

    def take(self):
        while self._source is not None and self.count and self._source.rx:
            self._to[self._at] = self._source.get()
            self._at += 1
            self.count -= 1
