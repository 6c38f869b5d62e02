"""The device's log on flash: every event is here before it is published, until an ack covers it.

Events are packed records (`record.py`) in small segment files, small enough that littlefs keeps
them inside its directory block. A file is named by the first seq it holds; the lowest file kept is
the pointer, so no ack file is ever written. When the gateway is away, the oldest small segments are
folded into files of one flash block. Blocks are kept free, so that a full log can still drain.

`append` returns when its records are on flash. A cut at any write leaves a log that mounts. What is
needed at boot or on a full flash only is in `mounting.py` and `thinning.py`, loaded then.
"""

import os

from firmware import record, wire

SEGMENT = 120  # bytes; littlefs keeps up to 128 inside its metadata
FOLDED = 3900  # bytes; one 4 KiB block
MANY = 34  # small segments that make folding worth it
RESERVE = 6  # blocks kept free
PIECE = 512  # bytes read at once
FOLD, TORN = 1, 2  # marks of a file: a folded one; one with a damaged tail, nothing may be added


def name_of(first, folded):
    # littlefs keeps names sorted: `f.…` stand together, with `id.…` as a fence before the `s.…`,
    # which come and go. Mixed, each folded file would in the end hold two directory blocks alone.
    return "%s.%010x" % ("f" if folded else "s", first)


