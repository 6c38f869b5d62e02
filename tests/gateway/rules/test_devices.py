"""设备: the tables of cases of gateway/rules/devices.py."""

import pytest

from tests.gateway.rules.hall import (
    SITE,
    Case,
    Said,
    alive,
    check,
    hall,
    light,
    lost,
    opening,
    table,
    tamper,
    tap,
)

DEAD = ("occ-01",)
MAINS = [d.id for d in SITE.devices if d.power == "mains"]

CASES = {
    "device.silent": [
        Case(
            "a word exactly after ten minutes is in time",
            [("10:00", hall(False)), ("10:10", hall(False))],
            [],
            dead=DEAD,
        ),
        Case(
            "one ms later is not",
            [("10:00", hall(False)), ("10:10:00.001", hall(False))],
            [("occ-01", "10:10", "10:10", "10:10:00.001")],
            dead=DEAD,
        ),
        Case(
            "the very instant of silence",
            [("10:00", hall(False))],
            [("occ-01", "10:10", "10:10", None)],
            dead=DEAD,
            until="10:10",
        ),
        Case(
            "one ms before it",
            [("10:00", hall(False))],
            [],
            dead=DEAD,
            until="10:09:59.999",
        ),
        Case(
            "never heard: counted from the beginning",
            [("10:00", light(1))],
            [("occ-01", "10:10", "10:10", None)],
            dead=DEAD,
            until="10:20",
        ),
        Case(
            "first heard late",
            [("10:00", light(1)), ("11:00", hall(True))],
            [("occ-01", "10:10", "10:10", "11:00")],
            dead=DEAD,
            until="11:05",
        ),
        Case(
            "never joined",
            [("10:00", hall(True)), ("10:11", hall(True)), ("10:22", hall(True))],
            [("occ-01", "10:10", "10:10", "10:11"), ("occ-01", "10:21", "10:21", "10:22")],
            dead=DEAD,
        ),
        Case(
            "any kind is a word, on any log",
            [
                ("10:00", tap("04ffffffff")),
                Said("10:09", alive("reader-01"), t="10:09", log="bbbbbbbb"),
            ],
            [("reader-01", "10:19", "10:19", None)],
            dead=("reader-01",),
            until="10:20",
        ),
        Case(
            "a battery has 25 hours",
            [("10:00", opening("main-door", False))],
            [("door-01", "+1 11:00", "+1 11:00", None)],
            dead=("door-01",),
            until="+1 11:00",
        ),
        Case(
            "a stale word is none",
            [
                ("10:00", hall(False)),
                Said("2026-07-08 10:09:00.001", hall(False), t="10:09"),
            ],
            [("occ-01", "10:10", "10:10", None)],
            dead=DEAD,
            until="10:30",
        ),
        Case(
            "seven days to the ms are not stale",
            [("10:00", hall(False)), Said("2026-07-08 10:09", hall(False), t="10:09")],
            [("occ-01", "10:19", "10:19", None)],
            dead=DEAD,
            until="10:30",
        ),
        Case(
            "across New Year, all at once",
            [("23:55", light(1))],
            [(d, "2026-01-01 00:05", "2026-01-01 00:05", None) for d in sorted(MAINS)],
            day="2025-12-31",
            until="+1 00:06",
            dead=("*",),
        ),
    ],
    "device.lost": [
        Case(
            "since, start and end are the record's time",
            [("10:00", lost("pm-01", 5, 7))],
            [("pm-01", "10:00", "10:00", "10:00")],
            evidence={"from": 5, "to": 7, "why": "flash full"},
        ),
        Case(
            "never joined",
            [("10:00", lost("pm-01", 5, 7)), ("10:01", lost("pm-01", 9, 9))],
            [("pm-01", "10:00", "10:00", "10:00"), ("pm-01", "10:01", "10:01", "10:01")],
        ),
        Case(
            "all of them came after all",
            [
                Said("10:00", light(1), t="10:00", seq=1),
                Said("10:01", light(1), t="10:01", seq=2),
                Said("10:02", lost("pm-01", 1, 2), t="10:02", seq=3),
            ],
            [],
        ),
        Case(
            "one of them did not",
            [
                Said("10:00", light(1), t="10:00", seq=1),
                Said("10:02", lost("pm-01", 1, 2), t="10:02", seq=3),
            ],
            [("pm-01", "10:02", "10:02", "10:02")],
        ),
        Case(
            "without a time: its arrival",
            [("09:00", light(1)), Said("10:00", lost("pm-01", 5, 7), t=None, boot=2)],
            [("pm-01", "10:00", "10:00", "10:00")],
        ),
        Case(
            "a record is told once, however often it comes",
            [
                Said("10:02", lost("pm-01", 1, 2), t="10:02", seq=3),
                Said("10:07", lost("pm-01", 1, 2), t="10:02", seq=3),
            ],
            [("pm-01", "10:02", "10:02", "10:02")],
        ),
    ],
    "device.tamper": [
        Case(
            "moved, and put back one ms later",
            [("10:00", tamper("pad-w01", True)), ("10:00:00.001", tamper("pad-w01", False))],
            [("pad-w01", "10:00", "10:00", "10:00:00.001")],
        ),
        Case("not moved", [("10:00", tamper("pad-w01", False))], [], until="10:30"),
        Case(
            "moved again after exactly rearm, and one ms later",
            [
                ("10:00", tamper("pad-w01", True)),
                ("10:01", tamper("pad-w01", False)),
                ("10:11", tamper("pad-w01", True)),
                ("10:12", tamper("pad-w01", False)),
                ("10:22:00.001", tamper("pad-w01", True)),
            ],
            [
                ("pad-w01", "10:00", "10:00", "10:12"),
                ("pad-w01", "10:22:00.001", "10:22:00.001", None),
            ],
            until="10:23",
        ),
        Case(
            "silence does not end it",
            [("10:00", tamper("pad-w01", True))],
            [("pad-w01", "10:00", "10:00", None)],
            dead=("pad-w01",),
            until="12:00",
        ),
    ],
}


@pytest.mark.parametrize(("rule", "case"), table(CASES))
def test_case(rule: str, case: Case) -> None:
    check(rule, case)
