"""HLK-LD2410 presence radar: the frames that it sends of itself, 256000 baud.

Hi-Link, "HLK-LD2410 Serial communication protocol", V1.02 of 1 July 2022, 2.3 (report
frames: F4 F3 F2 F1, length, type, AA, target state, …, 55, check, F8 F7 F6 F5).
"""

HEAD = b"\xf4\xf3\xf2\xf1"
TAIL = b"\xf8\xf7\xf6\xf5"
LONGEST = 64  # an engineering report is 35 bytes long
STATES = 4  # none, moving, still, both


def state(body):
    """True or False of one frame's inner bytes, None where they are no report."""
    if len(body) < 13 or body[0] not in (1, 2) or body[1] != 0xAA or body[-2] != 0x55:
        return None
    return body[2] != 0 if body[2] < STATES else None


class Ld2410:
    """Collects bytes in any pieces; noise is passed over to the next head."""

    def __init__(self, uart):
        self._uart = uart
        self._rest = b""

    def present(self):
        """As `feed`, of what has come since the last call."""
        return self.feed(self._uart.read() or b"")

    def feed(self, data):
        """The latest state that `data` completes: True, False, or None."""
        rest = self._rest + data
        found = None
        while True:
            at = rest.find(HEAD)
            if at < 0:
                rest = rest[-3:]
                break
            rest = rest[at:]
            if len(rest) < 6:
                break
            size = rest[4] | rest[5] << 8
            if size > LONGEST:
                rest = rest[1:]
                continue
            if len(rest) < size + 10:
                break
            now = state(rest[6 : 6 + size]) if rest[6 + size : 10 + size] == TAIL else None
            if now is None:
                rest = rest[1:]
                continue
            found = now
            rest = rest[10 + size :]
        self._rest = rest
        return found
