"""用电安全: standby, banned appliances, overload, hazards; and smoke contacts."""

from __future__ import annotations

from typing import Any

from gateway.logic import Signal, any_of
from gateway.rules.model import Act, Role, Rule, Severity, Unit, fire, proposed, safety, thrift
from gateway.rules.subjects import counter_circuits, hazard_subjects, rated_circuits, smoke_zones
from gateway.signals import Terms


def _hazard(s: Terms, sensors: Any, p: dict[str, Any]) -> Signal:
    signs: list[Signal] = []
    for sensor in sensors:
        if sensor.kind == "detector":
            signs += [s.detects(sensor, what) for what in ("spark", "heat", "smell")]
        else:
            signs.append(s.climate(sensor, p["celsius"]))
    return any_of(*signs)


RULES = (
    Rule(
        id="power.standby",
        cites=(
            safety("一.3", "下班后无待机现象，并切各岗位总电源"),
            fire("七.1(3)", "下班后，能切断电源的设备应予以切断"),
            thrift("③", "非工作时间（加班和特殊需要外）不开启办公设备"),
        ),
        each=counter_circuits,
        when=lambda s, c, p: s.power(c, ">", p["watts"]) & s.closed & ~s.permitted(c.zone),
        formula="窗口回路 > watts & 下班时间 & 无豁免",
        hold=proposed(Unit.DURATION, "15min"),
        limits={"watts": proposed(Unit.WATTS, 5)},
        severity=Severity.NOTICE,
        tells=(Role.DUTY,),
        acts=Act.OFF_BELOW_30W,
    ),
    Rule(
        id="power.banned-appliance",
        cites=(
            safety("一.5", "严禁在办公室区域使用大功率的电炉、电暖气、电热水壶等高压负荷电器"),
            fire("七.1(4)", "禁止私用电热棒、电热水器、电炉等电器"),
        ),
        each=counter_circuits,
        when=lambda s, c, p: s.power(c, ">=", p["watts"]),
        formula="窗口回路 ≥ watts",
        hold=proposed(Unit.DURATION, "60s"),
        limits={"watts": proposed(Unit.WATTS, 800)},
        severity=Severity.WARNING,
        tells=(Role.FACILITIES,),
    ),
    Rule(
        id="power.overload",
        cites=(fire("七.1(1)", "严禁超负荷用电"),),
        each=rated_circuits,
        when=lambda s, c, p: s.power(c, ">", c.rated_w),
        formula="回路 > 额定功率",
        hold=proposed(Unit.DURATION, "10s"),
        severity=Severity.CRITICAL,
        tells=(Role.DUTY, Role.FACILITIES),
    ),
    Rule(
        id="power.hazard",
        cites=(safety("一.7", "发生打火、异味、高热……必须立即停止使用，关闭电源"),),
        each=hazard_subjects,
        when=_hazard,
        formula="打火 | 过热 | 焦味 | 配电箱 ≥ celsius",
        limits={"celsius": proposed(Unit.CELSIUS, 70)},
        severity=Severity.CRITICAL,
        tells=(Role.DUTY, Role.FACILITIES),
        acts=Act.OFF_NOT_LIGHTING,
    ),
    Rule(
        id="fire.contact",
        cites=(fire("四.5", "发现火灾时，迅速按中心火灾应急预案处理"),),
        each=smoke_zones,
        when=lambda s, sensors, p: any_of(*(s.detects(x, "smoke") for x in sensors)),
        formula="烟感触点动作",
        severity=Severity.CRITICAL,
        tells=(Role.EVERYONE,),
        shelvable=False,
    ),
)
