"""What the gateway has to tell of itself, kept true turn by turn as alerts without a finding.

Circuits that do not obey, channels that are dead or missing, rules that lapse, a year without its
holiday notice; and the daily test message that proves the chain to each address. Times Unix ms.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from gateway import alerts, audit, rules
from gateway.clock import iso
from gateway.commands import request
from gateway.ladder import Step
from gateway.lifecycle import Return
from gateway.notices import catalogue
from gateway.outbox import Message, put
from gateway.rota import Channels, unreachable
from gateway.selfalerts import (
    CALENDAR,
    CALENDAR_BROKEN,
    CHAIN,
    DEAD,
    DISOBEYED,
    LAPSED,
    LAPSING,
    OWN,
    UNREACHABLE,
)
from gateway.site import Site
from gateway.turns import Changes, Turn
from gateway.workdays import BROKEN, Calendar

DEAD_AFTER = 3  # tries in a row that failed
LAPSE_DAYS = 90
TEST_WAITS_MS = 15 * 60_000
_WATCHED = (DISOBEYED, DEAD, UNREACHABLE, CHAIN, LAPSING, LAPSED, CALENDAR, CALENDAR_BROKEN)


@dataclass(frozen=True, slots=True)
class Word:
    """One thing to tell of: its severity where it is not the usual one, and the particulars."""

    about: Mapping[str, Any]
    severity: str | None = None


Words = dict[tuple[str, str], Word]
"""By (rule, subject)."""


def lapses(site: Site, today: date) -> Words:
    """Rules that lapse within ninety days, or have lapsed and keep running (rulebook X6)."""
    ends: dict[date, list[str]] = {}
    for rule in rules.RULES:
        end = rule.in_force[1]
        if end is not None and site.rules.get(rule.id, {}).get("enabled", True):
            ends.setdefault(end, []).append(rule.id)
    words: Words = {}
    for end, ids in ends.items():
        about = {"last_day": (end - timedelta(days=1)).isoformat(), "rules": ids}
        if end <= today:
            words[LAPSED, end.isoformat()] = Word(about)
        elif (end - today).days <= LAPSE_DAYS:
            words[LAPSING, end.isoformat()] = Word(about)
    return words


def calendar(known: Calendar, today: date) -> Words:
    """Years without a notice, and files that cannot be used (rulebook X1)."""
    words: Words = {}
    for one in known.warnings(today):
        if one.key == BROKEN:
            words[CALENDAR_BROKEN, str(one.year)] = Word({"detail": one.detail})
        else:
            words[CALENDAR, str(one.year)] = Word({"year": one.year})
    return words


def addresses(site: Site, channels: Channels) -> Words:
    """Whom nobody can reach, known before anything has to be told."""
    missing = list(unreachable(site, channels))
    if not missing:
        return {}
    about: dict[str, Any] = {"role": sorted({role for role, who in missing if who is None})}
    about["who"] = sorted({who for _, who in missing if who is not None})
    return {(UNREACHABLE, "gateway"): Word({key: value for key, value in about.items() if value})}


class SelfWatch:
    """Stage `self-watch`, before the escalation tells of what it finds."""

    name = "self-watch"

    def __init__(self, site: Site, known: Calendar, channels: Channels, ttl_ms: int) -> None:
        self._site = site
        self._calendar = known
        self._channels = channels
        self._ttl_ms = ttl_ms
        self._zone = ZoneInfo(site.timezone)
        self._panels = [d.id for d in site.devices if d.kind == "duty-panel"]
        self._day: date | None = None
        self._daily: Words = {}
        self._standing: dict[tuple[str, str], str] = {}
        self._tested: str | None = None

    def load(self, db: sqlite3.Connection, now: int) -> None:  # noqa: ARG002
        self._day, self._daily, self._tested = None, {}, None
        marks = ",".join("?" * len(_WATCHED))
        rows = db.execute(
            f"SELECT rule, subject, id, about FROM alert WHERE rule IN ({marks}) AND active=1"
            " AND finding=''",
            _WATCHED,
        )
        self._standing = {(rule, subject): name for rule, subject, name, _ in rows}

    def turn(self, db: sqlite3.Connection, turn: Turn) -> None:
        now = turn.now
        local = datetime.fromtimestamp(now / 1000, self._zone)
        if local.date() != self._day:
            self._day = local.date()
            self._daily = {
                **lapses(self._site, self._day),
                **calendar(self._calendar, self._day),
                **addresses(self._site, self._channels),
            }
        words = {**self._daily, **self._disobeyed(db), **self._dead(db)}
        self._test(db, now, local, words)
        for key, word in words.items():
            if key not in self._standing:
                severity = word.severity or OWN[key[0]][0]
                self._standing[key] = alerts.stand(
                    db, now, *key, severity, word.about, self._site.noise
                )
        for key in [*self._standing]:
            if key not in words:
                name = self._standing.pop(key)
                alerts.apply(db, now, name, Return(), self._site.noise)

    def committed(self, turn: Turn) -> Changes:  # noqa: ARG002
        return []

    def _disobeyed(self, db: sqlite3.Connection) -> Words:
        rows = db.execute(
            "SELECT c.subject, c.desired, c.manual_why, f.rule FROM control c"
            " LEFT JOIN finding f ON f.id = c.cause WHERE c.manual_since IS NOT NULL"
        )
        return {
            (DISOBEYED, subject): Word(
                {"do": do, "why": why}, "critical" if rule == "power.hazard" else None
            )
            for subject, do, why, rule in rows
        }

    def _dead(self, db: sqlite3.Connection) -> Words:
        rows = db.execute(
            "SELECT role, url_index, channel, failing_since FROM channel_health WHERE fails>=?",
            (DEAD_AFTER,),
        )
        return {
            (DEAD, f"{role}-{index + 1}"): Word(
                {"role": role, "channel": channel, "since": iso(since, self._site.timezone)[:16]}
            )
            for role, index, channel, since in rows
            if index < len(self._channels.get(role, ())) and self._channels[role][index]
        }

    # --- the daily test -------------------------------------------------------------------

    def _test(self, db: sqlite3.Connection, now: int, local: datetime, words: Words) -> None:
        minute = self._site.noise.test_at
        if minute is None:
            return
        begins = local.replace(hour=minute // 60, minute=minute % 60, second=0, microsecond=0)
        at, today = int(begins.timestamp() * 1000), f"test-{local.date().isoformat()}"
        if at <= now < at + TEST_WAITS_MS and self._tested != today:
            self._tested = today
            self._send(db, now, today)
        elif now >= at + TEST_WAITS_MS:
            self._judge(db, today, words)
            return
        self._judge(db, f"test-{(local.date() - timedelta(days=1)).isoformat()}", words)

    def _send(self, db: sqlite3.Connection, now: int, name: str) -> None:
        text = catalogue()["words"]["test"]
        outside = text + "\n" + catalogue()["words"]["head"].format(head=audit.head(db) or "—")
        for role, schemes in self._channels.items():
            made = Message(name, 1, Step(0, "test", role), outside, now, critical=False)
            for index, scheme in enumerate(schemes):
                put(db, now, made, index, scheme, "queued" if scheme else "unaddressed")
        sounded = Message(name, 1, Step(0, "test", "siren"), text, now, critical=False)
        for index, panel in enumerate(self._panels):
            if put(db, now, sounded, index, "panel", "sent"):
                show = {"text": text}
                request(db, now, panel, None, "show", show, cause=name, ttl_ms=self._ttl_ms)

    def _judge(self, db: sqlite3.Connection, name: str, words: Words) -> None:
        """An address that should have the day's test message and has it not breaks the chain."""
        missing = [
            f"{role}-{index + 1}"
            for role, index in db.execute(
                "SELECT role, url_index FROM notification WHERE alert=? AND kind='test'"
                " AND state IN ('queued','failed') ORDER BY role, url_index",
                (name,),
            )
        ]
        missing += [
            panel
            for (panel,) in db.execute(
                "SELECT device FROM command INDEXED BY command_made WHERE made_at>=("
                "SELECT min(made_at) FROM notification WHERE alert=?1) AND cause=?1"
                " AND state<>'done' ORDER BY device",
                (name,),
            )
        ]
        if missing:
            words[CHAIN, "gateway"] = Word({"missing": missing})
