"""空调: only in season and hours, at 26/20 °C, with people inside and the windows shut."""

from __future__ import annotations

from typing import Any

from gateway.logic import Signal, any_of
from gateway.rules.model import (
    Act,
    Role,
    Rule,
    Severity,
    Unit,
    fire,
    law,
    proposed,
    safety,
    thrift,
)
from gateway.rules.subjects import acs
from gateway.signals import Terms
from gateway.site import AirConditioner

SEASON = safety(
    "一.6", "大厅空调按机关事务局统一规定的开放时间执行……未在规定的开放季节，任何人不得私自开关空调"
)
THRIFT = thrift("②", "空调执行夏季不低于26℃，冬季不高于20℃规定，无人时不开空调，开空调不开门窗")


def _setpoint(s: Terms, ac: AirConditioner, p: dict[str, Any]) -> Signal:
    cold = s.ac_set(ac, "<", p["cooling"])
    warm = s.ac_set(ac, ">", p["heating"])
    return s.ac_on(ac) & any_of(
        s.ac_mode(ac, "cool") & cold,
        s.ac_mode(ac, "heat") & warm,
        s.ac_mode(ac, "auto") & s.cooling & cold,
        s.ac_mode(ac, "auto") & s.heating & warm,
    )


RULES = (
    Rule(
        id="ac.out-of-season",
        cites=(SEASON,),
        each=acs,
        when=lambda s, a, p: s.ac_on(a) & ~s.ac_in_season(a) & ~s.special(a.zone),
        formula="空调开 & 不在开放季节 & 无特殊豁免",
        severity=Severity.WARNING,
        tells=(Role.FACILITIES,),
        acts=Act.OFF,
    ),
    Rule(
        id="ac.out-of-hours",
        cites=(SEASON, fire("七.1(3)", "下班后，能切断电源的设备应予以切断")),
        each=acs,
        when=lambda s, a, p: s.ac_on(a) & s.ac_in_season(a) & s.closed & ~s.permitted(a.zone),
        formula="空调开 & 在开放季节 & 下班时间 & 无豁免",
        severity=Severity.WARNING,
        tells=(Role.DUTY,),
        acts=Act.OFF,
    ),
    Rule(
        id="ac.setpoint",
        cites=(THRIFT,),
        each=acs,
        when=_setpoint,
        formula="空调开 & (制冷设定 < cooling | 制热设定 > heating)",
        limits={"cooling": law(Unit.CELSIUS, 26), "heating": law(Unit.CELSIUS, 20)},
        severity=Severity.NOTICE,
        tells=(Role.FACILITIES,),
        acts=Act.SET,
    ),
    Rule(
        id="ac.vacant",
        cites=(THRIFT,),
        each=acs,
        when=lambda s, a, p: s.ac_on(a) & ~s.present(a.zone),
        formula="空调开 & 区域无人",
        hold=proposed(Unit.DURATION, "15min"),
        severity=Severity.NOTICE,
        tells=(Role.FACILITIES,),
        acts=Act.OFF,
    ),
    Rule(
        id="ac.opening",
        cites=(THRIFT,),
        each=acs,
        when=lambda s, a, p: s.ac_on(a) & s.any_open(a.zone),
        formula="空调开 & 区域门窗开着",
        hold=proposed(Unit.DURATION, "3min"),
        severity=Severity.NOTICE,
        tells=(Role.FACILITIES,),
    ),
)
