"""When a count comes to where it is in a jump that is not like its page: inside the ledger's gate, and perhaps wrong.

Wrong values inside the gate last as long as 8 hours in simulated histories (docs/alert-quality.md), so that rules that
one of them could fool ask what a jump makes to stand for longer.
"""

from __future__ import annotations

from datetime import timedelta

from handlers.model import SeriesState
from handlers.validation import usual_gain

JUMP_OF_COUNT, TIMES_ITS_PACE = 0.004, 6
STANDS_HOURS = 12


def is_jump(step: float, before: float, usual: float, days: float, *, least: float = 0.0) -> bool:
    """Whether a step from a count, in so many days, is more than 0.4% (``least`` likes) beyond six times its pace.

    ``usual`` is the page's usual gain, in likes a day.
    """
    return step > max(JUMP_OF_COUNT * before, least) + TIMES_ITS_PACE * usual * days


def has_jumped(series_state: SeriesState) -> bool:
    """Whether a page came to its newest count from the reading before in a jump that is not like it."""
    before, usual = series_state.previous, usual_gain(series_state)
    if before is None or usual is None:
        return False
    days = (series_state.last.at - before.at) / timedelta(days=1)
    return is_jump(series_state.last.low - before.high, before.count, max(usual, 0.0), days)
