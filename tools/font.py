"""Makes firmware/font.bin from GNU Unifont's .hex file: python tools/font.py UNIFONT.hex

Debian has it as /usr/share/unifont/unifont.hex (package unifont). Taken are ASCII, what the
firmware and the gateway say, and the 3,755 characters of GB 2312's first level, so that a hall's
own names can be shown. The format is that of firmware/font.py.
"""

from __future__ import annotations

import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
OUT = ROOT / "firmware" / "font.bin"
SAYS = ("firmware/**/*.py", "gateway/*.py", "gateway/texts/*")
SIGNS = "·×—…‘’“”℃°、。《》【】（）！，：；？％￥①②③④⑤⑥⑦⑧⑨⑩"


def wanted() -> set[str]:
    """Every character that a display may be told to show."""
    rows = [bytes((high, low)) for high in range(0xB0, 0xD8) for low in range(0xA1, 0xFF)]
    found = {raw.decode("gb2312", "ignore") for raw in rows} | set(SIGNS)
    found |= {chr(code) for code in range(0x20, 0x7F)}
    for pattern in SAYS:
        for path in ROOT.glob(pattern):
            found |= {c for c in path.read_text(encoding="utf-8") if ord(c) >= 0x80}
    return {char for char in found if len(char) == 1 and ord(char) <= 0xFFFF}


def glyph(line: str) -> bytes:
    """The 33 bytes of a glyph whose rows are given in hex, 16 of 8 or 16 pixels."""
    width = len(line) // 4
    rows = [int(line[at : at + width // 4], 16) for at in range(0, len(line), width // 4)]
    out = bytearray((width,))
    for page in (0, 8):
        for column in range(16):
            byte = 0
            if column < width:
                for y in range(8):
                    byte |= (rows[page + y] >> (width - 1 - column) & 1) << y
            out.append(byte)
    return bytes(out)


def made(unifont: Path, chars: set[str]) -> bytes:
    """The whole file; what Unifont lacks is left out."""
    table: dict[int, bytes] = {}
    for line in unifont.read_text(encoding="ascii").splitlines():
        code, _, pixels = line.partition(":")
        if chr(int(code, 16)) in chars:
            table[int(code, 16)] = glyph(pixels)
    codes = sorted(table)
    head = b"HKF1" + len(codes).to_bytes(2, "big")
    return head + b"".join(c.to_bytes(2, "big") for c in codes) + b"".join(table[c] for c in codes)


if __name__ == "__main__":
    OUT.write_bytes(raw := made(Path(sys.argv[1]), wanted()))
    print(f"{OUT}: {int.from_bytes(raw[4:6], 'big')} glyphs, {len(raw)} bytes")
