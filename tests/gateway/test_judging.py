"""The live stage says what replay says, however the day is cut into turns and restarts."""

from __future__ import annotations

import json
import random
import re
import sqlite3
from pathlib import Path
from typing import Any

import msgspec
import pytest

from firmware import wire
from gateway import judging, permits, records, replay, rules, site, store, workdays
from gateway.arrivals import Arrivals
from gateway.clock import parse_instant
from gateway.engine import Engine
from gateway.events import Refused, decode, split_topic
from gateway.findings import Finding
from gateway.history.stage import History
from gateway.journal import Journal
from gateway.judging import Judging
from gateway.permits import Permit
from gateway.timeline import place
from gateway.turns import Turn

DATA = Path(__file__).parents[1] / "data"
CASES = ("evening", "into-the-holiday", "make-up-saturday", "winter-morning")
HALL = site.load(DATA / "site.toml")
PROGRAM = rules.program(HALL, workdays.load(HALL, None))
DEVICES = frozenset(device.id for device in HALL.devices)
SETTLE = HALL.settle
Line = tuple[int, str, bytes]


def sample(case: str, what: str) -> Path:
    return DATA / "samples" / f"{case}.{what}"


def lines_of(case: str) -> list[Line]:
    found = []
    for text in sample(case, "events.jsonl").read_bytes().splitlines():
        line = msgspec.json.decode(text, type=dict[str, msgspec.Raw])
        at, topic = (msgspec.json.decode(line[key]) for key in ("at", "topic"))
        found.append((at, topic, bytes(line["payload"])))
    return sorted(found)


def beginning_of(arrivals: Arrivals) -> int:
    return min(
        record[0]
        for log in arrivals.logs()
        for batch in place(log[1], arrivals.copies(log), arrivals.names)
        for record in batch
    )


def told(found: Finding) -> tuple[Any, ...]:
    return (
        *(found.rule, found.subject, found.zone, found.since, found.start, found.end),
        *(found.severity, json.loads(json.dumps(found.evidence))),
    )


@pytest.fixture(autouse=True)
def small_blocks(monkeypatch: pytest.MonkeyPatch) -> None:
    """A day's few thousand records are packed, too, so that late evidence opens them."""
    monkeypatch.setattr(records, "BLOCK", 16)
    monkeypatch.setattr(records, "OPEN", 32)


class Live:
    """The journal and the rules of a gateway on one database, without broker or clock."""

    def __init__(self, folder: Path, beginning: int) -> None:
        self.db = store.open_writer(folder)
        self.db.execute("INSERT INTO meta VALUES ('first_start', ?)", (str(beginning),))
        self.switched: list[str] = []
        self.now = beginning
        self.start()

    def start(self) -> None:
        """As after a kill: nothing but the database is left."""
        self.journal, self.judging = Journal(), Judging(HALL, PROGRAM, self._switch)
        self.history = History(HALL.timezone)
        self.journal.load(self.db)
        self.history.load(self.db, self.now)
        self.judging.load(self.db, self.now)

    def _switch(
        self, db: sqlite3.Connection, now: int, name: str, finding: Finding, engine: Engine
    ) -> None:
        self.switched.append(name)

    def turn(self, now: int, lines: list[Line]) -> None:
        self.now = now
        self.db.execute("BEGIN")
        for at, topic, payload in lines:
            where = split_topic(topic, HALL.id, DEVICES)
            if isinstance(where, Refused) or where[1] != "event":
                continue
            for raw, item in decode(payload):
                if isinstance(item, Refused):
                    self.journal.refuse(topic, where[0], raw, item, at)
                else:
                    self.journal.accept(self.db, where[0], raw, item, at)
        stored, lost = self.journal.write(self.db)
        turn = Turn(now, now / 1000, stored, lost)
        self.history.turn(self.db, turn)
        self.judging.turn(self.db, turn)
        self.db.execute("COMMIT")
        self.judging.committed(turn)

    def give(self, given: list[Permit], entries: list[int]) -> None:
        """Permits and entries as the HTTP side registers them."""
        for one in given:
            self.db.execute(
                'INSERT INTO permit (id,kind,zones,"from","to",reason,requested_by,approved_by,'
                "made_at) VALUES (?,?,?,?,?,'','a','b',0)",
                (one.id, one.kind, json.dumps(one.zones), one.begin, one.end),
            )
        for at in entries:
            self.db.execute("INSERT INTO entry VALUES (?,?,'x','','a',0)", (f"e-{at}", at))
        self.db.execute(
            "INSERT INTO meta VALUES ('permits','1') ON CONFLICT (key)"
            " DO UPDATE SET value = CAST(value AS INTEGER) + 1"
        )

    def findings(self) -> list[tuple[Any, ...]]:
        rows = self.db.execute(
            'SELECT rule, subject, zone, since, start, "end", severity, evidence FROM finding'
            " WHERE state != 'withdrawn' ORDER BY start, rule, subject"
        )
        return [(*row[:7], json.loads(row[7])) for row in rows]


