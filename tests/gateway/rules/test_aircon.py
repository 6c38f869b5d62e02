"""空调: the tables of cases of gateway/rules/aircon.py."""

import pytest

from tests.gateway.rules.hall import Case, ac, alive, check, hall, office, opening, table

A = "ac-hall-1"
ZONE = "hall-1f"

CASES = {
    "ac.out-of-season": [
        Case(
            "cooling ends with 30 September",
            [("17:00", ac(True, "cool"))],
            [(A, "2026-10-01 00:00", "2026-10-01 00:00", None)],
            day="2026-09-30",
            until="+1 08:00",
        ),
        Case(
            "cooling begins with 1 June",
            [("23:00", ac(True, "dry"))],
            [(A, "23:00", "23:00", "2026-06-01 00:00")],
            day="2026-05-31",
            until="+1 08:00",
        ),
        Case(
            "heating runs across New Year",
            [("17:00", ac(True, "heat", 20))],
            [],
            day="2025-12-31",
            until="+1 12:00",
        ),
        Case(
            "heating ends with 15 March",
            [("23:00", ac(True, "heat", 20))],
            [(A, "2026-03-16 00:00", "2026-03-16 00:00", None)],
            day="2026-03-15",
            until="+1 01:00",
        ),
        Case(
            "heating begins with 15 November",
            [("23:59:59.999", ac(True, "heat", 20))],
            [(A, "23:59:59.999", "23:59:59.999", "2026-11-15 00:00")],
            day="2026-11-14",
            until="+1 01:00",
        ),
        Case(
            "heat in summer, auto in either season, fan always",
            [
                ("10:00", ac(True, "heat", 20)),
                ("10:01", ac(True, "auto")),
                ("10:30", ac(True, "fan")),
            ],
            [(A, "10:00", "10:00", "10:01")],
        ),
        Case(
            "auto outside both",
            [("10:00", ac(True, "auto")), ("10:30", ac(True, "fan"))],
            [(A, "10:00", "10:00", "10:30")],
            day="2026-04-15",
        ),
        Case("off", [("10:00", ac(False, "cool"))], [], day="2026-04-15", until="11:00"),
        Case(
            "assumed is unknown: it neither begins nor ends",
            [
                ("10:00", ac(True, "cool", src="assumed")),
                ("11:00", ac(True, "cool", src="heard")),
                ("12:00", ac(False, "cool", src="assumed")),
                ("13:00", ac(False, "cool")),
            ],
            [(A, "11:00", "11:00", "13:00")],
            day="2026-04-15",
        ),
        Case(
            "only a special permit lifts it",
            [("10:00", ac(True, "cool"))],
            [(A, "10:00", "10:00", "11:00"), (A, "12:00", "12:00", None)],
            day="2026-04-15",
            until="12:30",
            permits=[
                ("overtime", ZONE, "10:00", "13:00"),
                ("appointment", ZONE, "10:00", "13:00"),
                ("special", ZONE, "11:00", "12:00"),
            ],
        ),
        Case(
            "another zone's special permit does not",
            [("10:00", ac(True, "cool"))],
            [(A, "10:00", "10:00", None)],
            day="2026-04-15",
            until="10:30",
            permits=[("special", "office-1f", "09:00", "12:00")],
        ),
        Case("never heard", [("10:00", hall(True))], [], day="2026-04-15", until="11:00"),
    ],
    "ac.out-of-hours": [
        Case(
            "from 18:00:00.000",
            [("17:00", ac(True)), ("18:00:00.001", ac(False))],
            [(A, "18:00", "18:00", "18:00:00.001")],
        ),
        Case("off at 18:00:00.000", [("17:00", ac(True)), ("18:00", ac(False))], []),
        Case(
            "in season only: the last night of cooling ends it at midnight",
            [("17:00", ac(True, "cool"))],
            [(A, "18:00", "18:00", "2026-10-01 00:00")],
            day="2026-09-30",
            until="+1 09:00",
        ),
        Case(
            "across New Year, and 1 January is no workday",
            [("17:00", ac(True, "heat", 20)), ("+1 10:00", ac(False, "heat", 20))],
            [(A, "18:00", "18:00", "+1 10:00")],
            day="2025-12-31",
        ),
        Case(
            "make-up Saturday",
            [("10:00", ac(True, "heat", 20))],
            [(A, "18:00", "18:00", None)],
            day="2026-02-14",
            until="18:01",
        ),
        Case("out of season it is the other rule's", [("19:00", ac(True))], [], "2026-04-15"),
        Case(
            "the fan is in season always",
            [("19:00", ac(True, "fan"))],
            [(A, "19:00", "19:00", None)],
            day="2026-04-15",
        ),
        Case(
            "a permit ends inside",
            [("17:00", ac(True))],
            [(A, "19:00", "19:00", None)],
            until="19:00",
            permits=[("overtime", ZONE, "18:00", "19:00")],
        ),
        Case(
            "attendance is no permit",
            [("17:00", ac(True))],
            [(A, "18:00", "18:00", None)],
            until="18:01",
            entries=["17:30"],
        ),
    ],
    "ac.setpoint": [
        Case(
            "below 26 °C cooling",
            [("10:00", ac(True, "cool", 25.999)), ("10:05", ac(True, "cool", 26))],
            [(A, "10:00", "10:00", "10:05")],
        ),
        Case(
            "above 20 °C heating",
            [("10:00", ac(True, "heat", 20.001)), ("10:05", ac(True, "heat", 20))],
            [(A, "10:00", "10:00", "10:05")],
            day="2026-01-05",
        ),
        Case(
            "cool and heat are judged in any season",
            [("10:00", ac(True, "cool", 20)), ("10:05", ac(True, "cool", 26))],
            [(A, "10:00", "10:00", "10:05")],
            day="2026-01-05",
        ),
        Case(
            "auto takes the season's limit",
            [("10:00", ac(True, "auto", 25)), ("10:05", ac(True, "auto", 26))],
            [(A, "10:00", "10:00", "10:05")],
        ),
        Case(
            "auto in winter",
            [("10:00", ac(True, "auto", 21)), ("10:05", ac(True, "auto", 20))],
            [(A, "10:00", "10:00", "10:05")],
            day="2026-01-05",
        ),
        Case("auto outside both", [("10:00", ac(True, "auto", 16))], [], "2026-04-15"),
        Case(
            "auto at midnight of the season's end",
            [("23:00", ac(True, "auto", 25))],
            [(A, "23:00", "23:00", "2026-10-01 00:00")],
            day="2026-09-30",
            until="+1 01:00",
        ),
        Case(
            "dry and fan have no setting, off has none",
            [
                ("10:00", ac(True, "dry", 16)),
                ("10:05", ac(True, "fan", 16)),
                ("10:10", ac(False, "cool", 16)),
            ],
            [],
            until="11:00",
        ),
        Case(
            "a permit lifts nothing",
            [("10:00", ac(True, "cool", 25))],
            [(A, "10:00", "10:00", None)],
            until="10:01",
            permits=[("special", ZONE, "09:00", "12:00")],
        ),
        Case(
            "silent, and back with the right setting",
            [("10:00", ac(True, "cool", 25)), ("10:30", ac(True, "cool", 26))],
            [(A, "10:00", "10:00", "10:30")],
            dead=("ac-01",),
        ),
    ],
    "ac.vacant": [
        Case(
            "over midnight of New Year",
            [("23:50", ac(True, "heat", 20)), ("23:50", hall(False))],
            [("ac-hall-1", "23:50", "+1 00:05", None)],
            day="2025-12-31",
            until="+1 00:06",
            dead=(),
        ),
        Case(
            "15 minutes and one ms",
            [("10:00", ac(True)), ("10:00", hall(False)), ("10:15:00.001", ac(False))],
            [(A, "10:00", "10:15", "10:15:00.001")],
        ),
        Case(
            "exactly 15 minutes",
            [("10:00", ac(True)), ("10:00", hall(False)), ("10:15", hall(True))],
            [],
            until="10:20",
        ),
        Case(
            "another zone's people do not count",
            [("10:00", ac(True)), ("10:00", hall(False)), ("10:00", office(True))],
            [(A, "10:00", "10:15", None)],
            until="10:20",
        ),
        Case(
            "the ac is unknown in the middle of the hold",
            [
                ("10:00", ac(True)),
                ("10:00", hall(False)),
                ("10:05", ac(True, src="assumed")),
                ("10:05:00.001", ac(True)),
            ],
            [(A, "10:05:00.001", "10:20:00.001", None)],
            until="10:21",
        ),
        Case("presence never heard", [("10:00", ac(True))], [], until="11:00"),
    ],
    "ac.opening": [
        Case(
            "three minutes and one ms",
            [
                ("10:00", ac(True)),
                ("10:00", opening("win-01", True)),
                ("10:03:00.001", opening("win-01", False)),
            ],
            [(A, "10:00", "10:03", None)],
            until="10:04",
        ),
        Case(
            "it ends when all are known shut",
            [
                ("09:00", opening("main-door", False)),
                ("09:00", opening("east-exit", False)),
                ("10:00", ac(True)),
                ("10:00", opening("win-01", True)),
                ("10:03:00.001", opening("win-01", False)),
            ],
            [(A, "10:00", "10:03", "10:03:00.001")],
        ),
        Case(
            "exactly three minutes",
            [
                ("10:00", ac(True)),
                ("10:00", opening("win-01", True)),
                ("10:03", opening("win-01", False)),
            ],
            [],
            until="10:10",
        ),
        Case(
            "one opening after the other is one stretch",
            [
                ("10:00", ac(True)),
                ("10:00", opening("win-01", True)),
                ("10:02", opening("main-door", True)),
                ("10:02", opening("win-01", False)),
                ("10:03:30", ac(False)),
            ],
            [(A, "10:00", "10:03", "10:03:30")],
        ),
        Case(
            "another zone's door",
            [("10:00", ac(True)), ("10:00", opening("fire-door-1", True))],
            [],
            until="10:10",
        ),
        Case(
            "a mains door falls silent: unknown cancels the count",
            [
                ("10:00", opening("east-exit", True)),
                ("10:08", ac(True)),
                ("10:10:30", alive("door-02")),
            ],
            [],
            dead=("door-02",),
            until="10:30",
        ),
    ],
}


@pytest.mark.parametrize(("rule", "case"), table(CASES))
def test_case(rule: str, case: Case) -> None:
    check(rule, case)
