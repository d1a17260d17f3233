"""History summary: points of the last three days, and the count at each midnight of half a year.

Only accepted readings are in a history summary. Times are seconds since 1970, days are days since 1970-01-01, both UTC.

* Between two readings the count lies on a straight line. The line also crosses outages, and times when a counter was
  frozen.
* A rounded count gets a point when it changes, at the edge that it crossed. Otherwise its steps would look like bursts.
"""

from __future__ import annotations

from array import array
from bisect import bisect_right
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from handlers.model import Point, SeriesState

HOUR, DAY = 3600.0, 86_400.0

_APART = 50 * 60.0
_NEAR = 3 * HOUR
_KEPT = 75 * HOUR
_DAYS_KEPT = 180
_DRAWN_AT_MOST = 30 * DAY  # validation begins a new series after that


class HistoryStep(NamedTuple):
    """The change from one point to the next: ``size`` likes from the count ``before``, in ``days``, ending ``at``."""

    size: float
    before: float
    days: float
    at: float


@dataclass(frozen=True, slots=True, kw_only=True)
class HistorySummary:
    """Points and midnights of one page's series.

    ``times`` and ``counts`` are the points, oldest first, at least 50 minutes apart. ``highest`` is the highest of
    ``counts``, or 0. ``midnights[i]`` is the count at the beginning of day ``first + i``. The arrays never change.
    """

    times: array[float]
    counts: array[float]
    highest: float
    first: int
    midnights: array[float]

    def at(self, time: float) -> float | None:
        """Return the count at a time: interpolated between points, constant after them, None before them."""
        times, counts = self.times, self.counts
        index = bisect_right(times, time)
        if not index:
            return None
        if index == len(times) or times[index - 1] == time:
            return counts[index - 1]
        return _on_line(times[index - 1], counts[index - 1], times[index], counts[index], time)

    def bounds(self, time: float) -> tuple[float, float]:
        """Return the lower and the higher count of the two points around a time."""
        index = bisect_right(self.times, time)
        before, after = self.counts[index - 1], self.counts[min(index, len(self.counts) - 1)]
        return min(before, after), max(before, after)

    def is_read(self, time: float) -> bool:
        """Return whether the count was read within three hours of a time."""
        index = bisect_right(self.times, time)
        near = (*self.times[index - 1 : index], *self.times[index : index + 1])
        return any(abs(point - time) <= _NEAR for point in near)

    def level(self, time: float) -> float | None:
        """Return the count at a midnight of the last half year, or at a time among the points, or None if unknown."""
        day, rest = divmod(time, DAY)
        if not rest and self.first <= day <= self.end:
            return self.midnights[int(day) - self.first]
        return self.at(time) if self.times and time <= self.times[-1] else None

    def since(self, time: float) -> Sequence[float]:
        """Return the counts from the newest point at or before ``time`` on; empty if no point is that old."""
        index = bisect_right(self.times, time)
        return self.counts[index - 1 :] if index else ()

    def steps(self, since: float) -> Iterator[HistoryStep]:
        """Yield the step from each point to the next, from the newest point at or before ``since`` on."""
        first = max(bisect_right(self.times, since) - 1, 0)
        points = zip(self.times[first:], self.counts[first:], strict=True)
        for (began, before), (at, after) in pairwise(points):
            yield HistoryStep(size=after - before, before=before, days=(at - began) / DAY, at=at)

    def gains(self, days: int) -> list[float]:
        """Return the gains of the newest ``days`` whole UTC days at most, oldest first."""
        return [after - before for before, after in pairwise(self.midnights[-days - 1 :])]

    @property
    def end(self) -> int:
        """The day (since 1970) that begins at the newest midnight."""
        return self.first + len(self.midnights) - 1


def history_of(times: array[float], counts: array[float], first: int, midnights: array[float]) -> HistorySummary:
    """Make a history summary from its stored parts."""
    return HistorySummary(
        times=times, counts=counts, highest=max(counts, default=0.0), first=first, midnights=midnights
    )


EMPTY = history_of(array("d"), array("d"), 0, array("d"))


