"""设备通道无读数: a device that talks on while one of its sensors is not read any more.

The heartbeat (`health.ages`) says how long ago each channel was read, or null where it never was
since the device started. One older than the device's `stale_after` opens `device.stale` about the
device, which names the channels; it ends with the first report in which each of them is fresh. What
was never read is as old as the start; of a device on battery, which starts for each report and
waits for its sensors first, it is stale at once. Times Unix ms.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping
from typing import Any

from firmware import wire
from gateway import alerts
from gateway.clock import iso
from gateway.events import Event, Unknown
from gateway.ledger import Ledger
from gateway.rules import catalogue
from gateway.rules.devices import STALE
from gateway.site import Site
from gateway.turns import Changes, Turn

_YEAR_S = 366 * 86_400
# a channel's name, one that was read last at …, one that was not read since the start
_ZH = ("{}（{}）", "{} 自 {} 起没有读数", "{} 启动以来没有读数")
_EN = ("{} ({})", "{}: no reading since {}", "{}: no reading since it started")

Ages = Mapping[str, float | None]
"""Seconds since each channel was read; None where the device has not read it since it started."""


class Staleness:
    """Stage `stale`. Only the newest report of a device counts, and only while it is young enough
    to speak of now: what a backlog brings is over, and a device that says nothing is
    `device.silent`."""

    name = "stale"

    def __init__(self, site: Site) -> None:
        self._after = {d.id: d.stale_after for d in site.devices}
        self._battery = {d.id for d in site.devices if d.power == "battery"}
        self._called = things(site)
        self._tz = site.timezone
        self._on = catalogue.enabled(site.rules.get(STALE.id, {}))
        self._ledger = Ledger(lambda *_: None, site.noise, site.timezone)  # it switches nothing
        self._heard: dict[str, int] = {}  # device -> time of the report that was judged last

    def load(self, db: sqlite3.Connection, now: int) -> None:  # noqa: ARG002
        self._ledger.load(db)
        self._heard = {}

    def turn(self, db: sqlite3.Connection, turn: Turn) -> None:
        self._ledger.changes = []
        if not self._on:
            return
        for device, (t, ages) in self._newest(turn).items():
            after = self._after.get(device)
            if after is None or turn.now - t >= after:
                continue
            self._heard[device] = t
            standing = self._ledger.standing(db, STALE, device)
            evidence = self.evidence(device, t, ages, standing)
            name = self._ledger.stands(db, STALE, device, evidence, turn.now, follows=True)
            if name is not None and evidence is not None:
                told = [self._named(device, one["ch"], _ZH[0]) for one in evidence["channels"]]
                alerts.tells(db, alerts.alert_of(name), {"channels": told})

    def committed(self, turn: Turn) -> Changes:  # noqa: ARG002
        return self._ledger.changes

    def _newest(self, turn: Turn) -> dict[str, tuple[int, Ages]]:
        """(time, ages) of the newest report of each device that nothing newer has overtaken."""
        found: dict[str, tuple[int, Ages]] = {}
        for said in turn.new(wire.HEALTH):
            event = said.event
            t = said.at if said.t is None else said.t
            known = found[said.device][0] if said.device in found else self._heard.get(said.device)
            if known is None or known <= t or known > turn.now + wire.FUTURE_MS:  # clock set back
                found[said.device] = t, self._aged(said.device, event)
        return found

    def _aged(self, device: str, event: Event | Unknown) -> Ages:
        """None is left only where the device is on battery."""
        ages: Ages = getattr(event, "ages", None) or {}
        if device in self._battery:
            return ages
        return {ch: event.up / 1000 if age is None else age for ch, age in ages.items()}

    def evidence(
        self, device: str, t: int, ages: Ages, standing: Mapping[str, Any] | None
    ) -> dict[str, Any] | None:
        """What a report of `t` shows: which channels are stale, and when each was last read, None
        for never. What stands already keeps its instant, so that a finding changes only with its
        channels."""
        after = self._after[device]
        before = {one["ch"]: one["read"] for one in (standing or {}).get("channels", ())}
        stale: list[dict[str, Any]] = []
        for ch in sorted(filter(wire.is_id, ages)):
            age = ages[ch]
            if age is None or _ms(age) >= after:
                last = None if age is None else iso(t - _ms(age), self._tz)
                stale.append({"ch": ch, "read": before.get(ch) or last})
        if not stale:
            return None
        return {
            "channels": stale,
            "after_s": after // 1000,
            "zh": "；".join(self._said(device, **one, words=_ZH) for one in stale),
            "en": "; ".join(self._said(device, **one, words=_EN) for one in stale),
        }

    def _said(self, device: str, ch: str, read: str | None, words: tuple[str, str, str]) -> str:
        named, since, never = words
        name = self._named(device, ch, named)
        return never.format(name) if read is None else since.format(name, _minute(read))

    def _named(self, device: str, ch: str, form: str) -> str:
        thing = self._called.get(f"{device}/{ch}")
        return ch if thing is None else form.format(ch, thing)


def things(site: Site) -> dict[str, str]:
    """What hangs on each channel ("pm-01/c1"), as the hall's people call it."""
    zones = {zone.id: zone.name for zone in site.zones}
    return {
        **{str(s.source): zones.get(s.zone, s.zone) for s in site.sensors},
        **{str(c.presence): c.name for c in site.counters if c.presence},
        **{str(a.source): a.name for a in site.acs},
        **{str(c.meter): c.name for c in site.circuits if c.meter},
    }


def _ms(age: float) -> int:
    """An age that any device may say, as ms; a year stands for what is longer."""
    return int(min(max(age, 0), _YEAR_S) * 1000)


def _minute(at: str) -> str:
    """MM-DD HH:MM of an ISO instant."""
    return at[5:16].replace("T", " ")
