"""What the gateway tells of itself: alerts without a finding, each with its severity and audience.

They are no rules of the rulebook: no replay derives them, and no site file changes them.
"""

from __future__ import annotations

from gateway.rules.model import Role

DISOBEYED = "command.failed"
DEAD = "notify.dead"
UNREACHABLE = "notify.unreachable"
CHAIN = "notify.chain"
STORM = "alert.storm"
LAPSING = "rule.lapsing"
LAPSED = "rule.lapsed"
CALENDAR = "calendar.missing"
CALENDAR_BROKEN = "calendar.broken"
FAILED_RULE = "rule.failed"
CERT_DEVICE = "certificate.device"
CERT_BROKER = "certificate.broker"
CERT_AUTHORITY = "certificate.authority"

_OFFICE = (Role.FACILITIES,)
_BOTH = (Role.DUTY, Role.FACILITIES)

OWN: dict[str, tuple[str, tuple[str, ...]]] = {
    DISOBEYED: ("warning", _BOTH),
    DEAD: ("warning", _BOTH),
    UNREACHABLE: ("notice", _OFFICE),
    CHAIN: ("warning", _BOTH),
    STORM: ("warning", _BOTH),
    LAPSING: ("notice", (*_OFFICE, "admin")),
    LAPSED: ("notice", (*_OFFICE, "admin")),
    CALENDAR: ("notice", (*_OFFICE, "admin")),
    CALENDAR_BROKEN: ("warning", (*_OFFICE, "admin")),
    FAILED_RULE: ("warning", (*_OFFICE, "admin")),
    CERT_DEVICE: ("notice", (*_OFFICE, "admin")),
    CERT_BROKER: ("notice", (*_OFFICE, "admin")),
    CERT_AUTHORITY: ("notice", (*_OFFICE, "admin")),
}
