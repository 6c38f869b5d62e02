"""A state directory: however a log is cut into runs, and wherever a run goes on, the same bytes."""

from __future__ import annotations

import random
import sqlite3
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from firmware import wire
from firmware.wire import FUTURE_MS, STALE_MS
from gateway import kept, permits, replay
from gateway.arrivals import Arrivals
from gateway.clock import parse_instant
from gateway.engine import Engine
from gateway.errors import EnvironmentFault, InputFault
from gateway.findings import as_json
from gateway.permits import Permit
from gateway.rules import program
from tests.gateway.rules.hall import CALENDAR, PERSON, POST_B, POWER_ROOM, SITE

PROGRAM = program(SITE, CALENDAR)
BEGIN = parse_instant("2026-06-28T12:00:00")
DAY = kept.DAY
HOUR = 3_600_000
MINUTE = 60_000

Run = tuple[list[bytes], list[Permit], list[int], int | None]
"""(lines, permits, entries, until)"""


def whole(runs: list[Run]) -> bytes:
    """What one uncut run says of all that these runs bring, up to the last one's end."""
    arrivals = Arrivals()
    for lines, *_ in runs:
        hear(arrivals, lines)
    given_ = {p.id: p for _, many, _, _ in runs for p in many}
    entries = sorted({e for _, _, many, _ in runs for e in many})
    found = replay.findings(PROGRAM, arrivals, permits.spans(given_.values()), entries, runs[-1][3])
    return b"".join(as_json(f) + b"\n" for f in found)


def carried_on(folder: Path, run: Run) -> bytes:
    lines, given_, entries, until = run
    arrivals = Arrivals()
    hear(arrivals, lines)
    with kept.opened(folder) as store:
        found = replay.carry_on(store, SITE, PROGRAM, arrivals, (given_, entries), until)
        return b"".join(as_json(f) + b"\n" for f in found)


def hear(arrivals: Arrivals, lines: list[bytes]) -> None:
    replay.take(lines, SITE, arrivals)


def line(at: int, device: str, payload: str) -> bytes:
    return b'{"at":%d,"topic":"hall/1/fengxian/%s/event","payload":%s}' % (
        at,
        device.encode(),
        payload.encode(),
    )


# --- any cut --------------------------------------------------------------------------------

LOGS = ("00000001", "AAAAAAAA")
FACTS: list[tuple[str, str, dict[str, Any]]] = [
    *(("pm-01", wire.POWER, {"ch": "c1", "w": w}) for w in (0, 400)),
    *(("pm-01", wire.POWER, {"ch": "c2", "w": w}) for w in (0, 6, 900)),
    *(("door-01", wire.CONTACT, {"ch": "c1", "open": x}) for x in (True, False)),
    *(("door-02", wire.LOCK, {"ch": "l1", "locked": x}) for x in (True, False)),
    *(("occ-01", wire.PRESENCE, {"ch": "p1", "present": x}) for x in (True, False)),
    *(("occ-w01", wire.PRESENCE, {"ch": "p1", "present": x}) for x in (True, False)),
    *(
        ("ac-01", wire.AC, {"ch": "a1", "on": x, "mode": "cool", "set": 24, "src": src})
        for x in (True, False)
        for src in ("measured", "assumed")
    ),
    ("reader-01", wire.TAP, {"tag": POWER_ROOM}),
    ("desk-01", wire.TAP, {"tag": PERSON}),
    ("pad-w01", wire.TAP, {"tag": POST_B}),
    ("pad-w01", wire.LOST, {}),
    ("pad-w01", wire.HEALTH, {}),
    ("pm-01", wire.DETECTOR, {"ch": "d1", "what": "smoke", "active": True}),
    ("pm-01", wire.DETECTOR, {"ch": "d1", "what": "smoke", "active": False}),
    ("pm-02", wire.HEALTH, {}),
]
LATE = (40, 40, 40, -FUTURE_MS - 1, -FUTURE_MS, 0, HOUR, 3 * DAY, STALE_MS, STALE_MS + 1, 9 * DAY)


