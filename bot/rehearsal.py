"""Rehearsals: what variants of rules would have told, and what they would remember now, had they run all along."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from itertools import groupby
from types import MappingProxyType
from typing import Any

from bot.variants import Rules, pages_of, variants
from handlers.contract import Comparison, Scope
from handlers.decide import Arrivals, decide
from handlers.model import Alert, AudienceReading, Page, Reading
from handlers.world import HISTORY, GrowingWorld
from storage.store import Store
from storage.values import Subscription

PREVIEW = timedelta(days=30)
"""How far back a subscription says what it would have posted."""

REACH = HISTORY
"""How far back a rehearsal begins: the preview, and the 118 days before it that rules look back on at most."""

_PLATFORM_AT_MOST = 100
"""Of a platform with more pages than this, a rehearsal looks at those subscribed to alone: it is waited for."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Rehearsal:
    """``alerts`` by age; ``memories`` maps (rule, scope) to the text of what is remembered, for every scope."""

    alerts: tuple[Alert, ...]
    memories: Mapping[tuple[str, str], str]


def rehearse(store: Store, subscriptions: Sequence[Subscription], rules: Rules, now: datetime) -> Rehearsal:
    """Run these subscriptions' variants over what is stored of ``REACH``, as a cycle once an hour would; store nothing.

    A count that was polled and found unchanged is not stored, so they see it once. What a cycle commits meanwhile they
    see at the next.
    """
    if not rules:
        return Rehearsal(alerts=(), memories={})
    pages = _pages(store, subscriptions, rules)
    until = now + timedelta(milliseconds=1)  # what was read this very instant is of the past too
    figures = store.chronicle.between([page.slug for page in pages], until - REACH, until)
    world = GrowingWorld(pages)
    alerts: list[Alert] = []
    for instant, arrivals in _hourly(figures):
        decision = decide(world.seen(), arrivals, instant, rules)
        world.grow(decision)
        alerts += decision.alerts
    keys = [(rule, (rule.name, scope)) for rule in rules for scope in rule.only or ()]
    memories = {key: rule.dump(world.memories[key] if key in world.memories else rule.blank()) for rule, key in keys}
    return Rehearsal(alerts=tuple(alerts), memories=memories)


def _pages(store: Store, subscriptions: Sequence[Subscription], rules: Rules) -> list[Page]:
    """The pages subscribed to, and those that the variants hold them against."""
    pages = {page.slug: page for subscription in subscriptions for page in pages_of(store, subscription)}
    watched = store.pages.all()
    for rule in rules:
        only = rule.only or frozenset()
        if rule.scope is Scope.GROUP:
            pages |= {page.slug: page for page in watched if not only.isdisjoint(page.groups)}
        if rule.scope is Scope.PLATFORM:
            together = {page.slug: page for page in watched if page.platform in only}
            pages |= together if len(together) <= _PLATFORM_AT_MOST else {}
    return list(pages.values())


def _hourly(figures: Iterable[Reading | AudienceReading]) -> Iterator[tuple[datetime, Arrivals]]:
    """What came in each hour, of each page and source the last count, and when the last of it did."""
    for _, hour in groupby(figures, lambda figure: figure.received_at.replace(minute=0, second=0, microsecond=0)):
        readings: dict[tuple[str, str], Reading] = {}
        audiences: list[AudienceReading] = []
        for figure in hour:
            if isinstance(figure, Reading):
                readings[figure.page, figure.source] = figure
            else:
                audiences.append(figure)
            last = figure.received_at
        yield last, Arrivals(readings=tuple(readings.values()), audiences=tuple(audiences))


def settle(
    store: Store,
    defaults: Sequence[Comparison[Any]],
    now: datetime,
    *,
    made: Mapping[tuple[str, str], str] = MappingProxyType({}),
) -> None:
    """Bring what variants remember in line with the thresholds that are set: begun for new ones, forgotten for ended.

    A variant that begins must not tell the past as if it were now, so it begins with the memory of a rehearsal: that of
    ``made``, or of one held here.
    """
    with store.write():
        subscriptions = store.subscriptions.with_thresholds()
        rules = variants(store, subscriptions, defaults)
        wanted = {(rule.name, scope) for rule in rules for scope in rule.only or ()}
        kept = {key for rule in defaults if rule.threshold for key in store.memories.variants_of(rule.name)}
        store.memories.forget(kept - wanted)
        unmade = wanted - kept - made.keys()
        rehearsed = rehearse(store, subscriptions, _those(rules, unmade), now).memories
        for (name, scope), memory in {**rehearsed, **made}.items():
            if (name, scope) in wanted - kept:
                store.memories.put(name, {scope: memory})


def _those(rules: Rules, keys: set[tuple[str, str]]) -> Rules:
    """The rules for the scopes of these (rule, scope) alone."""
    only = {rule.name: frozenset(scope for name, scope in keys if name == rule.name) for rule in rules}
    return tuple(replace(rule, only=only[rule.name]) for rule in rules if only[rule.name])
