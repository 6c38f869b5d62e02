"""岗位与巡查: the tables of cases of gateway/rules/people.py."""

import pytest

from tests.gateway.rules.hall import (
    ARCHIVE,
    EAST_EXIT,
    POST_A,
    POST_B,
    POWER_ROOM,
    Act,
    Case,
    Said,
    check,
    counter,
    light,
    table,
    tap,
)

W = "w01"
ROUND = (POWER_ROOM, EAST_EXIT, ARCHIVE)


def evening(*times: str) -> list[tuple[str, Act]]:
    """The daily round's taps at these times, on a holiday, when no other route is due."""
    return [("16:00", light(0)), *((t, tap(tag)) for t, tag in zip(times, ROUND, strict=False))]


HOLIDAY = "2026-10-02"
LATE = {"outcome": "late"}

CASES = {
    "post.vacant": [
        Case(
            "15 minutes and one ms",
            [("10:00", counter(False)), ("10:15:00.001", counter(True))],
            [(W, "10:00", "10:15", "10:15:00.001")],
            cites=("考勤 第六条", "AB岗 第三条"),
        ),
        Case(
            "exactly 15 minutes is within",
            [("10:00", counter(False)), ("10:15", counter(True))],
            [],
            until="11:00",
        ),
        Case(
            "counted from opening, ended by lunch and closing",
            [("08:00", counter(False))],
            [(W, "09:00", "09:15", "12:00"), (W, "13:00", "13:15", "17:00")],
            until="18:00",
        ),
        Case(
            "left 15 minutes before lunch",
            [("09:00", counter(True)), ("11:45", counter(False)), ("12:30", counter(True))],
            [],
        ),
        Case(
            "left one ms earlier",
            [("09:00", counter(True)), ("11:44:59.999", counter(False)), ("12:30", counter(True))],
            [(W, "11:44:59.999", "11:59:59.999", "12:00")],
        ),
        Case(
            "the B post's tap lifts it from its instant to the end of the open period",
            [("10:00", counter(False)), ("10:20", tap(POST_B, "pad-w01"))],
            [(W, "10:00", "10:15", "10:20"), (W, "13:00", "13:15", None)],
            until="13:30",
        ),
        Case(
            "a tap exactly at the hold",
            [("10:00", counter(False)), ("10:15", tap(POST_B, "pad-w01"))],
            [],
            until="12:30",
        ),
        Case(
            "tapped at lunch: to the end of the next open period",
            [("11:50", counter(False)), ("12:30", tap(POST_B, "pad-w01"))],
            [],
            until="18:00",
        ),
        Case(
            "tapped at the very end of a period: outside it, so the next one too",
            [("11:50", counter(False)), ("12:00", tap(POST_B, "pad-w01"))],
            [],
            until="18:00",
        ),
        Case(
            "tapped one ms before it: not the next one",
            [("11:50", counter(False)), ("11:59:59.999", tap(POST_B, "pad-w01"))],
            [(W, "13:00", "13:15", None)],
            until="13:30",
        ),
        Case(
            "the A post's card, and the B post's elsewhere, do not",
            [
                ("10:00", counter(False)),
                ("10:05", tap(POST_A, "pad-w01")),
                ("10:05", tap(POST_B, "reader-01")),
            ],
            [(W, "10:00", "10:15", None)],
            until="10:30",
        ),
        Case(
            "coming back ends the lifting",
            [
                ("10:00", counter(False)),
                ("10:05", tap(POST_B, "pad-w01")),
                ("10:20", counter(True)),
                ("10:30", counter(False)),
            ],
            [(W, "10:30", "10:45", None)],
            until="10:50",
        ),
        Case(
            "tap and coming back at one instant: the tap wins",
            [
                ("10:00", counter(False)),
                ("10:05", tap(POST_B, "pad-w01")),
                ("10:05", counter(True)),
                ("10:10", counter(False)),
            ],
            [],
            until="12:30",
        ),
        Case(
            "from unknown to present is no coming back",
            [
                ("10:00", counter(False)),
                ("10:05", tap(POST_B, "pad-w01")),
                ("10:20", counter(True)),
                ("10:25", counter(False)),
                ("10:34", counter(False)),
                ("10:43", counter(False)),
            ],
            [],
            dead=("occ-w01",),
            until="10:45",
        ),
        Case(
            "unknown in the middle of the hold",
            [("10:00", counter(False)), ("10:12", counter(False)), ("10:20", counter(False))],
            [(W, "10:12", "10:27", None)],
            dead=("occ-w01",),
            until="10:28",
        ),
        Case(
            "make-up Saturday",
            [("10:00", counter(False))],
            [(W, "10:00", "10:15", None)],
            day="2026-02-14",
            until="10:15",
        ),
        Case("another Saturday", [("10:00", counter(False))], [], "2026-02-07", until="12:00"),
        Case("New Year's day", [("10:00", counter(False))], [], "2026-01-01", until="12:00"),
        Case("never heard", [("10:00", light(0))], [], until="12:00"),
        Case(
            "switched off by the site file",
            [("10:00", counter(False))],
            [],
            until="12:00",
            settings=("post.vacant.enabled=false",),
        ),
    ],
    "patrol.missed": [
        Case(
            "nothing tapped: named in route order, ended never by the next span",
            evening(),
            [("daily", "19:00", "19:00", "+1 19:00"), ("daily", "+1 19:00", "+1 19:00", None)],
            day=HOLIDAY,
            until="+1 19:30",
            evidence={"missed": ["cp-power-room", "cp-east-exit", "cp-archive"]},
        ),
        Case(
            "the evidence says never",
            [*evening(), *(("+1 18:00", tap(t)) for t in ROUND)],
            [("daily", "19:00", "19:00", "+1 18:00")],
            day=HOLIDAY,
            until="+1 19:30",
            evidence=LATE,
        ),
        Case("complete", evening("17:10", "17:20", "17:30"), [], day=HOLIDAY, until="19:30"),
        Case(
            "the first at the span's first instant, the last at its last",
            evening("17:00", "18:00", "18:59:59.999"),
            [],
            day=HOLIDAY,
            until="19:30",
        ),
        Case(
            "one ms early does not count",
            evening("16:59:59.999", "18:00", "18:10"),
            [("daily", "19:00", "19:00", None)],
            day=HOLIDAY,
            until="19:30",
            evidence={"missed": ["cp-power-room"]},
        ),
        Case(
            "exactly at the end completes it without a finding",
            evening("17:10", "17:20", "19:00"),
            [],
            day=HOLIDAY,
            until="19:30",
        ),
        Case(
            "one ms later completes it late",
            evening("17:10", "17:20", "19:00:00.001"),
            [("daily", "19:00", "19:00", "19:00:00.001")],
            day=HOLIDAY,
            until="19:30",
            evidence={"missed": ["cp-archive"], "outcome": "late"},
        ),
        Case(
            "a tap at the end leaves the others to be missed, and counts for them",
            evening("17:10", "19:00", "19:20"),
            [("daily", "19:00", "19:00", "19:20")],
            day=HOLIDAY,
            until="19:30",
            evidence={"missed": ["cp-east-exit", "cp-archive"], "outcome": "late"},
        ),
        Case(
            "out of order and foreign taps are kept, upper case is the same tag",
            [
                ("16:00", light(0)),
                ("17:10", tap(ARCHIVE.upper())),
                ("17:10:01", tap("04ffffffff")),
                ("17:10:02", tap(EAST_EXIT)),
                ("17:10:03", tap(POWER_ROOM)),
            ],
            [],
            day=HOLIDAY,
            until="19:30",
        ),
        Case(
            "a span that began before the beginning is not judged",
            [("17:00:00.001", light(0))],
            [],
            day=HOLIDAY,
            until="20:00",
        ),
        Case(
            "one that began at the beginning is",
            [("17:00", light(0))],
            [("daily", "19:00", "19:00", None)],
            day=HOLIDAY,
            until="19:00",
        ),
        Case(
            "the end is not reached",
            evening(),
            [],
            day=HOLIDAY,
            until="18:59:59.999",
        ),
        Case(
            "back-to-back spans: a tap at the joint completes one and counts for the next",
            [
                ("08:00", light(0)),
                ("10:00", tap(EAST_EXIT)),
                ("11:00", tap(POWER_ROOM)),
                ("12:00", tap(EAST_EXIT)),
            ],
            [],
            until="13:00",
        ),
        Case(
            "a late tap counts for the missed round and for the one it falls in",
            [
                ("08:00", light(0)),
                ("11:05", tap(EAST_EXIT)),
                ("11:06", tap(POWER_ROOM)),
            ],
            [("open-hours", "11:00", "11:00", "11:06")],
            until="13:00",
            evidence=LATE,
        ),
        Case(
            "missed twice: the second span's end says never to the first",
            [
                ("08:00", light(0)),
                ("13:30", tap(EAST_EXIT)),
                ("13:31", tap(POWER_ROOM)),
            ],
            [("open-hours", "11:00", "11:00", "13:00"), ("open-hours", "13:00", "13:00", "13:31")],
            until="14:00",
        ),
        Case(
            "never, in the evidence",
            [("08:00", light(0)), ("12:00", tap(EAST_EXIT)), ("12:01", tap(ARCHIVE))],
            [("open-hours", "11:00", "11:00", "13:00"), ("open-hours", "13:00", "13:00", None)],
            until="13:00",
            evidence={"missed": ["cp-power-room", "cp-east-exit"], "outcome": "never"},
        ),
        Case(
            "open hours only on workdays, a make-up Saturday among them",
            [("08:00", light(0))],
            [("open-hours", "11:00", "11:00", None)],
            day="2026-02-14",
            until="12:00",
        ),
        Case("not on another Saturday", [("08:00", light(0))], [], "2026-02-07", until="16:59"),
        Case(
            "the last round before a holiday stays open until the next workday's first is over",
            [
                ("14:00", light(0)),
                *(("17:30", tap(t)) for t in (ARCHIVE,)),
                ("2026-10-08 09:00", tap(POWER_ROOM)),
            ],
            [
                ("open-hours", "17:00", "17:00", "2026-10-08 11:00"),
                ("daily", "19:00", "19:00", "2026-10-01 19:00"),
                *(
                    (
                        "daily",
                        f"2026-10-0{d} 19:00",
                        f"2026-10-0{d} 19:00",
                        f"2026-10-0{d + 1} 19:00",
                    )
                    for d in range(1, 7)
                ),
                ("daily", "2026-10-07 19:00", "2026-10-07 19:00", None),
                ("open-hours", "2026-10-08 11:00", "2026-10-08 11:00", None),
            ],
            day="2026-09-30",
            until="2026-10-08 11:30",
            dead=("*",),
        ),
        Case(
            "across New Year",
            evening(),
            [("daily", "19:00", "19:00", "+1 19:00"), ("daily", "+1 19:00", "+1 19:00", None)],
            day="2026-12-31",
            until="+1 19:00",
            dead=("*",),
        ),
        Case(
            "a tap without a time counts at its estimated one",
            [
                *evening("17:10", "17:20"),
                Said("19:30", tap(ARCHIVE), t=None, up=60_000, log="aaaaaaaa"),
                Said("19:31", tap(ARCHIVE), t="19:01", up=180_000, log="aaaaaaaa"),
            ],
            [],
            day=HOLIDAY,
            until="19:40",
        ),
        Case(
            "the same tap twice is one",
            [*evening("17:10", "17:10"), ("17:10", tap(POWER_ROOM)), ("17:11", tap(ARCHIVE))],
            [],
            day=HOLIDAY,
            until="19:00",
        ),
    ],
}


@pytest.mark.parametrize(("rule", "case"), table(CASES))
def test_case(rule: str, case: Case) -> None:
    check(rule, case)
