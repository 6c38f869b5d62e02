"""PN532 NFC reader by I2C or UART, asked for ISO 14443-A cards without ever waiting for one.

NXP, "UM0701-02 PN532 User Manual", Rev. 02: 6.2.1 (frames), 6.2.3 (HSU), 6.2.4 (I2C), 7.2.10
(SAMConfiguration), 7.3.1 (RFConfiguration, item 5: tries), 7.3.5 (InListPassiveTarget).
"""

ADDRESS = 0x24
ACK = b"\x00\x00\xff\x00\xff\x00"
TIMEOUT_MS = 1000
_SAM = b"\x14\x01\x00\x00"  # normal mode, no timeout, no IRQ pin
_TRIES = b"\x32\x05\xff\x01\x01"  # give up soon: "no card" is an answer
_LIST = b"\x4a\x01\x00"  # one card, 106 kbit/s type A
_SIZE = 32
_WAKE = b"\x55\x55\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00"  # out of power-down


def frame(command):
    """A command in its frame."""
    body = b"\xd4" + command
    size = len(body)
    head = bytes((0, 0, 0xFF, size, -size & 0xFF))
    return head + body + bytes((-sum(body) & 0xFF, 0))


def parse(raw):
    """The response (its code and data) inside `raw`. ValueError for a damaged one."""
    at = raw.find(b"\x00\xff")
    if at < 0 or len(raw) < at + 5:
        raise ValueError("pn532: no frame")
    size = raw[at + 2]
    if (size + raw[at + 3]) & 0xFF or size < 2:
        raise ValueError("pn532: length")
    body = raw[at + 4 : at + 5 + size]
    if len(body) != size + 1 or sum(body) & 0xFF:
        raise ValueError("pn532: checksum")
    if body[0] != 0xD5:
        raise ValueError("pn532: not an answer")
    return bytes(body[1:size])


def tag(answer):
    """The card's number in hex of InListPassiveTarget's answer, or None without a card."""
    if answer[:1] != b"\x4b" or len(answer) < 2:
        raise ValueError("pn532: another answer")
    if answer[1] == 0:
        return None
    size = answer[6] if len(answer) > 6 else 0
    number = answer[7 : 7 + size]
    if size not in (4, 7, 10) or len(number) != size:
        raise ValueError("pn532: card number")
    return "".join("%02x" % byte for byte in number)


class I2cLine:
    """Frames by I2C: a read begins with the ready byte."""

    def __init__(self, i2c):
        self._i2c = i2c

    def send(self, data):
        self._i2c.writeto(ADDRESS, data)

    def take(self):
        """The frame that waits, or None."""
        raw = self._i2c.readfrom(ADDRESS, _SIZE + 1)
        return raw[1:] if raw[0] & 1 else None


class UartLine:
    """Frames by HSU at 115,200 baud: they come in pieces, one after the other."""

    def __init__(self, uart):
        self._uart = uart
        self._rest = b""

    def send(self, data):
        self._uart.read()
        self._rest = b""
        self._uart.write(_WAKE + data)

    def take(self):
        """The first whole frame of what has come, or None."""
        self._rest = (self._rest + (self._uart.read() or b""))[-2 * _SIZE :]
        at = self._rest.find(b"\x00\x00\xff")
        if at < 0 or len(self._rest) < at + 6:
            return None
        size = self._rest[at + 3]
        end = at + 6 if self._rest[at : at + 6] == ACK else at + 7 + size
        if len(self._rest) < end:
            return None
        found, self._rest = self._rest[at:end], self._rest[end:]
        return found


class Pn532:
    """`now()` -> ms. Each `look` is one short step of: command, its ACK, its answer."""

    def __init__(self, line, now):
        self._line = line
        self._now = now
        self._restart()

    def _restart(self):
        self._todo = [_SAM, _TRIES]
        self._asked = None
        self._acked = False
        self._command = b""
        self.card = None

    def look(self):
        """The number of the card that lies there as last known, or None.

        OSError where the chip is gone, ValueError for garbage or silence; it is set up anew then.
        """
        try:
            self._step()
        except (OSError, ValueError):
            self._restart()
            raise
        return self.card

    def _step(self):
        if self._asked is None:
            self._command = self._todo.pop(0) if self._todo else _LIST
            self._line.send(frame(self._command))
            self._asked, self._acked = self._now(), False
            return
        raw = self._line.take()
        if raw is None:
            if self._now() - self._asked > TIMEOUT_MS:
                raise ValueError("pn532: silent")
            return
        if not self._acked:
            if raw[:6] != ACK:
                raise ValueError("pn532: no ACK")
            self._acked = True
            return
        answer = parse(raw)
        self._asked = None
        if answer[0] != self._command[0] + 1:
            raise ValueError("pn532: another answer")
        if self._command is _LIST:
            self.card = tag(answer)
