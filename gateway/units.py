"""Text of the site file as numbers: durations, times of day, spans, tags.

Each function raises ValueError whose text says what is allowed.
"""

from __future__ import annotations

import re

SECOND = 1_000
MINUTE = 60_000
HOUR = 3_600_000
DAY = 86_400_000

ID_ALLOWED = "1 to 32 of a-z, 0-9 and -"
DURATION_ALLOWED = 'a duration such as "15min", "60s", "1h30min", "500ms", "1d"'
TIME_ALLOWED = 'a time "HH:MM" from 00:00 to 23:59'
SPAN_ALLOWED = 'a span "HH:MM-HH:MM"'

_ID = re.compile(r"[a-z0-9-]{1,32}")
_HEX = re.compile(r"[0-9a-f]{1,64}")
_TIME = re.compile(r"([0-9]{2}):([0-9]{2})")
_DURATION = re.compile(
    r"(?:([0-9]{1,4})d)?(?:([0-9]{1,6})h)?(?:([0-9]{1,7})min)?(?:([0-9]{1,9})s)?(?:([0-9]{1,12})ms)?"
)
_SCALES = (DAY, HOUR, MINUTE, SECOND, 1)


def duration(text: object) -> int:
    """Milliseconds of "1h30min"; the units d, h, min, s, ms, each at most once, in that order."""
    found = _DURATION.fullmatch(text) if isinstance(text, str) and text else None
    if found is None:
        raise ValueError(f"must be {DURATION_ALLOWED}")
    parts = zip(found.groups(), _SCALES, strict=True)
    return sum(int(n) * scale for n, scale in parts if n is not None)


def duration_text(ms: int) -> str:
    """The shortest text that `duration` reads as `ms`."""
    if ms < 0:
        raise ValueError("a duration is not negative")
    out = []
    for unit, scale in zip(("d", "h", "min", "s", "ms"), _SCALES, strict=True):
        n, ms = divmod(ms, scale)
        if n:
            out.append(f"{n}{unit}")
    return "".join(out) or "0s"


def identifier(text: object) -> str:
    """An id as topics carry it."""
    if not isinstance(text, str) or not _ID.fullmatch(text):
        raise ValueError(f"must be {ID_ALLOWED}")
    return text


def hex_tag(text: object) -> str:
    """A card's or tag's number in lower-case hex."""
    if not isinstance(text, str) or not _HEX.fullmatch(text.lower()):
        raise ValueError('must be a tag or card number in hex text, such as "04a1b2c3d4"')
    return text.lower()


def minute_of_day(text: object, *, end: bool = False) -> int:
    """Minutes since midnight of "HH:MM"; "24:00" only as an end."""
    allowed = 'a time "HH:MM" from 00:00 to 24:00' if end else TIME_ALLOWED
    found = _TIME.fullmatch(text) if isinstance(text, str) else None
    if found is None:
        raise ValueError(f"must be {allowed}")
    hour, minute = int(found[1]), int(found[2])
    total = hour * 60 + minute
    if minute > 59 or total > (1440 if end else 1439):
        raise ValueError(f"must be {allowed}")
    return total


def span(text: object) -> tuple[int, int]:
    """(begin, end) in minutes of "22:00-06:00"; end <= begin runs past midnight."""
    begin, dash, end = text.partition("-") if isinstance(text, str) else ("", "", "")
    if not dash:
        raise ValueError(f"must be {SPAN_ALLOWED}")
    try:
        pair = minute_of_day(begin), minute_of_day(end, end=True)
    except ValueError:
        raise ValueError(f"must be {SPAN_ALLOWED}, from 00:00 to 24:00") from None
    if pair[0] == pair[1]:
        raise ValueError("must not begin and end at the same time")
    return pair
