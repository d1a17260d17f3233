"""A board of rivals: counts, ages and the growth of a week, highest first."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta

from bot.pages.lookup import HOW_TO_START
from bot.slack.answers.figures import WEEK, age, counted, gained, growth, instead, together
from bot.slack.contract import Bold, Call, Card, Chart, Line, Plot, Reply, Series
from bot.text import phrases
from handlers.model import Metric, SeriesState
from storage.store import Store
from storage.values import Group, PageSnapshot, Target

MOST_ROWS = 20
MOST_GROUPS = 5


def group_answer(store: Store, group: Group, now: datetime, period: timedelta | None = None) -> Reply:
    """The board of one group, with the growth of a week, or of the ``period`` asked for."""
    board = store.readings.page_snapshots(group.pages)
    card = Card(
        headline=f"{group.slug}: {phrases.several(len(board), 'page')}",
        lines=tuple(_rows(store, board, now, period)),
        plot=_plot(group.slug, board),
        context=tuple(_context(board)),
    )
    return Reply(card=card, shareable=True)


def leaderboard(store: Store, call: Call, now: datetime) -> Reply:
    """The boards of the groups this channel is subscribed to; of all groups, or all pages, where it has none."""
    groups = _groups_of_channel(store, call) or store.pages.groups()
    if not groups:
        return _all_pages(store, now)
    if len(groups) == 1:
        return group_answer(store, groups[0], now)
    boards = {group.slug: store.readings.page_snapshots(group.pages) for group in groups[:MOST_GROUPS]}
    lines: list[Line] = []
    for slug, board in boards.items():
        lines += [(Bold(slug),), *_rows(store, board, now)]
    if more := groups[MOST_GROUPS:]:
        lines.append(f"Also: {phrases.listed([group.slug for group in more])}. /likes and a group's name shows it.")
    shown = [latest for board in boards.values() for latest in board]
    card = Card(headline="Leaderboard", lines=tuple(lines), context=tuple(_context(shown)))
    return Reply(card=card, shareable=True)


def _groups_of_channel(store: Store, call: Call) -> tuple[Group, ...]:
    slugs: list[str] = []
    for subscription in store.subscriptions.for_channel(call.team_id, call.channel_id):
        if subscription.target is Target.GROUP:
            slugs.append(subscription.slug)
        elif page := store.pages.get(subscription.slug):
            slugs.extend(page.groups)
    return tuple(group for slug in dict.fromkeys(slugs) if (group := store.pages.group(slug)))


def _all_pages(store: Store, now: datetime) -> Reply:
    board = store.readings.page_snapshots([page.slug for page in store.pages.all()])
    if not board:
        return Reply(card=Card(headline="No page is watched yet", lines=(HOW_TO_START,)))
    rows = tuple(_rows(store, board, now))
    return Reply(card=Card(headline="Leaderboard", lines=rows, context=tuple(_context(board))), shareable=True)


def _rows(
    store: Store, board: Sequence[PageSnapshot], now: datetime, period: timedelta | None = None
) -> Iterator[Line]:
    for place, latest in enumerate(board[:MOST_ROWS], start=1):
        yield (f"{place}. ", Bold(latest.page.name), f" ({latest.page.slug}): {_row(store, latest, now, period)}")
    if len(board) > MOST_ROWS:
        yield f"… and {phrases.several(len(board) - MOST_ROWS, 'more page', 'more pages')}."


def _row(store: Store, latest: PageSnapshot, now: datetime, period: timedelta | None) -> str:
    if latest.series_state is None:
        return "not readable yet" if latest.trouble else "not read yet"
    told = [f"{counted(latest.series_state)}, {age(latest, now)}"]
    grown = growth(store, latest, period or WEEK)
    if grown is not None:
        told.append(f"{gained(grown)} in {grown.time}{instead(grown, period) if period else ''}")
    elif period:
        told.append(f"no figure from {phrases.length(period)} before")
    if latest.series_state.held:
        told.append("a newer reading is unconfirmed")
    if latest.trouble:
        told.append("not readable now, last figure kept")
    return "; ".join(told)


def _plot(title: str, board: Sequence[PageSnapshot]) -> Plot | None:
    read: list[tuple[str, SeriesState]] = [
        (one.page.name, one.series_state) for one in board if one.series_state is not None
    ]
    metrics = {track.metric for _, track in read}
    if len(read) < 2 or len(metrics) > 1:  # noqa: PLR2004 (nothing to compare)
        return None
    if not all(together(board[0], other) for other in board if other.series_state is not None):
        return None
    read = read[:MOST_ROWS]
    values = tuple(float(track.last.count) for _, track in read)
    unit = metrics.pop()
    series = (Series(name=unit, values=values),)
    return Plot(title=f"{title}: {unit}", chart=Chart.BAR, categories=tuple(name for name, _ in read), series=series)


def _context(board: Sequence[PageSnapshot]) -> Iterator[Line]:
    metrics = {latest.series_state.metric for latest in board if latest.series_state is not None}
    if metrics >= {Metric.LIKES, Metric.FOLLOWERS}:
        yield "Likes and followers are different counts: pages of one are not rivals of pages of the other."
    yield "/likes and a page's name tells where its figure comes from."
