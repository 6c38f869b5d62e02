"""`hallkeeper replay`: the same engine over a log, in the log's own time, without network."""

from __future__ import annotations

import os
import sys
import tomllib
from bisect import bisect_right
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from operator import itemgetter
from pathlib import Path
from typing import Any, BinaryIO

import msgspec
from rich.console import Console
from rich.progress import Progress

from firmware.wire import MAX_BYTES
from gateway import kept, permits, rules, site, workdays
from gateway.arrivals import Arrivals
from gateway.clock import iso, parse_instant
from gateway.engine import Engine, Record
from gateway.errors import InputFault
from gateway.events import Refused, decode, decode_one, split_topic
from gateway.findings import Finding, as_dict, as_json, order
from gateway.intervals import Intervals
from gateway.kept import Kept
from gateway.rules.catalogue import check_settings
from gateway.site import Site
from gateway.spill import Sorter
from gateway.timeline import Placed, place
from gateway.watches import Program

_time_of = itemgetter(0)
_SORT_LIMIT = 200_000  # records held in memory while sorting
_FOUND_LIMIT = 2_000  # findings, with their evidence a kilobyte each


class _Line(msgspec.Struct):
    at: int
    topic: str
    payload: msgspec.Raw


_decode_line = msgspec.json.Decoder(_Line).decode


def run(
    config: Path,
    files: list[Path],
    permit_file: Path | None,
    until: str | None,
    state: Path | None,
    settings: list[str],
    explain: str | None,
) -> None:
    """The command. Findings go to stdout as JSON lines, in the contract's order."""
    hall = with_settings(site.load(config), settings)
    program = rules.program(hall, workdays.load(hall, None))
    for rule, fault in program.faults:
        print(f"hallkeeper: rule {rule} is out of order: {fault}", file=sys.stderr)
    arrivals = Arrivals()
    with _progress(files) as bar:
        for file in files:
            read(file, hall, arrivals, bar)
    given = permits.read(permit_file, hall.timezone) if permit_file else ([], [])
    limit = parse_instant(until, hall.timezone) if until else None
    if state is None:
        found = findings(program, arrivals, permits.spans(given[0]), given[1], limit)
        _write(found, explain, hall.timezone)
        return
    with kept.opened(state) as store:
        _write(carry_on(store, hall, program, arrivals, given, limit), explain, hall.timezone)


def findings(
    program: Program,
    arrivals: Arrivals,
    spans: permits.Spans,
    entries: Iterable[int],
    until: int | None,
) -> Iterator[Finding]:
    """Every finding of what arrived, in the order of the output."""
    records = Sorter(_SORT_LIMIT)
    beginning: int | None = None
    latest: int | None = None
    keys = _keys(program, arrivals)
    for log in arrivals.logs():
        missing = _Missing(arrivals, log)
        for placed in place(log[1], arrivals.copies(log), arrivals.names):
            batch = _records(placed, keys, missing)
            if not batch:
                continue
            low, high = min(batch)[0], max(batch)[0]
            beginning = low if beginning is None else min(beginning, low)
            latest = high if latest is None else max(latest, high)
            records.extend(batch)
    if beginning is None or latest is None:
        return
    end = latest if until is None else until
    entry = program.graph.entry_input
    entries = list(entries)
    records.extend((t, 0, 0, "", entry, None) for t in entries if beginning <= t <= end)
    engine = Engine(program, beginning)
    engine.start(spans, max((t for t in entries if t < beginning), default=None))
    out = Sorter(_FOUND_LIMIT)
    for block in records.sorted():
        engine.run(_until(block, end))
        if len(engine.out) > 500:
            out.extend(_keyed(engine.out))
            engine.out = []
    if end >= beginning:
        engine.advance(end)
    out.extend(_keyed(engine.finish()))
    for block in out.sorted():
        for row in block:
            yield msgspec.msgpack.decode(row[3], type=Finding)
    records.close()
    out.close()


