"""The features that a channel can subscribe to, and how people write them. Every comparison belongs to one."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

from bot.errors import LikewatchError
from bot.rules.thresholds import parse_threshold, units
from handlers.contract import Comparison
from handlers.discovery import all_comparisons
from handlers.parameter_types import Threshold
from storage.values import Subscription

_SIGN = re.compile(r"\s*(?:>=?|=)\s*")
_DECIMAL_COMMA = re.compile(r"(>\d+),(\d+)")


@dataclass(frozen=True, slots=True, kw_only=True)
class Feature:
    """One word that people subscribe to.

    ``summary`` joins the lines about its comparisons. Only subscribers who name an ``opt_in`` feature get it.
    ``threshold`` is the parameter that a channel may set, if there is one.
    """

    name: str
    summary: str
    opt_in: bool
    threshold: Threshold | None


def catalogue(comparisons: Iterable[Comparison[Any]]) -> Mapping[str, Feature]:
    """Return the features of these comparisons by name, in their order. The rules of a feature share a threshold."""
    together: dict[str, list[Comparison[Any]]] = {}
    for comparison in comparisons:
        together.setdefault(comparison.feature, []).append(comparison)
    return {
        name: Feature(
            name=name,
            summary="; ".join(rule.summary for rule in rules),
            opt_in=all(rule.opt_in for rule in rules),
            threshold=next((rule.threshold for rule in rules if rule.threshold), None),
        )
        for name, rules in together.items()
    }


def amount(threshold: Threshold, limit: float) -> str:
    """Return a limit with its unit: ``"5 times the usual day"``, ``"2% of the audience"``."""
    return f"{limit:g}{'' if threshold.unit.startswith('%') else ' '}{threshold.unit}"


@cache
def features() -> Mapping[str, Feature]:
    """Every feature there is."""
    return catalogue(all_comparisons())


def default_features() -> tuple[str, ...]:
    """Return the features that a subscriber gets without naming them: all that are not opt-in."""
    return tuple(name for name, feature in features().items() if not feature.opt_in)


def written(feature: str, limit: float | None) -> str:
    """Return a feature as people write it: ``"surge>5x"``, or only its name if no limit is set."""
    known = features().get(feature)
    if limit is None or known is None or known.threshold is None:
        return feature
    return f"{feature}>{limit:g}{known.threshold.mark}"


def wishes(subscription: Subscription) -> tuple[str, ...]:
    """Return the features of a subscription as people write them: ``("overtake", "surge>5x")``."""
    return tuple(written(feature, subscription.thresholds.get(feature)) for feature in subscription.features)


def parse_features(
    asked: Sequence[str], comparisons: Sequence[Comparison[Any]] | None = None
) -> Mapping[str, float | None]:
    """Parse features as people type them: ``overtake, surge > 5 x`` gives ``{"overtake": None, "surge": 5.0}``.

    The features are in their usual order. ``comparisons`` are the rules, by default all.

    Raises:
        LikewatchError: naming what is no feature, or what is wrong with a threshold.

    """
    names = catalogue(all_comparisons() if comparisons is None else comparisons)
    named: dict[str, float | None] = {}
    for word in _words(" ".join(asked), names):
        name, sign, _ = word.partition(">")
        if name not in names:
            raise LikewatchError(
                f"“{word}” is not a feature. The features are: {', '.join(names)}. /trends list features explains them."
            )
        limit = parse_threshold(word, comparisons)[1] if sign else None
        if named.setdefault(name, limit) != limit:
            raise LikewatchError(f"“{name}” is there twice. Name it once, with the threshold you want.")
    return {name: named[name] for name in names if name in named}


def _words(text: str, features: Mapping[str, Feature]) -> Iterator[str]:
    """Yield the typed features. A feature and its threshold are one word, without the spaces around sign and unit."""
    text = _DECIMAL_COMMA.sub(r"\1.\2", _SIGN.sub(">", text.casefold()))
    for name, feature in features.items():
        if feature.threshold:
            longest_first = sorted(units(feature.threshold), key=len, reverse=True)
            after = "|".join(map(re.escape, longest_first))
            text = re.sub(rf"({name}>[\d.]+)\s+(?:{after})(?![^\s,])", r"\1", text)
    yield from filter(None, re.split(r"[\s,]+", text))
