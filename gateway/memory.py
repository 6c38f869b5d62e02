"""What a gateway that runs for months does with its memory."""

from __future__ import annotations

import ctypes
import gc
import sys
from typing import Any

_YOUNG, _MIDDLE, _OLD = 2_000, 10, 100
"""Of the old generation a pass takes a tenth of a second and holds up every thread. What a turn
makes is gone after it, so the old generation is gone through rarely."""


def lean() -> None:
    """Call before anything else imports structlog: it takes along what colours tracebacks at a
    terminal (rich, pygments, …: 6 MB), if that is installed, and our log is JSON lines."""
    modules: dict[str, Any] = sys.modules
    unused = {"rich", "greenlet"} - modules.keys()
    modules.update(dict.fromkeys(unused))  # an import of it now fails, as if it were not there
    try:
        import structlog  # noqa: F401
    finally:
        for name in unused:
            del modules[name]


def settle() -> None:
    """Call when everything is loaded: what is there now stays, and no pass of the collector looks
    at it again; what starting left behind goes back to the system. A house that was built anew in
    the same process calls it again."""
    gc.unfreeze()
    gc.collect()
    gc.freeze()
    gc.set_threshold(_YOUNG, _MIDDLE, _OLD)
    _trim()


def _trim() -> None:
    """glibc keeps what was freed; another C library has no such call and needs none."""
    try:
        ctypes.CDLL(None).malloc_trim(0)
    except (OSError, AttributeError):
        return
