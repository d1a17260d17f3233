"""Charts of counts: every value drawn was read or published for the instant it stands at; nothing is interpolated."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from math import ceil

from bot.slack.contract import Chart, Plot, Series
from bot.slack.render.block_kit import MAX_CATEGORIES
from bot.text import phrases
from handlers.model import Dated, Point

NOT_TO_SCALE = "not to scale in time"
"""Under an axis whose steps are uneven: Slack's charts have categories of equal width, and no axis of time."""

PUBLISHED_HOLDS = timedelta(hours=36)
"""A published figure stands for its day; a polled one until the next, since unchanged counts are not stored again."""

_HOUR, _DAY = timedelta(hours=1), timedelta(days=1)
_HOURLY = timedelta(days=3)
_YEARLY = timedelta(days=300)
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_PRECISION = list(Dated)


def counts_plot(title: str, series: Mapping[str, Sequence[Point]], *, unit: str) -> Plot | None:
    """Counts over time: a line a name where the steps are even, else bars; None without two instants to draw.

    Each category is an instant at which one of the pages was read, and every page's count is known for it; it is named
    as precisely as the figures are dated. Bars where the steps are uneven, as those between published figures are,
    because the slope of a line would say more than is known; the axis then says that it is not to scale. Of more
    instants than a chart takes, every so manyth day (or hour) is drawn, or where they are uneven the last of each of 20
    equal stretches of time.
    """
    drawn = {name: points for name, points in series.items() if points}
    if not drawn:
        return None
    start = max(points[0].at for points in drawn.values())
    known = {point.at for points in drawn.values() for point in points if point.at >= start}
    instants = [at for at in sorted(known) if all(_holds(points, at) for points in drawn.values())]
    if len(instants) < 2:  # noqa: PLR2004 (a chart of one instant shows nothing)
        return None
    published = any(point.dated is not Dated.INSTANT for points in drawn.values() for point in points)
    even = None if published else _even(instants)
    shown = even or _thinned(instants)
    return Plot(
        title=title,
        chart=Chart.LINE if even else Chart.BAR,
        categories=_labels(shown, [_dated(drawn.values(), at) for at in shown]),
        series=tuple(Series(name=name, values=_values(points, shown)) for name, points in drawn.items()),
        y_label=unit,
        x_label="" if even or len(shown) == 2 else NOT_TO_SCALE,  # noqa: PLR2004 (between two there is one step)
    )


def _newest(points: Sequence[Point], at: datetime) -> Point:
    return points[bisect_right(points, at, key=lambda point: point.at) - 1]


def _holds(points: Sequence[Point], at: datetime) -> bool:
    newest = _newest(points, at)
    return newest.dated is Dated.INSTANT or at - newest.at <= PUBLISHED_HOLDS


def _even(instants: Sequence[datetime]) -> list[datetime] | None:
    """The last instant of every so manyth day (hour, of a short time), to the newest; None if one of them has none."""
    unit = _HOUR if instants[-1] - instants[0] <= _HOURLY else _DAY
    last = {(at - _EPOCH) // unit: at for at in instants}
    first, newest = min(last), max(last)
    if first == newest:
        return None
    least = min(after - before for before, after in pairwise(last))
    step = least * ceil(((newest - first) // least + 1) / MAX_CATEGORIES)
    wanted = range(newest, first - 1, -step)
    return [last[one] for one in reversed(wanted)] if all(one in last for one in wanted) else None


def _thinned(instants: Sequence[datetime]) -> list[datetime]:
    if len(instants) <= MAX_CATEGORIES:
        return list(instants)
    first, last = instants[0], instants[-1]
    stretch = (last - first) / MAX_CATEGORIES
    kept = {min(int((at - first) / stretch), MAX_CATEGORIES - 1): at for at in instants}
    return list(kept.values())


def _values(points: Sequence[Point], instants: Sequence[datetime]) -> tuple[float, ...]:
    return tuple(_newest(points, at).count for at in instants)


def _dated(series: Iterable[Sequence[Point]], at: datetime) -> Dated:
    """How precisely the figures drawn for an instant are dated: as the least precise of them."""
    return max((_newest(points, at).dated for points in series), key=_PRECISION.index)


def _labels(instants: Sequence[datetime], dates: Sequence[Dated]) -> tuple[str, ...]:
    span = instants[-1] - instants[0]
    year = span > _YEARLY or any(dated is not Dated.INSTANT for dated in dates)
    return tuple(
        _label(at, dated, year=year, hourly=span <= _HOURLY) for at, dated in zip(instants, dates, strict=True)
    )


def _label(at: datetime, dated: Dated, *, year: bool, hourly: bool) -> str:
    if dated is Dated.MONTH:
        return phrases.short_month(at)
    if dated is Dated.INSTANT and hourly:
        return f"{phrases.short_day(at)} {phrases.clock_time(at)}"
    return phrases.short_day(at, year=year)
