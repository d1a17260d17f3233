"""The world as the comparisons see it: kept from cycle to cycle, so that a cycle reads only what it does not know."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from itertools import chain
from typing import Any

from bot.rules.channel_rules import Rules
from handlers.contract import Scope, Trigger
from handlers.decide import Arrivals, Decision, KnownState
from handlers.live_state import HISTORY, LiveState
from handlers.model import SeriesState
from handlers.signals.history import HistorySummary
from storage.store import Store

Batches = Sequence[tuple[datetime, Arrivals]]
"""The instants from which figures were known, each with the figures, oldest first."""


class StateCache:
    """What the store holds of pages, groups, series and memories, as far as it was needed.

    It may be kept because one process writes, and in it the cycle alone changes series and memories; pages are read
    again when their version has changed, and the memories of variants, which commands begin and end, when the rules
    have. What grew since ``gather`` is kept only if ``keep`` says that it was stored;
    after any transaction that was undone, nothing is.
    """

    def __init__(self, store: Store) -> None:
        self._store = store
        self._rules: Rules = ()
        self._doubtful = False
        self._forget()
        store.after_rollback(self._doubt)

    def keep(self) -> None:
        """What grew is stored: go on from it."""
        self._growing = False

    def _doubt(self) -> None:
        self._doubtful = True  # only noted: another thread may be in the middle of a cycle

    def _forget(self) -> None:
        self._growing = False
        self._doubtful = False
        self._version: int | None = None
        self._known = LiveState()
        self._asked: set[str] = set()
        self._asked_memories: defaultdict[str, set[str]] = defaultdict(set)
        self._begin()

    def gather(self, batches: Batches, rules: Rules) -> None:
        """Read what these rules will need for these arrivals, and is not known yet."""
        if self._growing or self._doubtful:
            self._forget()
        if rules is not self._rules:
            self._forget_variants(rules)
        self._begin()
        self._growing = True
        counted = {reading.page for _, arrivals in batches for reading in arrivals.readings}
        heard = {audience.page for _, arrivals in batches for audience in arrivals.audiences}
        noticed = {notice.page for _, arrivals in batches for notice in arrivals.page_statuses}
        with self._store.read():
            self._gather_pages()
            known = self._known
            moved = [page for page in map(known.pages.get, counted) if page is not None]
            self._groups.update(*{page.groups for page in moved})
            self._platforms.update({page.platform for page in moved})
            together = map(known.groups.__getitem__, self._groups), map(known.platforms.__getitem__, self._platforms)
            self._gather_series(counted.union(heard, noticed, *chain(*together)))
            self._gather_memories({Trigger.COUNTS: counted, Trigger.AUDIENCE: heard, Trigger.PAGE_STATUS: noticed})
            self._gather_audiences(heard, batches)

    def snapshot(self) -> KnownState:
        """The world as it is now: the groups and platforms of what arrived, and of the rest whatever is known."""
        return replace(
            self._known.snapshot(),
            groups={group: self._known.groups[group] for group in self._groups},
            platforms={platform: self._known.platforms[platform] for platform in self._platforms},
        )

    def apply(self, decision: Decision) -> None:
        """Go on from a decision."""
        self._known.apply(decision)
        self._changed_tracks.update(decision.series_states)
        self._changed_pasts.update(decision.histories)
        self._changed_memories.update(decision.rule_states)

    def changed_tracks(self) -> list[SeriesState]:
        """The series that moved on since ``gather``, each as it is in the end."""
        return list(self._changed_tracks.values())

    def changed_pasts(self) -> dict[str, HistorySummary]:
        """The pasts that moved on since ``gather``, by page."""
        return self._changed_pasts

    def changed_memories(self) -> list[tuple[str, int, dict[str, str]]]:
        """Return the rule states that changed since ``gather``: (comparison, version, scope -> text)."""
        forms = {comparison.name: comparison.state for comparison in self._rules}
        texts: dict[str, dict[str, str]] = {}
        for (name, scope), state in self._changed_memories.items():
            texts.setdefault(name, {})[scope] = forms[name].dump(state)
        return [(name, forms[name].version, by_scope) for name, by_scope in texts.items()]

    def _forget_variants(self, rules: Rules) -> None:
        self._rules = rules
        lasting = {comparison.name for comparison in rules if comparison.only is None}
        self._known.rule_states = {key: state for key, state in self._known.rule_states.items() if key[0] in lasting}
        for name in self._asked_memories.keys() - lasting:
            del self._asked_memories[name]

    def _begin(self) -> None:
        self._groups: set[str] = set()
        self._platforms: set[str] = set()
        self._known.audiences.clear()
        self._changed_tracks: dict[str, SeriesState] = {}
        self._changed_pasts: dict[str, HistorySummary] = {}
        self._changed_memories: dict[tuple[str, str], Any] = {}

    def _gather_pages(self) -> None:
        version = self._store.pages.version()
        if version != self._version:
            self._known.set_pages(self._store.pages.all())
            self._version = version

    def _gather_series(self, slugs: set[str]) -> None:
        unknown = slugs - self._asked
        if unknown:
            self._known.series_states.update(self._store.series_states.get(unknown))
            self._known.histories.update(self._store.history_summaries.get(unknown))
            self._asked |= unknown

    def _gather_memories(self, woken: dict[Trigger, set[str]]) -> None:
        for comparison in self._rules:
            scopes = {
                Scope.PAGE: woken[comparison.trigger],
                Scope.GROUP: self._groups,
                Scope.PLATFORM: self._platforms,
            }[comparison.scope]
            if comparison.only is not None:
                scopes = scopes & comparison.only
            asked = self._asked_memories[comparison.name]
            unknown = scopes - asked
            if unknown:
                for scope, stored in self._store.rule_states.get(comparison.name, unknown).items():
                    self._known.rule_states[comparison.name, scope] = comparison.state.load(*stored)
                asked |= unknown

    def _gather_audiences(self, heard: set[str], batches: Batches) -> None:
        if heard:
            since = min(audience.as_of for _, arrivals in batches for audience in arrivals.audiences) - HISTORY
            self._known.audiences.update({slug: self._store.audiences.recent(slug, since) for slug in heard})
