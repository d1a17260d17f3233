"""The state that decisions start from. It stays from one cycle to the next, so that a cycle reads only what is new."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from itertools import chain
from typing import Any, Protocol

from bot.rules.channel_rules import Rules
from handlers.contract import Scope, Trigger
from handlers.decide import Decision, KnownState, decide
from handlers.live_state import HISTORY, LiveState
from handlers.model import AudienceReading, Page, SeriesState
from handlers.signals.history import HistorySummary
from storage.series.journal import Batches
from storage.series.rule_states import RuleStateText
from storage.store import Store


class StateSource(Protocol):
    """The source of the state: the store, or the journal during a rebuild."""

    def pages_version(self) -> int:
        """Return a number that changes whenever ``pages`` does."""

    def pages(self) -> Iterable[Page]:
        """Return every watched page, by slug."""

    def series_states(self, slugs: Iterable[str]) -> Mapping[str, SeriesState]:
        """Return the series states of these pages."""

    def histories(self, slugs: Iterable[str]) -> Mapping[str, HistorySummary]:
        """Return the history summaries of these pages."""

    def rule_states(self, rule: str, scopes: Iterable[str]) -> Mapping[str, RuleStateText]:
        """Return a rule's states of these scopes, as text."""

    def audiences(self, slug: str, since: datetime) -> tuple[AudienceReading, ...]:
        """Return the audience readings of a page that rules see."""


class StoredState:
    """The state in the store."""

    def __init__(self, store: Store) -> None:
        self.pages_version = store.pages.version
        self.pages = store.pages.all
        self.series_states = store.series_states.get
        self.histories = store.history_summaries.get
        self.rule_states = store.rule_states.get
        self.audiences = store.audiences.recent


@dataclass(frozen=True, slots=True, kw_only=True)
class StateChanges:
    """The changes of decisions: by page, by page, and for each rule its version and scope -> text."""

    series_states: Mapping[str, SeriesState]
    histories: Mapping[str, HistorySummary]
    rule_states: Sequence[tuple[str, int, Mapping[str, str]]]


