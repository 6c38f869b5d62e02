# ruff: noqa: E402
"""The engine alone: microseconds an event by size of the site, in order and a fifth a little late.

`python bench/engine.py [--large]`; --large adds 10,000 zones (some minutes, 4 GB). Beside it: one
formula in the engine, in reelay (C++) and in rtamt.
"""

from __future__ import annotations

import gc
import random
import sys
import time
from bisect import bisect_right
from dataclasses import replace
from operator import itemgetter
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path[0] = str(ROOT)  # not bench/, which has a firmware.py of its own

import reelay
import rtamt
from rich.console import Console
from rich.table import Table

from gateway import rules, site, workdays
from gateway.clock import parse_instant
from gateway.engine import Engine, Record
from gateway.graph import Graph
from gateway.logic import Channel, Compare
from gateway.site import AirConditioner, Circuit, Device, Opening, Sensor, Site, Source, Zone
from gateway.watches import Program, StateWatch

REFERENCE = site.load(ROOT / "tests" / "data" / "site.toml")
CALENDAR = workdays.load(REFERENCE, None)
BEGIN = parse_instant("2026-07-01T17:50:00")
MINUTE = 60_000
EVENTS = 200_000
SETTLE = 2_000
TURN = 256  # messages taken in at once
PROTOTYPE = {10: 2.4, 100: 3.3, 1000: 6.1, 10000: 8.7}


def hall(zones: int) -> Site:
    """A site of so many zones: each a light, sockets, AC, window, presence, lux and a detector."""
    many = range(zones)
    minutes = 600_000
    return replace(
        REFERENCE,
        zones=tuple(Zone(f"z{n}", f"区{n}") for n in many),
        counters=(),
        openings=tuple(
            Opening(f"w{n}", f"窗{n}", f"z{n}", "window", Source(f"d{n}", "c1"), None) for n in many
        ),
        circuits=tuple(
            circuit
            for n in many
            for circuit in (
                Circuit(
                    f"l{n}", f"灯{n}", f"z{n}", "lighting", Source(f"m{n}", "c1"), None, 10, 2000
                ),
                Circuit(
                    f"s{n}", f"座{n}", f"z{n}", "counter", Source(f"m{n}", "c2"), None, 10, 2500
                ),
            )
        ),
        acs=tuple(
            AirConditioner(f"a{n}", f"空调{n}", f"z{n}", Source(f"r{n}", "a1"), None) for n in many
        ),
        sensors=tuple(
            sensor
            for n in many
            for sensor in (
                Sensor(f"z{n}", "presence", Source(f"o{n}", "p1"), None),
                Sensor(f"z{n}", "lux", Source(f"o{n}", "x1"), None),
                Sensor(f"z{n}", "detector", Source(f"m{n}", "d1"), f"s{n}"),
            )
        ),
        checkpoints=(),
        routes=(),
        people=(),
        devices=tuple(
            Device(f"{letter}{n}", "power-meter", "mains", minutes)
            for n in many
            for letter in "dmro"
        ),
    )


