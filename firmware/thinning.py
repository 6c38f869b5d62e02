"""A log (`flashlog.py`) that is full although samples came ever more rarely: what it gives up."""

import os

from firmware import record, wire
from firmware.flashlog import FOLD, FOLDED, name_of

RUNS = 16  # of samples given up in one go
COST = 32  # bytes that a run leaves: a `lost` record and what stands for it
WORTH = 256  # bytes won that make it worth while


def give_up(log):
    """Samples of the oldest files go first; only where none are left goes the oldest file whole.

    (first of the file, [(from, to), …]), or (None, []) where no file may go.
    """
    last = len(log.firsts) - 1
    for n in range(last):
        if not (log.marks[n] & FOLD and log.samples[n]):
            continue
        runs = _sample_runs(log, n)
        if sum(size - COST for _, _, size in runs) >= WORTH:
            return log.firsts[n], [(begin, end) for begin, end, _ in runs]
    for n in range(last):
        if log.marks[n] & FOLD:
            return log.firsts[n], [(max(log.firsts[n], log.first), log.end(n) - 1)]
    return None, []


def _sample_runs(log, n):
    """[(first number, last, bytes), …] of samples that are worth the record that tells them."""
    runs = []
    for seq, count, _, body, raw in log.each(n):
        if record.kind_at(raw, body) not in wire.SAMPLES or seq < log.first:
            continue
        if runs and runs[-1][1] == seq - 1:
            runs[-1] = (runs[-1][0], seq + count - 1, runs[-1][2] + len(raw))
        else:
            runs.append((seq, seq + count - 1, len(raw)))
    return [run for run in runs if run[2] > COST][:RUNS]


def drop(log, first, runs):
    """The file that begins at `first` without those numbers, or no such file at all."""
    if first not in log.firsts:
        return
    n = log.firsts.index(first)
    log.dropped += sum(end - begin + 1 for begin, end in runs)
    log.walk = (0, None, 0)
    log.lost_told()  # forgets those that are no longer kept
    if n == 0 and runs == [(max(first, log.first), log.end(n) - 1)]:
        log.first = max(log.first, log.end(n))
        log.clean()
        log.measure()
        return
    size = 0
    with open(log.path("fold.t"), "wb") as out:
        run = 0
        for seq, _, _, _, raw in log.each(n):
            while run < len(runs) and runs[run][1] < seq:
                run += 1
            if run < len(runs) and runs[run][0] <= seq:
                if seq != runs[run][0]:
                    continue
                raw = record.pack_skip(seq, runs[run][1] - seq + 1)
            out.write(raw)
            size += len(raw)
    os.rename(log.path("fold.t"), log.path(name_of(first, True)))
    log.sizes[n] = size
    log.samples[n] -= sum(end - begin + 1 for begin, end in runs)
    _merge(log, n)
    log.measure()


def _merge(log, n):
    """A file that has shrunk joins the one before it, where both fit one block."""
    before = n - 1
    if n == 0 or not log.marks[before] & FOLD or log.end(before) != log.firsts[n]:
        return
    if log.sizes[before] + log.sizes[n] > FOLDED:
        return
    with open(log.path("fold.t"), "wb") as out:
        log.copy(before, out)
        log.copy(n, out)
    os.rename(log.path("fold.t"), log.path_of(before))
    os.remove(log.path_of(n))
    log.sizes[before] += log.sizes[n]
    log.counts[before] += log.counts[n]
    log.samples[before] += log.samples[n]
    log.forget(n)
