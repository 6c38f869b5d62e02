# ruff: noqa: E402
"""The engine alone: µs an event by size of the site, in order and with a fifth a little late.

`python bench/engine.py [--large]`; --large adds 10,000 zones (some minutes, 4 GB). Beside it: how
long a site of 2,000 channels loads, from its file on; the live stage with a fifth of the events
hours late; one formula in the engine, in reelay (C++) and in rtamt.
"""

from __future__ import annotations

import gc
import json
import random
import sys
import tempfile
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

from firmware import wire
from gateway import rules, site, store, workdays
from gateway.clock import parse_instant
from gateway.engine import Engine, Record
from gateway.events import Event, decode_one
from gateway.graph import Graph
from gateway.history.stage import History
from gateway.journal import Journal
from gateway.judging import Judging
from gateway.logic import Channel, Compare
from gateway.site import AirConditioner, Circuit, Device, Opening, Sensor, Site, Source, Zone
from gateway.turns import Turn
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


CHANNELS_A_ZONE = 7


def as_toml(place: Site) -> str:
    """The site's file."""
    rows: list[tuple[str, dict[str, object]]] = [
        *(("zone", {"id": z.id, "name": z.name}) for z in place.zones),
        *(
            ("opening", {"id": o.id, "zone": o.zone, "kind": o.kind, "contact": str(o.contact)})
            for o in place.openings
        ),
        *(
            (
                "circuit",
                {
                    "id": c.id,
                    "zone": c.zone,
                    "use": c.use,
                    "meter": str(c.meter),
                    "rated_w": c.rated_w,
                },
            )
            for c in place.circuits
        ),
        *(("ac", {"id": a.id, "zone": a.zone, "source": str(a.source)}) for a in place.acs),
        *(
            ("sensor", {"zone": s.zone, "kind": s.kind, "source": str(s.source)})
            for s in place.sensors
        ),
        *(("device", {"id": d.id, "kind": d.kind}) for d in place.devices),
    ]
    text = '[site]\nid = "large"\nname = "大厅"\n'
    for table, fields in rows:
        text += f"[[{table}]]\n" + "".join(
            f"{key} = {json.dumps(value, ensure_ascii=False)}\n" for key, value in fields.items()
        )
    return text


def loading(channels: int) -> Table:
    table = Table(title="Loading a site, seconds of one core (best of 5)")
    for head in ("channels", "devices", "rules over", "file to site", "rules to graph", "together"):
        table.add_column(head, justify="right")
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "site.toml"
        file.write_text(as_toml(hall(-(-channels // CHANNELS_A_ZONE))))
        took = []
        for _ in range(5):
            begun = time.process_time()
            place = site.load(file)
            read = time.process_time()
            program = rules.program(place, CALENDAR)
            took.append((time.process_time() - begun, read - begun, time.process_time() - read))
    together, read, compiled = min(took)
    table.add_row(
        f"{len(place.zones) * CHANNELS_A_ZONE:,}",
        f"{len(place.devices):,}",
        f"{len(program.states):,}",
        f"{read:.2f}",
        f"{compiled:.2f}",
        f"{together:.2f}",
    )
    return table


LIVE_TURN = 5_000
LIVE_WARM, LIVE_FOR = 4 * 60 * MINUTE, 2 * MINUTE


def hours_late(zones: int) -> tuple[float, float]:
    """Ms of one core a turn of 5 s, journal included: in order, and with a fifth up to 4 h late."""
    place = hall(zones)
    program = rules.program(place, CALENDAR)
    dice = random.Random(zones)
    seqs: dict[str, int] = {}

    def said(t: int, at: int) -> tuple[int, str, bytes, Event]:
        n = dice.randrange(zones)
        device, kind, fields = dice.choice(
            [
                (f"m{n}", "power", {"ch": "c1", "w": dice.choice([0, 412])}),
                (f"o{n}", "presence", {"ch": "p1", "present": dice.random() < 0.5}),
                (f"d{n}", "contact", {"ch": "c1", "open": dice.random() < 0.1}),
            ]
        )
        seq = seqs[device] = seqs.get(device, 0) + 1
        raw = wire.encode("9f3a1c22", seq, 1, t - BEGIN, t, kind, fields).encode()
        event = decode_one(raw)
        assert isinstance(event, Event)
        return at, device, raw, event

    with tempfile.TemporaryDirectory() as folder:
        db = store.open_writer(Path(folder))
        db.execute("INSERT INTO meta VALUES ('first_start', ?)", (str(BEGIN),))
        journal, history = Journal(), History(place.timezone)
        stage = Judging(place, program, lambda *_: None)
        journal.load(db)
        history.load(db, BEGIN)
        stage.load(db, BEGIN)
        costs: list[float] = []
        now = BEGIN
        for end, step, share in (
            (LIVE_WARM, MINUTE, 0.0),
            (LIVE_FOR, LIVE_TURN, 0.0),
            (LIVE_FOR, LIVE_TURN, 0.2),
        ):
            first = now
            begun = time.process_time()
            for now in range(first + step, first + end + 1, step):
                db.execute("BEGIN")
                for _ in range(8 * zones * step // MINUTE):
                    t = now - dice.randrange(1500)
                    late = dice.random() < share
                    t -= dice.randrange(LIVE_WARM) if late else 0
                    at, device, raw, event = said(t, now)
                    journal.accept(db, device, raw, event, at)
                stored, lost = journal.write(db)
                turn = Turn(now, now / 1000, stored, lost)
                history.turn(db, turn)
                stage.turn(db, turn)
                db.execute("COMMIT")
                stage.committed(turn)
            costs.append((time.process_time() - begun) / (end / step) * 1000)
        db.close()
    return costs[1], costs[2]


def live() -> Table:
    table = Table(title="The live stage with its journal, ms of one core a turn of 5 s")
    for head in ("zones", "events a turn", "in order", "a fifth up to 4 h late", "core, late"):
        table.add_column(head, justify="right")
    for zones in (10, 50):
        straight, late = hours_late(zones)
        table.add_row(
            f"{zones}",
            f"{8 * zones * LIVE_TURN // MINUTE}",
            f"{straight:.1f}",
            f"{late:.1f}",
            f"{late / LIVE_TURN:.1%}",
        )
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
    console.print(loading(2_000))
    console.print(live())
    console.print(one_formula())
