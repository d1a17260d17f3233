"""The features that a channel can subscribe to: those of the comparisons that there are."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

from handlers.comparisons import all_comparisons
from handlers.contract import Comparison, Threshold


@dataclass(frozen=True, slots=True, kw_only=True)
class Feature:
    """One word that people subscribe to.

    ``summary`` joins the lines about its comparisons; nobody gets an ``opt_in`` one without naming it; ``threshold`` is
    what a channel may set of it, if anything.
    """

    name: str
    summary: str
    opt_in: bool
    threshold: Threshold[Any] | None

    def written(self, limit: float | None) -> str:
        """As people write it: ``surge>5x``, or only its name where no limit was set."""
        return self.name if limit is None else f"{self.name}>{limit:g}{self.threshold.mark if self.threshold else ''}"


def catalogue(comparisons: Iterable[Comparison[Any]]) -> Mapping[str, Feature]:
    """The features of these comparisons by name, in their order; those of one feature agree on what may be set of it."""
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


@cache
def features() -> Mapping[str, Feature]:
    """Every feature there is."""
    return catalogue(all_comparisons())


def default_features() -> tuple[str, ...]:
    """The features that come without being named: all that are not opt-in."""
    return tuple(name for name, feature in features().items() if not feature.opt_in)


def written(wanted: Iterable[str], thresholds: Mapping[str, float]) -> tuple[str, ...]:
    """Features with the thresholds set for them: ``("overtake", "surge>5x")``; one that is no more by its bare name."""
    known = features()
    return tuple(known[name].written(thresholds.get(name)) if name in known else name for name in wanted)
