"""An independent judge of due days: it walks one day after the other and writes down each that
counts."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta

from gateway.workdays import Calendar

ONE = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Did:
    """`what` was done on `day`: pause, resume, extend (by n) or hand-over (with n promised).

    `evening`: after the day's work was over.
    """

    what: str
    day: date
    n: int = 0
    evening: bool = False


def due(
    start: date, needed: int, did: list[Did], calendar: Calendar, *, every_day: bool = False
) -> tuple[date, bool] | None:
    """(the day on which the case is due, whether it may move yet); None while it is paused."""
    days: list[date] = []  # those that counted since the start or the last hand-over
    unsure: list[date] = []  # those looked at whose year has no notice
    paused: date | None = None
    todo, day = list(did), start
    while todo or (paused is None and len(days) < needed):
        if day > start and paused is None:
            if not every_day and calendar.day(day).provisional:
                unsure.append(day)
            if every_day or calendar.day(day).workday:
                days.append(day)
        while todo and todo[0].day == day:
            done = todo.pop(0)
            if done.what == "extend":
                needed += done.n
            elif done.what == "hand-over":
                needed, days, unsure = done.n, [], []
            elif done.what == "pause":
                missed = len(days) >= needed and (
                    days[needed - 1] < day or (days[needed - 1] == day and done.evening)
                )
                paused = None if missed else day
            elif done.what == "resume":
                if paused is not None and paused < day:
                    days = days[: needed - 1]  # paused in time: one is left
                paused = None
        day += ONE
    if paused is not None:
        return None
    last = days[needed - 1]
    return last, any(one <= last for one in unsure)
