"""What a message calls the things of the ledger."""

from __future__ import annotations

import pytest

from gateway import notices, site
from tests.gateway.api.house import SITE


@pytest.mark.parametrize(
    ("rule", "subject", "wanted"),
    [
        ("case.overdue", "c-4908e922ff409072", "【警告】案件逾期：案件 4908E9"),
        ("appointment.unmet", "ap-00ff12345678", "【警告】预约未到：预约 00FF12"),
        ("extinguisher.due", "extinguisher 01", "【警告】灭火器临近检查期：灭火器 01"),
        ("device.silent", "c-01", "【警告】设备离线：c-01"),
    ],
)
def test_which_one_it_is(rule: str, subject: str, wanted: str) -> None:
    """By its number, never by a title that may name somebody."""
    matter = notices.Matter(rule, subject, None, 0, "warning", ())
    told = notices.headline(matter, notices.names(site.load(SITE)))
    assert told.rpartition("：")[2] == wanted.rpartition("：")[2]
    assert subject == "c-01" or subject not in notices.message(matter, {}, "Asia/Shanghai", 0)
