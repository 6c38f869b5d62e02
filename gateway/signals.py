"""What a site's formulas are made of: lit(circuit), present(zone), closed, permitted(zone), …

`Terms` belongs to one site and gives the same object for the same question, so that the graph
holds each shared part once.
"""

from __future__ import annotations

from functools import cache
from typing import Any

from gateway import logic, schedules
from gateway.logic import Channel, Compare, Pulse, Signal, any_of
from gateway.site import AirConditioner, Circuit, Counter, Opening, Sensor, Site, Source, Span
from gateway.workdays import Calendar

HOUR = 3600000
MINUTE = 60000


class Terms:
    """The vocabulary of rules for one site; every method gives a signal or a pulse."""

    def __init__(self, site: Site, calendar: Calendar) -> None:
        self.site = site
        self.calendar = calendar
        self.zone_names = {z.id: z.name for z in site.zones}
        self._sensors_of: dict[tuple[str | None, str], list[Sensor]] = {}  # None: any zone
        for sensor in site.sensors:
            for zone in (None, sensor.zone):
                self._sensors_of.setdefault((zone, sensor.kind), []).append(sensor)
        self._contacts_of: dict[str, list[Opening]] = {}
        for opening in site.openings:
            if opening.contact:
                self._contacts_of.setdefault(opening.zone, []).append(opening)
        tz = site.timezone
        self.open = logic.Timed("open", schedules.open_hours(site.hours, calendar, tz)).named(
            "对外办公时间", "open hours", "非对外办公时间", "outside open hours"
        )
        self.closed = logic.Timed("closed", schedules.closed_hours(site.hours, calendar, tz)).named(
            "下班时间", "closed", "上班时间", "not closed"
        )
        self.cooling = logic.Timed("cooling", schedules.season(site.season.cooling, tz)).named(
            "供冷季", "cooling season", "非供冷季", "not cooling season"
        )
        self.heating = logic.Timed("heating", schedules.season(site.season.heating, tz)).named(
            "供暖季", "heating season", "非供暖季", "not heating season"
        )
        self.present = cache(self._present)
        self.lit = cache(self._lit)
        self.permitted = cache(self._permitted)
        self.special = cache(self._special)
        self.between = cache(self._between)
        self.in_force = cache(self._in_force)
        self.anyone = self._anyone()
        self.entered = logic.Entered()
        self.attended = self._attended()

    # --- the hall --------------------------------------------------------------------------

    def _sensors(self, zone: str | None, kind: str) -> list[Sensor]:
        return self._sensors_of.get((zone, kind), [])

    def _presence_of(self, sensors: list[Sensor]) -> Signal:
        if not sensors:
            return logic.UNSURE
        return any_of(*dict.fromkeys(_flag(s.source, "presence", "present") for s in sensors))

    def _present(self, zone: str) -> Signal:
        name = self.zone_names[zone]
        return self._presence_of(self._sensors(zone, "presence")).named(
            f"{name}有人", f"someone in {name}", f"{name}无人", f"{name} vacant"
        )

    def _anyone(self) -> Signal:
        return self._presence_of(self._sensors(None, "presence")).named(
            "有人在内", "someone inside", "无人在内", "nobody inside"
        )

    def _attended(self) -> Signal:
        tags = frozenset(c.tag for c in self.site.checkpoints)
        presence = self.entered | logic.Tap(tags)
        return presence.within(HOUR).named(
            "值守中（登记或巡查 60 分钟内）",
            "attended (entry or patrol tap within 60 min)",
            "60 分钟内无登记或巡查",
            "no entry or patrol tap within 60 min",
        )

    def _permitted(self, zone: str) -> Signal:
        return logic.Spans(("permitted", zone)).named("有豁免", "permitted", "无豁免", "no permit")

    def _special(self, zone: str) -> Signal:
        return logic.Spans(("special", zone)).named(
            "有特殊豁免", "special permit", "无特殊豁免", "no special permit"
        )

    def _between(self, span: Span) -> Signal:
        text = f"{span.begin // 60:02}:{span.begin % 60:02}–{span.end // 60:02}:{span.end % 60:02}"
        schedule = schedules.between(span, self.site.timezone)
        return logic.Timed(f"between {text}", schedule).named(text, text)

    def _in_force(self, first: Any, last: Any) -> Signal:
        schedule = schedules.in_force(first, last, self.site.timezone)
        return logic.Timed(f"in force {first}–{last}", schedule)

    def lux(self, zone: str, at_least: float) -> Signal:
        """Any lux sensor of the zone reads so much; never true without one."""
        sensors = self._sensors(zone, "lux")
        return any_of(
            *(
                Compare(_channel(s.source, "lux", "lx"), ">=", at_least, "照度", "lux", "lx")
                for s in sensors
            )
        )

    # --- circuits, ACs, openings -----------------------------------------------------------

    def power(self, circuit: Circuit, op: str, watts: float) -> Signal:
        """The circuit's meter compares so; unknown without a meter."""
        if circuit.meter is None:
            return logic.UNSURE
        channel = _channel(circuit.meter, "power", "w")
        return Compare(channel, op, watts, circuit.name, circuit.name, "W")

    def _lit(self, circuit: Circuit) -> Signal:
        """Lights are on: by the meter, else by the relay, else unknown (contract, semantics 2)."""
        if circuit.meter is None and circuit.relay is not None:
            return _flag(circuit.relay, "relay", "on", f"{circuit.name}开", f"{circuit.name} on")
        return self.power(circuit, ">", circuit.on_above_w)

    def ac_on(self, ac: AirConditioner) -> Signal:
        return Compare(_channel(ac.source, "ac", "on"), "==", True, f"{ac.name}开", f"{ac.name} on")

    def ac_mode(self, ac: AirConditioner, *modes: str) -> Signal:
        channel = _channel(ac.source, "ac", "mode")
        return any_of(
            *(Compare(channel, "==", m, f"{ac.name}模式", f"{ac.name} mode") for m in modes)
        )

    def ac_set(self, ac: AirConditioner, op: str, degrees: float) -> Signal:
        channel = _channel(ac.source, "ac", "set")
        return Compare(channel, op, degrees, f"{ac.name}设定", f"{ac.name} set", "°C")

    def ac_in_season(self, ac: AirConditioner) -> Signal:
        """Contract, semantics 11."""
        return any_of(
            self.ac_mode(ac, "cool", "dry") & self.cooling,
            self.ac_mode(ac, "heat") & self.heating,
            self.ac_mode(ac, "auto") & any_of(self.cooling, self.heating),
            self.ac_mode(ac, "fan"),
        )

    def is_open(self, opening: Opening) -> Signal:
        if opening.contact is None:
            return logic.UNSURE
        return _flag(
            opening.contact, "contact", "open", f"{opening.name}开着", f"{opening.name} open"
        )

    def locked(self, opening: Opening) -> Signal:
        if opening.lock is None:
            return logic.UNSURE
        name = opening.name
        return _flag(opening.lock, "lock", "locked", f"{name}上锁", f"{name} locked")

    def any_open(self, zone: str) -> Signal:
        """An opening of the zone that has a contact is open."""
        return any_of(*(self.is_open(o) for o in self._contacts_of.get(zone, ())))

    # --- sensors of their own --------------------------------------------------------------

    def detects(self, sensor: Sensor, what: str) -> Signal:
        words = {"smoke": "烟", "spark": "火花", "heat": "过热", "smell": "焦味"}
        channel = Channel(sensor.source.device, sensor.source.ch, "detector", "active", what)
        return Compare(
            channel, "==", True, f"{words[what]}（{sensor.source}）", f"{what} ({sensor.source})"
        )

    def climate(self, sensor: Sensor, at_least: float) -> Signal:
        channel = _channel(sensor.source, "climate", "c")
        return Compare(channel, ">=", at_least, "配电箱温度", "panel temperature", "°C")

    def counter_present(self, counter: Counter) -> Signal:
        assert counter.presence is not None
        return _flag(counter.presence, "presence", "present").named(
            f"{counter.name}有人",
            f"someone at {counter.name}",
            f"{counter.name}窗口无人",
            f"nobody at {counter.name}",
        )

    def post_b(self, counter: Counter) -> Signal:
        """The B post has checked in at the counter's pad (contract, semantics 9)."""
        if counter.post_b is None or counter.pad is None:
            return logic.NEVER
        tap = logic.Tap(frozenset({counter.post_b}), counter.pad)
        back = self.counter_present(counter).rises()
        over = self.open.falls()
        return tap.latch(_either(back, over)).named(
            "B 岗已签到", "B post checked in", "B 岗未签到", "B post not checked in"
        )

    def moved(self, device: str) -> Signal:
        channel = Channel(device, "", "tamper", "moved")
        return Compare(channel, "==", True, f"{device} 被移动", f"{device} moved")

    def silent(self, device: str) -> Signal:
        return logic.Silent(device).named(f"{device} 无应答", f"{device} silent")

    def opened_alone(self, opening: Opening, delay: int) -> Pulse:
        """An entrance opens while closed, nobody known inside, no entry (contract, semantics 7)."""
        opened = self.is_open(opening).rises() & self.closed
        assert isinstance(opened, logic.Pulse)
        alone = opened.quiet(self.anyone, 5 * MINUTE).delay(delay)
        # instants are whole ms, so one ms more closes the far end of [t-10min, t+delay]
        no_entry = ~self.entered.within(10 * MINUTE + delay + 1)
        quiet = alone & no_entry
        assert isinstance(quiet, logic.Pulse)
        return quiet


def _either(*pulses: Pulse) -> Pulse:
    return logic.Either(pulses)


def _channel(source: Source, kind: str, field: str) -> Channel:
    return Channel(source.device, source.ch, kind, field)


def _flag(source: Source, kind: str, field: str, zh: str = "", en: str = "") -> Signal:
    channel = _channel(source, kind, field)
    return Compare(channel, "==", True, zh or str(source), en or str(source))
