"""New likes from somewhere (from abroad, from one country) against what is usual: what both comparisons of it share.

Over 7 and 28 days, from clean steps between lists by country: F = the positive changes of the part looked at, N = those
of all countries, U+ = new likes without a country; p = F/N, lower bound p- = F/(N + U+). What N + U+ exceed the gain of
the page's total by was listed anew, and is taken off F and N. The baseline s_b is F/N over the 90 days before (28 days
of it, 40% clean), else the part's share of all likes (where lists are rare or most of them unclean: a page of which
there are few days yet is not judged, since newcomers differ from those who came long ago). It is a hit if p - s_b
reaches the limit, p- - s_b >= 0.02, z >= 3 with overdispersion 15, and F >= max(600, 0.06% T); told on 2 snapshots (1
where sparser than 8 days, or where p - s_b >= 0.20 and p- - s_b >= 0.10: in proportion where the limit is another than
0.15). An episode ends after 30 days below +0.08.

A figure as published is the other form (``handlers.signals.published_figures``); the test itself is in ``handlers.signals.new_likes_test``.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from functools import partial

from handlers.contract import Window
from handlers.model import Figure
from handlers.signals.new_likes_test import ABROAD, Finding, Occasion, Progress
from handlers.signals.published_figures import with_figures
from handlers.signals.shares import (
    Flow,
    ListStep,
    Snapshot,
    exactly,
    flow,
    is_sparse,
    later,
    snapshots,
    steps,
    with_totals,
)

WINDOWS_DAYS = (7, 28)
BASELINE_DAYS = 90
BASELINE_DAYS_AT_LEAST = 28
CLEAN_AT_LEAST = 0.4

_DAY = timedelta(days=1)


def survey(
    window: Window, progress: Progress, home: str, *, least: float | None = None
) -> tuple[Progress, tuple[Occasion, ...]]:
    """Every list and every published figure not judged yet, oldest first, and the progress once they are.

    The part looked at is ``ABROAD``; where ``least`` is given, each country that has this share of the new likes.
    """
    totals = with_totals(progress.totals, window)
    if totals is not progress.totals:
        progress = replace(progress, totals=totals)
    occasions = [*_lists(window, progress, home, least)]
    if occasions:
        progress = replace(progress, lists_until=occasions[-1].at)
    progress, figures = with_figures(progress, window, home, by_country=least is not None)
    return progress, (*occasions, *figures)


def _lists(window: Window, progress: Progress, home: str, least: float | None) -> Iterator[Occasion]:
    series = snapshots(window, home, progress.totals)
    path = steps(window, home, progress.totals)
    for count, newest in later(series, progress.lists_until):
        inflows = window.once(
            (_inflows, home, id(series), count),  # the window keeps the series
            lambda: tuple(_inflows(series[:count], path[: count - 1], home)),  # noqa: B023 (called at once)
        )
        yield Occasion(
            at=newest.at,
            sparse=is_sparse(series[:count]),
            parts=(ABROAD,) if least is None else _gaining(inflows, least),
            findings=partial(_of_inflows, inflows),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class _Inflow:
    """What came in a period up to the newest list, and before it: the page's flow (if known) and its standing then."""

    newest: Snapshot
    came: Flow
    usual: Flow | None
    standing: Snapshot


def _gaining(inflows: Sequence[_Inflow], least: float) -> tuple[str, ...]:
    """The countries that have this share of the new likes of one of the periods."""
    return tuple(
        sorted(
            {
                country
                for inflow in inflows
                for country, gained in inflow.came.countries
                if gained / inflow.came.listed >= least
            }
        )
    )


def _inflows(series: tuple[Snapshot, ...], path: tuple[ListStep, ...], home: str) -> Iterator[_Inflow]:
    newest = series[-1]
    for days in WINDOWS_DAYS:
        start = newest.at - days * _DAY * (8 / 7)  # lists come late, and a month has 31 days
        came = flow(path, home, start, newest.at)
        if came is None or came.until != newest.at or came.days < CLEAN_AT_LEAST * days:
            continue
        if came.listed <= came.relisted:
            continue
        before = came.since - BASELINE_DAYS * _DAY
        oldest = series[bisect_left(series, before, key=_at)]
        standing = series[bisect_right(series, came.since, key=_at) - 1]
        known = (standing.at - oldest.at) / _DAY
        past = flow(path, home, before, came.since)
        if known < BASELINE_DAYS_AT_LEAST and not is_sparse(series):
            continue
        enough = past is not None and known >= BASELINE_DAYS_AT_LEAST and past.days >= CLEAN_AT_LEAST * known
        yield _Inflow(newest=newest, came=came, usual=past if enough else None, standing=standing)


def _at(snapshot: Snapshot) -> datetime:
    return snapshot.at


def _of_inflows(inflows: tuple[_Inflow, ...], part: str) -> tuple[Finding, ...]:
    return tuple(
        Finding(
            reading=inflow.newest.reading,
            days=round((inflow.came.until - inflow.came.since) / _DAY),
            share=inflow.came.new_share_of(_came(inflow.came, part)),
            came=exactly(inflow.came.new_of(_came(inflow.came, part))),
            gained=exactly(inflow.came.gained),
            tested=inflow.came.listed - inflow.came.relisted,
            total=inflow.newest.total,
            baseline=_baseline(inflow, part),
            of_all=_standing(inflow.newest, part),
            unlisted=inflow.came.unlisted,
            relisted=inflow.came.relisted,
            counted_days=None if inflow.came.whole else inflow.came.days,
            countries=tuple((country, inflow.came.new_of(gained)) for country, gained in inflow.came.countries),
        )
        for inflow in inflows
    )


def _came(came: Flow, part: str) -> float:
    return came.foreign if part == ABROAD else dict(came.countries).get(part, 0.0)


def _baseline(inflow: _Inflow, part: str) -> Figure:
    if inflow.usual is not None:
        return inflow.usual.share_of(_came(inflow.usual, part))
    standing = inflow.standing
    of_all = _standing(standing, part)
    return replace(of_all, value=of_all.value * standing.total / (standing.foreign + standing.home))


def _standing(snapshot: Snapshot, part: str) -> Figure:
    """The part's share of all likes: what is listed, up to that and everybody without a country."""
    if part == ABROAD:
        return snapshot.bounds
    listed = snapshot.reading.likes.get(part)
    low = 0.0 if listed is None else listed.value / snapshot.total
    return Figure(value=low, low=low, high=low + max(1 - snapshot.coverage, 0.0))
