"""What is remembered of a page's past: marks of the last three days, and its count at each midnight of half a year.

Only what the ledger accepted is in it. Time is in seconds since 1970 and days since 1970-01-01, both UTC. Between two
readings a count is drawn as a straight line, also over an outage, and over the time in which a counter stood still
although its page's pace says that it should not have. A rounded count is marked when it changes, at the edge that it
crossed: its steps are no bursts.
"""

from __future__ import annotations

from array import array
from bisect import bisect_right
from collections.abc import Iterable, Iterator, Sequence
from itertools import pairwise
from typing import TYPE_CHECKING, NamedTuple

from handlers.values import lean_value

if TYPE_CHECKING:
    from handlers.model import Point, SeriesState

HOUR, DAY = 3600.0, 86_400.0

_APART = 50 * 60.0
_NEAR = 3 * HOUR
_KEPT = 75 * HOUR
_DAYS_KEPT = 180
_DRAWN_AT_MOST = 30 * DAY  # the ledger begins a new series after that


class HistoryStep(NamedTuple):
    """From one mark to the next: its ``size`` from the count ``before``, the ``days`` it took, and when it ended."""

    size: float
    before: float
    days: float
    at: float


@lean_value
class HistorySummary:
    """Marks (``times``, ``counts``: oldest first, 50 minutes or more apart) and ``midnights``, from the day ``first``.

    ``midnights[i]`` is the count at the beginning of day ``first + i``; ``highest`` is the highest of ``counts``, 0 of
    none. The arrays are never changed.
    """

    times: array[float]
    counts: array[float]
    highest: float
    first: int
    midnights: array[float]

    def at(self, time: float) -> float | None:
        """The count at a time: between marks on a line, after the newest the newest; None before the oldest."""
        times, counts = self.times, self.counts
        index = bisect_right(times, time)
        if not index:
            return None
        if index == len(times) or times[index - 1] == time:
            return counts[index - 1]
        return _on_line(times[index - 1], counts[index - 1], times[index], counts[index], time)

    def bounds(self, time: float) -> tuple[float, float]:
        """Between which counts it was at a time that is marked around: those of the marks before and after it."""
        index = bisect_right(self.times, time)
        before, after = self.counts[index - 1], self.counts[min(index, len(self.counts) - 1)]
        return min(before, after), max(before, after)

    def is_read(self, time: float) -> bool:
        """Whether the count was read within three hours of a time."""
        index = bisect_right(self.times, time)
        near = (*self.times[index - 1 : index], *self.times[index : index + 1])
        return any(abs(mark - time) <= _NEAR for mark in near)

    def level(self, time: float) -> float | None:
        """The count at a midnight of the past half year, or at a time among the marks; None where it is not known."""
        day, rest = divmod(time, DAY)
        if not rest and self.first <= day <= self.end:
            return self.midnights[int(day) - self.first]
        return self.at(time) if self.times and time <= self.times[-1] else None

    def since(self, time: float) -> Sequence[float]:
        """The newest count marked at this time or before, and every one after; empty if there is none so old."""
        index = bisect_right(self.times, time)
        return self.counts[index - 1 :] if index else ()

    def steps(self, since: float) -> Iterator[HistoryStep]:
        """From each mark to the next, beginning with the newest at this time or before, if there is one so old."""
        first = max(bisect_right(self.times, since) - 1, 0)
        marks = zip(self.times[first:], self.counts[first:], strict=True)
        for (began, before), (at, after) in pairwise(marks):
            yield HistoryStep(size=after - before, before=before, days=(at - began) / DAY, at=at)

    def gains(self, days: int) -> list[float]:
        """The gains of the newest whole UTC days, at most so many, oldest first."""
        return [after - before for before, after in pairwise(self.midnights[-days - 1 :])]

    @property
    def end(self) -> int:
        """The day (since 1970) that the newest midnight begins."""
        return self.first + len(self.midnights) - 1


def history_of(times: array[float], counts: array[float], first: int, midnights: array[float]) -> HistorySummary:
    """A past from what is stored of it."""
    return HistorySummary(
        times=times, counts=counts, highest=max(counts, default=0.0), first=first, midnights=midnights
    )


EMPTY = history_of(array("d"), array("d"), 0, array("d"))


