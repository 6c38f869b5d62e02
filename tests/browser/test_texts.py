"""The catalogues: Chinese holds no stray English words, English no Chinese, values agree."""

from __future__ import annotations

import re

from conftest import ROOT

from gateway.rules import RULES
from gateway.rules.catalogue import settings_of

TEXTS = ROOT / "dashboard" / "src" / "texts"
ENTRY = re.compile(r'^  "([^"]+)":\s+"((?:[^"\\]|\\.)*)",$', re.MULTILINE)
# The language switch names the other language in its own script; these are units and names.
ALLOWED = {"CSV", "AB", "EN", "InfluxDB"}


def catalogue(*patterns: str) -> dict[str, str]:
    files = [file for pattern in patterns for file in sorted(TEXTS.glob(pattern))]
    return {k: v for file in files for k, v in ENTRY.findall(file.read_text("utf-8"))}


ZH = catalogue("zh-CN*.ts", "rules.zh-CN.ts")
EN = catalogue("en*.ts", "rules.en.ts")


def test_both_have_the_same_keys_and_values() -> None:
    assert len(ZH) > 250
    assert ZH.keys() == EN.keys()
    named = re.compile(r"\{(\w+)\}")
    for key, zh in ZH.items():
        assert set(named.findall(zh)) >= set(named.findall(EN[key])), key


def test_every_rules_formula_is_there_in_english() -> None:
    given = dict(ENTRY.findall((TEXTS / "formulas.en.ts").read_text("utf-8")))
    assert given.keys() == {rule.id for rule in RULES}
    assert not [f for f in given.values() if re.search(r"[\u3000-\u9fff]", f)]
    for rule in RULES:  # the names of its settings are put in by the page
        named = {key for key in settings_of(rule) if re.search(rf"\b{key}\b", rule.formula)}
        assert not {key for key in named if not re.search(rf"\b{key}\b", given[rule.id])}, rule.id


def test_chinese_holds_no_english_words() -> None:
    bare = {k: re.sub(r"\{\w+\}", "", v) for k, v in ZH.items()}
    stray = {k: v for k, v in bare.items() if set(re.findall(r"[A-Za-z]{2,}", v)) - ALLOWED}
    assert stray == {}


def test_english_holds_no_chinese() -> None:
    stray = {k: v for k, v in EN.items() if re.search(r"[\u3000-\u9fff\uff00-\uffef]", v)}
    assert stray == {"switch.lang": "中"}
