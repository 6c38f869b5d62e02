"""docs/reference/faults.md names a test for each fault, and each test that it names exists."""

from __future__ import annotations

import re
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
ROWS = {*range(14, 19), *range(20, 27), *range(30, 43), *range(44, 48)}


def test_every_fault_has_a_test_that_exists() -> None:
    table = (ROOT / "docs/reference/faults.md").read_text(encoding="utf-8")
    found = re.findall(r"^\| (\d+) \| [^|]+ \| `([^`]+)::([^`]+)` \|$", table, re.MULTILINE)
    assert {int(row) for row, _, _ in found} == ROWS
    for row, file, name in found:
        text = (ROOT / file).read_text(encoding="utf-8")
        assert f"def {name}(" in text, f"row {row}: {file} has no {name}"