def advance(
    past: HistorySummary,
    before: SeriesState | None,
    after: SeriesState,
    *,
    confirmed: Sequence[Point],
    frozen_since: Point | None,
) -> HistorySummary:
    """The past once a series moved on from ``before`` to ``after``; the very object given where nothing is to mark.

    ``confirmed`` are held points that count from now on, ``frozen_since`` is where the counter that now moved had stood
    still although it should not have.
    """
    last = after.last
    at = last.at.timestamp()
    if before is None or after.since > before.last.at or after.metric is not before.metric:
        past, before = EMPTY, None
    elif last.low < last.high and last.count == before.last.count:
        return past
    if not confirmed and frozen_since is None and past.times:
        newest = past.times[-1]
        if at - newest < _APART and at // DAY == newest // DAY:
            return past
    if frozen_since is not None:
        past = _until(past, frozen_since)
    known = None if before is None else before.last
    start = None if frozen_since is not None or known is None or known.low < known.high else known
    for point in confirmed:
        past = _marked(past, point.at.timestamp(), _edge(known, point), start)
        known = point
    seen = bool(confirmed) or (frozen_since is None and _is_just_read(before, at))
    return _marked(past, at, _edge(known if seen else None, last), start)


def _is_just_read(before: SeriesState | None, at: float) -> bool:
    """Whether the reading before is 3 hours or 3 polls old at most, so that a step since was taken just now."""
    return before is not None and at - before.last.at.timestamp() <= max(_NEAR, 3 * (before.gap or 0.0))


def _edge(before: Point | None, point: Point) -> float:
    """Where the count was when it became this one: at the edge of the interval that the rounded count stands for.

    In the middle of it where nobody knows how long ago that was.
    """
    if before is not None and before.high < point.low:
        return point.low
    if before is not None and before.low > point.high:
        return point.high
    return (point.low + point.high) / 2


def with_marks(past: HistorySummary, marks: Iterable[tuple[float, float]]) -> HistorySummary:
    """The past with these marks too (time and count, oldest first) as far as they are newer than its newest."""
    times, counts = past.times[:], past.counts[:]
    for at, count in marks:
        if not times or at > times[-1]:
            times.append(at)
            counts.append(count)
    oldest = _oldest(times, times[-1])
    return history_of(times[oldest:], counts[oldest:], past.first, past.midnights)


def _marked(past: HistorySummary, at: float, count: float, start: Point | None) -> HistorySummary:
    """With a mark more; what lies between is drawn from the newest mark, or from ``start`` if that is newer."""
    times = past.times
    if not times:
        return history_of(array("d", (at,)), array("d", (count,)), past.first, past.midnights)
    newest = times[-1]
    if at <= newest:
        return past
    first, midnights = past.first, past.midnights
    if at // DAY > newest // DAY:
        before = newest, past.counts[-1]
        if start is not None:
            before = max(before, (start.at.timestamp(), float(start.count)))
        first, midnights = _drawn(past, before, (at, count))
    oldest = _oldest(times, at)
    times, counts, highest = times[oldest:], past.counts[oldest:], past.highest
    times.append(at)
    counts.append(count)
    if count >= highest:
        highest = count
    elif highest in past.counts[:oldest]:
        highest = max(counts)
    return HistorySummary(times=times, counts=counts, highest=highest, first=first, midnights=midnights)


def _oldest(times: array[float], newest: float) -> int:
    """The index of the oldest mark to be kept: one from before, so that the oldest hour is known too."""
    return max(bisect_right(times, newest - _KEPT) - 1, 0)


def _drawn(past: HistorySummary, before: tuple[float, float], after: tuple[float, float]) -> tuple[int, array[float]]:
    """The first day and the midnights, with those since the newest mark: on a straight line."""
    if after[0] - before[0] > _DRAWN_AT_MOST:
        return 0, array("d")
    days = range(int(past.times[-1] // DAY) + 1, int(after[0] // DAY) + 1)
    midnights = past.midnights[:]
    midnights.extend(_on_line(*before, *after, day * DAY) for day in days)
    surplus = max(len(midnights) - _DAYS_KEPT, 0)
    return (past.first if past.midnights else days[0]) + surplus, midnights[surplus:]


def _until(past: HistorySummary, point: Point) -> HistorySummary:
    """Forget what was marked after a point."""
    at = point.at.timestamp()
    index = bisect_right(past.times, at)
    days = max(int(at // DAY) - past.first + 1, 0) if past.midnights else 0
    known = history_of(past.times[:index], past.counts[:index], past.first, past.midnights[:days])
    return _marked(known, at, _edge(None, point), None)


def _on_line(before: float, low: float, after: float, high: float, at: float) -> float:
    return low + (high - low) * (at - before) / (after - before)
