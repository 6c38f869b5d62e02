"""What a message says: what, where, since when, the article, what was done, what to do."""

from __future__ import annotations

import tomllib
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from importlib import resources
from typing import Any

from gateway.clock import iso
from gateway.site import Site

IN_FULL = 5
MOST = 40


@dataclass(frozen=True, slots=True)
class Matter:
    """What an alert is about. `since` in Unix ms; `done` are keys of the catalogue's `done`."""

    rule: str
    subject: str
    zone: str | None
    since: int
    severity: str
    cites: tuple[str, ...]
    done: tuple[str, ...] = ()


@lru_cache(maxsize=1)
def catalogue() -> dict[str, dict[str, Any]]:
    """texts/notify.toml."""
    text = (resources.files("gateway") / "texts" / "notify.toml").read_text(encoding="utf-8")
    return tomllib.loads(text)


def names(site: Site) -> dict[str, str]:
    """What the hall's people call each thing, by id."""
    things = (site.zones, site.counters, site.openings, site.circuits, site.acs, site.routes)
    return {thing.id: thing.name for many in things for thing in many} | {"gateway": "网关"}


def headline(matter: Matter, called: dict[str, str]) -> str:
    """One line: how bad, what, where."""
    words, titles = catalogue()["words"], catalogue()["title"]
    title = titles.get(matter.rule, (matter.rule, ""))[0]
    return f"【{words[matter.severity]}】{title}：{_place(matter, called)}"


def message(matter: Matter, called: dict[str, str], tz: str, step: int) -> str:
    """All of it; `step` in ms after the alert opened: later ones say that nobody answered."""
    texts = catalogue()
    words = texts["words"]
    lines = [headline(matter, called)]
    english = texts["title"].get(matter.rule, ("", ""))[1]
    if english:
        lines.append(english)
    if step:
        lines.append(words["reminder"].format(minutes=round(step / 60_000)))
    done = "；".join(texts["done"][one] for one in matter.done) or words["nothing"]
    fields = (
        ("where", _place(matter, called)),
        ("since", iso(matter.since, tz)[:16].replace("T", " ")),
        ("article", "、".join(matter.cites) or "—"),
        ("done", done),
        ("todo", texts["todo"].get(matter.rule, words["look"])),
    )
    return "\n".join([*lines, *(f"{words[key]}：{value}" for key, value in fields)])


def joined(texts: Sequence[str]) -> str:
    """One body of several messages: a few in full, more by their first lines."""
    if len(texts) <= IN_FULL:
        return "\n\n".join(texts)
    lines = [text.partition("\n")[0] for text in texts[:MOST]]
    if len(texts) > MOST:
        lines.append(catalogue()["words"]["more"].format(count=len(texts) - MOST))
    return "\n".join(lines)


def _place(matter: Matter, called: dict[str, str]) -> str:
    thing = called.get(matter.subject, matter.subject)
    zone = called.get(matter.zone or "", matter.zone)
    return thing if zone is None or zone == thing else f"{thing}（{zone}）"
