"""SHT3x-DIS temperature and humidity sensor, single shots without clock stretching.

Sensirion, "Datasheet SHT3x-DIS", Version 6, March 2020: 4.3 (0x2400, high repeatability), 2.2
(15 ms), 4.12 (CRC-8, polynomial 0x31, start 0xFF), 4.13 (conversion).
"""

MEASURE = b"\x24\x00"


def crc8(data):
    """Sensirion's checksum of two bytes."""
    crc = 0xFF
    for byte in data:
        crc ^= byte
        for _ in range(8):
            crc = (crc << 1 ^ 0x31) & 0xFF if crc & 0x80 else crc << 1
    return crc


def parse(raw):
    """{"c", "rh"} of six bytes. ValueError where a checksum does not fit."""
    if len(raw) != 6 or crc8(raw[:2]) != raw[2] or crc8(raw[3:5]) != raw[5]:
        raise ValueError("sht3x: CRC")
    c = 175 * (raw[0] << 8 | raw[1]) / 65535 - 45
    return {"c": round(c, 2), "rh": round(100 * (raw[3] << 8 | raw[4]) / 65535, 1)}


class Sht3x:
    """At 0x44 (ADDR low) or 0x45. Each `read` fetches what the one before it began."""

    def __init__(self, i2c, address=0x44):
        self._i2c = i2c
        self._address = address
        self._begun = False

    def read(self):
        """{"c", "rh"}, or None the first time. OSError (gone), ValueError (CRC)."""
        begun, self._begun = self._begun, False
        raw = self._i2c.readfrom(self._address, 6) if begun else None
        self._i2c.writeto(self._address, MEASURE)
        self._begun = True
        return None if raw is None else parse(raw)
