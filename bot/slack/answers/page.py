"""One page: its count and how old it is, its growth, its rank, where its likes come from, a chart."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

from bot.slack.answers.figures import (
    DAY,
    MONTH,
    WEEK,
    age,
    as_of,
    gained,
    gap,
    growth,
    growths,
    instead,
    moment,
    provenance,
    rounded,
    title,
    together,
)
from bot.slack.answers.shares import CAVEAT, recent_since, share_lines
from bot.slack.contract import Bold, Card, Line, Moment, Plot, Reply
from bot.slack.render.charts import counts_plot
from bot.text import phrases
from handlers.model import Page, Point, SeriesState
from storage.store import Store
from storage.values import PageSnapshot, PollTrouble


@dataclass(frozen=True, slots=True, kw_only=True)
class _PageFigures:
    """What is told of a page, the same however often it is asked until the store learns more; ages are not.

    ``first`` are the oldest figure of all, and that of the present series.
    """

    latest: PageSnapshot | None
    first: tuple[Point | None, Point | None] = (None, None)
    boards: tuple[tuple[str, tuple[PageSnapshot, ...]], ...] = ()
    grown: tuple[tuple[str, Line], ...] = ()
    shares: tuple[Line, ...] = ()
    plot: Plot | None = None


def page_answer(store: Store, page: Page, now: datetime, period: timedelta | None = None) -> Reply:
    """Everything a journalist may print about one page now, with its age and its sources; also over a ``period``."""
    recent = recent_since(now)
    known = store.cached(("page", page.slug, recent, period), lambda: _known(store, page, recent, period))
    latest = known.latest
    if latest is None or latest.series_state is None:
        return Reply(card=_unread(page, latest.trouble if latest else None))
    track = latest.series_state
    card = Card(
        headline=f"{page.name}: {phrases.count(track.last.count)} {track.metric}",
        lines=(
            _source(latest, track, now),
            *_held(track),
            *_trouble(latest.trouble),
            *_ranks(known.boards, track, now),
            *known.shares,
        ),
        fields=known.grown,
        plot=known.plot,
        context=tuple(_context(latest, known.first, grown=bool(known.grown), shared=bool(known.shares))),
    )
    return Reply(card=card, shareable=True)


def _known(store: Store, page: Page, recent: datetime, period: timedelta | None) -> _PageFigures:
    boards = {
        slug: store.readings.page_snapshots(group.pages) for slug in page.groups if (group := store.pages.group(slug))
    }
    ranked = (one for board in boards.values() for one in board if one.page.slug == page.slug)
    latest = next(ranked, None) or store.readings.page_snapshot(page.slug)
    if latest is None or latest.series_state is None:
        return _PageFigures(latest=latest)
    return _PageFigures(
        latest=latest,
        first=(store.readings.first_point(page.slug), store.readings.point_at(page.slug, latest.series_state.since)),
        boards=tuple(boards.items()),
        grown=tuple(_growth(store, latest, period)),
        shares=share_lines(store, page, recent),
        plot=_plot(store, latest, latest.series_state, period or MONTH),
    )


def _unread(page: Page, trouble: PollTrouble | None) -> Card:
    waiting = "It is watched, and its first figure is not in yet: ask again in a minute."
    return Card(headline=f"{page.name}: not read yet", lines=tuple(_trouble(trouble)) or (waiting,))


def _source(latest: PageSnapshot, track: SeriesState, now: datetime) -> Line:
    age_of_it, *source = provenance(latest, now)
    rounding = rounded(track.last)
    return (f"Figure {age_of_it}", *source, f". Rounded there ({rounding})." if rounding else ".")


def _held(track: SeriesState) -> Iterator[Line]:
    if track.held:
        held = track.held[-1]
        yield (
            Bold("Unconfirmed:"),
            f" a newer reading says {phrases.count(held.count)} {track.held_metric or track.metric} (",
            moment(held.at, held.dated),
            "). It is out of line with the series, so nothing is concluded from it until further readings confirm it.",
        )


def _trouble(trouble: PollTrouble | None) -> Iterator[Line]:
    if trouble is not None:
        yield (Bold("Not readable"), " since ", Moment(trouble.since), f"; the last figure is kept. {trouble.message}")


def _growth(store: Store, latest: PageSnapshot, period: timedelta | None) -> Iterator[tuple[str, Line]]:
    """One field per length of time that is known; the same two points are not told twice.

    Of a ``period`` that was asked for it is said where no figure is so old.
    """
    told = {grown.over: (grown, gained(grown)) for grown in growths(store, latest, (DAY, WEEK, MONTH))}
    if period and (grown := growth(store, latest, period)):
        told[grown.over] = grown, gained(grown) + instead(grown, period)
    for _, (one, said) in sorted(told.items()):
        yield f"In {one.time}", said
    if period and not grown:
        yield f"In {phrases.length(period)}", "no figure from so long ago"


def _ranks(boards: Iterable[tuple[str, tuple[PageSnapshot, ...]]], track: SeriesState, now: datetime) -> Iterator[Line]:
    for slug, board in boards:
        rivals = [
            (one, one.series_state)
            for one in board
            if one.series_state is not None and one.series_state.metric is track.metric
        ]
        place = next((place for place, (one, _) in enumerate(rivals) if one.page.slug == track.page), None)
        if place is None or len(rivals) == 1:
            continue
        told = [f"{phrases.ordinal(place + 1)} of {len(rivals)} in {slug} by {track.metric}"]
        if place > 0:
            told.append(_apart("behind", rivals[place], rivals[place - 1], now))
        if place < len(rivals) - 1:
            told.append(_apart("ahead of", rivals[place], rivals[place + 1], now))
        yield (Bold("Rank:"), f" {'; '.join(told)}.")


def _apart(
    way: str, one: tuple[PageSnapshot, SeriesState], next_one: tuple[PageSnapshot, SeriesState], now: datetime
) -> str:
    (latest, track), (other, theirs) = one, next_one
    named = f"{other.page.name} ({age(other, now)})"
    if not together(latest, other):
        return f"{way} {named}, by figures of different dates"
    ahead, behind = (track, theirs) if way == "ahead of" else (theirs, track)
    apart = gap(ahead.last, behind.last)
    return f"level with {named} as far as the rounding lets one say" if apart is None else f"{apart} {way} {named}"


def _plot(store: Store, latest: PageSnapshot, track: SeriesState, period: timedelta) -> Plot | None:
    """The ``period`` by day; where that is not enough for a chart, the whole series."""
    until = as_of(latest) or track.last.at
    page = latest.page
    for since in (until - period, track.since):
        points = store.readings.daily_points(page.slug, since, until)
        plot = counts_plot(f"{page.name}: {track.metric}", {page.name: points}, unit=track.metric)
        if plot is not None:
            return plot
    return None


def _context(
    latest: PageSnapshot, first: tuple[Point | None, Point | None], *, grown: bool, shared: bool
) -> Iterator[Line]:
    yield f"{_since(latest, *first)}{'' if grown else ' Growth is told once two figures are far enough apart.'}"
    if shared:
        yield CAVEAT
    elif latest.page.home is None:
        yield "No home country is set, so no foreign share can be told."


def _since(latest: PageSnapshot, first: Point | None, begun: Point | None) -> str:
    """Since when figures are known, and since when they are one series."""
    if first is None or begun is None:
        return ""
    is_ours = first.source.startswith(title(latest.page.platform))
    said = f"{'Watched since' if is_ours else 'First figure of'} {phrases.dated(first.at, first.dated)}."
    if begun.at <= first.at:
        return said
    since = phrases.dated(begun.at, begun.dated)
    return (
        f"{said} Growth and chart go back to {since}: what is older counts something else, or is too far from it to be "
        "one series."
    )
