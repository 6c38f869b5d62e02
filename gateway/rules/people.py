"""岗位与巡查: a counter without its person, and fire patrols that were not walked."""

from __future__ import annotations

from gateway.rules.model import Article, Role, Rule, Severity, Unit, fire, law
from gateway.rules.subjects import routes, watched_counters

PATROL = Rule(
    id="patrol.missed",
    cites=(fire("二.2", "每日值日人员负责对中心进行防火巡查"),),
    each=routes,
    when=None,
    formula="轮次到期时有点位未巡",
    severity=Severity.WARNING,
    tells=(Role.DUTY,),
    joined=False,
)

RULES = (
    Rule(
        id="post.vacant",
        cites=(
            Article(
                "考勤 第六条", "工间休息应控制在 15 分钟以内，15 分钟以上的外出应安排 B 岗人员顶岗"
            ),
            Article("AB岗 第三条", "各窗口都要确定 AB 岗，避免出现空岗现象"),
        ),
        each=watched_counters,
        when=lambda s, c, p: ~s.counter_present(c) & s.open & ~s.post_b(c),
        formula="窗口无人 & 对外办公时间 & B 岗未签到",
        hold=law(Unit.DURATION, "15min"),
        severity=Severity.NOTICE,
        tells=(Role.COUNTER,),
    ),
    PATROL,
)
