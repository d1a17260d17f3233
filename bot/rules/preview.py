"""Rehearsals: what variants of rules would have told, and what they would remember now, had they run all along."""

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
"""How far back a subscription says what it would have posted."""

REACH = HISTORY
"""How far back a rehearsal begins: the preview, and the 118 days before it that rules look back on at most."""

_PLATFORM_AT_MOST = 100
"""Of a platform with more pages than this, a rehearsal looks at those subscribed to alone: it is waited for."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Preview:
    """``alerts`` by age; ``rule_states`` maps (rule, scope) to the text of what is remembered, for every scope."""

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
    """Run these subscriptions' variants over what is stored of ``REACH``, as a cycle once an hour would; store nothing.

    ``joining`` is a page about to be watched, with what was read of it before. A count that was polled and found
    unchanged is not stored, so they see it once. What a cycle commits meanwhile they see at the next. It takes seconds
    for a group: hold it before a transaction, in which cycles would wait for it.
    """
    if not rules:
        return Preview(alerts=(), rule_states={})
    pages = _pages(store, subscriptions, rules, joining)
    until = now + timedelta(milliseconds=1)  # what was read this very instant is of the past too
    slugs = [page.slug for page in pages]
    figures = store.timeline.as_received(slugs, until - REACH, until)
    world = LiveState(pages)
    alerts: list[Alert] = []
    for instant, arrivals in resample(chain(_older(store, slugs, until - REACH), figures)):
        decision = decide(world.snapshot(), arrivals, instant, rules)
        world.apply(decision)
        alerts += decision.alerts
    keys = [(rule, (rule.name, scope)) for rule in rules for scope in rule.only or ()]
    rule_states = {
        key: rule.state.dump(world.rule_states[key] if key in world.rule_states else rule.state.initial())
        for rule, key in keys
    }
    return Preview(alerts=tuple(alerts), rule_states=rule_states)


def _older(store: Store, slugs: Sequence[str], since: datetime) -> list[AudienceReading]:
    """What rules are always shown of an audience, however old it is: told of then, whenever it was imported."""
    shown = (reading for slug in slugs for reading in store.audiences.recent(slug, since))
    older = (replace(reading, received_at=reading.as_of) for reading in shown if reading.as_of < since)
    return sorted(older, key=attrgetter("received_at"))


def _pages(store: Store, subscriptions: Sequence[Subscription], rules: Rules, joining: Page | None) -> tuple[Page, ...]:
    """The pages that the rules look at, and those that they hold them against."""
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
    """What variants would remember that begin once this page is watched so: for ``settle_rule_states``, made before the write."""
    subscriptions = store.subscriptions.with_thresholds()
    rules = channel_rules(store, subscriptions, defaults, joining=page)
    unmade = _wanted(rules) - _remembered(store, defaults)
    return preview(store, subscriptions, _those(rules, unmade), now, joining=page).rule_states


def settle_rule_states(
    store: Store,
    defaults: Sequence[Comparison[Any]],
    now: datetime,
    *,
    made: Mapping[tuple[str, str], str] = MappingProxyType({}),
) -> None:
    """Bring what variants remember in line with the thresholds that are set: begun for new ones, forgotten for ended.

    A variant that begins must not tell the past as if it were now, so it begins with the memory of a rehearsal: that of
    ``made``, or of one held here for those alone that ``made`` has not.
    """
    subscriptions = store.subscriptions.with_thresholds()
    rules = channel_rules(store, subscriptions, defaults)
    wanted, kept = _wanted(rules), _remembered(store, defaults)
    unmade = wanted - kept - made.keys()
    rule_states = {**made, **preview(store, subscriptions, _those(rules, unmade), now).rule_states}
    versions = {rule.name: rule.state.version for rule in rules}
    with store.write():
        store.rule_states.delete(kept - wanted)
        set_states: dict[RuleStateKey, RuleStateText | None] = dict.fromkeys(sorted(kept - wanted))
        for name, scope in sorted(wanted - kept):
            text = rule_states[name, scope]
            store.rule_states.put(name, versions[name], {scope: text})
            set_states[name, scope] = (versions[name], text)
        store.journal.set_rule_states(set_states)


def _wanted(rules: Rules) -> set[tuple[str, str]]:
    return {(rule.name, scope) for rule in rules for scope in rule.only or ()}


def _remembered(store: Store, defaults: Sequence[Comparison[Any]]) -> set[tuple[str, str]]:
    return {key for rule in defaults if rule.threshold for key in store.rule_states.channel_rule_keys(rule.name)}


def _those(rules: Rules, keys: set[tuple[str, str]]) -> Rules:
    """The rules for the scopes of these (rule, scope) alone."""
    only = {rule.name: frozenset(scope for name, scope in keys if name == rule.name) for rule in rules}
    return tuple(replace(rule, only=only[rule.name]) for rule in rules if only[rule.name])
