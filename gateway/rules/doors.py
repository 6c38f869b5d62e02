"""门窗与通道: exits never locked, fire doors shut, all closed and nobody inside after hours."""

from __future__ import annotations

from gateway.rules.model import Role, Rule, Severity, Unit, fire, proposed, safety
from gateway.rules.subjects import contacts, entrances, fire_doors, lockable_exits, zones
from gateway.signals import MINUTE

CLEAR = fire("三.1", "保持疏散通道、安全出口畅通，严禁……加锁等影响疏散的设施")

RULES = (
    Rule(
        id="exit.locked",
        cites=(CLEAR,),
        cites_when=((lambda s: s.open, (fire("三.3", "严禁在工作期间将安全出口上锁"), CLEAR)),),
        each=lockable_exits,
        when=lambda s, o, p: s.locked(o) & (s.open | s.anyone),
        formula="安全出口上锁 & (对外办公时间 | 有人在内)",
        hold=proposed(Unit.DURATION, "10s"),
        severity=Severity.CRITICAL,
        tells=(Role.DUTY, Role.FACILITIES),
    ),
    Rule(
        id="firedoor.open",
        cites=(fire("三.2", "保持防火门、防火卷帘……等设施处于正常状态"),),
        each=fire_doors,
        when=lambda s, o, p: s.is_open(o),
        formula="常闭防火门开着",
        hold=proposed(Unit.DURATION, "60s"),
        severity=Severity.WARNING,
        tells=(Role.DUTY,),
    ),
    Rule(
        id="premises.unclosed",
        cites=(safety("二.2", "每天下班关闭门窗，做好值日记录工作"),),
        each=contacts,
        when=lambda s, o, p: s.is_open(o) & s.closed & ~s.permitted(o.zone),
        formula="门窗开着 & 下班时间 & 无豁免",
        severity=Severity.WARNING,
        tells=(Role.DUTY,),
    ),
    Rule(
        id="premises.presence",
        cites=(
            safety(
                "二.3",
                "对外办公结束后的一小时内，窗口工作人员必须离开办公区域，无业务工作不得在大厅逗留",
            ),
        ),
        each=zones,
        when=lambda s, z, p: s.present(z.id) & s.closed & ~s.permitted(z.id) & ~s.attended,
        formula="区域有人 & 下班时间 & 无豁免 & 无人值守",
        hold=proposed(Unit.DURATION, "5min"),
        severity=Severity.WARNING,
        tells=(Role.DUTY,),
    ),
    Rule(
        id="premises.entry",
        cites=(safety("二.4", "节假日和下班后，工作人员和窗口人员原则上不得进入大厅……应进行登记"),),
        each=entrances,
        when=lambda s, o, p: s.opened_alone(o, p["hold"]),
        hold=proposed(Unit.DURATION, "60s"),
        pulse=10 * MINUTE,
        formula="入口打开 & 下班时间 & 此前 5 分钟无人在内 & 前 10 分钟至进入延时结束无登记",
        severity=Severity.CRITICAL,
        tells=(Role.DUTY,),
        joined=False,
    ),
)
