"""A boot finds the files of the log on flash (`flashlog.py`) and mends what a cut has left."""

import binascii
import os

from firmware import record, wire
from firmware.flashlog import FOLD, TORN, name_of

LEAST = 9  # bytes of the shortest record


def mount(log):
    """Fill `log` from its folder; a new log id where there is no log."""
    small, folded, logs = {}, {}, []
    for name in os.listdir(log.folder):
        stem, _, end = name.partition(".")
        if end == "t":
            os.remove(log.path(name))
        elif stem == "id" and wire.made_of(end, "0123456789abcdef", 8):
            logs.append(end)
        elif stem in ("s", "f") and wire.made_of(end, "0123456789abcdef", 10):
            (small if stem == "s" else folded)[int(end, 16)] = name
    if not (small or folded) or len(logs) != 1:
        _create(log, small, folded, logs)
        return
    log.log = logs[0]
    for first in sorted(folded):
        if log.firsts and first < log.end(-1):
            os.remove(log.path(folded[first]))  # a merge was cut before it had cleaned up
        else:
            _load(log, len(log.firsts), first, FOLD)
    for first in sorted(small):
        n = 0
        while n < len(log.firsts) and log.firsts[n] < first:
            n += 1
        if _in_folded(log, first):
            os.remove(log.path(small[first]))  # a fold was cut before it had cleaned up
        else:
            _load(log, n, first, 0)
    _find_holes(log)
    log.first = log.firsts[0]
    log.next = log.end(-1)
    if log.marks[-1] & TORN:
        log.open(log.next)
    log.measure()


def _in_folded(log, first):
    for n in range(len(log.firsts)):
        if log.marks[n] & FOLD and log.firsts[n] <= first < log.end(n):
            return True
    return False


def _create(log, small, folded, logs):
    for name in list(small.values()) + list(folded.values()):
        os.remove(log.path(name))
    for stem in logs:
        os.remove(log.path("id." + stem))
    log.log = binascii.hexlify(os.urandom(4)).decode()
    log.open(1)
    with open(log.path("id." + log.log), "wb"):
        pass


def _load(log, n, first, mark):
    size = os.stat(log.path(name_of(first, mark)))[6]
    log.put(n, first, 0, size, 0, mark)
    at, seq = 0, first
    for number, count, after, body, raw in log.each(n):
        kind = record.kind_at(raw, body)
        if kind == wire.LOST:
            log.told.append(number)
        if kind in wire.SAMPLES:
            log.samples[n] += 1
        at, seq = after, number + count
    if at < size:  # numbers that may have been used are not used again
        rest = (size - at + LEAST - 1) // LEAST
        log.marks[n] |= TORN
        log.holes.append((seq, seq + rest - 1, "damaged"))
        seq += rest
    log.counts[n] = seq - first
    log.sizes[n] = at


def _find_holes(log):
    """Numbers between files that nobody holds; a damaged tail ends at its neighbour."""
    holes = []
    for begin, end, why in log.holes:
        for first in log.firsts:
            if first > begin:
                end = min(end, first - 1)
        if begin <= end:
            holes.append((begin, end, why))
    for n in range(len(log.firsts) - 1):
        following = log.firsts[n + 1]
        if log.end(n) > following:
            log.counts[n] = following - log.firsts[n]
        elif log.end(n) < following:
            holes.append((log.end(n), following - 1, "bad block"))
    log.holes = holes
