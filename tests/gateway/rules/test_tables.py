"""Every rule has its table of cases, and no table is of a rule that is not there."""

from gateway import rules
from gateway.rules import house
from tests.gateway.rules import (
    test_aircon,
    test_devices,
    test_doors,
    test_lights,
    test_people,
    test_power,
)

TABLES = (test_lights, test_power, test_aircon, test_doors, test_people, test_devices)


def test_every_rule_has_a_table() -> None:
    tables = [rule for module in TABLES for rule in module.CASES]
    assert sorted(tables) == [
        rule.id
        for rule in rules.RULES
        # judged by arrivals and by the gateway itself, not over a log: test_ledger.py,
        # test_care.py, test_ratings.py, test_staleness.py
        if rule.id not in {*house.IDS, "device.clock", "device.stale", "rating.low"}
    ]


def test_every_table_shows_both_a_finding_and_none() -> None:
    for module in TABLES:
        for rule, cases in module.CASES.items():
            assert any(case.found for case in cases), rule
            assert any(not case.found for case in cases), rule


def test_cases_have_names_of_their_own() -> None:
    for module in TABLES:
        for rule, cases in module.CASES.items():
            names = [case.name for case in cases]
            assert len(set(names)) == len(names), rule
