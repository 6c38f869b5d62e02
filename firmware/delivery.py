"""An update that comes over the link: one image in pieces, each the `args` of an `update` command.

An image is MAGIC, the manifest's length (2 bytes, big-endian), its Ed25519 signature (64), the
manifest (`manifest.py`), and its files one after the other, sorted by name. `args` are `at`
(where in the image the piece begins), `of` (the image's bytes) and `data` (base64). A piece at 0
begins anew; a device that has restarted says `expected 0`, and the sender goes on from there.
"""

import binascii

from firmware import manifest
from firmware.update import Update

MAGIC = b"HKFW1"
HEAD = len(MAGIC) + 2 + 64
EXPECTED = "expected "


class Delivery:
    """`public`: the key that signs, 32 bytes, or None; `running`: this firmware's version.

    `feed` is called while something that takes long makes progress: the watchdog must not bite.
    """

    def __init__(self, folder, public, board, running, feed):
        self._folder = folder
        self._public = public
        self._board = board
        self._running = running
        self._feed = feed
        self._forget()

    def _forget(self):
        self._at = 0
        self._size = 0
        self._head = bytearray()
        self._files = []  # [(name, bytes left)], the one being written first
        self._update = None

    def take(self, args):
        """Take one piece: True when it was the last and the next boot tries the new firmware.

        manifest.Refused and OSError: nothing has changed, and the image has to begin anew.
        """
        try:
            return self._take(args)
        except (manifest.Refused, OSError):
            self._forget()
            raise

    def _take(self, args):
        at, size, data = args.get("at"), args.get("of"), args.get("data")
        if not isinstance(at, int) or not isinstance(size, int) or not isinstance(data, str):
            raise manifest.Refused("bad args")
        if self._public is None:
            raise manifest.Refused("this device knows no signing key")
        if at == 0:
            self._forget()
            self._size = size
        elif at != self._at or size != self._size:
            raise manifest.Refused(EXPECTED + "0")
        try:
            piece = binascii.a2b_base64(data)
        except ValueError:
            raise manifest.Refused("bad args")
        if not piece or at + len(piece) > size:
            raise manifest.Refused("length")
        self._at = at + len(piece)
        if self._update is None:
            self._head.extend(piece)
            piece = self._judge()
        self._write(piece)
        if self._at < size:
            return False
        self._end()
        return True

    def _judge(self):
        """What of the head is beyond the manifest, once the manifest is whole and accepted."""
        head = self._head
        if bytes(head[: len(MAGIC)]) != MAGIC[: len(head)]:
            raise manifest.Refused("no image")
        if len(head) < HEAD:
            return b""
        length = head[len(MAGIC)] << 8 | head[len(MAGIC) + 1]
        if length > manifest.MAX_BYTES:
            raise manifest.Refused("too long")
        if len(head) < HEAD + length:
            return b""
        raw = bytes(head[HEAD : HEAD + length])
        self._update = Update(
            self._folder,
            raw,
            bytes(head[HEAD - 64 : HEAD]),
            self._public,
            self._board,
            self._running,
            self._feed,
        )
        rest = bytes(head[HEAD + length :])
        self._head = bytearray()
        self._files = self._update.files()
        if self._size != HEAD + length + sum(left for _, left in self._files):
            raise manifest.Refused("length")
        return rest

    def _write(self, piece):
        while self._files and (piece or not self._files[0][1]):
            name, left = self._files[0]
            part = piece[:left]
            if self._update:
                self._update.write(name, part)
            piece = piece[left:]
            if len(part) == left:
                self._files.pop(0)
            else:
                self._files[0] = (name, left - len(part))

    def _end(self):
        if self._update is None:
            raise manifest.Refused("length")
        self._update.finish()
        self._forget()
