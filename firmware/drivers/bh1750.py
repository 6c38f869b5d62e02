"""BH1750FVI ambient light sensor.

ROHM, "Digital 16bit Serial Output Type Ambient Light Sensor IC BH1750FVI", Technical Note
No.11046EDT01, 2011.11 Rev. D: "Instruction Set Architecture" (p. 5), "Measurement mode" (p. 5: at
most 180 ms), "I2C Bus Access" (p. 7: lux = value / 1.2).
"""

POWER_ON = b"\x01"
CONTINUOUS = b"\x10"  # 1 lx steps


class Bh1750:
    """At 0x23 (ADDR low) or 0x5C."""

    def __init__(self, i2c, address=0x23):
        self._i2c = i2c
        self._address = address
        self._runs = False

    def read(self):
        """{"lx"}, or None while the first measurement runs. OSError where the chip is gone."""
        try:
            if not self._runs:
                self._i2c.writeto(self._address, POWER_ON)
                self._i2c.writeto(self._address, CONTINUOUS)
                self._runs = True
                return None
            raw = self._i2c.readfrom(self._address, 2)
        except OSError:
            self._runs = False  # it may have lost its power: set it up anew
            raise
        return {"lx": round((raw[0] << 8 | raw[1]) / 1.2, 1)}
