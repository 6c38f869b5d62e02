"""网关: what the gateway finds wrong with itself. Judged by `care.py`, not over a log."""

from __future__ import annotations

from gateway.rules.model import Role, Rule, Severity


def _rule(name: str, formula: str, severity: Severity) -> Rule:
    return Rule(
        id=f"gateway.{name}",
        cites=(),
        each=lambda _: (),
        when=None,
        formula=formula,
        severity=severity,
        tells=(Role.FACILITIES,),
        joined=False,
    )


DISK = _rule("disk", "磁盘剩余空间低于下限", Severity.WARNING)
STORE = _rule("store", "数据库自检不通过", Severity.WARNING)
BACKUP = _rule("backup", "备份或恢复演练失败", Severity.WARNING)
CLOCK = _rule("clock", "网关时钟跳变 2 秒以上，或三天未校时", Severity.WARNING)
DROPPED = _rule("dropped", "消息代理丢弃了消息（$SYS 计数增加）", Severity.NOTICE)
SLOW = _rule("slow", "五分钟内五次以上写盘超过 1 秒", Severity.NOTICE)

RULES = (BACKUP, CLOCK, DISK, DROPPED, SLOW, STORE)
IDS = frozenset(rule.id for rule in RULES)
