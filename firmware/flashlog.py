"""The device's log on flash: every event is here before it is published, until an ack covers it.

Events are packed records (`record.py`) in small segment files, small enough that littlefs keeps
them inside its directory block. A file is named by the first seq it holds; the lowest file kept is
the pointer, so no ack file is ever written. When the gateway is away, the oldest small segments are
folded into files of one flash block. Blocks are kept free, so that a full log can still drain.

`append` returns when its records are on flash. A cut at any write leaves a log that mounts.
"""

import binascii
import os

from firmware import record, wire

SEGMENT = 120  # bytes; littlefs keeps up to 128 inside its metadata
FOLDED = 3900  # bytes; one 4 KiB block
MANY = 34  # small segments that make folding worth it
RUNS = 16  # of samples given up in one go
COST = 32  # bytes that a run leaves: a `lost` record and what stands for it
WORTH = 256  # bytes won that make it worth while
RESERVE = 6  # blocks kept free
_SAMPLES = tuple(wire.SAMPLES)


class _Segment:
    """One file: its first seq, how many numbers it spans, its bytes, its samples."""

    def __init__(self, first, folded):
        self.first = first
        self.folded = folded
        self.count = 0
        self.size = 0
        self.samples = 0
        self.whole = True  # False: a damaged tail, nothing may be added

    def next(self):
        return self.first + self.count


def _name(first, folded):
    # littlefs keeps names sorted: `f.…` stand together, with `id.…` as a fence before the `s.…`,
    # which come and go. Mixed, each folded file would in the end hold two directory blocks alone.
    return "%s.%010x" % ("f" if folded else "s", first)


