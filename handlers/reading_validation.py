"""Validation of readings: which readings become a page's series. Rules see only accepted readings.

A reading is accepted if it lies inside a gate, widened on both sides by its rounding:
``v0 - max(0.4% v0, 60) <= v <= v0 + max(3% v0, 12 r max(dt, 24 h) / 24 h, 100)``

| symbol | meaning | unit |
|---|---|---|
| v | the reading | likes |
| v0 | the newest accepted count | likes |
| r | the page's usual daily gain | likes a day |
| dt | the time since v0 | hours |

A reading outside the gate (a tenfold value, another page's number, a purge) is held until consistent readings confirm
it. A reading of another metric (followers after likes) is held too. So a wrong value costs a delay, and never an alert.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from math import sqrt
from statistics import median

from handlers.model import Dated, Point, Reading, Restart, SeriesState, Standing

GAINS_KEPT = 14
FROZEN_AT_MOST = timedelta(days=7)  # a counter that repeats itself for longer does not grow
FROZEN_AT_LEAST = timedelta(hours=3)
_FROZEN_EXPECTED = 20  # likes that the usual gain would have brought, beyond two steps of rounding

_DAY = timedelta(days=1)
_SILENCE = timedelta(days=30)
_CONFIRMED_OVER = timedelta(hours=12)
_CONFIRMING_READINGS = 3
_CONFIRMING_READINGS_SELDOM = 2
_SELDOM_SECONDS = 10 * 3600.0
_POLLED_SECONDS = 48 * 3600.0
_LATE_TOLERANCE = 0.02
_JUDGED_WITHIN = timedelta(days=7)
_GAP_GROWS_AT_MOST = 4.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Validation:
    """The outcome for one reading, and the page's series after it.

    Attributes:
        series_state: The series after the reading. Only a page without a count above zero has none.
        confirmed: The first and the last instant of earlier held readings that count from now on.

    """

    standing: Standing
    series_state: SeriesState | None
    confirmed: tuple[datetime, datetime] | None = None


def validate(series_state: SeriesState | None, reading: Reading) -> Validation:
    """Validate one reading against its page's series; call this in the order of ``received_at``.

    A change of metric starts a new series once it is confirmed. Zero and negative counts are held and never confirmed.
    """
    if reading.count <= 0:
        return Validation(standing=Standing.HELD, series_state=series_state)
    if series_state is None:
        return Validation(standing=Standing.ACCEPTED, series_state=_begin(reading))
    last = series_state.last
    if reading.observed_at <= last.at:
        return _late(series_state, reading)
    if series_state.metric is reading.metric and (_near(last, reading) or _reachable(series_state, last, reading)):
        return _accept(series_state, reading)
    return _hold(series_state, reading)


def usual_gain(series_state: SeriesState) -> float | None:
    """Return the page's usual gain in likes a day (the median of up to 14 daily gains), None without one."""
    return median(series_state.gains) if series_state.gains else None


def repeating_since(series_state: SeriesState) -> datetime | None:
    """Return since when the newest count has repeated itself, None if the newest reading changed it."""
    previous = series_state.previous
    return previous.at if previous is not None and previous.count == series_state.last.count else None


def frozen_since(series_state: SeriesState) -> Point | None:
    """Return the point at which a counter froze: it repeats itself for 3 hours to 7 days against the usual gain."""
    since = repeating_since(series_state)
    if since is None or not FROZEN_AT_LEAST <= series_state.last.at - since < FROZEN_AT_MOST:
        return None
    expected = (usual_gain(series_state) or 0.0) * ((series_state.last.at - since) / _DAY)
    rounding = 2 * (series_state.last.high - series_state.last.low)
    return series_state.previous if expected >= _FROZEN_EXPECTED + rounding else None


def _begin(reading: Reading) -> SeriesState:
    point = _point(reading)
    return SeriesState(page=reading.page, metric=reading.metric, since=reading.observed_at, last=point, day=point)


def _point(reading: Reading) -> Point:
    return Point(
        at=reading.observed_at,
        count=reading.count,
        low=reading.low,
        high=reading.high,
        source=reading.source,
        url=reading.url,
        dated=reading.dated,
    )


