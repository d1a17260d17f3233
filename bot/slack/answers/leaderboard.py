"""Answer with a board of rivals: counts, ages and growth, highest count first."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime, timedelta

from bot.pages.lookup import HOW_TO_START
from bot.slack.answers.figures import (
    CountedPage,
    age_text,
    count_text,
    growth,
    growth_and_time,
    same_time,
    with_figures,
)
from bot.slack.contract import Bold, Call, Card, Chart, Line, Plot, Reply, Series
from bot.text import durations, phrases
from handlers.model import Metric
from storage.store import Store
from storage.values import Group, PageSnapshot, Target

_WEEK = timedelta(days=7)
_MAX_ROWS = 20
_MAX_GROUPS = 5


def group_answer(store: Store, group: Group, now: datetime, period: timedelta | None = None) -> Reply:
    """Answer with the board of one group. Growth is over ``period``, or over a week."""
    board = store.readings.page_snapshots(group.pages)
    headline = f"{group.slug}: {phrases.several(len(board), 'page')}"
    return _reply(headline, board, _rows(store, board, now, period), plot=_plot(group.slug, board))


def leaderboard(store: Store, call: Call, now: datetime) -> Reply:
    """Answer with the boards of the channel's groups; without such groups, of all groups or all pages."""
    groups = _groups_of_channel(store, call) or store.pages.groups()
    if len(groups) == 1:
        return group_answer(store, groups[0], now)
    if not groups:
        board = store.readings.page_snapshots([page.slug for page in store.pages.all()])
        if not board:
            return Reply(card=Card(headline="No page is watched yet", lines=(HOW_TO_START,)))
        return _reply("Leaderboard", board, _rows(store, board, now))
    lines: list[Line] = []
    shown: list[PageSnapshot] = []
    for group in groups[:_MAX_GROUPS]:
        board = store.readings.page_snapshots(group.pages)
        lines += [(Bold(group.slug),), *_rows(store, board, now)]
        shown += board
    if more := [group.slug for group in groups[_MAX_GROUPS:]]:
        lines.append(f"Also: {phrases.listed(more)}. /likes and a group's name shows its board.")
    return _reply("Leaderboard", shown, lines)


def _groups_of_channel(store: Store, call: Call) -> tuple[Group, ...]:
    slugs: list[str] = []
    for subscription in store.subscriptions.for_channel(call.team_id, call.channel_id):
        if subscription.target is Target.GROUP:
            slugs.append(subscription.slug)
        elif page := store.pages.get(subscription.slug):
            slugs.extend(page.groups)
    return tuple(group for slug in dict.fromkeys(slugs) if (group := store.pages.group(slug)))


def _reply(headline: str, board: Sequence[PageSnapshot], lines: Iterable[Line], plot: Plot | None = None) -> Reply:
    metrics = {state.metric for _, state in with_figures(board)}
    context: list[Line] = ["/likes and a page's name shows where its figure comes from."]
    if metrics >= {Metric.LIKES, Metric.FOLLOWERS}:
        remark = "Likes and followers are different counts: pages with one are not rivals of pages with the other."
        context.insert(0, remark)
    return Reply(card=Card(headline=headline, lines=tuple(lines), plot=plot, context=tuple(context)), shareable=True)


def _rows(
    store: Store, board: Sequence[PageSnapshot], now: datetime, period: timedelta | None = None
) -> Iterator[Line]:
    for place, snapshot in enumerate(board[:_MAX_ROWS], start=1):
        row = _row(store, snapshot, now, period)
        yield (f"{place}. ", Bold(snapshot.page.name), f" ({snapshot.page.slug}): {row}")
    if len(board) > _MAX_ROWS:
        yield f"… and {phrases.several(len(board) - _MAX_ROWS, 'more page', 'more pages')}."


def _row(store: Store, snapshot: PageSnapshot, now: datetime, period: timedelta | None) -> str:
    if snapshot.series_state is None:
        return "not readable yet" if snapshot.trouble else "not read yet"
    page = CountedPage(snapshot, snapshot.series_state)
    parts = [f"{count_text(page.state)}, {age_text(page, now)}"]
    measured = growth(store, page, period or _WEEK)
    if measured is not None:
        parts.append(growth_and_time(measured, period))
    elif period:
        parts.append(f"no figure from {durations.length(period)} before")
    if page.state.held:
        parts.append("a newer reading is unconfirmed")
    if snapshot.trouble:
        parts.append("not readable now, last known figure shown")
    return "; ".join(parts)


def _plot(title: str, board: Sequence[PageSnapshot]) -> Plot | None:
    """Draw the counts as bars, if all pages count the same thing and their figures are of about the same time."""
    pages = with_figures(board)
    metrics = {state.metric for _, state in pages}
    if len(pages) < 2 or len(metrics) > 1:  # noqa: PLR2004 (nothing to compare)
        return None
    if not all(same_time(pages[0], other) for other in pages):
        return None
    unit = metrics.pop()
    series = Series(name=unit, values=tuple(float(state.last.count) for _, state in pages[:_MAX_ROWS]))
    names = tuple(snapshot.page.name for snapshot, _ in pages[:_MAX_ROWS])
    return Plot(title=f"{title}: {unit}", chart=Chart.BAR, categories=names, series=(series,))