def play(live: Live, lines: list[Line], end: int, dice: random.Random, restart: float) -> None:
    """Turn by turn as the lines arrive, ticking where nothing does, up to `end`."""
    at = 0
    while at < len(lines):
        size = dice.choice([1, 1, 2, 5, 20])
        batch = [line for line in lines[at : at + size] if line[0] <= end]
        if not batch:
            break
        while batch[-1][0] - live.now > 60_000:
            live.turn(live.now + dice.randint(200, 50_000), [])
        live.turn(max(live.now, batch[-1][0] + dice.randint(0, 300)), batch)
        at += len(batch)
        if dice.random() < restart:
            live.start()
    live.turn(end, [])


def replayed(
    case: str, lines: list[Line], upto: int, folder: Path, permitted: bool = True
) -> list[tuple[Any, ...]]:
    log = folder / "log.jsonl"
    log.write_bytes(
        b"".join(b'{"at":%d,"topic":"%s","payload":%s}\n' % (a, t.encode(), p) for a, t, p in lines)
    )
    arrivals = Arrivals()
    replay.read(log, HALL, arrivals)
    given, entries = permits.read(sample(case, "permits.jsonl")) if permitted else ([], [])
    found = replay.findings(PROGRAM, arrivals, permits.spans(given), entries, upto)
    return [told(finding) for finding in found]


def compare(
    case: str, lines: list[Line], dice: random.Random, restart: float, late: bool, folder: Path
) -> None:
    until = parse_instant(sample(case, "until").read_text().strip())
    end = max(until, lines[-1][0]) + SETTLE + 6000  # by then nothing late waits any more
    said = replayed(case, lines, end - SETTLE, folder)
    assert said
    given, entries = permits.read(sample(case, "permits.jsonl"))
    arrivals = Arrivals()
    replay.read(folder / "log.jsonl", HALL, arrivals)
    live = Live(folder / "data", beginning_of(arrivals))
    if not late:
        live.give(given, entries)
    half = len(lines) * 2 // 3
    play(live, lines[:half], lines[half][0], dice, restart)
    if late:
        live.give(given, entries)
    play(live, lines[half:], end, dice, restart)
    assert live.findings() == said
    live.db.close()


@pytest.mark.parametrize("restart", [0.0, 0.02])
@pytest.mark.parametrize("given_late", [False, True])
@pytest.mark.parametrize("case", CASES)
def test_live_says_what_replay_says(
    case: str, given_late: bool, restart: float, tmp_path: Path
) -> None:
    dice = random.Random(f"{case} {given_late} {restart}")
    compare(case, lines_of(case), dice, restart, given_late, tmp_path)


def test_a_damaged_snapshot_is_left_out(tmp_path: Path) -> None:
    """The newest that can be read is taken up instead; what is found stays the same."""
    begin = parse_instant("2026-07-01T17:00:00")
    live = Live(tmp_path, begin)
    for minute in range(1, 60):
        live.turn(begin + minute * 60_000, [])
    before = live.findings()
    assert before  # nothing heard of anybody is a finding of its own
    kept = live.db.execute("SELECT t, state FROM engine_snapshot ORDER BY t DESC").fetchall()
    assert len(kept) > 1
    newest, state = kept[0]
    live.db.execute(
        "UPDATE engine_snapshot SET state=? WHERE t=?", (state[:9] + b"?" + state[10:], newest)
    )
    live.start()
    left = live.db.execute("SELECT max(t) FROM engine_snapshot").fetchone()
    assert left == (kept[1][0],)
    live.turn(live.now + 1, [])
    assert live.findings() == before
    live.db.close()


@pytest.mark.parametrize("seed", range(2))
@pytest.mark.parametrize("case", CASES)
def test_evidence_that_is_hours_late_amends_findings(case: str, seed: int, tmp_path: Path) -> None:
    """Some messages come up to eight hours late, some copies lose their time or come twice."""
    dice = random.Random(f"{case} {seed}")
    lines = []
    for at, topic, payload in lines_of(case):
        chance = dice.random()
        late = at + dice.randint(0, 8 * 3_600_000)
        if chance < 0.02:
            lines.append((late, topic, payload))
            continue
        lines.append((at, topic, payload))
        if chance < 0.06:
            lines[-1] = (at, topic, re.sub(rb'"t":\d+', b'"t":null', payload))
            lines.append((late, topic, payload))
    compare(case, sorted(lines), dice, 0.01, False, tmp_path)


class Counted(Engine):
    """Counts how often it goes back."""

    back = 0

    def restore(self, snapshot: tuple[Any, ...]) -> None:
        type(self).back += 1
        super().restore(snapshot)


