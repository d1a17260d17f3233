"""Previews: the alerts and the states that channel rules would have, if they had run all along."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from itertools import chain
from operator import attrgetter
from types import MappingProxyType
from typing import Any

from bot.rules.channel_rules import Rules, channel_rules, pages_of
from bot.rules.resample import resample
from handlers.contract import Comparison, Scope
from handlers.decide import decide
from handlers.live_state import HISTORY, LiveState
from handlers.model import Alert, AudienceReading, Page
from storage.series.rule_states import RuleStateKey, RuleStateText
from storage.store import Store
from storage.values import Subscription

PREVIEW = timedelta(days=30)
"""A subscription shows what it would have posted in this time."""

REACH = HISTORY
"""A preview runs the rules over this time: the 30 days, and the 118 days before them that rules look back on."""

_PLATFORM_AT_MOST = 100
"""If a platform has more pages, a preview looks only at the subscribed ones, because somebody waits for it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Preview:
    """The alerts, oldest first, and the text of every rule state by (rule, scope)."""

    alerts: tuple[Alert, ...]
    rule_states: Mapping[tuple[str, str], str]


def preview(
    store: Store,
    subscriptions: Sequence[Subscription],
    rules: Rules,
    now: datetime,
    *,
    joining: Page | None = None,
) -> Preview:
    """Run channel rules over the stored figures of ``REACH``, as a cycle once an hour would. Store nothing.

    A preview takes seconds for a group. Run it before a transaction, because a cycle would wait for the transaction.
    An unchanged count is not stored again, so that the rules see it once.

    Args:
        store: only read.
        subscriptions: the subscriptions that the rules come from.
        rules: channel rules.
        now: the end of the preview.
        joining: a page about to be tracked. Its earlier figures may be stored.

    """
    if not rules:
        return Preview(alerts=(), rule_states={})
    pages = _pages(store, subscriptions, rules, joining)
    until = now + timedelta(milliseconds=1)  # what was read this very instant is of the past too
    slugs = [page.slug for page in pages]
    figures = store.timeline.as_received(slugs, until - REACH, until)
    live = LiveState(pages)
    alerts: list[Alert] = []
    for instant, arrivals in resample(chain(_older(store, slugs, until - REACH), figures)):
        decision = decide(live.snapshot(), arrivals, instant, rules)
        live.apply(decision)
        alerts += decision.alerts
    keys = [(rule, (rule.name, scope)) for rule in rules for scope in rule.only or ()]
    rule_states = {
        key: rule.state.dump(live.rule_states[key] if key in live.rule_states else rule.state.initial())
        for rule, key in keys
    }
    return Preview(alerts=tuple(alerts), rule_states=rule_states)


def _older(store: Store, slugs: Sequence[str], since: datetime) -> list[AudienceReading]:
    """Return the audience readings from before ``since`` that rules see, as if each had arrived at its own instant."""
    shown = (reading for slug in slugs for reading in store.audiences.recent(slug, since))
    older = (replace(reading, received_at=reading.as_of) for reading in shown if reading.as_of < since)
    return sorted(older, key=attrgetter("received_at"))


def _pages(store: Store, subscriptions: Sequence[Subscription], rules: Rules, joining: Page | None) -> tuple[Page, ...]:
    """Return the pages that the rules look at, and the pages that they compare them with."""
    watched = {page.slug: page for page in store.pages.all()} | ({joining.slug: joining} if joining else {})
    slugs: set[str] = set()
    for rule in rules:
        only = rule.only or frozenset()
        if rule.scope is Scope.PAGE:
            slugs |= only
        if rule.scope is Scope.GROUP:
            slugs |= {slug for slug, page in watched.items() if not only.isdisjoint(page.groups)}
        if rule.scope is Scope.PLATFORM:
            together = {slug for slug, page in watched.items() if page.platform in only}
            slugs |= together if len(together) <= _PLATFORM_AT_MOST else together & _subscribed(store, subscriptions)
    return tuple(page for slug, page in watched.items() if slug in slugs)


def _subscribed(store: Store, subscriptions: Sequence[Subscription]) -> set[str]:
    return {page.slug for subscription in subscriptions for page in pages_of(store, subscription)}


def states_begun_by(
    store: Store, page: Page, defaults: Sequence[Comparison[Any]], now: datetime
) -> Mapping[tuple[str, str], str]:
    """Return the first states of the channel rules that begin when this page is tracked: see ``settle_rule_states``."""
    subscriptions = store.subscriptions.with_thresholds()
    rules = channel_rules(store, subscriptions, defaults, joining=page)
    unmade = _keys(rules) - _stored_keys(store, defaults)
    return preview(store, subscriptions, _only(rules, unmade), now, joining=page).rule_states


def settle_rule_states(
    store: Store,
    defaults: Sequence[Comparison[Any]],
    now: datetime,
    *,
    made: Mapping[tuple[str, str], str] = MappingProxyType({}),
) -> None:
    """Store a first state for every channel rule that begins, and delete the states of those that ended.

    A channel rule begins with the state that a preview ends with. Otherwise it would raise alerts about the past as if
    they were news. ``made`` are first states that were computed before the transaction. A preview computes the missing
    ones here.
    """
    subscriptions = store.subscriptions.with_thresholds()
    rules = channel_rules(store, subscriptions, defaults)
    wanted, stored = _keys(rules), _stored_keys(store, defaults)
    unmade = wanted - stored - made.keys()
    rule_states = {**made, **preview(store, subscriptions, _only(rules, unmade), now).rule_states}
    versions = {rule.name: rule.state.version for rule in rules}
    with store.write():
        store.rule_states.delete(stored - wanted)
        set_states: dict[RuleStateKey, RuleStateText | None] = dict.fromkeys(sorted(stored - wanted))
        for name, scope in sorted(wanted - stored):
            text = rule_states[name, scope]
            store.rule_states.put(name, versions[name], {scope: text})
            set_states[name, scope] = (versions[name], text)
        store.journal.set_rule_states(set_states)


def _keys(rules: Rules) -> set[tuple[str, str]]:
    return {(rule.name, scope) for rule in rules for scope in rule.only or ()}


def _stored_keys(store: Store, defaults: Sequence[Comparison[Any]]) -> set[tuple[str, str]]:
    return {key for rule in defaults if rule.threshold for key in store.rule_states.channel_rule_keys(rule.name)}


def _only(rules: Rules, keys: set[tuple[str, str]]) -> Rules:
    """Return the rules for the scopes of these (rule, scope) alone."""
    only = {rule.name: frozenset(scope for name, scope in keys if name == rule.name) for rule in rules}
    return tuple(replace(rule, only=only[rule.name]) for rule in rules if only[rule.name])
