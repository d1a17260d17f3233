"""The features that a channel can subscribe to: those of the comparisons that there are."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cache

from bot.errors import LikewatchError
from handlers.comparisons import all_comparisons


@cache
def features() -> Mapping[str, str]:
    """Each feature with the line about it, in the comparisons' order; a feature of several comparisons joins theirs."""
    found: dict[str, str] = {}
    for comparison in all_comparisons():
        said = found.get(comparison.feature)
        found[comparison.feature] = f"{said}; {comparison.summary}" if said else comparison.summary
    return found


def parse_features(asked: Sequence[str]) -> tuple[str, ...]:
    """The features named, in the order they are listed in; LikewatchError names what is not one, or not yet."""
    known = features()
    named = [word.strip(",").casefold() for word in asked if word.strip(",")]
    for word in named:
        if word in known:
            continue
        feature, sign, _ = word.partition(">")
        wrong = (
            f"“{word}” sets a threshold, which cannot be set yet"
            if sign and feature in known
            else f"“{word}” is not a feature"
        )
        raise LikewatchError(f"{wrong}. The features are: {', '.join(known)}. /trends list features explains them.")
    return tuple(feature for feature in known if feature in named)
