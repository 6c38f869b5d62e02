"""人走灯灭: the tables of cases of gateway/rules/lights.py."""

import pytest

from gateway.site import Circuit, Source
from tests.gateway.rules.hall import (
    PERSON,
    POWER_ROOM,
    Case,
    Said,
    alive,
    check,
    hall,
    light,
    lux,
    relay,
    table,
    tap,
)

L = "l-hall"

CASES = {
    "lights.vacant": [
        Case(
            "off exactly at the hold",
            [("10:00", light(412)), ("10:00", hall(False)), ("10:15", light(0))],
            [],
        ),
        Case(
            "off one ms before the hold",
            [("10:00", light(412)), ("10:00", hall(False)), ("10:14:59.999", light(0))],
            [],
        ),
        Case(
            "off one ms after the hold",
            [("10:00", light(412)), ("10:00", hall(False)), ("10:15:00.001", light(0))],
            [(L, "10:00", "10:15", "10:15:00.001")],
        ),
        Case(
            "until the very instant of the hold",
            [("10:00", light(412)), ("10:00", hall(False))],
            [(L, "10:00", "10:15", None)],
            until="10:15",
        ),
        Case(
            "until one ms before it",
            [("10:00", light(412)), ("10:00", hall(False))],
            [],
            until="10:14:59.999",
        ),
        Case(
            "10 W is not more than 10 W",
            [("10:00", light(10)), ("10:00", hall(False))],
            [],
            until="11:00",
        ),
        Case(
            "10.001 W is",
            [("10:00", light(10.001)), ("10:00", hall(False))],
            [(L, "10:00", "10:15", None)],
            until="11:00",
        ),
        Case(
            "the sensor falls silent in the middle of the hold and comes back",
            [
                ("10:00", light(412)),
                ("10:00", hall(False)),
                ("10:12", hall(False)),
                ("10:20", hall(False)),
            ],
            [(L, "10:12", "10:27", None)],
            dead=("occ-01",),
            until="10:28",
        ),
        Case(
            "a word at the instant of silence is in time",
            [("10:00", light(412)), ("10:00", hall(False)), ("10:10", hall(False))],
            [(L, "10:00", "10:15", None)],
            dead=("occ-01",),
            until="10:18",
        ),
        Case(
            "silent sensor speaks of something else: its channel stays unknown",
            [("10:00", light(412)), ("10:00", hall(False)), ("10:12", lux(5))],
            [],
            dead=("occ-01",),
            until="11:00",
        ),
        Case(
            "once open, unknown does not end it, false does",
            [
                ("10:00", light(412)),
                ("10:00", hall(False)),
                ("10:08", hall(False)),
                ("11:00", light(0)),
            ],
            [(L, "10:00", "10:15", "11:00")],
            dead=("occ-01",),
        ),
        Case(
            "somebody comes back exactly at the hold",
            [("10:00", light(412)), ("10:00", hall(False)), ("10:15", hall(True))],
            [],
            until="10:30",
        ),
        Case(
            "off and on at one instant: nothing in between is seen",
            [
                ("10:00", light(412)),
                ("10:00", hall(False)),
                ("10:10", light(0)),
                ("10:10", light(400)),
            ],
            [(L, "10:00", "10:15", None)],
            until="10:16",
        ),
        Case(
            "on and off at one instant: the later number counts",
            [
                ("10:00", light(412)),
                ("10:00", hall(False)),
                ("10:10", light(400)),
                ("10:10", light(0)),
            ],
            [],
            until="10:30",
        ),
        Case("a sensor never heard", [("10:00", light(412))], [], until="11:00"),
        Case("a meter never heard", [("10:00", hall(False))], [], until="11:00"),
        Case(
            "without a meter the relay says whether it is on",
            [("10:00", relay(True)), ("10:00", hall(False)), ("10:15:00.001", relay(False))],
            [("l-9", "10:00", "10:15", "10:15:00.001")],
            more=(
                Circuit("l-9", "", "hall-1f", "lighting", None, Source("pm-02", "r9"), 10, None),
            ),
        ),
        Case(
            "across New Year",
            [("2025-12-31 23:50", light(412)), ("2025-12-31 23:50", hall(False))],
            [(L, "2025-12-31 23:50", "2026-01-01 00:05", None)],
            until="2026-01-01 00:06",
        ),
        Case(
            "the site's own hold",
            [("10:00", light(412)), ("10:00", hall(False)), ("10:02:00.001", light(0))],
            [(L, "10:00", "10:02", "10:02:00.001")],
            settings=("lights.vacant.hold=2min",),
        ),
        Case(
            "switched off by the site file",
            [("10:00", light(412)), ("10:00", hall(False))],
            [],
            until="11:00",
            settings=("lights.vacant.enabled=false",),
        ),
    ],
    "lights.after-close": [
        Case(
            "from 18:00:00.000",
            [("17:00", light(412)), ("18:20:10.500", light(0))],
            [(L, "18:00", "18:00", "18:20:10.500")],
            cites=("安全 一.2", "消防 七.1(3)"),
        ),
        Case("off at 18:00:00.000", [("17:00", light(412)), ("18:00", light(0))], []),
        Case(
            "off one ms after 18:00",
            [("17:00", light(412)), ("18:00:00.001", light(0))],
            [(L, "18:00", "18:00", "18:00:00.001")],
        ),
        Case("on at 08:00:00.000", [("07:00", light(0)), ("08:00", light(412))], []),
        Case(
            "on one ms before 08:00",
            [("07:00", light(0)), ("07:59:59.999", light(412))],
            [(L, "07:59:59.999", "07:59:59.999", "08:00")],
            until="09:00",
        ),
        Case(
            "over midnight it is one",
            [("17:00", light(412)), ("+1 01:00", light(0))],
            [(L, "18:00", "18:00", "+1 01:00")],
        ),
        Case(
            "a make-up Saturday is a workday",
            [("09:00", light(412)), ("18:00:00.001", light(0))],
            [(L, "18:00", "18:00", "18:00:00.001")],
            day="2026-02-14",
        ),
        Case(
            "another Saturday is not",
            [("09:00", light(0)), ("10:00", light(412)), ("10:05", light(0))],
            [(L, "10:00", "10:00", "10:05")],
            day="2026-02-07",
        ),
        Case(
            "the eve of a holiday: no morning ends it",
            [("17:00", light(412)), ("+1 09:30", light(0))],
            [(L, "18:00", "18:00", "+1 09:30")],
            day="2026-09-30",
        ),
        Case(
            "across New Year",
            [("17:00", light(412)), ("+1 10:00", light(0))],
            [(L, "18:00", "18:00", "+1 10:00")],
            day="2025-12-31",
        ),
        Case(
            "a permit holds on [from, to)",
            [("17:00", light(412))],
            [(L, "20:00", "20:00", None)],
            until="20:00",
            permits=[("overtime", "hall-1f", "18:00", "20:00")],
        ),
        Case(
            "a permit that begins and ends inside parts two findings",
            [("17:00", light(412))],
            [(L, "18:00", "18:00", "18:30"), (L, "19:00", "19:00", None)],
            until="19:30",
            permits=[("study", "hall-1f", "18:30", "19:00")],
        ),
        Case(
            "a permit of exactly rearm joins them",
            [("17:00", light(412))],
            [(L, "18:00", "18:00", None)],
            until="19:30",
            permits=[("cleaning", "hall-1f", "18:30", "18:40")],
        ),
        Case(
            "a permit of one ms more does not",
            [("17:00", light(412))],
            [(L, "18:00", "18:00", "18:30"), (L, "18:40:00.001", "18:40:00.001", None)],
            until="19:30",
            permits=[("cleaning", "hall-1f", "18:30", "18:40:00.001")],
        ),
        Case(
            "an appointment excuses 30 minutes before and after",
            [("17:00", light(412))],
            [(L, "18:00", "18:00", "18:30"), (L, "20:30", "20:30", None)],
            until="21:00",
            permits=[("appointment", "hall-1f", "19:00", "20:00")],
        ),
        Case(
            "two permits that touch are no gap",
            [("17:00", light(412))],
            [(L, "20:00", "20:00", None)],
            until="20:30",
            permits=[
                ("overtime", "hall-1f", "17:00", "19:00"),
                ("special", "hall-1f", "19:00", "20:00"),
            ],
        ),
        Case(
            "hot work and another zone's permit lift nothing",
            [("17:00", light(412))],
            [(L, "18:00", "18:00", None)],
            until="18:30",
            permits=[
                ("hot-work", "hall-1f", "17:00", "20:00"),
                ("overtime", "office-1f", "17:00", "20:00"),
            ],
        ),
        Case(
            "off for exactly rearm: one finding",
            [("17:00", light(412)), ("18:20", light(0)), ("18:30", light(412))],
            [(L, "18:00", "18:00", None)],
            until="18:31",
        ),
        Case(
            "off for one ms more: two",
            [("17:00", light(412)), ("18:20", light(0)), ("18:30:00.001", light(412))],
            [(L, "18:00", "18:00", "18:20"), (L, "18:30:00.001", "18:30:00.001", None)],
            until="18:31",
        ),
        Case(
            "an entry 60 minutes before closing attends up to 18:00",
            [("16:00", light(412))],
            [(L, "18:00", "18:00", None)],
            until="18:01",
            entries=["17:00"],
        ),
        Case(
            "an entry one ms later attends one ms longer",
            [("16:00", light(412))],
            [(L, "18:00:00.001", "18:00:00.001", None)],
            until="18:01",
            entries=["17:00:00.001"],
        ),
        Case(
            "an entry attends [e, e + 60 min)",
            [("17:00", light(412))],
            [(L, "18:00", "18:00", "18:10"), (L, "19:10", "19:10", None)],
            until="19:11",
            entries=["18:10"],
        ),
        Case(
            "an entry before the beginning attends too, the last of them",
            [("18:00", light(412))],
            [(L, "18:50", "18:50", None)],
            until="19:11",
            entries=["17:30", "17:50"],
        ),
        Case(
            "an entry an hour before the beginning does not",
            [("18:00", light(412))],
            [(L, "18:00", "18:00", None)],
            until="18:30",
            entries=["17:00"],
        ),
        Case(
            "a checkpoint's tap and a person's card attend too",
            [
                ("17:00", light(412)),
                ("18:10", tap(POWER_ROOM.upper())),
                ("19:00", tap(PERSON, "pad-w01")),
            ],
            [(L, "18:00", "18:00", "18:10"), (L, "20:00", "20:00", None)],
            until="20:30",
        ),
        Case(
            "a foreign tag does not",
            [("17:00", light(412)), ("18:10", tap("04ffffffff"))],
            [(L, "18:00", "18:00", None)],
            until="18:30",
        ),
        Case(
            "the meter falls silent and comes back dark",
            [("18:00", light(412)), ("18:30", light(0))],
            [(L, "18:00", "18:00", "18:30")],
            dead=("pm-01",),
        ),
        Case(
            "it comes back lit: nothing has ended",
            [("18:00", light(412)), ("19:00", light(412)), ("19:05", light(0))],
            [(L, "18:00", "18:00", "19:05")],
            dead=("pm-01",),
        ),
        Case(
            "t null with an anchor: moved by the difference in up",
            [
                ("18:00", light(0)),
                Said("18:30", light(412), t=None, up=60_000, log="aaaaaaaa"),
                Said("18:30:01", alive("pm-01"), t="18:12", up=180_000, log="aaaaaaaa"),
                ("18:40", light(0)),
            ],
            [(L, "18:10", "18:10", "18:40")],
        ),
        Case(
            "t null without an anchor: its arrival",
            [
                ("18:00", light(0)),
                Said("18:30", light(412), t=None, up=60_000, log="aaaaaaaa"),
                Said("18:30:01", alive("pm-01"), t="18:12", up=10, boot=2, log="aaaaaaaa"),
                ("18:40", light(0)),
            ],
            [(L, "18:30", "18:30", "18:40")],
        ),
        Case(
            "an anchor that would lie more than 60 s ahead of the arrival is not used",
            [
                ("18:00", light(0)),
                Said("18:05", light(412), t=None, up=500_001, log="aaaaaaaa"),
                Said("18:05", alive("pm-01"), t="18:05", up=440_000, log="aaaaaaaa"),
                ("18:40", light(0)),
            ],
            [(L, "18:05", "18:05", "18:40")],
        ),
        Case(
            "60 s ahead of the arrival are believed, one ms more is not",
            [
                ("17:00", light(0)),
                Said("18:10", light(412), t="18:11", log="aaaaaaaa"),
                ("18:20", light(0)),
                Said("19:10", light(412), t="19:11:00.001", log="bbbbbbbb"),
                ("19:20", light(0)),
            ],
            [(L, "18:11", "18:11", "18:20"), (L, "19:10", "19:10", "19:20")],
        ),
    ],
    "lights.all-night": [
        Case(
            "22:00 to 06:00, over midnight, one finding",
            [("21:00", light(412))],
            [(L, "22:00", "22:15", "+1 06:00")],
            until="+1 07:00",
        ),
        Case("off exactly at the hold", [("21:00", light(412)), ("22:15", light(0))], []),
        Case(
            "off one ms later",
            [("21:00", light(412)), ("22:15:00.001", light(0))],
            [(L, "22:00", "22:15", "22:15:00.001")],
        ),
        Case("on at 05:45: no hold left", [("05:45", light(412))], [], until="07:00"),
        Case(
            "on one ms before 05:45",
            [("05:44:59.999", light(412))],
            [(L, "05:44:59.999", "05:59:59.999", "06:00")],
            until="07:00",
        ),
        Case(
            "across New Year, hold over midnight",
            [("23:50", light(412)), ("+1 00:20", light(0))],
            [(L, "23:50", "+1 00:05", "+1 00:20")],
            day="2025-12-31",
        ),
        Case(
            "an entry attends and the count begins anew",
            [("21:00", light(412))],
            [(L, "23:05", "23:20", None)],
            until="23:30",
            entries=["22:05"],
        ),
        Case(
            "a permit",
            [("21:00", light(412))],
            [(L, "23:00", "23:15", None)],
            until="23:30",
            permits=[("special", "hall-1f", "20:00", "23:00")],
        ),
        Case(
            "the site's own night",
            [("21:00", light(412))],
            [(L, "23:00", "23:15", "+1 05:00")],
            until="+1 06:30",
            settings=('lights.all-night.between="23:00-05:00"',),
        ),
    ],
    "lights.daylight": [
        Case(
            "300 lx in open hours, nobody there",
            [("08:00", light(412)), ("08:00", lux(300)), ("08:00", hall(False))],
            [(L, "09:00", "09:15", "12:00"), (L, "13:00", "13:15", "17:00")],
            until="17:30",
        ),
        Case(
            "299.999 lx",
            [("08:00", light(412)), ("08:00", lux(299.999)), ("08:00", hall(True))],
            [],
            until="12:30",
        ),
        Case(
            "someone there outside open hours",
            [
                ("07:00", light(412)),
                ("07:00", lux(800)),
                ("07:00", hall(True)),
                ("07:15:00.001", lux(10)),
            ],
            [(L, "07:00", "07:15", "07:15:00.001")],
        ),
        Case(
            "dark exactly at the hold",
            [("10:00", light(412)), ("10:00", lux(800)), ("10:15", lux(299))],
            [],
        ),
        Case(
            "presence unknown outside open hours",
            [("07:00", light(412)), ("07:00", lux(800))],
            [],
            until="08:59:59.999",
        ),
        Case(
            "no open hours on a holiday, open on the make-up Saturday",
            [("2026-10-01 10:00", light(412)), ("2026-10-01 10:00", lux(800))],
            [],
            until="2026-10-01 12:00",
        ),
        Case(
            "make-up Saturday",
            [("10:00", light(412)), ("10:00", lux(800))],
            [(L, "10:00", "10:15", None)],
            day="2026-02-14",
            until="10:30",
        ),
        Case(
            "lux never heard",
            [("10:00", light(412)), ("10:00", hall(True))],
            [],
            until="11:00",
        ),
        Case(
            "the site's own lux",
            [("10:00", light(412)), ("10:00", lux(100))],
            [(L, "10:00", "10:15", None)],
            until="10:30",
            settings=("lights.daylight.lux=100",),
        ),
    ],
}


@pytest.mark.parametrize(("rule", "case"), table(CASES))
def test_case(rule: str, case: Case) -> None:
    check(rule, case)
