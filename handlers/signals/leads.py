"""Who of two pages is ahead, as far as their readings say.

Two pages read at different instants are compared at tau, the earlier of their newest instants; the later page is
interpolated. A page not read for longer than max(36 h, 3 polls), or whose counter repeats itself while its rate says
it should not, is bounded instead (-1% … +3 times its rate, and whatever readings of it wait to be confirmed), and only
what the bounds decide is concluded.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from math import inf
from types import MappingProxyType
from typing import NamedTuple

from handlers.model import Point, SeriesState
from handlers.signals.jumps import has_jumped
from handlers.validation import frozen_since, usual_gain

FRESH_HOURS = 36
FRESH_POLLS = 3
SPARSE_HOURS = 48

_DAY = timedelta(days=1)
_FRESH = timedelta(hours=FRESH_HOURS)
_SPARSE_SECONDS = SPARSE_HOURS * 3600.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Lead:
    """The comparison of two pages at the instant ``at``.

    ``ahead`` is the slug whose interval lies wholly above the other's, None where they are equal or overlap.
    ``unread`` is the slug of a page that had to be bounded.
    ``sparse``: readings of one page or both are days apart, the two compared follow each other, and they separate by
    more than the leader's own rounding; and not by a jump of one that is read more often.
    """

    at: datetime
    ahead: str | None
    unread: str | None = None
    sparse: bool = False


class LeadReading(NamedTuple):
    """A reading, as far as others are interpolated from it."""

    at: datetime
    low: float
    high: float


_NONE: Mapping[str, LeadReading] = MappingProxyType({})


@dataclass(frozen=True, slots=True)
class _Interval:
    low: float
    high: float
    bounded: bool = False


def lead(one: SeriesState, other: SeriesState, before: Mapping[str, LeadReading] = _NONE) -> Lead | None:
    """Compare two pages of one metric; None where their readings cannot tell. The order of the two does not matter.

    The later page is interpolated from its reading before the newest, or from the one given for it in ``before``.
    """
    earlier, later = sorted((one, other), key=lambda series_state: (series_state.last.at, series_state.page))
    if is_stale(earlier, later.last.at):
        at = later.last.at
        first, second = _bounds(earlier, earlier.last, at), _standing(later)
    else:
        at = earlier.last.at
        first, second = _standing(earlier), _standing(later)
        if not second.bounded:
            second = _interpolated(later, at, before.get(later.page))
    return _conclude(earlier, first, later, second, at)


def is_stale(series_state: SeriesState, now: datetime) -> bool:
    """True where the page was not read for longer than max(36 h, 3 of its polls)."""
    age = now - series_state.last.at
    return age > _FRESH and age.total_seconds() > FRESH_POLLS * (series_state.gap or 0.0)


def by_its_pace(series_state: SeriesState) -> SeriesState | None:
    """The page as if its newest reading were what its usual pace makes of the one before; None if there is none."""
    usual, before = usual_gain(series_state), series_state.previous
    if usual is None or before is None:
        return None
    grown = round(max(usual, 0.0) * ((series_state.last.at - before.at) / _DAY))
    expected = replace(series_state.last, count=before.count + grown, low=before.low + grown, high=before.high + grown)
    return replace(series_state, last=expected)


def _conclude(
    earlier: SeriesState, first: _Interval, later: SeriesState, second: _Interval, at: datetime
) -> Lead | None:
    bounded = (earlier.page if first.bounded else None) or (later.page if second.bounded else None)
    if first.low > second.high:
        winner, loser, margin = earlier, later, first.low - second.high
    elif second.low > first.high:
        winner, loser, margin = later, earlier, second.low - first.high
    else:
        return None if bounded else Lead(at=at, ahead=None)
    if winner.last.count <= loser.last.count:  # what would be printed says otherwise
        return Lead(at=at, ahead=None)
    sparse = bounded is None and _are_neighbours(earlier, later) and margin > winner.last.high - winner.last.low
    sparse = sparse and not any((page.gap or 0.0) < _SPARSE_SECONDS and has_jumped(page) for page in (earlier, later))
    return Lead(at=at, ahead=winner.page, unread=bounded, sparse=sparse)


def _are_neighbours(earlier: SeriesState, later: SeriesState) -> bool:
    """Whether readings of one of them are days apart, and the later page has none between the two newest."""
    usual = max(earlier.gap or 0.0, later.gap or 0.0)
    return usual >= _SPARSE_SECONDS and (later.previous is None or later.previous.at <= earlier.last.at)


def _standing(series_state: SeriesState) -> _Interval:
    frozen = frozen_since(series_state)
    if frozen is not None:
        return _bounds(series_state, frozen, series_state.last.at)
    return _Interval(series_state.last.low, series_state.last.high)


def _bounds(series_state: SeriesState, known: Point, at: datetime) -> _Interval:
    usual = usual_gain(series_state)
    growth = inf if usual is None else 3 * max(usual, 0.0) * ((at - known.at) / _DAY)
    waiting = series_state.held if series_state.held_metric is None else ()
    low = min([known.low * 0.99, *(point.low for point in waiting)])
    high = max([known.high + growth, *(point.high for point in waiting)])
    return _Interval(low, high, bounded=True)


def _interpolated(series_state: SeriesState, at: datetime, known: LeadReading | None) -> _Interval:
    """The page at an instant no later than its newest reading; before the oldest point known, by its usual rate."""
    after: Point | LeadReading = series_state.last
    before = known or series_state.previous
    if after.at == at or (before and before.at <= at and (before.low, before.high) == (after.low, after.high)):
        return _Interval(after.low, after.high)  # it was read to be so until now
    for before in (known or series_state.previous, series_state.day):
        if before is None or before.at >= after.at:
            continue
        if before.at <= at:
            part = (at - before.at) / (after.at - before.at)
            low = before.low + (after.low - before.low) * part
            return _Interval(low, before.high + (after.high - before.high) * part)
        after = before
    back = max(usual_gain(series_state) or 0.0, 0.0) * ((after.at - at) / _DAY)
    return _Interval(after.low - back, after.high - back)
