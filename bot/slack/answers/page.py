"""Answer about one page: its count with its age, its growth, its rank, the countries of its audience, and a chart."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

from bot.slack.answers.figures import (
    CountedPage,
    age_text,
    as_of,
    date_span,
    gap_text,
    growth,
    growth_text,
    growths,
    longer_than,
    platform_title,
    rounding_text,
    same_time,
    series_plot,
    source_spans,
    with_figures,
)
from bot.slack.answers.shares import CAVEAT, recent_since, share_lines
from bot.slack.contract import Bold, Card, Line, Moment, Plot, Reply
from bot.text import durations, phrases
from handlers.model import Page, Point, SeriesState
from storage.store import Store
from storage.values import PageSnapshot, PollTrouble

_DAY, _WEEK, _MONTH = timedelta(days=1), timedelta(days=7), timedelta(days=30)


@dataclass(frozen=True, slots=True, kw_only=True)
class _CachedParts:
    """The parts of the answer that stay the same until the store changes. Ages are not among them.

    ``first`` is the oldest figure, ``series_start`` the oldest one of the present series. ``boards`` has the ranked
    pages of each group.
    """

    snapshot: PageSnapshot | None
    first: Point | None = None
    series_start: Point | None = None
    boards: tuple[tuple[str, tuple[PageSnapshot, ...]], ...] = ()
    growth_fields: tuple[tuple[str, Line], ...] = ()
    shares: tuple[Line, ...] = ()
    plot: Plot | None = None


def page_answer(store: Store, page: Page, now: datetime, period: timedelta | None = None) -> Reply:
    """Answer with all that a journalist may print about a page, with ages and sources; also growth over ``period``."""
    since = recent_since(now)
    parts = store.cached(("page", page.slug, since, period), lambda: _parts(store, page, since, period))
    snapshot = parts.snapshot
    if snapshot is None or snapshot.series_state is None:
        trouble = tuple(_trouble(snapshot.trouble if snapshot else None))
        waiting = "It is watched, and its first figure is not in yet: ask again in a minute."
        return Reply(card=Card(headline=f"{page.name}: not read yet", lines=trouble or (waiting,)))
    state = snapshot.series_state
    counted = CountedPage(snapshot, state)
    card = Card(
        headline=f"{page.name}: {phrases.count(state.last.count)} {state.metric}",
        lines=(
            _source(counted, now),
            *_held(state),
            *_trouble(snapshot.trouble),
            *_ranks(parts, state, now),
            *parts.shares,
        ),
        fields=parts.growth_fields,
        plot=parts.plot,
        context=tuple(_context(snapshot, parts)),
    )
    return Reply(card=card, shareable=True)


def _parts(store: Store, page: Page, since: datetime, period: timedelta | None) -> _CachedParts:
    boards = {
        slug: store.readings.page_snapshots(group.pages) for slug in page.groups if (group := store.pages.group(slug))
    }
    ranked = (one for board in boards.values() for one in board if one.page.slug == page.slug)
    snapshot = next(ranked, None) or store.readings.page_snapshot(page.slug)
    if snapshot is None or snapshot.series_state is None:
        return _CachedParts(snapshot=snapshot)
    state = snapshot.series_state
    counted = CountedPage(snapshot, state)
    return _CachedParts(
        snapshot=snapshot,
        first=store.readings.first_point(page.slug),
        series_start=store.readings.point_at(page.slug, state.since),
        boards=tuple(boards.items()),
        growth_fields=tuple(_growth_fields(store, counted, period)),
        shares=share_lines(store, page, since),
        plot=series_plot(store, f"{page.name}: {state.metric}", [counted], as_of(counted), period or _MONTH),
    )


def _source(page: CountedPage, now: datetime) -> Line:
    age, *source = source_spans(page, now)
    rounding = rounding_text(page.state.last)
    return (f"Figure {age}", *source, f". Rounded there ({rounding})." if rounding else ".")


def _held(state: SeriesState) -> Iterator[Line]:
    if state.held:
        held = state.held[-1]
        yield (
            Bold("Unconfirmed:"),
            f" a newer reading says {phrases.count(held.count)} {state.held_metric or state.metric} (",
            date_span(held.at, held.dated),
            "). It is out of line with the series, so no conclusion is drawn before further readings confirm it.",
        )


def _trouble(trouble: PollTrouble | None) -> Iterator[Line]:
    if trouble is not None:
        message = f"; the last known figure is shown. {trouble.message}"
        yield (Bold("Not readable"), " since ", Moment(trouble.since), message)


def _growth_fields(store: Store, page: CountedPage, period: timedelta | None) -> Iterator[tuple[str, Line]]:
    """Yield a field for each time between two points, shortest first. For ``period``, say if no figure is that old."""
    texts = {one.over: (one.time, growth_text(one)) for one in growths(store, page, (_DAY, _WEEK, _MONTH))}
    measured = growth(store, page, period) if period else None
    if measured:
        texts[measured.over] = measured.time, growth_text(measured) + longer_than(measured, period)
    for _, (time, text) in sorted(texts.items()):
        yield f"In {time}", text
    if period and not measured:
        yield f"In {durations.length(period)}", "no figure is that old"


def _ranks(parts: _CachedParts, state: SeriesState, now: datetime) -> Iterator[Line]:
    for slug, board in parts.boards:
        rivals = [one for one in with_figures(board) if one.state.metric is state.metric]
        place = next((place for place, one in enumerate(rivals) if one.state.page == state.page), None)
        if place is None or len(rivals) == 1:
            continue
        texts = [f"{phrases.ordinal(place + 1)} of {len(rivals)} in {slug} by {state.metric}"]
        if place > 0:
            texts.append(_gap("behind", rivals[place], rivals[place - 1], now))
        if place < len(rivals) - 1:
            texts.append(_gap("ahead of", rivals[place], rivals[place + 1], now))
        yield (Bold("Rank:"), f" {'; '.join(texts)}.")


def _gap(direction: str, page: CountedPage, rival: CountedPage, now: datetime) -> str:
    rival_text = f"{rival.snapshot.page.name} ({age_text(rival, now)})"
    if not same_time(page, rival):
        return f"{direction} {rival_text}, by figures of different dates"
    ahead, behind = (page, rival) if direction == "ahead of" else (rival, page)
    gap = gap_text(ahead.state.last, behind.state.last)
    return f"{gap} {direction} {rival_text}" if gap else f"level with {rival_text}, as far as the figures show"


def _context(snapshot: PageSnapshot, parts: _CachedParts) -> Iterator[Line]:
    remark = "" if parts.growth_fields else " Growth is shown once two figures are far enough apart."
    yield f"{_history(snapshot, parts)}{remark}"
    if parts.shares:
        yield CAVEAT
    elif snapshot.page.home is None:
        yield "No home country is set, so no foreign share can be shown."


def _history(snapshot: PageSnapshot, parts: _CachedParts) -> str:
    """Say how far back the figures go, and how far back the present series goes."""
    first, start = parts.first, parts.series_start
    if first is None or start is None:
        return ""
    is_polled = first.source.startswith(platform_title(snapshot.page.platform))
    text = f"{'Watched since' if is_polled else 'First figure of'} {phrases.dated(first.at, first.dated)}."
    if start.at <= first.at:
        return text
    return (
        f"{text} Growth and chart go back to {phrases.dated(start.at, start.dated)}. Older figures count something "
        "else, or are too far away to be part of the same series."
    )
