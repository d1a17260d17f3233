"""Lead: which of two pages is ahead, as far as their readings decide.

Two pages are compared at one instant: the newest instant of the page that was read less recently. The other page is
interpolated. A page that is stale or frozen is bounded instead:

========  ====================================================================================================
stale     not read for longer than max(36 hours, 3 of its polls)
frozen    its counter repeats itself although its usual gain says that it should not
bounds    1% below its newest count, up to 3 times its usual gain above; readings that are held widen the bounds
========  ====================================================================================================

A lead follows only from intervals that do not overlap.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from math import inf
from types import MappingProxyType
from typing import NamedTuple

from handlers.contract import Window
from handlers.model import Point, SeriesState
from handlers.reading_validation import frozen_since, usual_gain
from handlers.signals.jumps import has_jumped

FRESH_HOURS = 36
FRESH_POLLS = 3
SPARSE_HOURS = 48

_DAY = timedelta(days=1)
_FRESH = timedelta(hours=FRESH_HOURS)
_SPARSE_SECONDS = SPARSE_HOURS * 3600.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Lead:
    """The comparison of two pages at the instant ``at``.

    ``ahead`` is the slug whose interval lies wholly above the other's, or None if the intervals overlap.
    ``unread`` is the slug of a page that had to be bounded.
    ``sparse`` says that one reading settles the lead. That needs four things. Readings of a page are days apart. The
    two readings follow each other. The margin exceeds the leader's rounding. No page that is read more often jumped.
    """

    at: datetime
    ahead: str | None
    unread: str | None = None
    sparse: bool = False


class LeadReading(NamedTuple):
    """The bounds of a reading at an instant, from which later instants are interpolated."""

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
    """Compare two pages of one metric, in any order, or None if their readings do not decide.

    The page that was read later is interpolated from its reading before the newest, or from ``before`` if given.
    """
    earlier, later = sorted((one, other), key=lambda series: (series.last.at, series.page))
    if is_stale(earlier, later.last.at):
        at = later.last.at
        first, second = _bounds(earlier, earlier.last, at), _present(later)
    else:
        at = earlier.last.at
        first, second = _present(earlier), _present(later)
        if not second.bounded:
            second = _interpolated(later, at, before.get(later.page))
    return _conclude(earlier, first, later, second, at)


def is_stale(series: SeriesState, now: datetime) -> bool:
    """Return whether the page was not read for longer than max(36 hours, 3 of its polls)."""
    age = now - series.last.at
    return age > _FRESH and age.total_seconds() > FRESH_POLLS * (series.gap or 0.0)


def by_its_pace(series: SeriesState) -> SeriesState | None:
    """Return the series with the newest count that its usual gain predicts, or None if unknown."""
    usual, before = usual_gain(series), series.previous
    if usual is None or before is None:
        return None
    grown = round(max(usual, 0.0) * ((series.last.at - before.at) / _DAY))
    expected = replace(series.last, count=before.count + grown, low=before.low + grown, high=before.high + grown)
    return replace(series, last=expected)


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
    if winner.last.count <= loser.last.count:  # the printed counts would contradict the sentence
        return Lead(at=at, ahead=None)
    sparse = bounded is None and _are_neighbours(earlier, later) and margin > winner.last.high - winner.last.low
    sparse = sparse and not any((page.gap or 0.0) < _SPARSE_SECONDS and has_jumped(page) for page in (earlier, later))
    return Lead(at=at, ahead=winner.page, unread=bounded, sparse=sparse)


def _are_neighbours(earlier: SeriesState, later: SeriesState) -> bool:
    """Return whether readings of a page are days apart, and the later page has no reading between the two newest."""
    usual = max(earlier.gap or 0.0, later.gap or 0.0)
    return usual >= _SPARSE_SECONDS and (later.previous is None or later.previous.at <= earlier.last.at)


def _present(series: SeriesState) -> _Interval:
    frozen = frozen_since(series)
    if frozen is not None:
        return _bounds(series, frozen, series.last.at)
    return _Interval(series.last.low, series.last.high)


def _bounds(series: SeriesState, known: Point, at: datetime) -> _Interval:
    usual = usual_gain(series)
    growth = inf if usual is None else 3 * max(usual, 0.0) * ((at - known.at) / _DAY)
    waiting = series.held if series.held_metric is None else ()
    low = min([known.low * 0.99, *(point.low for point in waiting)])
    high = max([known.high + growth, *(point.high for point in waiting)])
    return _Interval(low, high, bounded=True)


def _interpolated(series: SeriesState, at: datetime, known: LeadReading | None) -> _Interval:
    """Estimate the page at an instant before its newest reading; before its oldest known point, by its usual gain."""
    after: Point | LeadReading = series.last
    before = known or series.previous
    if after.at == at or (before and before.at <= at and (before.low, before.high) == (after.low, after.high)):
        return _Interval(after.low, after.high)  # a reading at or before this instant shows the same count
    for before in (known or series.previous, series.day):
        if before is None or before.at >= after.at:
            continue
        if before.at <= at:
            part = (at - before.at) / (after.at - before.at)
            low = before.low + (after.low - before.low) * part
            return _Interval(low, before.high + (after.high - before.high) * part)
        after = before
    back = max(usual_gain(series) or 0.0, 0.0) * ((after.at - at) / _DAY)
    return _Interval(after.low - back, after.high - back)


def pair_of(one: str, other: str) -> tuple[str, str]:
    """Return the two slugs in alphabetical order: the key of a pair."""
    return (one, other) if one < other else (other, one)


def is_judged_in(window: Window, one: str, other: str) -> bool:
    """Return whether this group judges the pair: the first group that both pages joined, so each lead is told once."""
    ours, theirs = window.pages[one].groups, window.pages[other].groups
    shared = [group for group in ours if group in theirs]
    return window.scope == min(shared, key=lambda group: (ours.index(group) + theirs.index(group), group))
