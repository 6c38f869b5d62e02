"""Attendance (考勤) from the existing machine's file: lateness by class, and a month's summary.

考勤 第三条: in by 8:55 and 13:00; up to 10 minutes late is 迟到, more than 30 is 旷工, leaving
early is 旷工, five times late in a month are half a day of 旷工. 10 to 30 minutes have no class in
the rulebook: 未定级, shown as such. A missing punch is shown and not judged. A hall may set its own
times ("如有调整，以通知为准"); who leaves before the opening hours end is early. No biometrics.
"""

from __future__ import annotations

import hashlib
import re
import sqlite3
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

from gateway import audit, store
from gateway.errors import InputFault
from gateway.hallof import hall_of
from gateway.site import AttendanceOf, Span
from gateway.tables import Fault, decoded, lines, refuse
from gateway.workdays import Calendar

MAX_ROWS = 500_000
TWICE = 5  # proposed: minutes within which a second punch is the first one again
COLUMNS = {
    "person": ("工号", "人员编号", "考勤号码", "person", "id"),
    "name": ("姓名", "name"),
    "day": ("日期", "date"),
    "time": ("时间", "打卡时间", "日期时间", "time", "datetime"),
    "kind": ("类型", "签到签退", "kind", "type"),
}
_IN, _OUT = ("签到", "上班", "in"), ("签退", "下班", "out")
_DATE = re.compile(r"(\d{4})[-/.年](\d{1,2})[-/.月](\d{1,2})日?")


@dataclass(frozen=True, slots=True)
class Punch:
    """One punch; `time` in the hall's own time; `kind` in, out or "" where the file is silent."""

    person: str
    name: str
    time: datetime
    kind: str = ""


@dataclass(frozen=True, slots=True)
class Half:
    """Half a workday, in minutes of the day: signed in by `by`, not left before `ends`."""

    name: str
    by: int
    ends: int


@dataclass(frozen=True, slots=True)
class Rules:
    """What a hall judges attendance by."""

    limits: AttendanceOf
    halves: tuple[Half, ...]


def rules(limits: AttendanceOf, hours: Sequence[Span]) -> Rules:
    """A hall's rules; the halves end with its opening hours, a half without any is not judged.

    Where the hall stays open over `split`, the morning ends there.
    """
    early = [min(span.end, limits.split) for span in hours if span.begin < limits.split]
    late = [span.end for span in hours if span.end > limits.split]
    halves = []
    if early:
        halves.append(Half("morning", limits.morning, max(early)))
    if late:
        halves.append(Half("afternoon", limits.afternoon, max(late)))
    return Rules(limits, tuple(halves))


@dataclass(frozen=True, slots=True)
class Session:
    """Half a day: `came` is on-time, late, undefined (未定级), absent or missing; `left` is
    on-time, early or missing; `minutes` late, 0 when in time or not known."""

    name: str
    came: str
    left: str
    minutes: int


@dataclass
class Month:
    """A person's month."""

    person: str
    name: str
    days: int = 0
    counts: dict[str, int] = field(default_factory=dict)
    undefined: list[tuple[date, str, int]] = field(default_factory=list)
    half_days: int = 0  # of 旷工, that being late so often makes


def lateness(minutes: int, limits: AttendanceOf) -> str:
    """The class of so many whole minutes after the limit."""
    if minutes <= 0:
        return "on-time"
    if minutes * 60_000 <= limits.late:
        return "late"
    return "undefined" if minutes * 60_000 <= limits.absent else "absent"


def sessions(punches: Sequence[Punch], by: Rules) -> list[Session]:
    """The halves of one person's day."""
    out = []
    for half in by.halves:
        came, left = _bounds([p for p in punches if _half(p, by) is half], half.ends)
        late = 0 if came is None else max(0, came - half.by)
        out.append(
            Session(
                half.name,
                "missing" if came is None else lateness(late, by.limits),
                "missing" if left is None else ("early" if left < half.ends else "on-time"),
                late,
            )
        )
    return out


def _half(punch: Punch, by: Rules) -> Half:
    """The half that a punch belongs to. Who signs in after the morning's end comes for the
    afternoon, who signs out before the afternoon's limit leaves the morning; where the file says
    neither, `split` tells."""
    first, last = by.halves[0], by.halves[-1]
    turn = {"in": first.ends, "out": last.by}.get(punch.kind, by.limits.split)
    return first if _minute(punch) < turn else last


def _bounds(punches: Sequence[Punch], ends: int) -> tuple[int | None, int | None]:
    """When somebody came and left, in minutes of the day. Without a kind the first punch before
    the end is coming, the last one more than `TWICE` later is leaving."""
    plain = [_minute(p) for p in punches if not p.kind]
    came = min((_minute(p) for p in punches if p.kind == "in"), default=None)
    left = max((_minute(p) for p in punches if p.kind == "out"), default=None)
    if came is None:
        came = min((at for at in plain if at < ends), default=None)
    if left is None:
        left = max((at for at in plain if came is None or at > came + TWICE), default=None)
    return came, left


def _minute(punch: Punch) -> int:
    return punch.time.hour * 60 + punch.time.minute


