"""The site file's shape: one pydantic model a table; keys, types, defaults and allowed values.

Nothing here knows about other tables: what refers to what is judged in `_sitefile`.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from typing import Annotated, Any, Literal
from zoneinfo import ZoneInfo

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field

from firmware import wire
from gateway import units
from gateway.site import Source, Span

Role = Literal["viewer", "counter", "duty", "facilities", "manager", "auditor", "admin"]
ROLES: tuple[str, ...] = ("viewer", "counter", "duty", "facilities", "manager", "auditor", "admin")
TARGETS = ("siren", "audience", "digest", *ROLES)
WEEKDAYS: tuple[str, ...] = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
DEFAULT_LADDERS: dict[str, list[tuple[int, str]]] = {
    "critical": [
        (0, "siren"),
        (0, "audience"),
        (3 * units.MINUTE, "audience"),
        (10 * units.MINUTE, "manager"),
    ],
    "warning": [(0, "audience"), (15 * units.MINUTE, "manager")],
    "notice": [(0, "digest")],
}


def _timezone(text: object) -> str:
    try:
        return ZoneInfo(str(text)).key
    except (OSError, ValueError, KeyError):  # ZoneInfoNotFoundError is a KeyError
        raise ValueError('must be a time zone such as "Asia/Shanghai"') from None


def _source(text: object) -> Source:
    device, slash, ch = text.partition("/") if isinstance(text, str) else ("", "", "")
    if not slash:
        raise ValueError('must be "device/channel", such as "pm-01/c1"')
    try:
        return Source(units.identifier(device), units.identifier(ch))
    except ValueError:
        raise ValueError(
            f'must be "device/channel", such as "pm-01/c1", each {units.ID_ALLOWED}'
        ) from None


def _span(text: object) -> Span:
    return Span(*units.span(text))


def _forward_span(text: object) -> Span:
    found = _span(text)
    if found.end <= found.begin:
        raise ValueError("must end after it begins: opening hours do not run past midnight")
    return found


def _date(value: object) -> date:
    if type(value) is date:
        return value
    try:
        return date.fromisoformat(value if isinstance(value, str) else "")
    except ValueError:
        raise ValueError('must be a date "YYYY-MM-DD"') from None


def _month_day(text: object) -> tuple[int, int]:
    # a leap year, so that 02-29 is a day
    try:
        found = date.fromisoformat(f"2024-{text}")
    except ValueError:
        raise ValueError('must be a day "MM-DD"') from None
    return found.month, found.day


def _rung(value: object) -> tuple[int, str]:
    allowed = f'must be ["duration", who], who being {", ".join(TARGETS)}'
    if not isinstance(value, list) or len(value) != 2 or value[1] not in TARGETS:
        raise ValueError(allowed)
    try:
        return units.duration(value[0]), str(value[1])
    except ValueError:
        raise ValueError(allowed) from None


def _device_id(text: object) -> str:
    found = units.identifier(text)
    if found == "gateway":
        raise ValueError('must not be "gateway": that name is taken')
    return found


def _url(text: object) -> str:
    if not isinstance(text, str) or not text.startswith(("http://", "https://")):
        raise ValueError("must be an http:// or https:// address")
    return text.rstrip("/")


def _notify_url(text: object) -> str:
    named = isinstance(text, str) and text.startswith("env:") and len(text) > 4
    if not named and not (isinstance(text, str) and "://" in text):
        raise ValueError('must be an apprise address such as "wecombot://KEY", or "env:NAME"')
    return str(text)


def _positive(text: str) -> Callable[[object], int]:
    def read(value: object) -> int:
        ms = units.duration(value)
        if ms == 0:
            raise ValueError(f"must be {units.DURATION_ALLOWED}, and {text}")
        return ms

    return read


Id = Annotated[str, BeforeValidator(units.identifier)]
DeviceId = Annotated[str, BeforeValidator(_device_id)]
Name = Annotated[str, Field(min_length=1, max_length=80)]
Ms = Annotated[int, BeforeValidator(units.duration)]
Silence = Annotated[int, BeforeValidator(_positive("longer than 0s"))]
Minute = Annotated[int, BeforeValidator(units.minute_of_day)]
Hex = Annotated[str, BeforeValidator(units.hex_tag)]
Channel = Annotated[Source, BeforeValidator(_source)]
Spans = Annotated[list[Annotated[Span, BeforeValidator(_span)]], Field(min_length=1)]
Date = Annotated[date, BeforeValidator(_date)]
MonthDay = Annotated[tuple[int, int], BeforeValidator(_month_day)]
Season = Annotated[list[MonthDay], Field(min_length=2, max_length=2)]
Watts = Annotated[float, Field(ge=0, le=1e7)]
Ladder = Annotated[list[Annotated[tuple[int, str], BeforeValidator(_rung)]], Field(min_length=1)]


class Table(BaseModel):
    model_config = ConfigDict(
        extra="forbid",
        strict=True,
        arbitrary_types_allowed=True,
        allow_inf_nan=False,
    )


class SiteTable(Table):
    id: Id
    name: Name | None = None
    timezone: Annotated[str, BeforeValidator(_timezone)] = "Asia/Shanghai"


class HoursTable(Table):
    open: Annotated[list[Annotated[Span, BeforeValidator(_forward_span)]], Field(min_length=1)] = [
        Span(540, 720),
        Span(780, 1020),
    ]
    arrive: Minute = 480
    clear_after_close: Ms = units.HOUR


class CalendarTable(Table):
    extra_off: list[Date] = []
    extra_work: list[Date] = []


class EngineTable(Table):
    rearm: Ms = 10 * units.MINUTE
    settle: Ms = 2 * units.SECOND


class SeasonTable(Table):
    cooling: Season = [(6, 1), (9, 30)]
    heating: Season = [(11, 15), (3, 15)]


class ZoneTable(Table):
    id: Id
    name: Name | None = None


class CounterTable(Table):
    id: Id
    name: Name | None = None
    zone: Id
    department: Annotated[str, Field(max_length=80)] = ""
    pad: Id | None = None
    presence: Channel | None = None
    post_a: Hex | None = None
    post_b: Hex | None = None


class OpeningTable(Table):
    id: Id
    name: Name | None = None
    zone: Id
    kind: Literal["entrance", "exit", "fire-door", "door", "window"]
    contact: Channel | None = None
    lock: Channel | None = None


class CircuitTable(Table):
    id: Id
    name: Name | None = None
    zone: Id
    use: Literal["lighting", "counter", "ac", "protected"]
    meter: Channel | None = None
    relay: Channel | None = None
    on_above_w: Watts = 10
    rated_w: Annotated[float, Field(gt=0, le=1e7)] | None = None


class AcTable(Table):
    id: Id
    name: Name | None = None
    zone: Id
    source: Channel
    control: Channel | None = None


class SensorTable(Table):
    zone: Id
    kind: Literal["presence", "lux", "climate", "detector"]
    source: Channel
    circuit: Id | None = None


class CheckpointTable(Table):
    id: Id
    name: Name | None = None
    tag: Hex


class RouteTable(Table):
    id: Id
    name: Name | None = None
    checkpoints: Annotated[list[Id], Field(min_length=1)]
    due: Spans
    days: Literal["all", "workdays"] = "all"
    ordered: bool = False
    min_gap: Ms = 0


class PersonTable(Table):
    card: Hex
    name: Name
    role: Role


class DeviceTable(Table):
    id: DeviceId
    kind: Literal[wire.DEVICE_KINDS]  # type: ignore[valid-type]
    power: Literal["mains", "battery"] = "mains"
    silent_after: Silence | None = None
    stale_after: Silence | None = None


class NotifyTable(Table):
    to: Role
    url: Annotated[str, BeforeValidator(_notify_url)]
    who: Name | None = None
    backup: bool = False


class RotaTable(Table):
    role: Role
    who: Name
    span: Annotated[Span, BeforeValidator(_span)]
    days: Annotated[list[Literal[WEEKDAYS]], Field(min_length=1)] = list(WEEKDAYS)  # type: ignore[valid-type]


class AlertsTable(Table):
    remind_critical: Silence = 30 * units.MINUTE
    remind_warning: Silence = 4 * units.HOUR
    min_on: Ms = 0
    min_off: Ms = 0
    flap_set: Annotated[int, Field(ge=2, le=100)] = 4
    flap_clear: Annotated[int, Field(ge=0, le=99)] = 1
    flap_within: Silence = 15 * units.MINUTE
    group_at: Annotated[int, Field(ge=2, le=1000)] = 5
    group_within: Silence = units.MINUTE
    storm_at: Annotated[int, Field(ge=1, le=10_000)] = 30
    storm_within: Silence = 10 * units.MINUTE
    quiet: Annotated[Span, BeforeValidator(_span)] | None = None
    recoveries: bool = False
    test_at: Minute | Literal["never"] = 510
    respect: Ms = 2 * units.HOUR


class EscalationTable(Table):
    critical: Ladder | None = None
    warning: Ladder | None = None
    notice: Ladder | None = None


class EnergyTable(Table):
    tariff: Annotated[float, Field(ge=0, le=100)] | None = None
    main: Channel | None = None


class CareTable(Table):
    disk_floor_mb: Annotated[int, Field(ge=1, le=1_000_000)] | None = None
    backup: Annotated[str, Field(min_length=1, max_length=500)] = "backups"
    backups_kept: Annotated[int, Field(ge=1, le=1000)] = 3
    keep_readings_days: Annotated[int, Field(ge=35, le=36_500)] | None = None


class AttendanceTable(Table):
    morning: Minute = 8 * 60 + 55
    afternoon: Minute = 13 * 60
    split: Minute = 12 * 60 + 30
    late: Ms = 10 * units.MINUTE
    absent: Ms = 30 * units.MINUTE
    half_day_at: Annotated[int, Field(ge=1, le=100)] = 5


class DutiesTable(Table):
    drill_months: Literal[6, 12] = 12
    census: Annotated[list[MonthDay], Field(min_length=1, max_length=12)] = [(6, 30), (11, 30)]


class InfluxTable(Table):
    url: Annotated[str, BeforeValidator(_url)]
    token: str = "env:HALLKEEPER_INFLUX_TOKEN"
    org: str = "hallkeeper"
    bucket: Name = "hallkeeper"


class File(Table):
    """The whole file. Defaults are the rulebook's hours and seasons."""

    site: SiteTable
    hours: HoursTable = HoursTable()
    calendar: CalendarTable = CalendarTable()
    engine: EngineTable = EngineTable()
    season: SeasonTable = SeasonTable()
    rules: dict[str, dict[str, Any]] = {}
    zone: list[ZoneTable] = []
    counter: list[CounterTable] = []
    opening: list[OpeningTable] = []
    circuit: list[CircuitTable] = []
    ac: list[AcTable] = []
    sensor: list[SensorTable] = []
    checkpoint: list[CheckpointTable] = []
    route: list[RouteTable] = []
    person: list[PersonTable] = []
    device: list[DeviceTable] = []
    notify: list[NotifyTable] = []
    escalation: EscalationTable = EscalationTable()
    rota: list[RotaTable] = []
    alerts: AlertsTable = AlertsTable()
    energy: EnergyTable = EnergyTable()
    care: CareTable = CareTable()
    attendance: AttendanceTable = AttendanceTable()
    duties: DutiesTable = DutiesTable()
    influx: InfluxTable | None = None
