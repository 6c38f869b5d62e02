"""Infra-red frames of two makes of air conditioners, as marks and spaces in µs.

Neither make publishes a data sheet: timing and bits of Gree (YAW1F remote) and Midea (R51 remote)
follow the notes in IRremoteESP8266's `ir_Gree.h` and `ir_Midea.h`. Not yet tried on a real unit.
"""

_MODES = {
    "gree": {"auto": 0, "cool": 1, "dry": 2, "fan": 3, "heat": 4},
    "midea": {"cool": 0, "dry": 1, "auto": 2, "heat": 3, "fan": 4},
}
# mark and space of the head, mark of a bit, space of a 0 and of a 1, gap
_TIMES = {"gree": (9000, 4500, 620, 540, 1600, 19980), "midea": (4480, 4480, 560, 560, 1680, 5600)}
LIMITS = {"gree": (16, 30), "midea": (17, 30)}
SLACK = 0.25  # of a mark or space


def _gree(on, mode, degrees):
    raw = bytearray(8)
    raw[0] = _MODES["gree"][mode] | (8 if on else 0)
    raw[1] = degrees - 16
    raw[2] = 0x20 | (0x40 if on else 0)
    raw[3] = 0x50
    raw[5] = 0x20
    raw[7] = _gree_sum(raw) << 4
    return bytes(raw)


def _gree_sum(raw):
    return 10 + sum(byte & 15 for byte in raw[:4]) + sum(byte >> 4 for byte in raw[4:7]) & 15


def _turned(byte):
    out = 0
    for bit in range(8):
        out = out << 1 | byte >> bit & 1
    return out


def _midea(on, mode, degrees):
    raw = bytes((0xA1, (0x80 if on else 0) | _MODES["midea"][mode], 0x40 | degrees - 17, 255, 255))
    return raw + bytes((midea_sum(raw),))


def midea_sum(raw):
    """The sixth byte of Midea's five."""
    return _turned(-sum(_turned(byte) for byte in raw) & 0xFF)


def _bits(raw, lowest_first):
    for byte in raw:
        for at in range(8):
            yield byte >> (at if lowest_first else 7 - at) & 1


def frame(make, on, mode, degrees):
    """Marks and spaces in turn. ValueError for what the make cannot do."""
    if make not in _MODES or mode not in _MODES[make]:
        raise ValueError("ir: no such make or mode")
    degrees = int(degrees)
    if not LIMITS[make][0] <= degrees <= LIMITS[make][1]:
        raise ValueError("ir: out of range")
    head, pause, mark, zero, one, gap = _TIMES[make]
    times = [head, pause]

    def put(bits):
        for bit in bits:
            times.append(mark)
            times.append(one if bit else zero)
        times.append(mark)

    if make == "gree":
        raw = _gree(on, mode, degrees)
        put(list(_bits(raw[:4], True)) + [0, 1, 0])
        times.append(gap)
        put(_bits(raw[4:], True))
        return times
    raw = _midea(on, mode, degrees)
    put(_bits(raw, False))
    times += [gap, head, pause]
    put(_bits(bytes(byte ^ 255 for byte in raw), False))
    return times


def _near(got, wanted):
    return abs(got - wanted) <= wanted * SLACK


def _heard(times, make):
    """Bits of a heard frame as ints, `None` at gaps; ValueError where a time fits nothing."""
    head, pause, mark, zero, one, gap = _TIMES[make]
    out = []
    at = 0
    while at < len(times):
        space = times[at + 1] if at + 1 < len(times) else gap
        if _near(times[at], head) and _near(space, pause):
            at += 2
            continue
        if not _near(times[at], mark):
            raise ValueError("ir: mark")
        if _near(space, zero) or _near(space, one):
            out.append(1 if _near(space, one) else 0)
        elif _near(space, gap) or at + 1 >= len(times):
            out.append(None)
        else:
            raise ValueError("ir: space")
        at += 2
    return out


def _bytes(bits, lowest_first):
    out = bytearray()
    for at in range(0, len(bits), 8):
        byte = 0
        for bit in bits[at : at + 8]:
            byte = byte >> 1 | bit << 7 if lowest_first else byte << 1 | bit
        out.append(byte)
    return bytes(out)


def parse(make, times):
    """{"on", "mode", "set"} of a heard frame of the remote. ValueError for anything else."""
    bits = _heard(times, make)
    modes = {_MODES[make][name]: name for name in _MODES[make]}
    if make == "gree":
        if (
            len(bits) != 69
            or bits[35] is not None
            or bits[32:35] != [0, 1, 0]
            or bits[68] is not None
        ):
            raise ValueError("ir: length")
        raw = _bytes(_whole(bits[:32] + bits[36:68]), True)
        if raw[7] >> 4 != _gree_sum(raw) or raw[0] & 7 not in modes:
            raise ValueError("ir: checksum")
        return {"on": bool(raw[0] & 8), "mode": modes[raw[0] & 7], "set": (raw[1] & 15) + 16}
    if len(bits) != 98 or bits[48] is not None or bits[97] is not None:
        raise ValueError("ir: length")
    raw = _bytes(_whole(bits[:48]), False)
    again = _bytes(_whole(bits[49:97]), False)
    if midea_sum(raw[:5]) != raw[5] or any(a ^ b != 255 for a, b in zip(raw, again)):
        raise ValueError("ir: checksum")
    if raw[0] != 0xA1 or raw[1] & 7 not in modes:
        raise ValueError("ir: not a state")
    return {"on": bool(raw[1] & 0x80), "mode": modes[raw[1] & 7], "set": (raw[2] & 31) + 17}


def _whole(bits):
    if None in bits:
        raise ValueError("ir: gap")
    return bits
