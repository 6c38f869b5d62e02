"""Site file to frozen values. Shape (pydantic) and references are judged side by side, so that one
run names every fault; each becomes one line with file, line, key, value and what is allowed.
"""

from __future__ import annotations

import importlib
import json
import tomllib
from pathlib import Path
from typing import Any, get_args

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from gateway import _sitemodel as model
from gateway import site as frozen
from gateway import units
from gateway._sitelines import KeyPath, Lines
from gateway._siterefs import ABSENT, Fault, references
from gateway.errors import InputFault

SILENT_AFTER = {"mains": 10 * units.MINUTE, "battery": 25 * units.HOUR}


def load(path: Path) -> frozen.Site:
    """Read, judge, freeze. Raises InputFault with one line a fault."""
    try:
        text = path.read_bytes().decode("utf-8-sig")  # Windows' editors put a mark before it
        doc = tomllib.loads(text)
    except OSError as fault:
        raise InputFault(f"{path}: cannot be read: {fault.strerror}") from None
    except UnicodeDecodeError as fault:
        raise InputFault(f"{path}: byte {fault.start} is not UTF-8") from None
    except (tomllib.TOMLDecodeError, RecursionError) as fault:
        raise InputFault(f"{path}: not TOML: {fault}") from None
    parsed, faults = _shape(doc)
    faults += references(doc)
    faults += _rules(doc.get("rules"))
    if faults:
        raise InputFault(_report(path, Lines(text), faults))
    assert parsed is not None
    return _freeze(parsed)


def _report(path: Path, lines: Lines, faults: list[Fault]) -> str:
    found = {(lines.of(f.path), _said(f)) for f in faults}
    return "\n".join(f"{path}:{line}: {said}" for line, said in sorted(found))


def _said(fault: Fault) -> str:
    key = ""
    for part in fault.path:
        if isinstance(part, int):
            key += f"[{part + 1}]"
        else:
            plain = part.replace("-", "").replace("_", "").isalnum() and part.isascii()
            key += ("." if key else "") + (part if plain else json.dumps(part, ensure_ascii=False))
    value = "" if fault.value is ABSENT else f" = {_shown(fault.value)}"
    return f"{key or 'file'}{value}: {fault.text}"


def _shown(value: Any) -> str:
    text = json.dumps(value, ensure_ascii=False, default=str)
    return text if len(text) <= 80 else text[:79] + "…"


# --- shape


def _shape(doc: dict[str, Any]) -> tuple[model.File | None, list[Fault]]:
    try:
        return model.File.model_validate(doc), []
    except ValidationError as broken:
        return None, [_from_pydantic(error) for error in broken.errors(include_url=False)]


def _from_pydantic(error: ErrorDetails) -> Fault:
    path = error["loc"]
    kind, given, context = error["type"], error["input"], error.get("ctx", {})
    if kind == "missing":
        return Fault(path, ABSENT, "missing, and required")
    if kind == "extra_forbidden":
        return Fault(path, given, f"unknown key; allowed: {', '.join(_keys_at(path[:-1]))}")
    if kind == "value_error":
        return Fault(path, given, str(context["error"]))
    if kind == "literal_error":
        return Fault(path, given, f"must be {str(context['expected']).replace(chr(39), chr(34))}")
    texts = {
        "string_type": "must be text",
        "bool_type": "must be true or false",
        "float_type": "must be a number",
        "list_type": "must be a list",
        "dict_type": "must be a table",
        "model_type": "must be a table",
        "finite_number": "must be a finite number",
    }
    if kind == "list_type" and len(path) == 1:
        return Fault(path, given, f"must be written [[{path[0]}]]")
    return Fault(path, given, texts.get(kind) or _bounds(kind, context))


def _bounds(kind: str, context: dict[str, Any]) -> str:
    texts = {
        "too_short": "must have at least {min_length} items",
        "too_long": "must have at most {max_length} items",
        "string_too_short": "must have at least {min_length} character",
        "string_too_long": "must have at most {max_length} characters",
        "greater_than": "must be above {gt:g}",
        "greater_than_equal": "must be {ge:g} or more",
        "less_than_equal": "must be {le:g} or less",
    }
    return texts.get(kind, f"is not allowed ({kind})").format(**context)