def told(dice: random.Random, n: int, many: int) -> list[tuple[int, bytes]]:
    """The n-th event in its copies, by arrival: timeless, early, late, twice, refused, other."""
    device, kind, fields = dice.choice(FACTS)
    log = dice.choice(LOGS)
    if kind == wire.LOST:
        first = dice.randint(max(1, n - 30), n + 30)
        fields = {"from": first, "to": first + dice.choice([0, 0, 1, 9]), "why": "flash full"}
    t = BEGIN + 11 * DAY * n // many + dice.choice([0, 0, dice.randint(-HOUR, HOUR)])
    if dice.random() < 0.2:  # at a bound of days, where snapshots are
        t = t // DAY * DAY + dice.choice([-1, 0, 1])
    seq = n + 1 if dice.random() < 0.8 else dice.randint(1, many)
    boot = 1 + 3 * n // many
    made = []
    for _ in range(dice.choice([1, 1, 1, 2])):
        known = None if dice.random() < 0.25 else t + dice.choice([0, 0, 0, MINUTE])
        raw = wire.encode(log, seq, boot, t - BEGIN + 2 * HOUR, known, kind, fields)
        if dice.random() < 0.05:
            raw = raw.replace('"kind":', '"kind":1,"was":')  # refused, its number readable
        at = t + dice.choice(LATE)
        if made and dice.random() < 0.2:
            at = made[-1][0]
        made.append((at, line(at, device, raw)))
    return made


def history(dice: random.Random) -> list[Run]:
    """A log of eleven days in some runs, as it grows or in no order at all."""
    many = dice.choice([10, 60, 150])
    heard = [one for n in range(many) for one in told(dice, n, many)]
    if dice.random() < 0.75:
        heard.sort(key=lambda one: one[0])
    else:
        dice.shuffle(heard)
    lines = [text for _, text in heard]
    cuts = sorted(dice.randint(0, len(lines)) for _ in range(dice.randint(1, 5)))
    runs: list[Run] = []
    for first, last in zip([0, *cuts], [*cuts, len(lines)], strict=True):
        begin = BEGIN + dice.randint(0, 11 * DAY)
        one = Permit(
            f"p{dice.randint(1, 3)}",
            dice.choice(["overtime", "appointment", "special", "hot-work"]),
            ("hall-1f",),
            begin,
            begin + dice.randint(1, 40) * HOUR,
        )
        some = dice.random() < 0.3
        runs.append(
            (
                lines[first:last],
                [one] if some else [],
                [BEGIN + dice.randint(-HOUR, 11 * DAY)] if dice.random() < 0.3 else [],
                BEGIN + dice.randint(0, 12 * DAY) if dice.random() < 0.3 else None,
            )
        )
    return runs


@settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
@given(seed=st.integers(0, 2**32))
def test_any_cut_gives_the_bytes_of_one_run(
    seed: int, tmp_path_factory: pytest.TempPathFactory
) -> None:
    runs = history(random.Random(seed))
    folder = tmp_path_factory.mktemp("state")
    for n, run in enumerate(runs):
        assert carried_on(folder, run) == whole(runs[: n + 1]), n
    shuffled = [text for lines, *_ in runs for text in lines]
    random.Random(seed).shuffle(shuffled)
    assert whole([(shuffled, *runs[0][1:]), *(([], *run[1:]) for run in runs[1:])]) == whole(runs)


@pytest.mark.parametrize(
    "others",
    [
        (wire.PRESENCE, {"ch": "p1", "present": True}),
        (wire.PRESENCE, {"ch": "p2", "present": False}),
        (wire.LUX, {"ch": "x1", "lx": 500}),
    ],
)
def test_two_copies_that_came_at_one_instant(
    others: tuple[str, dict[str, Any]], tmp_path: Path
) -> None:
    """Which of them counts does not depend on which was read first."""
    facts = [(wire.PRESENCE, {"ch": "p1", "present": False}), others]
    lit = line(BEGIN, "pm-01", wire.encode(LOGS[0], 1, 1, 0, BEGIN, wire.POWER, FACTS[1][2]))
    copies = [line(BEGIN, "occ-01", wire.encode(LOGS[0], 2, 1, 0, BEGIN, *fact)) for fact in facts]
    end = BEGIN + DAY
    said = set()
    for n, (one, other) in enumerate([copies, copies[::-1]]):
        said.add(whole([([one, other, lit], [], [], end)]))
        said.add(whole([([lit, other, one, one], [], [], end)]))
        for lines in ([one, lit], [other]):
            last = carried_on(tmp_path / str(n), (lines, [], [], end))
        said.add(last)
    assert len(said) == 1