def carry_on(
    store: Kept,
    hall: Site,
    program: Program,
    arrivals: Arrivals,
    given: kept.Given,
    until: int | None,
) -> Iterator[Finding]:
    """Every finding of this run's input and that of the runs before it, as one run's would be."""
    store.take(arrivals)
    every, entries = store.give(*given)
    bounds = store.bounds(program.graph.devices)
    if bounds is None:
        store.commit()
        return
    beginning, latest = bounds
    end = latest if until is None else until
    spans = permits.spans(every)
    engine = Engine(program, beginning)
    engine.start(spans, max((t for t in entries if t < beginning), default=None))
    mark = f"{program.mark(hall)} {program.calendar}"
    at = store.resume(engine, mark, end)
    if at is None:
        at = beginning - 1
    else:
        engine.set_spans(spans)
    entry = program.graph.entry_input
    entered: list[Record] = [(t, 0, 0, "", entry, None) for t in entries if at < t <= end]
    _judge(store, engine, _with_entries(store.records(program.graph, at, end), entered))
    if end >= beginning:
        engine.advance(end)
    store.found(engine.finish(), kept.NEVER)
    store.commit()
    yield from store.findings()


def _judge(store: Kept, engine: Engine, blocks: Iterable[list[Record]]) -> None:
    """Run all records, and put down a snapshot between one day (UTC) and the next."""
    dusk = _dusk(engine.t + 1)
    for records in blocks:
        first = 0
        while first < len(records):
            if records[first][0] > dusk:
                dawn = _dusk(records[first][0]) - kept.DAY
                engine.advance(dawn)
                store.found(engine.out, dusk)
                engine.out = []
                store.snapshot(engine)
                dusk = dawn + kept.DAY
            last = bisect_right(records, dusk, first, key=_time_of)
            engine.run(records[first:last])
            first = last
        if len(engine.out) > 1000:
            store.found(engine.out, dusk)
            engine.out = []


def _with_entries(blocks: Iterable[list[Record]], entries: list[Record]) -> Iterator[list[Record]]:
    """The blocks, and the entries among them in the order of time."""
    at = 0
    for block in blocks:
        upto = bisect_right(entries, block[-1][0], at, key=_time_of) if block else at
        yield sorted((*entries[at:upto], *block)) if upto > at else block
        at = upto
    yield entries[at:]


