"""Decide which readings count and which alerts they raise: pure, for the live cycle, the replay and the backtest."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from operator import attrgetter
from types import MappingProxyType
from typing import Any, TypeVar

from handlers.contract import Comparison, Scope, Trigger, Window
from handlers.model import Alert, AudienceReading, Page, PageStatus, Reading, SeriesState, Standing, ValidatedReading
from handlers.reading_validation import frozen_since, validate
from handlers.signals.history import EMPTY, HistorySummary, advance

K = TypeVar("K")
V = TypeVar("V")

_reading_order = attrgetter("received_at", "observed_at")
_audience_order = attrgetter("received_at", "as_of")
_as_of = attrgetter("as_of")
_MOVED_ON = frozenset({Standing.ACCEPTED, Standing.UNCHANGED})


def _nothing() -> Mapping[K, V]:
    return MappingProxyType({})


@dataclass(frozen=True, slots=True, kw_only=True)
class KnownState:
    """The state before the arrivals, as far as comparisons may need it.

    Attributes:
        groups: The slugs of the pages of each group.
        platforms: The slugs of the pages of each platform.
        series_states: The series of every page of every group and platform that something arrived for.
        histories: The history summaries of the same pages.
        audiences: The audience readings of a page in the past 150 days or so, oldest first.
        rule_states: The states that comparisons asked to store, by (comparison name, scope).

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
    """What arrived."""

    readings: tuple[Reading, ...] = ()
    audiences: tuple[AudienceReading, ...] = ()
    page_statuses: tuple[PageStatus, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Decision:
    """The result: values to store, and alerts to raise.

    Attributes:
        readings: The readings in the order in which they were validated.
        confirmed: The first and the last instant of each run of earlier held readings that counts from now on, by page.
        series_states: The ones that changed.
        histories: The ones that changed.
        audiences: The new ones.
        rule_states: The ones that changed.

    """

    readings: tuple[ValidatedReading, ...]
    confirmed: Mapping[str, tuple[tuple[datetime, datetime], ...]]
    series_states: Mapping[str, SeriesState]
    histories: Mapping[str, HistorySummary]
    audiences: tuple[AudienceReading, ...]
    alerts: tuple[Alert, ...]
    rule_states: Mapping[tuple[str, str], Any]


def decide(known: KnownState, arrivals: Arrivals, now: datetime, comparisons: Sequence[Comparison[Any]]) -> Decision:
    """Validate the arrivals, and run every comparison that they trigger once for each scope.

    Arrivals are taken in the order of ``received_at``, then of the instant they are for. Comparisons see the series
    after all arrivals. An alert's ``at`` is the newest ``received_at`` among the arrivals of its scope, and never
    later than ``now``.
    """
    draft = _Draft(known, now)
    readings = arrivals.readings
    draft.add_readings(sorted(readings, key=_reading_order) if len(readings) > 1 else readings)
    for audience in sorted(arrivals.audiences, key=_audience_order):
        draft.add_audience(audience)
    for status in arrivals.page_statuses:
        draft.add_page_status(status)
    return draft.decision(comparisons)


class _Draft:
    """One decision while it is being made."""

    def __init__(self, known: KnownState, now: datetime) -> None:
        self.known = known
        self.now = now
        self.readings: list[ValidatedReading] = []
        self.confirmed: dict[str, tuple[tuple[datetime, datetime], ...]] = {}
        self.series_states: dict[str, SeriesState] = {}  # those that changed
        self.histories: dict[str, HistorySummary] = {}  # of every page whose series moved on
        self.audiences: dict[str, list[AudienceReading]] = {}  # of pages with new ones, the known ones included
        self.new_audiences: list[AudienceReading] = []
        self.timely_audiences: dict[str, list[AudienceReading]] = {}
        self.page_statuses: dict[str, list[PageStatus]] = {}
        self.triggered: dict[Trigger, dict[str, datetime]] = {trigger: {} for trigger in Trigger}
        """The newest ``received_at`` of what arrived for a page."""

    def add_readings(self, readings: Iterable[Reading]) -> None:
        """Validate readings and move the series of their pages on."""
        series_states, histories, triggered = self.series_states, self.histories, self.triggered[Trigger.COUNTS]
        for reading in readings:
            page = reading.page
            before = series_states.get(page) or self.known.series_states.get(page)
            validation = validate(before, reading)
            standing, after = validation.standing, validation.series_state
            self.readings.append(ValidatedReading(reading=reading, standing=standing))
            if after is None or after is before:
                continue
            series_states[page] = after
            if validation.confirmed is not None:
                self.confirmed[page] = (*self.confirmed.get(page, ()), validation.confirmed)
            if standing in _MOVED_ON:
                triggered[page] = reading.received_at
                history = histories.get(page) or self.known.histories.get(page, EMPTY)
                is_frozen = before is not None and after.last.count != before.last.count
                histories[page] = advance(
                    history,
                    before,
                    after,
                    confirmed=before.held if before is not None and validation.confirmed is not None else (),
                    frozen_since=frozen_since(before) if before is not None and is_frozen else None,
                )

    def add_audience(self, reading: AudienceReading) -> None:
        """Take in an audience reading; one older than the newest of its measure and metric triggers nothing."""
        page, as_of = reading.page, reading.as_of
        known = self.audiences.setdefault(page, list(self.known.audiences.get(page, ())))
        place = bisect_right(known, as_of, key=_as_of)
        if reading in known[bisect_left(known, as_of, hi=place, key=_as_of) : place]:
            return
        late = any(other.measure is reading.measure and other.metric is reading.metric for other in known[place:])
        known.insert(place, reading)
        self.new_audiences.append(reading)
        if not late:
            self.timely_audiences.setdefault(page, []).append(reading)
            self.triggered[Trigger.AUDIENCE][page] = reading.received_at

    def add_page_status(self, status: PageStatus) -> None:
        """Take in a page status."""
        self.page_statuses.setdefault(status.page, []).append(status)
        self.triggered[Trigger.PAGE_STATUS][status.page] = status.at

    def decision(self, comparisons: Iterable[Comparison[Any]]) -> Decision:
        """Run the comparisons and return the decision."""
        alerts: dict[str, Alert] = {}
        rule_states: dict[tuple[str, str], Any] = {}
        windows: dict[tuple[Scope, Trigger], _Windows] = {}
        for comparison in comparisons:
            kind = (comparison.scope, comparison.trigger)
            if kind not in windows:
                windows[kind] = _Windows(self, *kind)
            for scope, window in windows[kind].of(comparison.only):
                key = (comparison.name, scope)
                state = self.known.rule_states[key] if key in self.known.rule_states else comparison.state.initial()
                verdict = comparison.evaluate(window, state)
                if verdict is None:
                    continue
                for alert in verdict.alerts:
                    alerts.setdefault(alert.key, alert)  # two rivals may share two groups: one alert is enough
                if verdict.state is not state:
                    rule_states[key] = verdict.state
        known = self.known.histories
        return Decision(
            readings=tuple(self.readings),
            confirmed=self.confirmed,
            series_states=self.series_states,
            histories={slug: history for slug, history in self.histories.items() if history is not known.get(slug)},
            audiences=tuple(self.new_audiences),
            alerts=tuple(alerts.values()),
            rule_states=rule_states,
        )


class _Windows:
    """The windows of one scope that one trigger needs, made once for all comparisons."""

    def __init__(self, draft: _Draft, scope: Scope, trigger: Trigger) -> None:
        self._draft = draft
        self._scope = scope
        self._received = draft.triggered[trigger]
        self._changed = _by_scope(draft.known, scope, sorted(self._received.keys() & draft.known.pages.keys()))
        self._windows: dict[str, Window] = {}
        self._answers: dict[frozenset[str] | None, list[tuple[str, Window]]] = {}

    def of(self, only: frozenset[str] | None) -> list[tuple[str, Window]]:
        """Return the windows by name, of all scopes that something arrived for or of ``only`` some of them."""
        if only not in self._answers:
            names = self._changed if only is None else sorted(only & self._changed.keys())
            self._answers[only] = [(name, self._windows.get(name) or self._window(name)) for name in names]
            self._windows.update(self._answers[only])
        return self._answers[only]

    def _window(self, name: str) -> Window:
        draft, known, changed = self._draft, self._draft.known, self._changed[name]
        now = min(max([self._received[slug] for slug in changed]), draft.now)
        if self._scope is not Scope.PAGE:
            together = known.groups if self._scope is Scope.GROUP else known.platforms
            return Window(
                scope=name,
                now=now,
                pages=known.pages,
                series_states=_newest(draft.series_states, known.series_states, together[name]),
                histories=_newest(draft.histories, known.histories, together[name]),
                changed=changed,
            )
        series_states: Mapping[str, SeriesState] = draft.series_states
        histories: Mapping[str, HistorySummary] = draft.histories
        if name not in histories:  # else thousands of pages share the two mappings
            series_states = _newest(series_states, known.series_states, changed)
            histories = {name: known.histories.get(name, EMPTY)}
        return Window(
            scope=name,
            now=now,
            pages=known.pages,
            series_states=series_states,
            histories=histories,
            changed=changed,
            audience=tuple(draft.audiences.get(name) or known.audiences.get(name, ())),
            new_audience=tuple(draft.timely_audiences.get(name, ())),
            page_statuses=tuple(draft.page_statuses.get(name, ())),
        )


def _by_scope(known: KnownState, scope: Scope, slugs: Sequence[str]) -> Mapping[str, tuple[str, ...]]:
    """Return the pages, groups or platforms of these pages, by name, each with its own of these pages."""
    if scope is Scope.PAGE:
        return {slug: (slug,) for slug in slugs}
    together = known.groups if scope is Scope.GROUP else known.platforms
    found: dict[str, list[str]] = {}
    for slug in slugs:
        page = known.pages[slug]
        for name in page.groups if scope is Scope.GROUP else (page.platform,):
            if name in together:
                found.setdefault(name, []).append(slug)
    return {name: tuple(found[name]) for name in sorted(found)}


def _newest(changed: Mapping[str, V], known: Mapping[str, V], slugs: Iterable[str]) -> dict[str, V]:
    """Return the newest value of each of these pages that has one."""
    return {slug: value for slug in slugs if (value := changed.get(slug) or known.get(slug)) is not None}
