"""What a server's answer to a batch means."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from enum import Enum

LONGEST_WAIT_S = 3600.0


class Verdict(Enum):
    """TAKEN: it has them. WAIT: later, the same again. SPLIT: some point of the batch is at fault,
    or there are too many: halves, down to the one."""

    TAKEN = "taken"
    WAIT = "wait"
    SPLIT = "split"


@dataclass(frozen=True, slots=True)
class Answer:
    """`why` for a person; `after`: seconds that the server asked to be left alone; `mend`: it will
    stay so until a person puts something right."""

    verdict: Verdict
    why: str = ""
    after: float | None = None
    mend: bool = False


def judge(status: int, body: str, retry_after: str | None, now: datetime) -> Answer:
    """An HTTP answer; what is not known waits: a point is given up on the server's word only."""
    if 200 <= status < 300:
        return Answer(Verdict.TAKEN)
    said = f"{status}: {' '.join(body.split())[:200]}".rstrip(": ")
    if status in (400, 413, 422):
        return Answer(Verdict.SPLIT, said)
    hint = {
        401: "the token is missing or wrong",
        403: "the token may not write to the bucket",
        404: "no such bucket or organisation, or no such address",
    }.get(status)
    after = waiting(retry_after, now)
    return Answer(Verdict.WAIT, f"{hint} ({said})" if hint else said, after, hint is not None)


def waiting(text: str | None, now: datetime) -> float | None:
    """Seconds of a Retry-After header, a number or a date; None where there is none to be read."""
    if text is None:
        return None
    if text.strip().isdecimal():
        return min(float(text), LONGEST_WAIT_S)
    try:
        until = parsedate_to_datetime(text)
    except ValueError:
        return None
    if until.tzinfo is None:
        until = until.replace(tzinfo=UTC)
    return min(max(0.0, (until - now).total_seconds()), LONGEST_WAIT_S)
