"""Decide: what arrived, judged; what it means, told. Pure: the live cycle, the replay and the backtest share it."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from operator import attrgetter
from types import MappingProxyType
from typing import Any, TypeVar

from handlers.contract import Comparison, Scope, Trigger, Window
from handlers.model import Alert, AudienceReading, Page, PageStatus, Reading, SeriesState, Standing, ValidatedReading
from handlers.signals.history import EMPTY, HistorySummary, advance
from handlers.validation import frozen_since, validate

K = TypeVar("K")
V = TypeVar("V")


def _nothing() -> Mapping[K, V]:
    return MappingProxyType({})


@dataclass(frozen=True, slots=True, kw_only=True)
class KnownState:
    """What was known before: everything a comparison may look at, for the pages and groups that are touched.

    ``groups`` maps a group to the slugs of its pages, ``platforms`` a platform's name; ``series_states`` and ``histories`` hold
    the series of every member of every group and platform touched. ``audiences`` are a page's audience readings of the
    past 150 days or so, oldest first. ``rule_states`` maps (comparison name, scope) to the object that comparison asked to
    be remembered.
    """

    pages: Mapping[str, Page]
    groups: Mapping[str, tuple[str, ...]] = field(default_factory=_nothing)
    platforms: Mapping[str, tuple[str, ...]] = field(default_factory=_nothing)
    series_states: Mapping[str, SeriesState] = field(default_factory=_nothing)
    histories: Mapping[str, HistorySummary] = field(default_factory=_nothing)
    audiences: Mapping[str, tuple[AudienceReading, ...]] = field(default_factory=_nothing)
    rule_states: Mapping[tuple[str, str], Any] = field(default_factory=_nothing)


@dataclass(frozen=True, slots=True, kw_only=True)
class Arrivals:
    """What came in."""

    readings: tuple[Reading, ...] = ()
    audiences: tuple[AudienceReading, ...] = ()
    page_statuses: tuple[PageStatus, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Decision:
    """What to store and what to tell.

    ``judged`` are the readings in the order they were judged. ``confirmed`` gives, by page, the first and the last
    instant of each run of earlier held readings that counts from now on. ``series_states``, ``histories`` and ``rule_states`` hold
    only what changed; ``audiences`` only what was new.
    """

    judged: tuple[ValidatedReading, ...]
    confirmed: Mapping[str, tuple[tuple[datetime, datetime], ...]]
    series_states: Mapping[str, SeriesState]
    histories: Mapping[str, HistorySummary]
    audiences: tuple[AudienceReading, ...]
    alerts: tuple[Alert, ...]
    rule_states: Mapping[tuple[str, str], Any]


def decide(world: KnownState, arrivals: Arrivals, now: datetime, comparisons: Sequence[Comparison[Any]]) -> Decision:
    """Judge the arrivals and ask every comparison they wake, once for each page or group touched.

    Arrivals are taken in the order in which they could be known (``received_at``, then the instant they are for);
    comparisons see the series after all of them. An alert's ``at`` is the newest ``received_at`` among the arrivals
    that woke its scope; ``now`` is the limit: nothing is dated after it.
    """
    decider = _Decider(world, now)
    readings = arrivals.readings
    decider.add_readings(sorted(readings, key=_reading_order) if len(readings) > 1 else readings)
    for audience in sorted(arrivals.audiences, key=_audience_order):
        decider.add_audience(audience)
    for notice in arrivals.page_statuses:
        decider.add_page_status(notice)
    return decider.decision(comparisons)


_reading_order = attrgetter("received_at", "observed_at")
_audience_order = attrgetter("received_at", "as_of")
_as_of = attrgetter("as_of")


_ALL_WAKES = tuple(Trigger)
_MOVED = frozenset({Standing.ACCEPTED, Standing.UNCHANGED})


class _Decider:
    """One decision while it is being made."""

    def __init__(self, world: KnownState, now: datetime) -> None:
        self.world = world
        self.now = now
        self.moved: dict[str, SeriesState] = {}
        self.histories: dict[
            str, HistorySummary
        ] = {}  # of every page that moved on, whether or not something was marked
        self.judged: list[ValidatedReading] = []
        self.confirmed: dict[str, tuple[tuple[datetime, datetime], ...]] = {}
        self.audiences: list[AudienceReading] = []
        self.woken: dict[Trigger, dict[str, datetime]] = {
            trigger: {} for trigger in _ALL_WAKES
        }  # the newest received_at, by page
        self.known: dict[str, list[AudienceReading]] = {}
        self.woken_by: dict[str, list[AudienceReading]] = {}
        self.page_statuses: dict[str, list[PageStatus]] = {}

    def add_readings(self, readings: Iterable[Reading]) -> None:
        moved, known, histories, known_pasts = (
            self.moved,
            self.world.series_states,
            self.histories,
            self.world.histories,
        )
        judged, woken = self.judged, self.woken[Trigger.COUNTS]
        for reading in readings:
            page = reading.page
            before = moved.get(page) or known.get(page)
            ruling = validate(before, reading)
            standing, after = ruling.standing, ruling.series_state
            judged.append(ValidatedReading(reading=reading, standing=standing))
            if after is None or after is before:
                continue
            moved[page] = after
            if ruling.confirmed is not None:
                self.confirmed[page] = (*self.confirmed.get(page, ()), ruling.confirmed)
            if standing in _MOVED:
                woken[page] = reading.received_at
                past = histories.get(page) or known_pasts.get(page, EMPTY)
                histories[page] = _remembered(past, before, after, confirms=ruling.confirmed is not None)

    def series_state(self, page: str) -> SeriesState | None:
        """The page's series after what was received so far."""
        return self.moved.get(page) or self.world.series_states.get(page)

    def past(self, page: str) -> HistorySummary:
        """What is remembered of the page's past, after what was received so far."""
        return self.histories.get(page) or self.world.histories.get(page, EMPTY)

    def add_audience(self, reading: AudienceReading) -> None:
        """Keep a new audience reading; one older than the newest of its kind is late and wakes nothing."""
        page, as_of = reading.page, reading.as_of
        known = self.known.setdefault(page, list(self.world.audiences.get(page, ())))  # oldest first, as they stay
        place = bisect_right(known, as_of, key=_as_of)
        same = known[bisect_left(known, as_of, hi=place, key=_as_of) : place]
        if reading in same:
            return
        late = any(other.measure is reading.measure and other.metric is reading.metric for other in known[place:])
        known.insert(place, reading)
        self.audiences.append(reading)
        if not late:
            self.woken_by.setdefault(page, []).append(reading)
            self.woken[Trigger.AUDIENCE][page] = reading.received_at

    def add_page_status(self, notice: PageStatus) -> None:
        self.page_statuses.setdefault(notice.page, []).append(notice)
        self.woken[Trigger.PAGE_STATUS][notice.page] = notice.at

    def decision(self, comparisons: Iterable[Comparison[Any]]) -> Decision:
        alerts: dict[str, Alert] = {}
        rule_states: dict[tuple[str, str], Any] = {}
        looks: dict[tuple[Scope, Trigger], _Look] = {}
        slugs = {trigger: sorted(woken.keys() & self.world.pages.keys()) for trigger, woken in self.woken.items()}
        remembered_by = self.world.rule_states
        for comparison in comparisons:
            look = looks.get((comparison.scope, comparison.trigger))
            if look is None:
                look = _Look(self, comparison.scope, comparison.trigger, slugs[comparison.trigger])
                looks[comparison.scope, comparison.trigger] = look
            name, compare = comparison.name, comparison.compare
            for scope, window in look.windows(comparison.only):
                key = (name, scope)
                state = remembered_by.get(key, _NOTHING_YET)
                if state is _NOTHING_YET:
                    state = comparison.blank()
                verdict = compare(window, state)
                if verdict is None:
                    continue
                for alert in verdict.alerts:
                    alerts.setdefault(alert.key, alert)  # two rivals may share two groups: told once
                if verdict.state is not state:
                    rule_states[key] = verdict.state
        return Decision(
            judged=tuple(self.judged),
            confirmed=self.confirmed,
            series_states=self.moved,
            histories=self._changed_pasts(),
            audiences=tuple(self.audiences),
            alerts=tuple(alerts.values()),
            rule_states=rule_states,
        )

    def _changed_pasts(self) -> Mapping[str, HistorySummary]:
        known = self.world.histories
        return {slug: past for slug, past in self.histories.items() if past is not known.get(slug)}

    def window_of_page(self, slug: str, came: tuple[str, ...], now: datetime) -> Window:
        """One page's window; it shares its mappings with other pages' where it can, since thousands are made."""
        world, known, series_states = self.world, self.known.get(slug), self.moved
        histories: Mapping[str, HistorySummary] = self.histories
        if slug not in histories:
            series_state = self.series_state(slug)
            series_states, histories = {} if series_state is None else {slug: series_state}, {slug: self.past(slug)}
        return Window(
            scope=slug,
            now=now,
            pages=world.pages,
            series_states=series_states,
            histories=histories,
            came=came,
            audience=tuple(known) if known else world.audiences.get(slug, ()),
            new_audience=tuple(self.woken_by[slug]) if known and slug in self.woken_by else (),
            page_statuses=tuple(self.page_statuses[slug]) if slug in self.page_statuses else (),
        )

    def series_states(self, scope: Scope, name: str) -> Mapping[str, SeriesState]:
        """The series of a group's or a platform's pages."""
        if scope is Scope.PLATFORM:
            return _OnPlatform(self, name)
        moved, known = self.moved, self.world.series_states
        members = self.world.groups[name]
        return {
            slug: series_state for slug in members if (series_state := moved.get(slug) or known.get(slug)) is not None
        }


