"""服务: many bad ratings at a counter. Judged by `ratings/low.py` as presses come, not a log."""

from __future__ import annotations

from gateway.rules.model import Article, Role, Rule, Severity, Unit, proposed

LOW = Rule(
    id="rating.low",
    cites=(
        Article(
            "好差评 第四条",
            "各级政务服务机构要及时回应并处理评价结果中反映的问题",
        ),
    ),
    each=lambda _: (),
    when=None,
    formula="window 内评价不少于 least 条，其中差评占 share 以上",
    severity=Severity.WARNING,
    tells=(Role.FACILITIES,),
    limits={
        "window": proposed(Unit.DURATION, "4h"),
        "least": proposed(Unit.COUNT, 10),
        "share": proposed(Unit.PERCENT, 30),
    },
    joined=False,
)

RULES = (LOW,)