@pytest.mark.parametrize("killed", [False, True])
def test_a_backlog_that_drains_does_not_go_back_at_every_turn(
    killed: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Five hours of a meter's readings come in batches of 32; a kill changes nothing."""
    monkeypatch.setattr(judging, "Engine", Counted)
    begin = parse_instant("2026-07-01T16:00:00")
    hours = 5 * 3_600_000

    def line(at: int, seq: int, device: str, kind: str, fields: dict[str, Any], t: int) -> Line:
        raw = wire.encode("9f3a1c22", seq, 1, t - begin, t, kind, fields)
        return at, f"hall/1/fengxian/{device}/event", raw.encode()

    steady = [
        line(t + 40, n, "occ-01", wire.PRESENCE, {"ch": "p1", "present": n % 3 == 0}, t)
        for n, t in enumerate(range(begin, begin + hours + 60_000, 300_000), 1)
    ]
    backlog = [
        line(0, n, "pm-01", wire.POWER, {"ch": "c1", "w": 400 * (n // 90 % 2)}, t)
        for n, t in enumerate(range(begin, begin + hours, 10_000), 1)
    ]
    now = begin + hours + 1000
    drained = [
        [(now + n * 10, topic, raw) for _, topic, raw in backlog[n : n + 32]]
        for n in range(0, len(backlog), 32)
    ]
    lines = sorted([*steady, *(one for batch in drained for one in batch)])
    live = Live(tmp_path / "data", begin)
    for one in steady[:-1]:
        live.turn(one[0] + 100, [one])
    Counted.back = 0
    for n, batch in enumerate(drained):
        live.turn(batch[-1][0] + 100, batch)
        if killed and n == 20:
            assert live.db.execute("SELECT count(*) FROM meta WHERE key='late_from'").fetchone()[0]
            live.start()
    assert live.now - now > 15_000
    assert Counted.back <= len(drained) // 4
    live.turn(live.now + 6_000, steady[-1:])
    said = replayed("evening", lines, live.now - SETTLE, tmp_path, permitted=False)
    assert len(said) > 10
    assert live.findings() == said
    live.db.close()


def test_a_lost_record_is_told_at_its_own_time(tmp_path: Path) -> None:
    """Live as in replay (contract, semantics 12), however late it comes."""
    begin = parse_instant("2026-07-01T10:00:00")
    fields = {"from": 2, "to": 5, "why": "flash full"}  # 4 came: what never came are two ranges
    lines = [
        (
            begin + late,
            "hall/1/fengxian/pad-w01/event",
            wire.encode("9f3a1c22", seq, 1, 0, begin + ms, kind, given).encode(),
        )
        for seq, ms, late, kind, given in (
            (1, 0, 40, wire.HEALTH, {}),
            (4, 10, 40, wire.HEALTH, {}),
            (6, 1000, 90_000, wire.LOST, fields),
        )
    ]
    live = Live(tmp_path / "data", begin)
    for one in lines:
        live.turn(one[0] + 100, [one])
    live.turn(live.now + 60_000, [])
    said = replayed("evening", lines, live.now - SETTLE, tmp_path, permitted=False)
    assert live.findings() == said
    assert said[0][:6] == ("device.lost", "pad-w01", None, *[begin + 1000] * 3)
    live.db.close()


@pytest.mark.parametrize("still_on", [False, True])
def test_half_a_backlog_tells_nobody_of_what_is_over(still_on: bool, tmp_path: Path) -> None:
    """A meter was cut off from 17:30 to 23:00; it tells of the evening batch by batch."""
    begin = parse_instant("2026-07-01T17:00:00")
    off = parse_instant("2026-07-01T18:40:00")
    now = parse_instant("2026-07-01T23:00:00")
    last = now if still_on else off
    evening = range(begin + 1_800_000, now, 60_000)

    def line(seq: int, t: int, at: int) -> Line:
        fields = {"ch": "c1", "w": 400 if t <= last else 0}
        raw = wire.encode("9f3a1c22", seq, 1, t - begin, t, wire.POWER, fields)
        return at, "hall/1/fengxian/pm-01/event", raw.encode()

    live = Live(tmp_path / "data", begin)
    for at in range(begin, now, 300_000):
        live.turn(at, [])
    for n in range(0, len(evening), 32):
        at = now + n * 40  # a batch in 1.3 s
        live.turn(at + 100, [line(n + i + 2, t, at) for i, t in enumerate(evening[n : n + 32])])
    live.turn(live.now + 2 * SETTLE, [])
    live.turn(live.now + 6_000, [])
    found = [row for row in live.findings() if row[:2] == ("lights.after-close", "l-hall")]
    assert [row[5] for row in found] == [None if still_on else off + 60_000]
    alerts = live.db.execute("SELECT count(*) FROM alert WHERE rule LIKE 'lights.%'").fetchone()[0]
    assert (alerts > 0) == still_on
    live.db.close()
