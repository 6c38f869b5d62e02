"""人走灯灭: lights must not burn where nobody is, after hours, all night or by daylight."""

from __future__ import annotations

from gateway.rules.model import Act, Role, Rule, Severity, Unit, fire, proposed, safety, thrift
from gateway.rules.subjects import lighting

LEAVE = safety("一.1", "人离办公区域必须随手关灯，杜绝长明灯")
POWER_OFF = fire("七.1(3)", "下班后，能切断电源的设备应予以切断")
THRIFT = thrift("①", "办公场所自然光足够时不开灯，做到人走灯灭、无长明灯")

RULES = (
    Rule(
        id="lights.vacant",
        cites=(LEAVE, THRIFT),
        each=lighting,
        when=lambda s, c, p: s.lit(c) & ~s.present(c.zone),
        formula="照明开 & 区域无人",
        hold=proposed(Unit.DURATION, "15min"),
        severity=Severity.NOTICE,
        tells=(Role.FACILITIES,),
        acts=Act.OFF_IF_VACANT,
    ),
    Rule(
        id="lights.after-close",
        cites=(
            safety(
                "一.2", "当天值班人员，负责下班后关闭大厅办公区域内公共用电开关，工作需要的除外"
            ),
            POWER_OFF,
        ),
        each=lighting,
        when=lambda s, c, p: s.lit(c) & s.closed & ~s.permitted(c.zone) & ~s.attended,
        formula="照明开 & 下班时间 & 无豁免 & 无人值守",
        severity=Severity.WARNING,
        tells=(Role.DUTY,),
        acts=Act.OFF_IF_VACANT,
    ),
    Rule(
        id="lights.all-night",
        cites=(LEAVE,),
        each=lighting,
        when=lambda s, c, p: (
            s.lit(c) & s.between(p["between"]) & ~s.permitted(c.zone) & ~s.attended
        ),
        formula="照明开 & 夜间 & 无豁免 & 无人值守",
        hold=proposed(Unit.DURATION, "15min"),
        limits={"between": proposed(Unit.SPAN, "22:00-06:00")},
        severity=Severity.WARNING,
        tells=(Role.DUTY,),
        acts=Act.OFF_IF_VACANT,
    ),
    Rule(
        id="lights.daylight",
        cites=(THRIFT,),
        each=lighting,
        when=lambda s, c, p: s.lit(c) & s.lux(c.zone, p["lux"]) & (s.present(c.zone) | s.open),
        formula="照明开 & 照度 ≥ lux & (区域有人 | 对外办公时间)",
        hold=proposed(Unit.DURATION, "15min"),
        limits={"lux": proposed(Unit.LUX, 300)},
        severity=Severity.NOTICE,
        tells=(Role.FACILITIES,),
    ),
)
