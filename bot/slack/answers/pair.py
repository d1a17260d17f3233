"""Compare two pages: the gap between them, and the growth of each."""

from __future__ import annotations

from datetime import datetime, timedelta

from bot.slack.answers.figures import (
    SAME_TIME,
    CountedPage,
    as_of,
    count_text,
    gap_text,
    growth,
    growth_and_time,
    same_time,
    series_plot,
    source_spans,
    with_figures,
)
from bot.slack.contract import Bold, Card, Line, Reply
from bot.text import phrases
from handlers.model import Dated, Page, Point, least_precise
from storage.store import Store

_A_MONTH = timedelta(days=31)
_NEWEST = "The gap is between the newest figure of each."
_EARLIER = "The newest figures are of different dates. The gap is of the last date with a figure of both."
_NO_GAP = "No figures of the two are of about the same time, so no gap is shown."
_DIFFERENT = "Likes and followers are different counts, so no gap is shown."


def pair_answer(store: Store, pages: tuple[Page, Page], period: timedelta, now: datetime) -> Reply:
    """Answer with both counts and their ages, the gap, the growth of both over ``period``, and one chart."""
    counted = with_figures(store.readings.page_snapshot(page.slug) for page in pages)
    if len(counted) < len(pages):
        slugs = {one.state.page for one in counted}
        unread = phrases.listed([page.name for page in pages if page.slug not in slugs])
        line = "They can be compared once both have a figure. /likes and one page's name shows why it has none."
        return Reply(card=Card(headline=f"No figure yet for {unread}", lines=(line,)))
    first, second = sorted(counted, key=lambda page: -page.state.last.count)
    headline, note, plot = _names(first, second), _DIFFERENT, None
    if first.state.metric is second.state.metric:
        headline, note = _compare(store, first, second, now)
        until = min(as_of(first), as_of(second)) + SAME_TIME
        plot = series_plot(store, _names(first, second), (first, second), until, period)
    card = Card(
        headline=headline,
        lines=tuple(_count_line(page, now) for page in (first, second)),
        fields=tuple(_growth_field(store, page, period) for page in (first, second)),
        plot=plot,
        context=(note,),
    )
    return Reply(card=card, shareable=True)


def _names(first: CountedPage, second: CountedPage) -> str:
    return f"{first.snapshot.page.name} and {second.snapshot.page.name}"


def _compare(store: Store, first: CountedPage, second: CountedPage, now: datetime) -> tuple[str, str]:
    """Return the headline and a note. The figures are the newest ones, or the last ones of about the same time."""
    figures = [(one.snapshot.page, one.state.last) for one in (first, second)]
    unit, lasts = first.state.metric, [point for _, point in figures]
    if same_time(first, second):
        at = min(as_of(first), as_of(second))
        dated = least_precise(*(point.dated for point in lasts))
        is_old = now - at > (_A_MONTH if dated is Dated.MONTH else SAME_TIME)
        when = phrases.when(at, least_precise(dated, Dated.DAY)) if is_old else ""
        return _headline(*figures, unit=unit, when=when), _NEWEST
    earlier = min(lasts, key=lambda point: point.at)
    points = [(page, store.readings.point_at(page.slug, earlier.at)) for page, _ in figures]
    found = [(page, point) for page, point in points if point is not None and earlier.at - point.at <= SAME_TIME]
    if len(found) < len(points):
        return _names(first, second), _NO_GAP
    ahead, behind = sorted(found, key=lambda pair: -pair[1].count)
    return _headline(ahead, behind, unit=unit, when=phrases.when(earlier.at, earlier.dated)), _EARLIER


def _headline(ahead: tuple[Page, Point], behind: tuple[Page, Point], *, unit: str, when: str) -> str:
    """Say which page is ahead and by how many, or which was ahead ``when``."""
    (page, point), (rival, rival_point) = ahead, behind
    gap = gap_text(point, rival_point)
    if gap is None:
        verb = f"were level {when}" if when else "are level"
        return f"{page.name} and {rival.name} {verb}, as far as their figures show"
    return f"{page.name} {'was' if when else 'is'} {gap} {unit} ahead of {rival.name} {when}".rstrip()


def _count_line(page: CountedPage, now: datetime) -> Line:
    snapshot, state = page
    unconfirmed = " A newer reading is unconfirmed." if state.held else ""
    trouble = " It cannot be read now; the last known figure is shown." if snapshot.trouble else ""
    source = source_spans(page, now)
    return (Bold(snapshot.page.name), f": {count_text(state)}, ", *source, f".{unconfirmed}{trouble}")


def _growth_field(store: Store, page: CountedPage, period: timedelta) -> tuple[str, Line]:
    snapshot, state = page
    measured = growth(store, page, period)
    if measured is not None:
        return snapshot.page.name, growth_and_time(measured, period)
    start = store.readings.point_at(snapshot.page.slug, state.since) or state.last
    first = store.readings.first_point(snapshot.page.slug) or start
    what = "first" if first.at >= start.at else "the present series begins"
    return snapshot.page.name, f"no figure is that old ({what}: {phrases.date(start.at, start.dated)})"
