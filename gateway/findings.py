"""A finding (情形记录): a stretch of time in which a rule did not hold, and how it is written."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import msgspec

from gateway.clock import SHANGHAI, iso


@dataclass(frozen=True, slots=True)
class Finding:
    """Times in Unix ms; `end` is None while it holds. `cites` are article codes."""

    rule: str
    subject: str
    zone: str | None
    since: int
    start: int
    end: int | None
    severity: str
    cites: tuple[str, ...]
    evidence: dict[str, Any] = field(default_factory=dict)

    @property
    def key(self) -> tuple[str, str, int]:
        """What names it within one history: rule, subject, start."""
        return self.rule, self.subject, self.start


def order(finding: Finding) -> tuple[int, str, str]:
    """The order of replay's output."""
    return finding.start, finding.rule, finding.subject


def as_json(finding: Finding, tz: str = SHANGHAI) -> bytes:
    """One line of replay's output, without the line end."""
    return msgspec.json.encode(as_dict(finding, tz))


def as_dict(finding: Finding, tz: str = SHANGHAI) -> dict[str, Any]:
    """The contract's keys in the contract's order, instants with the offset of `tz`."""
    return {
        "rule": finding.rule,
        "subject": finding.subject,
        "zone": finding.zone,
        "since": iso(finding.since, tz),
        "start": iso(finding.start, tz),
        "end": None if finding.end is None else iso(finding.end, tz),
        "severity": finding.severity,
        "cites": list(finding.cites),
        "evidence": finding.evidence,
    }
