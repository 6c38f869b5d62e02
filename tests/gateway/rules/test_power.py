"""用电安全: the tables of cases of gateway/rules/power.py."""

import pytest

from gateway.site import Sensor, Source
from tests.gateway.rules.hall import (
    Case,
    alive,
    check,
    climate,
    detector,
    hall,
    light,
    panel,
    sockets,
    table,
)

S = "sockets-w01"
ZONE = "hall-1f"
PANEL = Sensor("office-1f", "climate", Source("pm-02", "t1"), "fire-panel")
SECOND = Sensor("office-1f", "detector", Source("pm-02", "d8"), "fire-panel")
LOOSE = Sensor("office-1f", "detector", Source("pm-02", "d9"), None)

CASES = {
    "power.standby": [
        Case(
            "more than 5 W from closing",
            [("17:00", sockets(5.001)), ("18:30", sockets(0))],
            [(S, "18:00", "18:15", "18:30")],
            cites=("安全 一.3", "消防 七.1(3)", "厉行节约 ③"),
        ),
        Case("5 W is no standby", [("17:00", sockets(5))], [], until="19:00"),
        Case("off exactly at the hold", [("17:00", sockets(40)), ("18:15", sockets(1))], []),
        Case(
            "off one ms after it",
            [("17:00", sockets(40)), ("18:15:00.001", sockets(1))],
            [(S, "18:00", "18:15", "18:15:00.001")],
        ),
        Case(
            "08:00 of a workday ends it",
            [("17:00", sockets(40))],
            [(S, "18:00", "18:15", "+1 08:00")],
            until="+1 09:00",
        ),
        Case(
            "on 15 minutes before 08:00: nothing is left of it",
            [("07:45", sockets(40))],
            [],
            until="09:00",
        ),
        Case(
            "the eve of a holiday",
            [("17:00", sockets(40))],
            [(S, "18:00", "18:15", None)],
            day="2026-09-30",
            until="+1 12:00",
        ),
        Case(
            "across New Year",
            [("23:50", sockets(40)), ("+1 00:05:00.001", sockets(0))],
            [(S, "23:50", "+1 00:05", "+1 00:05:00.001")],
            day="2025-12-31",
        ),
        Case(
            "make-up Saturday",
            [("10:00", sockets(40))],
            [(S, "18:00", "18:15", None)],
            day="2026-02-14",
            until="18:20",
        ),
        Case(
            "a permit",
            [("17:00", sockets(40))],
            [(S, "19:00", "19:15", None)],
            until="19:20",
            permits=[("overtime", ZONE, "17:30", "19:00")],
        ),
        Case(
            "a permit in the middle of the hold: it counts anew",
            [("17:00", sockets(40))],
            [(S, "18:10:00.001", "18:25:00.001", None)],
            until="18:30",
            permits=[("overtime", ZONE, "18:10", "18:10:00.001")],
        ),
        Case(
            "attendance does not excuse standby",
            [("17:00", sockets(40))],
            [(S, "18:00", "18:15", None)],
            until="18:20",
            entries=["17:59", "18:05"],
        ),
        Case(
            "the site's own watts",
            [("17:00", sockets(40))],
            [],
            until="19:00",
            settings=("power.standby.watts=50",),
        ),
        Case("a meter never heard", [("17:00", panel(400))], [], until="19:00"),
    ],
    "power.banned-appliance": [
        Case("never heard", [("10:00", hall(False))], [], until="11:00"),
        Case(
            "unknown in the middle of a hold of one's own, and back",
            [("10:00", sockets(900)), ("10:12", sockets(900)), ("10:20", sockets(900))],
            [("sockets-w01", "10:12", "10:27", None)],
            settings=("power.banned-appliance.hold=15min",),
            dead=("pm-01",),
            until="10:28",
        ),
        Case(
            "800 W for longer than 60 s, at any hour",
            [("10:00", sockets(800)), ("10:01:00.001", sockets(799.999))],
            [(S, "10:00", "10:01", "10:01:00.001")],
        ),
        Case("exactly 60 s", [("10:00", sockets(1800)), ("10:01", sockets(20))], []),
        Case("799.999 W", [("10:00", sockets(799.999))], [], until="11:00"),
        Case(
            "a counter circuit, no lighting",
            [("10:00", light(1800))],
            [],
            until="11:00",
        ),
        Case(
            "over midnight of New Year",
            [("23:59:30", sockets(900)), ("+1 00:10", sockets(0))],
            [(S, "23:59:30", "+1 00:00:30", "+1 00:10")],
            day="2025-12-31",
        ),
        Case(
            "boiled again: rearm counts from the end to the next opening",
            [
                ("10:00", sockets(900)),
                ("10:05", sockets(0)),
                ("10:14", sockets(900)),
                ("10:16", sockets(0)),
                ("10:25:00.001", sockets(900)),
                ("10:27", sockets(0)),
            ],
            [(S, "10:00", "10:01", "10:16"), (S, "10:25:00.001", "10:26:00.001", "10:27")],
        ),
    ],
    "power.overload": [
        Case("never heard", [("10:00", hall(False))], [], until="11:00"),
        Case(
            "above the rated power for longer than 10 s",
            [("10:00", light(2000.001)), ("10:00:10.001", light(2000))],
            [("l-hall", "10:00", "10:00:10", "10:00:10.001")],
        ),
        Case("exactly 10 s", [("10:00", light(2500)), ("10:00:10", light(10))], []),
        Case("the rated power itself", [("10:00", light(2000))], [], until="11:00"),
        Case(
            "any circuit: counter and protected too",
            [("10:00", sockets(2501)), ("10:00:01", panel(501))],
            [(S, "10:00", "10:00:10", None), ("fire-panel", "10:00:01", "10:00:11", None)],
            until="10:01",
        ),
        Case(
            "silent while open: unknown does not end it",
            [("10:00", light(2500))],
            [("l-hall", "10:00", "10:00:10", None)],
            until="12:00",
            dead=("pm-01",),
        ),
    ],
    "power.hazard": [
        Case(
            "a spark, at once",
            [("10:00", detector("spark", True)), ("10:00:00.001", detector("spark", False))],
            [(S, "10:00", "10:00", "10:00:00.001")],
            cites=("安全 一.7",),
        ),
        Case(
            "on and off at one instant is nothing",
            [("10:00", detector("spark", True)), ("10:00", detector("spark", False))],
            [],
            until="11:00",
        ),
        Case(
            "each what has a value of its own",
            [
                ("10:00", detector("spark", True)),
                ("10:01", detector("heat", False)),
                ("10:02", detector("smell", True)),
                ("10:03", detector("spark", False)),
                ("10:20", detector("smell", False)),
            ],
            [(S, "10:00", "10:00", "10:20")],
        ),
        Case("smoke is the other rule's", [("10:00", detector("smoke", True))], [], until="11:00"),
        Case(
            "those never heard are not active: false ends it",
            [("10:00", detector("heat", True)), ("10:20", detector("heat", False))],
            [(S, "10:00", "10:00", "10:20")],
            dead=("pm-01",),
        ),
        Case(
            "silent and back with other news: still unknown, so still open",
            [("10:00", detector("heat", True)), ("10:20", alive("pm-01"))],
            [(S, "10:00", "10:00", None)],
            until="11:00",
            dead=("pm-01",),
        ),
        Case("never heard", [("10:00", light(10))], [], until="11:00"),
        Case(
            "a circuit's panel at 70 °C, and just below",
            [("10:00", climate(69.999)), ("10:01", climate(70)), ("10:02", climate(69.9))],
            [("fire-panel", "10:01", "10:01", "10:02")],
            more=(PANEL,),
        ),
        Case(
            "a detector of no circuit: its zone is the subject",
            [("10:00", ("pm-02", "detector", {"ch": "d9", "what": "smell", "active": True}))],
            [("office-1f", "10:00", "10:00", None)],
            more=(LOOSE,),
        ),
        Case(
            "several sensors of one subject: any",
            [
                ("10:00", climate(75)),
                ("10:05", ("pm-02", "detector", {"ch": "d8", "what": "heat", "active": True})),
                ("10:10", climate(40)),
                ("10:30", ("pm-02", "detector", {"ch": "d8", "what": "heat", "active": False})),
            ],
            [("fire-panel", "10:00", "10:00", "10:30")],
            more=(PANEL, SECOND),
        ),
    ],
    "fire.contact": [
        Case(
            "smoke; its subject is the zone",
            [("03:00", detector("smoke", True)), ("03:00:00.001", detector("smoke", False))],
            [(ZONE, "03:00", "03:00", "03:00:00.001")],
        ),
        Case("spark is the other rule's", [("10:00", detector("spark", True))], [], until="11:00"),
        Case(
            "a permit lifts nothing",
            [("10:00", detector("smoke", True))],
            [(ZONE, "10:00", "10:00", None)],
            until="10:01",
            permits=[("hot-work", ZONE, "09:00", "12:00"), ("special", ZONE, "09:00", "12:00")],
        ),
        Case(
            "off for exactly rearm is one, one ms more is two",
            [
                ("10:00", detector("smoke", True)),
                ("10:01", detector("smoke", False)),
                ("10:11", detector("smoke", True)),
                ("10:12", detector("smoke", False)),
                ("10:22:00.001", detector("smoke", True)),
            ],
            [(ZONE, "10:00", "10:00", "10:12"), (ZONE, "10:22:00.001", "10:22:00.001", None)],
            until="10:23",
        ),
        Case("never heard", [("10:00", light(10))], [], until="11:00"),
    ],
}


@pytest.mark.parametrize(("rule", "case"), table(CASES))
def test_case(rule: str, case: Case) -> None:
    check(rule, case)