class StateCache:
    """Pages, series states, history summaries and rule states, as far as they were needed.

    The cache stays true because one process writes, and only the intake changes these states. There are exceptions:

    - Commands change pages: the cache reads pages again when their version has changed.
    - Commands set states of channel rules: the cache reads these states again when the rules have changed.
    - A transaction may fail: the cache then reads everything again.
    """

    def __init__(self, source: StateSource) -> None:
        self._source = source
        self._rules: Rules = ()
        self._clear()

    def doubt(self) -> None:
        """Read everything again at the next decision: a transaction failed. Any thread may call it."""
        self._is_doubtful = True  # only noted: another thread may be in the middle of a decision

    def confirm(self) -> None:
        """Note that the last decisions are stored. Without this call, the next decision reads everything again."""
        self._is_unconfirmed = False

    @property
    def pages(self) -> Mapping[str, Page]:
        """The watched pages at the last decision, by slug; the same object while they have not changed."""
        return self._state.pages

    def decide(self, batches: Batches, rules: Rules) -> list[Decision]:
        """Decide on batches of figures, oldest first. Each decision starts from the one before."""
        self.read(batches, rules)
        decisions = []
        for instant, arrivals in batches:
            decision = decide(self.snapshot(), arrivals, instant, rules)
            self._apply(decision)
            decisions.append(decision)
        return decisions

    def changes(self) -> StateChanges:
        """Return what the last call of ``decide`` changed."""
        forms = {rule.name: rule.state for rule in self._rules}
        texts: defaultdict[str, dict[str, str]] = defaultdict(dict)
        for (rule, scope), state in self._changed_rule_states.items():
            texts[rule][scope] = forms[rule].dump(state)
        return StateChanges(
            series_states=self._changed_series_states,
            histories=self._changed_histories,
            rule_states=[(rule, forms[rule].version, by_scope) for rule, by_scope in texts.items()],
        )

    def _clear(self) -> None:
        self._is_unconfirmed = False
        self._is_doubtful = False
        self._pages_version: int | None = None
        self._state = LiveState()
        self._read_pages: set[str] = set()
        self._read_scopes: defaultdict[str, set[str]] = defaultdict(set)
        self._begin()

    def _forget_channel_rules(self, rules: Rules) -> None:
        self._rules = rules
        lasting = {rule.name for rule in rules if rule.only is None}
        self._state.rule_states = {key: state for key, state in self._state.rule_states.items() if key[0] in lasting}
        for name in self._read_scopes.keys() - lasting:
            del self._read_scopes[name]

    def _begin(self) -> None:
        self._groups: set[str] = set()
        self._platforms: set[str] = set()
        self._state.audiences.clear()
        self._changed_series_states: dict[str, SeriesState] = {}
        self._changed_histories: dict[str, HistorySummary] = {}
        self._changed_rule_states: dict[tuple[str, str], Any] = {}

    def read(self, batches: Batches, rules: Rules) -> None:
        """Read the state that these rules need for these figures, as far as it is not here yet."""
        if self._is_unconfirmed or self._is_doubtful:
            self._clear()
        if rules is not self._rules:
            self._forget_channel_rules(rules)
        self._begin()
        self._is_unconfirmed = True
        counted = {reading.page for _, arrivals in batches for reading in arrivals.readings}
        with_audience = {audience.page for _, arrivals in batches for audience in arrivals.audiences}
        with_status = {status.page for _, arrivals in batches for status in arrivals.page_statuses}
        state = self._state
        version = self._source.pages_version()
        if version != self._pages_version:
            state.set_pages(self._source.pages())
            self._pages_version = version
        watched = [page for page in map(state.pages.get, counted) if page is not None]
        self._groups.update(*{page.groups for page in watched})
        self._platforms.update({page.platform for page in watched})
        rivals = map(state.groups.__getitem__, self._groups), map(state.platforms.__getitem__, self._platforms)
        self._read_series(counted.union(with_audience, with_status, *chain(*rivals)))
        self._read_rule_states(
            {Trigger.COUNTS: counted, Trigger.AUDIENCE: with_audience, Trigger.PAGE_STATUS: with_status}
        )
        if with_audience:
            since = min(audience.as_of for _, arrivals in batches for audience in arrivals.audiences) - HISTORY
            state.audiences.update({slug: self._source.audiences(slug, since) for slug in with_audience})

    def _read_series(self, slugs: set[str]) -> None:
        unread = slugs - self._read_pages
        if unread:
            self._state.series_states.update(self._source.series_states(unread))
            self._state.histories.update(self._source.histories(unread))
            self._read_pages |= unread

    def _read_rule_states(self, woken: Mapping[Trigger, set[str]]) -> None:
        for rule in self._rules:
            scopes = {
                Scope.PAGE: woken[rule.trigger],
                Scope.GROUP: self._groups,
                Scope.PLATFORM: self._platforms,
            }[rule.scope]
            if rule.only is not None:
                scopes = scopes & rule.only
            read = self._read_scopes[rule.name]
            unread = scopes - read
            if unread:
                for scope, stored in self._source.rule_states(rule.name, unread).items():
                    self._state.rule_states[rule.name, scope] = rule.state.load(*stored)
                read |= unread

    def snapshot(self) -> KnownState:
        """Return the state for the next decision, with only the groups and platforms that figures arrived for."""
        state = self._state
        return replace(
            state.snapshot(),
            groups={group: state.groups[group] for group in self._groups},
            platforms={platform: state.platforms[platform] for platform in self._platforms},
        )

    def _apply(self, decision: Decision) -> None:
        self._state.apply(decision)
        self._changed_series_states.update(decision.series_states)
        self._changed_histories.update(decision.histories)
        self._changed_rule_states.update(decision.rule_states)