def _dusk(t: int) -> int:
    """The last instant of t's day."""
    return (t // kept.DAY + 1) * kept.DAY - 1


def _keyed(found: Iterable[Finding]) -> Iterator[tuple[Any, ...]]:
    for finding in found:
        yield (*order(finding), msgspec.msgpack.encode(finding))


def _until(block: list[Record], end: int) -> list[Record]:
    return block if not block or block[-1][0] <= end else [r for r in block if r[0] <= end]


def _keys(program: Program, arrivals: Arrivals) -> list[int]:
    """The engine's input for each of the arrivals' names."""
    graph = program.graph
    return [
        graph.input_key(device, kind, ch) if device in graph.devices else -1
        for device, kind, ch in arrivals.names
    ]


def _records(placed: list[Placed], keys: list[int], missing: _Missing) -> list[Record]:
    made: list[Record] = []
    for t, boot, seq, log, name, value in placed:
        key = keys[name]
        if key >= 0:
            fact = missing.judged(name, value) if type(value) is tuple else value
            made.append((t, boot, seq, log, key, fact))
    return made


class _Missing:
    """Whether a `lost` record of one log names numbers that never came; () reads as unknown."""

    def __init__(self, arrivals: Arrivals, log: tuple[str, str]) -> None:
        self._arrivals, self._log = arrivals, log
        self._had: Intervals | None = None

    def judged(self, name: int, value: tuple[Any, ...]) -> tuple[Any, ...] | None:
        if self._arrivals.names[name][1] != "lost":
            return value or None
        first, last, _ = value
        if self._had is None:
            self._had = self._arrivals.received(self._log)
        return value if self._had.missing(max(first, 1), last) else None


def read(file: Path, hall: Site, arrivals: Arrivals, bar: Any = None) -> None:
    """Take in one log."""
    try:
        with file.open("rb") as source:
            take(_watched(file, source, bar) if bar else source, hall, arrivals)
    except OSError as fault:
        raise InputFault(f"{file}: cannot be read ({fault.strerror})") from fault


def _watched(file: Path, source: BinaryIO, bar: Callable[[Path, int], None]) -> Iterator[bytes]:
    for number, text in enumerate(source):
        if not number & 0x1FFF:
            bar(file, source.tell())
        yield text


def take(lines: Iterable[bytes], hall: Site, arrivals: Arrivals) -> None:
    """Take in a log's lines. One that is no such object is refused like a bad message."""
    devices = frozenset(d.id for d in hall.devices)
    topics: dict[str, str | None] = {}
    add, refuse = arrivals.add, arrivals.refuse
    for text in lines:
        try:
            line = _decode_line(text)
        except (msgspec.DecodeError, RecursionError):
            if text.strip():
                refuse(None, Refused("not a line of a log"))
            continue
        topic = line.topic
        device = topics.get(topic, "")
        if device == "":
            split = split_topic(topic, hall.id, devices)
            device = None if isinstance(split, Refused) or split[1] != "event" else split[0]
            topics[topic] = device
        if device is None:
            refuse(None, Refused("topic"))
            continue
        payload = bytes(line.payload)
        if payload[:1] == b"{" and len(payload) <= MAX_BYTES and payload.isascii():
            item = decode_one(payload)  # as decode would, sooner
            if isinstance(item, Refused):
                refuse(device, item)
            else:
                add(device, line.at, item)
            continue
        for _, item in decode(payload):
            if isinstance(item, Refused):
                refuse(device, item)
            else:
                add(device, line.at, item)


def with_settings(hall: Site, settings: list[str]) -> Site:
    """`--set 'rule.key=value'`: the site with other settings. Raises InputFault."""
    changed = {rule: dict(table) for rule, table in hall.rules.items()}
    for text in settings:
        name, equals, value = text.partition("=")
        rule, _, key = name.strip().rpartition(".")
        if not equals or not rule:
            raise InputFault(f"--set {text}: write it as 'rule.key=value'")
        changed.setdefault(rule, {})[key] = _value(value.strip())
        faults = check_settings(rule, {key: changed[rule][key]})
        if faults:
            raise InputFault(f"--set {text}: {faults[0]}")
    return replace(hall, rules=changed)


def _value(text: str) -> Any:
    try:
        return tomllib.loads(f"v = {text}")["v"]
    except tomllib.TOMLDecodeError:
        return text


def _write(found: Iterable[Finding], explain: str | None, tz: str) -> None:
    write = sys.stdout.buffer.write
    explained = False
    try:
        for finding in found:
            if explain is None:
                write(as_json(finding, tz) + b"\n")
            elif explain in (
                f"{finding.rule} {finding.subject}",
                f"{finding.rule} {finding.subject} {iso(finding.start, tz)}",
            ):
                write(_explained(finding, tz).encode() + b"\n")
                explained = True
        sys.stdout.flush()
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return
    if explain is not None and not explained:
        raise InputFault(
            f"--explain {explain!r}: no such finding in this log; want 'rule subject' or"
            " 'rule subject start' as they stand in the output without --explain"
        )


def _explained(finding: Finding, tz: str) -> str:
    """A finding as a person reads it, Chinese first."""
    rule = rules.by_id.get(finding.rule)
    row = as_dict(finding, tz)
    lines = [
        f"{finding.rule} · {finding.subject} · {row['start']} – {row['end'] or '…'}",
        *([f"  公式 formula: {rule.formula}"] if rule else []),
        f"  自 since: {row['since']}",
    ]
    lines += [f"  条款 article: {a.code} “{a.words}”" for a in (rule.cites if rule else ())]
    for part in finding.evidence.get("parts", ()):
        lines.append(f"  ✓ {part['zh']} / {part['en']} ({part['since']})")
    if "missed" in finding.evidence:
        lines.append(f"  ✗ 漏巡 missed: {', '.join(finding.evidence['missed'])}")
    return "\n".join(lines)


@contextmanager
def _progress(files: list[Path]) -> Iterator[Callable[[Path, int], None] | None]:
    """A bar on a terminal, nothing elsewhere."""
    if not sys.stderr.isatty():
        yield None
        return
    sizes = {file: file.stat().st_size if file.exists() else 0 for file in files}
    with Progress(console=Console(stderr=True), transient=True) as progress:
        tasks = {file: progress.add_task(file.name, total=size) for file, size in sizes.items()}
        yield lambda file, at: progress.update(tasks[file], completed=at)
