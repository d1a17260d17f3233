"""Features and their thresholds as people type them, and how they are explained to them."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from bot.errors import LikewatchError
from bot.rules.alert_types import Feature, catalogue
from bot.rules.thresholds import parse_threshold, units
from handlers.contract import Comparison
from handlers.discovery import all_comparisons

_SIGN = re.compile(r"\s*(?:>=?|=)\s*")
_DECIMAL_COMMA = re.compile(r"(>\d+),(\d+)")


@dataclass(frozen=True, slots=True, kw_only=True)
class AlertTypeRequest:
    """The features named, in the order they are listed in, and the limits set for some of them."""

    features: tuple[str, ...]
    thresholds: Mapping[str, float]


def parse_features(asked: Sequence[str], comparisons: Sequence[Comparison[Any]] | None = None) -> AlertTypeRequest:
    """Parse features as people type them: ``overtake, surge > 5 x``. ``comparisons`` are the rules, by default all.

    Raises:
        LikewatchError: naming what is no feature, or what is wrong with a threshold.

    """
    features = catalogue(all_comparisons() if comparisons is None else comparisons)
    named: dict[str, float | None] = {}
    for word in _words(" ".join(asked), features):
        name, sign, _ = word.partition(">")
        if name not in features:
            raise LikewatchError(
                f"“{word}” is not a feature. The features are: {', '.join(features)}. /trends list features explains "
                "them."
            )
        limit = parse_threshold(word, comparisons)[1] if sign else None
        if named.setdefault(name, limit) != limit:
            raise LikewatchError(f"“{name}” is there twice. Name it once, with the threshold you want.")
    return AlertTypeRequest(
        features=tuple(name for name in features if name in named),
        thresholds={name: limit for name, limit in named.items() if limit is not None},
    )


def _words(text: str, features: Mapping[str, Feature]) -> Iterator[str]:
    """Yield the typed features. A feature and its threshold are one word, without the spaces around sign and unit."""
    text = _DECIMAL_COMMA.sub(r"\1.\2", _SIGN.sub(">", text.casefold()))
    for name, feature in features.items():
        if feature.threshold:
            longest_first = sorted(units(feature.threshold), key=len, reverse=True)
            after = "|".join(map(re.escape, longest_first))
            text = re.sub(rf"({name}>[\d.]+)\s+(?:{after})(?![^\s,])", r"\1", text)
    yield from filter(None, re.split(r"[\s,]+", text))