_NOTHING_YET = object()


def _remembered(
    past: HistorySummary, before: SeriesState | None, after: SeriesState, *, confirms: bool
) -> HistorySummary:
    if before is None:
        return advance(past, None, after, confirmed=(), frozen_since=None)
    frozen = frozen_since(before) if after.last.count != before.last.count else None
    return advance(past, before, after, confirmed=before.held if confirms else (), frozen_since=frozen)


class _Look:
    """The windows on what was touched, made once for all comparisons of one scope that the same arrivals wake."""

    def __init__(self, decider: _Decider, scope: Scope, trigger: Trigger, slugs: Sequence[str]) -> None:
        self._book = decider
        self._scope = scope
        self._woken = decider.woken[trigger]
        self._touched = _touched(decider.world, scope, slugs)
        self._pasts = _Newest(decider.histories, decider.world.histories)
        self._windows: dict[str, Window] = {}
        self._asked: dict[frozenset[str] | None, list[tuple[str, Window]]] = {}

    def windows(self, only: frozenset[str] | None) -> list[tuple[str, Window]]:
        """What was touched, by name, or ``only`` some of it; rules with the same ``only`` share one answer."""
        asked = self._asked.get(only)
        if asked is None:
            names = self._touched if only is None else sorted(only & self._touched.keys())
            asked = self._asked[only] = [(name, self._windows.get(name) or self._window(name)) for name in names]
            self._windows.update(asked)
        return asked

    def _window(self, name: str) -> Window:
        decider, came, woken = self._book, self._touched[name], self._woken
        at = woken[came[0]] if len(came) == 1 else max([woken[slug] for slug in came])
        now = min(at, decider.now)
        if self._scope is Scope.PAGE:
            return decider.window_of_page(name, came, now)
        series_states = decider.series_states(self._scope, name)
        return Window(
            scope=name,
            now=now,
            pages=decider.world.pages,
            series_states=series_states,
            histories=self._pasts,
            came=came,
        )