def _near(anchor: Point, reading: Reading) -> bool:
    v0 = anchor.count
    floor = anchor.low - max(0.004 * v0, 60)
    return reading.high >= floor and reading.low <= anchor.high + max(0.03 * v0, 100)


def _reachable(series_state: SeriesState, anchor: Point, reading: Reading) -> bool:
    """Return True if the usual gain since the anchor reaches the reading; for a frozen counter, since it froze.

    A rounded count counts as not frozen here, since it repeats itself between any two steps.
    """
    usual = usual_gain(series_state)
    if usual is None or reading.count <= anchor.count:
        return False
    may_be_frozen = anchor is series_state.last and anchor.low == anchor.high
    since = (repeating_since(series_state) if may_be_frozen else None) or anchor.at
    days = max((reading.observed_at - since) / _DAY, 1.0)
    return reading.low <= anchor.high + 12 * usual * days


def _accept(series_state: SeriesState, reading: Reading) -> Validation:
    last, previous, count = series_state.last, series_state.previous, reading.count
    point = _point(reading)
    unchanged = (
        count == last.count
        and reading.low == last.low
        and reading.high == last.high
        and reading.source == last.source
        and reading.url == last.url
    )
    if previous is None or not count == last.count == previous.count:
        previous = last
    day, gains = _daily(series_state, point)
    accepted = SeriesState(
        page=series_state.page,
        metric=series_state.metric,
        since=series_state.since,
        last=point,
        previous=previous,
        day=day,
        gains=gains,
        gap=_usual_gap(series_state.gap, last.at, point.at),
        held=tuple(held for held in series_state.held if held.at > point.at) if series_state.held else (),
        held_metric=series_state.held_metric,
        restarted=series_state.restarted,
    )
    return Validation(standing=Standing.UNCHANGED if unchanged else Standing.ACCEPTED, series_state=accepted)


def _daily(series_state: SeriesState, point: Point) -> tuple[Point, tuple[float, ...]]:
    """Return the running day's start and the daily gains after ``point``.

    The day does not end while the count repeats itself, for up to 7 days. The catch-up of a frozen counter belongs to
    all of the frozen time.
    """
    day = series_state.day or series_state.last
    elapsed = point.at - day.at
    if elapsed < _DAY or (point.count == day.count and elapsed < FROZEN_AT_MOST):
        return day, series_state.gains
    gain = (point.count - day.count) / (elapsed / _DAY)
    return point, (*series_state.gains[1 - GAINS_KEPT :], gain)


def _usual_gap(gap: float | None, before: datetime, after: datetime) -> float:
    """Return the usual gap in seconds. It shrinks at once (geometric mean) and grows slowly: an outage is no habit."""
    elapsed = (after - before).total_seconds()
    if gap is None:
        return elapsed
    if elapsed < gap:
        return sqrt(gap * elapsed)
    return gap + (min(elapsed, _GAP_GROWS_AT_MOST * gap) - gap) / 4


def _hold(series_state: SeriesState, reading: Reading) -> Validation:
    held, at = series_state.held, reading.observed_at
    newest = held[-1] if held else series_state.last
    if at - newest.at > _SILENCE and _may_begin_at_once(series_state, reading):
        return Validation(standing=Standing.ACCEPTED, series_state=_begun_anew(series_state, reading))
    consistent = bool(held) and _is_consistent(series_state, newest, reading)
    if held and at <= newest.at:
        if any(_is_same(point, reading) for point in held):
            return Validation(standing=Standing.REPEATED, series_state=series_state)
        return Validation(standing=Standing.HELD if consistent else Standing.DOUBTED, series_state=series_state)
    # The first and the two newest are enough, however often the page is polled.
    held = (*held[:1], *held[1:][-1:], _point(reading)) if consistent else (_point(reading),)
    holding = replace(
        series_state, held=held, held_metric=None if reading.metric is series_state.metric else reading.metric
    )
    if not _is_confirmed(holding):
        return Validation(standing=Standing.HELD, series_state=holding)
    return Validation(
        standing=Standing.ACCEPTED, series_state=_at_new_level(holding), confirmed=(held[0].at, held[-2].at)
    )


