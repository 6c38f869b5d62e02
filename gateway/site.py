"""site.toml as frozen values. `load` reports all faults of a file at once."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import Any


@dataclass(frozen=True, slots=True)
class Span:
    """A stretch of the local day in minutes since midnight, [begin, end); end <= begin wraps."""

    begin: int
    end: int


@dataclass(frozen=True, slots=True)
class Source:
    """A device's channel, written `device/ch` in the file."""

    device: str
    ch: str

    def __str__(self) -> str:
        return f"{self.device}/{self.ch}"


@dataclass(frozen=True, slots=True)
class Hours:
    """Opening hours of a workday; `arrive` in minutes since midnight, `clear_after_close` in ms."""

    open: tuple[Span, ...]
    arrive: int
    clear_after_close: int


@dataclass(frozen=True, slots=True)
class Season:
    """Inclusive (month, day) bounds; a season may run across New Year."""

    cooling: tuple[tuple[int, int], tuple[int, int]]
    heating: tuple[tuple[int, int], tuple[int, int]]


@dataclass(frozen=True, slots=True)
class Zone:
    id: str
    name: str


@dataclass(frozen=True, slots=True)
class Counter:
    id: str
    name: str
    zone: str
    department: str
    pad: str | None
    presence: Source | None
    post_a: str | None  # lower-case hex
    post_b: str | None


@dataclass(frozen=True, slots=True)
class Opening:
    id: str
    name: str
    zone: str
    kind: str  # entrance | exit | fire-door | door | window
    contact: Source | None
    lock: Source | None


@dataclass(frozen=True, slots=True)
class Circuit:
    id: str
    name: str
    zone: str
    use: str  # lighting | counter | ac | protected
    meter: Source | None
    relay: Source | None
    on_above_w: float
    rated_w: float | None


@dataclass(frozen=True, slots=True)
class AirConditioner:
    id: str
    name: str
    zone: str
    source: Source
    control: Source | None


@dataclass(frozen=True, slots=True)
class Sensor:
    zone: str
    kind: str  # presence | lux | climate | detector
    source: Source
    circuit: str | None


@dataclass(frozen=True, slots=True)
class Checkpoint:
    id: str
    name: str
    tag: str  # lower-case hex


@dataclass(frozen=True, slots=True)
class Route:
    id: str
    name: str
    checkpoints: tuple[str, ...]
    due: tuple[Span, ...]
    days: str  # all | workdays
    ordered: bool
    min_gap: int  # ms


@dataclass(frozen=True, slots=True)
class Person:
    card: str  # lower-case hex
    name: str
    role: str


@dataclass(frozen=True, slots=True)
class Device:
    id: str
    kind: str
    power: str  # mains | battery
    silent_after: int  # ms; 10 min on mains, 25 h on battery unless the file says otherwise
    stale_after: int  # ms, of a channel's last reading; the same unless the file says otherwise


@dataclass(frozen=True, slots=True)
class Channel:
    """One rung of a notification ladder's recipients: an apprise URL, or `env:NAME` of one."""

    to: str
    url: str
    who: str | None = None  # whose it is, for the rota
    backup: bool = False  # used only where the role's other addresses fail


@dataclass(frozen=True, slots=True)
class OnCall:
    """When somebody of a role is on call: on these weekdays (0 Monday), within this span."""

    role: str
    who: str
    days: frozenset[int]
    span: Span


@dataclass(frozen=True, slots=True)
class Noise:
    """How alerts are told: durations in ms, `quiet` and `test_at` in local time or None."""

    remind_critical: int = 30 * 60_000
    remind_warning: int = 4 * 3_600_000
    min_on: int = 0
    min_off: int = 0
    flap_set: int = 4
    flap_clear: int = 1
    flap_within: int = 15 * 60_000
    group_at: int = 5
    group_within: int = 60_000
    storm_at: int = 30
    storm_within: int = 10 * 60_000
    quiet: Span | None = None
    recoveries: bool = False
    test_at: int | None = 510
    respect: int = 2 * 3_600_000


@dataclass(frozen=True, slots=True)
class Influx:
    """Where a second copy of every point goes; `token` may be `env:NAME`."""

    url: str
    token: str
    org: str
    bucket: str


@dataclass(frozen=True, slots=True)
class CareOf:
    """How the gateway looks after its data. `disk_floor_mb` None: 5 % of the disk, at most 256;
    `backup`: a folder, from the data directory if relative, or "off"; `keep_readings_days` None:
    for ever."""

    disk_floor_mb: int | None = None
    backup: str = "backups"
    backups_kept: int = 3
    keep_readings_days: int | None = None


@dataclass(frozen=True, slots=True)
class AttendanceOf:
    """Attendance: who signs in after `morning` or `afternoon` is late: up to `late` ms 迟到, past
    `absent` 旷工, between them 未定级. So many times late in a month are half a day of 旷工. A
    punch that says neither in nor out is the morning's before `split`."""

    morning: int = 8 * 60 + 55
    afternoon: int = 13 * 60
    split: int = 12 * 60 + 30
    late: int = 10 * 60_000
    absent: int = 30 * 60_000
    half_day_at: int = 5


@dataclass(frozen=True, slots=True)
class DutiesOf:
    """When duties fall due where the rulebook leaves it open: a drill every 6 or 12 months; the
    days (month, day) of the extinguisher census."""

    drill_months: int = 12
    census: tuple[tuple[int, int], ...] = ((6, 30), (11, 30))


@dataclass(frozen=True, slots=True)
class Site:
    """A hall. Durations in ms, times of day in minutes, tags lower-case."""

    id: str
    name: str
    timezone: str
    hours: Hours
    extra_off: tuple[date, ...]
    extra_work: tuple[date, ...]
    rearm: int
    settle: int
    season: Season
    rules: dict[str, dict[str, Any]]  # rule id -> settings as given, durations still text
    zones: tuple[Zone, ...]
    counters: tuple[Counter, ...] = ()
    openings: tuple[Opening, ...] = ()
    circuits: tuple[Circuit, ...] = ()
    acs: tuple[AirConditioner, ...] = ()
    sensors: tuple[Sensor, ...] = ()
    checkpoints: tuple[Checkpoint, ...] = ()
    routes: tuple[Route, ...] = ()
    people: tuple[Person, ...] = ()
    devices: tuple[Device, ...] = ()
    notify: tuple[Channel, ...] = ()
    escalation: dict[str, tuple[tuple[int, str], ...]] = field(default_factory=dict)
    rota: tuple[OnCall, ...] = ()
    noise: Noise = Noise()
    tariff: float | None = None  # yuan per kWh
    main_meter: Source | None = None  # counts the whole hall
    influx: Influx | None = None
    care: CareOf = CareOf()
    attendance: AttendanceOf = AttendanceOf()
    duties: DutiesOf = DutiesOf()


def load(path: Path) -> Site:
    """Read a site file.

    Raises InputFault with one line a fault: file and line, key, value, what is allowed.
    """
    from gateway import _sitefile

    return _sitefile.load(path)
