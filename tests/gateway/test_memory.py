"""What a gateway loads only where it is used."""

from __future__ import annotations

import subprocess
import sys

RARE = ("cryptography", "rich", "pygments", "urllib3", "limits", "segno", "xlsxwriter", "apprise")
CODE = """
import sys
from gateway import memory
memory.lean()
import gateway.pipeline, gateway.api.app
print(*sys.modules)
import rich.console, structlog
print(rich.console.__name__, structlog.dev.rich)
"""


def test_a_start_loads_nothing_rare_and_it_is_there_when_it_is_wanted() -> None:
    done = subprocess.run([sys.executable, "-c", CODE], capture_output=True, text=True, check=True)
    loaded, then = done.stdout.splitlines()
    assert not set(RARE) & set(loaded.split())
    assert then == "rich.console None"
