"""Citizens' ratings (好差评): what counts, what it sums to, who was on duty, by which channel."""

from gateway.ratings.counting import (
    BAD,
    CHANNELS,
    DWELL_MS,
    FEW,
    POINTS,
    Counting,
    Press,
    Sums,
    Tally,
    judged,
    tallies,
)
from gateway.ratings.live import Ratings
from gateway.ratings.reading import (
    LOOK_BACK_MS,
    Rated,
    days,
    hours,
    in_steps,
    presses,
    rated,
    shown,
    summary,
    sums,
)

__all__ = [
    "BAD",
    "CHANNELS",
    "DWELL_MS",
    "FEW",
    "LOOK_BACK_MS",
    "POINTS",
    "Counting",
    "Press",
    "Rated",
    "Ratings",
    "Sums",
    "Tally",
    "days",
    "hours",
    "in_steps",
    "judged",
    "presses",
    "rated",
    "shown",
    "summary",
    "sums",
    "tallies",
]
