"""Two pages compared: how far apart they are, and how each of them grew."""

from __future__ import annotations

from datetime import datetime, timedelta

from bot import words
from bot.slack.contract import Bold, Card, Line, Reply
from bot.slack.figures import as_of, counted, gained, gap, growth, provenance
from bot.slack.plots import line_plot
from handlers.model import Page, Point, Track
from storage.store import Store
from storage.values import Latest


def pair_answer(store: Store, pages: tuple[Page, Page], period: timedelta, now: datetime) -> Reply:
    """Both counts with their ages, the gap, the growth of both over ``period``, and one chart."""
    read = [store.readings.latest(page.slug) for page in pages]
    counts = [(latest, latest.track) for latest in read if latest is not None and latest.track is not None]
    if len(counts) < len(pages):
        known = {latest.page.slug for latest, _ in counts}
        unread = words.listed([page.name for page in pages if page.slug not in known])
        lines = ("They can be compared once both have a figure. /likes and one page's name says why it has none.",)
        return Reply(card=Card(headline=f"No figure yet for {unread}", lines=lines))
    counts.sort(key=lambda one: -one[1].last.count)
    (leader, ahead), (other, behind) = counts
    same = ahead.metric is behind.metric
    series = {latest.page.name: _daily(store, latest, track, period) for latest, track in counts}
    context: list[Line] = ["The two figures may be of different instants; the gap is between the newest of each."]
    if not same:
        context = ["Likes and followers are different counts, so no gap is told."]
    card = Card(
        headline=_headline(leader, ahead, other, behind) if same else f"{leader.page.name} and {other.page.name}",
        lines=tuple(_told(latest, track, now) for latest, track in counts),
        fields=tuple(_grown(store, latest, period) for latest, _ in counts),
        plot=line_plot(f"{leader.page.name} and {other.page.name}", series, unit=ahead.metric) if same else None,
        context=tuple(context),
    )
    return Reply(card=card, shareable=True)


def _headline(leader: Latest, ahead: Track, other: Latest, behind: Track) -> str:
    apart = gap(ahead.last, behind.last)
    if ahead.last.count == behind.last.count or apart is None:
        return f"{leader.page.name} and {other.page.name} are level, as far as their figures tell"
    return f"{leader.page.name} is {apart} {ahead.metric} ahead of {other.page.name}"


def _told(latest: Latest, track: Track, now: datetime) -> Line:
    unconfirmed = " A newer reading is unconfirmed." if track.held else ""
    trouble = " It cannot be read now; the last figure is kept." if latest.trouble else ""
    return (Bold(latest.page.name), f": {counted(track)}, ", *provenance(latest, now), f".{unconfirmed}{trouble}")


def _grown(store: Store, latest: Latest, period: timedelta) -> tuple[str, Line]:
    grown = growth(store, latest, period)
    if grown is None:
        since = latest.track.since if latest.track else None
        told = f"no figure from so long ago (first: {words.day(since)})" if since else "no figure from so long ago"
        return latest.page.name, told
    return latest.page.name, f"{gained(grown)} in {words.duration(grown.over)}"


def _daily(store: Store, latest: Latest, track: Track, period: timedelta) -> tuple[Point, ...]:
    until = as_of(latest) or track.last.at
    return store.readings.daily(latest.page.slug, until - period, until)