def _touched(world: KnownState, scope: Scope, slugs: Sequence[str]) -> Mapping[str, tuple[str, ...]]:
    """The pages, groups or platforms of these pages, by name, each with those of them that are its own."""
    if scope is Scope.PAGE:
        return {slug: (slug,) for slug in slugs}
    together = world.groups if scope is Scope.GROUP else world.platforms
    touched: dict[str, list[str]] = {}
    for slug in slugs:
        page = world.pages[slug]
        for name in page.groups if scope is Scope.GROUP else (page.platform,):
            if name in together:
                touched.setdefault(name, []).append(slug)
    return {name: tuple(touched[name]) for name in sorted(touched)}


class _Newest(Mapping[str, V]):
    """What moved on, and for all else what was known."""

    def __init__(self, moved: Mapping[str, V], known: Mapping[str, V]) -> None:
        self._moved, self._known = moved, known

    def __getitem__(self, slug: str) -> V:
        return self._moved[slug] if slug in self._moved else self._known[slug]

    def __iter__(self) -> Iterator[str]:
        return iter({**self._known, **self._moved})

    def __len__(self) -> int:
        return len(self._known.keys() | self._moved.keys())


class _OnPlatform(Mapping[str, SeriesState]):
    """The series of a platform's pages, looked up as they are asked for: of thousands, a rule asks for a few."""

    def __init__(self, decider: _Decider, name: str) -> None:
        self._book, self._name = decider, name

    def __getitem__(self, slug: str) -> SeriesState:
        series_state = self._book.series_state(slug)
        if series_state is None or self._book.world.pages[slug].platform != self._name:
            raise KeyError(slug)
        return series_state

    def __iter__(self) -> Iterator[str]:
        return (slug for slug in self._book.world.platforms[self._name] if self._book.series_state(slug) is not None)

    def __len__(self) -> int:
        return sum(1 for _ in self)
