"""Rebuild derived data: decide again on everything that ever arrived, and store the state that results.

Series states, history summaries and rule states result from decisions alone. The journal has everything that decisions
were made from. So the rebuilt state equals the live state, unless a bug, an upgrade or somebody's hand changed one.

A database from before 0.2.0 has a journal since its upgrade. Its rebuild starts from the state at the upgrade.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from operator import attrgetter
from typing import Any, TypeVar

from bot.polling.state_cache import StateCache, StateChanges
from bot.rules.channel_rules import Rules, rules_of
from bot.text import phrases
from handlers.contract import Comparison
from handlers.decide import Decision
from handlers.model import AudienceReading, Page, SeriesState
from handlers.signals.history import HistorySummary
from storage.series.journal import DerivedState, JournalEntry
from storage.series.rule_states import RuleStateKey, RuleStateText
from storage.store import Store

K = TypeVar("K")
V = TypeVar("V")

_NAMES_SHOWN = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class RebuildReport:
    """The findings of a rebuild. All lists are empty if the stored state was right.

    Attributes:
        entries: the number of journal entries.
        series_states: the pages with another series state.
        histories: the pages with another history summary.
        rule_states: the rules and scopes with another state.
        raised: the keys of alerts that the rebuild raised, and that are not stored.
        unraised: the keys of stored alerts that the rebuild did not raise.

    """

    entries: int
    series_states: tuple[str, ...]
    histories: tuple[str, ...]
    rule_states: tuple[RuleStateKey, ...]
    raised: tuple[str, ...]
    unraised: tuple[str, ...]


def rebuild(
    store: Store, defaults: Sequence[Comparison[Any]], *, advance: Callable[[int, int], None] = lambda *_: None
) -> RebuildReport:
    """Compute the derived state again, and replace the stored state where it differs.

    An interrupted rebuild changes nothing, because it stores everything at its end. A rebuild adds and posts no alert.
    No cycle may run meanwhile.

    Args:
        store: opened for writing.
        defaults: the default rules.
        advance: called after each entry with how many are done, and how many there are.

    """
    size = store.journal.size()
    replay = _Replay(store, defaults)
    for done, entry in enumerate(store.journal.entries()):  # the first is for what was set before all others
        replay.add(entry)
        advance(done, size)
    with store.write():
        stored, rebuilt = store.journal.stored(), replay.state
        pages = _differing(stored.series_states, rebuilt.series_states)
        histories = _differing(stored.histories, rebuilt.histories)
        rules = [key for key in _differing(stored.rule_states, rebuilt.rule_states) if replay.differ(key, stored)]
        store.series_states.delete(pages)
        store.series_states.put([state for page in pages if (state := rebuilt.series_states.get(page))])
        store.history_summaries.delete(histories)
        store.history_summaries.put({page: rebuilt.histories[page] for page in histories if page in rebuilt.histories})
        store.rule_states.delete(rules)
        for rule, scope in rules:
            if (stated := rebuilt.rule_states.get((rule, scope))) is not None:
                version, text = stated
                store.rule_states.put(rule, version, {scope: text})
    known, known_since = store.journal.alerts()
    return RebuildReport(
        entries=size,
        series_states=tuple(pages),
        histories=tuple(histories),
        rule_states=tuple(rules),
        raised=tuple(sorted(replay.raised - known)),
        unraised=tuple(sorted(known_since - replay.raised - replay.raised_for_channels)),
    )


def rebuild_summary(report: RebuildReport) -> Iterator[str]:
    """Yield what a rebuild found, in lines for the operator."""
    yield f"Decided again on {phrases.several(report.entries, 'entry', 'entries')} of the journal."
    found = (
        ("series state", report.series_states),
        ("history summary", report.histories),
        ("rule state", [f"{rule} of {scope}" for rule, scope in report.rule_states]),
    )
    for what, names in found:
        if names:
            several = phrases.several(len(names), what, "history summaries" if what == "history summary" else "")
            were = "was" if len(names) == 1 else "were"
            yield f"{several} had another value, and {were} replaced: {phrases.first_of(names, _NAMES_SHOWN)}."
    for outcome, keys in (("raised again, not stored", report.raised), ("stored, not raised again", report.unraised)):
        if keys:
            yield f"{phrases.several(len(keys), 'alert')} {outcome}: {phrases.first_of(keys, _NAMES_SHOWN)}."
    if report.raised or report.unraised:
        yield "No alert was added, removed or posted."
    if any(names for _, names in found) or report.raised or report.unraised:
        yield "A difference comes from a bug, or from a rule that an upgrade changed. Report a bug with these lines."
    else:
        yield "Everything derived was as stored; nothing was changed."


class _Replay:
    """Decides on the entries of the journal as the cycle did, with a state of its own instead of the store's."""

    def __init__(self, store: Store, defaults: Sequence[Comparison[Any]]) -> None:
        self.state = store.journal.baseline()
        self.raised: set[str] = set()
        self.raised_for_channels: set[str] = set()  # no such alert is stored where no channel wanted it
        self._defaults = {rule.name: rule for rule in defaults}
        self._source = _JournaledState(store, self.state)
        self._cache = StateCache(self._source)
        self._rules: Rules = ()

    def add(self, entry: JournalEntry) -> None:
        """Go on by one entry."""
        self._source.begin(entry)
        if entry.rules is not None:
            self._rules = rules_of(entry.rules, self._defaults.values())
        if entry.batches:
            decisions = self._cache.decide(entry.batches, self._rules)
            self._save(self._cache.changes(), decisions)
            self._cache.confirm()
        for key, state in entry.rule_states.items():
            self.state.rule_states.pop(key, None)
            if state is not None:
                self.state.rule_states[key] = state
        if entry.rule_states:
            self._cache.doubt()  # the cycle reads them again too, although the rules may be the same as before

    def differ(self, key: RuleStateKey, stored: DerivedState) -> bool:
        """Return whether a rule state differs in more than its text; never for a rule that there is no longer."""
        rule = self._defaults.get(key[0].partition(">")[0])
        one, other = stored.rule_states.get(key), self.state.rule_states.get(key)
        if rule is None:
            return False
        try:
            return one is None or other is None or bool(rule.state.load(*one) != rule.state.load(*other))
        except (ValueError, TypeError, LookupError, AttributeError):
            return True  # somebody's hand changed the stored text, and the rule cannot read it any more

    def _save(self, changes: StateChanges, decisions: Iterable[Decision]) -> None:
        self.state.series_states.update(changes.series_states)
        self.state.histories.update(changes.histories)
        for rule, version, texts in changes.rule_states:
            self.state.rule_states.update({(rule, scope): (version, text) for scope, text in texts.items()})
        for decision in decisions:
            for alert in decision.alerts:
                (self.raised_for_channels if alert.tuned else self.raised).add(alert.key)


