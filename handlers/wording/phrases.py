"""Phrases that several kinds of alert share."""

from __future__ import annotations

from collections.abc import Callable

from handlers.model import Alert, Fact
from handlers.wording.numbers import percent, when

CAVEAT = (
    "A share by country does not show who caused it: adverts, diaspora, foreign news, an attack by somebody else and "
    "bought likes look alike."
)
"""Every share by country carries this caveat, in alerts and in answers."""

NET_OF_REMOVALS = "All figures are net of removals, so a purge by the platform moves them too."


def on(fact: Fact) -> str:
    """Write the date of a figure as part of a sentence; empty if the figure has no date."""
    return when(fact.at, fact.dated) if fact.at is not None else ""


def is_rounded(fact: Fact) -> bool:
    """Return whether the figure is rounded, so that it stands for an interval."""
    return fact.low is not None and fact.high is not None and fact.high > fact.low


def span(fact: Fact, say: Callable[[float], str]) -> str:
    """Write the bounds of a figure: ``"13,900 to 14,100"``, or one number if both read the same."""
    low, high = (say(fact.value if bound is None else bound) for bound in (fact.low, fact.high))
    return low if low == high else f"{low} to {high}"


def unit_of(alert: Alert) -> str:
    """Return the unit that a share is a share of: likes or followers."""
    return next(fact.unit for fact in alert.facts if fact.name in {"denominator", "whole"})


def span_of_shares(share: Fact) -> str:
    """Write the bounds of a share with two digits of per cent."""
    return span(share, lambda value: percent(value, digits=2))
