"""Two pages compared: how far apart they are, and how each of them grew."""

from __future__ import annotations

from datetime import datetime, timedelta

from bot.slack.answers.figures import TOGETHER, as_of, counted, gained, gap, growth, instead, provenance, together
from bot.slack.contract import Bold, Card, Line, Plot, Reply
from bot.slack.render.charts import counts_plot
from bot.text import phrases
from handlers.model import Dated, Page, Point, SeriesState
from storage.store import Store
from storage.values import PageSnapshot

_A_MONTH = timedelta(days=31)
_NEWEST = "The gap is between the newest figure of each."
_THEN = "The newest figures are of different dates: the gap is of the last date for which both are known."
_NO_GAP = "The two were never counted at about the same time, so no gap is told."
_DIFFERENT = "Likes and followers are different counts, so no gap is told."


def pair_answer(store: Store, pages: tuple[Page, Page], period: timedelta, now: datetime) -> Reply:
    """Both counts with their ages, the gap, the growth of both over ``period``, and one chart."""
    read = [store.readings.page_snapshot(page.slug) for page in pages]
    counts = [
        (latest, latest.series_state) for latest in read if latest is not None and latest.series_state is not None
    ]
    if len(counts) < len(pages):
        known = {latest.page.slug for latest, _ in counts}
        unread = phrases.listed([page.name for page in pages if page.slug not in known])
        line = "They can be compared once both have a figure. /likes and one page's name says why it has none."
        return Reply(card=Card(headline=f"No figure yet for {unread}", lines=(line,)))
    counts.sort(key=lambda one: -one[1].last.count)
    (first, ours), (second, theirs) = counts
    if ours.metric is theirs.metric:
        headline, note = _compared(store, (first, ours), (second, theirs), now)
        plot = _plot(store, counts, period)
    else:
        headline, note, plot = f"{first.page.name} and {second.page.name}", _DIFFERENT, None
    card = Card(
        headline=headline,
        lines=tuple(_told(latest, track, now) for latest, track in counts),
        fields=tuple(_grown(store, latest, track, period) for latest, track in counts),
        plot=plot,
        context=(note,),
    )
    return Reply(card=card, shareable=True)


def _compared(
    store: Store, first: tuple[PageSnapshot, SeriesState], second: tuple[PageSnapshot, SeriesState], now: datetime
) -> tuple[str, str]:
    """Who is ahead by how many, and how that was compared: now, or when both were last known."""
    (one, ours), (other, theirs) = first, second
    if together(one, other):
        of = min(as_of(one) or ours.last.at, as_of(other) or theirs.last.at)
        dated = max(ours.last.dated, theirs.last.dated, key=list(Dated).index)
        is_old = now - of > (_A_MONTH if dated is Dated.MONTH else TOGETHER)
        verb, when = (
            ("was", f" {phrases.when(of, max(dated, Dated.DAY, key=list(Dated).index))}") if is_old else ("is", "")
        )
        return _headline((one.page, ours.last), (other.page, theirs.last), f"{ours.metric}", verb, when), _NEWEST
    earlier = min(ours.last, theirs.last, key=lambda point: point.at)
    then = [(latest.page, store.readings.point_at(latest.page.slug, earlier.at)) for latest in (one, other)]
    known = [(page, point) for page, point in then if point is not None and earlier.at - point.at <= TOGETHER]
    if len(known) < len(then):
        return f"{one.page.name} and {other.page.name}", _NO_GAP
    known.sort(key=lambda pair: -pair[1].count)
    leader, behind = known
    return _headline(leader, behind, f"{ours.metric}", "was", f" {phrases.when(earlier.at, earlier.dated)}"), _THEN


def _headline(leader: tuple[Page, Point], other: tuple[Page, Point], unit: str, verb: str, when: str) -> str:
    (page, ahead), (rival, behind) = leader, other
    apart = gap(ahead, behind)
    if apart is None:
        were = "are" if verb == "is" else "were"
        return f"{page.name} and {rival.name} {were} level{when}, as far as their figures tell"
    return f"{page.name} {verb} {apart} {unit} ahead of {rival.name}{when}"


def _told(latest: PageSnapshot, track: SeriesState, now: datetime) -> Line:
    unconfirmed = " A newer reading is unconfirmed." if track.held else ""
    trouble = " It cannot be read now; the last figure is kept." if latest.trouble else ""
    return (Bold(latest.page.name), f": {counted(track)}, ", *provenance(latest, now), f".{unconfirmed}{trouble}")


def _grown(store: Store, latest: PageSnapshot, track: SeriesState, period: timedelta) -> tuple[str, Line]:
    grown = growth(store, latest, period)
    if grown is None:
        begun = store.readings.point_at(latest.page.slug, track.since) or track.last
        first = store.readings.first_point(latest.page.slug) or begun
        what = "first" if first.at >= begun.at else "the present series begins"
        return latest.page.name, f"no figure from so long ago ({what}: {phrases.date(begun.at, begun.dated)})"
    return latest.page.name, f"{gained(grown)} in {grown.time}{instead(grown, period)}"


def _plot(store: Store, counts: list[tuple[PageSnapshot, SeriesState]], period: timedelta) -> Plot | None:
    """The ``period`` up to where both are known; where that is not enough for a chart, everything up to there."""
    until = min(as_of(latest) or track.last.at for latest, track in counts) + TOGETHER
    title, unit = " and ".join(latest.page.name for latest, _ in counts), counts[0][1].metric
    for since in (until - period, min(track.since for _, track in counts)):
        series = {latest.page.name: store.readings.daily_points(latest.page.slug, since, until) for latest, _ in counts}
        plot = counts_plot(title, series, unit=unit) if all(series.values()) else None
        if plot is not None:
            return plot
    return None
