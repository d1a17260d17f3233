"""Channel rules: the rules with a threshold that a channel has set, beside the same rules with their defaults."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from typing import Any

from handlers.contract import Comparison, Scope
from handlers.model import Page
from storage.store import Store
from storage.values import Subscription, Target

Rules = tuple[Comparison[Any], ...]
"""Default rules and channel rules."""


class RulesInForce:
    """The default rules and, for the pages and groups that they were set for, the channel rules."""

    def __init__(self, store: Store, defaults: Sequence[Comparison[Any]]) -> None:
        self._store = store
        self._defaults = tuple(defaults)
        self._forget()
        store.after_rollback(self._forget)

    def _forget(self) -> None:
        self._made: tuple[tuple[int, int], Rules] | None = None

    def now(self) -> Rules:
        """Return the rules that hold now: the very same tuple until a subscription or a page changes."""
        version = self._store.subscriptions.version(), self._store.pages.version()
        made = self._made
        if made is None or made[0] != version:
            found = channel_rules(self._store, self._store.subscriptions.with_thresholds(), self._defaults)
            made = self._made = (version, (*self._defaults, *found) if found else self._defaults)
        return made[1]


def channel_rules(
    store: Store,
    subscriptions: Iterable[Subscription],
    defaults: Iterable[Comparison[Any]],
    *,
    joining: Page | None = None,
) -> Rules:
    """Return the channel rules of these subscriptions, each for all pages and groups that they name.

    A threshold that is the default needs no channel rule. A paused subscription keeps its channel rules, so that they
    miss nothing before it resumes. ``joining`` is a page about to be tracked: it counts as tracked.
    """
    tunable = {rule.name: (rule, rule.threshold.default) for rule in defaults if rule.threshold is not None}
    scopes: dict[tuple[str, float], set[str]] = {}
    for subscription in subscriptions:
        pages = pages_of(store, subscription, joining)
        for name, (rule, default) in tunable.items():
            limit = subscription.thresholds.get(rule.feature, default)
            if limit != default:
                scopes.setdefault((name, limit), set()).update(_scopes(rule.scope, subscription, pages))
    return tuple(
        tunable[name][0].tuned(limit, frozenset(only)) for (name, limit), only in sorted(scopes.items()) if only
    )


def rules_text(rules: Rules) -> str:
    """Return a text from which ``rules_of`` makes the same rules again."""
    tuned = [rule for rule in rules if rule.limit is not None]
    channel = [(rule.name.partition(">")[0], rule.limit, sorted(rule.only or ())) for rule in tuned]
    default = [rule.name for rule in rules if rule.limit is None]
    return json.dumps({"default": default, "channel": channel}, ensure_ascii=False, separators=(",", ":"))


def rules_of(text: str, defaults: Iterable[Comparison[Any]]) -> Rules:
    """Return the rules that ``rules_text`` described; one that is no longer among ``defaults`` is left out."""
    described = json.loads(text)
    by_name = {rule.name: rule for rule in defaults}
    return (
        *(by_name[name] for name in described["default"] if name in by_name),
        *(by_name[name].tuned(limit, frozenset(only)) for name, limit, only in described["channel"] if name in by_name),
    )


def pages_of(store: Store, subscription: Subscription, joining: Page | None = None) -> list[Page]:
    """Return the tracked pages that a subscription names; ``joining`` is a page about to be tracked."""
    slugs: tuple[str, ...] = (subscription.slug,)
    if subscription.target is Target.GROUP:
        group = store.pages.group(subscription.slug)
        slugs = group.pages if group else ()
    pages = store.pages.get_many(slugs)
    if joining is not None and subscription.slug in (
        joining.groups if subscription.target is Target.GROUP else (joining.slug,)
    ):
        pages[joining.slug] = joining
    return list(pages.values())


def _scopes(scope: Scope, subscription: Subscription, pages: Sequence[Page]) -> set[str]:
    """Return the scopes of a rule that may raise alerts for a subscription to these pages."""
    if scope is Scope.PAGE:
        return {page.slug for page in pages}
    if scope is Scope.PLATFORM:
        return {page.platform for page in pages}
    if subscription.target is Target.GROUP:
        return {subscription.slug} if pages else set()
    return {group for page in pages for group in page.groups}