def _may_begin_at_once(series_state: SeriesState, reading: Reading) -> bool:
    """Return True if one reading after a long silence is enough to begin a new series.

    A polled page will soon be read again, so that a second reading can confirm the first. A page known from published
    figures may not be read again soon. A reading of another metric cannot agree with the old series.
    """
    polled = series_state.gap is not None and series_state.gap <= _POLLED_SECONDS
    return not polled or reading.metric is not series_state.metric or series_state.last.dated is not Dated.INSTANT


def _begun_anew(series_state: SeriesState, reading: Reading) -> SeriesState:
    if reading.metric is not series_state.metric:
        return _begin(reading)
    pace = (reading.count - series_state.last.count) / ((reading.observed_at - series_state.last.at) / _DAY)
    return replace(_begin(reading), gains=(pace,), restarted=Restart.AFTER_SILENCE)


def _is_consistent(series_state: SeriesState, held: Point, reading: Reading) -> bool:
    same = reading.metric is (series_state.held_metric or series_state.metric)
    return same and (_near(held, reading) or _reachable(series_state, held, reading))


def _is_confirmed(series_state: SeriesState) -> bool:
    held = series_state.held
    seldom = series_state.gap is not None and series_state.gap > _SELDOM_SECONDS
    needed = _CONFIRMING_READINGS_SELDOM if seldom else _CONFIRMING_READINGS
    return len(held) >= needed and held[-1].at - held[0].at >= _CONFIRMED_OVER


def _at_new_level(series_state: SeriesState) -> SeriesState:
    """Return the series at the level that the held readings confirm.

    If one first reading is all that contradicts them, it counts as wrong and the series begins with the held readings.
    It counts as right if the page may have grown since, up to twice as many.
    """
    first, before, last = series_state.held[0], series_state.held[-2], series_state.held[-1]
    gap = _usual_gap(_usual_gap(series_state.gap, series_state.last.at, first.at), before.at, last.at)
    # The step itself is no daily gain, and gains of another metric do not belong to this series.
    level = replace(series_state, last=last, previous=before, day=last, gap=gap, held=(), held_metric=None)
    if series_state.held_metric is None:
        first_was_right = (
            series_state.previous is not None or series_state.last.low <= first.high <= 2 * series_state.last.high
        )
        return level if first_was_right else replace(level, since=first.at, restarted=Restart.FIRST_REFUTED)
    return replace(level, metric=series_state.held_metric, since=first.at, gains=(), restarted=None)


def _is_same(point: Point, reading: Reading) -> bool:
    return point.at == reading.observed_at and point.count == reading.count and point.source == reading.source


def _late(series_state: SeriesState, reading: Reading) -> Validation:
    """Validate a reading no newer than the newest accepted one; it may move the beginning of the series back."""
    standing, at = _standing_of_late(series_state, reading), reading.observed_at
    reaches_back = at < series_state.since and series_state.metric is reading.metric and series_state.restarted is None
    if standing is Standing.LATE and reaches_back:
        series_state = replace(series_state, since=at)
    return Validation(standing=standing, series_state=series_state)


def _standing_of_late(series_state: SeriesState, reading: Reading) -> Standing:
    """Return LATE for a reading within 2% of its neighbours, else DOUBTED; REPEATED for a known reading."""
    known = tuple(point for point in (series_state.day, series_state.previous, series_state.last) if point is not None)
    if any(_is_same(point, reading) for point in known):
        return Standing.REPEATED
    if series_state.metric is not reading.metric:
        return Standing.LATE
    at = reading.observed_at
    after = min((point for point in known if point.at >= at), key=lambda point: point.at)
    earlier = [point for point in known if point.at <= at]
    if earlier:
        before = max(earlier, key=lambda point: point.at)
        floor, ceiling = float(min(before.low, after.low)), max(before.high, after.high)
    elif after.at - at > _JUDGED_WITHIN or at < series_state.since:
        return Standing.LATE  # the series state holds nothing of that time
    else:
        reach = 12 * max(usual_gain(series_state) or 0.0, 0.0) * max((after.at - at) / _DAY, 1.0)
        floor, ceiling = after.low - max(0.03 * after.count, reach, 100), after.high
    fits = reading.high >= floor * (1 - _LATE_TOLERANCE) and reading.low <= ceiling * (1 + _LATE_TOLERANCE)
    return Standing.LATE if fits else Standing.DOUBTED
