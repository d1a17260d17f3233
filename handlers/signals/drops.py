"""Whether a page lost a part of its audience at once: the level before against the level it has kept since.

The level before is the median of 48 hours that ended 12 hours ago (or, for a loss that took a day or two, 36 hours
ago; longer ago where the page was not read just then). The count 12 hours ago and every one since must lie below it by
max(500, 0.5%), and by six robust standard deviations of the page's 28 daily gains more than it loses in such a time
anyway. A reading that is held, or a dip that is over, is no loss; nor is a count that is again, and stays, exactly what
it was at a mark of the two days before: a stale copy, as far as the marks tell. What was lost more than five days ago
is no news.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import median

from handlers.model import SeriesState
from handlers.signals.history import DAY, HOUR, HistorySummary
from handlers.signals.spread import deviation

LOSS = 500
LOSS_OF_AUDIENCE = 0.005
DEVIATIONS = 6
DOWN_HOURS = 12
LEVEL_HOURS = 48
NEWS_DAYS = 5

_DOWN = DOWN_HOURS * HOUR
_LOOKS_APART = 6 * HOUR
_LOOKS = 9
_SLOW_LOOKS = 4
_LOOKS_AT_LEAST = 4
_DAYS = 28
_DAYS_AT_LEAST = 10
_DAYS_BETWEEN = 2.0  # at most, from the level before to the count that is compared with it
_LOSS_OF_THE_UNKNOWN = 0.01  # of a page whose usual days are not known yet
_MARKS_AT_LEAST = 2  # 12 hours apart or more
_NEWS_FOR = NEWS_DAYS * DAY  # a rounded count is marked when it changes, and may stay for weeks


@dataclass(frozen=True, slots=True, kw_only=True)
class Drop:
    """A loss of ``size`` likes or followers so far, from the median ``level`` before."""

    level: float
    size: float


def find_drop(series_state: SeriesState, past: HistorySummary) -> Drop | None:
    """The loss that a page has suffered within about two days and has not made up for in 12 hours; None without one.

    A rounded count must fall by more than two of its steps.
    """
    if (series_state.last.low + series_state.last.high) / 2 >= (1 - LOSS_OF_AUDIENCE) * past.highest:
        return None
    now = series_state.last.at.timestamp()
    lasting = past.since(now - _DOWN)
    if not lasting or (len(lasting) < _MARKS_AT_LEAST and series_state.last.low == series_state.last.high):
        return None
    highest = max(*lasting, series_state.last.low)
    since = _down_since(past, now)
    if now - since > _NEWS_FOR:
        return None
    levels = [level for level in _levels(past, since) if _is_loss(series_state, past, level, highest)]
    if not levels or _is_stale_copy(series_state, past, lasting):
        return None
    return Drop(level=max(levels), size=max(levels) - (series_state.last.low + series_state.last.high) / 2)


def _is_stale_copy(series_state: SeriesState, past: HistorySummary, lasting: Sequence[float]) -> bool:
    """Whether an exact count has shown nothing in these 12 hours but a number from before it was higher."""
    shown = series_state.last.count
    if series_state.last.low < series_state.last.high or set(lasting) != {shown}:
        return False
    before = list(past.counts[: len(past.counts) - len(lasting)])
    while before and before[-1] == shown:
        before.pop()
    return shown in before


def looks_down(series_state: SeriesState, past: HistorySummary) -> bool:
    """Whether the newest reading, confirmed or held, lies below the level before by as much as a loss must."""
    point = series_state.held[-1] if series_state.held else series_state.last
    since = point.at.timestamp() - _DOWN
    return any(_is_loss(series_state, past, level, point.high) for level in _levels(past, since))


def _down_since(past: HistorySummary, now: float) -> float:
    """The newest mark that is 12 hours old or more: further back where the page was not read then."""
    return past.times[bisect_right(past.times, now - _DOWN) - 1]


def _levels(past: HistorySummary, until: float) -> list[float]:
    """The middle counts of the two spans before, each looked at every 6 hours."""
    looks = [_level(past, until - back * _LOOKS_APART) for back in range(_LOOKS)]
    spans = (looks, looks[_SLOW_LOOKS:])
    known = ([count for count in span if count is not None] for span in spans)
    return [median(counts) for counts in known if len(counts) >= _LOOKS_AT_LEAST]


def _level(past: HistorySummary, time: float) -> float | None:
    """The count at a time; where it was not read, it had not fallen until it was read to have."""
    known = past.at(time)
    return None if known is None else max(known, past.counts[bisect_right(past.times, time) - 1])


def _is_loss(series_state: SeriesState, past: HistorySummary, level: float, now: float) -> bool:
    size = level - now
    width = series_state.last.high - series_state.last.low
    if size < max(LOSS, LOSS_OF_AUDIENCE * level, 2 * width):
        return False
    gains = past.gains(_DAYS)
    if len(gains) < _DAYS_AT_LEAST:
        return size >= _LOSS_OF_THE_UNKNOWN * level
    usual = max(-median(gains), 0.0) * _DAYS_BETWEEN
    return size - usual >= max(LOSS, LOSS_OF_AUDIENCE * level, DEVIATIONS * deviation(gains))
