"""The engine as a machine: it does not grow with time, and a rule that breaks stops no other."""

from __future__ import annotations

import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

from gateway import replay, rules
from gateway.clock import parse_instant
from gateway.engine import Engine, Record
from gateway.rules.catalogue import RULES, by_id
from gateway.watches import Program
from tests.gateway.rules import hall

BEGIN = parse_instant("2025-12-30T00:00:00")
HOUR = 3_600_000


def day_of(program: Program, begin: int, seq: int) -> list[Record]:
    """What a lively day brings: every channel changes each hour, taps, and silences between."""
    key = program.graph.input_key
    made: list[Record] = []
    for n in range(24):
        facts = [
            (key("pm-01", "power", "c1"), 412.0 * (n % 2)),
            (key("pm-01", "power", "c2"), 900.0 * (n % 3)),
            (key("pm-01", "detector", "d1:smoke"), n % 5 == 0),
            (key("occ-01", "presence", "p1"), n % 2 == 0),
            (key("occ-w01", "presence", "p1"), n % 4 == 0),
            (key("ac-01", "ac", "a1"), (n % 2 == 0, "cool", 24.0)),
            (key("door-01", "contact", "c1"), n % 2 == 1),
            (key("door-02", "lock", "l1"), n % 3 == 0),
            (key("reader-01", "tap", ""), hall.POWER_ROOM),
            (key("pad-w01", "tap", ""), hall.POST_B),
        ]
        made += [(begin + n * HOUR, 1, seq + n, "", *fact) for fact in facts]
    return made


def test_a_year_of_ticks_does_not_grow_the_heap() -> None:
    program = rules.program(hall.SITE, hall.CALENDAR)
    engine = Engine(program, BEGIN)
    engine.start()
    sizes = []
    for day in range(365):
        begin = BEGIN + day * 24 * HOUR
        engine.run(day_of(program, begin, day * 24))
        engine.advance(begin + 24 * HOUR - 1)
        engine.out.clear()
        sizes.append(len(engine.heap))
    assert max(sizes[300:]) <= max(sizes[:30])
    assert max(sizes) <= 3 * len(program.graph.op)


def test_a_program_has_the_same_mark_in_every_process_and_another_for_other_rules() -> None:
    """Snapshots on disk are found again by it."""
    made = rules.program(hall.SITE, hall.CALENDAR)
    asked = (
        "from gateway import rules; from tests.gateway.rules import hall;"
        "made = rules.program(hall.SITE, hall.CALENDAR);"
        "print(made.mark(hall.SITE), made.calendar)"
    )
    said = {
        subprocess.run(
            [sys.executable, "-c", asked],
            check=True,
            capture_output=True,
            text=True,
            cwd=Path(__file__).parents[2],
            env={**os.environ, "PYTHONHASHSEED": seed},
        ).stdout
        for seed in ("1", "2")
    }
    assert said == {f"{made.mark(hall.SITE)} {made.calendar}\n"}
    other = replay.with_settings(hall.SITE, ["lights.vacant.hold=1min"])
    assert rules.program(other, hall.CALENDAR).mark(hall.SITE) != made.mark(hall.SITE)


def test_a_rule_that_cannot_be_built_stops_no_other() -> None:
    def broken(*_: object) -> None:
        raise ZeroDivisionError("no such thing")

    bad = replace(by_id["lights.vacant"], id="lights.broken", when=broken)
    program = rules.program(hall.SITE, hall.CALENDAR, (*RULES, bad))
    assert [rule for rule, _ in program.faults] == ["lights.broken"]
    assert "no such thing" in program.faults[0][1]
    assert len(program.states) == len(rules.program(hall.SITE, hall.CALENDAR).states)
