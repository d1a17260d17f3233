"""Charts of counts: every value drawn is one that was read or published; nothing is interpolated."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta

from bot import words
from bot.slack.cards import MAX_CATEGORIES
from bot.slack.contract import Chart, Plot, Series
from handlers.model import Point

_HOURLY = timedelta(days=3)
_YEARLY = timedelta(days=300)


def line_plot(title: str, series: Mapping[str, Sequence[Point]], *, unit: str) -> Plot | None:
    """Counts over time, one line per name; None where there are not two instants to draw.

    Each category is an instant at which one of the pages was read; the others stand there with their newest count at
    or before it. Of more instants than a chart takes, the last of each of 20 equal stretches of time is drawn.
    """
    drawn = {name: points for name, points in series.items() if points}
    if not drawn:
        return None
    start = max(points[0].at for points in drawn.values())
    instants = _thinned(sorted({point.at for points in drawn.values() for point in points if point.at >= start}))
    if len(instants) < 2:  # noqa: PLR2004 (a line has two ends)
        return None
    return Plot(
        title=title,
        chart=Chart.LINE,
        categories=_labels(instants),
        series=tuple(Series(name=name, values=_values(points, instants)) for name, points in drawn.items()),
        y_label=unit,
    )


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


def _labels(instants: Sequence[datetime]) -> tuple[str, ...]:
    span = instants[-1] - instants[0]
    if span <= _HOURLY:
        return tuple(f"{words.short_day(at)} {words.clock_time(at)}" for at in instants)
    return tuple(words.short_day(at, year=span > _YEARLY) for at in instants)
