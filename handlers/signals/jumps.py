"""Jumps: one step between two readings that is much larger than the page's usual pace.

Validation accepts such a step, and the new count may still be wrong. In simulated histories wrong counts last for up
to 8 hours (docs/alert-quality.md). Rules that a wrong count could fool therefore wait until a jump has stood longer.
"""

from __future__ import annotations

from datetime import timedelta

from handlers.model import SeriesState
from handlers.reading_validation import usual_gain

JUMP_OF_COUNT, TIMES_ITS_PACE = 0.004, 6
STANDS_HOURS = 12


def is_jump(step: float, before: float, usual: float, days: float, *, least: float = 0.0) -> bool:
    """Return whether a step (likes) from a count exceeds max(0.4% of it, ``least``) beyond six times the usual pace.

    ``usual`` is the page's usual gain in likes a day; ``days`` is how long the step took.
    """
    return step > max(JUMP_OF_COUNT * before, least) + TIMES_ITS_PACE * usual * days


def has_jumped(series_state: SeriesState) -> bool:
    """Return whether the page's newest count is a jump from the reading before."""
    before, usual = series_state.previous, usual_gain(series_state)
    if before is None or usual is None:
        return False
    days = (series_state.last.at - before.at) / timedelta(days=1)
    return is_jump(series_state.last.low - before.high, before.count, max(usual, 0.0), days)