def _keys_at(path: KeyPath) -> list[str]:
    kind: Any = model.File
    for part in path:
        if isinstance(part, str):
            kind = kind.model_fields[part].annotation
        inner = [a for a in get_args(kind) if a is not type(None)]
        kind = inner[0] if inner else kind
    return list(kind.model_fields)


def _rules(rules: object) -> list[Fault]:
    """Settings of rules, judged by the rules themselves: texts begin with the key at fault."""
    judge = getattr(importlib.import_module("gateway.rules"), "check_settings", None)
    faults: list[Fault] = []
    if judge is None or not isinstance(rules, dict):
        return faults
    for rule, settings in rules.items():
        for text in judge(rule, settings) if isinstance(settings, dict) else ():
            key = text.split(":")[0].split(" ")[0]
            if key in settings:
                rest = text[len(key) :].split(": ", 1)[-1]
                faults.append(Fault(("rules", rule, key), settings[key], rest))
            else:
                faults.append(Fault(("rules", rule), ABSENT, text))
    return faults


# --- freezing


def _freeze(file: model.File) -> frozen.Site:
    return frozen.Site(
        id=file.site.id,
        name=file.site.name or file.site.id,
        timezone=file.site.timezone,
        hours=frozen.Hours(
            open=tuple(sorted(file.hours.open, key=lambda s: s.begin)),
            arrive=file.hours.arrive,
            clear_after_close=file.hours.clear_after_close,
        ),
        extra_off=tuple(sorted(set(file.calendar.extra_off))),
        extra_work=tuple(sorted(set(file.calendar.extra_work))),
        rearm=file.engine.rearm,
        settle=file.engine.settle,
        season=frozen.Season(
            cooling=(file.season.cooling[0], file.season.cooling[1]),
            heating=(file.season.heating[0], file.season.heating[1]),
        ),
        rules=file.rules,
        zones=tuple(frozen.Zone(**_named(z)) for z in file.zone),
        counters=tuple(frozen.Counter(**_named(c)) for c in file.counter),
        openings=tuple(frozen.Opening(**_named(o)) for o in file.opening),
        circuits=tuple(frozen.Circuit(**_named(c)) for c in file.circuit),
        acs=tuple(frozen.AirConditioner(**_named(a)) for a in file.ac),
        sensors=tuple(frozen.Sensor(**dict(s)) for s in file.sensor),
        checkpoints=tuple(frozen.Checkpoint(**_named(c)) for c in file.checkpoint),
        routes=tuple(
            frozen.Route(**_named(r) | {"checkpoints": tuple(r.checkpoints), "due": tuple(r.due)})
            for r in file.route
        ),
        people=tuple(frozen.Person(**dict(p)) for p in file.person),
        devices=tuple(_device(d) for d in file.device),
        notify=tuple(frozen.Channel(**dict(n)) for n in file.notify),
        escalation={
            severity: tuple(getattr(file.escalation, severity) or ladder)
            for severity, ladder in model.DEFAULT_LADDERS.items()
        },
        rota=tuple(
            frozen.OnCall(
                t.role, t.who, frozenset(model.WEEKDAYS.index(day) for day in t.days), t.span
            )
            for t in file.rota
        ),
        noise=frozen.Noise(
            **dict(file.alerts)
            | {"test_at": None if file.alerts.test_at == "never" else file.alerts.test_at}
        ),
        tariff=file.energy.tariff,
        main_meter=file.energy.main,
        care=frozen.CareOf(**dict(file.care)),
        attendance=frozen.AttendanceOf(**dict(file.attendance)),
        duties=frozen.DutiesOf(file.duties.drill_months, tuple(sorted(set(file.duties.census)))),
        influx=frozen.Influx(**dict(file.influx)) if file.influx else None,
    )


def _named(row: BaseModel) -> dict[str, Any]:
    """A row's fields; where no name is given, the id is the name."""
    fields = dict(row)
    return fields | {"name": fields["name"] or fields["id"]}


def _device(row: model.DeviceTable) -> frozen.Device:
    usual = SILENT_AFTER[row.power]
    silence = usual if row.silent_after is None else row.silent_after
    stale = usual if row.stale_after is None else row.stale_after
    return frozen.Device(row.id, row.kind, row.power, silence, stale)
