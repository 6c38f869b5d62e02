"""docs/rules.md is what the rules say today."""

from pathlib import Path

from gateway import rules
from gateway.rules.table import markdown

PAGE = Path(__file__).parents[3] / "docs" / "rules.md"


def test_the_page_is_up_to_date() -> None:
    assert PAGE.read_text(encoding="utf-8") == markdown(), (
        "python -m gateway.rules.table > docs/rules.md"
    )


def test_every_rule_has_a_row_of_seven_cells_with_its_words() -> None:
    rows = {r.split("`")[1]: r for r in markdown().splitlines() if r.startswith("| `")}
    assert list(rows) == [rule.id for rule in rules.RULES]
    for rule in rules.RULES:
        row = rows[rule.id]
        assert row.replace("\\|", "").count("|") == 8
        assert all(article.words in row and article.code in row for article in rule.cites)