def advance(
    history: HistorySummary,
    before: SeriesState | None,
    after: SeriesState,
    *,
    confirmed: Sequence[Point],
    frozen_since: Point | None,
) -> HistorySummary:
    """Return the history summary after a series went from ``before`` to ``after``.

    The same object is returned if no point is added. ``confirmed`` are held points that are accepted from now on.
    ``frozen_since`` is the point at which a frozen counter stopped, if the counter moved again just now.
    """
    last = after.last
    at = last.at.timestamp()
    if before is None or after.since > before.last.at or after.metric is not before.metric:
        history, before = EMPTY, None
    elif last.low < last.high and last.count == before.last.count:
        return history
    if not confirmed and frozen_since is None and history.times:
        newest = history.times[-1]
        if at - newest < _APART and at // DAY == newest // DAY:
            return history
    if frozen_since is not None:
        history = _cut_after(history, frozen_since)
    known = None if before is None else before.last
    start = None if frozen_since is not None or known is None or known.low < known.high else known
    for point in confirmed:
        history = _with_point(history, point.at.timestamp(), _edge(known, point), start)
        known = point
    seen = bool(confirmed) or (frozen_since is None and _is_just_read(before, at))
    return _with_point(history, at, _edge(known if seen else None, last), start)


def _is_just_read(before: SeriesState | None, at: float) -> bool:
    """Return whether the reading before is at most 3 hours or 3 polls old, so that the count changed just now."""
    return before is not None and at - before.last.at.timestamp() <= max(_NEAR, 3 * (before.gap or 0.0))


def _edge(before: Point | None, point: Point) -> float:
    """Return the true count at the moment when a rounded count changed: the edge of its interval that was crossed.

    If the moment is unknown, return the middle of the interval.
    """
    if before is not None and before.high < point.low:
        return point.low
    if before is not None and before.low > point.high:
        return point.high
    return (point.low + point.high) / 2


def with_points(history: HistorySummary, points: Iterable[tuple[float, float]]) -> HistorySummary:
    """Add points (time, count; oldest first) that are newer than the newest point."""
    times, counts = history.times[:], history.counts[:]
    for at, count in points:
        if not times or at > times[-1]:
            times.append(at)
            counts.append(count)
    oldest = _oldest(times, times[-1])
    return history_of(times[oldest:], counts[oldest:], history.first, history.midnights)


def _with_point(history: HistorySummary, at: float, count: float, start: Point | None) -> HistorySummary:
    """Add one point, and the midnights between it and the newest point, or a newer ``start``."""
    times = history.times
    if not times:
        return history_of(array("d", (at,)), array("d", (count,)), history.first, history.midnights)
    newest = times[-1]
    if at <= newest:
        return history
    first, midnights = history.first, history.midnights
    if at // DAY > newest // DAY:
        before = newest, history.counts[-1]
        if start is not None:
            before = max(before, (start.at.timestamp(), float(start.count)))
        first, midnights = _midnights_until(history, before, (at, count))
    oldest = _oldest(times, at)
    times, counts, highest = times[oldest:], history.counts[oldest:], history.highest
    times.append(at)
    counts.append(count)
    if count >= highest:
        highest = count
    elif highest in history.counts[:oldest]:
        highest = max(counts)
    return HistorySummary(times=times, counts=counts, highest=highest, first=first, midnights=midnights)


def _oldest(times: array[float], newest: float) -> int:
    """Return the index of the oldest point to keep: the last one before the window, to interpolate its first hour."""
    return max(bisect_right(times, newest - _KEPT) - 1, 0)


def _midnights_until(
    history: HistorySummary, before: tuple[float, float], after: tuple[float, float]
) -> tuple[int, array[float]]:
    """Return the first day, and the midnights including those since the newest point, on a straight line."""
    if after[0] - before[0] > _DRAWN_AT_MOST:
        return 0, array("d")
    days = range(int(history.times[-1] // DAY) + 1, int(after[0] // DAY) + 1)
    midnights = history.midnights[:]
    midnights.extend(_on_line(*before, *after, day * DAY) for day in days)
    surplus = max(len(midnights) - _DAYS_KEPT, 0)
    return (history.first if history.midnights else days[0]) + surplus, midnights[surplus:]


def _cut_after(history: HistorySummary, point: Point) -> HistorySummary:
    """Remove the points after a given one."""
    at = point.at.timestamp()
    index = bisect_right(history.times, at)
    days = max(int(at // DAY) - history.first + 1, 0) if history.midnights else 0
    known = history_of(history.times[:index], history.counts[:index], history.first, history.midnights[:days])
    return _with_point(known, at, _edge(None, point), None)


def _on_line(before: float, low: float, after: float, high: float, at: float) -> float:
    return low + (high - low) * (at - before) / (after - before)
