"""The four worked cases come out exactly: in any order, however often, in however many runs."""

from __future__ import annotations

import json
import random
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from gateway import permits, replay, rules, site, workdays
from gateway.arrivals import Arrivals
from gateway.clock import parse_instant
from gateway.findings import as_json

DATA = Path(__file__).parents[1] / "data"
SITE = DATA / "site.toml"
CASES = ("evening", "into-the-holiday", "make-up-saturday", "winter-morning")
COMPARED = ("rule", "subject", "since", "start", "end", "severity")
HALL = site.load(SITE)
PROGRAM = rules.program(HALL, workdays.load(HALL, None))

pytestmark = pytest.mark.parametrize("case", CASES)


def sample(case: str, what: str) -> Path:
    return DATA / "samples" / f"{case}.{what}"


def until(case: str) -> str:
    return sample(case, "until").read_text().strip()


def lines_of(case: str) -> list[bytes]:
    return sample(case, "events.jsonl").read_bytes().splitlines()


def judged(case: str, lines: list[bytes], folder: Path) -> bytes:
    """What replay says of these lines, with the case's permits and end."""
    log = folder / "log.jsonl"
    log.write_bytes(b"\n".join(lines) + b"\n")
    arrivals = Arrivals()
    replay.read(log, HALL, arrivals)
    assert arrivals.refusals == 0
    given, entries = permits.read(sample(case, "permits.jsonl"))
    found = replay.findings(
        PROGRAM, arrivals, permits.spans(given), entries, parse_instant(until(case))
    )
    return b"".join(as_json(finding) + b"\n" for finding in found)


def compared(output: bytes) -> list[tuple[Any, ...]]:
    return [tuple(json.loads(line)[key] for key in COMPARED) for line in output.splitlines()]


def command(case: str, *more: str, log: Path | None = None) -> bytes:
    """The output of one real `hallkeeper replay`."""
    made = subprocess.run(
        [
            *(sys.executable, "-c", "from gateway.cli import main; main()", "replay"),
            *("--config", str(SITE), "--permits", str(sample(case, "permits.jsonl"))),
            *("--until", until(case), *more, str(log or sample(case, "events.jsonl"))),
        ],
        check=True,
        capture_output=True,
        cwd=Path(__file__).parents[2],
    )
    return made.stdout


def test_command_gives_the_findings_to_the_millisecond(case: str, tmp_path: Path) -> None:
    output = command(case)
    assert compared(output) == compared(sample(case, "findings.jsonl").read_bytes())
    assert output == judged(case, lines_of(case), tmp_path)


def test_any_order(case: str, tmp_path: Path) -> None:
    lines = lines_of(case)
    expected = judged(case, lines, tmp_path)
    for seed in range(3):
        random.Random(seed).shuffle(lines)
        assert judged(case, lines, tmp_path) == expected


def test_repeats(case: str, tmp_path: Path) -> None:
    dice = random.Random(1)
    lines = lines_of(case)
    again = []
    for line in lines:
        row = json.loads(line)
        row["at"] += dice.randint(1, 3_600_000)
        again.append(json.dumps(row).encode())
    assert judged(case, [*again, *lines], tmp_path) == judged(case, lines, tmp_path)


def test_arrays(case: str, tmp_path: Path) -> None:
    """Events that know their time lie the same when they come later, together in one message."""
    lines = lines_of(case)
    assert judged(case, in_arrays(lines), tmp_path) == judged(case, lines, tmp_path)


def in_arrays(lines: list[bytes]) -> list[bytes]:
    made: list[bytes] = []
    groups: dict[str, list[dict[str, Any]]] = {}
    for line in lines:
        row = json.loads(line)
        event = row["payload"]
        if isinstance(event, dict) and event["t"] is not None and event["t"] <= row["at"]:
            groups.setdefault(row["topic"], []).append(row)
        else:
            made.append(line)
    for topic, rows in groups.items():
        for first in range(0, len(rows), 20):
            part = rows[first : first + 20]
            payload = [row["payload"] for row in part]
            assert len(json.dumps(payload)) <= 4096
            row = {"at": max(r["at"] for r in part), "topic": topic, "payload": payload}
            made.append(json.dumps(row).encode())
    return made


def test_ten_runs(case: str, tmp_path: Path, capfdbinary: pytest.CaptureFixture[bytes]) -> None:
    lines = lines_of(case)
    expected = judged(case, lines, tmp_path)
    random.Random(2).shuffle(lines)
    output = b""
    for n in range(10):
        part = tmp_path / f"part-{n}.jsonl"
        part.write_bytes(b"\n".join(lines[n::10]))
        given = sample(case, "permits.jsonl") if n == 3 else None
        replay.run(SITE, [part], given, until(case), tmp_path / "state", [], None)
        output = capfdbinary.readouterr().out
    assert output == expected
