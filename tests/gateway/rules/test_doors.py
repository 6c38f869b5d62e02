"""门窗与通道: the tables of cases of gateway/rules/doors.py."""

import pytest

from tests.gateway.rules.hall import (
    PERSON,
    POWER_ROOM,
    Case,
    Said,
    check,
    counter,
    hall,
    light,
    lock,
    office,
    opening,
    table,
    tap,
)

E = "east-exit"
D = "main-door"
EMPTY = [("19:00", hall(False)), ("19:00", office(False)), ("19:00", opening(D, False))]

CASES = {
    "exit.locked": [
        Case(
            "ten seconds and one ms in open hours",
            [("10:00", lock(True)), ("10:00:10.001", lock(False))],
            [(E, "10:00", "10:00:10", "10:00:10.001")],
            cites=("消防 三.3", "消防 三.1"),
        ),
        Case("exactly ten seconds", [("10:00", lock(True)), ("10:00:10", lock(False))], []),
        Case(
            "locked at lunch, nobody inside: open again at 13:00",
            [("12:30", lock(True)), ("12:30", hall(False)), ("12:30", office(False))],
            [(E, "13:00", "13:00:10", None)],
            until="13:01",
        ),
        Case(
            "locked ten seconds before lunch",
            [("11:59:50", lock(True)), ("11:00", hall(False)), ("11:00", office(False))],
            [],
            until="12:30",
        ),
        Case(
            "one ms earlier, ended by lunch",
            [("11:59:49.999", lock(True)), ("11:00", hall(False)), ("11:00", office(False))],
            [(E, "11:59:49.999", "11:59:59.999", "12:00")],
            until="12:30",
        ),
        Case(
            "at any hour while anyone is inside, in any zone",
            [
                ("21:00", lock(True)),
                ("21:00", hall(False)),
                ("21:00", office(False)),
                ("22:00", office(True)),
                ("23:00", office(False)),
            ],
            [(E, "22:00", "22:00:10", "23:00")],
            cites=("消防 三.1",),
        ),
        Case(
            "a counter's own sensor says nothing about who is inside",
            [("21:00", lock(True)), ("21:00", hall(False)), ("21:00", counter(True))],
            [],
            until="22:00",
        ),
        Case(
            "who is inside is unknown",
            [("21:00", lock(True)), ("21:00", hall(False))],
            [],
            until="22:00",
        ),
        Case(
            "somebody is inside and the other sensor is unknown",
            [("21:00", lock(True)), ("21:00", hall(True))],
            [(E, "21:00", "21:00:10", None)],
            until="21:01",
        ),
        Case(
            "no open hours on a holiday",
            [
                ("10:00", lock(True)),
                ("10:00", hall(False)),
                ("10:00", office(False)),
            ],
            [],
            day="2026-10-01",
            until="12:00",
        ),
        Case(
            "open on the make-up Saturday",
            [("08:00", lock(True)), ("08:00", hall(False)), ("08:00", office(False))],
            [(E, "09:00", "09:00:10", "12:00")],
            day="2026-02-14",
            until="12:30",
        ),
        Case(
            "across New Year",
            [("23:59:55", lock(True)), ("23:00", hall(True)), ("+1 00:00:05.001", lock(False))],
            [(E, "23:59:55", "+1 00:00:05", "+1 00:00:05.001")],
            day="2025-12-31",
        ),
        Case("never heard", [("10:00", hall(True))], [], until="11:00"),
    ],
    "firedoor.open": [
        Case(
            "60 s and one ms",
            [
                ("03:00", opening("fire-door-1", True)),
                ("03:01:00.001", opening("fire-door-1", False)),
            ],
            [("fire-door-1", "03:00", "03:01", "03:01:00.001")],
        ),
        Case(
            "exactly 60 s",
            [("10:00", opening("fire-door-1", True)), ("10:01", opening("fire-door-1", False))],
            [],
        ),
        Case("another door", [("10:00", opening(D, True))], [], until="11:00"),
        Case(
            "opened again: joined up to rearm, from the end to the next hold's end",
            [
                ("10:00", opening("fire-door-1", True)),
                ("10:02", opening("fire-door-1", False)),
                ("10:11", opening("fire-door-1", True)),
                ("10:13", opening("fire-door-1", False)),
                ("10:22:00.001", opening("fire-door-1", True)),
            ],
            [
                ("fire-door-1", "10:00", "10:01", "10:13"),
                ("fire-door-1", "10:22:00.001", "10:23:00.001", None),
            ],
            until="10:24",
        ),
        Case(
            "silent while open, and back shut",
            [("10:00", opening("fire-door-1", True)), ("10:40", opening("fire-door-1", False))],
            [("fire-door-1", "10:00", "10:01", "10:40")],
            dead=("door-04",),
        ),
    ],
    "premises.unclosed": [
        Case(
            "from 18:00:00.000, any opening",
            [
                ("17:00", opening("win-01", True)),
                ("17:00", opening("fire-door-1", True)),
                ("18:00:00.001", opening("win-01", False)),
                ("18:00:00.001", opening("fire-door-1", False)),
            ],
            [
                ("fire-door-1", "18:00", "18:00", "18:00:00.001"),
                ("win-01", "18:00", "18:00", "18:00:00.001"),
            ],
        ),
        Case(
            "shut at 18:00:00.000",
            [("17:00", opening("win-01", True)), ("18:00", opening("win-01", False))],
            [],
        ),
        Case(
            "the morning of a workday ends it",
            [("17:00", opening("win-01", True))],
            [("win-01", "18:00", "18:00", "+1 08:00")],
            until="+1 08:30",
        ),
        Case(
            "the eve of a holiday: it does not",
            [("17:00", opening("win-01", True))],
            [("win-01", "18:00", "18:00", None)],
            day="2026-09-30",
            until="+1 08:30",
        ),
        Case(
            "a battery sensor is silent only after 25 h, and unknown does not end it",
            [("17:00", opening("win-01", True)), ("+2 19:00", opening("win-01", False))],
            [("win-01", "17:00", "17:00", "+2 19:00")],
            day="2026-10-01",
            dead=("door-03",),
        ),
        Case(
            "a permit, also added afterwards, excuses",
            [("17:00", opening("win-01", True))],
            [("win-01", "18:00", "18:00", "18:30")],
            until="19:00",
            permits=[("overtime", "hall-1f", "18:30", "20:00")],
        ),
        Case(
            "attendance does not",
            [("17:00", opening("win-01", True))],
            [("win-01", "18:00", "18:00", None)],
            until="18:01",
            entries=["17:59"],
        ),
        Case("never heard", [("17:00", light(0))], [], until="19:00"),
    ],
    "premises.presence": [
        Case(
            "five minutes and one ms after closing",
            [("17:00", hall(True)), ("18:05:00.001", hall(False))],
            [("hall-1f", "18:00", "18:05", "18:05:00.001")],
        ),
        Case("exactly five minutes", [("17:00", hall(True)), ("18:05", hall(False))], []),
        Case(
            "each zone for itself",
            [("18:00", hall(True)), ("18:01", office(True)), ("18:20", hall(False))],
            [("hall-1f", "18:00", "18:05", "18:20"), ("office-1f", "18:01", "18:06", None)],
            until="18:30",
        ),
        Case(
            "a permit for one zone",
            [("18:00", hall(True)), ("18:00", office(True))],
            [("office-1f", "18:00", "18:05", None)],
            until="18:30",
            permits=[("overtime", "hall-1f", "18:00", "20:00")],
        ),
        Case(
            "an entry lifts it on the whole site, and ends what is open",
            [("18:00", hall(True)), ("18:00", office(True))],
            [
                ("hall-1f", "18:00", "18:05", "18:10"),
                ("office-1f", "18:00", "18:05", "18:10"),
                ("hall-1f", "19:10", "19:15", None),
                ("office-1f", "19:10", "19:15", None),
            ],
            until="19:20",
            entries=["18:10"],
        ),
        Case(
            "a patrol's tap in the count",
            [("18:00", hall(True)), ("18:04:59.999", tap(POWER_ROOM))],
            [("hall-1f", "19:04:59.999", "19:09:59.999", None)],
            until="19:10",
        ),
        Case(
            "over midnight and New Year",
            [("23:57", hall(True)), ("+1 00:02:00.001", hall(False))],
            [("hall-1f", "23:57", "+1 00:02", "+1 00:02:00.001")],
            day="2025-12-31",
        ),
        Case(
            "make-up Saturday at noon",
            [("11:00", hall(True)), ("17:59", hall(False))],
            [],
            day="2026-02-14",
        ),
        Case("never heard", [("17:00", light(0))], [], until="19:00"),
    ],
    "premises.entry": [
        Case(
            "an entrance opens, nobody inside, no entry",
            [*EMPTY, ("20:00", opening(D, True))],
            [(D, "20:00", "20:01", "20:11")],
            until="20:30",
        ),
        Case(
            "still running at the end",
            [*EMPTY, ("20:00", opening(D, True))],
            [(D, "20:00", "20:01", None)],
            until="20:10:59.999",
        ),
        Case(
            "the delay is not over yet",
            [*EMPTY, ("20:00", opening(D, True))],
            [],
            until="20:00:59.999",
        ),
        Case(
            "an entry exactly 60 s later",
            [*EMPTY, ("20:00", opening(D, True))],
            [],
            until="20:30",
            entries=["20:01"],
        ),
        Case(
            "an entry one ms after that ends the finding",
            [*EMPTY, ("20:00", opening(D, True))],
            [(D, "20:00", "20:01", "20:01:00.001")],
            until="20:30",
            entries=["20:01:00.001"],
        ),
        Case(
            "an entry exactly 10 minutes before",
            [*EMPTY, ("20:00", opening(D, True))],
            [],
            until="20:30",
            entries=["19:50"],
        ),
        Case(
            "an entry one ms earlier is too old",
            [*EMPTY, ("20:00", opening(D, True))],
            [(D, "20:00", "20:01", "20:11")],
            until="20:30",
            entries=["19:49:59.999"],
        ),
        Case(
            "an entry before the beginning, within the ten minutes",
            [("20:00", opening(D, False)), ("20:05", opening(D, True))],
            [],
            until="20:30",
            entries=["19:55"],
        ),
        Case(
            "an entry before the beginning, one ms too early",
            [("20:00", opening(D, False)), ("20:05", opening(D, True))],
            [(D, "20:05", "20:06", "20:16")],
            until="20:30",
            entries=["19:54:59.999"],
        ),
        Case(
            "the first entry after the start ends it, the second does not",
            [*EMPTY, ("20:00", opening(D, True)), ("20:05", tap(PERSON, "desk-01"))],
            [(D, "20:00", "20:01", "20:05")],
            until="20:30",
            entries=["20:06"],
        ),
        Case(
            "a checkpoint's tap is no entry",
            [*EMPTY, ("20:00", opening(D, True)), ("20:00:30", tap(POWER_ROOM))],
            [(D, "20:00", "20:01", "20:11")],
            until="20:30",
        ),
        Case(
            "somebody known inside until one ms into the five minutes",
            [
                *EMPTY,
                ("19:30", office(True)),
                ("19:55:00.001", office(False)),
                ("20:00", opening(D, True)),
            ],
            [],
            until="20:30",
        ),
        Case(
            "gone when the five minutes begin",
            [
                *EMPTY,
                ("19:30", office(True)),
                ("19:55", office(False)),
                ("20:00", opening(D, True)),
            ],
            [(D, "20:00", "20:01", "20:11")],
            until="20:30",
        ),
        Case(
            "seen inside only from the opening's own instant",
            [*EMPTY, ("20:00", hall(True)), ("20:00", opening(D, True))],
            [(D, "20:00", "20:01", "20:11")],
            until="20:30",
        ),
        Case(
            "seen inside one ms before",
            [*EMPTY, ("19:59:59.999", hall(True)), ("20:00", opening(D, True))],
            [],
            until="20:30",
        ),
        Case(
            "who is inside is unknown: nobody is known inside",
            [("19:00", opening(D, False)), ("20:00", opening(D, True))],
            [(D, "20:00", "20:01", "20:11")],
            until="20:30",
        ),
        Case(
            "from unknown to open is no opening",
            [("20:00", opening(D, True))],
            [],
            until="20:30",
        ),
        Case(
            "nor is it after a silence",
            [("20:00", opening(D, False)), ("+2 00:00", opening(D, True))],
            [],
            until="+2 00:30",
            dead=("door-01",),
        ),
        Case(
            "open, shut and open at one instant is one opening",
            [
                *EMPTY,
                ("20:00", opening(D, True)),
                ("20:00", opening(D, False)),
                ("20:00", opening(D, True)),
            ],
            [(D, "20:00", "20:01", "20:11")],
            until="20:30",
        ),
        Case(
            "one ms before closing and at closing",
            [
                ("17:00", opening(D, False)),
                ("17:59:59.999", opening(D, True)),
            ],
            [],
            until="18:30",
        ),
        Case(
            "at 18:00:00.000",
            [("17:00", opening(D, False)), ("18:00", opening(D, True))],
            [(D, "18:00", "18:01", "18:11")],
            until="18:30",
        ),
        Case(
            "07:59:59.999: still closed",
            [("07:00", opening(D, False)), ("07:59:59.999", opening(D, True))],
            [(D, "07:59:59.999", "08:00:59.999", "08:10:59.999")],
            until="08:30",
        ),
        Case(
            "an entry delay of one's own",
            [*EMPTY, ("20:00", opening(D, True))],
            [(D, "20:00", "20:02", "20:12")],
            until="20:30",
            settings=("premises.entry.hold=2min",),
        ),
        Case(
            "an entry exactly at the end of an entry delay of one's own",
            [*EMPTY, ("20:00", opening(D, True))],
            [],
            until="20:30",
            settings=("premises.entry.hold=2min",),
            entries=["20:02"],
        ),
        Case(
            "no entry delay",
            [*EMPTY, ("20:00", opening(D, True))],
            [(D, "20:00", "20:00", "20:10")],
            until="20:30",
            settings=("premises.entry.hold=0s",),
        ),
        Case(
            "no entry delay, an entry at the opening's instant",
            [*EMPTY, ("20:00", opening(D, True))],
            [],
            until="20:30",
            settings=("premises.entry.hold=0s",),
            entries=["20:00"],
        ),
        Case(
            "twice: never joined",
            [
                *EMPTY,
                ("20:00", opening(D, True)),
                ("20:02", opening(D, False)),
                ("20:03", opening(D, True)),
            ],
            [(D, "20:00", "20:01", "20:11"), (D, "20:03", "20:04", "20:14")],
            until="20:30",
        ),
        Case(
            "a window is no entrance",
            [("19:00", opening("win-01", False)), ("20:00", opening("win-01", True))],
            [],
            until="20:30",
        ),
        Case(
            "a permit does not register an entry",
            [*EMPTY, ("20:00", opening(D, True))],
            [(D, "20:00", "20:01", "20:11")],
            until="20:30",
            permits=[("overtime", "hall-1f", "18:00", "22:00")],
        ),
        Case(
            "late news of an opening counts at its own time",
            [
                *EMPTY,
                Said("20:09", opening(D, True), t="20:00", seq=3),
                Said("20:10", opening(D, False), t="20:02", seq=4),
            ],
            [(D, "20:00", "20:01", "20:11")],
            until="20:30",
        ),
        Case(
            "New Year's night",
            [
                ("23:00", opening(D, False)),
                ("23:59:30", opening(D, True)),
            ],
            [(D, "23:59:30", "+1 00:00:30", "+1 00:10:30")],
            day="2025-12-31",
            until="+1 01:00",
        ),
        Case(
            "a holiday's noon",
            [("11:00", opening(D, False)), ("12:00", opening(D, True))],
            [(D, "12:00", "12:01", "12:11")],
            day="2026-10-01",
            until="12:30",
        ),
    ],
}


@pytest.mark.parametrize(("rule", "case"), table(CASES))
def test_case(rule: str, case: Case) -> None:
    check(rule, case)
