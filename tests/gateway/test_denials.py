"""What the broker turns away is in the audit, and a flood of it stays small."""

from __future__ import annotations

from gateway.denials import EACH, WINDOW_S, Denials, Denied


def denied(n: int) -> list[Denied]:
    return [Denied(1, None, "", f"login refused {i}") for i in range(n)]


def test_a_few_are_told_each() -> None:
    rows = Denials().rows([Denied(5, "pad-w01", "hall/1/s/x/event", "publish not allowed")], 3.0)
    assert rows == [
        {"device": "pad-w01", "topic": "hall/1/s/x/event", "reason": "publish not allowed"}
    ]


def test_a_flood_is_counted_and_loses_none() -> None:
    denials = Denials()
    rows = []
    for second in range(180):
        rows += denials.rows(denied(1000), float(second))
    rows += denials.rows([], 180.0)
    assert len(rows) == 3 * (EACH + 1)
    assert sum(row.get("more", 1) for row in rows) == 180_000


def test_the_count_of_a_flood_is_told_without_another_refusal() -> None:
    denials = Denials()
    denials.rows(denied(EACH + 5), 0.0)
    assert denials.rows([], WINDOW_S - 1) == []
    assert denials.rows([], WINDOW_S) == [{"more": 5}]
    assert denials.rows([], 3 * WINDOW_S) == []
