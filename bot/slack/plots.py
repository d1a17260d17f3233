"""Charts of counts: every value drawn was read or published for the instant it stands at; nothing is interpolated."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta

from bot import words
from bot.slack.cards import MAX_CATEGORIES
from bot.slack.contract import Chart, Plot, Series
from handlers.model import Dated, Point

_HOURLY = timedelta(days=3)
_YEARLY = timedelta(days=300)


PUBLISHED_HOLDS = timedelta(hours=36)
"""A published figure stands for its day; a polled one until the next, since unchanged counts are not stored again."""


def counts_plot(title: str, series: Mapping[str, Sequence[Point]], *, unit: str) -> Plot | None:
    """Counts over time, a line a name, or bars where newspapers published them; None without two instants to draw.

    Each category is an instant at which one of the pages was read, and every page's count is known for it. Of more
    instants than a chart takes, the last of each of 20 equal stretches of time is drawn. Bars, because the days
    between published figures are uneven and the slope of a line would say more than is known.
    """
    drawn = {name: points for name, points in series.items() if points}
    if not drawn:
        return None
    start = max(points[0].at for points in drawn.values())
    known = {point.at for points in drawn.values() for point in points if point.at >= start}
    instants = _thinned([at for at in sorted(known) if all(_holds(points, at) for points in drawn.values())])
    if len(instants) < 2:  # noqa: PLR2004 (a chart of one instant shows nothing)
        return None
    published = any(point.dated is not Dated.INSTANT for points in drawn.values() for point in points)
    return Plot(
        title=title,
        chart=Chart.BAR if published else Chart.LINE,
        categories=_labels(instants, year=published),
        series=tuple(Series(name=name, values=_values(points, instants)) for name, points in drawn.items()),
        y_label=unit,
    )


def _holds(points: Sequence[Point], at: datetime) -> bool:
    newest = points[bisect_right(points, at, key=lambda point: point.at) - 1]
    return newest.dated is Dated.INSTANT or at - newest.at <= PUBLISHED_HOLDS


def _thinned(instants: Sequence[datetime]) -> list[datetime]:
    if len(instants) <= MAX_CATEGORIES:
        return list(instants)
    first, last = instants[0], instants[-1]
    stretch = (last - first) / MAX_CATEGORIES
    kept = {min(int((at - first) / stretch), MAX_CATEGORIES - 1): at for at in instants}
    return list(kept.values())


def _values(points: Sequence[Point], instants: Sequence[datetime]) -> tuple[float, ...]:
    times = [point.at for point in points]
    return tuple(points[bisect_right(times, at) - 1].count for at in instants)


def _labels(instants: Sequence[datetime], *, year: bool) -> tuple[str, ...]:
    span = instants[-1] - instants[0]
    if span <= _HOURLY and not year:
        return tuple(f"{words.short_day(at)} {words.clock_time(at)}" for at in instants)
    return tuple(words.short_day(at, year=year or span > _YEARLY) for at in instants)