def test_lost_numbers_that_come_after_all(tmp_path: Path) -> None:
    """The record lies before a snapshot, what it calls lost after it."""
    gone = {"from": 2, "to": 3, "why": "flash full"}
    say = [
        line(at, "pad-w01", wire.encode(LOGS[0], seq, 1, 0, at, kind, fields))
        for seq, at, kind, fields in (
            (4, BEGIN, wire.LOST, gone),
            (5, BEGIN + 3 * DAY, wire.HEALTH, {}),
            (2, BEGIN + 3 * DAY + 1, wire.HEALTH, {}),
            (3, BEGIN + 3 * DAY + 2, wire.HEALTH, {}),
        )
    ]
    runs: list[Run] = []
    for part, lost in ((say[:2], True), (say[2:3], True), (say[3:], False)):
        runs.append((part, [], [], None))
        said = carried_on(tmp_path, runs[-1])
        assert (b"device.lost" in said) == lost
        assert said == whole(runs)


# --- bounded work, and what may go wrong ------------------------------------------------------


def quiet_day(day: int) -> list[bytes]:
    """A meter each quarter of an hour; lights on in the evenings."""
    made = []
    for n in range(96):
        t = BEGIN + day * DAY + n * 15 * MINUTE
        fields = {"ch": "c1", "w": 400 if n < 48 else 0}
        seq = day * 96 + n + 1
        made.append(
            line(t + 40, "pm-01", wire.encode(LOGS[0], seq, 1, t - BEGIN, t, wire.POWER, fields))
        )
    return made


class Counted(Engine):
    """Counts the records that it is given."""

    ran = 0

    def run(self, records: Any) -> None:
        records = list(records)
        type(self).ran += len(records)
        super().run(records)


def test_a_later_run_judges_only_what_its_events_can_change(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(replay, "Engine", Counted)
    runs: list[Run] = [([t for day in range(60) for t in quiet_day(day)], [], [], None)]
    carried_on(tmp_path, runs[0])
    assert Counted.ran == 60 * 96
    for day, at_most in ((60, 2 * 96), (61, 2 * 96), (30, 0), (55, 0)):
        Counted.ran = 0
        runs.append((quiet_day(day), [], [], None))  # the last two say nothing new
        said = carried_on(tmp_path, runs[-1])
        assert Counted.ran <= at_most + 96, day
        assert said == whole(runs)
    Counted.ran = 0
    late = BEGIN + 55 * DAY + 7 * MINUTE
    text = wire.encode(LOGS[0], 9999, 1, 0, late, wire.POWER, {"ch": "c1", "w": 0})
    runs.append(([line(late + STALE_MS, "pm-01", text)], [], [], None))
    said = carried_on(tmp_path, runs[-1])
    assert Counted.ran <= 8 * 96
    assert said == whole(runs)
    db = sqlite3.connect(tmp_path / kept.FILE)
    assert db.execute("SELECT count(*) FROM snapshot").fetchone()[0] < 20
    db.close()


def test_another_site_judges_everything_again(tmp_path: Path) -> None:
    runs: list[Run] = [(quiet_day(0), [], [], None), (quiet_day(1), [], [], None)]
    assert b"lights.after-close" in carried_on(tmp_path, runs[0])
    hall = replay.with_settings(SITE, ["lights.after-close.enabled=false"])
    arrivals = Arrivals()
    hear(arrivals, runs[1][0])
    with kept.opened(tmp_path) as store:
        made = program(hall, CALENDAR)
        rules = {f.rule for f in replay.carry_on(store, hall, made, arrivals, ([], []), None)}
    assert rules == {"device.silent", "patrol.missed"}


def test_one_run_at_a_time(tmp_path: Path) -> None:
    with (
        kept.opened(tmp_path),
        pytest.raises(EnvironmentFault, match="another run"),
        kept.opened(tmp_path),
    ):
        pass


def test_a_run_that_fails_leaves_the_directory_as_it_was(tmp_path: Path) -> None:
    first: Run = (quiet_day(0), [], [], None)
    said = carried_on(tmp_path, first)
    arrivals = Arrivals()
    hear(arrivals, quiet_day(1))
    with kept.opened(tmp_path) as store:
        store.take(arrivals)  # and ends without a commit
    assert carried_on(tmp_path, ([], [], [], None)) == said


@pytest.mark.parametrize("how", ["text", "version", "older"])
def test_a_directory_that_cannot_be_read_says_so(how: str, tmp_path: Path) -> None:
    if how == "text":
        (tmp_path / kept.FILE).write_bytes(b"no database" * 999)
    elif how == "version":
        db = sqlite3.connect(tmp_path / kept.FILE)
        db.execute("PRAGMA user_version=99")
        db.close()
    else:
        (tmp_path / "run-000001.bin").write_bytes(b"")
    with pytest.raises(InputFault, match="start a new --state"), kept.opened(tmp_path):
        pass
