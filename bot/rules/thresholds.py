"""Thresholds as people write them: ``foreign>10``, ``surge>5x``; in Slack and on the command line."""

from __future__ import annotations

import html
import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from bot.errors import LikewatchError
from bot.text.phrases import listed
from handlers.contract import Comparison
from handlers.discovery import all_comparisons
from handlers.parameter_types import Threshold

_SETTING = re.compile(r"(?P<feature>[a-z_]+)\s*(?:>=?|=)\s*(?P<number>\d+(?:\.\d+)?)\s*(?P<mark>\D*)")


def parse_threshold(text: str, comparisons: Sequence[Comparison[Any]] | None = None) -> tuple[str, float]:
    """Parse a threshold: ``"surge>5x"`` gives ``("surge", 5.0)``, the feature and the limit in the rule's own unit.

    The unit may follow the limit (``5x``, ``10%``, ``10 points``). ``comparisons`` are the rules, by default all.

    Raises:
        LikewatchError: it is no threshold, the feature has none, or the limit is out of bounds. The sentence lists
            the thresholds that can be set.

    """
    rules = all_comparisons() if comparisons is None else comparisons
    found = _SETTING.fullmatch(html.unescape(text).strip().casefold())
    if found is None:
        raise LikewatchError(f"“{text}” sets no threshold. {_what_can_be_set(rules)}")
    feature, limit, mark = found["feature"], float(found["number"]), found["mark"].strip()
    thresholds = [rule.threshold for rule in rules if rule.feature == feature and rule.threshold is not None]
    if not thresholds:
        raise LikewatchError(f"“{text}”: {feature} has no threshold. {_what_can_be_set(rules)}")
    if mark and not any(mark in units(threshold) for threshold in thresholds):
        raise LikewatchError(f"“{text}”: I do not know the unit “{mark}” of {feature}. {_what_can_be_set(rules)}")
    if not any(threshold.least <= limit <= threshold.most for threshold in thresholds):
        raise LikewatchError(f"“{text}”: {limit:g} is out of bounds. {_what_can_be_set(rules)}")
    return feature, limit


def tuned(comparisons: Iterable[Comparison[Any]], limits: Mapping[str, float]) -> tuple[Comparison[Any], ...]:
    """Return the rules that take these limits (feature -> limit), with the limits in place of their defaults."""
    return tuple(
        comparison.tuned(limit)
        for comparison in comparisons
        if (threshold := comparison.threshold) is not None
        and (limit := limits.get(comparison.feature)) is not None
        and threshold.least <= limit <= threshold.most
    )


def units(threshold: Threshold) -> set[str]:
    """Return the units that may follow a limit, in small letters. People write points of a share as per cent too."""
    unit = threshold.unit.casefold()
    return {threshold.mark.casefold(), unit, unit.partition(" ")[0]} - {""} | ({"%"} if unit == "points" else set())


def _what_can_be_set(comparisons: Sequence[Comparison[Any]]) -> str:
    said = [
        f"{comparison.feature}>{threshold.default:g}{threshold.mark} ({threshold.unit}, "
        f"from {threshold.least:g} to {threshold.most:g})"
        for comparison in comparisons
        if (threshold := comparison.threshold) is not None
    ]
    return f"What can be set, with what holds where nobody set it: {listed(said)}." if said else "None can be set yet."
