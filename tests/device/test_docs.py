"""The table of faults in docs/firmware.md names tests that exist."""

from __future__ import annotations

import re
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
ROWS = {1, 2, 3, 4, 5, 6, 7, 8, 9, 19, 43, 56, 57, 66}


def test_every_row_names_tests_that_exist() -> None:
    text = (ROOT / "docs" / "firmware.md").read_text(encoding="utf-8")
    found = re.findall(r"^\| (\d+) \| .* \| (.*::.*) \|$", text, re.MULTILINE)
    assert {int(row) for row, _ in found} == ROWS
    for _, shown in found:
        for path, name in re.findall(r"`([\w/.]+)::(\w+)`", shown):
            assert f"def {name}(" in (ROOT / path).read_text(encoding="utf-8"), (path, name)