class FlashLog:
    """See the module. `folder` exists; `free()` gives the free blocks of its file system.

    The files, oldest first, are five lists side by side: an object each would take four times the
    RAM. `n` is a file's place in them.
    """

    def __init__(self, folder, free):
        self.folder = folder
        self.free = free
        self.firsts = []  # the first seq of each file
        self.counts = []  # how many numbers it spans
        self.sizes = []  # its good bytes
        self.samples = []  # how many of its events are samples
        self.marks = []
        self.walk = (0, None, 0)  # where reading stopped: seq, file's first, position
        self.log = None  # 8 hex digits
        self.first = 1  # the lowest seq kept and not covered
        self.next = 1  # the number the next event gets
        self.dropped = 0  # numbers this boot has given up
        self.holes = []  # (from, to, why) found at mount and not yet told
        self.told = []  # numbers of the `lost` records kept, and some that are no longer
        self.room = 0  # blocks that may still be filled, as of the last new file

    def mount(self):
        """Read what is there; draws a new log id where there is no log. Returns self."""
        from firmware import mounting

        mounting.mount(self)
        return self

    # -- the files --------------------------------------------------------------------------

    def path(self, name):
        return self.folder + "/" + name

    def path_of(self, n):
        return self.path(name_of(self.firsts[n], self.marks[n] & FOLD))

    def end(self, n):
        """The number after the last one that a file spans."""
        return self.firsts[n] + self.counts[n]

    def put(self, n, first, count, size, samples, mark):
        """A file more, at place `n`."""
        self.firsts.insert(n, first)
        self.counts.insert(n, count)
        self.sizes.insert(n, size)
        self.samples.insert(n, samples)
        self.marks.insert(n, mark)

    def forget(self, n):
        """No longer one of the files; it may still be on flash."""
        for column in (self.firsts, self.counts, self.sizes, self.samples, self.marks):
            del column[n]

    def measure(self):
        """Ask the file system how many blocks may still be filled."""
        self.room = self.free() - RESERVE

    # -- writing ----------------------------------------------------------------------------

    def append(self, events):
        """Write [(boot, up, kind, fields), …] and return their seqs; they are on flash then.

        ValueError for an event that is not valid: nothing of the call is written. OSError where
        the flash refuses: the caller may try again, no number is used twice.
        """
        packed = []
        for boot, up, kind, fields in events:
            packed.append(record.pack(self.next + len(packed), boot, up, kind, fields))
        begin = self.next
        at = 0
        while at < len(packed):
            size = self.sizes[-1]
            if self.marks[-1] or (size and size + len(packed[at]) > SEGMENT):
                self.open(self.next)
                size = self.sizes[-1]
            chunk = bytearray()
            taken = 0
            while at + taken < len(packed):
                raw = packed[at + taken]
                if taken and size + len(chunk) + len(raw) > SEGMENT:
                    break
                chunk.extend(raw)
                taken += 1
            try:
                with open(self.path_of(-1), "ab") as file:
                    file.write(chunk)
            except OSError:
                self.marks[-1] = TORN
                raise
            for number in range(taken):
                kind = events[at + number][2]
                if kind == wire.LOST:
                    self.told.append(self.next + number)
                elif kind in wire.SAMPLES:
                    self.samples[-1] += 1
            self.sizes[-1] += len(chunk)
            self.counts[-1] += taken
            self.next += taken
            at += taken
        return list(range(begin, self.next))

    def open(self, first):
        """A new small file; where the last one is empty it is the same file."""
        if self.firsts and self.firsts[-1] == first and not self.marks[-1] & FOLD:
            if self.marks[-1]:
                with open(self.path_of(-1), "wb"):
                    self.marks[-1] = 0
            return
        small = 0
        while small < len(self.marks) and self.marks[small] & FOLD:
            small += 1
        if len(self.marks) - small >= MANY:
            self._fold(small)
        with open(self.path(name_of(first, False)), "wb"):
            pass
        self.put(len(self.firsts), first, 0, 0, 0, 0)
        self.clean()
        self.measure()

    def covered(self, seq):
        """An ack covers 1…seq: whole files below it are deleted. True when that is news.

        An ack of numbers that this flash has never given (it was put back to an older copy) moves
        the next number beyond them: the gateway would take new events under them for repeats.
        """
        if seq < self.first or seq >= wire.MAX_INT:
            return False
        self.first = seq + 1
        if seq >= self.next:
            self.next = seq + 1
            self.open(self.next)
        self.clean()
        return True

    def clean(self):
        """Delete the files that are covered; the last one stays."""
        while len(self.firsts) > 1 and self.firsts[1] <= self.first:
            path = self.path_of(0)
            self.forget(0)
            os.remove(path)

    def _fold(self, begin):
        """The oldest small files, from place `begin` on, become one of a block."""
        end = begin
        size = samples = 0
        while end < len(self.firsts) - 1:
            if self.marks[end] or size + self.sizes[end] > FOLDED:
                break
            if end > begin and self.end(end - 1) != self.firsts[end]:
                break
            size += self.sizes[end]
            samples += self.samples[end]
            end += 1
        if end - begin < 2:
            return
        with open(self.path("fold.t"), "wb") as out:
            for n in range(begin, end):
                self.copy(n, out)
        first, count = self.firsts[begin], self.end(end - 1) - self.firsts[begin]
        os.rename(self.path("fold.t"), self.path(name_of(first, True)))
        gone = self.firsts[begin:end]
        for _ in gone:
            self.forget(begin)
        self.put(begin, first, count, size, samples, FOLD)
        for first in gone:
            os.remove(self.path(name_of(first, False)))

    # -- reading ----------------------------------------------------------------------------

    def piece(self, n, at):
        """Some of a file's good bytes from `at` on; none at their end."""
        with open(self.path_of(n), "rb") as file:
            file.seek(at)
            return file.read(min(PIECE, self.sizes[n] - at))

    def copy(self, n, out):
        """Write a file's good bytes to the end of an open one."""
        at = 0
        while at < self.sizes[n]:
            raw = self.piece(n, at)
            if not raw:
                break
            out.write(raw)
            at += len(raw)

    def each(self, n, at=0, seq=None):
        """(seq, numbers it stands for, its end in the file, its body's place, its bytes) of each
        record of a file, as far as they are whole."""
        if seq is None:
            seq = self.firsts[n]
        data = b""
        low = 0  # where the next record begins in `data`
        while at < self.sizes[n]:
            found = record.scan(data, low, seq)
            if not found:
                have = len(data) - low
                more = self.piece(n, at + have) if have <= record.MOST else b""
                if not more:
                    return
                data = data[low:] + more
                low = 0
                continue
            body, _, end = found
            count = record.skipped(data, body)
            at += end - low
            yield seq, count, at, body - low, data[low:end]
            low = end
            seq += count

    def read(self, seq, most):
        """Up to `most` events from `seq` on: [(seq, kind, boot, up, fields), …] and the next seq.

        What is no longer there is passed over.
        """
        out = []
        at = max(seq, self.firsts[0])
        for n in range(len(self.firsts)):
            if self.end(n) <= at:
                continue
            first = self.firsts[n]
            if first >= self.next or len(out) >= most:
                break
            at = max(at, first)
            start, begin = 0, first
            if self.walk[0] == at and self.walk[1] == first:
                start, begin = self.walk[2], at
            for number, count, after, body, raw in self.each(n, start, begin):
                if len(out) >= most:
                    break
                if number >= at and raw[body] != record.SKIP:
                    kind, boot, up, fields = record.unpack(raw, body)
                    out.append((number, kind, boot, up, fields))
                at = max(at, number + count)
                self.walk = (at, first, after)
            else:
                at = max(at, self.end(n))
        return out, min(max(at, seq), self.next)

    def lost_told(self):
        """Numbers of the `lost` records that are not covered: no ack passes a gap before them."""
        self.told = [seq for seq in self.told if seq >= self.first]
        return list(self.told)

    def held(self):
        """How many numbers are kept and not covered."""
        return self.next - self.first

    # -- a full flash -----------------------------------------------------------------------

    def give_up(self):
        """What would free a block of a full log: (file, [(from, to), …]), none where nothing would.

        The caller tells the ranges as lost and calls `drop` with the same answer after that.
        """
        from firmware import thinning

        return thinning.give_up(self)

    def drop(self, first, runs):
        """Carry out what `give_up` proposed: the file without those numbers, or no file at all."""
        from firmware import thinning

        thinning.drop(self, first, runs)
