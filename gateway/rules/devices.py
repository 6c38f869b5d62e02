"""设备: silence is a fault, lost events and moved devices are told."""

from __future__ import annotations

from gateway.rules.model import Article, Role, Rule, Severity
from gateway.rules.subjects import devices

LOST = Rule(
    id="device.lost",
    cites=(),
    each=devices,
    when=None,
    formula="设备丢失的记录",
    severity=Severity.WARNING,
    tells=(Role.FACILITIES,),
    joined=False,
)

CLOCK = Rule(
    id="device.clock",
    cites=(),
    each=lambda _: (),  # judged as events arrive, not over a log: see judging.py
    when=None,
    formula="设备时钟快 60 秒以上",
    severity=Severity.NOTICE,
    tells=(Role.FACILITIES,),
    joined=False,
)

STALE = Rule(
    id="device.stale",
    cites=(),
    each=lambda _: (),  # judged by what devices say of themselves: see staleness.py
    when=None,
    formula="设备在线，但某个通道超过 stale_after 没有读数",
    severity=Severity.WARNING,
    tells=(Role.FACILITIES,),
    joined=False,
)

RULES = (
    CLOCK,
    STALE,
    Rule(
        id="device.silent",
        cites=(),
        each=devices,
        when=lambda s, d, p: s.silent(d.id),
        formula="设备超过 silent_after 无消息",
        severity=Severity.WARNING,
        tells=(Role.FACILITIES,),
        joined=False,
    ),
    LOST,
    Rule(
        id="device.tamper",
        cites=(Article("卫生 二(一)", "评价器放置在大理石台面上"),),
        each=devices,
        when=lambda s, d, p: s.moved(d.id),
        formula="设备被移动或拔下",
        severity=Severity.WARNING,
        tells=(Role.FACILITIES,),
    ),
)