class _JournaledState:
    """The state at an entry of the journal: what the store held then."""

    def __init__(self, store: Store, derived: DerivedState) -> None:
        self._store = store
        self._derived = derived
        self._watched: dict[str, Page] = {}
        self._version = 0
        self._newest_audience = 0

    def begin(self, entry: JournalEntry) -> None:
        """Let this entry be the present."""
        self._newest_audience = entry.newest_audience
        for slug, page in entry.pages.items():
            self._version += 1
            self._watched.pop(slug, None)
            if page is not None:
                self._watched[slug] = page

    def pages_version(self) -> int:
        return self._version

    def pages(self) -> Iterable[Page]:
        return sorted(self._watched.values(), key=attrgetter("slug"))

    def series_states(self, slugs: Iterable[str]) -> Mapping[str, SeriesState]:
        return _those(self._derived.series_states, slugs)

    def histories(self, slugs: Iterable[str]) -> Mapping[str, HistorySummary]:
        return _those(self._derived.histories, slugs)

    def rule_states(self, rule: str, scopes: Iterable[str]) -> Mapping[str, RuleStateText]:
        states = self._derived.rule_states
        return {scope: states[rule, scope] for scope in scopes if (rule, scope) in states}

    def audiences(self, slug: str, since: datetime) -> tuple[AudienceReading, ...]:
        return self._store.audiences.recent(slug, since, newest=self._newest_audience)


def _those(values: Mapping[K, V], keys: Iterable[K]) -> dict[K, V]:
    return {key: values[key] for key in keys if key in values}


def _differing(stored: Mapping[K, V], rebuilt: Mapping[K, V]) -> list[K]:
    """Return the keys whose values differ, or that one of both lacks, in order."""
    return sorted(key for key in stored.keys() | rebuilt.keys() if stored.get(key) != rebuilt.get(key))  # type: ignore[type-var]
