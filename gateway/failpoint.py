"""Where a test has this process killed: HALLKEEPER_FAILPOINT names one of the places that call
`hit`, or `name:N` its N-th passing. Without the variable nothing happens.
"""

from __future__ import annotations

import os
import signal

_NAME, _, _LEFT = os.environ.get("HALLKEEPER_FAILPOINT", "").partition(":")
_left = int(_LEFT or 1)


def hit(name: str) -> None:
    """kill -9 here, if the test wants it."""
    global _left  # noqa: PLW0603 - the process's own countdown
    if name != _NAME:
        return
    _left -= 1
    if _left == 0:
        os.kill(os.getpid(), signal.SIGKILL)
