"""SSD1306 display, 128×64 or 128×32, by I2C.

Solomon Systech, "SSD1306", Rev 1.1, April 2008: 8.1.5 (control byte 0x00 commands, 0x40 data), 9
(command table), 10.1.3 (horizontal addressing); charge pump: its application note, 2.
Text is drawn with the glyphs of `firmware/font.py`, 16 lines high; without its file on flash in
framebuf's 8×8 font, which has ASCII only.
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

    def __init__(self, i2c, address=0x3C, width=128, height=64, font=None):
        self._i2c = i2c
        self._address = address
        self.width = width
        self.height = height
        self.buffer = bytearray(width * height // 8)
        self._font = font
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

    def text(self, text, page=0):
        """Write a page of `text` from the top left; how many pages it has."""
        if self._font is None:
            self._plain(text)
            return 1
        for at in range(len(self.buffer)):
            self.buffer[at] = 0
        lines = self.height // 16
        line = x = 0
        for found in self._font.glyphs(text):
            if found is None or x + found[0] > self.width:
                line, x = line + 1, 0
                if found is None:
                    continue
            width, pixels = found
            if line // lines == page:
                at = line % lines * 2 * self.width + x
                self.buffer[at : at + width] = pixels[:width]
                self.buffer[at + self.width : at + self.width + width] = pixels[16 : 16 + width]
            x += width
        self.show()
        return line // lines + 1

    def _plain(self, text):
        """16 characters a line; what is not ASCII is a `?`."""
        import framebuf

        canvas = framebuf.FrameBuffer(self.buffer, self.width, self.height, framebuf.MONO_VLSB)
        canvas.fill(0)
        plain = "".join(char if " " <= char <= "~" else "?" for char in text)
        line = self.width // 8
        for row in range(min(self.height // 8, (len(plain) + line - 1) // line)):
            canvas.text(plain[row * line : (row + 1) * line], 0, row * 8)
        self.show()
