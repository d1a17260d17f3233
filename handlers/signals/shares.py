"""Shares by country with their bounds: likes without a country, and rounding, leave an interval.

| symbol | meaning |
|---|---|
| h | the home country |
| n_c | likes in country c |
| T | the page's total at that instant |
| T - sum(n_c) | likes without a country |

The foreign share of all likes lies in ``[sum(n_c, c != h) / T, 1 - n_h / T]``. There are two sources: *snapshots* (the
platform's list of countries, day by day) and *published figures* (a newspaper's share, with its rounding).
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Callable, Hashable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import pairwise
from typing import NamedTuple, TypeVar
from weakref import ReferenceType, ref

from handlers.contract import Window
from handlers.model import AudienceReading, Fact, Figure, Measure, Point, SeriesState
from handlers.signals.facts import exactly, fact
from handlers.signals.reading_cache import ReadingCache

V = TypeVar("V")

TOTAL_WITHIN = timedelta(hours=72)
SPARSE_FROM = timedelta(days=8)

_COVERAGE_MIN, _COVERAGE_MAX = 0.4, 1.03
_LIST_CUT_AT = 45
_DAY = timedelta(days=1)


class Snapshot(NamedTuple):
    """A page's likes by country at one instant, with its total at that instant. All numbers are likes."""

    reading: AudienceReading
    home: float
    foreign: float
    total: float

    @property
    def at(self) -> datetime:
        return self.reading.as_of

    @property
    def coverage(self) -> float:
        """The share of the total that has a country."""
        return (self.home + self.foreign) / self.total

    @property
    def listed_abroad(self) -> float:
        """The share of the total that is listed abroad: the lower bound of the foreign share."""
        return min(self.foreign / self.total, 1.0)

    @property
    def abroad_of_listed(self) -> float:
        """The share of the likes with a country that is listed abroad. A longer or shorter list does not change it."""
        return self.foreign / (self.home + self.foreign)

    @property
    def bounds(self) -> Figure:
        """The foreign share of all likes; ``value`` is the listed part, its lower bound."""
        low = self.listed_abroad
        return Figure(value=low, low=low, high=max(low, 1 - self.home / self.total))


class ListStep(NamedTuple):
    """The changes between two snapshots that follow each other; d is a change from one to the next.

    Attributes:
        listed: The change of all likes with a country, d(sum n).
        orderly: True if the losses of countries are at most max(0.1% of all listed, half the gains). Purges and
            re-attributions are not orderly.
        clean: True if the step shows people coming and going: it is orderly, and list and total agree,
            ``|dT - d(sum n)| <= max(50% dT, 0.3% T)``. If a frozen total catches up later, several orderly steps
            that agree together are clean.
        steady: True if both snapshots list the same countries. The changes of several steady steps add up to the
            change from the first snapshot to the last.

    """

    before: Snapshot
    after: Snapshot
    listed: float
    orderly: bool
    clean: bool
    steady: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Flow:
    """New likes over the clean steps between two instants: listed abroad, listed at home, and without a country.

    Attributes:
        days: The days of the clean steps.
        whole: True if all steps between the two instants are clean.
        gained: The gain of the total over the clean steps.
        countries: The gain of each country abroad, the most first.

    """

    since: datetime
    until: datetime
    days: float
    whole: bool
    foreign: float
    home: float
    unlisted: float
    gained: float
    countries: tuple[tuple[str, float], ...]

    @property
    def listed(self) -> float:
        return self.foreign + self.home

    @property
    def relisted(self) -> float:
        """Likes that countries gained and the page did not: old likes, listed elsewhere or nowhere before."""
        return max(self.listed + self.unlisted - self.gained, 0.0)

    def new_of(self, part: float) -> float:
        """Return the likes of a part that are certainly new: all relisted likes may be in this part."""
        return max(part - self.relisted, 0.0)

    def new_share_of(self, part: float) -> Figure:
        """Return the same as ``share_of``, of the likes that are certainly new."""
        new, listed = self.new_of(part), self.listed - self.relisted
        return Figure(value=new / listed, low=new / self.gained, high=min((new + self.unlisted) / self.gained, 1.0))

    def share_of(self, part: float) -> Figure:
        """Return a part's share of the new likes with a country; ``low`` counts none of the others as in the part."""
        everybody = self.listed + self.unlisted
        return Figure(value=part / self.listed, low=part / everybody, high=(part + self.unlisted) / everybody)


Totals = Mapping[datetime, int]


def with_totals(totals: Totals, window: Window) -> Totals:
    """Return the page's accepted totals for its snapshots, by ``as_of``.

    The total is interpolated between the readings around that instant. Without these in the history it is the first
    total at or after it. The page must have been read within 72 hours of the instant.

    If nothing is new, the result is the very object given. Rules that gave equal totals get the same object.
    """
    series_state = window.series_states.get(window.scope)
    if series_state is None:
        return totals
    return _once(window, with_totals, totals, lambda: _with_totals(totals, window, series_state))


