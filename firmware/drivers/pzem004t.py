"""PZEM-004T v3 energy meters: several on one serial line, asked in turn, never waited for.

Peacefair, "PZEM-004T V3.0 User Manual", 2.1 (9600 baud, 8N1), 2.2 (Modbus RTU), 2.3 (function 4,
input registers 0–9) and 2.8 (CRC). An energy counter may be reset by its owner.
"""

REPLY = 25  # address, function, count, 20 bytes, CRC
TIMEOUT_MS = 150


def crc16(data):
    """Modbus CRC of `data`, sent low byte first."""
    crc = 0xFFFF
    for byte in data:
        crc ^= byte
        for _ in range(8):
            crc = crc >> 1 ^ 0xA001 if crc & 1 else crc >> 1
    return crc


def _sealed(body):
    return body + crc16(body).to_bytes(2, "little")


def request(address):
    """The frame that asks one meter for its ten registers."""
    return _sealed(bytes((address, 4, 0, 0, 0, 10)))


def parse(address, frame):
    """Fields of a reply: v, a, w, wh, pf. ValueError for anything but a whole, right frame."""
    if len(frame) == 5 and frame[0] == address and frame[1] == 0x84 and crc16(frame) == 0:
        raise ValueError("meter %d refused: %d" % (address, frame[2]))
    if len(frame) != REPLY or frame[:3] != bytes((address, 4, 20)):
        raise ValueError("meter %d: no reply of it" % address)
    if crc16(frame) != 0:
        raise ValueError("meter %d: CRC" % address)
    words = [frame[at] << 8 | frame[at + 1] for at in range(3, 23, 2)]
    return {
        "v": words[0] / 10,
        "a": (words[2] << 16 | words[1]) / 1000,
        "w": (words[4] << 16 | words[3]) / 10,
        "wh": words[6] << 16 | words[5],
        "pf": words[8] / 100,
    }


class Pzems:
    """The meters of one UART. `meters` is {channel: address}, addresses 1–247."""

    def __init__(self, uart, meters):
        self._uart = uart
        self._meters = sorted(meters.items())
        self._turn = 0
        self._asked = None
        self._got = b""

    def poll(self, now):
        """One step: [fields with `ch`], or none yet. ValueError tells of a meter that failed."""
        ch, address = self._meters[self._turn]
        if self._asked is None:
            self._uart.read()  # what noise or a late answer left there
            self._uart.write(request(address))
            self._asked, self._got = now, b""
            return []
        self._got += self._uart.read() or b""
        whole = len(self._got) >= REPLY or (self._got[1:2] == b"\x84" and len(self._got) >= 5)
        if not whole and now - self._asked < TIMEOUT_MS:
            return []
        self._asked = None
        self._turn = (self._turn + 1) % len(self._meters)
        if not self._got:
            raise ValueError("meter %d is silent" % address)
        fields = parse(address, self._got)
        fields["ch"] = ch
        return [fields]
