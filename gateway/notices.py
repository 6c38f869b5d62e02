"""What a message says: what, where, since when, the article, what was done, what to do."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from importlib import resources
from typing import Any

from gateway import duties
from gateway.clock import iso
from gateway.site import Site

IN_FULL = 5
MOST = 40


@dataclass(frozen=True, slots=True)
class Matter:
    """What an alert is about. `since` in Unix ms; `done` are keys of the catalogue's `done`.

    `others`: (subject, zone) of further alerts that are told with it; `why`: why its round began;
    `flapping`: how often it was raised of late, 0 where it does not flap; `about`: what the
    gateway says of itself; `over`: the condition is over.
    """

    rule: str
    subject: str
    zone: str | None
    since: int
    severity: str
    cites: tuple[str, ...]
    done: tuple[str, ...] = ()
    others: tuple[tuple[str, str | None], ...] = ()
    why: str = "first"
    flapping: int = 0
    about: Mapping[str, Any] = field(default_factory=dict)
    over: bool = False


@lru_cache(maxsize=1)
def catalogue() -> dict[str, dict[str, Any]]:
    """texts/notify.toml."""
    text = (resources.files("gateway") / "texts" / "notify.toml").read_text(encoding="utf-8")
    return tomllib.loads(text)


def names(site: Site) -> dict[str, str]:
    """What the hall's people call each thing, by id."""
    things = (site.zones, site.counters, site.openings, site.circuits, site.acs, site.routes)
    called = {thing.id: thing.name for many in things for thing in many} | {"gateway": "网关"}
    return called | {duty.id: duty.zh for duty in duties.table().values()}


def headline(matter: Matter, called: dict[str, str]) -> str:
    """One line: how bad, what, where; of several, how many."""
    words, titles = catalogue()["words"], catalogue()["title"]
    title = titles.get(matter.rule, (matter.rule, ""))[0]
    place = _place(matter.subject, matter.zone, called)
    if matter.others:
        place += words["and_others"].format(count=len(matter.others) + 1)
    return f"【{words['over' if matter.over else matter.severity]}】{title}：{place}"


def message(matter: Matter, called: dict[str, str], tz: str, step: int) -> str:
    """All of it; `step` in ms after the round began: later ones say that nobody answered."""
    texts = catalogue()
    words = texts["words"]
    lines = [headline(matter, called)]
    english = texts["title"].get(matter.rule, ("", ""))[1]
    if english:
        lines.append(english)
    if not matter.over:
        lines += _again(matter, words, step)
    done = "；".join(texts["done"][one] for one in matter.done) or words["nothing"]
    fields = [
        ("where", _place(matter.subject, matter.zone, called)),
        ("since", iso(matter.since, tz)[:16].replace("T", " ")),
        ("article", "、".join(matter.cites) or "—"),
        ("done", done),
        ("todo", texts["todo"].get(matter.rule, words["look"])),
    ]
    if matter.others:
        places = [_place(subject, zone, called) for subject, zone in matter.others]
        every = [fields[0][1], *places]
        fields[0] = ("where", "、".join(every[:MOST]) + (" …" if len(every) > MOST else ""))
    if matter.about:
        told = "；".join(_told(key, value, texts["about"]) for key, value in matter.about.items())
        fields.insert(1, ("about", told))
    if matter.over:
        fields = fields[:-1]
    return "\n".join([*lines, *(f"{words[key]}：{value}" for key, value in fields)])


def _again(matter: Matter, words: Mapping[str, str], step: int) -> list[str]:
    """Why it is told again, and that nobody has answered."""
    lines = [words[matter.why]] if matter.why in words else []
    if matter.flapping:
        lines.append(words["flapping"].format(count=matter.flapping))
    if step:
        lines.append(words["late"].format(minutes=round(step / 60_000)))
    return lines


def _told(key: str, value: Any, words: Mapping[str, str]) -> str:
    text = "、".join(map(str, value)) if isinstance(value, list | tuple) else str(value)
    return f"{words.get(key, key)} {words.get(text, text)}"


def joined(texts: Sequence[str]) -> str:
    """One body of several messages: a few in full, more by their first lines."""
    if len(texts) <= IN_FULL:
        return "\n\n".join(texts)
    lines = [text.partition("\n")[0] for text in texts[:MOST]]
    if len(texts) > MOST:
        lines.append(catalogue()["words"]["more"].format(count=len(texts) - MOST))
    return "\n".join(lines)


_KEPT = (
    (re.compile(r"c-([0-9a-f]{6})[0-9a-f]{10}"), "案件 {}"),
    (re.compile(r"ap-([0-9a-f]{6})[0-9a-f]{6}"), "预约 {}"),
    (re.compile(r"extinguisher (.+)"), "灭火器 {}"),
)


def kept(subject: str) -> str | None:
    """What people call a thing of the ledger: a case by the start of its id (`案件 4908E9`), never
    by its title, which may name somebody. None for anything else."""
    for pattern, words in _KEPT:
        found = pattern.fullmatch(subject)
        if found:
            return words.format(found[1].upper())
    return None


def _place(subject: str, zone: str | None, called: dict[str, str]) -> str:
    thing = called.get(subject) or kept(subject) or subject
    name = called.get(zone or "", zone)
    return thing if name is None or name == thing else f"{thing}（{name}）"