def stream(program: Program, zones: int) -> list[Record]:
    """Each zone sends eight readings a minute, most of a meter; one in twenty is another value."""
    dice = random.Random(zones)
    key = program.graph.input_key
    kinds = (
        [("m", "power", "c1", (0.0, 412.0))] * 3
        + [("m", "power", "c2", (4.0, 90.0))] * 3
        + [("o", "presence", "p1", (True, False))] * 2
        + [("o", "lux", "x1", (50.0, 500.0))]
        + [("r", "ac", "a1", ((False, "cool", 26.0), (True, "cool", 26.0)))]
        + [("d", "contact", "c1", (False, True))]
    )
    at: dict[int, int] = {}
    made: list[Record] = []
    for seq in range(EVENTS):
        letter, kind, ch, values = dice.choice(kinds)
        taken = key(f"{letter}{dice.randrange(zones)}", kind, ch)
        place = at.get(taken, 0)
        if dice.random() < 0.05:
            place = at[taken] = 1 - place
        made.append((BEGIN + seq * MINUTE // (8 * zones), 1, seq + 1, "", taken, values[place]))
    return made


def in_order(program: Program, records: list[Record]) -> float:
    """Seconds."""
    engine = Engine(program, BEGIN)
    engine.start()
    begun = time.process_time()
    engine.run(records)
    engine.advance(records[-1][0] + MINUTE)
    engine.finish()
    return time.process_time() - begun


_time_of = itemgetter(0)


def a_fifth_late(program: Program, records: list[Record]) -> float:
    """As live: a fifth comes up to 1.5 s late; the engine lags by `settle`, so it is in order."""
    dice = random.Random(7)
    late = [(r[0] + (dice.randrange(1, 1500) if dice.random() < 0.2 else 0), r) for r in records]
    late.sort()
    engine = Engine(program, BEGIN)
    engine.start()
    held: list[Record] = []
    begun = time.process_time()
    for first in range(0, len(late), TURN):
        turn = late[first : first + TURN]
        held += [record for _, record in turn]
        held.sort()  # nearly sorted already
        ripe = bisect_right(held, turn[-1][0] - SETTLE, key=_time_of)
        engine.run(held[:ripe])
        del held[:ripe]
    engine.run(held)
    engine.advance(records[-1][0] + MINUTE)
    engine.finish()
    return time.process_time() - begun


def sizes(many: list[int]) -> Table:
    table = Table(title="The engine, events a second by size of the site (one core)")
    for head in (
        "zones",
        "nodes",
        "compile s",
        "events/s",
        "µs/event",
        "a fifth late",
        "prototype",
    ):
        table.add_column(head, justify="right")
    for zones in many:
        place = hall(zones)
        gc.collect()
        gc.disable()  # nothing of a program is garbage
        begun = time.process_time()
        program = rules.program(place, CALENDAR)
        compiled = time.process_time() - begun
        gc.enable()
        gc.freeze()
        records = stream(program, zones)
        straight = min(in_order(program, records) for _ in range(3))
        late = min(a_fifth_late(program, records) for _ in range(3))
        table.add_row(
            f"{zones:,}",
            f"{len(program.graph.op):,}",
            f"{compiled:.2f}",
            f"{EVENTS / straight:,.0f}",
            f"{straight / EVENTS * 1e6:.1f}",
            f"{late / EVENTS * 1e6:.1f}",
            f"{PROTOTYPE[zones]}",
        )
        gc.unfreeze()
    return table


def one_formula(count: int = 50_000) -> Table:
    """lit & ~present, held 15 s, at one update a second, in three monitors."""
    dice = random.Random(3)
    rows = [(dice.random() < 0.9, dice.random() < 0.1) for _ in range(count)]
    lit = Compare(Channel("d", "a", "contact", "open"), "==", True)
    present = Compare(Channel("d", "b", "contact", "open"), "==", True)
    program = Program(Graph([("d", 10**12)]))
    condition = lit & ~present
    program.add_state(StateWatch("r", "x", None, "notice", (), condition, 15_000, None))
    program.sealed()
    keys = [program.graph.input_key("d", "contact", ch) for ch in "ab"]
    records = [
        (n * 1000, 1, n, "", k, v)
        for n, row in enumerate(rows)
        for k, v in zip(keys, row, strict=True)
    ]
    engine = Engine(program, 0)
    engine.start()
    begun = time.process_time()
    engine.run(records)
    ours = time.process_time() - begun

    monitor = reelay.discrete_timed_monitor(
        pattern="historically[0:15]({lit: true} and not {present: true})", condense=False
    )
    dicts = [{"lit": a, "present": b} for a, b in rows]
    begun = time.process_time()
    for row in dicts:
        monitor.update(row)
    by_reelay = time.process_time() - begun

    spec = rtamt.StlDiscreteTimeSpecification()
    for name in ("lit", "present"):
        spec.declare_var(name, "float")
    spec.spec = "historically[0:15]((lit > 0.5) and not(present > 0.5))"
    spec.parse()
    few = [[("lit", float(a)), ("present", float(b))] for a, b in rows[:5000]]
    begun = time.process_time()
    for n, inputs in enumerate(few):
        spec.update(n, inputs)
    by_rtamt = (time.process_time() - begun) * count / len(few)

    table = Table(title="One formula, updates a second")
    table.add_column("monitor")
    table.add_column("updates/s", justify="right")
    for name, took in (
        ("Hallkeeper: dense time, two events an update, findings", ours),
        ("reelay (C++): discrete time", by_reelay),
        ("rtamt: discrete time, robustness", by_rtamt),
    ):
        table.add_row(name, f"{count / took:,.0f}")
    return table


if __name__ == "__main__":
    console = Console(width=110)
    console.print(sizes([10, 100, 1000] + ([10000] if "--large" in sys.argv else [])))
    console.print(one_formula())
