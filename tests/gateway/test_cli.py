"""The command line's help, and what wrong usage says."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import typer
from typer.testing import CliRunner

from gateway.cli import RANGES, SHEETS, app
from tests.journey.hall import ran

SCREEN = 24


def every(command: Any, *path: str) -> Iterator[tuple[str, ...]]:
    yield path
    for name, inner in getattr(command, "commands", {}).items():
        yield from every(inner, *path, name)


@pytest.mark.parametrize("path", [*every(typer.main.get_command(app))], ids=" ".join)
def test_help_fits_one_screen(path: tuple[str, ...]) -> None:
    shown = CliRunner().invoke(app, [*path, "--help"], env={"COLUMNS": "80"})
    assert shown.exit_code == 0
    lines = shown.output.splitlines()
    assert len(lines) < SCREEN  # the prompt needs one, too
    assert max(map(len, lines)) <= 80
    assert not [line for line in lines if line.endswith("...") and "Usage" not in line]


def test_a_report_that_does_not_exist_is_wrong_usage_and_all_are_named() -> None:
    answer = CliRunner().invoke(app, ["report", "weather", "-o", "x.xlsx", "--data", "."])
    assert answer.exit_code == 2
    assert all(name in answer.output for name in RANGES + SHEETS)


def test_a_damaged_database_is_said_in_one_line(tmp_path: Path) -> None:
    (tmp_path / "hallkeeper.db").write_bytes(b"no database" * 100)
    for command in (["firmware", "list"], ["report", "zeros", "--period", "2026-07", "-o", "x"]):
        answer = ran(*command, "--data", tmp_path)
        assert (answer.returncode, answer.stderr.count("\n")) == (3, 1), answer.stderr
        assert "hallkeeper verify" in answer.stderr
