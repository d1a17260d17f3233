"""Draw charts of counts. Every value was read or published for its instant; nothing is interpolated."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from math import ceil

from bot.slack.contract import Chart, Plot, Series
from bot.slack.render.block_kit import MAX_CATEGORIES
from bot.text import phrases
from handlers.model import Dated, Point, least_precise

_NOT_TO_SCALE = "not to scale in time"  # Slack's charts have categories of equal width, and no axis of time
_PUBLISHED_HOLDS = timedelta(hours=36)  # a published figure stands for its day only, a polled one until the next
_HOUR, _DAY = timedelta(hours=1), timedelta(days=1)
_SHORT = timedelta(days=3)
_LONG = timedelta(days=300)
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def counts_plot(title: str, series: Mapping[str, Sequence[Point]], *, unit: str) -> Plot | None:
    """Draw counts over time, one series a name. Return None if there are fewer than two instants to draw.

    - A category is an instant with a reading of one page, and with a count of every page.
    - A category's label is as precise as the least precise date of its figures.
    - If the steps between the instants are even, the chart has lines. Otherwise it has bars, because the slope of a
      line would be misleading, and the axis says that it is not to scale.
    - A chart takes 20 categories. If there are more even steps, the chart has every second, third … of them. If
      there are more uneven steps, the chart has the last instant of each of 20 equal stretches of time.
    """
    drawn = {name: points for name, points in series.items() if points}
    if not drawn:
        return None
    start = max(points[0].at for points in drawn.values())
    times = {point.at for points in drawn.values() for point in points if point.at >= start}
    instants = [at for at in sorted(times) if all(_holds(points, at) for points in drawn.values())]
    if len(instants) < 2:  # noqa: PLR2004 (a chart of one instant shows nothing)
        return None
    published = any(point.dated is not Dated.INSTANT for points in drawn.values() for point in points)
    even = None if published else _even(instants)
    shown = even or _thinned(instants)
    dates = [least_precise(*(_newest(points, at).dated for points in drawn.values())) for at in shown]
    return Plot(
        title=title,
        chart=Chart.LINE if even else Chart.BAR,
        categories=_labels(shown, dates),
        series=tuple(
            Series(name=name, values=tuple(_newest(points, at).count for at in shown)) for name, points in drawn.items()
        ),
        y_label=unit,
        x_label="" if even or len(shown) == 2 else _NOT_TO_SCALE,  # noqa: PLR2004 (between two there is one step)
    )


def _newest(points: Sequence[Point], at: datetime) -> Point:
    return points[bisect_right(points, at, key=lambda point: point.at) - 1]


def _holds(points: Sequence[Point], at: datetime) -> bool:
    newest = _newest(points, at)
    return newest.dated is Dated.INSTANT or at - newest.at <= _PUBLISHED_HOLDS


def _even(instants: Sequence[datetime]) -> list[datetime] | None:
    """Return instants in even steps of days, or of hours for a short time, or None if a step has no instant."""
    unit = _HOUR if instants[-1] - instants[0] <= _SHORT else _DAY
    last = {(at - _EPOCH) // unit: at for at in instants}
    first, newest = min(last), max(last)
    if first == newest:
        return None
    smallest = min(after - before for before, after in pairwise(last))
    step = smallest * ceil(((newest - first) // smallest + 1) / MAX_CATEGORIES)
    steps = range(newest, first - 1, -step)
    return [last[one] for one in reversed(steps)] if all(one in last for one in steps) else None


def _thinned(instants: Sequence[datetime]) -> list[datetime]:
    if len(instants) <= MAX_CATEGORIES:
        return list(instants)
    first, last = instants[0], instants[-1]
    stretch = (last - first) / MAX_CATEGORIES
    return list({min(int((at - first) / stretch), MAX_CATEGORIES - 1): at for at in instants}.values())


def _labels(instants: Sequence[datetime], dates: Sequence[Dated]) -> tuple[str, ...]:
    span = instants[-1] - instants[0]
    year = span > _LONG or any(dated is not Dated.INSTANT for dated in dates)

    def label(at: datetime, dated: Dated) -> str:
        if dated is Dated.MONTH:
            return phrases.short_month(at)
        if dated is Dated.INSTANT and span <= _SHORT:
            return f"{phrases.short_day(at)} {phrases.clock_time(at)}"
        return phrases.short_day(at, year=year)

    return tuple(map(label, instants, dates))