def _with_totals(totals: Totals, window: Window, series_state: SeriesState) -> Totals:
    points = [point for point in (series_state.day, series_state.previous, series_state.last) if point is not None]
    found: dict[datetime, int] = {}
    for reading in _lists(window):
        if reading.total is None and reading.metric is series_state.metric:
            as_of = reading.as_of
            known = totals.get(as_of)
            if not known:
                known = _total_then(window, points, as_of)
            if known:
                found[as_of] = known
    if found == totals:
        return totals
    return window.cached((_with_totals, *found.items()), lambda: found)


def _total_then(window: Window, points: Sequence[Point], as_of: datetime) -> int | None:
    """Return the total interpolated at an instant, else the first after it, if the page was read within 72 hours."""
    past, then = window.histories[window.scope], as_of.timestamp()
    after, level = bisect_left(past.times, then), past.level(then)
    if level is not None and after < len(past.times) and past.times[after] <= then + TOTAL_WITHIN.total_seconds():
        return round(level)
    point = total_at(points, as_of)
    return point.count if point else None


def _once(window: Window, what: Hashable, totals: Totals, make: Callable[[], V]) -> V:
    """Return ``make()``, cached in the window for these very totals. The cache holds them, so that their id stays."""
    return window.cached((what, id(totals)), lambda: (totals, make()))[1]


def is_list(reading: AudienceReading) -> bool:
    """Return True for a platform's list of likes by country, False for a newspaper's figure of one country."""
    return reading.measure is Measure.ALL and len(reading.likes) > 1


def _lists(window: Window) -> list[AudienceReading]:
    """Return the page's lists by country with the metric of the newest one, oldest first."""
    return window.cached(_lists, lambda: _lists_of(window.audience))


def _lists_of(audience: Sequence[AudienceReading]) -> list[AudienceReading]:
    lists = [reading for reading in audience if is_list(reading)]
    return [reading for reading in lists if reading.metric is lists[-1].metric]


def total_at(points: Iterable[Point], as_of: datetime) -> Point | None:
    """Return the total for figures by country: the first point at or after their instant, within 72 hours."""
    fitting = [point for point in points if as_of <= point.at <= as_of + TOTAL_WITHIN]
    return min(fitting, key=lambda point: point.at, default=None)


_LISTED: ReadingCache[float] = ReadingCache()


def listed(reading: AudienceReading) -> float:
    """Return the number of likes with a country."""
    number = _LISTED.get(reading)
    return _LISTED.put(reading, sum(figure.value for figure in reading.likes.values())) if number is None else number


def snapshots(window: Window, home: str, totals: Totals) -> tuple[Snapshot, ...]:
    """Return the lists that count, oldest first: with a total, the home country, and a plausible coverage.

    Coverage is plausible if 0.4 < sum(n) / T <= 1.03. Repeated lists do not count; of several lists of one instant
    the first counts.
    """
    return _once(window, (snapshots, home), totals, lambda: tuple(_snapshots(window, home, totals)))


def _snapshots(window: Window, home: str, totals: Totals) -> Iterator[Snapshot]:
    before: AudienceReading | None = None
    number_before = 0.0
    for reading in _lists(window):
        total = reading.total.value if reading.total is not None else totals.get(reading.as_of)
        if home not in reading.likes or not total:
            continue
        number = listed(reading)
        if before is not None and (
            before.as_of == reading.as_of or (number == number_before and before.likes == reading.likes)
        ):
            continue
        if _COVERAGE_MIN < number / total <= _COVERAGE_MAX:
            before, number_before, at_home = reading, number, reading.likes[home].value
            yield Snapshot(reading, at_home, number - at_home, total)


def later(series: Sequence[Snapshot], until: datetime | None) -> Iterator[tuple[int, Snapshot]]:
    """Return the snapshots after an instant (all if it is None), each with the number of snapshots up to it."""
    first = 0 if until is None else bisect_right(series, until, key=_at)
    return enumerate(series[first:], start=first + 1)


def _at(snapshot: Snapshot) -> datetime:
    return snapshot.reading.as_of


def is_sparse(series: Sequence[Snapshot]) -> bool:
    """Return True if the two newest snapshots lie more than 8 days apart, so that one must be enough."""
    return len(series) == 1 or series[-1].at - series[-2].at > SPARSE_FROM


def steps(window: Window, home: str, totals: Totals) -> tuple[ListStep, ...]:
    """Return the step from each snapshot to the next."""
    series = snapshots(window, home, totals)
    return _once(window, (steps, home), totals, lambda: tuple(_caught_up(tuple(map(_step, series, series[1:])))))


def _step(before: Snapshot, after: Snapshot) -> ListStep:
    known = _STEPS.get(after.reading)
    if known is None or known.before() is not before.reading:
        known = _STEPS.put(after.reading, _changes_between(before, after))
    clean = known.orderly and _agree(after.total - before.total, known.listed, after.total)
    return ListStep(before, after, known.listed, known.orderly, clean, known.steady)