class FlashLog:
    """See the module. `folder` exists; `free()` gives the free blocks of its file system."""

    def __init__(self, folder, free):
        self._folder = folder
        self._free = free
        self._segments = []
        self._cache = (None, b"")
        self._walk = (0, None, 0)  # where reading stopped: seq, segment's first, position
        self.log = None  # 8 hex digits
        self.first = 1  # the lowest seq kept and not covered
        self.next = 1  # the number the next event gets
        self.dropped = 0  # numbers this boot has given up
        self.holes = []  # (from, to, why) found at mount and not yet told
        self._told = []  # numbers of the `lost` records kept, and some that are no longer
        self.room = 0  # blocks that may still be filled, as of the last new file

    # -- mounting ---------------------------------------------------------------------------

    def mount(self):
        """Read what is there; draws a new log id where there is no log. Returns self."""
        small, folded, logs = {}, {}, []
        for name in os.listdir(self._folder):
            stem, _, end = name.partition(".")
            if end == "t":
                os.remove(self._path(name))
            elif stem == "id" and wire.made_of(end, "0123456789abcdef", 8):
                logs.append(end)
            elif stem in ("s", "f") and wire.made_of(end, "0123456789abcdef", 10):
                (small if stem == "s" else folded)[int(end, 16)] = name
        if not (small or folded) or len(logs) != 1:
            return self._create(small, folded, logs)
        self.log = logs[0]
        found = []
        for first in sorted(folded):
            if found and first < found[-1].next():
                os.remove(self._path(folded[first]))  # a merge was cut before it had cleaned up
            else:
                found.append(self._load(first, True))
        for first in sorted(small):
            if any(f.first <= first < f.next() for f in found if f.folded):
                os.remove(self._path(small[first]))  # a fold was cut before it had cleaned up
            else:
                found.append(self._load(first, False))
        found.sort(key=lambda segment: segment.first)
        self._segments = found
        self._find_holes()
        self.first = found[0].first
        self.next = found[-1].next()
        if not found[-1].whole:
            self._open(self.next)
        self.room = self._free() - RESERVE
        return self

    def _create(self, small, folded, logs):
        for name in list(small.values()) + list(folded.values()):
            os.remove(self._path(name))
        for stem in logs:
            os.remove(self._path("id." + stem))
        self.log = binascii.hexlify(os.urandom(4)).decode()
        self._segments = []
        self._open(1)
        with open(self._path("id." + self.log), "wb"):
            pass
        self.first = self.next = 1
        return self

    def _load(self, first, folded):
        segment = _Segment(first, folded)
        with open(self._path(_name(first, folded)), "rb") as file:
            data = file.read()
        at, seq = 0, first
        while at < len(data):
            found = record.scan(data, at, seq)
            if not found:
                # numbers that may have been used are not used again
                rest = (len(data) - at + 9) // 10
                segment.whole = False
                self.holes.append((seq, seq + rest - 1, "damaged"))
                seq += rest
                break
            body, _, at = found
            kind = record.kind_at(data, body)
            if kind == wire.LOST:
                self._told.append(seq)
            seq += record.skipped(data, body)
            if kind in _SAMPLES:
                segment.samples += 1
        segment.count = seq - first
        segment.size = at
        return segment

    def _find_holes(self):
        """Numbers between files that nobody holds; a damaged tail ends at its neighbour."""
        holes = []
        for begin, end, why in self.holes:
            for segment in self._segments:
                if segment.first > begin:
                    end = min(end, segment.first - 1)
            if begin <= end:
                holes.append((begin, end, why))
        for left, right in zip(self._segments, self._segments[1:]):
            if left.next() > right.first:
                left.count = right.first - left.first
            elif left.next() < right.first:
                holes.append((left.next(), right.first - 1, "bad block"))
        self.holes = holes

    # -- writing ----------------------------------------------------------------------------

    def append(self, events):
        """Write [(boot, up, kind, fields), …] and return their seqs; they are on flash then.

        ValueError for an event that is not valid: nothing of the call is written. OSError where
        the flash refuses: the caller may try again, no number is used twice.
        """
        seqs = []
        packed = []
        for boot, up, kind, fields in events:
            seq = self.next + len(packed)
            packed.append((seq, record.pack(seq, boot, up, kind, fields), kind in _SAMPLES))
            seqs.append(seq)
        at = 0
        while at < len(packed):
            segment = self._segments[-1]
            if (
                not segment.whole
                or segment.folded
                or (segment.size and segment.size + len(packed[at][1]) > SEGMENT)
            ):
                segment = self._open(self.next)
            chunk = bytearray()
            taken = 0
            samples = 0
            while at + taken < len(packed):
                raw = packed[at + taken][1]
                if taken and segment.size + len(chunk) + len(raw) > SEGMENT:
                    break
                chunk.extend(raw)
                samples += packed[at + taken][2]
                taken += 1
            try:
                with open(self._path(_name(segment.first, False)), "ab") as file:
                    file.write(chunk)
            except OSError:
                segment.whole = False
                raise
            self._told += [self.next + n for n in range(taken) if events[at + n][2] == wire.LOST]
            segment.size += len(chunk)
            segment.count += taken
            segment.samples += samples
            self.next += taken
            at += taken
            if self._cache[0] == segment.first:
                self._cache = (None, b"")
        return seqs

    def _open(self, first):
        """A new segment; where the last one is empty it is the same file."""
        last = self._segments[-1] if self._segments else None
        if last and last.first == first and not last.folded:
            if not last.whole:
                with open(self._path(_name(first, False)), "wb"):
                    last.whole = True
            return last
        self._make_room()
        with open(self._path(_name(first, False)), "wb"):
            pass
        segment = _Segment(first, False)
        self._segments.append(segment)
        self._clean()
        self.room = self._free() - RESERVE
        return segment

    def covered(self, seq):
        """An ack covers 1…seq: whole segments below it are deleted. True when that is news.

        An ack of numbers that this flash has never given (it was put back to an older copy) moves
        the next number beyond them: the gateway would take new events under them for repeats.
        """
        if seq < self.first or seq >= wire.MAX_INT:
            return False
        self.first = seq + 1
        if seq >= self.next:
            self.next = seq + 1
            self._open(self.next)
        self._clean()
        return True

    def _clean(self):
        while len(self._segments) > 1 and self._segments[1].first <= self.first:
            gone = self._segments.pop(0)
            os.remove(self._path(_name(gone.first, gone.folded)))

    # -- room -------------------------------------------------------------------------------

    def _make_room(self):
        small = [segment for segment in self._segments if not segment.folded]
        if len(small) >= MANY:
            self._fold(small)

    def _fold(self, small):
        take = []
        size = 0
        for segment in small[:-1]:
            if not segment.whole or size + segment.size > FOLDED:
                break
            if take and take[-1].next() != segment.first:
                break
            take.append(segment)
            size += segment.size
        if len(take) < 2:
            return
        made = _Segment(take[0].first, True)
        made.size = size
        made.count = take[-1].next() - made.first
        with open(self._path("fold.t"), "wb") as out:
            for segment in take:
                out.write(self._read(segment))
                made.samples += segment.samples
        os.rename(self._path("fold.t"), self._path(_name(made.first, True)))
        at = self._segments.index(take[0])
        self._segments[at : at + len(take)] = [made]
        self._cache = (None, b"")
        for segment in take:
            os.remove(self._path(_name(segment.first, False)))

    def give_up(self):
        """Free a block of a full log: [(from, to), …] that the caller must tell as lost.

        Samples of the oldest files go first; only where none are left goes the oldest file whole.
        Call `drop` with the same answer after the `lost` events are on flash.
        """
        for segment in self._segments[:-1]:
            if not (segment.folded and segment.samples):
                continue
            runs = self._sample_runs(segment)
            if sum(size - COST for _, _, size in runs) >= WORTH:
                return segment.first, [(begin, end) for begin, end, _ in runs]
        for segment in self._segments[:-1]:
            if segment.folded:
                begin = max(segment.first, self.first)
                return segment.first, [(begin, segment.next() - 1)]
        return None, []

    def _sample_runs(self, segment):
        """[(first number, last, bytes), …] of samples that are worth the record that tells them."""
        runs = []
        for seq, count, start, end, body, data in self._each(segment):
            if record.kind_at(data, body) not in _SAMPLES or seq < self.first:
                continue
            if runs and runs[-1][1] == seq - 1:
                runs[-1] = (runs[-1][0], seq + count - 1, runs[-1][2] + end - start)
            else:
                runs.append((seq, seq + count - 1, end - start))
        return [run for run in runs if run[2] > COST][:RUNS]

    def drop(self, first, runs):
        """Carry out what `give_up` proposed: the file without those numbers, or no file at all."""
        for segment in self._segments:
            if segment.first == first:
                break
        else:
            return
        self.dropped += sum(end - begin + 1 for begin, end in runs)
        self._cache = (None, b"")
        self._walk = (0, None, 0)
        whole = [(max(segment.first, self.first), segment.next() - 1)]
        if segment is self._segments[0] and runs == whole:
            self.first = max(self.first, segment.next())
            self._clean()
            self.room = self._free() - RESERVE
            return
        size = 0
        with open(self._path("fold.t"), "wb") as out:
            run = 0
            for seq, _, start, end, _, data in self._each(segment):
                while run < len(runs) and runs[run][1] < seq:
                    run += 1
                if run < len(runs) and runs[run][0] <= seq:
                    if seq != runs[run][0]:
                        continue
                    raw = record.pack_skip(seq, runs[run][1] - seq + 1)
                else:
                    raw = bytes(data[start:end])
                out.write(raw)
                size += len(raw)
        os.rename(self._path("fold.t"), self._path(_name(segment.first, True)))
        segment.size = size
        segment.samples -= sum(end - begin + 1 for begin, end in runs)
        self._cache = (None, b"")
        self._merge(segment)
        self.room = self._free() - RESERVE

    def _merge(self, segment):
        """A file that has shrunk joins the one before it, where both fit one block."""
        at = self._segments.index(segment)
        before = self._segments[at - 1] if at else None
        if not before or not before.folded or before.next() != segment.first:
            return
        if before.size + segment.size > FOLDED:
            return
        with open(self._path("fold.t"), "wb") as out:
            out.write(self._read(before))
            out.write(self._read(segment))
        os.rename(self._path("fold.t"), self._path(_name(before.first, True)))
        os.remove(self._path(_name(segment.first, True)))
        before.size += segment.size
        before.count += segment.count
        before.samples += segment.samples
        self._cache = (None, b"")
        del self._segments[at]

    # -- reading ----------------------------------------------------------------------------

    def _path(self, name):
        return self._folder + "/" + name

    def _read(self, segment):
        """A segment's good bytes; the last file read is kept."""
        if self._cache[0] != segment.first or len(self._cache[1]) < segment.size:
            with open(self._path(_name(segment.first, segment.folded)), "rb") as file:
                self._cache = (segment.first, file.read())
        return self._cache[1][: segment.size]

    def _each(self, segment, at=0, seq=None):
        """(seq, numbers it stands for, start, end, body, data) of each record."""
        data = self._read(segment)
        if seq is None:
            seq = segment.first
        while at < len(data):
            found = record.scan(data, at, seq)
            if not found:
                return
            body, _, end = found
            count = record.skipped(data, body)
            yield seq, count, at, end, body, data
            at = end
            seq += count

    def read(self, seq, most, held=None):
        """Up to `most` events from `seq` on: [(seq, kind, boot, up, fields), …] and the next seq.

        What is no longer there is passed over. `held` limits to numbers below it.
        """
        out = []
        end = self.next if held is None else min(held, self.next)
        at = max(seq, self._segments[0].first)
        for segment in self._segments:
            if segment.next() <= at:
                continue
            if segment.first >= end or len(out) >= most:
                break
            at = max(at, segment.first)
            start, begin = 0, segment.first
            if self._walk[0] == at and self._walk[1] == segment.first:
                start, begin = self._walk[2], at
            for number, count, _, after, body, data in self._each(segment, start, begin):
                if number >= end or len(out) >= most:
                    break
                if number >= at and data[body] != record.SKIP:
                    kind, boot, up, fields = record.unpack(data, body)
                    out.append((number, kind, boot, up, fields))
                at = max(at, number + count)
                self._walk = (at, segment.first, after)
            else:
                at = max(at, segment.next())
        return out, min(max(at, seq), end)

    def lost_told(self):
        """Numbers of the `lost` records that are not covered: no ack passes a gap before them."""
        self._told = [seq for seq in self._told if seq >= self.first]
        return list(self._told)

    def held(self):
        """How many numbers are kept and not covered."""
        return self.next - self.first

    def files(self):
        """(number of files, bytes) on flash."""
        return len(self._segments), sum(segment.size for segment in self._segments)
