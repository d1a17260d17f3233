"""Drop: whether a page lost a part of its audience at once.

The rule compares the level before with every count of the last 12 hours.

====================  =====================================================================================
level before          the median of the 48 hours that ended 12 hours ago. A second level, of the 24 hours that
                      ended 36 hours ago, finds losses that took a day or two
least loss            max(500, 0.5% of the level), and more than two steps of a rounded count
unusual loss          six robust standard deviations of the 28 daily gains, beyond the usual loss of two days
====================  =====================================================================================

No drop is found in these cases: a reading that validation holds back; a dip that is over; a loss of more than five days
ago; a count that equals exactly an earlier count of the two days before, which is a stale copy.
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
_DAYS_BETWEEN = 2.0  # at most, between the level before and the count that is compared with it
_LOSS_OF_THE_UNKNOWN = 0.01  # for a page with too few days to know its usual gain
_POINTS_AT_LEAST = 2  # at least 12 hours apart
_NEWS_FOR = NEWS_DAYS * DAY  # a rounded count has a point when it changes, which may be weeks ago


@dataclass(frozen=True, slots=True, kw_only=True)
class Drop:
    """A loss of ``size`` likes or followers from the median ``level`` before."""

    level: float
    size: float


def find_drop(series: SeriesState, history: HistorySummary) -> Drop | None:
    """Return a loss of the last two days that has lasted for 12 hours, or None if there is none."""
    if (series.last.low + series.last.high) / 2 >= (1 - LOSS_OF_AUDIENCE) * history.highest:
        return None
    now = series.last.at.timestamp()
    lasting = history.since(now - _DOWN)
    if not lasting or (len(lasting) < _POINTS_AT_LEAST and series.last.low == series.last.high):
        return None
    highest = max(*lasting, series.last.low)
    since = _down_since(history, now)
    if now - since > _NEWS_FOR:
        return None
    levels = [level for level in _levels(history, since) if _is_loss(series, history, level, highest)]
    if not levels or _is_stale_copy(series, history, lasting):
        return None
    return Drop(level=max(levels), size=max(levels) - (series.last.low + series.last.high) / 2)


def _is_stale_copy(series: SeriesState, history: HistorySummary, lasting: Sequence[float]) -> bool:
    """Return whether an exact count repeats one number for 12 hours that it also had before it was higher."""
    shown = series.last.count
    if series.last.low < series.last.high or set(lasting) != {shown}:
        return False
    before = list(history.counts[: len(history.counts) - len(lasting)])
    while before and before[-1] == shown:
        before.pop()
    return shown in before


def looks_down(series: SeriesState, history: HistorySummary) -> bool:
    """Return whether the newest reading, accepted or held, lies below the level before by a loss that counts."""
    point = series.held[-1] if series.held else series.last
    since = point.at.timestamp() - _DOWN
    return any(_is_loss(series, history, level, point.high) for level in _levels(history, since))


def _down_since(history: HistorySummary, now: float) -> float:
    """Return the time of the newest point that is at least 12 hours old."""
    return history.times[bisect_right(history.times, now - _DOWN) - 1]


def _levels(history: HistorySummary, until: float) -> list[float]:
    """Return the median counts of the two spans before ``until``, sampled every 6 hours."""
    looks = [_level(history, until - back * _LOOKS_APART) for back in range(_LOOKS)]
    spans = (looks, looks[_SLOW_LOOKS:])
    known = ([count for count in span if count is not None] for span in spans)
    return [median(counts) for counts in known if len(counts) >= _LOOKS_AT_LEAST]


def _level(history: HistorySummary, time: float) -> float | None:
    """Return the count at a time. Between two points the higher one holds, since a fall shows only when it is read."""
    known = history.at(time)
    return None if known is None else max(known, history.counts[bisect_right(history.times, time) - 1])


def _is_loss(series: SeriesState, history: HistorySummary, level: float, now: float) -> bool:
    size = level - now
    width = series.last.high - series.last.low
    if size < max(LOSS, LOSS_OF_AUDIENCE * level, 2 * width):
        return False
    gains = history.gains(_DAYS)
    if len(gains) < _DAYS_AT_LEAST:
        return size >= _LOSS_OF_THE_UNKNOWN * level
    usual = max(-median(gains), 0.0) * _DAYS_BETWEEN
    return size - usual >= max(LOSS, LOSS_OF_AUDIENCE * level, DEVIATIONS * deviation(gains))
