"""docs/faults.md names only tests that are there, and each of its rows once."""

from __future__ import annotations

import re

from tests.journey.hall import ROOT

ROWS = (ROOT / "docs" / "faults.md").read_text("utf-8")


def test_every_test_that_the_table_names_is_there() -> None:
    named = re.findall(r"`(\w+/[\w/]+\.py)::(\w+)`", ROWS)
    assert len(named) > 15
    for file, test in named:
        assert f"def {test}(" in (ROOT / "tests" / file).read_text("utf-8"), f"{file}::{test}"


def test_each_row_stands_once_and_has_a_test() -> None:
    rows = re.findall(r"^\| (\d+) \|(.*)$", ROWS, re.MULTILINE)
    numbers = [int(number) for number, _ in rows]
    assert sorted(set(numbers)) == numbers
    wanted = {*range(10, 19), *range(20, 43), *range(44, 48), *range(58, 67)}
    assert wanted <= set(numbers)
    assert all("::" in text for _, text in rows)
