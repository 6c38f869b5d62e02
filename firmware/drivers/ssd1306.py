"""SSD1306 display, 128×64 or 128×32, by I2C.

Solomon Systech, "SSD1306", Rev 1.1, April 2008: 8.1.5 (control byte 0x00 commands, 0x40 data), 9
(command table), 10.1.3 (horizontal addressing); charge pump: its application note, 2.
Text is drawn in the built-in 8×8 font, which has ASCII only: Chinese needs a font of its own.
"""

PIECE = 32  # data bytes a transfer


def setup(height):
    """The commands that switch a dark display on."""
    pins = 0x12 if height == 64 else 0x02
    return bytes(
        (0xAE, 0xD5, 0x80, 0xA8, height - 1, 0xD3, 0, 0x40, 0x8D, 0x14, 0x20, 0, 0xA1, 0xC8)
        + (0xDA, pins, 0x81, 0x7F, 0xD9, 0xF1, 0xDB, 0x40, 0xA4, 0xA6, 0xAF)
    )


class Ssd1306:
    """`buffer`: one byte is eight pixels of a column, lowest at the top (framebuf's MONO_VLSB)."""

    def __init__(self, i2c, address=0x3C, width=128, height=64):
        self._i2c = i2c
        self._address = address
        self.width = width
        self.height = height
        self.buffer = bytearray(width * height // 8)
        self._on = False

    def show(self):
        """Send the buffer. OSError where the display is gone; it is set up anew after that."""
        on, self._on = self._on, False
        if not on:
            self._i2c.writeto(self._address, b"\x00" + setup(self.height))
        window = bytes((0, 0x21, 0, self.width - 1, 0x22, 0, self.height // 8 - 1))
        self._i2c.writeto(self._address, window)
        for at in range(0, len(self.buffer), PIECE):
            piece = bytes(self.buffer[at : at + PIECE])
            self._i2c.writeto(self._address, b"\x40" + piece)
        self._on = True

    def text(self, text):
        """Write `text` from the top left, 16 characters a line; what has no glyph is a `?`."""
        import framebuf

        canvas = framebuf.FrameBuffer(self.buffer, self.width, self.height, framebuf.MONO_VLSB)
        canvas.fill(0)
        plain = "".join(char if " " <= char <= "~" else "?" for char in text)
        line = self.width // 8
        for row in range(min(self.height // 8, (len(plain) + line - 1) // line)):
            canvas.text(plain[row * line : (row + 1) * line], 0, row * 8)
        self.show()