def _agree(gained: float, listed: float, total: float) -> bool:
    return abs(gained - listed) <= max(0.5 * gained, 0.003 * total)


def _caught_up(path: Sequence[ListStep]) -> Iterator[ListStep]:
    """Yield the steps; several orderly ones become clean if they agree with the total together."""
    waiting: list[ListStep] = []
    for step in path:
        if step.clean or not step.orderly:
            yield from waiting
            waiting = []
            yield step
            continue
        waiting.append(step)
        gained, listed = step.after.total - waiting[0].before.total, sum(one.listed for one in waiting)
        if _agree(gained, listed, step.after.total):
            yield from (one._replace(clean=True) for one in waiting)
            waiting = []
    yield from waiting


@dataclass(frozen=True, slots=True, kw_only=True)
class _Known:
    """The part of a step from the snapshot ``before`` that does not depend on totals."""

    before: ReferenceType[AudienceReading]
    listed: float
    orderly: bool
    steady: bool


_STEPS: ReadingCache[_Known] = ReadingCache()


def _changes_between(before: Snapshot, after: Snapshot) -> _Known:
    changes = _changes(before.reading, after.reading).values()
    positive = sum(change for change in changes if change > 0)
    negative = -sum(change for change in changes if change < 0)
    return _Known(
        before=ref(before.reading),
        listed=positive - negative,
        orderly=negative <= max(0.001 * (after.home + after.foreign), positive / 2),
        steady=before.reading.likes.keys() == after.reading.likes.keys(),
    )


def _changes(before: AudienceReading, after: AudienceReading) -> Mapping[str, float]:
    old, new = before.likes, after.likes
    changes = {country: new[country].value - old[country].value for country in new if country in old}
    if len(old) >= _LIST_CUT_AT:  # an absent country had at most the smallest listed
        smallest = min(figure.value for figure in old.values())
        changes |= {country: max(new[country].value - smallest, 0.0) for country in new if country not in old}
    return changes


def flow(path: Sequence[ListStep], home: str, since: datetime, until: datetime) -> Flow | None:
    """Return the new likes over the clean steps from ``since`` to ``until``, if any has a country."""
    first = bisect_left(path, since, key=lambda step: step.before.at)
    last = bisect_right(path, until, key=lambda step: step.after.at)
    inside = [step for step in path[first:last] if step.clean]
    runs = [(run[0].before, run[-1].after) for run in _runs(inside)]
    net: dict[str, float] = {}
    for start, end in runs:
        for country, change in _changes(start.reading, end.reading).items():
            net[country] = net.get(country, 0.0) + change
    abroad = {country: change for country, change in net.items() if change > 0 and country != home}
    foreign, at_home = sum(abroad.values()), max(net.get(home, 0.0), 0.0)
    if foreign + at_home <= 0:
        return None
    gained = sum(end.total - start.total for start, end in runs)
    return Flow(
        since=inside[0].before.at,
        until=inside[-1].after.at,
        days=sum((end.at - start.at) / _DAY for start, end in runs),
        whole=all(step.after is following.before for step, following in pairwise(inside)),
        foreign=foreign,
        home=at_home,
        unlisted=max(gained - sum(net.values()), 0.0),
        gained=gained,
        countries=tuple(sorted(abroad.items(), key=lambda item: (-item[1], item[0]))),
    )


def _runs(clean: Sequence[ListStep]) -> Iterator[Sequence[ListStep]]:
    """Yield the runs of steps that follow each other and list the same countries."""
    start = 0
    for place, (step, following) in enumerate(pairwise(clean), start=1):
        if not (step.steady and following.steady and step.after is following.before):
            yield clean[start:place]
            start = place
    if clean:
        yield clean[start:]


def published_share(reading: AudienceReading, country: str) -> Figure | None:
    """Return a country's share of the reading's denominator with its rounding, if there is one.

    A published share is better than one computed from counts, which carries two roundings.
    """
    if country in reading.shares:
        return reading.shares[country]
    count, total = reading.likes.get(country), reading.total
    if count is None or total is None or total.low <= 0:
        return None
    return Figure(value=count.value / total.value, low=count.low / total.high, high=min(count.high / total.low, 1.0))


def complement(share: Figure) -> Figure:
    """Return the rest of the whole."""
    return Figure(value=1 - share.value, low=1 - share.high, high=1 - share.low)


def list_facts(snapshot: Snapshot, home: str) -> Iterator[Fact]:
    """Yield the likes of a list: abroad, with a country, all, at home, and without a country."""
    reading = snapshot.reading
    unlisted = max(snapshot.total - snapshot.foreign - snapshot.home, 0.0)
    yield fact("numerator", exactly(snapshot.foreign), reading.metric, reading)
    yield fact("denominator", exactly(snapshot.home + snapshot.foreign), reading.metric, reading)
    yield fact("total", exactly(snapshot.total), reading.metric, reading)
    yield fact("home", exactly(snapshot.home), reading.metric, reading, about=home)
    yield fact("unlisted", exactly(unlisted), reading.metric, reading)
