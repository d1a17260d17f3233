"""New likes of a part (everybody abroad, or one country) over 7 and 28 days, from lists by country.

| symbol | meaning |
|---|---|
| F | the positive changes of the part over the clean steps between lists |
| N | the same of all countries |
| U | new likes without a country |
| F / N | the part's share of the new likes |
| F / (N + U) | its lower bound |
| R | what N + U exceed the gain of the page's total by: likes that were listed anew, taken off F and N |

The usual share, the baseline, is F / N over the 90 days before. These need 28 days, of which 40% are clean. Else the
baseline is the part's share of all likes, if lists are rare or most of them are unclean. A page with few days is not
judged yet, since newcomers differ from people who came long ago.

``handlers.signals.published_figures`` has the other source of findings.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from functools import partial
from operator import attrgetter

from handlers.contract import Window
from handlers.model import Figure
from handlers.signals.facts import exactly
from handlers.signals.new_likes_findings import ABROAD, Finding, NewLikesParameters, Occasion, Progress
from handlers.signals.published_figures import with_figures
from handlers.signals.shares import Flow, ListStep, Snapshot, flow, is_sparse, later, snapshots, steps, with_totals

_DAY = timedelta(days=1)
_at = attrgetter("reading.as_of")


def survey(
    window: Window, progress: Progress, home: str, parameters: NewLikesParameters, *, by_country: bool
) -> tuple[Progress, tuple[Occasion, ...]]:
    """Return every list and published figure that was not judged yet, and the progress once they are judged.

    Lists come first, each kind from the oldest on. The part to judge is ``ABROAD``. With ``by_country`` it is every
    country that has at least the excess as its share of the new likes.
    """
    totals = with_totals(progress.totals, window)
    if totals is not progress.totals:
        progress = replace(progress, totals=totals)
    occasions = [*_lists(window, progress, home, parameters, by_country=by_country)]
    if occasions:
        progress = replace(progress, lists_until=occasions[-1].at)
    progress, figures = with_figures(progress, window, home, parameters, by_country=by_country)
    return progress, (*occasions, *figures)


def _lists(
    window: Window, progress: Progress, home: str, parameters: NewLikesParameters, *, by_country: bool
) -> Iterator[Occasion]:
    series = snapshots(window, home, progress.totals)
    path = steps(window, home, progress.totals)
    for count, newest in later(series, progress.lists_until):
        inflows = window.cached(
            (_inflows, home, id(series), count, parameters.periods),  # the window's cache holds the series
            lambda: tuple(_inflows(series[:count], path[: count - 1], home, parameters)),  # noqa: B023 (called at once)
        )
        yield Occasion(
            at=newest.at,
            sparse=is_sparse(series[:count]),
            parts=_gaining(inflows, parameters.excess) if by_country else (ABROAD,),
            findings=partial(_of_inflows, inflows),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class _Inflow:
    """The flow of a period up to the newest list, the ``usual`` flow before (if known), and the list ``before`` it."""

    newest: Snapshot
    came: Flow
    usual: Flow | None
    before: Snapshot


def _gaining(inflows: Sequence[_Inflow], least: float) -> tuple[str, ...]:
    """Return the countries that have at least this share of the new likes of one of the periods."""
    shares = ((country, gained / one.came.listed) for one in inflows for country, gained in one.came.countries)
    return tuple(sorted({country for country, share in shares if share >= least}))


def _inflows(
    series: tuple[Snapshot, ...], path: tuple[ListStep, ...], home: str, parameters: NewLikesParameters
) -> Iterator[_Inflow]:
    newest = series[-1]
    for days in (parameters.short_days, parameters.long_days):
        start = newest.at - days * _DAY * (8 / 7)  # lists come late, and a month has 31 days
        came = flow(path, home, start, newest.at)
        if came is None or came.until != newest.at or came.days < parameters.clean_at_least * days:
            continue
        if came.listed <= came.relisted:
            continue
        since = came.since - parameters.baseline_days * _DAY
        oldest = series[bisect_left(series, since, key=_at)]
        before = series[bisect_right(series, came.since, key=_at) - 1]
        known = (before.at - oldest.at) / _DAY
        is_long = known >= parameters.baseline_days_at_least
        if not is_long and not is_sparse(series):
            continue
        usual = flow(path, home, since, came.since)
        is_enough = is_long and usual is not None and usual.days >= parameters.clean_at_least * known
        yield _Inflow(newest=newest, came=came, usual=usual if is_enough else None, before=before)


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
            of_all=_share_of_all(inflow.newest, part),
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
    of_all = _share_of_all(inflow.before, part)
    return replace(of_all, value=of_all.value * inflow.before.total / (inflow.before.foreign + inflow.before.home))


def _share_of_all(snapshot: Snapshot, part: str) -> Figure:
    """Return the part's share of all likes: from what is listed, up to that and everybody without a country."""
    if part == ABROAD:
        return snapshot.bounds
    listed = snapshot.reading.likes.get(part)
    low = 0.0 if listed is None else listed.value / snapshot.total
    return Figure(value=low, low=low, high=low + max(1 - snapshot.coverage, 0.0))
