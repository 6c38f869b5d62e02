"""The engine's state as bytes, for the database and a `--state` directory.

A checksum first, then a pickle that may name this module's few classes and nothing else: a file
that was damaged, or written by a stranger, is refused and runs no code.
"""

from __future__ import annotations

import io
import pickle
import zlib
from typing import Any

from gateway.errors import InputFault
from gateway.findings import Finding
from gateway.patrols import Memory, Round
from gateway.rules.model import Severity

_NAMED = {(c.__module__, c.__qualname__): c for c in (Finding, Memory, Round, Severity)}
_SUM = 4  # bytes of CRC-32 in front


class SnapshotFault(InputFault):
    """The bytes are not a snapshot this program wrote."""


class _Loader(pickle.Unpickler):
    def find_class(self, module: str, name: str) -> Any:
        try:
            return _NAMED[module, name]
        except KeyError:
            raise SnapshotFault(f"a snapshot names {module}.{name}, which none may") from None


def frozen(state: tuple[Any, ...]) -> bytes:
    """`Engine.snapshot()` as bytes."""
    body = pickle.dumps(state)
    return zlib.crc32(body).to_bytes(_SUM, "big") + body


def packed(state: tuple[Any, ...]) -> bytes:
    """One that is kept in memory and seldom read: a fiftieth of its size, 5 ms for 18,000 nodes."""
    return zlib.compress(frozen(state), 1)


def unpacked(data: bytes) -> tuple[Any, ...]:
    """What `packed` was given."""
    return thawed(zlib.decompress(data))


def thawed(data: bytes) -> tuple[Any, ...]:
    """What `frozen` was given. Raises SnapshotFault for anything else."""
    body = data[_SUM:]
    if zlib.crc32(body).to_bytes(_SUM, "big") != data[:_SUM]:
        raise SnapshotFault("a snapshot's checksum is wrong")
    try:
        state = _Loader(io.BytesIO(body)).load()
    except SnapshotFault:
        raise
    except Exception as fault:  # pickle's own list of what it raises is open
        raise SnapshotFault(f"a snapshot cannot be read ({fault})") from fault
    if not isinstance(state, tuple):
        raise SnapshotFault("a snapshot holds something else than an engine's state")
    return state
