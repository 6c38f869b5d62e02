"""Year tables: what a State Council notice says of one year, as files and from the package.

A file is `DATA/calendar/YEAR.json`:
{"year": 2027, "off": ["2027-01-01", …], "work": ["2027-01-30", …],
 "source": "国办发明电〔2026〕…号", "names": {"2027-01-01": "元旦"}}. `off` are the days off, `work` the Saturdays and Sundays worked
instead; `names` may be left out. A notice may name days of the December before.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date
from functools import lru_cache
from pathlib import Path
from typing import Any

from gateway.errors import EnvironmentFault, InputFault

FOLDER = "calendar"
KEYS = ("year", "off", "work", "source", "names")


@dataclass(frozen=True, slots=True)
class YearTable:
    """One year's days off and make-up workdays, and the notice they come from."""

    year: int
    off: frozenset[date]
    work: frozenset[date]
    source: str
    names: dict[date, str] = field(default_factory=dict)


@lru_cache(maxsize=1)
def packaged() -> dict[int, YearTable]:
    """The years that `chinesecalendar` knows. Raises ImportError where it is broken."""
    from chinese_calendar import constants

    chinese = {holiday.value: holiday.chinese for holiday in constants.Holiday}
    return {
        year: YearTable(
            year=year,
            off=frozenset(day for day in constants.holidays if day.year == year),
            work=frozenset(day for day in constants.workdays if day.year == year),
            source="chinesecalendar",
            names={
                day: chinese.get(name, name)
                for days in (constants.holidays, constants.workdays)
                for day, name in days.items()
                if day.year == year
            },
        )
        for year in {day.year for day in constants.holidays}
    }


def parse(path: Path) -> YearTable:
    """A year's file. Raises InputFault with one line a fault: line, key, value, what is allowed."""
    try:
        text = path.read_bytes().decode("utf-8")
        doc = json.loads(text)
    except OSError as fault:
        raise InputFault(f"{path}: cannot be read: {fault.strerror}") from None
    except json.JSONDecodeError as fault:
        raise InputFault(f"{path}:{fault.lineno}: not JSON: {fault.msg}") from None
    except (UnicodeDecodeError, ValueError, RecursionError):
        raise InputFault(f"{path}: is not JSON in UTF-8") from None
    faults = list(_faults(doc))
    if faults:
        lines = [f"{path}:{_line(text, value)}: {said}" for value, said in faults]
        raise InputFault("\n".join(dict.fromkeys(lines)))
    return YearTable(
        year=doc["year"],
        off=frozenset(map(date.fromisoformat, doc["off"])),
        work=frozenset(map(date.fromisoformat, doc["work"])),
        source=doc["source"],
        names={date.fromisoformat(day): name for day, name in doc.get("names", {}).items()},
    )


def _line(text: str, value: str) -> int:
    """Where `value` last stands: of a day given twice, the second is the one too many."""
    at = text.rfind(f'"{value}"')
    return text.count("\n", 0, at) + 1 if at >= 0 else 1


def _faults(doc: Any) -> Iterator[tuple[str, str]]:
    """(text to look for in the file, what is wrong and what is allowed)."""
    if not isinstance(doc, dict):
        yield "", f"must be an object with {', '.join(KEYS)}"
        return
    for key in doc.keys() - set(KEYS):
        yield key, f"{key}: unknown key; allowed: {', '.join(KEYS)}"
    year = doc.get("year")
    if type(year) is not int or not 2004 <= year <= 2199:
        yield "year", f"year = {json.dumps(year)}: must be a number from 2004 to 2199"
        year = None
    if not isinstance(doc.get("source"), str) or not doc["source"].strip():
        yield "source", "source: must name the notice"
    yield from _names(doc.get("names", {}), year)
    seen: set[date] = set()
    for key in ("off", "work"):
        days = doc.get(key)
        if not isinstance(days, list) or (key == "off" and not days):
            yield key, f'{key}: must be a list of dates "YYYY-MM-DD"'
            continue
        for given in days:
            day, said = _day(given, year)
            if day in seen:
                said = "must be named once"
            elif day and key == "work" and day.weekday() < 5:
                said = "must be a Saturday or a Sunday"
            if said:
                yield str(given), f"{key} = {json.dumps(given, ensure_ascii=False)}: {said}"
            elif day:
                seen.add(day)


def _names(names: object, year: int | None) -> Iterator[tuple[str, str]]:
    if not isinstance(names, dict):
        yield "names", "names: must be an object of dates and names"
        return
    for given, name in names.items():
        _, said = _day(given, year)
        if said or not isinstance(name, str):
            yield given, f"names.{given}: {said or 'must be text'}"


def _day(given: object, year: int | None) -> tuple[date | None, str]:
    try:
        day = date.fromisoformat(given if isinstance(given, str) else "")
    except ValueError:
        return None, 'must be a date "YYYY-MM-DD"'
    if year is not None and day.year != year and (day.year, day.month) != (year - 1, 12):
        return None, f"must be a day of {year} or of the December before"
    return day, ""


def read_folder(data: Path) -> tuple[dict[int, YearTable], tuple[str, ...]]:
    """The imported years below `data`, and one text for each file that cannot be used."""
    years: dict[int, YearTable] = {}
    faults: list[str] = []
    for path in sorted((data / FOLDER).glob("*.json")):
        try:
            table = parse(path)
        except InputFault as fault:
            faults.extend(str(fault).splitlines())
            continue
        if path.stem != str(table.year):
            faults.append(f"{path}: is named for {path.stem} and speaks of {table.year}")
            continue
        years[table.year] = table
    return years, tuple(faults)


def write(table: YearTable, data: Path) -> Path:
    """Put the table into `data` whole or not at all. Raises EnvironmentFault."""
    path = data / FOLDER / f"{table.year}.json"
    doc = {
        "year": table.year,
        "off": [day.isoformat() for day in sorted(table.off)],
        "work": [day.isoformat() for day in sorted(table.work)],
        "source": table.source,
        "names": {day.isoformat(): table.names[day] for day in sorted(table.names)},
    }
    part = path.with_suffix(f".{os.getpid()}.part")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with part.open("w", encoding="utf-8") as out:
            json.dump(doc, out, ensure_ascii=False, indent=1)
            out.flush()
            os.fsync(out.fileno())
        part.replace(path)
        folder = os.open(path.parent, os.O_RDONLY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)
    except OSError as fault:
        raise EnvironmentFault(f"{path}: cannot be written: {fault.strerror}") from fault
    return path
