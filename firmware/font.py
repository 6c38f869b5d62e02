"""Glyphs of 16 lines from the file that `tools/font.py` makes: Chinese and ASCII for displays.

The file: MAGIC, how many glyphs (2 bytes, big-endian), their code points in order (2 bytes each),
and 33 bytes a glyph: its width (8 or 16) and two rows of 16 columns, a byte being eight pixels of a
column, lowest at the top. Only every 64th code point is kept in RAM.
"""

MAGIC = b"HKF1"
STEP = 64
GLYPH = 33
MISSING = "?"


def find(folder, slot=None):
    """The font of this firmware's slot, which an update may have brought; else the one that
    `provision` put at the flash's root; else None."""
    for place in (slot or __file__.rsplit("/", 1)[0], folder):
        try:
            return Font(place + "/font.bin")
        except (OSError, ValueError):
            continue
    return None


class Font:
    """The file at `path`. OSError where there is none, ValueError where it is no font."""

    def __init__(self, path):
        self._path = path
        with open(path, "rb") as file:
            if file.read(len(MAGIC)) != MAGIC:
                raise ValueError("no font")
            self._count = int.from_bytes(file.read(2), "big")
            self._coarse = bytearray()
            for at in range(0, self._count, STEP):
                file.seek(len(MAGIC) + 2 + 2 * at)
                self._coarse.extend(file.read(2))

    def glyphs(self, text):
        """(width, 32 bytes) of each character, None for a line's end; `?` for what is missing."""
        with open(self._path, "rb") as file:
            for char in text:
                if char == "\n":
                    yield None
                    continue
                found = self._glyph(file, ord(char)) or self._glyph(file, ord(MISSING))
                if found:
                    yield found[0], found[1:]

    def _glyph(self, file, code):
        coarse = self._coarse
        low, high = 0, len(coarse) // 2
        while low < high:  # the last block that begins at or before it
            middle = (low + high) // 2
            if (coarse[2 * middle] << 8 | coarse[2 * middle + 1]) <= code:
                low = middle + 1
            else:
                high = middle
        at = (low - 1) * STEP
        if at < 0:
            return None
        file.seek(len(MAGIC) + 2 + 2 * at)
        block = file.read(2 * min(STEP, self._count - at))
        for place in range(0, len(block), 2):
            if block[place] << 8 | block[place + 1] == code:
                file.seek(len(MAGIC) + 2 + 2 * self._count + GLYPH * (at + place // 2))
                return file.read(GLYPH)
        return None