def summary(punches: Iterable[Punch], calendar: Calendar, by: Rules) -> list[Month]:
    """One month's punches by person; only workdays are judged."""
    days: dict[tuple[str, date], list[Punch]] = {}
    names: dict[str, str] = {}
    for punch in sorted(punches, key=lambda p: (p.person, p.time)):
        names[punch.person] = punch.name
        if calendar.is_workday(punch.time.date()):
            days.setdefault((punch.person, punch.time.date()), []).append(punch)
    months = {person: Month(person, name) for person, name in names.items()}
    for (person, day), mine in days.items():
        month = months[person]
        month.days += 1
        for session in sessions(mine, by):
            for word in (session.came, session.left):
                month.counts[word] = month.counts.get(word, 0) + 1
            if session.came == "undefined":
                month.undefined.append((day, session.name, session.minutes))
    for month in months.values():
        month.half_days = month.counts.get("late", 0) // by.limits.half_day_at
    return list(months.values())


def parse(text: str, source: str) -> list[Punch]:
    """The punches of a machine's CSV. InputFault names every line that cannot be read."""
    found, faults = read(text)
    refuse(faults, source)
    return found


def read(text: str) -> tuple[list[Punch], list[Fault]]:
    """The punches of a machine's CSV, and every line that cannot be read."""
    found: list[Punch] = []
    faults: list[Fault] = []
    for line in lines(text, COLUMNS, ("person", "time"), MAX_ROWS):
        one = line if isinstance(line, Fault) else _punch(*line)
        if isinstance(one, Fault):
            faults.append(one)
        else:
            found.append(one)
    return found, faults


def _punch(number: int, cells: Mapping[str, str]) -> Punch | Fault:
    person, said = cells["person"], cells["kind"].lower()
    if not person or len(person) > 64:
        return Fault(number, "person", person[:64])
    kind = "in" if said.startswith(_IN) else "out" if said.startswith(_OUT) else ""
    text = f"{cells['day']} {cells['time']}".strip()
    dated = _DATE.search(text)
    if dated is None:
        return Fault(number, "day", text[:64])
    rest = text[dated.end() :].strip(" T")
    year, month, day = (int(part) for part in dated.groups())
    if not 1971 <= year <= 9990:
        return Fault(number, "year", text[:64])
    try:
        clock = datetime.strptime(rest, "%H:%M:%S" if rest.count(":") == 2 else "%H:%M")
        time = clock.replace(year=year, month=month, day=day)
    except ValueError:
        return Fault(number, "time", text[:64])
    return Punch(person, cells["name"][:64] or person, time, kind)


def import_file(file: Path, data: Path, who: str, now: int) -> None:
    """`hallkeeper attendance import`: works beside a running gateway, in one short transaction.

    A file imported before changes nothing; nor does a punch that is there already. Raises
    InputFault, EnvironmentFault.
    """
    try:
        raw = file.read_bytes()
    except OSError as fault:
        raise InputFault(f"{file}: cannot be read ({fault.strerror})") from fault
    punches = parse(decoded(raw, file.name), file.name)
    tz = hall_of(data).timezone
    db = store.open_writer(data)
    try:
        db.execute("BEGIN IMMEDIATE")
        added = keep(db, punches, hashlib.sha256(raw).hexdigest(), file.name, who, now, tz)
        db.execute("COMMIT")
    finally:
        db.close()
    if added is None:
        print(f"{file}: was imported before; nothing changes")
    else:
        print(f"{file}: {len(punches)} punches, {added} of them new")


def keep(
    db: sqlite3.Connection,
    punches: Sequence[Punch],
    sha256: str,
    file: str,
    who: str,
    now: int,
    tz: str,
) -> int | None:
    """Store punches, in the caller's transaction; how many were new, None where the file was
    imported before."""
    if imported(db, sha256):
        return None
    made = db.execute(
        "INSERT INTO attendance_import (sha256, file, at, who, punches) VALUES (?, ?, ?, ?, ?)",
        (sha256, file, now, who, len(punches)),
    )
    before = db.total_changes
    db.executemany(
        "INSERT INTO attendance_punch (person, t, name, kind, import) VALUES (?, ?, ?, ?, ?)"
        " ON CONFLICT (person, t) DO NOTHING",
        [(p.person, instant(p, tz), p.name, p.kind, made.lastrowid) for p in punches],
    )
    added = db.total_changes - before
    about = {"file": file, "sha256": sha256, "punches": len(punches), "new": added}
    audit.append(db, now, who, "attendance.import", about)
    return added


def imported(db: sqlite3.Connection, sha256: str) -> bool:
    """Whether this very file was imported before."""
    found = db.execute("SELECT 1 FROM attendance_import WHERE sha256 = ?", (sha256,)).fetchone()
    return found is not None


def instant(punch: Punch, tz: str) -> int:
    """A punch's time in Unix ms."""
    return round(punch.time.replace(tzinfo=ZoneInfo(tz)).timestamp() * 1000)


def stored(db: sqlite3.Connection, begin: int, end: int, tz: str) -> list[Punch]:
    """The punches of [begin, end), Unix ms."""
    zone = ZoneInfo(tz)
    rows = db.execute(
        "SELECT person, name, t, kind FROM attendance_punch WHERE t >= ? AND t < ?", (begin, end)
    )
    return [
        Punch(person, name, datetime.fromtimestamp(t / 1000, zone).replace(tzinfo=None), kind)
        for person, name, t, kind in rows
    ]
